"""Arrow record batches → DataRow messages. PostgreSQL docs, "Message Formats", DataRow."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from pgwire.errors import StatementError
from pgwire.rows.codecs import Encode, encoder_of
from pgwire.rows.compiled import compiled_rows
from pgwire.rows.message import EncodedRows, join_rows
from pgwire.sqlstate import SqlState
from pgwire.types import OutputSettings, ResultColumn

_DEFAULT_OUTPUT = OutputSettings()


class RowEncoder:
    """Encodes batches of one result."""

    def __init__(
        self,
        columns: Sequence[ResultColumn],
        formats: Sequence[int] = (),
        output: OutputSettings = _DEFAULT_OUTPUT,
        *,
        pure: bool = False,
    ) -> None:
        """Prepare the columns' encoders.

        formats: none (all text), one for all, or one a column, as in Bind; 0 text, 1 binary.
        pure: through pyarrow even where the compiled kernel is there: the kernel's oracle in tests.

        Raises:
            StatementError: 08P01, the number of formats fits neither; 22023, the time zone does not exist.
            FeatureNotSupported: binary was asked of a type that has none.
        """
        codes = column_formats(len(columns), formats)
        self._encoders: tuple[Encode, ...] = tuple(
            encoder_of(column, code, output) for column, code in zip(columns, codes, strict=True)
        )
        self._compiled = None if pure else compiled_rows(columns, codes, output, self._encoders)

    def encode(self, batch: pa.RecordBatch) -> EncodedRows:
        """Encode all rows of one batch.

        Raises:
            StatementError: 42804 or 22003, a value does not fit its declared type; 54000, the rows are more
                than 1 GiB together (`encode_parts` splits such batches).
        """
        if self._compiled is not None:
            return self._compiled.encode(batch)
        cells = [encode(column) for encode, column in zip(self._encoders, batch.columns, strict=True)]
        return join_rows(cells, batch.num_rows)

    def encode_parts(self, batch: pa.RecordBatch, max_bytes: int = 64 << 20) -> Iterator[EncodedRows]:
        """Encode a batch in parts, so that no part comes from much more than `max_bytes` of Arrow data."""
        if batch.num_rows <= 1 or batch.nbytes <= max_bytes:
            yield self.encode(batch)
            return
        middle = batch.num_rows // 2
        yield from self.encode_parts(batch.slice(0, middle), max_bytes)
        yield from self.encode_parts(batch.slice(middle), max_bytes)


def column_formats(column_count: int, formats: Sequence[int]) -> tuple[int, ...]:
    """Spread Bind's result formats over the columns.

    Raises:
        StatementError: 08P01, their number fits neither one nor all.
    """
    if len(formats) <= 1:
        return (formats[0] if formats else 0,) * column_count
    if len(formats) != column_count:
        raise StatementError(
            f"bind message has {len(formats)} result formats but query has {column_count} columns",
            sqlstate=SqlState.PROTOCOL_VIOLATION,
        )
    return tuple(formats)
