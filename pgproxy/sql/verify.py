"""The last look: DuckDB's own parser reads the rendered text, and everything in it must be what we put there.

This closes disagreements between sqlglot and DuckDB as a class: whatever the first parser misread, the
second one
would have to find among the relations and functions that the planner itself placed.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from sqlglot import exp

from pgproxy.sql.admit import function_name
from pgproxy.sql.allowed_functions import GRAMMAR_FUNCTIONS, OPERATOR_FUNCTIONS
from pgproxy.sql.draft import RAISES_KEY, RESERVED_PREFIX, Draft
from pgproxy.sql.parse import parse_statement
from pgproxy.sql.plan import EngineParser, EngineTree, StatementKind
from pgproxy.sql.render import to_sql
from pgproxy.sql.tokens import called_names
from pgwire.errors import InternalError, StatementError

ENGINE_TYPES = {
    StatementKind.SELECT: frozenset({"SELECT"}),
    StatementKind.INSERT: frozenset({"INSERT"}),
    StatementKind.UPDATE: frozenset({"UPDATE"}),
    StatementKind.DELETE: frozenset({"DELETE"}),
    StatementKind.EXPLAIN: frozenset({"EXPLAIN"}),
    StatementKind.CREATE_TABLE: frozenset({"CREATE"}),
    StatementKind.CREATE_VIEW: frozenset({"CREATE"}),
    StatementKind.CREATE_SCHEMA: frozenset({"CREATE"}),
    StatementKind.DROP_TABLE: frozenset({"DROP"}),
    StatementKind.DROP_VIEW: frozenset({"DROP"}),
    StatementKind.DROP_SCHEMA: frozenset({"DROP"}),
    StatementKind.ALTER_TABLE: frozenset({"ALTER"}),
    StatementKind.ALTER_VIEW: frozenset({"ALTER"}),
    StatementKind.CREATE_INDEX: frozenset({"CREATE"}),
    StatementKind.DROP_INDEX: frozenset({"DROP"}),
    StatementKind.CREATE_SEQUENCE: frozenset({"CREATE"}),
    StatementKind.ALTER_SEQUENCE: frozenset({"ALTER", "CREATE"}),
    StatementKind.DROP_SEQUENCE: frozenset({"DROP"}),
    StatementKind.COMMENT: frozenset({"ALTER"}),
    StatementKind.TRUNCATE: frozenset({"DELETE", "TRUNCATE"}),
}
_ALWAYS = OPERATOR_FUNCTIONS | GRAMMAR_FUNCTIONS
_RAISING = "error"
_FOLLOWING = (("ALTER",), ("DROP",), ("CREATE",))
_TRUNCATES = (("DELETE",), ("TRUNCATE",))
_TYPES_OF_DEFINITIONS: dict[type[exp.Expr], str] = {
    exp.Comment: "ALTER",
    exp.Create: "CREATE",
    exp.Drop: "DROP",
}


def verify(draft: Draft) -> Draft:
    """Check the rendered statement.

    Raises:
        InternalError: it is not what was planned; nothing runs.
        StatementError: 42601, the engine does not read what sqlglot has read either: it reads more.
    """
    tree = _read(draft, draft.sql)
    if len(tree.statement_types) != 1 or tree.statement_types[0] not in ENGINE_TYPES[draft.kind]:
        raise _disagreement()
    for part, text in zip(draft.following, draft.following_sql, strict=True):
        allowed = _TRUNCATES if isinstance(part, exp.TruncateTable) else _FOLLOWING
        if _read(draft, text).statement_types not in allowed:
            raise _disagreement()
    if draft.kind is StatementKind.SELECT or tree.relations is not None:
        check_tree(draft, tree, draft.sql, must_be_read=True)
    _check_target(draft)
    for part in (draft.tree, *draft.following):
        shadow = shadow_query(part)
        if shadow is not None:
            text = to_sql(shadow)
            check_tree(draft, _read(draft, text), text, must_be_read=True)
    return replace(draft, engine_functions=tree.functions or frozenset())


def verify_definition(tree: exp.Expr, sql: str, parse_engine_sql: EngineParser) -> None:
    """Check a definition that the gateway makes of what the catalog tells, rendered as `sql`.

    What it says is what the tree says: one statement of its kind, with its relations and functions.

    Raises:
        InternalError: it does not; nothing runs.
    """
    read = _parsed(parse_engine_sql, sql)
    if read.statement_types != (_TYPES_OF_DEFINITIONS.get(type(tree)),):
        raise _disagreement()
    shadow = shadow_query(tree)
    if shadow is None:
        return
    text = to_sql(shadow)
    found = _parsed(parse_engine_sql, text)
    if found.relations is None or found.functions is None:
        raise _disagreement()
    tables = (node for node in shadow.find_all(exp.Table) if isinstance(node.this, exp.Identifier))
    names = called_names(text)
    _check_relations(found.relations, frozenset((node.catalog, node.db, node.name) for node in tables))
    _check_functions(found.functions, names - {_RAISING} if not _calls_raise(shadow) else names)


def placed_functions(draft: Draft, sql: str) -> frozenset[str]:
    """The functions that `render` wrote into `sql`: each name before a parenthesis, as our tokens see it.

    `error` is one of them only if the tree, in which no client may call it, holds a call of it.
    """
    names = called_names(sql)
    return names - {_RAISING} if _RAISING in names and not _calls_raise(draft.tree) else names


def _calls_raise(tree: exp.Expr) -> bool:
    return any(_raises(node) for node in tree.find_all(exp.Anonymous, exp.Var))


def _raises(node: exp.Expr) -> bool:
    if isinstance(node, exp.Var):
        return bool(node.meta.get(RAISES_KEY))
    return function_name(node) == _RAISING


def _check_target(draft: Draft) -> None:
    """The relation that a write changes must be one that was placed: DuckDB gives no tree to find it in."""
    if not isinstance(draft.tree, (exp.Insert, exp.Update, exp.Delete)):
        return
    named = draft.tree.this
    table = named.this if isinstance(named, exp.Schema) else named
    name = (table.catalog, table.db, table.name) if isinstance(table, exp.Table) else None
    if name not in draft.placed_relations:
        raise _disagreement()


def shadow_query(tree: exp.Expr) -> exp.Expr | None:
    """A query with all that a write or definition computes and reads: DuckDB gives no tree of those."""
    if isinstance(tree, exp.Create) and isinstance(tree.expression, exp.Query):
        return tree.expression.copy()
    if isinstance(tree, (exp.Create, exp.Alter)):
        values = [value.copy() for value in _defined_values(tree)]
        return exp.Select(expressions=values) if values else None
    if not isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
        return None
    returning, where = tree.args.get("returning"), tree.args.get("where")
    conflict = tree.args.get("conflict")
    computed = [item for item in tree.expressions if isinstance(tree, exp.Update)]
    computed += conflict.expressions if conflict is not None else []
    outputs: list[exp.Expr] = [
        item.expression.copy() for item in computed if not isinstance(item.expression, exp.Var)
    ]
    outputs += [item.copy() for item in returning.expressions] if returning is not None else []
    outputs.append(where.this.copy() if where is not None else exp.true())
    sources = [tree.args["from_"].this] if tree.args.get("from_") else list(tree.args.get("using") or ())
    if isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query):
        outputs.append(exp.Exists(this=tree.expression.copy()))
    shadow = exp.Select(expressions=[item if not item.is_star else exp.Star() for item in outputs])
    for number, source in enumerate(sources):
        if number == 0:
            shadow.set("from_", exp.From(this=source.copy()))
        else:
            shadow.append("joins", exp.Join(this=source.copy(), kind="CROSS"))
    if tree.args.get("with_") is not None:
        shadow.set("with_", tree.args["with_"].copy())
    return shadow


def _defined_values(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Defaults, checks and conversions of a table's definition."""
    for node in tree.find_all(exp.DefaultColumnConstraint, exp.CheckColumnConstraint, exp.AlterColumn):
        parts = ("using", "default") if isinstance(node, exp.AlterColumn) else ("this",)
        for part in parts:
            value = node.args.get(part)
            if isinstance(value, exp.Expr):
                yield value


def check_tree(draft: Draft, tree: EngineTree, sql: str, *, must_be_read: bool = False) -> None:
    """Relations must be among those that were placed, functions among those that `sql` was written with.

    must_be_read: no tree at all is a disagreement too.
    """
    if must_be_read and (tree.relations is None or tree.functions is None):
        raise _disagreement()
    if tree.relations is not None:
        _check_relations(tree.relations, draft.placed_relations)
    if tree.functions is not None:
        _check_functions(tree.functions, placed_functions(draft, sql))


def _check_relations(
    found: Collection[tuple[str, str, str]], placed: Collection[tuple[str, str, str]]
) -> None:
    for relation in found:
        if relation not in placed and not _is_own_cte(relation):
            raise _disagreement()


def _check_functions(found: Collection[tuple[str, str]], placed: Collection[str]) -> None:
    for _schema, name in found:
        if name.lower() not in placed and name.lower() not in _ALWAYS:
            raise _disagreement()


def _is_own_cte(relation: tuple[str, str, str]) -> bool:
    catalog, schema, name = relation
    return not catalog and not schema and name.startswith(f"{RESERVED_PREFIX}cte_")


def _read(draft: Draft, sql: str) -> EngineTree:
    try:
        return draft.context.parse_engine_sql(sql)
    except ValueError:
        _check_is_readable(draft)
        raise _disagreement() from None


def _check_is_readable(draft: Draft) -> None:
    """Tell what is wrong with a statement from what is wrong with its rewriting.

    The client's own text is given to no parser of the engine's: what sqlglot has read of it is.
    """
    tree, _ = parse_statement(draft.text, draft.context)
    try:
        draft.context.parse_engine_sql(to_sql(tree))
    except ValueError:
        raise StatementError(
            "syntax error", hint="If there is none, this form of the statement is not supported."
        ) from None


def _parsed(parse_engine_sql: EngineParser, sql: str) -> EngineTree:
    try:
        return parse_engine_sql(sql)
    except ValueError:
        raise _disagreement() from None


def _disagreement() -> InternalError:
    return InternalError(
        "the rewritten statement could not be verified",
        hint="Write the statement in another way, or report it.",
    )
