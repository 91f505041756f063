"""The catalog snapshot: all relations of all attached catalogs, as of one generation.

Frozen values, no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from pgproxy.catalog.sequences import SequenceInfo
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import TableName, folded_name

SYSTEM_CATALOG = "pgproxy_system"
"""The in-memory DuckDB database, in the embedded engine only, that holds the tables behind pg_catalog,
information_schema and pgproxy.*, and the macros behind their functions."""


FUNCTION_SCHEMA = "fn"
"""Its schema of macros."""

TEMP_CATALOG = "temp"
"""DuckDB's catalog of temporary tables; their schema is `main`."""

TEMP_SCHEMA = "pg_temp_"
"""Before the number of the session whose temporary tables a schema shows."""

VIEW_MARK = "pgproxy_view"
"""The common table expression in a view's text that says whose it is (`pgproxy.sql.views`)."""


class RelationKind(StrEnum):
    """PostgreSQL's relkind."""

    TABLE = "r"
    VIEW = "v"


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column as the engine has it. engine_type: DuckDB's name, `DECIMAL(15,2)`.

    pg_type: for a column of a SystemRelation, PostgreSQL's internal name of the type that RowDescription
    carries (`oid`, `name`, `char`, `int2vector`, `_text`, `regproc`, …; a key of `system_types` or a type
    that DuckDB has); None: as engine_type says. identity: pg_attribute.attidentity of a column made AS
    IDENTITY. declared: `varchar(5)`, where the engine has no such type (`pgproxy.catalog.declared_types`).
    """

    name: str
    engine_type: str
    is_nullable: bool = True
    default: str | None = None
    comment: str | None = None
    pg_type: str | None = None
    identity: str = ""
    declared: str | None = None

    @property
    def shown_type(self) -> str:
        """The type by which expressions are typed: as declared, else as the engine has it."""
        return self.declared or self.engine_type


@dataclass(frozen=True, slots=True)
class ConstraintInfo:
    """kind: p, u, f or c, as in pg_constraint.contype. text: as pg_get_constraintdef shows it."""

    name: str
    kind: str
    columns: tuple[str, ...]
    text: str
    referenced_table: TableName | None = None
    referenced_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableInfo:
    """A base relation.

    view_sql: the query of a view as clients are shown it, in PostgreSQL's dialect; qualified_view_sql: for
    who does not look for names in `public`, where that is another text. engine_sql: the statement that the
    engine keeps. owner: who made it, if no administrator did; of a view also where it is WITH
    (security_invoker). A view that has one reads as its reader. engine_oid: tells it from one of the same
    name before and after it. given_names: of constraints (`pgproxy.catalog.ownership.TableMark`).
    unique_indexes: the names and columns of those that CREATE UNIQUE INDEX made.
    """

    name: TableName
    kind: RelationKind
    columns: tuple[ColumnInfo, ...]
    constraints: tuple[ConstraintInfo, ...] = ()
    estimated_rows: int = 0
    estimated_bytes: int = 0
    comment: str | None = None
    view_sql: str | None = None
    qualified_view_sql: str | None = None
    is_read_only: bool = False
    engine_sql: str | None = None
    owner: str | None = None
    engine_oid: int = 0
    given_names: Mapping[str, str] = field(default_factory=dict)
    unique_indexes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in order. Asked for by every statement that reads the table."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def engine_types(self) -> Mapping[str, str]:
        """`ColumnInfo.engine_type` of each column, by its lower-case name."""
        return {column.name.lower(): column.engine_type for column in self.columns}

    @cached_property
    def shown_types(self) -> Mapping[str, str]:
        """`ColumnInfo.shown_type` of each column, by its lower-case name."""
        return {column.name.lower(): column.shown_type for column in self.columns}


class SystemValue(StrEnum):
    """What the gateway binds, as text, into a system relation or function.

    In predicates `$viewer`, `$database`.

    VIEWER: EffectivePolicy.fingerprint. DATABASE: the session's catalog (PlanContext.catalog_name).
    SEARCH_PATH: the session's schemas without the implicit pg_catalog, joined by SEARCH_PATH_SEPARATOR.
    SESSION_USER: the principal's name. BACKEND_PID: the session's process id, a number. CLIENT_ADDR and the
    like: the ends of its socket, NULL if it has none; ports are numbers.
    """

    VIEWER = "viewer"
    DATABASE = "database"
    SEARCH_PATH = "search_path"
    SESSION_USER = "session_user"
    BACKEND_PID = "backend_pid"
    CLIENT_ADDR = "client_addr"
    CLIENT_PORT = "client_port"
    SERVER_ADDR = "server_addr"
    SERVER_PORT = "server_port"


SEARCH_PATH_SEPARATOR = "\x1f"
"""Between the schemas of SystemValue.SEARCH_PATH; no schema name holds it."""


IN_ONE_SCHEMA = "_in_one_schema"
"""Behind a function's name: its variant for a search path of one schema (and pg_catalog)."""


@dataclass(frozen=True, slots=True)
class SystemFunction:
    """A catalog function: a macro of SYSTEM_CATALOG, or a table macro where `is_table`.

    macro: (schema, name) inside SYSTEM_CATALOG. arity: the numbers of arguments that a client may give.
    session_values: bound after the client's arguments, in this order. result_type_oid: PostgreSQL's; a
    reg* result is a BIGINT OID, as in columns. is_steady: it does nothing, and gives the same while its
    arguments and SYSTEM_CATALOG are the same.
    """

    macro: tuple[str, str]
    arity: frozenset[int]
    result_type_oid: int
    session_values: tuple[SystemValue, ...] = ()
    is_table: bool = False
    is_steady: bool = False


@dataclass(frozen=True, slots=True)
class SystemType:
    """A type that DuckDB lacks and system relations have: what holds it, and how it reads and prints.

    oid, array_oid: PostgreSQL's. engine_type: DuckDB's type of a value. output: name in `system_functions` of
    the function that gives its text form, for a cast to text and for an outermost projection (regclass: an
    OID inside, a name outside); None: the engine's value prints as it is. input: the function behind a cast
    from text. is_zero_based: subscripts start at 0 (int2vector, oidvector); the engine's list starts at 1.
    """

    oid: int
    array_oid: int
    engine_type: str
    output: str | None = None
    input: str | None = None
    is_zero_based: bool = False


@dataclass(frozen=True, slots=True)
class Visibility:
    """Which rows of a system relation a viewer sees.

    SQL predicates over the physical columns, in DuckDB's dialect, in which `$viewer`, `$database` … stand for
    the SystemValue of that name, a bound text value. by_columns: for who holds privileges on single columns;
    it is right for everybody. by_relations: for who holds none of these. of_administrator: for who sees all.
    """

    by_columns: str
    by_relations: str
    of_administrator: str

    @classmethod
    def for_all(cls, predicate: str) -> "Visibility":
        """One that reads the same for every viewer."""
        return cls(predicate, predicate, predicate)

    def predicate(self, policy: EffectivePolicy) -> str:
        """The one that is the cheapest to plan for this viewer."""
        if policy.is_admin:
            return self.of_administrator
        return self.by_columns if policy.holds_columns else self.by_relations


@dataclass(frozen=True, slots=True)
class SystemRelation:
    """A relation of pg_catalog, information_schema or pgproxy: a table of SYSTEM_CATALOG behind a filter.

    physical: (schema, table) inside SYSTEM_CATALOG. columns: in PostgreSQL's order, hidden ones left out.
    visibility: None: everybody sees every row. No user predicate may run before it: the derived table ends in
    OFFSET 0.
    admin_only: reading it is 42501 for a non-admin, as pg_authid is in PostgreSQL.
    session_rows: its rows are the session's own: the session value of this name, a JSON array of objects.
    is_live: its rows are made anew for each statement that reads it. is_empty: it never has rows: said in the
    plan, so that the engine leaves out what it would join them with.
    viewer_columns: columns computed for who asks: SQL like that of `visibility`, in which `$base` is the row.
    """

    physical: tuple[str, str]
    columns: tuple[ColumnInfo, ...]
    visibility: Visibility | None = None
    admin_only: bool = False
    session_rows: str | None = None
    is_live: bool = False
    is_empty: bool = False
    viewer_columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrivateView:
    """What a session has in the catalog that no other has: `pgproxy.catalog.private`.

    number: the session's. oids: of these relations. temp_schema: that of the temporary tables, if
    there are any.
    """

    number: int
    oids: Mapping[TableName, int]
    temp_schema: str | None = None
    temp_schema_oid: int = 0

    def viewer(self, policy: EffectivePolicy) -> str:
        """The session's own viewer: like its principal's, and what is private besides."""
        return f"{policy.fingerprint}/{self.number}"


@dataclass(frozen=True, slots=True)
class CatalogSnapshot:
    """Everything that exists, as of one generation.

    system_relations: keyed by (schema, name), schema being pg_catalog, information_schema or pgproxy.
    system_functions: by lower-case name (`format_type`, `pg_get_expr`, `regclass_text`); all are in
        pg_catalog, but `_pg_expandarray`, which is in information_schema.
    system_types: by internal name, `regclass`; see ColumnInfo.pg_type.
    oids: what `'name'::regclass` gives. sequences: by name. indexes: by CREATE INDEX, each with its table.
    schema_owners: who made a schema, if no administrator did. replaced: names that mean something else to
    others by now than to the transaction that this is for.
    """

    generation: int
    default_catalog: str
    tables: Mapping[TableName, TableInfo] = field(default_factory=dict)
    schemas: frozenset[tuple[str, str]] = frozenset()
    system_relations: Mapping[tuple[str, str], SystemRelation] = field(default_factory=dict)
    system_functions: Mapping[str, SystemFunction] = field(default_factory=dict)
    system_types: Mapping[str, SystemType] = field(default_factory=dict)
    oids: Mapping[TableName, int] = field(default_factory=dict)
    sequences: Mapping[TableName, SequenceInfo] = field(default_factory=dict)
    indexes: Mapping[TableName, TableName] = field(default_factory=dict)
    schema_owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    replaced: frozenset[TableName] = frozenset()
    _folded: dict[TableName, TableInfo] = field(default_factory=dict, init=False, repr=False, compare=False)
    """`tables` by folded names, the first of each; made when first a name is not there as it is written."""

    def find_table(self, wanted: TableName) -> TableInfo | None:
        """What the engine finds under a name.

        DuckDB's names keep their case and match without it; PostgreSQL's clients fold. Both find the table.
        """
        exact, lowered = self.tables.get(wanted), wanted.name.lower()
        if exact is None and lowered != wanted.name:
            exact = self.tables.get(wanted._replace(name=lowered))
        if exact is not None:
            return exact
        if not self._folded:
            found: dict[TableName, TableInfo] = {}
            for name, info in self.tables.items():
                found.setdefault(folded_name(name), info)
            self._folded.update(found)  # at once: other threads look, too
        return self._folded.get(folded_name(wanted))
