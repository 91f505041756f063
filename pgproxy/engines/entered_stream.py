"""A `ResultStream` that is to be entered first: what those of one engine and of several have in common."""

from contextlib import AbstractAsyncContextManager

from pgproxy.engines.base import ResultStream
from pgwire.types import ResultColumn


class EnteredStream:
    """Asks the engine's stream, once there is one."""

    __slots__ = ("_context", "_stream")

    def __init__(self) -> None:
        self._context: AbstractAsyncContextManager[ResultStream] | None = None
        self._stream: ResultStream | None = None

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The shape of the rows; known as soon as the stream is entered."""
        return self._opened.columns

    @property
    def affected_rows(self) -> int:
        """Rows written, once `read` has returned None."""
        return self._opened.affected_rows

    async def read_progress(self) -> float | None:
        """How far it is where it runs now; None where the engine cannot tell."""
        return None if self._stream is None else await self._stream.read_progress()

    @property
    def _opened(self) -> ResultStream:
        if self._stream is None:
            raise RuntimeError("a stream is read before it is entered")
        return self._stream
