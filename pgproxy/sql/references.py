"""Foreign keys of a new table: the key that they refer to, who may refer to it, and the engine's form.

A foreign key tells which keys there are: a row is refused if the key that it refers to is not there, whoever
may read that. So it is made by who reads all rows and the plain values of the columns that it refers to, and
owns the table. PostgreSQL docs, "Foreign Keys" and "CREATE TABLE"; tablecmds.c words the errors.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from pgproxy.catalog.snapshot import TEMP_CATALOG, CatalogSnapshot, RelationKind, TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.dialect.type_names import NUMBER_ORDER, TEXTS, type_of_data_type, type_of_engine_type
from pgproxy.sql.draft import engine_name, position_of, quoted
from pgproxy.sql.names import find_relation, undefined_table, written_name
from pgproxy.sql.plan import PlanContext
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_KEPT = frozenset(
    {"ON UPDATE NO ACTION", "ON UPDATE RESTRICT", "ON DELETE NO ACTION", "ON DELETE RESTRICT", "MATCH SIMPLE",
     "INITIALLY IMMEDIATE"}
)  # fmt: skip
_TELLS_KEYS = (
    "A foreign key tells which keys there are: it needs all rows, and the columns that it refers to unmasked."
)


@dataclass(frozen=True, slots=True)
class _Target:
    """The table that is referred to. columns: types by name. keys: its own, the primary one first."""

    name: TableName
    columns: Mapping[str, str | None]
    primary: tuple[str, ...] | None
    keys: tuple[tuple[str, ...], ...]


def is_referenced(table: exp.Table) -> bool:
    """Whether it is the table that a foreign key refers to; nothing is read from it."""
    holder = table.parent.parent if isinstance(table.parent, exp.Schema) else table.parent
    return isinstance(holder, exp.Reference)


def plain_references(tree: exp.Expr) -> None:
    """Write `a int REFERENCES t` as a foreign key of the whole table, in place."""
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        return
    for column in list(tree.this.expressions):
        if not isinstance(column, exp.ColumnDef):
            continue
        for constraint in list(column.args.get("constraints") or ()):
            if isinstance(constraint.args.get("kind"), exp.Reference):
                constraint.pop()
                key: exp.Expr = exp.ForeignKey(
                    expressions=[column.this.copy()], reference=constraint.args["kind"]
                )
                if constraint.args.get("this") is not None:
                    key = exp.Constraint(this=constraint.this, expressions=[key])
                tree.this.append("expressions", key)


def secure_references(tree: exp.Create, name: TableName, context: PlanContext) -> frozenset[TableName]:
    """Bring the foreign keys of a new table into the engine's form. Gives the tables that they refer to.

    Raises:
        StatementError: 42P01, 42P16, 42703, 42704, 42804, 42809, 42830.
        AccessDenied: 42501.
        FeatureNotSupported: what foreign keys of the engine cannot do.
    """
    referenced = set()
    for key in tree.find_all(exp.ForeignKey):
        _check_options(key)
        written = _referenced_table(key)
        own = _columns(tree)
        given = [column.name for column in key.expressions]
        _check_columns(given, own)
        target = _find_target(tree, name, written, context)
        wanted = _referenced_columns(key, target)
        _check_types(name, given, wanted, own, target)
        _place(key, target.name, wanted)
        referenced.add(target.name)
    return frozenset(referenced)


def referring_tables(table: TableName, catalog: CatalogSnapshot) -> Iterator[TableName]:
    """The other tables whose foreign keys refer to this one."""
    for info in catalog.tables.values():
        if info.name != table and any(one.referenced_table == table for one in info.constraints):
            yield info.name


def check_unreferenced(tree: exp.Drop, gone: Collection[TableName], catalog: CatalogSnapshot) -> None:
    """Refuse to drop what foreign keys of other tables refer to; those that go as well do not count.

    Raises:
        StatementError: 2BP01.
        FeatureNotSupported: CASCADE, by which the foreign keys alone would go.
    """
    for name in gone:
        if all(other in gone for other in referring_tables(name, catalog)):
            continue
        hint = "Drop the tables that refer to it first."
        if tree.args.get("cascade"):
            raise FeatureNotSupported("dropping foreign keys is not supported", hint=hint)
        raise StatementError(
            f"cannot drop table {name.name} because other objects depend on it",
            sqlstate=SqlState.DEPENDENT_OBJECTS_STILL_EXIST,
            hint=hint,
        )


def referring_first(names: Collection[TableName], catalog: CatalogSnapshot) -> list[TableName]:
    """Tables in an order in which each can be dropped: foreign keys of others do not refer to it any more."""
    left, ordered = list(names), []
    while left:
        free = [name for name in left if not set(referring_tables(name, catalog)) & set(left)] or left[:1]
        ordered += free
        left = [name for name in left if name not in free]
    return ordered


def _check_options(key: exp.ForeignKey) -> None:
    """Raises: 0A000, what the engine would not do."""
    options = [*(key.args.get("options") or ()), *(key.args["reference"].args.get("options") or ())]
    given = [" ".join(str(option).upper().split()) for option in options]
    given += [
        f"ON {event.upper()} {key.args[event]}" for event in ("delete", "update") if key.args.get(event)
    ]
    for option in given:
        if option not in _KEPT:
            raise FeatureNotSupported(
                f"{option} of a foreign key is not supported",
                hint="Foreign keys are checked at once, and refuse to change a row that is referred to.",
            )


def _referenced_table(key: exp.ForeignKey) -> exp.Table:
    held = key.args["reference"].this
    table = held.this if isinstance(held, exp.Schema) else held
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        raise StatementError("a foreign key refers to a table", sqlstate=SqlState.SYNTAX_ERROR)
    return table


def _columns(tree: exp.Create) -> Mapping[str, str | None]:
    """The columns of a new table, with the internal names of their types."""
    found = [item for item in tree.this.expressions if isinstance(item, exp.ColumnDef)]
    kinds = [column.args.get("kind") for column in found]
    return {
        column.name: type_of_data_type(kind) if isinstance(kind, exp.DataType) else None
        for column, kind in zip(found, kinds, strict=True)
    }


def _check_columns(names: Sequence[str], known: Mapping[str, str | None]) -> None:
    """Raises: 42703."""
    for name in names:
        if name not in known:
            raise StatementError(
                f'column "{name}" referenced in foreign key constraint does not exist',
                sqlstate=SqlState.UNDEFINED_COLUMN,
            )


def _find_target(tree: exp.Create, name: TableName, written: exp.Table, context: PlanContext) -> _Target:
    """The table that a foreign key refers to, which may be the new one itself."""
    catalog, schema, relation = written_name(written)
    if relation == name.name and schema in (None, name.schema) and catalog in (None, name.catalog):
        keys = list(_own_keys(tree))
        primary = next((columns for kind, columns in keys if kind == "p"), None)
        return _Target(name, _columns(tree), primary, tuple(columns for _, columns in keys))
    found = find_relation(context, catalog, schema, relation)
    if found is None:
        raise undefined_table(catalog, schema, relation, position_of(written))
    if not isinstance(found.info, TableInfo) or found.info.kind is not RelationKind.TABLE:
        raise StatementError(
            f'referenced relation "{relation}" is not a table', sqlstate=SqlState.WRONG_OBJECT_TYPE
        )
    _check_place(name, found.name)
    keys_of = [one for one in found.info.constraints if one.kind in "pu"]
    target = _Target(
        found.name,
        {column.name: type_of_engine_type(column.shown_type) for column in found.info.columns},
        next((one.columns for one in keys_of if one.kind == "p"), None),
        tuple(one.columns for one in keys_of),
    )
    if not found.is_temporary:
        _authorise(found.info, context)
    return target


def _own_keys(tree: exp.Create) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The keys of the new table itself."""
    for item in tree.this.expressions:
        parts = item.expressions if isinstance(item, exp.Constraint) else [item]
        for part in parts:
            if isinstance(part, exp.PrimaryKey):
                yield "p", tuple(column.name for column in part.expressions)
            elif isinstance(part, exp.UniqueColumnConstraint) and isinstance(part.this, exp.Schema):
                yield "u", tuple(column.name for column in part.this.expressions)
        for constraint in item.args.get("constraints") or () if isinstance(item, exp.ColumnDef) else ():
            kind = constraint.args.get("kind")
            if isinstance(kind, (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint)):
                yield "p" if isinstance(kind, exp.PrimaryKeyColumnConstraint) else "u", (item.name,)


def _check_place(name: TableName, referenced: TableName) -> None:
    """The engine's foreign keys stay in one schema.

    Raises:
        StatementError: 42P16, a temporary table and one that is not.
        FeatureNotSupported: another schema or catalog.
    """
    if (name.catalog == TEMP_CATALOG) is not (referenced.catalog == TEMP_CATALOG):
        word = "temporary" if name.catalog == TEMP_CATALOG else "permanent"
        raise StatementError(
            f"constraints on {word} tables may reference only {word} tables",
            sqlstate=SqlState.INVALID_TABLE_DEFINITION,
        )
    if name[:2] != referenced[:2]:
        raise FeatureNotSupported(
            "a foreign key to a table of another schema is not supported",
            hint="Make both tables in one schema.",
        )


def _authorise(table: TableInfo, context: PlanContext) -> None:
    """Raises: 42501."""
    policy = context.policy
    rights = policy.table(table.name, table.owner)
    key_columns = {column for one in table.constraints if one.kind in "pu" for column in one.columns}
    reads_all = all(rights.allows(Privilege.SELECT, column) for column in key_columns)
    is_plain = not rights.is_filtered and key_columns.isdisjoint(rights.masks)
    if (policy.is_admin or policy.owns(table.owner)) and reads_all and is_plain:
        return
    raise AccessDenied(
        f"permission denied for table {table.name.name}",
        hint=_TELLS_KEYS if policy.owns(table.owner) else "Only its owner may let others refer to it.",
        rule=DenialRule.TABLE_PRIVILEGE,
    )


def _referenced_columns(key: exp.ForeignKey, target: _Target) -> tuple[str, ...]:
    """The key that is meant: as written, else the primary one. Raises: 42703, 42704, 42830."""
    held, name = key.args["reference"].this, target.name.name
    if not isinstance(held, exp.Schema):
        if target.primary is None:
            raise StatementError(
                f'there is no primary key for referenced table "{name}"', sqlstate=SqlState.UNDEFINED_OBJECT
            )
        wanted = target.primary
    else:
        wanted = tuple(column.name for column in held.expressions)
        _check_columns(wanted, target.columns)
    if len(wanted) != len(key.expressions):
        raise StatementError(
            "number of referencing and referenced columns for foreign key disagree",
            sqlstate=SqlState.INVALID_FOREIGN_KEY,
        )
    if sorted(wanted) not in [sorted(columns) for columns in target.keys]:
        raise StatementError(
            f'there is no unique constraint matching given keys for referenced table "{name}"',
            sqlstate=SqlState.INVALID_FOREIGN_KEY,
        )
    return wanted


def _check_types(
    name: TableName,
    given: Sequence[str],
    wanted: Sequence[str],
    own: Mapping[str, str | None],
    target: _Target,
) -> None:
    """The engine compares keys of one type only.

    Raises:
        StatementError: 42804, types that PostgreSQL does not compare either.
        FeatureNotSupported: others that differ.
    """
    for column, referenced in zip(given, wanted, strict=True):
        one, other = own[column], target.columns[referenced]
        if one == other or {one, other} <= set(TEXTS):
            continue
        if one is None or other is None or _family(one) == _family(other):
            raise FeatureNotSupported(
                "a foreign key between columns of different types is not supported",
                hint="Give both columns the same type.",
            )
        constraint = "_".join((name.name, *given, "fkey"))
        raise StatementError(
            f'foreign key constraint "{constraint}" cannot be implemented',
            sqlstate=SqlState.DATATYPE_MISMATCH,
        )


def _family(kind: str) -> str:
    """Types that PostgreSQL compares with each other."""
    if kind in NUMBER_ORDER:
        return "number"
    return "moment" if kind in ("date", "timestamp", "timestamptz") else kind


def _place(key: exp.ForeignKey, name: TableName, columns: Sequence[str]) -> None:
    """Write what is referred to as the engine takes it: without its catalog (`Plan.looks_in`)."""
    _, schema, relation = engine_name(name)
    table = exp.Table(this=quoted(relation))
    if name.catalog != TEMP_CATALOG:
        table.set("db", quoted(schema))
    key.set("expressions", [quoted(column.name) for column in key.expressions])
    key.set("reference", exp.Reference(this=exp.Schema(this=table, expressions=[*map(quoted, columns)])))
    for part in ("options", "delete", "update"):
        key.set(part, None)
