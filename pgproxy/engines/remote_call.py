"""One server stream of result chunks. A thin shell around grpclib's stream: opened, read, ended or reset."""

from types import TracebackType
from typing import Any, Self

from grpclib.client import Stream
from grpclib.const import Cardinality
from grpclib.exceptions import StreamTerminatedError

from pgproxy.engines.channel import NodeChannel
from pgproxy.engines.chunk_codec import ReceivedChunk
from pgproxy.engines.remote_errors import node_errors_translated


class ChunkCall:
    """A call that answers with chunks. An async context manager; leaving before the end resets the stream."""

    def __init__(self, channel: NodeChannel, method: str, request: Any, metadata: dict[str, str]) -> None:
        self._request = request
        self._stream: Stream[Any, ReceivedChunk] = channel.request(
            f"/execnode.v1.ExecNode/{method}",
            Cardinality.UNARY_STREAM,
            type(request),
            ReceivedChunk,
            metadata=metadata,
        )
        self._has_ended = False
        self._has_left = False

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        try:
            with node_errors_translated():
                await self._stream.send_message(self._request, end=True)
        except BaseException as error:
            await self._abandon(error)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._has_left:
            return
        if self._has_ended:
            await self._stream.__aexit__(None, None, None)
        else:
            await self._abandon(exc)

    async def receive(self) -> ReceivedChunk | None:
        """Give the next chunk; None: the node said that all is well and there is no more.

        Raises:
            GatewayError: what the node reported, or that it was lost.
        """
        with node_errors_translated():
            try:
                chunk = await self._stream.recv_message()
            except AssertionError:  # grpclib's own check: the node has ended the stream amid a message
                await self._leave_cut_short()
                raise
            if chunk is None:
                await self._stream.recv_trailing_metadata()
                self._has_ended = True
            return chunk

    async def _leave_cut_short(self) -> None:
        """Have grpclib raise the status that came instead of the rest, if one did."""
        self._has_left = True
        cut = StreamTerminatedError("a message was cut short")
        await self._stream.__aexit__(StreamTerminatedError, cut, None)

    async def _abandon(self, exc: BaseException | None) -> None:
        """Reset the stream without waiting for its end: grpclib does that when it is left by an exception."""
        error = exc if exc is not None else GeneratorExit()
        await self._stream.__aexit__(type(error), error, None)
