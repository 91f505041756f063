"""Errors of types that PostgreSQL raises and the engine does not, as far as types are known before the run.

A type that is not known is never an error here. PostgreSQL docs, "Type Conversion".
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.build import constant_text
from pgproxy.sql.dialect.places import OperatorError, blame, start_of
from pgproxy.sql.dialect.result_types import output_types
from pgproxy.sql.dialect.spelled_tokens import UNKNOWN_KEY
from pgproxy.sql.dialect.type_names import DOCUMENTS, FLOATS, INTEGERS, TEXTS, sql_name
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_COMPARISONS: dict[type, str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_ARITHMETIC: dict[type, str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}
_PATTERNS: dict[type, str] = {
    exp.Like: "~~",
    exp.ILike: "~~*",
    exp.RegexpLike: "~",
    exp.RegexpILike: "~*",
}
_NUMBER = re.compile(
    r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(nan|inf(inity)?)\s*", re.IGNORECASE
)
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_UUID = re.compile(r"\{?[0-9a-fA-F]{32}\}?")
_MOMENT = re.compile(r"\d|infinity|now|today|tomorrow|yesterday|epoch|allballs")
"""What a constant of a date or timestamp has at least."""
FUNCTION_HINT = (
    "No function matches the given name and argument types. You might need to add explicit type casts."
)
OPERATOR_HINT = (
    "No operator matches the given name and argument types. You might need to add explicit type casts."
)
_NUMERIC_AGGREGATES = (exp.Sum, exp.Avg)


@lru_cache(maxsize=1024)
def category(kind: str | None) -> str | None:
    """Types that compare and combine with each other have one category."""
    if kind is None or kind.endswith("[]"):
        return None
    if kind in (*INTEGERS, *FLOATS, "numeric"):
        return "number"
    if kind in TEXTS:
        return "text"
    if kind in (*DOCUMENTS, "timetz", "record"):
        return None
    return "moment" if kind in ("date", "timestamp", "timestamptz") else kind


def check_types(nodes: Iterable[exp.Expr], types: KnownTypes) -> None:
    """Check every node of a source tree.

    Raises:
        StatementError: 42883, 42804, 42846 or 22P02.
    """
    for node in nodes:
        check = _check_of(type(node))  # type: ignore[arg-type]  # classes hash, whatever instances do
        if check is None:
            continue
        try:
            check(node, types)
        except StatementError as error:
            raise blame(error, node) from None


def _check_binary(node: exp.Binary, types: KnownTypes) -> None:
    if isinstance(node, exp.Connector):
        word = "AND" if isinstance(node, exp.And) else "OR"
        for side in (node.this, node.expression):
            _need_boolean(side, word, types)
    elif isinstance(node, exp.Is):
        if isinstance(node.expression, exp.Boolean):
            _need_boolean(node.this, f"IS {'TRUE' if node.expression.this else 'FALSE'}", types)
        elif node.expression.meta.get(UNKNOWN_KEY):
            _need_boolean(node.this, "IS UNKNOWN", types)
    elif isinstance(node, exp.EQ) and isinstance(node.parent, exp.Update) and node.arg_key == "expressions":
        return  # an assignment
    elif type(node) in _COMPARISONS:
        _check_operands(node.this, node.expression, _COMPARISONS[type(node)], types)
    elif type(node) in _ARITHMETIC:
        _check_arithmetic(node, types)
    elif isinstance(node, exp.DPipe):
        _check_joined(node, types)


def _check_joined(node: exp.DPipe, types: KnownTypes) -> None:
    left, right = types.of(node.this), types.of(node.expression)
    kinds = (category(left), category(right))
    if all(kinds) and "text" not in kinds and "bytea" not in (left, right) and not left == right == "bit":
        raise blame(no_operator(left or "", "||", right or ""), node.this)


def _check_pattern(node: exp.Expr, types: KnownTypes) -> None:
    left, right = types.of(node.this), types.of(node.expression)
    is_wrong = any(category(kind) not in (None, "text") and kind != "bytea" for kind in (left, right))
    if is_wrong and not isinstance(node.expression, (exp.Any, exp.All)):
        raise blame(no_operator(left or "unknown", _PATTERNS[type(node)], right or "unknown"), node.this)


def _check_operands(left: exp.Expr, right: exp.Expr, operator: str, types: KnownTypes) -> None:
    one, other = types.of(left), types.of(right)
    if isinstance(right, (exp.Any, exp.All)) or {one, other} == {"time", "interval"}:
        return
    if category(one) and category(other) and category(one) != category(other):
        raise blame(no_operator(one or "", operator, other or ""), left)
    check_constant(left, other)
    check_constant(right, one)


def check_constant(node: exp.Expr, kind: str | None) -> None:
    """A string constant becomes what stands beside it."""
    text = constant_text(node)
    if text is None or kind is None:
        return
    state = SqlState.INVALID_TEXT_REPRESENTATION
    if category(kind) == "number":
        is_good = (_INTEGER if kind in INTEGERS else _NUMBER).fullmatch(text) is not None
    elif kind == "uuid":
        is_good = _UUID.fullmatch(text.replace("-", "")) is not None
    elif kind == "bool":
        is_good = literals.parse_boolean(text) is not None
    else:
        is_good = category(kind) != "moment" or _MOMENT.search(text.lower()) is not None
        state = SqlState.INVALID_DATETIME_FORMAT
    if not is_good:
        raise StatementError(
            f'invalid input syntax for type {sql_name(kind)}: "{text}"',
            sqlstate=state,
            position=start_of(node),
        )


def _check_arithmetic(node: exp.Binary, types: KnownTypes) -> None:
    left, right = types.of(node.this), types.of(node.expression)
    one, other = category(left), category(right)
    if one and other and ({one, other} & {"text", "bool", "uuid", "bytea"}):
        raise blame(no_operator(left or "", _ARITHMETIC.get(type(node), ""), right or ""), node.this)
    check_constant(node.this, right if other == "number" else None)
    check_constant(node.expression, left if one == "number" else None)


def _check_alternatives(node: exp.Expr, types: KnownTypes) -> None:
    if isinstance(node, exp.In):
        for item in node.expressions:
            _check_operands(node.this, item, "=", types)
        return
    if isinstance(node, exp.Between):
        _check_operands(node.this, node.args["low"], ">=", types)
        _check_operands(node.this, node.args["high"], "<=", types)
        return
    if isinstance(node, exp.Case):
        items = [branch.args["true"] for branch in node.args["ifs"]]
        items[:0] = [node.args["default"]] if node.args.get("default") is not None else []
        if node.this is None:
            for branch in node.args["ifs"]:
                _need_boolean(branch.this, "CASE/WHEN", types)
    else:
        items = [item for item in (node.this, *node.expressions) if isinstance(item, exp.Expr)]
    word = "ARRAY" if isinstance(node, exp.Array) else str(node.key).upper()
    _need_one_type([(item, types.of(item)) for item in items], word)


def _need_one_type(items: list[tuple[exp.Expr, str | None]], word: str) -> None:
    known = [kind for _, kind in items if category(kind)]
    for item, kind in items:
        if category(kind) and category(kind) != category(known[0]):
            raise StatementError(
                f"{word} types {sql_name(known[0] or '')} and {sql_name(kind or '')} cannot be matched",
                sqlstate=SqlState.DATATYPE_MISMATCH,
                position=start_of(item),
            )
    for item, _ in items:
        check_constant(item, known[0] if len(set(known)) == 1 else None)


def _check_condition(node: exp.Expr, types: KnownTypes) -> None:
    condition = node.args.get("on") if isinstance(node, exp.Join) else node.this
    words: dict[type, str] = {exp.Where: "WHERE", exp.Having: "HAVING", exp.Not: "NOT", exp.Join: "JOIN/ON"}
    if isinstance(node, exp.Where):
        _check_no_aggregate(node)
    if isinstance(condition, exp.Expr):
        _need_boolean(condition, words[type(node)], types)


def _check_no_aggregate(where: exp.Where) -> None:
    for found in where.find_all(exp.AggFunc):
        is_own = found.find_ancestor(exp.Where, exp.Query) is where
        if is_own and not isinstance(found.parent, (exp.Window, exp.Filter, exp.WithinGroup)):
            raise StatementError(
                "aggregate functions are not allowed in WHERE",
                sqlstate=SqlState.GROUPING_ERROR,
                position=start_of(found),
            )


def _need_boolean(node: exp.Expr, word: str, types: KnownTypes) -> None:
    kind = types.of(node)
    check_constant(node, "bool")
    if category(kind) and kind != "bool":
        raise StatementError(
            f"argument of {word} must be type boolean, not type {sql_name(kind or '')}",
            sqlstate=SqlState.DATATYPE_MISMATCH,
            position=start_of(node),
        )


def _check_aggregate(node: exp.Expr, types: KnownTypes) -> None:
    kind = types.of(node.this) if isinstance(node.this, exp.Expr) else None
    name = str(node.key)
    if isinstance(node, _NUMERIC_AGGREGATES):
        is_wrong = category(kind) in ("text", "bool", "moment", "uuid", "bytea")
    elif isinstance(node, (exp.Max, exp.Min)):
        is_wrong = kind in ("bool", "uuid", "bytea")
    else:
        name = "string_agg"
        is_wrong = isinstance(node, exp.GroupConcat) and category(kind) not in (None, "text", "bytea")
    _check_not_nested(node)
    if is_wrong:
        raise StatementError(
            f"function {name}({sql_name(kind or '')}) does not exist",
            sqlstate=SqlState.UNDEFINED_FUNCTION,
            position=start_of(node),
            hint=FUNCTION_HINT,
        )


def _check_not_nested(node: exp.Expr) -> None:
    is_wrapped = isinstance(node.parent, (exp.Window, exp.Filter, exp.WithinGroup))
    inner = node.this.find(exp.AggFunc) if isinstance(node.this, exp.Expr) and not is_wrapped else None
    level = (exp.Query, exp.Window)
    if inner is None or isinstance(inner, exp.Grouping):
        return
    if inner.find_ancestor(*level) is not node.find_ancestor(*level):
        return
    raise StatementError(
        "aggregate function calls cannot be nested",
        sqlstate=SqlState.GROUPING_ERROR,
        position=start_of(inner),
    )


def _check_cast(node: exp.Cast, types: KnownTypes) -> None:
    if types.of(node) == "uuid":
        check_constant(node.this, "uuid")
    source, target = types.of(node.this), types.of(node)
    one, other = category(source), category(target)
    if one in (None, "text") or other in (None, "text"):
        return
    if {one, other} == {"number", "bool"}:
        is_wrong = "int4" not in (source, target)
    else:
        is_wrong = one != other and (
            "number" in (one, other) or "bool" in (one, other) or "uuid" in (one, other)
        )
        is_wrong = is_wrong and not {"bytea", "bit"} & {one, other}
    if is_wrong:
        raise StatementError(
            f"cannot cast type {sql_name(source or '')} to {sql_name(target or '')}",
            sqlstate=SqlState.CANNOT_COERCE,
        )


def _check_rounded(node: exp.Expr, types: KnownTypes) -> None:
    """round() and trunc() to some digits are of numerics alone."""
    kind = types.of(node.this)
    if node.args.get("decimals") is not None and kind in FLOATS:
        raise StatementError(
            f"function {node.key}({sql_name(kind or '')}, integer) does not exist",
            sqlstate=SqlState.UNDEFINED_FUNCTION,
            position=start_of(node),
            hint=FUNCTION_HINT,
        )


def _check_set_operation(node: exp.SetOperation, types: KnownTypes) -> None:
    left, right = output_types(node.this, types), output_types(node.expression, types)
    if left is None or right is None or node.args.get("by_name"):
        return
    word = str(node.key).upper()
    if len(left) != len(right):
        raise StatementError(
            f"each {word} query must have the same number of columns",
            sqlstate=SqlState.SYNTAX_ERROR,
            position=start_of(_output(node.expression, 0)),
        )
    for at, (one, other) in enumerate(zip(left, right, strict=True)):
        _need_one_type([(_output(node.this, at), one), (_output(node.expression, at), other)], word)


def _output(query: exp.Expr, at: int) -> exp.Expr:
    is_plain = isinstance(query, exp.Select) and at < len(query.expressions)
    return query.expressions[at].unalias() if is_plain else exp.Null()


def no_operator(left: str, operator: str, right: str) -> OperatorError:
    """42883 for an operator."""
    return OperatorError(
        f"operator does not exist: {sql_name(left)} {operator} {sql_name(right)}",
        sqlstate=SqlState.UNDEFINED_FUNCTION,
        hint=OPERATOR_HINT,
    )


_CHECKS: tuple[tuple[Callable[..., None], tuple[type[exp.Expr], ...]], ...] = (
    (_check_pattern, tuple(_PATTERNS)),
    (_check_binary, (exp.Binary,)),
    (
        _check_alternatives,
        (exp.Case, exp.Coalesce, exp.Greatest, exp.Least, exp.Array, exp.In, exp.Between),
    ),
    (_check_condition, (exp.Where, exp.Having, exp.Not, exp.Join)),
    (_check_aggregate, (exp.AggFunc,)),
    (_check_cast, (exp.Cast,)),
    (_check_rounded, (exp.Round, exp.Trunc)),
    (_check_set_operation, (exp.SetOperation,)),
)
"""What looks at which nodes; the first one does."""


@cache
def _check_of(kind: type[exp.Expr]) -> Callable[..., None] | None:
    """The check of a kind of node; most of every tree has none."""
    return next((check for check, kinds in _CHECKS if issubclass(kind, kinds)), None)
