"""An exec node as an `Engine`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from execnode.statement import CatalogGeneration, EngineStatement
from pgproxy.engines.base import EngineSession, ResultStream
from pgproxy.engines.channel import ChannelTimes, NodeChannel, NodeTls, parse_node_url
from pgproxy.engines.chunk_codec import NodeCodec
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.probe import ProbeReport
from pgproxy.engines.remote_messages import decode_columns, encode_statement
from pgproxy.engines.remote_node import CallTimes, RemoteNode
from pgproxy.engines.remote_sources import DirectChunks, SpooledChunks
from pgproxy.engines.remote_stream import RemoteStream
from pgwire.errors import GatewayError
from pgwire.types import ResultColumn

log = structlog.get_logger(__name__)

CONTRACT_VERSION = 1
"""Of schema.proto. A node with another one is not used."""


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """How to talk to nodes, the same for all. use_cursor_mode: spooled and resumable, else one stream."""

    use_cursor_mode: bool = False
    tls: NodeTls = field(default_factory=NodeTls)
    channel_times: ChannelTimes = field(default_factory=ChannelTimes)
    call_times: CallTimes = field(default_factory=CallTimes)
    probe_s: float = 2.0


class RemoteSession:
    """A pinned session on a node."""

    def __init__(self, node: RemoteNode, session_id: str) -> None:
        self._node = node
        self.session_id = session_id

    async def execute_utility(self, sql: str) -> None:
        source = DirectChunks(self._node, EngineStatement(sql, returns_rows=False), self.session_id)
        stream = RemoteStream(source)
        try:
            while await stream.read() is not None:
                pass
        finally:
            await stream.stop()

    async def close(self) -> None:
        try:
            await self._node.close_session(self.session_id)
        except GatewayError as error:
            # A node that cannot be reached ends its sessions itself.
            log.info("remote.session_not_closed", sqlstate=error.sqlstate)


class RemoteEngine:
    """One exec node. Its connection opens with the first call and again after a loss."""

    def __init__(self, name: str, url: str, token: str, options: RemoteOptions | None = None) -> None:
        """Prepare the connection without opening it.

        Raises:
            ValueError: `url` is neither grpc://HOST:PORT nor grpcs://HOST:PORT.
        """
        self._name = name
        self._options = options or RemoteOptions()
        channel = NodeChannel(
            parse_node_url(url),
            NodeCodec(),
            self._options.channel_times,
            self._options.tls,
        )
        self._node = RemoteNode(channel, token, self._options.call_times)

    @property
    def name(self) -> str:
        return self._name

    def expect_catalogs(self, generation: CatalogGeneration) -> None:
        """Make later statements need `generation`; where the node lacks it, it is attached first."""
        self._node.catalogs.wanted = generation

    async def attach_catalogs(self, generation: CatalogGeneration) -> None:
        self.expect_catalogs(generation)
        await self._node.attach(generation)

    async def probe(self) -> ProbeReport:
        """Ask the node how it is.

        Raises:
            EngineUnavailable: no good answer in time, or it speaks another version of the contract.
        """
        reply = await self._node.health(self._options.probe_s)
        if reply.contract_version != CONTRACT_VERSION:
            raise EngineUnavailable("the exec node speaks another contract", FallbackReason.UNHEALTHY)
        return ProbeReport(
            is_draining=reply.draining,
            load=reply.active_queries + reply.queued_queries,
            catalog_generation=reply.catalog_generation,
        )

    async def open_session(self) -> EngineSession:
        return RemoteSession(self._node, await self._node.open_session())

    async def describe(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> tuple[ResultColumn, ...]:
        reply = await self._node.describe(encode_statement(statement), _session_id(session))
        return decode_columns(reply.columns)

    @asynccontextmanager
    async def execute(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> AsyncIterator[ResultStream]:
        """Run a statement; see `Engine.execute`. One without rows is sent with the first `read`."""
        source_class = SpooledChunks if self._options.use_cursor_mode else DirectChunks
        stream = RemoteStream(source_class(self._node, statement, _session_id(session)))
        try:
            if statement.returns_rows:
                await stream.open(self._options.call_times.start_s)
            yield stream
        finally:
            await stream.stop()

    async def close(self) -> None:
        self._node.close()


def _session_id(session: EngineSession | None) -> str:
    """The node's name of a session.

    Raises:
        TypeError: the session belongs to another engine.
    """
    if session is None:
        return ""
    if not isinstance(session, RemoteSession):
        raise TypeError("the session belongs to another engine")
    return session.session_id
