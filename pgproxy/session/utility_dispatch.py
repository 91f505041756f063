"""Which room runs a utility statement."""

from collections.abc import Sequence

from pgproxy.session.administering import Administering
from pgproxy.session.copy_in import CopyIn
from pgproxy.session.copy_out import CopyOut
from pgproxy.session.cursors import Cursors
from pgproxy.session.discarding import Discards
from pgproxy.session.explaining import Explains
from pgproxy.session.notices import is_wanted
from pgproxy.session.notifications import Notifications
from pgproxy.session.owner_changes import OwnerChanges
from pgproxy.session.portal import Portal
from pgproxy.session.settings import SessionSettings
from pgproxy.session.sink import Client
from pgproxy.session.sql_prepared import SqlPrepared
from pgproxy.session.transaction import Transaction
from pgproxy.session.utilities import UtilityResult, UtilityRunner, utility_columns
from pgproxy.sql.utility import statements as u
from pgwire.backend import FieldDescription
from pgwire.errors import FeatureNotSupported


class Utilities:
    """The utility statements of one session."""

    def __init__(  # noqa: PLR0913  # one argument a room
        self,
        settings: SessionSettings,
        transaction: Transaction,
        *,
        controls: UtilityRunner,
        cursors: Cursors,
        prepared: SqlPrepared,
        copies_out: CopyOut,
        copies_in: CopyIn,
        explains: Explains,
        administering: Administering,
        owner_changes: OwnerChanges,
        notifications: Notifications,
        discards: Discards,
    ) -> None:
        self._settings = settings
        self._transaction = transaction
        self._controls = controls
        self._cursors = cursors
        self._prepared = prepared
        self._answering = (copies_out, explains, administering, owner_changes)
        self._copies_in = copies_in
        self._notifications = notifications
        self._discards = discards

    def columns(
        self, statement: u.UtilityStatement, formats: Sequence[int]
    ) -> tuple[FieldDescription, ...] | None:
        """Give the shape of a statement's rows, or None."""
        return (
            self._cursors.columns(statement, formats)
            or self._prepared.columns(statement, formats)
            or utility_columns(statement)
        )

    async def run(
        self, statement: u.UtilityStatement, sink: Client, bound: Portal | None = None, *, describe: bool
    ) -> UtilityResult:
        """Run a statement; its notices are sent. bound: what Bind made of it, in the extended protocol.

        Raises:
            GatewayError: it failed.
        """
        self._settings.begin_block()
        result = await self._controls.run(statement) or self._notifications.run(statement)
        result = result or await self._discards.run(statement, self._transaction)
        result = result or await self._cursors.run(statement, sink, bound)
        result = result or await self._prepared.run(
            statement, sink, bound.result_formats if bound is not None else (), describe=describe
        )
        for room in self._answering:
            result = result or await room.run(statement, sink, describe=describe)
        result = result or await self._copies_in.run(statement, sink)
        if result is None:
            raise FeatureNotSupported(f"{type(statement).__name__} is not supported")
        for notice in result.notices:
            if is_wanted(notice, self._settings):
                sink.send(notice)
        return result
