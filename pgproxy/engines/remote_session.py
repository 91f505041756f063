"""A pinned session on an exec node."""

import asyncio

import pyarrow as pa
import structlog

from execnode.rpc.execnode import v1
from execnode.statement import EngineStatement
from pgproxy.engines.errors import EngineUnavailable
from pgproxy.engines.remote_errors import QueryUnknown
from pgproxy.engines.remote_node import RemoteNode
from pgproxy.engines.remote_sources import DirectChunks
from pgproxy.engines.remote_stream import RemoteStream
from pgwire.errors import FeatureNotSupported, GatewayError

log = structlog.get_logger(__name__)

_STAGES_ROWS = 4
"""Since this version of the contract a node takes rows."""


class RemoteSession:
    """A pinned session on a node. It takes rows, too: a batch in a call, so that no more is on its way."""

    def __init__(self, node: RemoteNode, session_id: str) -> None:
        self.node = node
        self.session_id = session_id

    async def execute_utility(self, sql: str) -> None:
        """Run a statement without rows. A node that does not know the session has surely run nothing."""
        source = DirectChunks(self.node, EngineStatement(sql, returns_rows=False), self.session_id)
        stream = RemoteStream(source)
        try:
            while await stream.read() is not None:
                pass
        except QueryUnknown as failure:
            raise EngineUnavailable(failure.message, failure.reason, outcome_is_open=False) from failure
        finally:
            await stream.stop()

    async def create_staging(self, table: str, schema: pa.Schema) -> None:
        """Make the table `temp.main.<table>`.

        Raises:
            FeatureNotSupported: the node is too old.
            GatewayError: the engine refused it, or the node was lost.
        """
        if self.node.catalogs.contract_version < _STAGES_ROWS:
            raise FeatureNotSupported(
                "the exec node is too old for COPY FROM STDIN", hint="Upgrade the node."
            )
        await self._stage(table, v1.StageAction.CREATE_TABLE, _arrow_stream(schema))

    async def append_staging(self, table: str, batch: pa.RecordBatch) -> None:
        """Append rows to it."""
        await self._stage(table, v1.StageAction.APPEND_ROWS, _arrow_stream(batch.schema, batch))

    async def drop_staging(self, table: str) -> None:
        """Drop it."""
        await self._stage(table, v1.StageAction.DROP_TABLE, b"")

    async def _stage(self, table: str, action: v1.StageAction, arrow_stream: bytes) -> None:
        await self.node.stage_rows(
            v1.StageRowsRequest(
                session_id=self.session_id, table=table, action=action, arrow_stream=arrow_stream
            )
        )

    async def close(self) -> None:
        try:
            await self.node.close_session(self.session_id)
        except GatewayError as error:
            # A node that cannot be reached ends its sessions itself.
            log.info("remote.session_not_closed", sqlstate=error.sqlstate)


async def opened_session(node: RemoteNode) -> RemoteSession:
    """Open a session. One whose opener is cancelled meanwhile is closed: only its reply tells its id."""
    opening = asyncio.ensure_future(node.open_session())
    try:
        return RemoteSession(node, await asyncio.shield(opening))
    except asyncio.CancelledError:
        await asyncio.wait({opening}, timeout=node.times.cancel_s)
        if not opening.done():
            opening.cancel()  # the node ends a session that nobody uses itself
        elif not opening.cancelled() and opening.exception() is None:
            await RemoteSession(node, opening.result()).close()
        raise


def _arrow_stream(schema: pa.Schema, *batches: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()
