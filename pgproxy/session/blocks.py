"""The end of a transaction, for all that counts from it: cursors, settings, engine, catalog, notifications.

PostgreSQL docs, "Transactions". A commit that cannot be is a rollback, and its error the client's.
"""

from weakref import WeakSet

from pgproxy.session.administering import Administering
from pgproxy.session.cursors import Cursors
from pgproxy.session.notifications import Notifications
from pgproxy.session.running import PlanRunner
from pgproxy.session.session_catalog import SessionCatalog
from pgproxy.session.settings import SessionSettings
from pgproxy.session.transaction import Transaction
from pgwire.errors import GatewayError


class Blocks:
    """Ends the transactions of one session, explicit or not."""

    def __init__(  # noqa: PLR0913, PLR0917  # one argument a room
        self,
        runner: PlanRunner,
        settings: SessionSettings,
        catalog: SessionCatalog,
        cursors: Cursors,
        notifications: Notifications,
        administering: Administering,
        replacing: WeakSet[object],
    ) -> None:
        """replacing: those who define; see `pgproxy.session.services.Catalogs`."""
        self._replacing = replacing
        self._runner = runner
        self._settings = settings
        self._catalog = catalog
        self._cursors = cursors
        self._notifications = notifications
        self._administering = administering

    @property
    def transaction(self) -> Transaction:
        """The session's transaction."""
        return self._runner.transaction

    def begin_string(self, *, has_several: bool) -> None:
        """A query string begins; several statements are one implicit block."""
        self._settings.begin_block()
        if has_several:
            self.transaction.begin_implicit(is_multi_statement=True)

    async def end_implicit(self) -> bool:
        """Commit what a query string or a pipeline did outside an explicit block. Say whether it was.

        Raises:
            GatewayError: it cannot be committed; it is rolled back.
        """
        if self.transaction.is_open and not self.transaction.is_implicit:
            return False
        if not self.end_trivially():
            await self.end(is_commit=True)
        return True

    def end_trivially(self) -> bool:
        """End, without waiting, what did nothing that counts from its end. False: it did; use `end_implicit`.

        Most statements are alone, read, and are over before Sync.
        """
        transaction = self.transaction
        if (
            transaction.is_open
            or transaction.pinned is not None
            or transaction.changes_catalog
            or self._runner.has_open
            or self._cursors.have_to_be_held
            or self._notifications.has_changes
            or self._catalog.has_own_view
            or self._administering.has_changes
        ):
            return False
        self._settings.end_block(is_commit=True)
        return True

    async def end(self, *, is_commit: bool) -> None:
        """Commit or roll back.

        Raises:
            GatewayError: it cannot be committed; it is rolled back.
        """
        try:
            await self._end(is_commit=is_commit)
        finally:
            self._replacing.discard(self)

    async def _end(self, *, is_commit: bool) -> None:
        try:
            if is_commit:
                await self._cursors.hold()
            await self._runner.close_all()
            has_definitions = self.transaction.changes_catalog
            self.transaction.changes_catalog = False
            if has_definitions:
                self._replacing.add(self)
            await self.transaction.end(is_commit=is_commit)
        except GatewayError:
            await self._runner.close_all()
            if self.transaction.is_open:
                await self.transaction.end(is_commit=False)
            await self._settle(is_commit=False, has_definitions=False)
            raise
        await self._settle(is_commit=is_commit, has_definitions=has_definitions)

    async def _settle(self, *, is_commit: bool, has_definitions: bool) -> None:
        self._settings.end_block(is_commit=is_commit)
        self._notifications.end_transaction(is_commit=is_commit)
        await self._catalog.end_block(is_commit=is_commit, has_definitions=has_definitions)
        await self._administering.end_block(is_commit=is_commit)
