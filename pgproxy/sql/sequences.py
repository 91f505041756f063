"""Who may ask a sequence for its next value, and what a statement's call becomes.

How sequences are made: `pgproxy.sql.sequence_definitions`. PostgreSQL docs, "Sequence Manipulation
Functions".
"""

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from pgproxy.catalog.sequences import SequenceInfo, sequence_of_default, sequence_text
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import TablePolicy
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.admit import function_name
from pgproxy.sql.allowed_functions import SEQUENCE_FUNCTIONS
from pgproxy.sql.draft import Draft, engine_name, position_of
from pgproxy.sql.names import split_qualified
from pgproxy.sql.node_kinds import classes_below
from pgproxy.sql.plan import ObjectAccess, PlanContext
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

Named = tuple[str | None, str | None, str]
"""A name as it is written: (catalog, schema, name)."""

CALLS = classes_below(exp.Anonymous)
_ASK_RETURNING = "Use INSERT … RETURNING, or nextval()."


def next_value(name: TableName) -> exp.Anonymous:
    """The engine's call."""
    return exp.Anonymous(this="nextval", expressions=[exp.Literal.string(sequence_text(engine_name(name)))])


def find_sequence(named: Named, context: PlanContext) -> SequenceInfo | None:
    """The sequence that a name means, if the principal may know of it; None: there is none for it."""
    catalog, schema, name = named
    for candidate in (schema,) if schema is not None else context.search_path:
        spelled = "public" if candidate == "main" else candidate
        found = context.catalog.sequences.get(TableName(catalog or context.catalog_name, spelled, name))
        if found is not None and _is_known(found, context):
            return found
    return None


def _is_known(info: SequenceInfo, context: PlanContext) -> bool:
    """Whoever may use it or its schema, or sees a column that takes its values from it, may know of it."""
    policy = context.policy
    if policy.schema_allows(Privilege.USAGE, *info.name[:2]) or policy.may_use_sequence(
        info.name, info.owner
    ):
        return True
    return info.column is not None and any(
        _sees(policy.table(table.name, table.owner), column.name)
        for table in context.catalog.tables.values()
        for column in table.columns
        if sequence_of_default(column.default, table.name) == info.name
    )


def _sees(table: TablePolicy, column: str) -> bool:
    return bool(table.privileges) or bool(table.column_privileges.get(column))


def undefined_sequence(named: Named, position: int | None = None, word: str = "relation") -> StatementError:
    """The same for what is hidden."""
    shown = ".".join(part for part in named if part is not None)
    return StatementError(
        f'{word} "{shown}" does not exist', sqlstate=SqlState.UNDEFINED_TABLE, position=position
    )


def secure_calls(draft: Draft) -> Draft:
    """Replace the calls of a statement by the engine's, and record which sequences are asked.

    Raises:
        StatementError: 42P01, absent or hidden.
        AccessDenied: 42501, no USAGE.
        FeatureNotSupported: what the engine's sequences cannot do.
    """
    if draft.kinds.isdisjoint(CALLS):
        return draft
    asked: list[SequenceInfo] = []
    for call in list(draft.tree.find_all(exp.Anonymous)):
        if function_name(call) not in SEQUENCE_FUNCTIONS:
            continue
        info = _asked(call, draft.context)
        asked.append(info)
        whole = call.parent if isinstance(call.parent, exp.Dot) else call
        whole.replace(next_value(info.name))
    usage = frozenset({Privilege.USAGE})
    accesses = tuple(ObjectAccess(info.name, usage) for info in asked)
    return replace(draft, accesses=(*draft.accesses, *accesses)) if accesses else draft


def asks_sequences(accesses: Iterable[ObjectAccess]) -> bool:
    """Whether a statement takes values from a sequence: it writes, whatever else it does."""
    return any(Privilege.USAGE in access.privileges for access in accesses)


def _asked(call: exp.Anonymous, context: PlanContext) -> SequenceInfo:
    name, position = function_name(call), position_of(call)
    if name != "nextval":
        raise FeatureNotSupported(f"{name}() is not supported", hint=_ASK_RETURNING, position=position)
    if len(call.expressions) != 1 or not _is_whole_value(call):
        raise FeatureNotSupported(
            "nextval() is supported as a value of its own only", hint="Give it a column.", position=position
        )
    text = constant_name(call.expressions[0], position, name)
    named = split_qualified(text)
    info = find_sequence(named, context) if named is not None else None
    if info is None:
        raise undefined_sequence(named or (None, None, text), position)
    if not context.policy.may_use_sequence(info.name, info.owner):
        raise AccessDenied(
            f"permission denied for sequence {info.name.name}", rule=DenialRule.TABLE_PRIVILEGE
        )
    return info


def constant_name(value: exp.Expr, position: int | None, function: str) -> str:
    """The name of a sequence that a function is asked about. Raises: 0A000."""
    held = value.this if isinstance(value, exp.Cast) else value
    if not isinstance(held, exp.Literal) or not held.is_string:
        raise FeatureNotSupported(f"{function}() needs a constant name", position=position)
    return held.name


def _is_whole_value(call: exp.Expr) -> bool:
    """Whether the value is stored or given as it is: rules of the dialect may write an operand twice."""
    node = call
    while isinstance(node.parent, (exp.Dot, exp.Cast, exp.Alias, exp.Paren)):
        node = node.parent
    outer = node.parent
    if isinstance(outer, exp.Select):
        return node.arg_key == "expressions" and not outer.args.get("distinct")
    if isinstance(outer, exp.Tuple):
        return isinstance(outer.parent, exp.Values)
    is_set = (
        isinstance(outer, exp.EQ) and isinstance(outer.parent, exp.Update) and node.arg_key == "expression"
    )
    is_default = isinstance(outer, exp.AlterColumn) and node.arg_key == "default"
    return is_set or is_default or isinstance(outer, exp.DefaultColumnConstraint)
