"""What PostgreSQL says in several ways, in the one way that the planner knows; before anything is admitted.

A cast written as a call (`bpchar(x)`), a function of one value in FROM, rows of settings as a function, ONLY
where no table has children, `(t).*`, GROUP BY ALL and DISTINCT where no grouping set comes twice.
PostgreSQL docs, "Type Casts" and "Table Functions".
"""

from collections.abc import Collection

from sqlglot import exp

from pgproxy.sql.admit import function_name
from pgproxy.sql.allowed_functions import (
    CLIENT_NAMES,
    FUNCTION_CLASSES,
    TABLE_FUNCTION_CLASSES,
    TABLE_FUNCTION_NAMES,
)
from pgproxy.sql.comments import plain_comment
from pgproxy.sql.dialect.names import column_name
from pgproxy.sql.node_kinds import classes_below
from pgproxy.sql.references import plain_references
from pgproxy.sql.sequence_definitions import plain_serials
from pgwire.errors import FeatureNotSupported

_TYPE_CALLS = frozenset({"bpchar", "name", "int2", "int4", "int8", "float4", "float8", "bool", "oid"})
_SETTINGS = "pg_show_all_settings"
_CHANGE = "set_config"
_RESPELLED = classes_below(exp.Select, exp.Table, exp.Dot, exp.Anonymous, exp.Group)


def plain_spelling(tree: exp.Expr, settings: Collection[str]) -> exp.Expr:  # noqa: C901 - one arm a kind
    """Rewrite in place; gives the root. settings: the names of the session's settings."""
    if isinstance(tree, exp.Comment):
        plain_comment(tree)
    elif isinstance(tree, exp.Alter):
        _rename_column(tree)
    plain_serials(tree)
    plain_references(tree)
    for node in [node for node in tree.dfs() if type(node) in _RESPELLED]:
        match node:
            case exp.Select():
                _change_one_setting(node, settings)
            case exp.Table() if node.args.get("only"):
                node.set("only", None)
            case exp.Table() if isinstance(node.this, exp.Func):
                _plain_source(node)
            case exp.Group() if node.expressions:
                _plain_group(node)
            case exp.Dot() if isinstance(node.expression, exp.Star):
                _whole_row(node)
            case exp.Dot() if not isinstance(node.parent, exp.Table):
                _qualified_grammar(node)
            case exp.Anonymous() if function_name(node) in _TYPE_CALLS and len(node.expressions) == 1:
                _cast(node)
    return tree


def _rename_column(tree: exp.Alter) -> None:
    """`RENAME a TO b` is `RENAME COLUMN a TO b`; sqlglot reads a table's new name and an option."""
    actions, options = tree.args.get("actions") or [], tree.args.get("options") or []
    if len(actions) == len(options) == 1 and isinstance(actions[0], exp.AlterRename):
        (option,) = options
        if isinstance(option, exp.ToTableProperty):
            old, new = (exp.Column(this=item.this.this.copy()) for item in (actions[0], option))
            tree.set("actions", [exp.RenameColumn(this=old, to=new)])
            tree.set("options", None)


def _cast(node: exp.Anonymous) -> None:
    """`bpchar(x)` is `x::bpchar`, but that the output is called after the function."""
    if isinstance(node.parent, exp.Table):
        return
    name = function_name(node)
    outer = node.parent if isinstance(node.parent, exp.Dot) else node
    cast: exp.Expr = exp.cast(node.expressions[0], name, dialect="postgres")
    if isinstance(outer.parent, exp.Select) and outer.arg_key == "expressions":
        cast = exp.alias_(cast, name, quoted=True)
    outer.replace(cast)


def _qualified_grammar(node: exp.Dot) -> None:
    """Functions that the parser takes for plain ones behind a schema.

    `pg_catalog.generate_series(…)` as an output gives rows, `pg_catalog.btrim(…)` is TRIM.
    """
    called = node.expression
    if not isinstance(called, exp.Anonymous) or node.this.name.lower() != "pg_catalog":
        return
    if function_name(called) == "generate_series" and len(called.expressions) in (2, 3):
        ends = dict(zip(("start", "end", "step"), called.expressions, strict=False))
        node.replace(exp.ExplodingGenerateSeries(**ends))
    elif function_name(called) == "btrim" and len(called.expressions) in (1, 2):
        node.replace(exp.Trim(**dict(zip(("this", "expression"), called.expressions, strict=False))))


def _plain_group(group: exp.Group) -> None:
    """`GROUP BY ALL a, b` is what there is without the word, DISTINCT is where no set comes twice."""
    sets = [item for item in group.expressions if isinstance(item, (exp.Rollup, exp.Cube, exp.GroupingSets))]
    if group.args.get("all") is False and sets:
        keys = [key.sql(dialect="postgres").lower() for key in sets[0].expressions]
        if len(sets) > 1 or isinstance(sets[0], exp.GroupingSets) or len(set(keys)) < len(keys):
            raise FeatureNotSupported(
                "GROUP BY DISTINCT is not supported", hint="Write each grouping set once, in GROUPING SETS."
            )
    group.set("all", None)


def _whole_row(node: exp.Dot) -> None:
    """`(t).*` is `t.*` where t is a relation of the same FROM."""
    row, select = node.this.unnest(), node.parent
    if isinstance(select, exp.Select) and isinstance(row, exp.Column) and not row.table:
        from_ = select.args.get("from_")
        items = [*([from_] if from_ is not None else ()), *(select.args.get("joins") or ())]
        if any(item.this.alias_or_name.lower() == row.name.lower() for item in items):
            node.replace(exp.Column(this=exp.Star(), table=row.this))
            return
    raise FeatureNotSupported("fields of a value cannot be selected by *", hint="Select each by its name.")


def _plain_source(table: exp.Table) -> None:
    called = function_name(table.this) if isinstance(table.this, exp.Anonymous) else ""
    if called == _SETTINGS and not table.this.expressions:
        table.set("this", exp.to_identifier("pg_settings"))
        table.set("db", exp.to_identifier("pg_catalog"))
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(_SETTINGS)))
    elif _gives_one_value(table.this, called) and not table.args.get("ordinality"):
        table.replace(_value_source(table))


def _gives_one_value(function: exp.Expr, called: str) -> bool:
    if called:
        return called in CLIENT_NAMES - TABLE_FUNCTION_NAMES
    kind = type(function).__name__
    return kind in FUNCTION_CLASSES and kind not in TABLE_FUNCTION_CLASSES


def _value_source(table: exp.Table) -> exp.Subquery:
    """`FROM f(x) AS a` as a derived table of one row, whose column is called as the table is."""
    alias = table.args.get("alias")
    own = column_name(table.this)
    name = alias.this if isinstance(alias, exp.TableAlias) and alias.this is not None else None
    name = name.copy() if name is not None else exp.to_identifier(own)
    given = [column.copy() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    value = exp.Alias(this=table.this.copy(), alias=given[0] if given else name.copy())
    return exp.Subquery(this=exp.Select(expressions=[value]), alias=exp.TableAlias(this=name))


def _change_one_setting(select: exp.Select, settings: Collection[str]) -> None:
    """`SELECT set_config(…) FROM pg_settings WHERE name = 'known'` has one row: the same without FROM.

    Of an unknown setting it has none.
    """
    source = select.args.get("from_")
    table = source.this if isinstance(source, exp.From) else None
    if not isinstance(table, exp.Table) or any(select.args.get(part) for part in ("joins", "group")):
        return
    called = function_name(table.this) if isinstance(table.this, exp.Anonymous) else table.name.lower()
    if table.db.lower() not in ("", "pg_catalog") or called not in (_SETTINGS, "pg_settings"):
        return
    name = _only_name(select.args.get("where"))
    if name is None:
        return
    items = [item.unalias() for item in select.expressions]
    items = [item.expression if isinstance(item, exp.Dot) else item for item in items]
    if all(isinstance(item, exp.Anonymous) and function_name(item) == _CHANGE for item in items):
        select.set("from_", None)
        select.set("where", None)
        if name.name.lower() not in settings:
            select.set("expressions", [exp.alias_(exp.null(), _CHANGE) for _ in items])
            select.set("where", exp.Where(this=exp.false()))
        for column in list(select.find_all(exp.Column)):
            if column.name.lower() == "name" and isinstance(column.parent, exp.Anonymous):
                column.replace(name.copy())


def _only_name(where: exp.Expr | None) -> exp.Literal | None:
    """The constant of `WHERE name = 'constant'`."""
    condition = where.this if isinstance(where, exp.Where) else None
    if not isinstance(condition, exp.EQ):
        return None
    column, value = condition.this, condition.expression
    is_name = isinstance(column, exp.Column) and column.name.lower() == "name"
    return value if is_name and isinstance(value, exp.Literal) and value.is_string else None
