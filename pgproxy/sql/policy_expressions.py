"""Row filters and masks: stored text to an expression over raw columns that nothing around it can bend.

Every column is qualified with the relation's reserved alias, so no lateral neighbour captures it; every
function is
qualified with `system.main`, so no macro shadows it; text compares under the binary collation, so no
setting widens a
filter. What the session decides is a bound value. Text that does not parse, or says more than it may, denies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.effective import TablePolicy
from pgproxy.policy.model import PolicyCommand, RowFilter, TableName
from pgproxy.sql import allowed_functions as functions
from pgproxy.sql.admit import admit, function_name
from pgproxy.sql.allowed_functions import SESSION_CLASSES, SESSION_NAMES
from pgproxy.sql.dialect.build import cast
from pgproxy.sql.draft import (
    RAISES_KEY,
    RESERVED_PREFIX,
    BoundValues,
    RelationUse,
    engine_name,
    engine_table,
    quoted,
)
from pgproxy.sql.parse import parse_fragment
from pgproxy.sql.plan import BoundValue, PlanContext
from pgproxy.sql.policy_subqueries import has_subquery, is_inner_column, resolve_subqueries, text_columns
from pgproxy.sql.tokens import engine_tokens
from pgproxy.sql.translation import translate_fragment
from pgwire.errors import FeatureNotSupported, GatewayError, InternalError
from pgwire.sqlstate import SqlState

RAW: Mapping[str, exp.Expr] = MappingProxyType({})
"""Stands in a PolicyScope for the stored columns under BASE_ALIAS."""

BASE_ALIAS = f"{RESERVED_PREFIX}base"
ATTRIBUTE_SETTING = "pgproxy.attr."

_GRAMMAR = frozenset(
    [
        "cast",
        "try_cast",
        "coalesce",
        "extract",
        "position",
        "overlay",
        "interval",
        "case",
        "when",
        "in",
        "not",
        "and",
        "or",
        "exists",
        "row",
        "array",
        "struct",
        "map",
        "if",
        "any",
        "all",
        "some",
        "list",
        "grouping",
        "values",
        "date",
        "time",
        "timestamp",
        "json",
        "filter",
        "unnest",
    ]
)
"""Words before a parenthesis that are DuckDB's grammar, not names of functions."""

_TEXT_TYPES = ("VARCHAR", "TEXT", "CHAR", "BPCHAR", "STRING")
_COMPARISONS = (
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.In,
    exp.Between,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """What a policy expression may speak of. columns: what each column name (lower case) stands for.

    secure_subqueries: puts what the principal may see in the place of the relations of subqueries; None where
    the engine allows no subquery.
    """

    context: PlanContext
    table: TableInfo
    bound: BoundValues
    columns: Mapping[str, exp.Expr]
    secure_subqueries: Callable[[exp.Expr, Sequence[RelationUse]], None] | None = None


def raw_columns(table: TableInfo) -> dict[str, exp.Expr]:
    """The stored columns under the reserved alias, by lower-case name."""
    return {
        column.name.lower(): exp.column(quoted(column.name), table=quoted(BASE_ALIAS))
        for column in table.columns
    }


def filter_predicate(
    policy: TablePolicy, scope: PolicyScope, commands: Sequence[PolicyCommand] = (PolicyCommand.SELECT,)
) -> exp.Expr | None:
    """Permissive filters OR together, restrictive ones AND; without a permissive one: none. None: all rows.

    commands: a statement that changes rows which it also reads sees those that each of both lets it see.
    """
    if not policy.is_filtered:
        return None
    predicates = [_combined(rules, scope) for rules in _distinct_rules(policy, commands)]
    return predicates[0] if len(predicates) == 1 else exp.and_(*predicates, copy=False)


def asks_relations(policy: TablePolicy) -> bool:
    """Whether a row filter has a subquery."""
    try:
        return any(has_subquery(_parsed(rule.using)) for rule in (*policy.permissive, *policy.restrictive))
    except GatewayError:
        return True  # what cannot be applied denies, when it is bound


def check_predicate(
    policy: TablePolicy, scope: PolicyScope, command: PolicyCommand, *, reads: bool
) -> exp.Expr:
    """What a row written must fulfil: each filter's check, or its `using` where it has none, combined alike.

    reads: the statement reads columns of its target, so that it needs SELECT: the new row must then be one
    that its writer may see, too. PostgreSQL docs, "CREATE POLICY", "Policies Applied by Command Type".
    """
    written = _rules(policy, command)
    checks = _combined(written, scope, lambda rule: rule.using if rule.check is None else rule.check)
    seen = _rules(policy, PolicyCommand.SELECT)
    if not reads or (seen == written and all(rule.check is None for rule in written)):
        return checks
    return exp.and_(checks, _combined(seen, scope), copy=False)


def _rules(policy: TablePolicy, command: PolicyCommand) -> tuple[RowFilter, ...]:
    return tuple(rule for rule in (*policy.permissive, *policy.restrictive) if rule.holds_for(command))


def _distinct_rules(policy: TablePolicy, commands: Sequence[PolicyCommand]) -> list[tuple[RowFilter, ...]]:
    return list(dict.fromkeys(_rules(policy, command) for command in commands))


def _combined(
    rules: Sequence[RowFilter], scope: PolicyScope, text: Callable[[RowFilter], str] = lambda rule: rule.using
) -> exp.Expr:
    permissive = [bind_policy(text(rule), scope) for rule in rules if not rule.is_restrictive]
    if not permissive:
        return exp.false()
    restrictive = [bind_policy(text(rule), scope) for rule in rules if rule.is_restrictive]
    allowed = exp.or_(*(exp.paren(item, copy=False) for item in permissive), copy=False)
    return exp.and_(
        exp.paren(allowed, copy=False), *(exp.paren(item, copy=False) for item in restrictive), copy=False
    )


def mask_expression(text: str, engine_type: str, scope: PolicyScope) -> exp.Expr:
    """The masked value, in the column's own type, so that a mask changes no plan's types."""
    return cast(bind_policy(text, scope), engine_type)


def bind_policy(text: str, scope: PolicyScope) -> exp.Expr:
    """Bind one stored expression.

    Raises:
        InternalError: XX000: the stored text cannot be applied; the statement is denied.
        AccessDenied: 42501, its subqueries read what the principal may not.
    """
    try:
        if scope.columns is RAW and _is_of_row_alone(text):
            return _finished(*_row_expression(text, scope.table.name, scope.table.columns))
        root: exp.Expr = exp.Paren(this=_parsed(text).copy())
        uses = resolve_subqueries(root, scope.table, scope.context) if has_subquery(root) else ()
        root = exp.Paren(this=translate_fragment(root.this, scope.table, uses))
        _check_shape(root)
        _bind_session(root, scope)
        _bind_columns(root, scope.table, scope.columns or raw_columns(scope.table), uses)
        _pin_collation(root, scope.table, uses)
    except InternalError:
        raise
    except GatewayError:
        raise broken_policy(scope.table.name) from None
    if uses:
        if scope.secure_subqueries is None:
            raise FeatureNotSupported("a mask with a subquery cannot be applied in RETURNING")
        scope.secure_subqueries(root, uses)
    return _finished(*_qualified(root))


@lru_cache(maxsize=4096)
def _is_of_row_alone(text: str) -> bool:
    """Whether an expression asks neither the session nor another relation: it then binds once for all."""
    parsed = exp.Paren(this=_parsed(text).copy())
    return not has_subquery(parsed) and not any(_is_of_session(node) for node in parsed.walk())


def _is_of_session(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        called = function_name(node)
        return called in ("is_member", "current_setting") or called in SESSION_NAMES
    is_word = isinstance(node, exp.Column) and node.name.lower() in functions.BARE_SESSION_WORDS
    return is_word or type(node).__name__ in SESSION_CLASSES


@lru_cache(maxsize=4096)
def _row_expression(text: str, name: TableName, columns: tuple[ColumnInfo, ...]) -> tuple[str, bool]:
    table = TableInfo(name, RelationKind.TABLE, columns)
    root: exp.Expr = exp.Paren(this=translate_fragment(_parsed(text).copy(), table))
    _check_shape(root)
    _bind_columns(root, table, raw_columns(table), ())
    _pin_collation(root, table, ())
    return _qualified(root)


def broken_policy(table: TableName) -> InternalError:
    """A policy that cannot be applied lets nobody through."""
    return InternalError(
        f"the policy of table {table.name} cannot be applied",
        sqlstate=SqlState.INTERNAL_ERROR,
        hint="An administrator must correct the row filter or mask.",
    )


@lru_cache(maxsize=4096)
def _parsed(text: str) -> exp.Expr:
    """Parsed once per text; callers copy. The text comes from the control plane, never from a statement."""
    select = parse_fragment(f"SELECT {text}", "postgres")
    if (
        not isinstance(select, exp.Select)
        or len(select.expressions) != 1
        or select.args.get("from_") is not None
    ):
        raise broken_policy(TableName("", "", "?"))
    admit(select, ("is_member",))
    parsed: exp.Expr = select.expressions[0].unalias()
    return parsed


def _check_shape(root: exp.Expr) -> None:
    forbidden = (exp.Parameter, exp.Star, exp.Window, exp.Columns, exp.AggFunc, exp.Table)
    for node in root.walk(prune=lambda node: isinstance(node, exp.Query)):
        if isinstance(node, forbidden):
            raise broken_policy(TableName("", "", "?"))


def _bind_session(root: exp.Expr, scope: PolicyScope) -> None:
    for node in list(root.walk(bfs=False)):
        value = _session_expression(node, scope)
        if value is not None:
            node.replace(value)


def _session_expression(node: exp.Expr, scope: PolicyScope) -> exp.Expr | None:
    policy = scope.context.policy
    name = SESSION_CLASSES.get(type(node).__name__)
    if isinstance(node, exp.Anonymous):
        called = function_name(node)
        if called == "is_member":
            return exp.Boolean(this=_constant_text(node) in policy.groups)
        if called == "current_setting":
            return _attribute(_constant_text(node), scope)
        name = SESSION_NAMES.get(called)
    elif isinstance(node, exp.Column) and not node.table and not node.this.args.get("quoted"):
        word = node.name.lower()
        name = SESSION_NAMES.get(word) if word in functions.BARE_SESSION_WORDS else None
    if name is None:
        return None
    held = {"current_user": policy.principal, "session_user": scope.context.session_user}.get(name)
    if held is None:
        raise broken_policy(scope.table.name)
    return scope.bound.place(BoundValue(25, held), "VARCHAR")


def _constant_text(node: exp.Anonymous) -> str:
    if not node.expressions or not isinstance(node.expressions[0], exp.Literal):
        raise broken_policy(TableName("", "", "?"))
    return str(node.expressions[0].name)


def _attribute(setting: str, scope: PolicyScope) -> exp.Expr:
    """An attribute that the principal does not have is NULL: the comparison then lets nothing through."""
    if not setting.lower().startswith(ATTRIBUTE_SETTING):
        raise broken_policy(scope.table.name)
    name = setting[len(ATTRIBUTE_SETTING) :]
    return scope.bound.place(BoundValue(25, scope.context.policy.attributes.get(name)), "VARCHAR")


def _bind_columns(
    root: exp.Expr, table: TableInfo, columns: Mapping[str, exp.Expr], uses: Sequence[RelationUse]
) -> None:
    local = {name.name.lower() for lambda_ in root.find_all(exp.Lambda) for name in lambda_.expressions}
    for column in list(root.find_all(exp.Column)):
        name = column.name.lower()
        if name in local and not column.table:
            continue
        if uses and is_inner_column(column, uses, frozenset(columns)):
            continue
        parts = [part.name.lower() for part in column.parts]
        # `t.c` or `c`; anything longer is refused, a policy knows one table only.
        target = columns.get(name)
        if target is None or len(parts) > 2 or (len(parts) == 2 and parts[0] != table.name.name.lower()):
            raise broken_policy(table.name)
        column.replace(target.copy())


def _pin_collation(root: exp.Expr, table: TableInfo, uses: Sequence[RelationUse]) -> None:
    """`region = 'EU'` would match `eu` under another default collation.

    An explicit binary one cannot be overridden.
    """
    texts = {
        column.name.lower()
        for column in table.columns
        if column.engine_type.upper().partition("(")[0] in _TEXT_TYPES
    } | set(text_columns(uses, _TEXT_TYPES))
    for comparison in list(root.find_all(*_COMPARISONS)):
        for key in ("this", "expression"):
            operand = comparison.args.get(key)
            if isinstance(operand, exp.Expr) and _is_text(operand, texts):
                collated = exp.Collate(
                    this=exp.paren(operand.copy(), copy=False), expression=quoted("binary")
                )
                comparison.set(key, exp.paren(collated, copy=False))


def _is_text(operand: exp.Expr, texts: set[str]) -> bool:
    if isinstance(operand, exp.Column):
        return operand.name.lower() in texts
    if isinstance(operand, exp.Cast):
        return operand.to.this in exp.DataType.TEXT_TYPES
    if isinstance(operand, (exp.Paren, exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Coalesce)):
        return isinstance(operand.this, exp.Expr) and _is_text(operand.this, texts)
    return isinstance(operand, (exp.DPipe, exp.Concat, exp.SplitPart, exp.Left, exp.Right))


def _qualified(root: exp.Expr) -> tuple[str, bool]:
    """The expression as finished text in which every function call reads `"system"."main".f(…)`.

    Operators that DuckDB resolves as functions become such calls too. Also gives whether it calls `error`.
    """
    for node in reversed(list(root.walk(bfs=False))):  # innermost first: an outer call copies its arguments
        call = _operator_call(node)
        if call is not None:
            node.replace(call)
    text = root.sql(dialect="duckdb", identify=True, comments=False)
    raises = any(function_name(call) == "error" for call in root.find_all(exp.Anonymous))
    return _qualify_calls(text), raises


def _finished(text: str, raises: bool) -> exp.Expr:
    """Finished text as one opaque node, which no later stage translates again."""
    finished = exp.Var(this=text)
    finished.meta[RAISES_KEY] = raises
    return finished


def _operator_call(node: exp.Expr) -> exp.Expr | None:
    match node:
        case exp.DPipe():
            return system_call("||", [node.this, node.expression])
        case exp.Escape() if isinstance(node.this, (exp.Like, exp.ILike)):
            name = "like_escape" if isinstance(node.this, exp.Like) else "ilike_escape"
            return system_call(name, [node.this.this, node.this.expression, node.expression])
        case exp.Like() | exp.ILike() if not isinstance(node.parent, exp.Escape):
            return system_call("~~" if isinstance(node, exp.Like) else "~~*", [node.this, node.expression])
        case exp.Extract():
            return system_call("date_part", [exp.Literal.string(node.this.name.lower()), node.expression])
        case _:
            return None


def _qualify_calls(text: str) -> str:
    tokens = engine_tokens(text)
    pieces, done = [], 0
    for before, token, following in zip([None, *tokens], tokens, tokens[1:], strict=False):
        is_call = following.token_type is TokenType.L_PAREN and token.text.lower() in functions.POLICY_NAMES
        if not token.text[:1].isalpha():
            continue  # an operator before a parenthesis, as in `a - (b)`, is no call
        is_qualified = before is not None and before.token_type is TokenType.DOT
        is_name = token.token_type is not TokenType.STRING and text[token.start] != '"'
        if is_call and is_name and not is_qualified and token.text.lower() not in _GRAMMAR:
            pieces += [text[done : token.start], '"system"."main".']
            done = token.start
    return "".join([*pieces, text[done:]])


def system_call(name: str, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """A call of one of DuckDB's own functions that no macro can shadow."""
    call = exp.Anonymous(this=quoted(name), expressions=[argument.copy() for argument in arguments])
    return exp.Dot.build([quoted("system"), quoted("main"), call])


def secured_source(table: TableInfo) -> exp.Table:
    """The raw relation under the reserved alias."""
    return engine_table(engine_name(table.name), BASE_ALIAS)
