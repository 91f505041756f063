"""Functions of one expression: checked when made, put in the place of their calls when planned. Pure.

A call becomes `CAST(body AS result)` with each argument cast to its parameter's type, before anything is
admitted. So the body is admitted, authorised and secured as if its caller had written it: it has no rights of
its own, and the engine never hears of functions. A body holds its parameters and no column, relation,
subquery, aggregate or other stored function; an argument whose value changes must be used exactly once.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from sqlglot import exp

from pgproxy.policy.model import StoredFunction, TableName
from pgproxy.sql import allowed_functions as functions
from pgproxy.sql.admit import admit, function_name
from pgproxy.sql.draft import position_of
from pgproxy.sql.parameters import type_oid
from pgproxy.sql.parse import parse_fragment, too_complex
from pgproxy.sql.plan import PlanContext
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import Oid

_MAX_NODES = 20_000
_NOT_IN_BODIES = (exp.Query, exp.Subquery, exp.Table, exp.Exists, exp.Star)
_CHANGING_CLASSES = (exp.Rand, exp.Randn, exp.Uuid)
_CHANGING_NAMES = frozenset(
    ["random", "gen_random_uuid", "uuid", "nextval", "setval", "set_config", "clock_timestamp", "setseed",
     "timeofday", "statement_timestamp", "pg_cancel_backend", "pg_terminate_backend"]
)  # fmt: skip
_PARAMETER_KEY = "pgproxy_parameter"
"""Key of `meta`: which argument stands here."""


def check_function(function: StoredFunction) -> None:
    """Refuse a function that could not be called.

    Raises:
        StatementError: 42601, 42703, 42P02, 42704, 42883; 42723 for the name of a built-in one.
        FeatureNotSupported: what a body may not hold.
    """
    name = function.name.name
    if not _NAME.fullmatch(name):
        raise FeatureNotSupported("a function's name is made of a-z, 0-9 and _")
    if _is_built_in(name):
        raise StatementError(
            f'function "{name}" already exists with same argument types',
            sqlstate=SqlState.DUPLICATE_FUNCTION,
        )
    names = [parameter for parameter, _ in function.parameters if parameter]
    if len(set(names)) < len(names):
        raise StatementError(
            "a parameter name is used more than once", sqlstate=SqlState.INVALID_FUNCTION_DEFINITION
        )
    used = {node.meta[_PARAMETER_KEY] for node in _template(function).walk() if _PARAMETER_KEY in node.meta}
    if len(used) < len(function.parameters):
        raise FeatureNotSupported("a function's body uses each of its parameters")
    nulls = [exp.Cast(this=exp.null(), to=kind.copy()) for kind in _types(function)]
    tree = exp.select(_expanded(function, nulls), *nulls)
    if any(isinstance(node, (exp.AggFunc, exp.Window)) for node in tree.walk()):
        raise FeatureNotSupported("aggregate and window functions are not supported in a function's body")
    admit(tree, ())


def _is_built_in(name: str) -> bool:
    try:
        tree = parse_fragment(f"SELECT {name}()", "postgres")
    except StatementError:  # a word of the grammar, or one whose arguments the parser knows
        return True
    is_unknown = isinstance(tree, exp.Select) and isinstance(tree.selects[0], exp.Anonymous)
    return not is_unknown or name in _BUILT_IN


_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_BUILT_IN = functions.CLIENT_NAMES | frozenset(functions.SESSION_NAMES) | {"current_setting", "set_config"}


def expand_functions(
    tree: exp.Expr, context: PlanContext, dialect: str
) -> tuple[exp.Expr, tuple[TableName, ...]]:
    """Put bodies in the place of the calls of functions that the caller may execute; others stay unknown.

    Gives the names of those functions, too.

    Raises:
        FeatureNotSupported: inside a view; in a text that only DuckDB's grammar accepts, where `/` means
            something else than in the body; an argument that changes is not used exactly once.
        StatementError: 42809, called as an aggregate or window function; 54001, too much.
    """
    if not context.policy.functions:
        return tree, ()
    size = 0
    called: dict[TableName, None] = {}
    for call in reversed(list(tree.find_all(exp.Anonymous))):
        function = _function_of(call, context)
        if function is None:
            continue
        if isinstance(tree, exp.Create) and str(tree.args.get("kind") or "").upper() == "VIEW":
            raise FeatureNotSupported("a view cannot call a stored function", position=position_of(call))
        if dialect != "postgres":
            raise FeatureNotSupported(
                "stored functions are called in PostgreSQL's grammar", position=position_of(call)
            )
        _check_call(call)
        called[function.name] = None
        place = _whole(call)
        put = _expanded(function, call.expressions)
        size += sum(1 for _ in put.walk())
        if size > _MAX_NODES:
            raise too_complex()
        if isinstance(place.parent, exp.Select) and place.arg_key == "expressions":
            put = exp.alias_(put, function.name.name, quoted=True)
        place.replace(put)
    return tree, tuple(called)


def candidates(parts: Sequence[str], path: Sequence[str], catalog: str) -> Iterator[TableName]:
    """The full names that a function's name may mean, the first first."""
    match len(parts):
        case 1:
            yield from (TableName(catalog, schema, parts[0]) for schema in path)
        case 2:
            yield TableName(catalog, _schema(parts[0]), parts[1])
        case _:
            yield TableName(parts[0], _schema(parts[1]), parts[2])


def _schema(name: str) -> str:
    return "public" if name == "main" else name


def _function_of(call: exp.Anonymous, context: PlanContext) -> StoredFunction | None:
    if isinstance(call.parent, exp.Table):
        return None
    parts = [*_qualifiers(call), function_name(call)]
    if len(parts) == 1 and (parts[0] in _BUILT_IN or parts[0] in context.catalog.system_functions):
        return None
    policy = context.policy
    for name in candidates(parts, context.search_path, context.catalog_name):
        function = policy.functions.get(name)
        if function is not None and policy.may_execute(name):
            return function if len(call.expressions) == len(function.parameters) else None
    return None


def _qualifiers(call: exp.Expr) -> list[str]:
    """The names before the function's: a schema, or a catalog and a schema."""
    dot = call.parent
    if not isinstance(dot, exp.Dot) or dot.expression is not call:
        return []
    names = [dot.this] if isinstance(dot.this, exp.Identifier) else list(dot.this.find_all(exp.Identifier))
    return [_folded(name) for name in names]


def _folded(name: exp.Expr) -> str:
    text = str(name.this)
    return text if name.args.get("quoted") else text.lower()


def _whole(call: exp.Expr) -> exp.Expr:
    """The call with its schema."""
    parent = call.parent
    return parent if isinstance(parent, exp.Dot) and parent.expression is call else call


def _check_call(call: exp.Anonymous) -> None:
    place = _whole(call)
    if isinstance(place.parent, (exp.Window, exp.Filter, exp.WithinGroup)) and place.arg_key == "this":
        raise StatementError(
            "DISTINCT, FILTER and OVER are for aggregate and window functions",
            sqlstate=SqlState.WRONG_OBJECT_TYPE,
            position=position_of(call),
        )
    for argument in call.expressions:
        if isinstance(argument, (exp.Distinct, exp.Kwarg, exp.PropertyEQ, exp.Order, exp.Star)):
            raise FeatureNotSupported(
                "arguments of a stored function are given by position", position=position_of(call)
            )


def _expanded(function: StoredFunction, arguments: Sequence[exp.Expr]) -> exp.Expr:
    template, kinds = _template(function), _types(function)
    found = template.copy()
    places: list[list[exp.Expr]] = [[] for _ in kinds]
    for node in found.walk():
        if _PARAMETER_KEY in node.meta:
            places[int(node.meta[_PARAMETER_KEY])].append(node)
    for argument, kind, marked in zip(arguments, kinds, places, strict=True):
        if len(marked) != 1 and _changes(argument):
            raise FeatureNotSupported(
                "an argument whose value changes from call to call must be used exactly once by the function",
                position=position_of(argument),
            )
        for node in marked:
            node.replace(exp.Cast(this=argument.copy(), to=kind.copy()))
    return found


def _changes(argument: exp.Expr) -> bool:
    return any(
        isinstance(node, _CHANGING_CLASSES)
        or (isinstance(node, exp.Anonymous) and function_name(node) in _CHANGING_NAMES)
        for node in argument.walk()
    )


@lru_cache(maxsize=1024)
def _types(function: StoredFunction) -> tuple[exp.DataType, ...]:
    """The types of the parameters. Raises: 42601."""
    found = []
    for _, text in function.parameters:
        found.append(_cast_of("NULL", text).to)
    return tuple(found)


def type_oids(function: StoredFunction) -> tuple[int, ...]:
    """The OIDs of the parameters' types, and of the result's."""
    kinds = (*_types(function), _cast_of("NULL", function.returns).to)
    return tuple(type_oid(kind) or int(Oid.TEXT) for kind in kinds)


def _cast_of(inner: str, kind: str) -> exp.Cast:
    tree = parse_fragment(f"SELECT CAST({inner} AS {kind})", "postgres")
    casts = tree.selects if isinstance(tree, exp.Select) else []
    if len(casts) != 1 or type(casts[0]) is not exp.Cast or set(_given(tree)) != {"expressions"}:
        raise StatementError("a function's types and body are one type and one expression")
    return casts[0]


def _given(node: exp.Expr) -> Iterator[str]:
    return (part for part, value in node.args.items() if value)


@lru_cache(maxsize=1024)
def _template(function: StoredFunction) -> exp.Expr:
    """The body as a cast to the result, with a mark where each argument goes; positions are nobody's."""
    found: exp.Expr = _cast_of(f"({function.body}\n)", function.returns).copy()
    names = {parameter: index for index, (parameter, _) in enumerate(function.parameters) if parameter}
    for node in list(found.walk()):
        if isinstance(node, _NOT_IN_BODIES):
            raise FeatureNotSupported("a function's body is one expression over its arguments, no query")
        if isinstance(node, exp.Column):
            _mark(node, _index_of(node, function, names))
        elif isinstance(node, (exp.Parameter, exp.Placeholder)):
            _mark(node, _numbered(node, function))
    if function.is_strict and function.parameters:
        found = _only_without_nulls(found, function)
    for node in found.walk():
        for key in ("start", "end", "line", "col"):
            node.meta.pop(key, None)
    return found


def _only_without_nulls(body: exp.Expr, function: StoredFunction) -> exp.Expr:
    """STRICT: NULL where an argument is."""
    tests: list[exp.Expr] = []
    for index in range(len(function.parameters)):
        mark: exp.Expr = exp.null()
        _mark(mark, index)
        tests.append(exp.Is(this=mark, expression=exp.null()))
    kind = body.args["to"].copy()
    case = exp.Case(
        ifs=[exp.If(this=exp.or_(*tests, copy=False), true=exp.Cast(this=exp.null(), to=kind))], default=body
    )
    return exp.Paren(this=case)


def _mark(node: exp.Expr, index: int) -> None:
    node.meta[_PARAMETER_KEY] = index


def _index_of(node: exp.Column, function: StoredFunction, names: dict[str, int]) -> int:
    name = _folded(node.this) if isinstance(node.this, exp.Identifier) else ""
    is_own = not node.table or (node.table == function.name.name and not node.args.get("db"))
    if not is_own or name not in names:
        raise StatementError(
            f'column "{name}" does not exist', sqlstate=SqlState.UNDEFINED_COLUMN,
            hint="A function's body speaks of its parameters only.",
        )  # fmt: skip
    return names[name]


def _numbered(node: exp.Expr, function: StoredFunction) -> int:
    number = node.this.name if isinstance(node.this, exp.Literal) else ""
    if not number.isdigit() or not 0 < int(number) <= len(function.parameters):
        raise StatementError("there is no parameter of that number", sqlstate=SqlState.UNDEFINED_PARAMETER)
    return int(number) - 1
