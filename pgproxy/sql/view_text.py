"""A view's query as `pg_get_viewdef` shows it: the client's own, bound, in PostgreSQL's layout.

The engine keeps the translated query, whose macros and casts are no text that anybody wrote or could run
again. PostgreSQL docs, "System Information Functions"; the layout is ruleutils.c's.
"""

import re
from collections.abc import Iterator, Sequence
from textwrap import indent

from sqlglot import exp

from pgproxy.catalog.builtin import reserved_words
from pgproxy.catalog.snapshot import TableInfo
from pgproxy.sql.dialect.names import output_names
from pgproxy.sql.draft import CTE_KEY, CTE_NAME_KEY, USE_KEY, Draft, ViewTexts

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
_ATOMS = (exp.Column, exp.Literal, exp.Func, exp.Paren, exp.Var, exp.Bracket, exp.Null, exp.Boolean)
_TYPE_NAMES = {
    "int": "integer",
    "bool": "boolean",
    "varchar": "character varying",
    "char": "character",
    "decimal": "numeric",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
    "varbinary": "bytea",
}
_TYPE = re.compile(r"(?P<name>[a-z ]+)(?P<rest>.*)\Z", re.DOTALL)
_CLAUSES = (
    ("group", "  "),
    ("having", " "),
    ("windows", "  "),
    ("order", "  "),
    ("limit", " "),
    ("offset", " "),
)
"""In ruleutils.c's order, each with its margin."""
_IMPLIED = frozenset({"pg_catalog"})
_NAMES = frozenset({"this", "db", "catalog", "alias"})
_WRITTEN = frozenset({"expressions", "distinct", "from_", "joins", "where", *(key for key, _ in _CLAUSES)})


def view_texts(draft: Draft) -> ViewTexts | None:
    """Write the query of a bound CREATE VIEW; None: it is of another form.

    The tree is not changed. Stars are written out already, where they can be.
    """
    query = draft.tree.args.get("expression")
    if not isinstance(query, (exp.Select, exp.SetOperation)):
        return None
    short, long = (_text(draft, query.copy(), implied) for implied in (_IMPLIED | {"public"}, _IMPLIED))
    return ViewTexts(short, long if long != short else None)


def _text(draft: Draft, query: exp.Query, implied: frozenset[str]) -> str:
    """implied: the schemas that need no name."""
    _name_outputs(query, _given_names(draft) or output_names(query) or ())
    for select in list(query.find_all(exp.Select)):
        _qualify(draft, select)
    _write_names(draft, query, implied)
    _enclose_keys(query)
    _write_casts(query)
    _write_aliases(query)
    return _laid_out(query)


def _given_names(draft: Draft) -> Sequence[str]:
    """The names of `CREATE VIEW name (a, b)`."""
    target = draft.tree.this
    return [item.name for item in target.expressions] if isinstance(target, exp.Schema) else []


def _name_outputs(query: exp.Expr, names: Sequence[str]) -> None:
    """Write an output's name where it is another one than the column's, in each part of a set operation."""
    if isinstance(query, exp.SetOperation):
        _name_outputs(query.this, names)
        _name_outputs(query.expression, names)
    elif isinstance(query, exp.Subquery):
        _name_outputs(query.this, names)
    elif isinstance(query, exp.Select) and not any(item.is_star for item in query.expressions):
        for item, name in zip(list(query.expressions), names, strict=False):
            value = item.this if isinstance(item, exp.Alias) else item
            is_same = isinstance(value, exp.Column) and value.name == name
            item.replace(value.copy() if is_same else exp.alias_(value.copy(), name, quoted=True))


def _qualify(draft: Draft, select: exp.Select) -> None:
    """Say whose a column is, where the relations of FROM are all the catalog's and one of them has it."""
    sources = list(_sources(select))
    columns = [_columns_of(draft, source) for source in sources]
    if not sources or any(found is None for found in columns):
        return
    outputs = {item.alias for item in select.expressions if isinstance(item, exp.Alias)}
    for column in select.find_all(exp.Column):
        if (
            column.table
            or column.find_ancestor(exp.Select) is not select
            or isinstance(column.this, exp.Star)
        ):
            continue
        if column.name in outputs and column.find_ancestor(exp.Order, exp.Group, exp.Select) is not select:
            continue
        owners = [s for s, found in zip(sources, columns, strict=True) if found and column.name in found]
        if len(owners) == 1:
            column.set("table", exp.to_identifier(owners[0].alias_or_name))


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    from_ = select.args.get("from_")
    if from_ is not None:
        yield from_.this
        for join in select.args.get("joins") or ():
            yield join.this


def _columns_of(draft: Draft, source: exp.Expr) -> frozenset[str] | None:
    index = source.meta.get(USE_KEY)
    info = draft.uses[index].info if index is not None else None
    is_plain = isinstance(info, TableInfo) and not (source.args.get("joins") or source.args.get("pivots"))
    return frozenset(column.name for column in info.columns) if is_plain and info is not None else None


def _write_names(draft: Draft, query: exp.Expr, implied: frozenset[str]) -> None:
    """Give relations and common table expressions the names that a client knows, and quote what must be."""
    written = {cte.alias: cte.meta.get(CTE_NAME_KEY, cte.alias) for cte in query.find_all(exp.CTE)}
    for cte in query.find_all(exp.CTE):
        cte.args["alias"].set("this", exp.to_identifier(written[cte.alias]))
    for table in query.find_all(exp.Table):
        if CTE_KEY in table.meta:
            table.set("this", exp.to_identifier(written.get(table.meta[CTE_KEY], table.name)))
        elif table.meta.get(USE_KEY) is not None:
            _shorten(table, draft.context.catalog_name, implied)
        alias = table.args.get("alias")
        if isinstance(alias, exp.TableAlias) and not alias.columns and alias.name == table.name:
            table.set("alias", None)
    for identifier in query.find_all(exp.Identifier):
        name = identifier.name if identifier.quoted else identifier.name.lower()
        identifier.set("this", name)
        identifier.set("quoted", not _PLAIN.match(name) or name in reserved_words())


def _shorten(table: exp.Table, catalog: str, implied: frozenset[str]) -> None:
    """Leave out what the search path and the connection say anyway."""
    if table.catalog == catalog or table.db in ("pg_catalog", "information_schema"):
        table.set("catalog", None)
        if table.db in implied:
            table.set("db", None)


def _enclose_keys(query: exp.Expr) -> None:
    """Put what is sorted or grouped by into parentheses, where it is computed."""
    for clause in list(query.find_all(exp.Order, exp.Group)):
        if isinstance(clause.parent, exp.Query):
            for item in clause.expressions:
                key = item.this if isinstance(item, exp.Ordered) else item
                if isinstance(key, (exp.Binary, exp.Func, exp.Cast)):
                    key.replace(exp.Paren(this=key.copy()))


def _write_casts(query: exp.Expr) -> None:
    """`x::type`, the innermost first. What is within one is text by then."""
    for cast in sorted(query.find_all(exp.Cast), key=lambda node: -node.depth):
        if type(cast) is exp.Cast:
            value = _sql(cast.this)
            shown = value if isinstance(cast.this, _ATOMS) else f"({value})"
            cast.replace(exp.Var(this=f"{shown}::{_type_name(cast.to)}"))


def _write_aliases(query: exp.Expr) -> None:
    """`table alias`, as PostgreSQL has it, without AS."""
    for table in list(query.find_all(exp.Table)):
        alias = table.args.get("alias")
        others = [value for key, value in table.args.items() if key not in _NAMES and value]
        if alias is not None and isinstance(table.this, exp.Identifier) and not others:
            table.set("alias", None)
            table.replace(exp.Var(this=f"{_sql(table)} {_sql(alias)}"))


def _type_name(kind: exp.Expr) -> str:
    """PostgreSQL's name of a type, as format_type gives it."""
    text = _sql(kind).lower().replace(", ", ",")
    found = _TYPE.match(text)
    return _TYPE_NAMES.get(found["name"], found["name"]) + found["rest"] if found is not None else text


def _sql(node: exp.Expr) -> str:
    return str(node.sql(dialect="postgres", normalize_functions="lower", comments=False))


def _laid_out(query: exp.Expr) -> str:
    """Write a query, a clause a line; every line but the first is indented as ruleutils.c does."""
    with_ = query.args.get("with_")
    if with_ is not None:
        query.set("with_", None)
        ctes = ",\n ".join(_common_table(cte) for cte in with_.expressions)
        return f"WITH {'RECURSIVE ' if with_.recursive else ''}{ctes}\n {_laid_out(query)}"
    if isinstance(query, exp.SetOperation) and not any(query.args.get(key) for key, _ in _CLAUSES):
        return f"{_operand(query.this)}\n{_set_operator(query)}\n {_operand(query.expression)}"
    return _operand(query)


def _common_table(cte: exp.Expr) -> str:
    head = _sql(cte.args["alias"])
    return f"{head} AS (\n{indent(' ' + _laid_out(cte.this), ' ' * 8)}\n        )"


def _operand(query: exp.Expr) -> str:
    is_known = type(query) is exp.Select and not any(
        value for key, value in query.args.items() if key not in _WRITTEN
    )
    return _select(query) if is_known and isinstance(query, exp.Select) else _sql(query)


def _set_operator(query: exp.SetOperation) -> str:
    return type(query).__name__.upper() + ("" if query.args.get("distinct") else " ALL")


def _select(query: exp.Select) -> str:
    distinct = query.args.get("distinct")
    head = f"SELECT {_sql(distinct)} " if distinct is not None else "SELECT "
    lines = [head + ",\n    ".join(map(_sql, query.expressions))]
    from_ = query.args.get("from_")
    if from_ is not None:
        lines.append(f"   {_sql(from_)}{''.join(map(_join, query.args.get('joins') or ()))}")
    where = query.args.get("where")
    if where is not None:
        lines.append(f"  {_sql(where)}")
    for key, margin in _CLAUSES:
        clause = query.args.get(key)
        if isinstance(clause, list):
            lines += [f"{margin}WINDOW {', '.join(map(_named_window, clause))}"] if clause else []
        elif clause is not None:
            lines.append(margin + _sql(clause).strip())
    return "\n".join(lines)


def _named_window(window: exp.Expr) -> str:
    """Out of its place, a window is written as one that a call has."""
    return _sql(window).replace(" OVER (", " AS (", 1)


def _join(join: exp.Join) -> str:
    text = _sql(join).strip()
    return f",\n    {text.removeprefix(',').strip()}" if text.startswith(",") else f"\n     {text}"
