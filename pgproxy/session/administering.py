"""Administrative statements in a session: names found, passwords hashed, changes made in the control plane.

Outside a block a statement holds before it is answered. Inside one it is checked at once, together with those
before it, and all of them are made as one change when the block is committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pgproxy.catalog.snapshot import CatalogSnapshot
from pgproxy.control.administering import AdminChange, command_tag, password_owner
from pgproxy.control.administration import Administration, Notice
from pgproxy.control.state import ControlState
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import TableName
from pgproxy.session.planning import StatementPlanner
from pgproxy.session.services import Catalogs, SessionServices
from pgproxy.session.sink import Sink
from pgproxy.session.transaction import Transaction
from pgproxy.session.utilities import UtilityResult, utility_columns
from pgproxy.sql.names import undefined_table
from pgproxy.sql.stored_functions import candidates
from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility import statements as u
from pgwire.backend import NoticeResponse
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pgproxy"})


@dataclass(slots=True)
class _Block:
    """What a transaction block has changed so far. owners: see `password_owner`."""

    changes: list[AdminChange] = field(default_factory=list)
    owners: set[str | None] = field(default_factory=set)

    def __call__(self, state: ControlState) -> ControlState:
        for change in self.changes:
            state = change(state)
        return state

    @property
    def dropped_roles(self) -> frozenset[str]:
        drops = (change.statement for change in self.changes)
        return frozenset(name for drop in drops if isinstance(drop, a.DropRole) for name in drop.names)

    @property
    def may_be_self(self) -> str | None:
        return next(iter(self.owners)) if len(self.owners) == 1 else None


class Administering:
    """Runs the administrative statements of one session."""

    def __init__(
        self, planner: StatementPlanner, services: SessionServices, transaction: Transaction
    ) -> None:
        self._planner = planner
        self._names = SessionNames(planner, services.catalogs)
        self._control = services.control
        self._transaction = transaction
        self._block = _Block()

    async def run(self, statement: u.UtilityStatement, sink: Sink, *, describe: bool) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind.

        Raises:
            GatewayError: it is refused; nothing was changed.
        """
        if not isinstance(statement, a.AdminStatement):
            return None
        change = await self._administer(statement)
        draft = change.key_draft
        return UtilityResult(
            command_tag(statement),
            utility_columns(statement),
            () if draft is None else ((draft.key_id, draft.text),),
            tuple(map(_response, change.notices)),
        )

    @property
    def has_changes(self) -> bool:
        """Whether the block's end will make changes."""
        return bool(self._block.changes)

    async def end_block(self, *, is_commit: bool) -> None:
        """Make the block's changes, or forget them.

        Raises:
            GatewayError: they do not fit the state of now any more; none was made.
        """
        block, self._block = self._block, _Block()
        if is_commit and block.changes:
            await self._control.make(self._actor, block, block.may_be_self)

    @property
    def _actor(self) -> str:
        return self._planner.identity.principal

    async def _administer(self, statement: a.AdminStatement) -> AdminChange:
        owner = password_owner(statement, self._actor)
        # A key that carries part of its role's rights must not become the whole by a new password.
        is_own = owner == self._actor and self._planner.identity.scope.is_whole
        if not self._planner.policy.may_administer and not is_own:
            # Before any name is looked up: the answer must not tell what exists.
            raise AccessDenied(
                f"permission denied: {command_tag(statement)} is for administrators",
                rule=DenialRule.ADMINISTRATION,
            )
        if isinstance(statement, a.CreateRole) and statement.name in self._block.dropped_roles:
            raise FeatureNotSupported(
                "a role that the transaction has dropped cannot be created in it",
                hint="What was the first one's goes with it at COMMIT; create the other one then.",
            )
        by = Administration(self._actor, self._names, await self._verifier(statement))
        if isinstance(statement, a.CreateApiKey):
            by.key_draft = await self._control.draft_api_key()
        if isinstance(statement, a.RollbackPolicy):
            by.target = await self._control.state_at(statement.version)
        change = AdminChange(statement, by)
        if not self._transaction.is_open:
            await self._control.make(self._actor, change, owner)
            return change
        block = _Block([*self._block.changes, change], self._block.owners | {owner})
        await self._control.check(self._actor, block, block.may_be_self)
        self._block = block
        self._transaction.writes += 1  # a savepoint cannot undo it
        return change

    async def _verifier(self, statement: a.AdminStatement) -> str | None:
        if not isinstance(statement, (a.CreateRole, a.AlterRole)):
            return None
        password = statement.options.password
        if password is None or isinstance(password, a.Unchanged) or not password:
            return None
        return await self._control.verifier_of(password)


class SessionNames:
    """What names mean to an administrator in this session: everything that exists, along its search path."""

    def __init__(self, planner: StatementPlanner, catalogs: Catalogs) -> None:
        self._planner = planner
        self._catalogs = catalogs

    @property
    def _snapshot(self) -> CatalogSnapshot:
        """With what the open block has made."""
        return self._planner.catalog.snapshot

    @property
    def _database(self) -> str:
        return self._planner.identity.database

    def table(self, parts: a.RelationParts, *, must_exist: bool = True) -> TableName:
        """Find a table; one that is gone is where it would be. Raises: 42P01."""
        found = self._planner.find_table(parts, sees_all=True)
        if found is not None:
            return found.name
        catalog, schema, name = (None, None, None, *parts)[-3:]
        if must_exist:
            raise undefined_table(catalog, schema, name or "", None)
        path = self._planner.settings.search_path(self._planner.identity.principal)
        return TableName(catalog or self._database, schema or next(iter(path), "public"), name or "")

    def sequence(self, parts: a.RelationParts) -> TableName:
        """Find a sequence. Raises: 42P01."""
        catalog, schema, name = (None, None, None, *parts)[-3:]
        found = self._planner.find_sequence((catalog, schema, name or ""))
        if found is None:
            raise undefined_table(catalog, schema, name or "", None)
        return found.name

    def column(self, table: TableName, name: str) -> str:
        """Give a column's name as the table spells it. Raises: 42703."""
        info = self._snapshot.tables.get(table)
        for column in info.columns if info is not None else ():
            if column.name.lower() == name.lower():
                return column.name
        raise StatementError(
            f'column "{name}" of relation "{table.name}" does not exist', sqlstate=SqlState.UNDEFINED_COLUMN
        )

    def schema(self, parts: a.RelationParts) -> tuple[str, str]:
        """Find a schema: (catalog, schema). Raises: 3F000."""
        catalog = parts[0] if len(parts) == 2 else self._database
        schema = "public" if parts[-1] == "main" else parts[-1]
        if schema != "public" and (catalog, schema) not in self._snapshot.schemas:
            raise StatementError(f'schema "{schema}" does not exist', sqlstate=SqlState.INVALID_SCHEMA_NAME)
        return catalog, schema

    def database(self, name: str) -> str:
        """Find a catalog. Raises: 3D000."""
        known = {self._snapshot.default_catalog, *(catalog for catalog, _ in self._snapshot.schemas)}
        if name not in known:
            raise StatementError(f'database "{name}" does not exist', sqlstate=SqlState.INVALID_CATALOG_NAME)
        return name

    def functions(self, parts: a.RelationParts) -> Sequence[TableName]:
        """What a function's name may mean, along the search path; the first is where one would be made."""
        path = [schema for schema in self._planner.existing_path() if schema not in _SYSTEM_SCHEMAS]
        return list(candidates(parts, path or ["public"], self._database))

    def tables_in(self, catalog: str, schema: str) -> Sequence[TableName]:
        """Every table and view of a schema that exists now."""
        return sorted(name for name in self._snapshot.tables if name[:2] == (catalog, schema))

    def owns_something(self, role: str) -> bool:
        """Whether a relation or schema that exists now is the role's, to everybody else."""
        snapshot = self._catalogs.snapshot
        owners = {table.owner for table in snapshot.tables.values()}
        owners |= {sequence.owner for sequence in snapshot.sequences.values()}
        return role in owners or role in snapshot.schema_owners.values()


def _response(notice: Notice) -> NoticeResponse:
    severity = "WARNING" if notice.is_warning else "NOTICE"
    return NoticeResponse(severity=severity, sqlstate=notice.sqlstate, message=notice.message)
