"""What one statement's result may come to: MAX_RESULT_ROWS and MAX_RESULT_BYTES."""

from collections.abc import Callable
from dataclasses import dataclass

from execnode.statement import RowChunk
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState


class ResultTooLarge(GatewayError):
    """The result passes a limit of the node; what was sent before is of no use."""

    default_sqlstate = SqlState.PROGRAM_LIMIT_EXCEEDED


@dataclass(frozen=True, slots=True)
class ResultLimits:
    """0: no limit. Bytes are those of the encoded rows."""

    max_rows: int = 0
    max_bytes: int = 0


class ResultMeter:
    """Counts one result against the limits."""

    def __init__(self, limits: ResultLimits, observe: Callable[[RowChunk], None] | None = None) -> None:
        """observe: told of each chunk that is within the limits."""
        self._limits = limits
        self._observe = observe
        self._rows = 0
        self._bytes = 0

    def add(self, chunk: RowChunk) -> None:
        """Count a chunk before it is given out.

        Raises:
            ResultTooLarge: 54000, with it the result passes a limit.
        """
        self._rows += chunk.row_count
        self._bytes += len(chunk.rows)
        limits = self._limits
        if limits.max_rows and self._rows > limits.max_rows:
            raise ResultTooLarge(
                f"the result has more than the {limits.max_rows} rows that MAX_RESULT_ROWS allows"
            )
        if limits.max_bytes and self._bytes > limits.max_bytes:
            raise ResultTooLarge("the result has more bytes than MAX_RESULT_BYTES of the exec node allows")
        if self._observe is not None:
            self._observe(chunk)
