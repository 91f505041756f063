"""What may be in a statement at all: a walk over every node and every part of it, against the closed lists.

Whatever the lists do not name is denied, so a new parser version or a forgotten corner of SQL is an error
to the
client, never a hole. This stage knows no principal and no catalog beyond the names of its helper functions.
"""

import re
from collections.abc import Collection, Iterable
from functools import cache

from sqlglot import exp

from pgproxy.policy.denial import DenialRule
from pgproxy.sql import allowed_functions as functions
from pgproxy.sql import allowed_nodes as nodes
from pgproxy.sql.draft import RESERVED_PREFIX, position_of
from pgproxy.sql.node_kinds import classes_below
from pgproxy.sql.plan import StatementKind
from pgwire.errors import AccessDenied, FeatureNotSupported, GatewayError, StatementError
from pgwire.sqlstate import SqlState

ENGINE_MACROS = "pgproxy_functions"
"""The engine's catalog of our own macros (`execnode.engine.functions`)."""
_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
_WORDS = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*\Z")
_SIMPLE_ROOTS: dict[type[exp.Expr], StatementKind] = {
    exp.Insert: StatementKind.INSERT,
    exp.Update: StatementKind.UPDATE,
    exp.Delete: StatementKind.DELETE,
    exp.Alter: StatementKind.ALTER_TABLE,
    exp.Comment: StatementKind.COMMENT,
    exp.TruncateTable: StatementKind.TRUNCATE,
}
_ASKING = frozenset(
    {StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.CREATE_TABLE,
     StatementKind.ALTER_TABLE}
)  # fmt: skip
"""Statements that may ask a sequence."""
_LOOKED_AT = (
    exp.Anonymous, exp.AnonymousAggFunc, exp.ObjectIdentifier, exp.IntervalSpan, exp.DataType, exp.Dot,
    exp.Table, exp.Join, exp.Var, exp.Collate, exp.Parameter, exp.Placeholder, exp.Identifier, exp.Operator,
    exp.SetOperation, exp.CTE, exp.Alias, exp.Struct, exp.Pivot,
)  # fmt: skip
"""Classes whose nodes are looked at one by one (`_admit_node`)."""
_QUERIES = (exp.Query, exp.Values, exp.Table)
_SELECTS = classes_below(exp.Select)
_OPTIONAL_FLAGS = frozenset({"cascade", "restrict", "concurrently", "only", "temporary", "materialized"})


def statement_kind(tree: exp.Expr) -> StatementKind:
    """Name the statement, or deny it.

    Raises:
        AccessDenied, FeatureNotSupported: no statement of the closed list.
    """
    if isinstance(tree, nodes.QUERY_ROOTS):
        return StatementKind.SELECT
    if isinstance(tree, exp.Alter) and str(tree.args.get("kind") or "").upper() == "VIEW":
        return StatementKind.ALTER_VIEW
    if isinstance(tree, exp.Alter) and str(tree.args.get("kind") or "").upper() == "SEQUENCE":
        return StatementKind.ALTER_SEQUENCE
    if type(tree) in _SIMPLE_ROOTS:
        return _SIMPLE_ROOTS[type(tree)]
    word = str(tree.args.get("kind") or "").upper()
    kind = None
    if isinstance(tree, (exp.Create, exp.Drop)):
        kind = (nodes.CREATE_KINDS if isinstance(tree, exp.Create) else nodes.DROP_KINDS).get(word)
    if kind is None:
        raise AccessDenied(f"statement is not permitted: {_statement_words(tree)}", rule=DenialRule.STATEMENT)
    return kind


def admit(tree: exp.Expr, system_functions: Collection[str]) -> StatementKind:
    """Check every node of the statement.

    system_functions: helper functions of the catalog, allowed besides the lists.

    Raises:
        GatewayError: 42501, 0A000, 42883 or 42704 for what is not on a list.
    """
    kind = statement_kind(tree)
    allowed, may_ask = _allowed_nodes(kind), kind in _ASKING
    _admit_target(tree)
    every = list(tree.walk())
    _admit_select_list(every)
    for node in every:
        if type(node) is exp.Identifier:
            _admit_identifier(node)
            continue
        if _is_always_admitted(type(node)):  # type: ignore[arg-type]  # classes hash, whatever instances do
            continue
        name = type(node).__name__
        if name in nodes.ROOT_ONLY and node is not tree and not _is_alter_action(node):
            raise FeatureNotSupported("data-modifying statements in WITH or FROM are not supported")
        if not may_ask or not _asks_sequence(node):
            _admit_node(node, name, allowed, system_functions)
        _admit_parts(node, name)
    return kind


@cache
def _is_always_admitted(kind: type[exp.Expr]) -> bool:
    """Whether every node of this class may be in every statement, whatever its parts: most of every tree."""
    name = kind.__name__
    is_looked_at = issubclass(kind, _LOOKED_AT) or name in nodes.ALLOWED_PARTS or name in nodes.ROOT_ONLY
    return not is_looked_at and name in nodes.EXPRESSIONS | nodes.STRUCTURE


def _asks_sequence(node: exp.Expr) -> bool:
    """A call that `pgproxy.sql.sequences` binds to a sequence, or refuses."""
    is_call = isinstance(node, exp.Anonymous) and not isinstance(node.parent, exp.Table)
    return is_call and function_name(node) in functions.SEQUENCE_FUNCTIONS


def admit_stored(query: exp.Expr) -> None:
    """Check a view's query as the engine keeps it: what clients may write, and what the planner renders.

    Raises:
        GatewayError: something else is in it, so what it reads is not known.
    """
    allowed = nodes.EXPRESSIONS | nodes.STRUCTURE
    for node in query.walk():
        name = type(node).__name__
        is_known = isinstance(node, exp.Anonymous) and function_name(node) in functions.POLICY_NAMES
        # Names of the planner's own, which a client may not write, are in it too.
        if not is_known and not isinstance(node, exp.Identifier) and not _is_engine_path(node):
            _admit_node(node, name, allowed, ())
        _admit_parts(node, name)


def _is_engine_path(node: exp.Expr) -> bool:
    """`main."substring"(…)`, and the engine's own macros with their whole path."""
    dot = node.parent if isinstance(node, exp.Anonymous) else node
    if not isinstance(dot, exp.Dot):
        return False
    path = [part.name for part in dot.this.find_all(exp.Identifier)]
    if path[:1] == [ENGINE_MACROS]:
        return True
    member = dot.expression
    is_known = isinstance(member, exp.Anonymous) and function_name(member) in functions.POLICY_NAMES
    return is_known and path in (["main"], ["system", "main"])


def function_name(node: exp.Expr) -> str:
    """The lower-case name of a call that sqlglot does not know as a class."""
    this = node.this
    return str(this.this if isinstance(this, exp.Identifier) else this).lower()


def undefined_function(name: str, position: int | None) -> GatewayError:
    """The error for every function that is not on a list: absent and forbidden look alike."""
    if name in functions.POSTGRES_ONLY_FUNCTIONS:
        return FeatureNotSupported(
            f"{name}() is not supported", hint="The engine has no values of its types.", position=position
        )
    return StatementError(
        f"function {name}(...) does not exist" if _NAME.match(name) else "function does not exist",
        sqlstate=SqlState.UNDEFINED_FUNCTION,
        hint="No function matches the given name. You might need to use another one.",
        position=position,
    )


def _allowed_nodes(kind: StatementKind) -> frozenset[str]:
    allowed = nodes.EXPRESSIONS | nodes.STRUCTURE
    if kind in (StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE):
        return allowed | nodes.WRITE_STRUCTURE
    return allowed if kind is StatementKind.SELECT else allowed | nodes.DDL_STRUCTURE


def _is_alter_action(node: exp.Expr) -> bool:
    return isinstance(node, exp.Drop) and isinstance(node.parent, exp.Alter)


def _admit_node(  # noqa: C901, PLR0912 - one arm per kind of node, each one line
    node: exp.Expr, name: str, allowed: frozenset[str], system_functions: Collection[str]
) -> None:
    match node:
        case exp.Anonymous() | exp.AnonymousAggFunc():
            _admit_call(node, function_name(node), system_functions)
        case exp.ObjectIdentifier() | exp.IntervalSpan():
            pass  # a span's words are looked at themselves
        case exp.DataType():
            _admit_type(node)
        case exp.Dot():
            _admit_dot(node)
        case exp.Table():
            _admit_table(node, system_functions)
        case exp.Join():
            _admit_join(node)
        case exp.Var():
            if not _WORDS.match(node.name):
                raise StatementError(f'syntax error at or near "{node.name[:40]}"')
        case exp.Collate():
            _admit_collation(node)
        case exp.Parameter() | exp.Placeholder():
            _admit_parameter(node)
        case exp.Identifier():
            _admit_identifier(node)
        case exp.Operator():
            _admit_operator(node)
        case exp.SetOperation() | exp.CTE() | exp.Alias() | exp.Struct() | exp.Pivot():
            _admit_place(node)
        case exp.Func() if name not in nodes.EXPRESSIONS and name not in nodes.STRUCTURE:
            if name not in functions.FUNCTION_CLASSES and name not in functions.SESSION_CLASSES:
                raise _lacking(node.sql_name().lower()) or undefined_function(
                    node.sql_name().lower(), position_of(node)
                )
        case _ if name not in allowed:
            raise _denied_node(node, name)
        case _:
            pass


def _admit_call(node: exp.Expr, name: str, system_functions: Collection[str]) -> None:
    if name in functions.CLIENT_NAMES or name in functions.SESSION_NAMES or name in system_functions:
        return
    if name in ("current_setting", "set_config"):
        return  # bound to session values, or refused, by `resolve`
    raise _lacking(name) or undefined_function(name, position_of(node))


def _lacking(name: str) -> FeatureNotSupported | None:
    """The error for a function that PostgreSQL has and that has no counterpart here."""
    if name not in functions.LACKING_NAMES:
        return None
    shown = functions.LACKING_NAMES[name]
    return FeatureNotSupported(f"{shown} is not supported", hint="Take documents apart with ->, ->> and #>>.")


def _admit_table(node: exp.Table, system_functions: Collection[str]) -> None:
    source = node.this
    if isinstance(source, exp.Identifier) or (source is None and node.args.get("db") is not None):
        return
    name = type(source).__name__
    if isinstance(source, exp.Anonymous):
        called = function_name(source)
        if called not in functions.TABLE_FUNCTION_NAMES and called not in system_functions:
            raise _lacking(called) or undefined_function(called, position_of(source))
    elif name not in functions.TABLE_FUNCTION_CLASSES:
        called = source.sql_name().lower() if isinstance(source, exp.Func) else "function"
        raise undefined_function(called, position_of(node))
    schema = [
        part.name.lower() for part in (node.args.get("db"), node.args.get("catalog")) if part is not None
    ]
    if schema not in ([], ["pg_catalog"], ["information_schema"]):
        raise undefined_function(name.lower(), position_of(node))


def _admit_dot(node: exp.Dot) -> None:
    """`pg_catalog.f(…)` and field access; `x.f(…)` is a method call or another schema's function."""
    member = node.expression
    if isinstance(member, (exp.Identifier, exp.Star)):
        return
    if isinstance(member, exp.Func) and node.this.name.lower() in ("pg_catalog", "information_schema"):
        return
    if isinstance(node.parent, exp.DataType):
        return
    name = function_name(member) if isinstance(member, exp.Anonymous) else ""
    raise undefined_function(name, position_of(node))


def _admit_join(node: exp.Join) -> None:
    method, kind = str(node.args.get("method") or "").upper(), str(node.args.get("kind") or "").upper()
    if method not in nodes.JOIN_METHODS or kind not in nodes.JOIN_KINDS:
        raise FeatureNotSupported("this kind of join is not supported")


def _admit_type(node: exp.DataType) -> None:
    kind = node.args.get("kind")
    written = kind.name if isinstance(kind, (exp.Dot, exp.Identifier)) else getattr(node.this, "name", "")
    if written.lower() in functions.POSTGRES_ONLY_TYPES:
        raise FeatureNotSupported(
            f"type {written.lower()} is not supported",
            hint="Use text or numbers.",
            position=position_of(node),
        )
    if isinstance(kind, (exp.Dot, exp.Identifier)):
        parts = [part.name.lower() for part in kind.find_all(exp.Identifier)]
        if parts[-1:] and set(parts) - {"pg_catalog"} <= functions.CATALOG_TYPES:
            return
        name = ".".join(parts) if all(_NAME.match(part) for part in parts) else "?"
        raise StatementError(
            f'type "{name}" does not exist', sqlstate=SqlState.UNDEFINED_OBJECT, position=position_of(node)
        )
    spelled = node.this.name if hasattr(node.this, "name") else str(node.this)
    if spelled.upper() not in functions.TYPE_NAMES:
        raise StatementError(
            f'type "{spelled.lower()}" does not exist',
            sqlstate=SqlState.UNDEFINED_OBJECT,
            position=position_of(node),
        )


def _admit_collation(node: exp.Collate) -> None:
    collation = node.expression
    parts = [part.name.lower() for part in collation.find_all(exp.Identifier)] or [collation.name.lower()]
    if parts[-1] not in functions.COLLATIONS and parts[0] not in functions.COLLATIONS:
        raise StatementError("collation does not exist", sqlstate=SqlState.UNDEFINED_OBJECT)


def _admit_parameter(node: exp.Expr) -> None:
    number = node.this
    if isinstance(node, exp.Placeholder) or not isinstance(number, exp.Literal) or not number.name.isdigit():
        raise StatementError("there is no parameter of that name", sqlstate=SqlState.UNDEFINED_PARAMETER)


def _admit_identifier(node: exp.Identifier) -> None:
    if str(node.this).lower().startswith(RESERVED_PREFIX) and not _may_be_reserved(node):
        raise StatementError(
            f'names that begin with "{RESERVED_PREFIX}" are reserved',
            sqlstate=SqlState.RESERVED_NAME,
            position=position_of(node),
        )


def _may_be_reserved(node: exp.Identifier) -> bool:
    """The gateway's own schema is called `pgproxy`, without the underscore.

    A table may be looked up by any name, and none defined by such a one: an engine keeps its macros in
    `pgproxy_functions`.
    """
    table = node.parent
    if not isinstance(table, exp.Table) or table.args.get("alias") is node:
        return False
    target = table.parent.parent if isinstance(table.parent, exp.Schema) else table.parent
    return not isinstance(target, (exp.Create, exp.AlterRename))


def _admit_operator(node: exp.Operator) -> None:
    spelled = str(node.args.get("operator") or "").replace(" ", "").lower()
    if spelled.removeprefix("pg_catalog.") not in functions.NON_TEXT_OPERATORS:
        raise StatementError("operator does not exist", sqlstate=SqlState.UNDEFINED_FUNCTION)


def _admit_target(tree: exp.Expr) -> None:
    """What is written must be a relation: the parser takes whatever stands there."""
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if not isinstance(target, exp.Table):
            raise StatementError("syntax error")


def _admit_place(node: exp.Expr) -> None:
    """What the parser lets stand where no grammar has it: a value as a query, `(1 AS x)`."""
    match node:
        case exp.SetOperation():
            is_wrong = not all(isinstance(side, _QUERIES) for side in (node.this, node.expression))
        case exp.CTE():
            is_wrong = not isinstance(node.this, (*_QUERIES, exp.Insert, exp.Update, exp.Delete))
        case exp.Struct():
            if not node.expressions:
                raise FeatureNotSupported("an empty struct or map is not supported")
            return
        case exp.Pivot():
            _admit_pivot(node)
            return
        case _:
            is_wrong = isinstance(node.parent, (exp.Paren, exp.Cast, exp.Binary))
    if is_wrong:
        raise StatementError("syntax error", position=position_of(node))


def _admit_pivot(node: exp.Pivot) -> None:
    """`PIVOT t ON c` without values is two statements to the engine: the first asks for them."""
    is_statement = node.args.get("this") is not None and not node.args.get("unpivot")
    if is_statement and not all(isinstance(item, exp.In) for item in node.expressions):
        raise FeatureNotSupported(
            "PIVOT without a list of values is not supported", hint="Write ON column IN (…)."
        )


def _admit_parts(node: exp.Expr, name: str) -> None:
    allowed = nodes.ALLOWED_PARTS.get(name)
    if allowed is None:
        return
    for part, value in node.args.items():
        if part in allowed or not value or (part in _OPTIONAL_FLAGS and isinstance(node, exp.Drop)):
            continue
        named = nodes.FEATURE_NAMES.get(part, part.rstrip("_").upper())
        raise FeatureNotSupported(f"{named} is not supported", position=position_of(node))


def _admit_select_list(every: Iterable[exp.Expr]) -> None:
    """`SELECT` without a list is legal in PostgreSQL and not in DuckDB."""
    if not all(node.expressions for node in every if type(node) in _SELECTS):
        raise FeatureNotSupported("an empty select list is not supported")


def _denied_node(node: exp.Expr, name: str) -> GatewayError:
    if name in ("UnicodeString", "National"):
        return FeatureNotSupported("Unicode escapes in literals are not supported")
    if name == "TableSample":
        return FeatureNotSupported("TABLESAMPLE is not supported")
    if name in ("Lock", "Into"):
        return FeatureNotSupported("FOR UPDATE and SELECT INTO are not supported")
    return FeatureNotSupported("the statement has a part that is not supported", position=position_of(node))


def _statement_words(tree: exp.Expr) -> str:
    if isinstance(tree, exp.Command):
        word = str(tree.this).split(maxsplit=1)[0].upper() if tree.this else "statement"
        return word if word.isalpha() else "statement"
    words = {"Column": "utility statement", "Alias": "utility statement"}
    return words.get(type(tree).__name__, type(tree).__name__.upper())


def child_nodes(node: exp.Expr) -> list[exp.Expr]:
    """Every direct child."""
    return list(node.iter_expressions())
