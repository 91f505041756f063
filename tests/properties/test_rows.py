"""RowEncoder against the slow encoder.

Every type, NULLs anywhere, sliced batches, empty batches, no columns.
"""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Protocol

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.rows import RowEncoder
from pgwire.types import Oid, ResultColumn
from tests.properties import slow_encoder
from tests.properties.encoder_paths import both_paths, is_built

_decimals = st.decimals(min_value=-(10**12), max_value=10**12, places=3, allow_nan=False)
_wide = st.decimals(min_value=-(10**27), max_value=10**27, places=10, allow_nan=False)
_texts = st.text(max_size=20)

KINDS: dict[str, tuple[int, pa.DataType, st.SearchStrategy[object], str]] = {
    "bool": (Oid.BOOL, pa.bool_(), st.booleans(), ""),
    "int2": (Oid.INT2, pa.int16(), st.integers(-(2**15), 2**15 - 1), "h"),
    "int4": (Oid.INT4, pa.int32(), st.integers(-(2**31), 2**31 - 1), "i"),
    "int8": (Oid.INT8, pa.int64(), st.integers(-(2**63), 2**63 - 1), "q"),
    "int8 from int32": (Oid.INT8, pa.int32(), st.integers(-(2**31), 2**31 - 1), "q"),
    "float8": (
        Oid.FLOAT8,
        pa.float64(),
        st.floats(allow_nan=False, max_value=2**53, min_value=-(2**53)),
        "d",
    ),
    "numeric": (Oid.NUMERIC, pa.decimal128(18, 3), _decimals, ""),
    "wide numeric": (Oid.NUMERIC, pa.decimal128(38, 10), _wide, ""),
    "text": (Oid.TEXT, pa.string(), _texts, ""),
    "text view": (Oid.TEXT, pa.string_view(), _texts, ""),
    "large text": (Oid.TEXT, pa.large_string(), _texts, ""),
    "enum": (Oid.TEXT, pa.dictionary(pa.uint8(), pa.string()), st.sampled_from(["a", "bb", ""]), ""),
    "bytea": (Oid.BYTEA, pa.binary(), st.binary(max_size=20), ""),
    "date": (Oid.DATE, pa.date32(), st.dates(), ""),
    "time": (Oid.TIME, pa.time64("us"), st.times(), ""),
    "timestamp": (Oid.TIMESTAMP, pa.timestamp("us"), st.datetimes(), ""),
}


def slow(value: object, kind: str, code: int) -> bytes | None:
    if code == 0:
        return slow_encoder.text(value)
    return slow_encoder.binary(value, KINDS[kind][3])


@both_paths
@given(data=st.data(), code=st.sampled_from([0, 1]))
@settings(max_examples=150)
def test_rows_equal_those_of_the_slow_encoder(data: st.DataObject, code: int, pure: bool) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=4))
    count = data.draw(st.integers(0, 12))
    start = data.draw(st.integers(0, count))
    columns, arrays, expected = [], [], []
    for kind in kinds:
        oid, arrow_type, values, _ = KINDS[kind]
        nullable = st.one_of(st.none(), values) if data.draw(st.booleans()) else values
        column = data.draw(st.lists(nullable, min_size=count, max_size=count))
        arrays.append(pa.array(column, arrow_type))
        columns.append(ResultColumn("x", oid, -1, ""))
        expected.append([slow(value, kind, code) for value in column[start:]])
    schema = pa.schema([(f"c{place}", array.type) for place, array in enumerate(arrays)])
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema).slice(start) if kinds else None
    if batch is None:
        batch = pa.record_batch([pa.nulls(count)], names=["x"]).select([]).slice(start)
    rows = slow_encoder.split_rows(RowEncoder(columns, [code], pure=pure).encode(batch))
    assert (
        rows == [list(row) for row in zip(*expected, strict=True)]
        if kinds
        else all(row == [] for row in rows)
    )
    assert len(rows) == count - start


@both_paths
@given(
    lists=st.lists(st.one_of(st.none(), st.lists(st.one_of(st.none(), _texts), max_size=4)), max_size=8),
    start=st.integers(0, 3),
)
def test_text_arrays_equal_those_of_the_slow_encoder(
    lists: list[list[str | None] | None], start: int, pure: bool
) -> None:
    batch = pa.record_batch([pa.array(lists, pa.list_(pa.string()))], names=["x"]).slice(start)
    rows = slow_encoder.split_rows(RowEncoder([ResultColumn("x", 1009, -1, "")], pure=pure).encode(batch))
    assert rows == [[slow_encoder.text(value)] for value in lists[start:]]


class EncodeOne(Protocol):
    def __call__(self, array: pa.Array, oid: int, code: int = 0, typmod: int = -1) -> bytes | None: ...


@pytest.fixture(params=[True, False], ids=["pyarrow", "kernel"])
def encode_one(request: pytest.FixtureRequest) -> EncodeOne:
    if not request.param and not is_built:
        pytest.skip("no compiled kernel")

    def encode(array: pa.Array, oid: int, code: int = 0, typmod: int = -1) -> bytes | None:
        encoder = RowEncoder([ResultColumn("x", oid, typmod, "")], [code], pure=request.param)
        (row,) = slow_encoder.split_rows(encoder.encode(pa.record_batch([array], names=["x"])))
        return row[0]

    return encode


def test_structs_maps_and_lists_become_json(encode_one: EncodeOne) -> None:
    value = [{"a": 1, "b": [None, 'q"\n'], "c": {"d": 1.5}, "t": datetime(2020, 1, 2, 3)}]
    assert encode_one(pa.array(value), Oid.JSON) == (
        b'{"a":1,"b":[null,"q\\"\\n"],"c":{"d":1.5},"t":"2020-01-02T03:00:00"}'
    )
    entries = pa.array([[("k", 1), ("l", None)]], pa.map_(pa.string(), pa.int32()))
    assert encode_one(entries, Oid.JSON) == b'{"k":1,"l":null}'
    assert encode_one(pa.array([True]), Oid.TEXT) == b"true"
    union = pa.UnionArray.from_sparse(pa.array([1], pa.int8()), [pa.array([1]), pa.array(["x"])])
    assert encode_one(union, Oid.JSON) == b'"x"'


def test_structs_declared_as_records_look_like_rows(encode_one: EncodeOne) -> None:
    assert encode_one(pa.array([{"a": 1, "b": "x y", "c": None, "d": ""}]), Oid.RECORD) == b'(1,"x y",,"")'


def test_values_are_coerced_to_the_declared_type(encode_one: EncodeOne) -> None:
    assert encode_one(pa.array([5], pa.int32()), Oid.NUMERIC, 1) == slow_encoder.numeric(Decimal(5))
    assert encode_one(pa.array([Decimal("1.005")]), Oid.NUMERIC, 0, ((10 << 16) | 2) + 4) == b"1.01"
    assert encode_one(pa.array([Decimal("1.5")]), Oid.NUMERIC, 0, ((10 << 16) | 4) + 4) == b"1.5000"
    assert encode_one(pa.array([2.5]), Oid.INT4) == b"2"
    assert encode_one(pa.array([0.1]), Oid.NUMERIC) == b"0.1"
    assert encode_one(pa.array([date(2020, 1, 2)]), Oid.TIMESTAMP) == b"2020-01-02 00:00:00"
    assert encode_one(pa.array([time(1, 2)], pa.time32("s")), Oid.TIME) == b"01:02:00"
    for oid in (Oid.INT4, Oid.TEXT, Oid.DATE, Oid.INTERVAL, Oid.UUID, 1007):
        for code in (0, 1):
            assert encode_one(pa.nulls(1), oid, code) is None
            assert encode_one(pa.nulls(1, pa.int32()), 23, code) is None


def test_values_that_do_not_fit_are_errors(encode_one: EncodeOne) -> None:
    with pytest.raises(StatementError) as caught:
        encode_one(pa.array([40_000]), Oid.INT2)
    assert caught.value.sqlstate == "22003"
    with pytest.raises(StatementError) as caught:
        encode_one(pa.array([date(2020, 1, 1)]), Oid.INTERVAL)
    assert caught.value.sqlstate == "42804"
    with pytest.raises(StatementError) as caught:
        encode_one(pa.array([[[1], [2, 3]]]), 1007, 1)
    assert caught.value.sqlstate == "2202E"


def test_binary_of_a_type_without_it_is_refused_before_any_row() -> None:
    for oid in (Oid.CIDR, Oid.INET, 424_242):
        with pytest.raises(FeatureNotSupported):
            RowEncoder([ResultColumn("x", oid, -1, "")], [1])


def test_unknown_zone_and_wrong_format_counts_are_refused() -> None:
    column = ResultColumn("x", Oid.INT4, -1, "")
    with pytest.raises(StatementError, match="2 result formats but query has 3 columns"):
        RowEncoder([column] * 3, [0, 1])


@both_paths
def test_parts_of_a_batch_are_the_whole(pure: bool) -> None:
    batch = pa.record_batch([pa.array(range(1000))], names=["x"])
    encoder = RowEncoder([ResultColumn("x", Oid.INT8, -1, "")], pure=pure)
    parts = list(encoder.encode_parts(batch, max_bytes=1000))
    assert len(parts) > 4
    assert b"".join(part.data for part in parts) == bytes(encoder.encode(batch).data)


@both_paths
@pytest.mark.parametrize("code", [0, 1])
def test_a_numeric_that_comes_as_text_is_one_of_that_scale(code: int, pure: bool) -> None:
    texts = ["1.50", "-0.001", "12345678901234567890.5", "0", "0.00000000000000000001", "-10000", "100.000"]

    def rows(values: pa.Array, engine_type: str) -> bytes:
        column = ResultColumn("n", Oid.NUMERIC, -1, engine_type)
        batch = pa.record_batch([values], names=["n"])
        return bytes(RowEncoder([column], [code], pure=pure).encode(batch).data)

    one_by_one = b"".join(
        rows(pa.array([Decimal(text)], pa.decimal128(38, len(text.partition(".")[2]))), "DECIMAL(38,30)")
        for text in texts
    )
    null = rows(pa.array([None], pa.decimal128(38, 0)), "DECIMAL(38,30)")
    assert rows(pa.array([*texts, None], pa.string()), "DECIMAL(38,10)") == one_by_one + null
