"""NULL stays NULL, whatever the buffer holds behind it and whatever type the column is declared to be."""

import struct
from datetime import date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest

from pgwire.errors import GatewayError
from pgwire.rows import RowEncoder
from pgwire.types import Oid, ResultColumn
from tests.properties.encoder_paths import both_paths

VALUES: dict[pa.DataType, list[object]] = {
    **{kind: [0, 1] for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())},
    **{kind: [0, 1] for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())},
    pa.float32(): [0.0, float("inf")],
    pa.float64(): [0.0, float("nan")],
    pa.decimal128(10, 2): [Decimal("1.25"), Decimal(0)],
    pa.decimal128(38, 0): [Decimal(7), Decimal(0)],
    pa.bool_(): [True, False],
    pa.string(): ["1", "t"],
    pa.large_string(): ["1", "t"],
    pa.binary(): [b"1", b"x"],
    pa.date32(): [date(2020, 1, 1), date(1, 1, 1)],
    pa.timestamp("us"): [datetime(2020, 1, 1), datetime(1, 1, 1)],
    pa.timestamp("us", "UTC"): [datetime(2020, 1, 1), datetime(1, 1, 1)],
    pa.timestamp("ns"): [datetime(2020, 1, 1)] * 2,
    pa.time64("us"): [time(1), time(0)],
    pa.month_day_nano_interval(): [(1, 2, 3000), (0, 0, 0)],
}
DECLARED = [oid for oid in Oid if oid != Oid.VOID]


def _nulls_over(kind: pa.DataType, values: list[object]) -> pa.Array:
    buffers = pa.array(values, kind).buffers()
    return pa.Array.from_buffers(kind, len(values), [pa.py_buffer(b"\0"), *buffers[1:]])


@both_paths
@pytest.mark.parametrize("kind", VALUES, ids=str)
def test_null_stays_null_whatever_is_behind_it(kind: pa.DataType, pure: bool) -> None:
    batch = pa.record_batch([_nulls_over(kind, VALUES[kind])], ["x"])
    encoded = 0
    for oid in DECLARED:
        for code in (0, 1):
            try:
                rows = RowEncoder((ResultColumn("x", oid, -1, ""),), (code,), pure=pure).encode(batch)
            except GatewayError:  # a type that this one never becomes
                continue
            assert bytes(rows.data) == 2 * struct.pack("!cihi", b"D", 10, 1, -1), (oid, code)
            encoded += 1
    assert encoded >= 10
