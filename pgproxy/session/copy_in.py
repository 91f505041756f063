"""COPY … FROM STDIN.

The rows go, typed, into a temporary table of the block's own engine session; then one planned
`INSERT … SELECT` stores them, under the policy of any other INSERT. Never by the engine's own COPY.
PostgreSQL docs, "COPY" and "COPY Operations".
"""

from uuid import uuid4

from pgproxy.engines.base import StagingSession
from pgproxy.session.copy_options import copy_options
from pgproxy.session.copy_staging import CopyStaging
from pgproxy.session.copy_target import CopyDestination, find_destination
from pgproxy.session.planning import StatementPlanner
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.running import PlanRunner
from pgproxy.session.sink import Client
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.utility import statements as u
from pgwire.backend import CopyInResponse
from pgwire.copy import CopyBinaryDecoder, CopyFormat, CopyOptions, CopyTextDecoder
from pgwire.errors import FeatureNotSupported, GatewayError, InternalError

_PIECE_BYTES = 1 << 20
"""Clients send small pieces; so much, about a batch of rows, is gathered for one turn of decoding."""

Decoder = CopyTextDecoder | CopyBinaryDecoder


class CopyIn:
    """Runs COPY FROM for one session."""

    def __init__(self, planner: StatementPlanner, driver: PortalDriver, runner: PlanRunner) -> None:
        self._planner = planner
        self._driver = driver
        self._runner = runner

    async def run(self, statement: u.UtilityStatement, client: Client) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind.

        Raises:
            GatewayError: as the client may see it. What it still sends then is passed over.
        """
        if not isinstance(statement, u.CopyFrom):
            return None
        options = copy_options(statement)
        staging = f"copy_{uuid4().hex}"
        destination = find_destination(self._planner, statement, options, staging)
        temporary = self._planner.catalog.temp_tables
        temporary[staging] = destination.staging
        try:
            rows = await self._copy(destination, options, client)
        finally:
            temporary.pop(staging, None)
        return UtilityResult(f"COPY {rows}")

    async def _copy(self, destination: CopyDestination, options: CopyOptions, client: Client) -> int:
        try:
            prepared = await self._planner.prepare(destination.insert_text, needs_columns=False)
        except GatewayError as error:
            raise destination.as_denied(error) from error
        session = await self._session(prepared)
        decoder = _decoder(destination, options)
        await session.create_staging(destination.staging.name.name, decoder.schema)
        code = int(options.format is CopyFormat.BINARY)
        await client.begin_copy(CopyInResponse(code, (code,) * len(destination.target.columns)))
        await self._gather(decoder, session, destination, client)
        portal = Portal(prepared)
        try:
            completion = await self._driver.run(portal, client, 0, describe=False, in_block=True)
        except GatewayError as error:
            error.where = error.where or f"COPY {destination.target.table}"
            raise
        await session.drop_staging(destination.staging.name.name)
        return completion.rows

    async def _session(self, prepared: PreparedQuery) -> StagingSession:
        plan = prepared.plan
        if plan is None:
            raise InternalError("the INSERT of a COPY has no plan")
        self._runner.transaction.begin_implicit()
        pinned = await self._runner.pin_for_write(plan, self._planner.policy.groups, "COPY FROM")
        if not isinstance(pinned.session, StagingSession):
            raise FeatureNotSupported("COPY FROM STDIN on a remote endpoint is not supported")
        return pinned.session

    async def _gather(
        self, decoder: Decoder, session: StagingSession, destination: CopyDestination, client: Client
    ) -> None:
        """Decode in a thread, one piece after the other, while the engine stages what came before."""
        gathered = bytearray()
        async with CopyStaging(session, destination.staging.name.name) as staging:
            while (data := await client.read_copy()) is not None:
                gathered += data
                if len(gathered) >= _PIECE_BYTES:
                    await staging.take(decoder.feed(bytes(gathered)))
                    gathered.clear()
            await staging.take(decoder.feed(bytes(gathered)))
            await staging.take(decoder.finish())
            await staging.store()


def _decoder(destination: CopyDestination, options: CopyOptions) -> Decoder:
    if options.format is CopyFormat.BINARY:
        return CopyBinaryDecoder(destination.target)
    return CopyTextDecoder(destination.target, options)
