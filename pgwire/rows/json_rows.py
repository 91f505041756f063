"""Arrow record batches → JSON arrays, one a row, vectorised.

Numbers and booleans are JSON's own, json values stand as they are, NULL is null; every other value is a
string of PostgreSQL's text. NaN and the infinities, which JSON lacks, are strings too.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow

from pgwire.rows.arrow import pa, pc
from pgwire.rows.byte_tables import translate
from pgwire.rows.cells import ArrowArray, Cells, Fixed, Piece, Varying, compress, join, values_of
from pgwire.rows.codecs import encoder_of
from pgwire.rows.strings import json_escapes
from pgwire.types import Oid, OutputSettings, ResultColumn

_INTEGERS = frozenset({Oid.INT2, Oid.INT4, Oid.INT8, Oid.OID})
_DECIMALS = frozenset({Oid.FLOAT4, Oid.FLOAT8, Oid.NUMERIC})
_DOCUMENTS = frozenset({Oid.JSON, Oid.JSONB})
_DEFAULT_OUTPUT = OutputSettings()


class JsonRowEncoder:
    """Encodes batches of one result."""

    def __init__(self, columns: Sequence[ResultColumn], output: OutputSettings = _DEFAULT_OUTPUT) -> None:
        self._columns = tuple(columns)
        self._encoders = tuple(encoder_of(column, 0, output) for column in columns)

    def encode(self, batch: pyarrow.RecordBatch) -> bytes:
        """Give the rows, each followed by a comma and a line feed."""
        pieces: list[Piece] = [Fixed((b"[",))]
        for place, (encode, column) in enumerate(zip(self._encoders, self._columns, strict=True)):
            pieces += [Fixed((b",",))] if place else []
            pieces += _json_value(encode(batch.columns[place]), column.type_oid, batch.num_rows)
        rows = join((*pieces, Fixed((b"],\n",))), batch.num_rows)
        return values_of(rows)[1].tobytes()


def _json_value(cells: Cells, oid: int, count: int) -> Sequence[Piece]:
    text = join(cells.pieces, count)
    if oid == Oid.BOOL:
        is_true = pc.equal(text, pa.scalar(b"t", text.type))
        text = pc.if_else(is_true, pa.scalar(b"true", pa.binary()), pa.scalar(b"false", pa.binary()))
    elif oid not in _INTEGERS and oid not in _DOCUMENTS:
        is_string = _is_not_finite(text) if oid in _DECIMALS else np.ones(count, np.bool_)
        if is_string.any():
            quote = compress(Fixed((b'"',)), is_string)
            text = join((quote, Varying(translate(text, json_escapes())), quote), count)
    if cells.valid is None:
        return (Varying(text),)
    return (compress(Varying(text), cells.valid), compress(Fixed((b"null",)), ~cells.valid))


def _is_not_finite(text: ArrowArray) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Whether each number is NaN or an infinity: what ends with a letter."""
    ends = pc.binary_slice(text.view(pa.binary()), -1)
    is_word = pc.is_in(ends, value_set=pa.array([b"N", b"y"], pa.binary()))
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = is_word.to_numpy(zero_copy_only=False)
    return found
