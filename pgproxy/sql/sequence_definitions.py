"""Definitions of sequences, and of the columns that are made with one: serial, GENERATED … AS IDENTITY.

The engine has sequences, and defaults that ask for the next value; what belongs together is told in comments
(`pgproxy.catalog.sequences`). PostgreSQL docs, "CREATE SEQUENCE", "Serial Types".
"""

from collections.abc import Collection, Mapping

from sqlglot import exp

from pgproxy.catalog.sequences import (
    ALWAYS,
    BY_DEFAULT,
    SERIAL,
    SequenceInfo,
    sequence_comment,
    sequence_of_default,
)
from pgproxy.catalog.snapshot import TEMP_CATALOG, TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.draft import engine_name, engine_table, quoted
from pgproxy.sql.names import written_name
from pgproxy.sql.plan import PlanContext, PlanNotice
from pgproxy.sql.sequences import find_sequence, next_value, undefined_sequence
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

SEQUENCE_KEY = "pgproxy_sequence"
"""Key of a column definition's `meta`: the kind of column that gets a sequence, and its options."""
_SERIALS = {
    "SERIAL": "INT", "BIGSERIAL": "BIGINT", "SMALLSERIAL": "SMALLINT",
    "SERIAL4": "INT", "SERIAL8": "BIGINT", "SERIAL2": "SMALLINT",
}  # fmt: skip
_LIMITS = {"SMALLINT": 2**15 - 1, "INT": 2**31 - 1, "BIGINT": 2**63 - 1}
_NUMBERS = ("increment", "minvalue", "maxvalue", "start")


def plain_serials(tree: exp.Expr) -> None:
    """Write serial and identity columns as what they are: integers, NOT NULL, marked with a sequence."""
    if isinstance(tree, exp.Alter) and any(_spelled(c) in _SERIALS for c in tree.find_all(exp.ColumnDef)):
        raise FeatureNotSupported(
            "adding a serial column to a table is not supported", hint="Make it with the table."
        )
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        return
    for column in tree.this.expressions:
        if isinstance(column, exp.ColumnDef) and isinstance(column.args.get("kind"), exp.DataType):
            _mark(column)


def _spelled(column: exp.ColumnDef) -> str:
    """The name of a column's type, in capitals."""
    kind = column.args.get("kind")
    if not isinstance(kind, exp.DataType):
        return ""
    named = kind.args.get("kind")
    return (named.name if isinstance(named, exp.Identifier) else str(kind.this.name)).upper()


def _mark(column: exp.ColumnDef) -> None:
    spelled = _spelled(column)
    constraints = list(column.args.get("constraints") or ())
    identity = next(
        (c for c in constraints if isinstance(c.args.get("kind"), exp.GeneratedAsIdentityColumnConstraint)),
        None,
    )
    if spelled in _SERIALS:
        column.set("kind", exp.DataType.build(_SERIALS[spelled]))
        column.meta[SEQUENCE_KEY] = (SERIAL, {})
    elif identity is not None and identity.args["kind"].args.get("expression") is None:
        if spelled not in _LIMITS:
            raise StatementError(
                "identity column type must be smallint, integer, or bigint",
                sqlstate=SqlState.INVALID_PARAMETER_VALUE,
            )
        constraints.remove(identity)
        generated = identity.args["kind"]
        options = {name: generated.args.get(name) for name in (*_NUMBERS, "cycle")}
        column.meta[SEQUENCE_KEY] = (ALWAYS if generated.this else BY_DEFAULT, options)
    else:
        return
    if not any(isinstance(c.args.get("kind"), exp.NotNullColumnConstraint) for c in constraints):
        constraints.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    column.set("constraints", constraints)


def has_sequences(tree: exp.Expr) -> bool:
    """Whether a table is made with columns that get a sequence."""
    return any(SEQUENCE_KEY in column.meta for column in tree.find_all(exp.ColumnDef))


def column_sequences(tree: exp.Create, table: TableName, context: PlanContext) -> tuple[exp.Expr, ...]:
    """What makes the sequences of a new table's columns, once the table is there."""
    following: list[exp.Expr] = []
    for column in tree.find_all(exp.ColumnDef):
        if SEQUENCE_KEY not in column.meta:
            continue
        kind, options = column.meta[SEQUENCE_KEY]
        name = _free_name(table, column.this.name, context)
        numbers = {key: options[key] for key in _NUMBERS if options.get(key) is not None}
        type_name = str(column.args["kind"].this.name).upper()
        following.append(_creation(name, numbers, type_name, is_cycled=bool(options.get("cycle"))))
        following.append(sequence_mark(name, sequence_comment(_owner(context), kind)))
        default = exp.AlterColumn(this=quoted(column.this.name), default=next_value(name))
        following.append(exp.Alter(this=engine_table(engine_name(table)), kind="TABLE", actions=[default]))
    return tuple(following)


def _owner(context: PlanContext) -> str | None:
    return None if context.policy.is_admin else context.session_user


def _free_name(table: TableName, column: str, context: PlanContext) -> TableName:
    """`table_column_seq`, or the first with a number behind it that nothing is called by."""
    taken = {
        name[2].lower()
        for name in (*context.catalog.tables, *context.catalog.sequences)
        if name[:2] == table[:2]
    }
    base = f"{table.name[:29]}_{column[:28]}"
    number = 0
    while (name := f"{base}_seq{number or ''}").lower() in taken:
        number += 1
    return TableName(table.catalog, table.schema, name)


def _creation(
    name: TableName, numbers: dict[str, exp.Expr], type_name: str, *, is_cycled: bool
) -> exp.Create:
    """CREATE SEQUENCE with its limits, which say its type."""
    values = {key: _number(value) for key, value in numbers.items()}
    increment = values.get("increment", 1)
    lowest, highest = limits_of(type_name, increment)
    lowest, highest = values.get("minvalue", lowest), values.get("maxvalue", highest)
    start = values.get("start", lowest if increment > 0 else highest)
    check_limits(lowest, highest, start)
    told = {"increment": increment, "minvalue": lowest, "maxvalue": highest, "start": start}
    return engine_sequence(name, told, is_cycled=is_cycled)


def engine_sequence(
    name: TableName, numbers: Mapping[str, int], *, is_cycled: bool, replaces: bool = False
) -> exp.Create:
    """CREATE SEQUENCE in the engine's form. numbers: increment, minvalue, maxvalue and start."""
    given = exp.SequenceProperties(
        **{key: exp.Literal.number(value) for key, value in numbers.items()},
        options=[exp.var("CYCLE")] if is_cycled else None,
    )
    properties: list[exp.Expr] = [given]
    if name.catalog == TEMP_CATALOG:
        properties.insert(0, exp.TemporaryProperty())
    return exp.Create(
        this=engine_table(engine_name(name)),
        kind="SEQUENCE",
        replace=replaces or None,
        properties=exp.Properties(expressions=properties),
    )


def limits_of(type_name: str, increment: int) -> tuple[int, int]:
    """The least and the greatest value of a sequence of this type that says none. Raises: 22023."""
    if increment == 0:
        raise StatementError("INCREMENT must not be zero", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    if type_name not in _LIMITS:
        raise StatementError(
            "sequence type must be smallint, integer, or bigint", sqlstate=SqlState.INVALID_PARAMETER_VALUE
        )
    limit = _LIMITS[type_name]
    return (1, limit) if increment > 0 else (-limit - 1, -1)


def check_limits(lowest: int, highest: int, start: int) -> None:
    """In PostgreSQL's words. Raises: 22023."""
    problem = None
    if lowest >= highest:
        problem = f"MINVALUE ({lowest}) must be less than MAXVALUE ({highest})"
    elif start < lowest:
        problem = f"START value ({start}) cannot be less than MINVALUE ({lowest})"
    elif start > highest:
        problem = f"START value ({start}) cannot be greater than MAXVALUE ({highest})"
    if problem is not None:
        raise StatementError(problem, sqlstate=SqlState.INVALID_PARAMETER_VALUE)


def _number(value: exp.Expr) -> int:
    sign, held = (-1, value.this) if isinstance(value, exp.Neg) else (1, value)
    if not isinstance(held, exp.Literal) or held.is_string or not held.name.isdigit():
        raise StatementError("an integer is expected", sqlstate=SqlState.SYNTAX_ERROR)
    return sign * int(held.name)


def sequence_mark(name: TableName, text: str) -> exp.Comment:
    """Write a sequence's comment."""
    return exp.Comment(
        this=engine_table(engine_name(name)), kind="SEQUENCE", expression=exp.Literal.string(text)
    )


def own_sequences(
    table: TableInfo, context: PlanContext, columns: Collection[str] | None = None
) -> tuple[exp.Expr, ...]:
    """What drops the sequences that go with a table, or with these columns of it, once they are gone."""
    gone = {c.name for c in table.columns if columns is None or c.name.lower() in columns}
    names = {sequence_of_default(c.default, table.name) for c in table.columns if c.name in gone} - {None}
    shared = {
        sequence_of_default(column.default, info.name)
        for info in (context.catalog.tables.values() if names else ())
        for column in info.columns
        if info.name != table.name or column.name not in gone
    }
    return tuple(
        exp.Drop(kind="SEQUENCE", tables=[engine_table(engine_name(name))], exists=True)
        for name in sorted(name for name in names - shared if name is not None)
        if name.catalog == TEMP_CATALOG or goes_with(table, context.catalog.sequences.get(name))
    )


def goes_with(table: TableInfo, info: SequenceInfo | None) -> bool:
    """Whether it was made for a column, and by the table's owner: others may only borrow it in a default."""
    return info is not None and info.column is not None and info.owner == table.owner


def authorise_drop(tree: exp.Expr, target: exp.Table, context: PlanContext) -> None:
    """DROP SEQUENCE is for owners and administrators.

    Raises:
        StatementError: 42P01.
        AccessDenied: 42501.
    """
    info = find_sequence(written_name(target), context)
    if info is None:
        if not tree.args.get("exists"):
            raise undefined_sequence(written_name(target), word="sequence")
        return
    may_write = context.policy.scope.allows(Privilege.CREATE, info.name.catalog)
    if not context.policy.owns(info.owner) or not may_write:
        raise AccessDenied(f"must be owner of sequence {info.name.name}", rule=DenialRule.TABLE_PRIVILEGE)


def secure_drop(tree: exp.Drop, target: exp.Table, context: PlanContext) -> TableName | None:
    """The sequence that is dropped; None: there is none, and IF EXISTS.

    Raises:
        StatementError: 42P01; 2BP01, a column takes its values from it.
        FeatureNotSupported: CASCADE, by which the engine would drop the tables.
    """
    info = find_sequence(written_name(target), context)
    if info is None:
        if not tree.args.get("exists"):
            raise undefined_sequence(written_name(target), word="sequence")
        return None
    if tree.args.get("cascade"):
        raise FeatureNotSupported(
            "DROP SEQUENCE … CASCADE is not supported", hint="Drop the defaults that use it first."
        )
    if any(
        sequence_of_default(column.default, table.name) == info.name
        for table in context.catalog.tables.values()
        for column in table.columns
    ):
        raise StatementError(
            f"cannot drop sequence {info.name.name} because other objects depend on it",
            sqlstate=SqlState.DEPENDENT_OBJECTS_STILL_EXIST,
        )
    return info.name


def secure_creation(
    tree: exp.Create, name: TableName, context: PlanContext, *, is_there: bool
) -> tuple[exp.Expr, ...]:
    """Bring CREATE SEQUENCE into the engine's form; gives what tells whose it is.

    is_there: the sequence exists, and IF NOT EXISTS.

    Raises:
        StatementError: 22023, 42P07.
        FeatureNotSupported: TEMP, OWNED BY.
    """
    properties = tree.args.get("properties")
    written = list(properties.expressions) if properties is not None else []
    given = next((part for part in written if isinstance(part, exp.SequenceProperties)), None)
    if any(part is not given for part in written) or tree.args.get("replace"):
        raise FeatureNotSupported("temporary sequences are not supported")
    owned = given.args.get("owned") if given is not None else None
    if owned is not None and owned.name.lower() != "none":
        raise FeatureNotSupported("OWNED BY is not supported", hint="Make the column serial, or an identity.")
    options = given.args.get("options") or [] if given is not None else []
    words = [option.name.upper() for option in options]
    numbers = {
        key: given.args[key] for key in _NUMBERS if given is not None and given.args.get(key) is not None
    }
    kind = tree.args.get("expression")
    spelled = str(kind.this.name).upper() if isinstance(kind, exp.DataType) else "BIGINT"
    made = _creation(name, numbers, spelled, is_cycled="CYCLE" in words)
    taken = {
        (*known[:2], known[2].lower()) for known in (*context.catalog.tables, *context.catalog.sequences)
    }
    if (*name[:2], name.name.lower()) in taken and not is_there:
        raise StatementError(f'relation "{name.name}" already exists', sqlstate=SqlState.DUPLICATE_TABLE)
    for part in ("this", "properties", "expression"):
        tree.set(part, made.args.get(part))
    if is_there:
        return ()
    tree.set("exists", None)
    return (sequence_mark(name, sequence_comment(_owner(context), None)),)


def existing_notice(name: TableName, context: PlanContext) -> list[PlanNotice]:
    """What IF NOT EXISTS tells."""
    is_there = name in context.catalog.sequences
    message = f'relation "{name.name}" already exists, skipping'
    return [PlanNotice(message, SqlState.DUPLICATE_TABLE)] if is_there else []
