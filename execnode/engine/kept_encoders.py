"""Encoders that a connection keeps for results of the same shape.

Making one costs as much as encoding a hundred rows by it, and short statements come again and again. One is
with its result while that runs, so no two results share what it holds.
"""

from typing import TypeAlias

import pyarrow as pa

from execnode.engine.chunks import BatchEncoding
from execnode.engine.encoding import batch_encoding
from execnode.statement import EngineStatement, RowEncoding
from pgwire.types import OutputSettings, ResultColumn

MAX_KEPT = 8
"""Per connection; the one that was not used for the longest goes."""
MAX_KEPT_BYTES = 8 << 10
"""A result of more leaves its encoder with too much memory to keep; making one is little beside it."""

_Shape: TypeAlias = tuple[tuple[ResultColumn, ...], tuple[int, ...], OutputSettings, bool]


class KeptEncoders:
    """The encoders of one connection, by what they were made for. Used by one thread at a time."""

    def __init__(self) -> None:
        self._idle: dict[_Shape, BatchEncoding] = {}

    def take(
        self, statement: EngineStatement, columns: tuple[ResultColumn, ...], schema: pa.Schema
    ) -> BatchEncoding:
        """Give an encoder for a result; `give_back` takes it.

        Raises:
            GatewayError: as `batch_encoding`.
        """
        if self._idle and statement.encoding is RowEncoding.DATA_ROW:
            found = self._idle.pop(_shape(statement, columns), None)
            if found is not None:
                return found
        return batch_encoding(statement, columns, schema)

    def give_back(
        self,
        encoding: BatchEncoding,
        statement: EngineStatement,
        columns: tuple[ResultColumn, ...],
        used_bytes: int,
    ) -> None:
        """Keep it, if it may serve another result. used_bytes: what it has encoded."""
        if statement.encoding is not RowEncoding.DATA_ROW or used_bytes > MAX_KEPT_BYTES:
            return
        if len(self._idle) >= MAX_KEPT:
            del self._idle[next(iter(self._idle))]
        self._idle[_shape(statement, columns)] = encoding


def _shape(statement: EngineStatement, columns: tuple[ResultColumn, ...]) -> _Shape:
    return columns, statement.result_formats, statement.output, statement.with_row_offsets
