"""One connection's SQL session: what the protocol's effects mean. Knows no socket; answers go to a Sink.

PostgreSQL docs, "Message Flow". Errors leave as GatewayErrors with positions in the client's own text.
"""

import asyncio
from collections.abc import Sequence

from execnode.statement import Parameter
from pgproxy.session.administering import Administering
from pgproxy.session.blocks import Blocks
from pgproxy.session.copy_in import CopyIn
from pgproxy.session.copy_out import CopyOut
from pgproxy.session.cursors import Cursors
from pgproxy.session.discarding import Discards
from pgproxy.session.explaining import Explains
from pgproxy.session.notifications import Notifications
from pgproxy.session.own_objects import OwnObjects
from pgproxy.session.owner_changes import OwnerChanges
from pgproxy.session.planning import StatementPlanner, field_descriptions
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import Completion, PortalDriver
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.presenting import shift_position
from pgproxy.session.running import PlanRunner
from pgproxy.session.services import Identity, SessionServices
from pgproxy.session.session_catalog import SessionCatalog
from pgproxy.session.session_values import SessionValues
from pgproxy.session.settings import SessionSettings
from pgproxy.session.sink import Client, Sink
from pgproxy.session.sql_prepared import SqlPrepared
from pgproxy.session.statement_log import StatementLog
from pgproxy.session.telemetry import Protocol
from pgproxy.session.transaction import Transaction
from pgproxy.session.utilities import UtilityResult, UtilityRunner, status_after
from pgproxy.session.utility_dispatch import Utilities
from pgproxy.sql.cache import MAX_CACHED_TEXT_CHARS
from pgproxy.sql.parameters import no_parameter
from pgproxy.sql.utility import StatementText, split_statements
from pgproxy.sql.utility import statements as u
from pgwire.backend import CommandComplete, DataRow, EmptyQueryResponse, FieldDescription, RowDescription
from pgwire.errors import FailedTransaction, GatewayError, StatementError
from pgwire.frontend import Bind
from pgwire.session.objects import Portals, PreparedStatements
from pgwire.session.status import TransactionStatus
from pgwire.sqlstate import SqlState
from pgwire.values import decode_parameter

_MOST_SHAPES = 8
"""Lists of formats that a statement's fields are kept for; drivers ask for one or two."""

_STOPS = (GatewayError, asyncio.CancelledError)
"""What ends a message before its statement is known: an error, a cancellation, or a time that is up."""

_ALLOWED_IN_FAILED_BLOCK = (u.Commit, u.Rollback, u.RollbackTo)


class SqlSession:
    """The SQL state of one connection. Used by one task."""

    def __init__(
        self,
        identity: Identity,
        services: SessionServices,
        settings: SessionSettings,
        statements: PreparedStatements,
        portals: Portals,
    ) -> None:
        self.identity = identity
        self.settings = settings
        self._services = services
        transaction = self._transaction = Transaction()
        catalog = self._catalog = SessionCatalog(services.catalogs, transaction, identity)
        planner = self._planner = StatementPlanner(identity, services, settings, catalog)
        values = SessionValues(identity, settings, OwnObjects(statements, portals))
        self.log = StatementLog(identity, settings, services.recorder)
        runner = self._runner = PlanRunner(
            identity, services.router, settings, transaction, values, planner.calls, self.log.traceparent
        )
        driver = self._driver = PortalDriver(services, planner, runner, self.log)
        self.notifications = Notifications(services.notifications, identity.connection_id, identity.database)
        self._cursors = Cursors(planner, driver, transaction, portals, services.spool_limits)
        administering = Administering(planner, services, transaction)
        self._blocks = Blocks(
            runner,
            settings,
            catalog,
            self._cursors,
            self.notifications,
            administering,
            services.catalogs.replacing,
        )
        self._utilities = Utilities(
            settings,
            transaction,
            controls=UtilityRunner(planner, settings, self._blocks),
            cursors=self._cursors,
            prepared=SqlPrepared(planner, driver, statements, values),
            copies_out=CopyOut(planner, driver),
            copies_in=CopyIn(planner, driver, runner),
            explains=Explains(planner, driver),
            administering=administering,
            owner_changes=OwnerChanges(planner, driver),
            notifications=self.notifications,
            discards=Discards(settings, driver, catalog, self.notifications, (statements, portals)),
        )

    def warn(self, message: str) -> None:
        """Warn the client, before the next rows that it is sent."""
        self._driver.warn(message)

    @property
    def activity(self) -> str:
        """What the session does. PostgreSQL docs, "pg_stat_activity", state."""
        if self.log.current is not None:
            return "active"
        if not self._transaction.is_open or self._transaction.is_implicit:
            return "idle"
        return f"idle in transaction{' (aborted)' if self._transaction.is_failed else ''}"

    @property
    def block_started_at(self) -> float | None:
        """When the block, or the statement outside of one, began: Unix seconds."""
        if self._transaction.is_open:
            return self._transaction.started_at
        return self.log.current.started_at if self.log.current is not None else None

    @property
    def status(self) -> TransactionStatus:
        """What ReadyForQuery says."""
        return status_after(self._transaction)

    @property
    def idle_limit_s(self) -> float | None:
        """How long the client may be silent."""
        in_block = self._transaction.is_open
        name = "idle_in_transaction_session_timeout" if in_block else "idle_session_timeout"
        limit_ms = self.settings.milliseconds(name)
        return limit_ms / 1000 if limit_ms else None

    def idle_error(self) -> GatewayError:
        """Give what ends the connection of a client that was silent for longer."""
        return IdleTimeout(in_block=self._transaction.is_open)

    async def run_simple(self, query: str, sink: Client) -> bool:
        """Run every statement of a query string.

        The first error ends the rest. Say whether a transaction ended.
        """
        statements = await self._split(query)
        if not statements:
            sink.send(EmptyQueryResponse())
            return False
        self._blocks.begin_string(has_several=len(statements) > 1)
        ended = False
        for statement in statements:
            try:
                ended = await self._run_one(statement, sink, in_block=len(statements) > 1) or ended
            except GatewayError as error:
                raise shift_position(error, statement.offset) from error
        return await self._end_implicit() or ended

    async def _split(self, query: str) -> Sequence[StatementText]:
        """Cut a query string; a wrong later statement is found before the first one runs."""
        wrong = query
        try:
            statements = await _cut(query)
            for statement in statements[1:]:
                wrong = statement.text
                self._check_syntax(statement)
        except _STOPS:
            self.log.begin(wrong, Protocol.SIMPLE)
            raise
        return statements

    async def _end_implicit(self) -> bool:
        try:
            return await self._blocks.end_implicit()
        except _STOPS:
            self.log.begin("COMMIT", Protocol.SIMPLE)
            raise

    async def _run_one(self, statement: StatementText, sink: Client, *, in_block: bool) -> bool:
        self.log.begin(statement.text, Protocol.SIMPLE)
        prepared = await self._prepare(statement.text, (), needs_columns=True)
        self.log.recognise(prepared)
        if prepared.parameter_oids:
            raise no_parameter(statement.text)
        if prepared.utility is not None:
            return await self._run_utility(prepared.utility, sink, describe=True)
        portal = Portal(prepared)
        completion = await self._driver.run(portal, sink, 0, describe=True, in_block=in_block)
        self.log.end(completion.rows)
        if completion.tag is not None:
            sink.send(CommandComplete(completion.tag))
        return False

    async def prepare(self, query: str, parameter_oids: Sequence[int]) -> PreparedQuery:
        """Parse: plan one statement and learn the shape of its rows, without running it.

        Raises:
            StatementError: 42601, more than one statement.
        """
        try:
            return await self._parse(query, parameter_oids)
        except _STOPS:
            self.log.begin(query, Protocol.EXTENDED)
            raise

    async def _parse(self, query: str, parameter_oids: Sequence[int]) -> PreparedQuery:
        statements = await _cut(query)
        if not statements:
            return PreparedQuery(query, tuple(parameter_oids))
        if len(statements) > 1:
            raise StatementError("cannot insert multiple commands into a prepared statement")
        try:
            return await self._prepare(statements[0].text, parameter_oids, needs_columns=True)
        except GatewayError as error:
            raise shift_position(error, statements[0].offset) from error

    def columns(
        self, prepared: PreparedQuery, formats: Sequence[int] = ()
    ) -> tuple[FieldDescription, ...] | None:
        """Give the fields of the statement's rows, or None where it returns none."""
        if prepared.utility is not None:
            return self._utilities.columns(prepared.utility, formats)
        if prepared.columns is None:
            return None
        key = tuple(formats)
        found = prepared.shapes.get(key)
        if found is None:
            found = field_descriptions(prepared.columns, key)
            if len(prepared.shapes) < _MOST_SHAPES:
                prepared.shapes[key] = found
        return found

    def bind_now(self, prepared: PreparedQuery, bind: Bind) -> Portal | None:
        """Bind parameters; each value is decoded once here, so that a bad one is this message's error.

        None: the shape of the rows has to be waited for; use `bind`.

        Raises:
            StatementError: 22P02, 22P03 and the like.
        """
        try:
            self._check_not_failed(prepared)
            if prepared.call is not None:
                return None
            return Portal(prepared, _decode_parameters(prepared, bind), tuple(bind.result_formats))
        except GatewayError:
            self.log.begin(prepared.text, Protocol.EXTENDED, prepared)
            raise

    async def bind(self, prepared: PreparedQuery, bind: Bind) -> Portal:
        """Bind the parameters of a call, whose rows they may decide.

        Raises:
            StatementError: as `bind_now`; the call's own errors.
        """
        try:
            self._check_not_failed(prepared)
            parameters = _decode_parameters(prepared, bind)
            prepared = await self._planner.calls.bound(prepared, parameters)
        except _STOPS:
            self.log.begin(prepared.text, Protocol.EXTENDED, prepared)
            raise
        return Portal(prepared, parameters, tuple(bind.result_formats))

    async def execute(self, portal: Portal, max_rows: int, sink: Client) -> Completion:
        """Run or continue a portal; rows go to the sink."""
        prepared = portal.prepared
        if prepared.is_empty:
            return Completion(None)
        self.log.resume(portal, Protocol.EXTENDED)
        self._check_not_failed(prepared)
        if prepared.utility is not None:
            result = await self._utilities.run(prepared.utility, sink, portal, describe=False)
            _send_rows(result, sink)
            self.log.end(_rows_of(result))
            return Completion(result.tag, transaction_ended=result.transaction_ended)
        if portal.cursor is not None:
            completion = await self._cursors.execute(portal, max_rows, sink)
        else:
            self.settings.begin_block()
            completion = await self._driver.run(portal, sink, max_rows, describe=False, in_block=True)
        if completion.is_suspended:
            self.log.suspend(portal)
        else:
            self.log.end(completion.rows)
        return completion

    def end_pipeline_now(self) -> bool:
        """Sync where nothing has to be waited for. False: use `end_pipeline`."""
        return self._blocks.end_trivially()

    async def end_pipeline(self) -> None:
        """Sync: commit the implicit block, if there is one."""
        await self._end_implicit()

    async def release(self, portal: Portal) -> None:
        """Close a portal and stop its statement."""
        await self._driver.close(portal)

    async def fail(self, error: GatewayError) -> TransactionStatus:
        """Let the transaction fail after an error.

        An implicit block is rolled back, an explicit one becomes failed. The statement's record ends here,
        whether the error came from the statement or from what stopped it.
        """
        self.log.end(error=error)
        if self._transaction.is_open and not self._transaction.is_implicit:
            await self._runner.close_all()
            self._transaction.fail(in_engine=self._transaction.is_engine_open)
        else:
            await self._blocks.end(is_commit=False)
        return self.status

    async def close(self, cause: GatewayError) -> None:
        """End the session: stop what runs, roll back what is open. cause: what ended it."""
        self.log.close(cause)
        self.notifications.unlisten_all()
        await self._runner.close_all()
        try:
            if self._transaction.is_open:
                await self._transaction.end(is_commit=False)
        finally:
            await self._transaction.unpin()
            await self._catalog.close()

    async def _prepare(self, text: str, oids: Sequence[int], *, needs_columns: bool) -> PreparedQuery:
        try:
            prepared = await self._planner.prepare(text, oids, needs_columns=needs_columns)
        except GatewayError as error:
            if self._transaction.is_failed and not _is_of_grammar(error):
                raise FailedTransaction(_FAILED_BLOCK) from error
            raise
        self._check_not_failed(prepared)
        return prepared

    def _check_not_failed(self, prepared: PreparedQuery) -> None:
        if self._transaction.is_failed and not isinstance(prepared.utility, _ALLOWED_IN_FAILED_BLOCK):
            raise FailedTransaction(_FAILED_BLOCK)
        is_rollback = isinstance(prepared.utility, (u.Rollback, u.RollbackTo))
        if not is_rollback and not self._services.recorder.accepts:
            raise AuditUnavailable("the audit log cannot be written, and no statement runs without it")

    async def _run_utility(self, statement: u.UtilityStatement, sink: Client, *, describe: bool) -> bool:
        result = await self._utilities.run(statement, sink, describe=describe)
        if result.columns is not None and describe:
            sink.send(RowDescription(result.columns))
        _send_rows(result, sink)
        self.log.end(_rows_of(result))
        sink.send(CommandComplete(result.tag))
        return result.transaction_ended

    def _check_syntax(self, statement: StatementText) -> None:
        try:
            self._planner.check_syntax(statement.text)
        except GatewayError as error:
            if _is_of_grammar(error):
                raise shift_position(error, statement.offset) from error


_FAILED_BLOCK = "current transaction is aborted, commands ignored until end of transaction block"


class AuditUnavailable(GatewayError):
    """AUDIT_MODE=fail_closed, and the audit log cannot be written."""

    default_sqlstate = SqlState.IO_ERROR


class IdleTimeout(GatewayError):
    """The client was idle for longer than its settings allow; the connection closes."""

    fatal = True

    def __init__(self, *, in_block: bool) -> None:
        what = "idle-in-transaction" if in_block else "idle-session"
        state = SqlState.IDLE_IN_TRANSACTION_SESSION_TIMEOUT if in_block else SqlState.IDLE_SESSION_TIMEOUT
        super().__init__(f"terminating connection due to {what} timeout", sqlstate=state)


def _is_of_grammar(error: GatewayError) -> bool:
    """Whether PostgreSQL's parser says it, before anything of the session is looked at."""
    return error.sqlstate is SqlState.SYNTAX_ERROR and error.message.startswith("syntax error")


def _decode_parameters(prepared: PreparedQuery, bind: Bind) -> tuple[Parameter, ...]:
    formats = bind.parameter_formats
    parameters = []
    for index, (oid, value) in enumerate(zip(prepared.parameter_oids, bind.parameters, strict=True)):
        code = 0 if not formats else formats[0] if len(formats) == 1 else formats[index]
        raw = bytes(value) if value is not None else None
        decode_parameter(oid, code, raw)
        parameters.append(Parameter(oid, code, raw))
    return tuple(parameters)


def _rows_of(result: UtilityResult) -> int:
    """How many rows the answer's tag counts, or the answer itself has."""
    count = result.tag.rpartition(" ")[2]
    return int(count) if count.isdecimal() else len(result.rows)


def _send_rows(result: UtilityResult, sink: Sink) -> None:
    for row in result.rows:
        sink.send(DataRow(tuple(value.encode() for value in row)))


async def _cut(query: str) -> tuple[StatementText, ...]:
    """Cut a query string into statements; a long one beside the event loop."""
    if len(query) <= MAX_CACHED_TEXT_CHARS:
        return split_statements(query)
    return await asyncio.to_thread(split_statements, query)
