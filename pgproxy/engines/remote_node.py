"""The calls that the gateway makes of one node: authorised, within a deadline, their failures translated.

It keeps which catalogs statements need and which the node is known to have.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from execnode.contract import negotiate
from execnode.rpc.execnode import v1
from execnode.statement import CatalogGeneration
from pgproxy.engines.channel import NodeChannel
from pgproxy.engines.errors import EngineUnavailable, FallbackReason, IncompatibleNode
from pgproxy.engines.remote_call import ChunkCall
from pgproxy.engines.remote_errors import CatalogsOutdated, node_errors_translated
from pgproxy.engines.remote_messages import encode_generation
from pgwire.errors import GatewayError

log = structlog.get_logger(__name__)

_Reply = TypeVar("_Reply")

_ABANDONED_QUERIES = 1000
"""More are left to the node's own clean-up."""


@dataclass(frozen=True, slots=True)
class CallTimes:
    """Deadlines in seconds.

    call_s: a call that does little. attach_s: attaching catalogs (a lake's catalog may be far). start_s:
    from sending a statement to knowing its columns, waiting in the node's queue included. cancel_s: for the
    node to confirm a stop. resume_s: for a node to answer again after a cut, all attempts together.
    """

    call_s: float = 5.0
    attach_s: float = 30.0
    start_s: float = 30.0
    cancel_s: float = 5.0
    resume_s: float = 10.0


@dataclass(slots=True)
class NodeCatalogs:
    """wanted: what statements need; None: nothing yet. attached: what the node has, as far as known.

    instance_id: of the process that was told; empty: it does not say. contract_version: agreed with it; 0:
    not yet.
    """

    wanted: CatalogGeneration | None = None
    attached: int = 0
    instance_id: str = ""
    contract_version: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def number(self) -> int:
        """The generation that statements name."""
        return self.wanted.number if self.wanted is not None else 0


@dataclass(slots=True)
class HeldOnNode:
    """What a gateway has on a node that outlives a connection, by id."""

    queries: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)


class RemoteNode:
    """A node, by its calls. held: whoever has it spooled adds a query, and takes it away."""

    def __init__(self, channel: NodeChannel, token: str, times: CallTimes) -> None:
        self._channel = channel
        self._metadata = {"authorization": f"Bearer {token}"}
        self._stub = v1.ExecNodeStub(channel, metadata=self._metadata)
        self.times = times
        self.catalogs = NodeCatalogs()
        self.held = HeldOnNode()
        self._abandoned: deque[str] = deque(maxlen=_ABANDONED_QUERIES)

    def close(self) -> HeldOnNode:
        """Drop the connection for good; who still uses it is told that the node was lost.

        Gives what is left on the node.
        """
        self._channel.end()
        return HeldOnNode({*self.held.queries, *self._abandoned}, set(self.held.sessions))

    async def end(self, held: HeldOnNode) -> None:
        """Stop and drop it, within `CallTimes.cancel_s`; a node that does not answer forgets it itself."""
        work = [self._drop_query(query_id) for query_id in held.queries]
        work += [self.close_session(session_id) for session_id in held.sessions]
        try:
            async with asyncio.timeout(self.times.cancel_s):
                await asyncio.gather(*work)
        except (GatewayError, TimeoutError):
            log.info("remote.left_on_node", queries=len(held.queries), sessions=len(held.sessions))

    def open_chunks(self, method: str, request: Any, metadata: Mapping[str, str]) -> ChunkCall:
        """Prepare a call that answers with chunks. metadata: of the statement."""
        return ChunkCall(self._channel, method, request, {**self._metadata, **metadata})

    async def health(self, timeout_s: float, refuse_new_s: float = 0.0) -> v1.HealthReply:
        """Ask for the node's health. refuse_new_s: for so long it shall take nothing new."""
        request = v1.HealthRequest(refuse_new_s=refuse_new_s)
        return await self._call(self._stub.health(request), timeout_s)

    async def attach(self, generation: CatalogGeneration) -> None:
        """Attach exactly these catalogs."""
        async with self.catalogs.lock:
            await self._attach(generation)

    async def _attach(self, generation: CatalogGeneration) -> None:
        reply = await self._call(
            self._stub.attach_catalogs(encode_generation(generation)), self.times.attach_s
        )
        version = negotiate(reply.contract_version or 1, reply.min_contract_version)
        if version is None:
            raise IncompatibleNode
        self.catalogs.contract_version = version
        self.catalogs.attached = max(generation.number, reply.generation)
        self.catalogs.instance_id = reply.instance_id

    async def with_catalogs(self, work: Callable[[], Awaitable[_Reply]]) -> _Reply:
        """Do `work`, which names `catalogs.number`, with the catalogs attached; at most one second try.

        A node that was restarted has forgotten them, which only it can say; nothing has run then.
        """
        await self._ensure_catalogs()
        try:
            return await work()
        except CatalogsOutdated:
            self.catalogs.attached = 0
            await self._ensure_catalogs()
            return await work()

    async def _ensure_catalogs(self) -> None:
        wanted = self.catalogs.wanted
        if wanted is None or self.catalogs.attached >= wanted.number:
            return
        async with self.catalogs.lock:
            if self.catalogs.attached < wanted.number:
                await self._attach(wanted)

    async def open_session(self) -> str:
        """Open a pinned session; gives its id."""

        async def call() -> v1.OpenSessionReply:
            request = v1.OpenSessionRequest(catalog_generation=self.catalogs.number)
            return await self._call(self._stub.open_session(request), self.times.start_s)

        session_id = (await self.with_catalogs(call)).session_id
        self.held.sessions.add(session_id)
        return session_id

    async def close_session(self, session_id: str) -> None:
        """Roll back and close a pinned session."""
        request = v1.CloseSessionRequest(session_id=session_id)
        await self._call(self._stub.close_session(request), self.times.cancel_s)
        self.held.sessions.discard(session_id)

    async def stage_rows(self, request: v1.StageRowsRequest) -> None:
        """Gather rows in a temporary table of a pinned session. A cancelled caller waits for the answer."""
        call = asyncio.ensure_future(self._call(self._stub.stage_rows(request), self.times.start_s))
        try:
            await asyncio.shield(call)
        except asyncio.CancelledError:
            await asyncio.wait({call})
            raise

    async def describe(self, statement: v1.Statement, session_id: str) -> v1.DescribeReply:
        """Bind without executing."""

        async def call() -> v1.DescribeReply:
            request = v1.DescribeRequest(
                session_id=session_id, statement=statement, catalog_generation=self.catalogs.number
            )
            return await self._call(self._stub.describe(request), self.times.start_s)

        return await self.with_catalogs(call)

    async def submit(self, request: v1.SubmitQueryRequest, metadata: Mapping[str, str]) -> None:
        """Start a query into the node's spool; sent twice it starts once: its id is the idempotency key."""
        await self._call(
            self._stub.submit_query(request, metadata={**self._metadata, **metadata}), self.times.start_s
        )

    async def cancel_query(self, query_id: str) -> None:
        """Interrupt a query; returns when it has stopped."""
        request = v1.CancelQueryRequest(query_id=query_id)
        await self._call(self._stub.cancel_query(request), self.times.cancel_s)

    async def read_progress(self, query_id: str) -> float | None:
        """How far a query is, from 0 to 1; None where the engine cannot tell."""
        request = v1.GetProgressRequest(query_id=query_id)
        return (await self._call(self._stub.get_progress(request), self.times.call_s)).progress

    async def delete_query(self, query_id: str) -> None:
        """Drop a query's spool."""
        request = v1.DeleteQueryRequest(query_id=query_id)
        await self._call(self._stub.delete_query(request), self.times.call_s)

    def abandon_query(self, query_id: str) -> None:
        """Give a query up that the node cannot be told about now; it is told as soon as it answers again."""
        self._abandoned.append(query_id)

    async def drop_abandoned(self) -> None:
        """Stop and drop what was given up, on a node that has just answered; if it is lost again, later."""
        while self._abandoned:
            query_id = self._abandoned[0]
            try:
                await self._drop_query(query_id)
            except GatewayError as error:
                log.info("remote.abandoned_query_stays", sqlstate=error.sqlstate)
                return
            if self._abandoned and self._abandoned[0] == query_id:
                self._abandoned.popleft()

    async def _drop_query(self, query_id: str) -> None:
        await self.cancel_query(query_id)
        await self.delete_query(query_id)

    async def _call(self, reply: Awaitable[_Reply], timeout_s: float) -> _Reply:
        try:
            async with asyncio.timeout(timeout_s):
                with node_errors_translated():
                    return await reply
        except TimeoutError as error:
            raise EngineUnavailable(
                "the exec node did not answer in time", FallbackReason.DEADLINE
            ) from error
