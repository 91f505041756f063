"""An exec node as an `Engine`."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from execnode.contract import negotiate
from execnode.statement import CatalogGeneration, EngineStatement
from pgproxy.control.fleet import Endpoint
from pgproxy.engines.base import EngineSession, ResultStream
from pgproxy.engines.channel import ChannelTimes, NodeChannel, parse_node_url
from pgproxy.engines.chunk_codec import NodeCodec
from pgproxy.engines.errors import IncompatibleNode
from pgproxy.engines.node_tls import NodeTls
from pgproxy.engines.probe import ProbeReport
from pgproxy.engines.remote_messages import decode_columns, encode_statement
from pgproxy.engines.remote_node import CallTimes, RemoteNode
from pgproxy.engines.remote_session import RemoteSession, opened_session
from pgproxy.engines.remote_sources import DirectChunks, SpooledChunks
from pgproxy.engines.remote_stream import RemoteStream
from pgwire.types import ResultColumn

log = structlog.get_logger(__name__)

_TELLS_CURSOR_MODE = 2
"""Since this version of the contract a node says whether it serves cursors."""


def _no() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """How to talk to nodes, the same for all.

    use_cursor_mode: asked for each statement: spooled and resumable, else one stream. A node that does not
    serve cursors is used without.
    """

    use_cursor_mode: Callable[[], bool] = _no
    tls: NodeTls = field(default_factory=NodeTls)
    channel_times: ChannelTimes = field(default_factory=ChannelTimes)
    call_times: CallTimes = field(default_factory=CallTimes)
    probe_s: float = 2.0


class RemoteEngine:
    """One exec node. Its connection opens with the first call and again after a loss."""

    def __init__(self, name: str, url: str, token: str, options: RemoteOptions | None = None) -> None:
        """Prepare the connection without opening it.

        Raises:
            ValueError: `url` is neither grpc://HOST:PORT nor grpcs://HOST:PORT.
        """
        self._name = name
        self._options = options or RemoteOptions()
        self._address, self._token = parse_node_url(url), token
        self._node = self._connection()
        self._serves_cursors = True

    @property
    def name(self) -> str:
        return self._name

    def expect_catalogs(self, generation: CatalogGeneration) -> None:
        """Make later statements need `generation`; where the node lacks it, it is attached first."""
        self._node.catalogs.wanted = generation

    async def attach_catalogs(self, generation: CatalogGeneration) -> None:
        self.expect_catalogs(generation)
        await self._node.attach(generation)

    async def probe(self, *, refuse_new_s: float = 0.0) -> ProbeReport:
        """Ask the node how it is. refuse_new_s: for so long it shall take nothing new.

        Raises:
            EngineUnavailable: no good answer in time.
            IncompatibleNode: it speaks no version of the contract that is spoken here.
        """
        asked_at = time.time()
        reply = await self._node.health(self._options.probe_s, refuse_new_s)
        midway = (asked_at + time.time()) / 2
        version = negotiate(reply.contract_version, reply.min_contract_version)
        if version is None:
            raise IncompatibleNode
        self._serves_cursors = reply.cursor_mode or version < _TELLS_CURSOR_MODE
        await self._node.drop_abandoned()
        return ProbeReport(
            is_draining=reply.draining,
            load=reply.active_queries + reply.queued_queries,
            catalog_generation=reply.catalog_generation,
            capacity=reply.max_concurrent_queries,
            queued=reply.queued_queries,
            memory_used_bytes=reply.memory_used_bytes,
            memory_limit_bytes=reply.memory_limit_bytes,
            spool_bytes=reply.spool_bytes,
            open_cursors=reply.open_cursors,
            open_sessions=reply.open_sessions,
            engine_version=reply.engine_version,
            contract_version=version,
            clock_skew_s=reply.wall_clock_s - midway if reply.wall_clock_s else None,
        )

    async def open_session(self) -> EngineSession:
        return await opened_session(self._node)

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
        uses_cursor = self._options.use_cursor_mode() and self._serves_cursors
        source_class = SpooledChunks if uses_cursor else DirectChunks
        stream = RemoteStream(source_class(self._node, statement, _session_id(session)))
        try:
            if statement.returns_rows:
                await stream.open(self._options.call_times.start_s)
            yield stream
        finally:
            await stream.stop()

    async def close(self) -> None:
        """End what is left on the node, if it answers, and never call it again."""
        held = self._node.close()
        if held.queries or held.sessions:
            last = self._connection()
            try:
                await last.end(held)
            finally:
                last.close()

    def _connection(self) -> RemoteNode:
        channel = NodeChannel(self._address, NodeCodec(), self._options.channel_times, self._options.tls)
        return RemoteNode(channel, self._token, self._options.call_times)


def remote_engine(
    endpoint: Endpoint,
    tls: NodeTls,
    use_cursor_mode: Callable[[], bool] = _no,
    *,
    lost_after_s: float = 20.0,
) -> RemoteEngine:
    """Make the engine of a registered endpoint.

    lost_after_s: a node that answers nothing for so long is given up. Half of it goes to notice that, by
    pings that need no query to move, and half to get back what can be resumed.
    """
    options = RemoteOptions(
        use_cursor_mode=use_cursor_mode,
        tls=tls,
        channel_times=ChannelTimes(ping_interval_s=lost_after_s / 4, ping_timeout_s=lost_after_s / 4),
        call_times=CallTimes(resume_s=lost_after_s / 2),
    )
    return RemoteEngine(endpoint.name, endpoint.url, endpoint.token, options)


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
