"""What the planner takes and gives. `plan_statement` (in `planner.py`) is the single way to an engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from pgproxy.catalog.snapshot import TEMP_CATALOG, CatalogSnapshot, PrivateView, TableInfo
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import Privilege, TableName
from pgwire.sqlstate import SqlState


@dataclass(frozen=True, slots=True)
class EngineTree:
    """What DuckDB's own parser says of rendered text: the verifier's evidence.

    statement_type: DuckDB's StatementType name (`SELECT`, `INSERT`, …), one per statement in the text.
    relations: (catalog, schema, table) of every base table reference; functions: (schema, name) of every
    call,
    table functions included. None for both where DuckDB has no serialised tree (DML and DDL).
    """

    statement_types: tuple[str, ...]
    relations: frozenset[tuple[str, str, str]] | None
    functions: frozenset[tuple[str, str]] | None


EngineParser = Callable[[str], EngineTree]
"""DuckDB's own parser; raises ValueError on text that does not parse. An argument, so that the planner
stays pure."""


@dataclass(frozen=True, slots=True)
class PlanContext:
    """All that decides a plan, besides the text.

    search_path: schemas, without the implicit pg_catalog. session_user: the authenticated principal.
    dialect: auto, postgres or duckdb. temp_tables: relations private to the session, by lower-case name.
    session_values: what the session's functions give, by PostgreSQL's name: `current_user`, `session_user`,
        `current_database`, `current_schema`, `version`, and `current_setting.NAME` per setting (NAME in
        lower case). trusts_owners: whether names may mean what no administrator made. private: what the
        catalog shows to this session alone.
    """

    policy: EffectivePolicy
    catalog: CatalogSnapshot
    search_path: tuple[str, ...]
    session_user: str
    parse_engine_sql: EngineParser
    dialect: str = "auto"
    default_catalog: str | None = None
    session_values: Mapping[str, "BoundValue"] = field(default_factory=dict)
    temp_tables: Mapping[str, TableInfo] = field(default_factory=dict)
    trusts_owners: bool = True
    private: PrivateView | None = None

    @property
    def catalog_name(self) -> str:
        """The catalog of names that do not say theirs."""
        return self.default_catalog or self.catalog.default_catalog

    @property
    def viewer(self) -> str:
        """Who reads the catalog (SystemValue.VIEWER)."""
        private = self.private
        return private.viewer(self.policy) if private is not None else self.policy.fingerprint

    @property
    def visible_schemas(self) -> tuple[str, ...]:
        """The search path with the temporary tables' schema, which comes first."""
        temporary = self.private.temp_schema if self.private is not None else None
        return (temporary, *self.search_path) if temporary is not None else self.search_path

    def relation_oid(self, name: TableName) -> int | None:
        """The OID of a relation, as `find_relation` names it."""
        private = self.private
        if private is not None and name.catalog == TEMP_CATALOG and private.temp_schema is not None:
            return private.oids.get(TableName(self.catalog_name, private.temp_schema, name.name))
        own = private.oids.get(name) if private is not None else None
        return own or self.catalog.oids.get(name)


class StatementKind(Enum):
    """The closed list of statements that reach an engine.

    The value is the command tag's first word or words.
    """

    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    EXPLAIN = "EXPLAIN"
    CREATE_TABLE = "CREATE TABLE"
    CREATE_VIEW = "CREATE VIEW"
    CREATE_SCHEMA = "CREATE SCHEMA"
    DROP_TABLE = "DROP TABLE"
    DROP_VIEW = "DROP VIEW"
    DROP_SCHEMA = "DROP SCHEMA"
    ALTER_TABLE = "ALTER TABLE"
    ALTER_VIEW = "ALTER VIEW"
    CREATE_INDEX = "CREATE INDEX"
    DROP_INDEX = "DROP INDEX"
    CREATE_SEQUENCE = "CREATE SEQUENCE"
    ALTER_SEQUENCE = "ALTER SEQUENCE"
    DROP_SEQUENCE = "DROP SEQUENCE"
    COMMENT = "COMMENT"
    TRUNCATE = "TRUNCATE TABLE"


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """One relation that a statement touches, and what was enforced on it; for audit and EXPLAIN (POLICY).

    is_beneath: not named by the statement, but by a view.
    """

    table: TableName
    privileges: frozenset[Privilege]
    row_filters: tuple[str, ...] = ()
    column_masks: tuple[str, ...] = ()
    is_beneath: bool = False


@dataclass(frozen=True, slots=True)
class BoundValue:
    """A value that the gateway itself binds after the client's parameters (current_user.

    Attributes, viewer key).

    session_key: set where the value may differ between two runs of one cached plan (settings, the backend's
    process
    id): it is then read from the running session's values at each run, and `text` only says what it was at
    planning.
    """

    type_oid: int
    text: str | None
    session_key: str | None = None
    follows_changes: bool = False
    """Read only after the plan's `setting_changes` were made: what set_config() gives."""
    may_be_missing: bool = False
    """NULL where the session has no such value (current_setting(…, true)); else its absence is an error."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One `set_config(name, value, is_local)`: the session makes it when it runs the plan, in their order.

    value: the constant; parameter: instead, the number of the client's parameter that holds it. Both None:
    back to the default.
    """

    name: str
    value: str | None
    parameter: int | None
    is_local: bool


class PlanNotice(NamedTuple):
    """What a client is told besides: what IF EXISTS and IF NOT EXISTS skip."""

    message: str
    sqlstate: SqlState = SqlState.SUCCESSFUL_COMPLETION


class Origin(NamedTuple):
    """The table column behind an output column: pg_class.oid and pg_attribute.attnum; zeros: none."""

    table_oid: int
    column_number: int


NO_ORIGIN = Origin(0, 0)


_ROW_WRITES = frozenset({Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE})


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement that may run: rewritten, rendered, verified. Frozen; safe to cache.

    sql: in DuckDB's dialect; `$1 … $n` are the client's, the following ones are `bound_values`.
    describe_sql: the same with each parameter replaced by a typed non-null sample, for Describe (a typed
    NULL makes
        DuckDB fold an expression to INTEGER).
    parameter_oids: one per client parameter, inferred where the client declared 0.
    column_names: PostgreSQL's names of the result columns where the planner knows them, else None.
    column_origins: one per result column; None: no column is a plain reference to a table's.
    column_typmods: the same; None: what the engine's types say.
    parameter_numbers: which of the client's and the bound values are the `$1 …` of `sql`; None: all of them.
    is_catalog: reads a SystemRelation: runs on the embedded engine only.
    is_governed: touches a relation with a filter, a mask or hidden columns: engine texts are then replaced.
    fingerprint: hash of the normalised AST, without literals.
    live_relations: (schema, table) in SYSTEM_CATALOG of what must be filled before this runs.
    fills_table: makes a table of a query's rows.
    following_sql: what completes a definition, in the same transaction of the engine.
    looks_in: the engine's catalog and schema in which it must look for names without a catalog meanwhile: it
        takes those of foreign keys so only.
    notices: what the client is told besides, as NOTICE.
    reads: the catalogs of the tables that it reads, named or not, without SYSTEM_CATALOG. None: it reads what
        may change though its catalog cannot: a view, a temporary table.
    is_repeatable: it reads nothing but the catalog, and gives the same rows while that stays as it is.
    constant_slots: where in the client's text, from 0, constants stand on whose values the plan does not
        depend (`pgproxy.sql.constant_slots`), in its order.
    """

    kind: StatementKind
    sql: str
    describe_sql: str
    parameter_oids: tuple[int, ...]
    bound_values: tuple[BoundValue, ...]
    returns_rows: bool
    is_read_only: bool
    is_catalog: bool
    is_governed: bool
    accesses: tuple[ObjectAccess, ...]
    policy_epoch: int
    catalog_generation: int
    fingerprint: str
    column_names: tuple[str, ...] | None = None
    column_type_oids: tuple[int | None, ...] | None = None
    column_origins: tuple[Origin, ...] | None = None
    column_typmods: tuple[int, ...] | None = None
    uses_temp: bool = False
    changes_catalog: bool = False
    fills_table: bool = False
    notices: tuple[PlanNotice, ...] = ()
    setting_changes: tuple[SettingChange, ...] = ()
    parameter_numbers: tuple[int, ...] | None = None
    live_relations: frozenset[tuple[str, str]] = frozenset()
    following_sql: tuple[str, ...] = ()
    looks_in: tuple[str, str] | None = None
    reads: frozenset[str] | None = None
    is_repeatable: bool = False
    constant_slots: tuple[int, ...] = field(default=(), compare=False)

    @property
    def written_table(self) -> TableName | None:
        """The relation whose rows the statement changes; None: of none, or of several."""
        written = [one.table for one in self.accesses if one.privileges & _ROW_WRITES and not one.is_beneath]
        return written[0] if len(written) == 1 else None
