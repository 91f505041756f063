"""What changes a sequence that is there: ALTER SEQUENCE, setval(), TRUNCATE … RESTART IDENTITY.

The engine's sequences cannot go back or jump, so one is made anew in the place of the other, in the same
transaction, and the defaults that ask it are taken away meanwhile. PostgreSQL docs, "ALTER SEQUENCE",
"Sequence Manipulation Functions"; sequence.c words the errors.
"""

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from pgproxy.catalog.sequences import (
    ALWAYS,
    BY_DEFAULT,
    SERIAL,
    SequenceInfo,
    sequence_comment,
    sequence_of_default,
)
from pgproxy.catalog.snapshot import TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.admit import function_name
from pgproxy.sql.dialect.build import cast, constant_integer
from pgproxy.sql.draft import Draft, engine_name, engine_table, position_of, quoted
from pgproxy.sql.names import find_relation, split_qualified, undefined_table, written_name
from pgproxy.sql.plan import ObjectAccess, PlanContext
from pgproxy.sql.sequence_definitions import check_limits, engine_sequence, limits_of, sequence_mark
from pgproxy.sql.sequence_parsing import SequenceChange
from pgproxy.sql.sequences import CALLS, constant_name, find_sequence, next_value, undefined_sequence
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_NEEDS_RESTART = "Say with RESTART WITH, in the same statement, where it goes on."
_ASK_FIRST = "Ask for the number first, and give it as a constant."


def restarted(info: SequenceInfo, value: int, context: PlanContext) -> tuple[exp.Expr, ...]:
    """The statements after which a sequence, as `info` has it by now, gives `value` next."""
    users = [
        (table.name, column.name)
        for table in context.catalog.tables.values()
        for column in table.columns
        if sequence_of_default(column.default, table.name) == info.name
    ]
    numbers = {
        "increment": info.increment,
        "minvalue": info.minimum,
        "maxvalue": info.maximum,
        "start": value,
    }
    made = engine_sequence(info.name, numbers, is_cycled=info.is_cycled, replaces=True)
    mark = sequence_mark(info.name, sequence_comment(info.owner, info.column, info.start))
    lost = (_altered(table, exp.AlterColumn(this=quoted(column), drop=True)) for table, column in users)
    kept = (
        _altered(table, exp.AlterColumn(this=quoted(column), default=next_value(info.name)))
        for table, column in users
    )
    return (*lost, made, mark, *kept)


def _altered(table: TableName, action: exp.Expr) -> exp.Alter:
    return exp.Alter(this=engine_table(engine_name(table)), kind="TABLE", actions=[action])


def restarted_identities(table: TableInfo, context: PlanContext) -> Iterator[exp.Expr]:
    """What starts the sequences that belong to a table's columns over.

    Raises:
        AccessDenied: 42501, somebody else's.
    """
    for column in table.columns:
        name = sequence_of_default(column.default, table.name)
        info = context.catalog.sequences.get(name) if name is not None else None
        if info is not None and info.column is not None:
            check_sequence_owner(info, context)
            yield from restarted(info, info.start, context)


def check_sequence_owner(info: SequenceInfo, context: PlanContext) -> None:
    """Owners and administrators pass, with a credential that may define there. Raises: 42501."""
    may_write = context.policy.scope.allows(Privilege.CREATE, info.name.catalog)
    if (not context.policy.owns(info.owner) and not context.policy.is_admin) or not may_write:
        raise AccessDenied(f"must be owner of sequence {info.name.name}", rule=DenialRule.TABLE_PRIVILEGE)


def authorise_sequence_change(target: exp.Table, context: PlanContext, *, may_be_missing: bool) -> None:
    """Check ALTER SEQUENCE. Raises: 42P01, 42501."""
    info = find_sequence(written_name(target), context)
    if info is not None:
        check_sequence_owner(info, context)
    elif not may_be_missing:
        raise undefined_sequence(written_name(target))


def altered_sequence(
    info: SequenceInfo, change: SequenceChange, context: PlanContext
) -> tuple[exp.Expr, ...]:
    """The statements of ALTER SEQUENCE.

    Raises:
        StatementError: 22023, 42P01, 42703.
        AccessDenied: 42501, OWNED BY a column of somebody else's.
        FeatureNotSupported: without RESTART, the engine would have to be asked where the sequence is.
    """
    if change.owner is not None:
        info = replace(info, column=_owning_column(info, change.owner, context))
    start = change.start if change.start is not None else info.start
    if change.is_of_the_mark:
        check_limits(info.minimum, info.maximum, start)
        return (sequence_mark(info.name, sequence_comment(info.owner, info.column, start)),)
    if change.restart is None and not change.starts_over:
        raise FeatureNotSupported("ALTER SEQUENCE without RESTART is not supported", hint=_NEEDS_RESTART)
    new = _changed(replace(info, start=start), change)
    check_limits(new.minimum, new.maximum, start)
    value = start if change.restart is None else change.restart
    for limit, word, is_wrong in (
        (new.minimum, "less than MINVALUE", value < new.minimum),
        (new.maximum, "greater than MAXVALUE", value > new.maximum),
    ):
        if is_wrong:
            raise StatementError(
                f"RESTART value ({value}) cannot be {word} ({limit})",
                sqlstate=SqlState.INVALID_PARAMETER_VALUE,
            )
    return restarted(new, value, context)


def _changed(info: SequenceInfo, change: SequenceChange) -> SequenceInfo:
    increment = change.increment if change.increment is not None else info.increment
    lowest, highest = limits_of(change.type_name or _type_name(info), increment)
    keeps_type = change.type_name is None
    minimum, maximum = change.minimum, change.maximum
    if minimum is None:
        minimum = info.minimum if keeps_type and not change.resets_minimum else lowest
    if maximum is None:
        maximum = info.maximum if keeps_type and not change.resets_maximum else highest
    is_cycled = info.is_cycled if change.is_cycled is None else change.is_cycled
    return replace(info, increment=increment, minimum=minimum, maximum=maximum, is_cycled=is_cycled)


def _owning_column(info: SequenceInfo, owner: tuple[str, ...], context: PlanContext) -> str | None:
    """The kind of column that the sequence goes with from now on."""
    if info.column in (ALWAYS, BY_DEFAULT):
        raise FeatureNotSupported("cannot change ownership of identity sequence")
    if not owner:
        return None
    *path, column = owner
    schema, name = path[-2] if len(path) > 1 else None, path[-1] if path else ""
    found = find_relation(context, None, schema, name)
    if found is None:
        raise undefined_table(None, schema, name, None)
    if not isinstance(found.info, TableInfo) or found.info.owner != info.owner:
        raise FeatureNotSupported("a sequence goes with a table of its owner only")
    if found.info.name[:2] != info.name[:2]:
        raise StatementError(
            "sequence must be in same schema as table it is linked to",
            sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
        )
    if column not in {known.name for known in found.info.columns}:
        raise StatementError(
            f'column "{column}" of relation "{name}" does not exist', sqlstate=SqlState.UNDEFINED_COLUMN
        )
    return SERIAL


def _type_name(info: SequenceInfo) -> str:
    return {21: "SMALLINT", 23: "INT"}.get(info.type_oid, "BIGINT")


def set_value(
    info: SequenceInfo, value: int, context: PlanContext, *, is_called: bool
) -> tuple[exp.Expr, ...]:
    """The statements of setval().

    Raises:
        StatementError: 22003, beyond the sequence's limits.
        FeatureNotSupported: the sequence would have no next value.
    """
    if not info.minimum <= value <= info.maximum:
        raise StatementError(
            f'setval: value {value} is out of bounds for sequence "{info.name.name}" '
            f"({info.minimum}..{info.maximum})",
            sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE,
        )
    following = value + info.increment if is_called else value
    if not info.minimum <= following <= info.maximum:
        if not info.is_cycled:
            raise FeatureNotSupported("setval() to a sequence's last value is not supported")
        following = info.minimum if info.increment > 0 else info.maximum
    return restarted(info, following, context)


def sequence_setting(draft: Draft) -> Draft:
    """`SELECT setval(name, number)` as the number, and what sets the sequence; other statements as they are.

    Raises:
        StatementError: 42P01, 22003.
        AccessDenied: 42501.
        FeatureNotSupported: arguments that are not constant.
    """
    if draft.kinds.isdisjoint(CALLS):
        return draft
    tree, context = draft.tree, draft.context
    calls = [call for call in tree.find_all(exp.Anonymous) if function_name(call) == "setval"]
    if not calls:
        return draft
    (call, *others), position = calls, position_of(calls[0])
    whole = call.parent if isinstance(call.parent, exp.Dot) else call
    output = whole.parent if isinstance(whole.parent, exp.Alias) else whole
    is_alone = isinstance(tree, exp.Select) and output.parent is tree and len(tree.expressions) == 1
    sources = any(tree.args.get(part) for part in ("from_", "where", "with_", "having", "limit"))
    if others or not is_alone or sources or len(call.expressions) not in (2, 3):
        raise FeatureNotSupported(
            "setval() is supported alone in a SELECT", hint=_ASK_FIRST, position=position
        )
    name, value, *called = call.expressions
    info = _named_sequence(name, context, position)
    check_sequence_owner(info, context)
    number, is_called = constant_integer(value), called[0] if called else exp.true()
    if number is None or not isinstance(is_called, exp.Boolean):
        raise FeatureNotSupported("setval() needs constants", hint=_ASK_FIRST, position=position)
    following = set_value(info, number, context, is_called=bool(is_called.this))
    whole.replace(cast(exp.Literal.number(number), "BIGINT"))
    access = ObjectAccess(info.name, frozenset({Privilege.USAGE}))
    return replace(draft, following=following, accesses=(*draft.accesses, access))


def _named_sequence(name: exp.Expr, context: PlanContext, position: int | None) -> SequenceInfo:
    """The sequence of a constant name, or of a column by pg_get_serial_sequence()."""
    named = name.expression if isinstance(name, exp.Dot) else name
    if isinstance(named, exp.Anonymous) and function_name(named) == "pg_get_serial_sequence":
        return _serial_sequence([argument.name for argument in named.expressions], context, position)
    text = constant_name(name, position, "setval")
    path = split_qualified(text)
    info = find_sequence(path, context) if path is not None else None
    if info is None:
        raise undefined_sequence(path or (None, None, text), position)
    return info


def _serial_sequence(arguments: list[str], context: PlanContext, position: int | None) -> SequenceInfo:
    path = split_qualified(arguments[0]) if len(arguments) == 2 else None
    found = find_relation(context, *path) if path is not None else None
    if path is None or found is None or not isinstance(found.info, TableInfo):
        raise undefined_table(*(path or (None, None, "")), position)
    for column in found.info.columns:
        sequence = sequence_of_default(column.default, found.name) if column.name == arguments[1] else None
        info = context.catalog.sequences.get(sequence) if sequence is not None else None
        if info is not None and info.column is not None:
            return info
    raise FeatureNotSupported("setval() of a column without a sequence is not supported", position=position)
