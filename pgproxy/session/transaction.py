"""The transaction block of one session, and the engine session pinned to it.

PostgreSQL docs, "Transaction Isolation". READ COMMITTED, PostgreSQL's default, gives every statement a fresh
snapshot; so a block's reads may run anywhere until the block writes. From its first write on (or from its
first statement under REPEATABLE READ and SERIALIZABLE) every statement runs in one transaction of one pinned
engine session.
"""

import time
from dataclasses import dataclass, field

from pgproxy.engines.errors import EngineUnavailable, OutcomeUnknown
from pgproxy.routing.router import PinnedSession
from pgwire.errors import InternalError, StatementError
from pgwire.session.status import TransactionStatus
from pgwire.sqlstate import SqlState

_LOOK_HOME = "SET search_path = ''"
"""As in a fresh connection: the engine's own database, in which there is nothing."""
SNAPSHOT_ISOLATIONS = frozenset({"repeatable read", "serializable"})


@dataclass(slots=True)
class Transaction:
    """State of the current block.

    is_implicit: made by the gateway for several statements before Sync. writes: statements that wrote, so
    far. is_engine_open: the pinned engine session has a transaction open. is_engine_aborted: a statement
    failed inside the engine's transaction; DuckDB then accepts only ROLLBACK. is_multi_statement: the
    implicit block of one query string. has_temp_tables: the pinned session is kept from block to block.
    looks_elsewhere: its engine looks for names without a catalog elsewhere than usual.
    started_at: when the block began, Unix seconds.
    """

    status: TransactionStatus = TransactionStatus.IDLE
    is_implicit: bool = False
    is_read_only: bool = False
    isolation: str = "read committed"
    writes: int = 0
    is_engine_aborted: bool = False
    changes_catalog: bool = False
    savepoints: list[tuple[str, int]] = field(default_factory=list)
    pinned: PinnedSession | None = None
    is_engine_open: bool = False
    is_multi_statement: bool = False
    has_temp_tables: bool = False
    looks_elsewhere: bool = False
    started_at: float = 0.0

    @property
    def allows_cursors(self) -> bool:
        """Whether what needs a block may run: in a block, or amid a string of several statements."""
        return self.is_open and (not self.is_implicit or self.is_multi_statement)

    @property
    def is_open(self) -> bool:
        """Whether a block is open, failed ones included."""
        return self.status is not TransactionStatus.IDLE

    @property
    def is_failed(self) -> bool:
        """Whether only the block's end is accepted."""
        return self.status is TransactionStatus.FAILED

    @property
    def needs_snapshot(self) -> bool:
        """Whether even reads must share one engine transaction."""
        return self.isolation in SNAPSHOT_ISOLATIONS and not self.is_implicit

    def begin_implicit(self, *, is_multi_statement: bool = False) -> None:
        """Open a block that ends with its query string or at Sync, if none is open."""
        if not self.is_open:
            self.begin(is_implicit=True, is_read_only=False, isolation="read committed")
            self.is_multi_statement = is_multi_statement

    def begin(self, *, is_implicit: bool, is_read_only: bool, isolation: str) -> None:
        """Open a block, or turn the implicit one into it; the engine hears of it only when it must."""
        goes_on = self.is_open
        self.status = TransactionStatus.IN_TRANSACTION
        self.is_implicit = is_implicit
        self.is_read_only = is_read_only
        self.isolation = isolation
        if not goes_on:
            self.started_at = time.time()
            self.writes = 0
            self.is_engine_aborted = False
            self.changes_catalog = False
            self.savepoints = []

    def fail(self, *, in_engine: bool = False) -> None:
        """A statement failed inside the block. in_engine: inside the engine's own transaction."""
        self.is_engine_aborted = self.is_engine_aborted or in_engine
        if self.status is TransactionStatus.IN_TRANSACTION:
            self.status = TransactionStatus.FAILED

    async def begin_engine(self) -> None:
        """Open the transaction of the pinned engine session, once per block."""
        if self.is_open and self.pinned is not None and not self.is_engine_open:
            await self.pinned.session.execute_utility("BEGIN TRANSACTION")
            self.is_engine_open = True

    async def look_in(self, catalog: str, schema: str) -> None:
        """Let the engine look for names without a catalog in this schema, until `look_home`."""
        if self.pinned is None:
            raise InternalError("a definition that refers to others needs a transaction")
        self.looks_elsewhere = True
        path = ".".join('"' + part.replace('"', '""') + '"' for part in (catalog, schema))
        await self.pinned.session.execute_utility(f"USE {path}")

    async def look_home(self) -> None:
        """Let it look where it always does. An aborted transaction has to end first."""
        if self.pinned is not None and self.looks_elsewhere:
            await self.pinned.session.execute_utility(_LOOK_HOME)
        self.looks_elsewhere = False

    async def end(self, *, is_commit: bool) -> None:
        """Close the block on the engine and here.

        The pinned session is released, whatever happens, unless temporary tables live in it. An engine that
        is lost keeps nothing of a block that was not committed: it is rolled back.

        Raises:
            GatewayError: the engine refused the COMMIT; the block is rolled back.
            OutcomeUnknown: the engine was lost after it may have committed.
        """
        pinned = self.pinned
        self.status = TransactionStatus.IDLE
        self.is_implicit = False
        self.is_multi_statement = False
        self.is_read_only = False
        self.isolation = "read committed"
        self.savepoints = []
        if pinned is None:
            return
        try:
            if self.is_engine_open:
                await pinned.session.execute_utility("COMMIT" if is_commit else "ROLLBACK")
            if self.has_temp_tables:
                await self.look_home()
        except EngineUnavailable as failure:
            if is_commit and self.writes and failure.outcome_is_open:
                raise OutcomeUnknown(failure.reason) from failure
            if is_commit:
                raise
        finally:
            self.is_engine_open = False
            if not self.has_temp_tables:
                await self.unpin()

    async def unpin(self) -> None:
        """Release the pinned session, with all that is in it. Never raises."""
        pinned, self.pinned = self.pinned, None
        self.has_temp_tables = self.looks_elsewhere = False
        if pinned is not None:
            await pinned.close()

    def savepoint(self, name: str) -> None:
        """Remember where a savepoint stands.

        DuckDB has none, so only a block that writes nothing after it may return.
        """
        self.savepoints.append((name, self.writes))

    def release(self, name: str) -> None:
        """Forget a savepoint and those after it."""
        del self.savepoints[self._find_savepoint(name) :]

    def rollback_to(self, name: str) -> None:
        """Return to a savepoint; possible as long as nothing was written since.

        Raises:
            StatementError: 3B001 no such savepoint; 0A000 something was written since.
        """
        index = self._find_savepoint(name)
        if self.is_engine_aborted or self.writes != self.savepoints[index][1]:
            raise StatementError(
                "rolling back to a savepoint is not supported after a write",
                sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
                hint="Roll back the whole transaction.",
            )
        del self.savepoints[index + 1 :]
        self.status = TransactionStatus.IN_TRANSACTION

    def _find_savepoint(self, name: str) -> int:
        for index in range(len(self.savepoints) - 1, -1, -1):
            if self.savepoints[index][0] == name:
                return index
        raise StatementError(
            f'savepoint "{name}" does not exist', sqlstate=SqlState.INVALID_SAVEPOINT_SPECIFICATION
        )
