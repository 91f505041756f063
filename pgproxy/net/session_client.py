"""The connection as its SQL session sees it: answers go out, the data of COPY FROM STDIN comes in.

PostgreSQL docs, "COPY Operations". The session's state machine stays the judge of every message.
"""

from pgproxy.net.output import ClientOutput
from pgproxy.net.stream import ClientStream
from pgwire.backend import BackendMessage, CopyInResponse
from pgwire.errors import GatewayError, QueryCanceled
from pgwire.framing import FrameReader
from pgwire.frontend import decode_frontend
from pgwire.session import effects as e
from pgwire.session.machine import Session
from pgwire.session.outcomes import CopyInStarted


class SessionClient:
    """`pgproxy.session.sink.Client` over one connection. Used by the connection's own task."""

    def __init__(
        self, stream: ClientStream, output: ClientOutput, frames: FrameReader, machine: Session
    ) -> None:
        self._stream = stream
        self._output = output
        self._frames = frames
        self._machine = machine

    def send(self, message: BackendMessage) -> None:
        """Queue one message."""
        self._output.send(message)

    async def write_rows(self, rows: bytes | memoryview) -> None:
        """Forward encoded rows; returns when the client can take more.

        Raises:
            ConnectionResetError: the client has gone.
        """
        await self._output.write_rows(rows)

    async def begin_copy(self, response: CopyInResponse) -> None:
        """Ask the client for its data."""
        self._output.send(response)
        await self._output.drain()
        self._machine.resume(CopyInStarted())

    async def read_copy(self) -> bytes | None:
        """Give the next piece of data, or None at its end.

        Raises:
            QueryCanceled: 57014, the client gave up.
            ProtocolViolation: a message that has no place in COPY data; the connection closes.
            ConnectionResetError: the client has gone.
        """
        while True:
            for effect in await self._next_effects():
                match effect:
                    case e.CopyInData(data=data):
                        return data
                    case e.CopyInDone():
                        return None
                    case e.CopyInFailed(reason=reason):
                        raise QueryCanceled(f"COPY from stdin failed: {reason}")
                    case e.FailTransaction(error=error):
                        raise error
                    case e.CloseConnection():
                        raise ConnectionResetError("the client left during COPY")
                    case _:
                        raise TypeError(f"{type(effect).__name__} during COPY")

    async def _next_effects(self) -> tuple[e.Effect, ...]:
        frame = self._frames.next_frame()
        while frame is None:
            data = await self._stream.read()
            if not data:
                raise ConnectionResetError("the client left during COPY")
            self._frames.feed(data)
            frame = self._frames.next_frame()
        try:
            message = decode_frontend(frame.tag, frame.body)
        except GatewayError as error:
            return tuple(self._machine.reject(frame.tag, error))
        return tuple(self._machine.receive(message))
