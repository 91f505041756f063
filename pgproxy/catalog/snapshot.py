"""The catalog snapshot: every relation of every attached catalog as of one generation. Frozen values, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pgproxy.policy.model import TableName

SYSTEM_CATALOG = "pgproxy_system"
"""The in-memory DuckDB database, in the embedded engine only, that holds the tables behind pg_catalog,
information_schema and pgproxy.*, and the macros behind their functions."""


class RelationKind(StrEnum):
    """PostgreSQL's relkind."""

    TABLE = "r"
    VIEW = "v"


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column as the engine has it. engine_type: DuckDB's name, `DECIMAL(15,2)`."""

    name: str
    engine_type: str
    is_nullable: bool = True
    default: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ConstraintInfo:
    """kind: p, u, f or c, as in pg_constraint.contype. text: as pg_get_constraintdef shows it."""

    name: str
    kind: str
    columns: tuple[str, ...]
    text: str
    referenced_table: TableName | None = None
    referenced_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A base relation. view_sql: the stored query of a view, in PostgreSQL's dialect, else None."""

    name: TableName
    kind: RelationKind
    columns: tuple[ColumnInfo, ...]
    constraints: tuple[ConstraintInfo, ...] = ()
    estimated_rows: int = 0
    comment: str | None = None
    view_sql: str | None = None
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class SystemRelation:
    """A relation of pg_catalog, information_schema or pgproxy: a table of SYSTEM_CATALOG seen through a filter.

    physical: (schema, table) inside SYSTEM_CATALOG. columns: in PostgreSQL's order, hidden ones left out.
    visibility: SQL predicate over the physical columns, in DuckDB's dialect, in which `$viewer` stands for the
    viewer's key (a bound text value: EffectivePolicy.fingerprint); None: everybody sees every row.
    admin_only: a non-admin is answered as if it did not exist.
    """

    physical: tuple[str, str]
    columns: tuple[ColumnInfo, ...]
    visibility: str | None = None
    admin_only: bool = False


@dataclass(frozen=True, slots=True)
class CatalogSnapshot:
    """Everything that exists, as of one generation.

    system_relations: keyed by (schema, name), schema being pg_catalog, information_schema or pgproxy.
    """

    generation: int
    default_catalog: str
    tables: Mapping[TableName, TableInfo] = field(default_factory=dict)
    schemas: frozenset[tuple[str, str]] = frozenset()
    system_relations: Mapping[tuple[str, str], SystemRelation] = field(default_factory=dict)
