"""What passes from stage to stage of the planner: the tree, what is known of it, and what was put into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sqlglot import exp

from pgproxy.catalog.snapshot import SYSTEM_CATALOG, SystemRelation, TableInfo
from pgproxy.catalog.view_layout import ViewTexts
from pgproxy.policy.effective import TablePolicy
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.node_kinds import Kinds
from pgproxy.sql.plan import BoundValue, ObjectAccess, PlanContext, PlanNotice, SettingChange, StatementKind

RESERVED_PREFIX = "pgproxy_"
"""Names that the planner makes up begin so; a client may not alias anything so."""

USE_KEY = "pgproxy_use"
CTE_KEY = "pgproxy_cte"
"""Keys of `exp.Table.meta`, which survives copying: the index into `Draft.uses`; the CTE that is meant."""

CTE_NAME_KEY = "pgproxy_cte_name"
"""Key of `exp.CTE.meta`: the name that the client gave it."""

RAISES_KEY = "pgproxy_raises"
"""Key of a finished policy expression's `meta`: whether it calls `error`, which division by zero needs."""


ROWID = "pgproxy_rowid"
"""The column that carries a row's identity out of a secured derived table, for UPDATE and DELETE."""


class Role(Enum):
    """Where a relation stands. The position decides the privilege."""

    SOURCE = "source"
    VIEW_SOURCE = "view source"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    TRUNCATE = "truncate"
    DEFINE = "define"


@dataclass(frozen=True, slots=True)
class RelationUse:
    """One reference to a base relation. name: as the catalog has it; position: 1-based, in the client's text.

    alias: what the statement calls it. policy: set by `authorise`; None means not governed (temporary,
    system).
    """

    name: TableName
    info: TableInfo | SystemRelation | None
    role: Role
    alias: str
    position: int | None
    has_alias: bool = False
    policy: TablePolicy | None = None
    is_temporary: bool = False

    @property
    def owner(self) -> str | None:
        """Whose the relation is, if no administrator's."""
        return self.info.owner if isinstance(self.info, TableInfo) else None


@dataclass(frozen=True, slots=True)
class Draft:
    """The state between two stages. `tree` belongs to this draft alone and is changed in place.

    kinds: of the nodes that the client wrote, as they were admitted; see `pgproxy.sql.node_kinds`.
    engine_functions: (schema, name) of all that the verified text calls, as DuckDB's parser sees it.
    """

    text: str
    parameter_oids: tuple[int, ...]
    context: PlanContext
    tree: exp.Expr
    dialect: str
    kind: StatementKind
    kinds: Kinds
    uses: tuple[RelationUse, ...] = ()
    views: Mapping[int, exp.Expr] = field(default_factory=dict)
    barred_views: frozenset[int] = frozenset()
    column_names: tuple[str, ...] | None = None
    fingerprint: str = ""
    bound_values: tuple[BoundValue, ...] = ()
    accesses: tuple[ObjectAccess, ...] = ()
    placed_relations: frozenset[tuple[str, str, str]] = frozenset()
    engine_types: Mapping[int, str] = field(default_factory=dict)
    engine_functions: frozenset[tuple[str, str]] = frozenset()
    setting_changes: tuple[SettingChange, ...] = ()
    parameter_numbers: tuple[int, ...] | None = None
    is_catalog: bool = False
    is_governed: bool = False
    sql: str = ""
    describe_sql: str = ""
    view_texts: ViewTexts | None = None
    following: tuple[exp.Expr, ...] = ()
    following_sql: tuple[str, ...] = ()
    notices: tuple[PlanNotice, ...] = ()
    looks_in: tuple[str, str] | None = None

    @property
    def live_relations(self) -> frozenset[tuple[str, str]]:
        """What must be filled before the statement runs, inside SYSTEM_CATALOG."""
        return frozenset(
            use.info.physical
            for use in self.uses
            if isinstance(use.info, SystemRelation) and use.info.is_live
        )


@dataclass(slots=True)
class BoundValues:
    """Collects the values that the gateway binds after the client's `$1 … $count`.

    One parameter per value.
    """

    client_parameters: int
    values: list[BoundValue] = field(default_factory=list)

    def place(self, value: BoundValue, engine_type: str) -> exp.Expr:
        """Give `CAST($k AS engine_type)` for a value."""
        if value not in self.values:
            self.values.append(value)
        number = self.client_parameters + self.values.index(value) + 1
        parameter = exp.Parameter(this=exp.Literal.number(number))
        return exp.Cast(this=parameter, to=exp.DataType.build(engine_type, dialect="duckdb"))


def required_privilege(role: Role) -> Privilege:
    """The privilege that a position needs."""
    return _REQUIRED[role]


_REQUIRED = {
    Role.SOURCE: Privilege.SELECT,
    Role.VIEW_SOURCE: Privilege.SELECT,
    Role.INSERT: Privilege.INSERT,
    Role.UPDATE: Privilege.UPDATE,
    Role.DELETE: Privilege.DELETE,
    Role.TRUNCATE: Privilege.TRUNCATE,
    Role.DEFINE: Privilege.CREATE,
}


def engine_name(name: TableName) -> tuple[str, str, str]:
    """How DuckDB spells a relation.

    Schema `public` is its `main`, except in the gateway's own system catalog.
    """
    schema = "main" if name.schema == "public" and name.catalog != SYSTEM_CATALOG else name.schema
    return (name.catalog, schema, name.name)


def quoted(name: str) -> exp.Identifier:
    """A quoted identifier."""
    return exp.Identifier(this=name, quoted=True)


def engine_table(name: tuple[str, str, str], alias: str | None = None) -> exp.Table:
    """A fully qualified table reference in the engine's spelling."""
    catalog, schema, table = name
    node = exp.Table(this=quoted(table), db=quoted(schema), catalog=quoted(catalog))
    if alias is not None:
        node.set("alias", exp.TableAlias(this=quoted(alias)))
    return node


def position_of(node: exp.Expr) -> int | None:
    """The 1-based position of the first name in `node`, as sqlglot recorded it."""
    if type(node) is exp.Table and type(node.this) is exp.Identifier:
        first = node.args.get("catalog") or node.args.get("db") or node.this
        start = first.meta.get("start")
        if start is not None:
            return int(start) + 1
    starts = [found.meta["start"] for found in node.find_all(exp.Identifier) if "start" in found.meta]
    own = node.meta.get("start")
    if own is not None:
        starts.append(own)
    return min(starts) + 1 if starts else None
