"""Two ways to get a statement's chunks from a node: one stream, or a spool that outlives a cut connection."""

import structlog

from execnode.query_ids import new_query_id
from execnode.rpc.execnode import v1
from execnode.statement import EngineStatement
from pgproxy.engines.chunk_codec import ReceivedChunk
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.remote_call import ChunkCall
from pgproxy.engines.remote_errors import CatalogsOutdated, QueryUnknown
from pgproxy.engines.remote_messages import encode_statement
from pgproxy.engines.remote_node import RemoteNode
from pgproxy.engines.resuming import Resumption, is_cut, node_lost
from pgwire.errors import GatewayError

log = structlog.get_logger(__name__)


class DirectChunks:
    """Direct mode: Execute is one stream; when it breaks, the node stops the statement."""

    def __init__(self, node: RemoteNode, statement: EngineStatement, session_id: str) -> None:
        self._node = node
        self._statement = encode_statement(statement)
        self._metadata = statement.metadata
        self._session_id = session_id
        self._query_id = new_query_id()
        self._call: ChunkCall | None = None
        self._first: ReceivedChunk | None = None

    async def start(self) -> None:
        """Send it and wait for the columns, which the node gives as soon as it has left its queue."""
        try:
            self._first = await self._node.with_catalogs(self._execute)
        except GatewayError:
            await self._leave()
            raise

    async def next_chunk(self) -> ReceivedChunk:
        if self._call is None:
            await self.start()
        call, chunk, self._first = self._call, self._first, None
        try:
            if chunk is None and call is not None:
                chunk = await call.receive()
            if chunk is None:
                raise EngineUnavailable("the exec node ended the result too early", FallbackReason.NODE_LOST)
            if chunk.is_last:
                await self._end()
        except GatewayError:
            await self._leave()
            raise
        return chunk

    async def read_progress(self) -> float | None:
        return await self._node.read_progress(self._query_id) if self._call is not None else None

    async def stop(self) -> None:
        if self._call is None:
            return
        try:
            await self._node.cancel_query(self._query_id)
        except GatewayError as error:
            log.info("remote.cancel_not_confirmed", sqlstate=error.sqlstate)
        finally:
            await self._leave()

    async def _execute(self) -> ReceivedChunk | None:
        request = v1.ExecuteRequest(
            query_id=self._query_id,
            session_id=self._session_id,
            statement=self._statement,
            catalog_generation=self._node.catalogs.number,
        )
        await self._leave()
        self._call = await self._node.open_chunks("Execute", request, self._metadata).__aenter__()
        return await self._call.receive()

    async def _end(self) -> None:
        """Read the final status, which must be good, and let the stream go."""
        call = self._call
        if call is not None and await call.receive() is not None:
            raise EngineUnavailable("the exec node sent more after the end", FallbackReason.NODE_LOST)
        await self._leave()

    async def _leave(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            await call.__aexit__(None, None, None)


class SpooledChunks:
    """Cursor mode: the node keeps what was not acknowledged, so a cut stream goes on at the next sequence."""

    def __init__(self, node: RemoteNode, statement: EngineStatement, session_id: str) -> None:
        self._node = node
        self._statement = encode_statement(statement)
        self._metadata = statement.metadata
        self._session_id = session_id
        self._query_id = new_query_id()
        self._call: ChunkCall | None = None
        self._is_submitted = False
        self._is_spooled = False
        self._has_ended = False
        self._next_sequence = 0
        self._resumption = Resumption(node)
        self._instance_id = ""

    async def start(self) -> None:
        """Submit it; the node has then taken it, if only into its queue.

        Where the reply is lost it is submitted again under the same id, to the same process only: it starts
        once.
        """
        self._is_spooled = True
        self._node.held.queries.add(self._query_id)
        try:
            await self._node.with_catalogs(self._submit)
        except EngineUnavailable as failure:
            if not self._may_submit_again(failure):
                # Nothing reached the node: a try to cancel it would only wait for another connection.
                self._is_spooled = failure.reason is not FallbackReason.CONNECT
                raise
            await self._submit_again(failure)
        self._is_submitted = True

    def _may_submit_again(self, failure: EngineUnavailable) -> bool:
        """Whether only the reply may have been lost, and the process that was asked is known."""
        is_lost = failure.reason is FallbackReason.NODE_LOST and not isinstance(failure, QueryUnknown)
        return is_lost and bool(self._instance_id)

    async def _submit_again(self, failure: EngineUnavailable) -> None:
        while True:
            await self._resumption.wait(failure)
            try:
                await self._submit()
            except EngineUnavailable as again:
                if not is_cut(again):
                    raise node_lost() from again
                failure = again
            else:
                return

    async def next_chunk(self) -> ReceivedChunk:
        if not self._is_submitted:
            await self.start()
        while True:
            try:
                chunk = await self._receive()
            except EngineUnavailable as failure:
                await self._leave()
                await self._resumption.wait(failure)
                log.info("remote.resuming", sequence=self._next_sequence)
                continue
            if chunk is not None and self._accept(chunk):
                return chunk

    async def read_progress(self) -> float | None:
        return await self._node.read_progress(self._query_id) if self._is_submitted else None

    async def stop(self) -> None:
        """Interrupt the query unless it has ended, and drop its spool.

        A node that was just given up, or does not confirm it, is asked again once it answers.
        """
        await self._leave()
        try:
            if self._is_spooled:
                self._is_spooled = False
                await self._drop()
        finally:
            self._node.held.queries.discard(self._query_id)

    async def _drop(self) -> None:
        if self._resumption.has_given_up:
            self._node.abandon_query(self._query_id)
            return
        try:
            if not self._has_ended:
                await self._node.cancel_query(self._query_id)
            await self._node.delete_query(self._query_id)
        except GatewayError as error:
            log.info("remote.cancel_not_confirmed", sqlstate=error.sqlstate)
            self._node.abandon_query(self._query_id)

    async def _submit(self) -> None:
        """Submit; a call after the first is for the process that the first was for."""
        instance_id = self._instance_id
        self._instance_id = instance_id or self._node.catalogs.instance_id
        request = v1.SubmitQueryRequest(
            query_id=self._query_id,
            session_id=self._session_id,
            statement=self._statement,
            catalog_generation=self._node.catalogs.number,
            instance_id=instance_id,
        )
        try:
            await self._node.submit(request, self._metadata)
        except CatalogsOutdated:  # refused: another process may be asked first
            self._instance_id = ""
            raise

    async def _receive(self) -> ReceivedChunk | None:
        """Give the next chunk of the present call; None: its window is over; the next acknowledges it."""
        call = self._call
        if call is None:
            request = v1.FetchResultsRequest(query_id=self._query_id, from_sequence=self._next_sequence)
            call = self._call = await self._node.open_chunks(
                "FetchResults", request, self._metadata
            ).__aenter__()
        chunk = await call.receive()
        if chunk is None:
            await self._leave()
        return chunk

    def _accept(self, chunk: ReceivedChunk) -> bool:
        """Whether the chunk is the next one; one that came before is dropped.

        Raises:
            EngineUnavailable: one is missing: the node acknowledged what it never sent.
        """
        if chunk.sequence > self._next_sequence:
            raise EngineUnavailable("the exec node lost a part of the result", FallbackReason.NODE_LOST)
        self._resumption.succeed()
        if chunk.sequence < self._next_sequence:
            return False
        self._next_sequence += 1
        self._has_ended = chunk.is_last
        return True

    async def _leave(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            await call.__aexit__(None, None, None)
