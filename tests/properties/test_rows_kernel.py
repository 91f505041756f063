"""The compiled kernel beside the pyarrow path, byte for byte; its limits, errors and memory."""

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgwire.errors import StatementError
from pgwire.rows import RowEncoder
from pgwire.types import UNCONSTRAINED_NUMERIC, Oid, OutputSettings, ResultColumn
from tests.properties.encoder_paths import is_built

pytestmark = pytest.mark.skipif(not is_built, reason="no compiled kernel")

ROWS = 300
_rng = np.random.default_rng(3)


@dataclass(frozen=True)
class Case:
    """Values without NULLs, and the column that they are sent as."""

    values: pa.Array
    oid: int
    typmod: int = -1
    engine_type: str = ""
    output: OutputSettings = field(default_factory=OutputSettings)


def integers(kind: pa.DataType) -> pa.Array:
    limits = np.iinfo(kind.to_pandas_dtype())
    spread = _rng.integers(0, 63, ROWS)
    values = [int(limits.min), int(limits.max), 0]
    signs = (-1, 1) if limits.min else (1, 1)
    values += [signs[at % 2] * (int(v) % (int(limits.max) + 1)) for at, v in enumerate(1 << spread)]
    return pa.array(values, kind)


def moments(kind: pa.DataType, first: int, last: int) -> pa.Array:
    return pa.array(_rng.integers(first, last, ROWS), pa.int64()).cast(kind)


def decimals(precision: int, scale: int) -> pa.Array:
    sizes = _rng.integers(1, precision + 1, ROWS)
    digits = ["".join(map(str, _rng.integers(0, 10, size))) for size in sizes]
    signed = [f"{'-' if at % 3 == 0 else ''}{text}e-{scale}" for at, text in enumerate(digits)]
    return pa.array(
        [Decimal(text) for text in (*signed, "0", f"1e-{scale}")], pa.decimal128(precision, scale)
    )


_words = ["", "a", "twelve bytes", "thirteen byte", "é€😀", "x" * 70, "\n"]
_texts = pa.array([_words[at % len(_words)] * (at % 3) for at in range(ROWS)])
_stamps = (-62_135_596_800, 32_503_680_000)
_uuids = pa.array([_rng.bytes(16) for _ in range(ROWS)], pa.binary(16))
_doubles = np.concatenate([
    _rng.integers(0, 2**63, 4000).view(np.float64), _rng.integers(-(10**7), 10**7, 300) / 100.0,
    np.ldexp(1.0, np.arange(-1074, 1024)), np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324]),
])  # fmt: skip
_singles = np.concatenate([
    _rng.integers(0, 2**31, 4000).astype(np.uint32).view(np.float32),
    np.ldexp(np.float32(1), np.arange(-149, 128)),
])  # fmt: skip

_item_texts = [None, *("", "null", "NuLL", "nul", "a", "a b", "{", "}", 'q"', "b\\", ",", "\t", "\v", "\b")]
_item_texts += ["sixteen bytes now", "é€😀", "fifteen bytes {"]
_item_array = pa.array(_item_texts)


def lists(items: pa.Array) -> pa.Array:
    """Lists of one to five items, and empty ones; with_nulls() makes NULLs that have items beneath."""
    lengths = [at * 5 % 6 for at in range(2 * len(items))]
    offsets, at = [0], 0
    for length in lengths:
        at = min(at + length, len(items))
        offsets.append(at)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)


def nulled_lists() -> pa.Array:
    """NULL lists whose places hold items, which nobody may see."""
    offsets = pa.array([0, 2, 3, 5], pa.int32())
    mask = pa.array([False, True, False])
    return pa.ListArray.from_arrays(offsets, pa.array([1, None, 2**40, -3, 4]), mask=mask)


CASES: dict[str, Case] = {
    **{f"{kind} as int8": Case(integers(kind), Oid.INT8)
       for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32())},
    **{f"{kind} as numeric": Case(integers(kind), Oid.NUMERIC)
       for kind in (pa.int8(), pa.int64(), pa.uint64())},
    "int8 as int2": Case(integers(pa.int8()), Oid.INT2),
    "uint32 as oid": Case(integers(pa.uint32()), Oid.OID),
    "uint16 as int4": Case(integers(pa.uint16()), Oid.INT4),
    "int32 as numeric(9,2)": Case(pa.array([1, -2], pa.int32()), Oid.NUMERIC, ((9 << 16) | 2) + 4),
    **{f"decimal({p},{s})": Case(decimals(p, s), Oid.NUMERIC)
       for p, s in ((4, 0), (9, 2), (15, 2), (18, 5), (18, 18), (38, 0), (38, 3), (38, 19), (38, 38))},
    "unconstrained": Case(decimals(38, 10), Oid.NUMERIC, -1, UNCONSTRAINED_NUMERIC),
    "unconstrained, two places": Case(decimals(18, 2), Oid.NUMERIC, -1, UNCONSTRAINED_NUMERIC),
    "decimal as another scale": Case(decimals(18, 5), Oid.NUMERIC, ((18 << 16) | 2) + 4),
    "float8": Case(pa.array(_doubles), Oid.FLOAT8),
    "float4": Case(pa.array(_singles), Oid.FLOAT4),
    "float4 as float8": Case(pa.array(_singles), Oid.FLOAT8),
    "few digits": Case(pa.array(_doubles[:50]), Oid.FLOAT8, output=OutputSettings(extra_float_digits=-3)),
    "bool": Case(pa.array([True, False] * 50), Oid.BOOL),
    "bool8": Case(pa.array([1, 0, 5], pa.int8()).cast(pa.bool8()), Oid.BOOL),
    "date": Case(pa.array(_rng.integers(-10**6, 4 * 10**6, ROWS), pa.int32()).cast(pa.date32()), Oid.DATE),
    "infinite dates": Case(pa.array([2**31 - 1, 1 - 2**31], pa.int32()).cast(pa.date32()), Oid.DATE),
    "date as timestamp": Case(pa.array([0, -1], pa.int32()).cast(pa.date32()), Oid.TIMESTAMP),
    **{f"timestamp[{unit}]": Case(
        moments(pa.timestamp(unit), *(edge * scale for edge in _stamps)), Oid.TIMESTAMP)
       for unit, scale in (("s", 1), ("ms", 1000), ("us", 1_000_000))},
    "timestamp[ns]": Case(moments(pa.timestamp("ns"), -(2**62), 2**62), Oid.TIMESTAMP),
    "infinite timestamps": Case(pa.array([2**63 - 1, 1 - 2**63]).cast(pa.timestamp("us")), Oid.TIMESTAMP),
    **{f"timestamptz, {zone}": Case(
        moments(pa.timestamp("us", "UTC"), *(edge * 1_000_000 for edge in _stamps)), Oid.TIMESTAMPTZ,
        output=OutputSettings(time_zone=zone))
       for zone in ("UTC", "Europe/Berlin", "America/St_Johns", "+05:30", "-3", "Africa/Monrovia")},
    "time[us]": Case(moments(pa.time64("us"), 0, 86_400_000_001), Oid.TIME),
    "time[ns]": Case(moments(pa.time64("ns"), 0, 86_400_000_000_000), Oid.TIME),
    "time[ms]": Case(pa.array([0, 1, 86_399_999], pa.int32()).cast(pa.time32("ms")), Oid.TIME),
    "time[s]": Case(pa.array([0, 1, 86_399], pa.int32()).cast(pa.time32("s")), Oid.TIME),
    **{f"{kind}": Case(_texts.cast(kind), Oid.TEXT)
       for kind in (pa.string(), pa.large_string(), pa.string_view())},
    "char(9)": Case(_texts.filter(pa.compute.less(pa.compute.utf8_length(_texts), 9)), Oid.BPCHAR, 9 + 4),
    "json": Case(_texts.cast(pa.json_(pa.string())), Oid.JSON),
    "jsonb": Case(_texts.cast(pa.json_(pa.string())), Oid.JSONB),
    "dictionary": Case(_texts.dictionary_encode(), Oid.TEXT),
    "dictionary of uint8": Case(_texts.cast(pa.dictionary(pa.uint8(), pa.string())), Oid.TEXT),
    **{f"{kind}": Case(_texts.cast(pa.binary()).cast(kind), Oid.BYTEA)
       for kind in (pa.binary(), pa.large_binary(), pa.binary_view())},
    "escaped bytea": Case(_texts.cast(pa.binary()), Oid.BYTEA, output=OutputSettings(bytea_output="escape")),
    "text as bytea": Case(_texts, Oid.BYTEA),
    "fixed binary": Case(_uuids, Oid.BYTEA),
    "uuid": Case(pa.ExtensionArray.from_storage(pa.uuid(), _uuids), Oid.UUID),
    "lists": Case(pa.array([[1, None], [], [3]]), 1016),
    **{f"lists of {kind}": Case(lists(_item_array.cast(kind)), 1009)
       for kind in (pa.string(), pa.large_string(), pa.string_view())},
    "lists of a dictionary": Case(lists(_item_array.dictionary_encode()), 1009),
    "large lists": Case(lists(_item_array).cast(pa.large_list(pa.string())), 1009),
    "lists of fixed size": Case(pa.array([["a b", None], ["", "null"]], pa.list_(pa.string(), 2)), 1009),
    "lists of lists": Case(pa.array([[["a b", None], ["", "null"]], [], [["{"], ["x"]]]), 1009),
    "lists of json": Case(lists(_item_array.cast(pa.json_(pa.string()))), 199),
    "lists of bytea": Case(lists(_texts.cast(pa.binary())), 1001),
    "lists of uuid": Case(lists(pa.ExtensionArray.from_storage(pa.uuid(), _uuids)), 2951),
    "lists of bool8": Case(lists(pa.array([1, 0, None], pa.int8()).cast(pa.bool8())), 1000),
    "lists of bool": Case(lists(pa.array([True, None, False])), 1000),
    "lists of numeric": Case(lists(decimals(18, 5)), 1231),
    "lists of unconstrained": Case(lists(decimals(38, 10)), 1231, -1, UNCONSTRAINED_NUMERIC + "[]"),
    "lists of float8": Case(lists(pa.array(_doubles[:100])), 1022),
    "lists of date": Case(lists(pa.array([0, None, 2**31 - 1], pa.int32()).cast(pa.date32())), 1182),
    "lists of timestamptz": Case(
        lists(moments(pa.timestamp("us", "UTC"), 0, 10**15)), 1185, output=OutputSettings(time_zone="-3")),
    "lists of time": Case(lists(moments(pa.time64("us"), 0, 86_400_000_001)), 1183),
    "lists of intervals": Case(lists(pa.array([(1, 2, 3), None], pa.month_day_nano_interval())), 1187),
    "NULL lists over items": Case(nulled_lists(), 1016),
    "lists of nothing": Case(pa.array([[None], [], [None, None]], pa.list_(pa.null())), 1009),
    "nothing": Case(pa.nulls(5), Oid.TEXT),
}  # fmt: skip


def with_nulls(array: pa.Array) -> pa.Array:
    if "view" in str(array.type):  # take() has no kernel for these
        return pa.array(
            [None if at % 5 == 1 else value for at, value in enumerate(array.to_pylist())], array.type
        )
    places = [None if at % 5 == 1 else at for at in range(len(array))]
    return array.take(pa.array(places, pa.int64()))


def both(batch: pa.RecordBatch, columns: list[ResultColumn], code: int, output: OutputSettings) -> None:
    ours = RowEncoder(columns, [code], output).encode(batch)
    oracle = RowEncoder(columns, [code], output, pure=True).encode(batch)
    assert list(ours.offsets) == list(oracle.offsets)
    for place, (start, end) in enumerate(pairwise(oracle.offsets)):
        assert bytes(ours.data[start:end]) == bytes(oracle.data[start:end]), f"row {place}"


@pytest.mark.parametrize("code", [0, 1], ids=["text", "binary"])
@pytest.mark.parametrize("name", CASES)
def test_kernel_and_pyarrow_write_the_same_bytes(name: str, code: int) -> None:
    case = CASES[name]
    column = ResultColumn("x", case.oid, case.typmod, case.engine_type)
    plain = pa.record_batch([case.values], names=["x"])
    gaps = pa.record_batch([with_nulls(case.values)], names=["x"])
    for batch in (
        plain,
        gaps,
        plain.slice(1),
        gaps.slice(3, max(len(case.values) - 4, 1)),
        plain.slice(0, 0),
    ):
        both(batch, [column], code, case.output)


@given(st.data(), st.sampled_from([0, 1]))
@settings(max_examples=60)
def test_columns_stand_side_by_side_in_any_mixture(data: st.DataObject, code: int) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(CASES)), min_size=1, max_size=6))
    count = min(len(CASES[name].values) for name in names)
    start = data.draw(st.integers(0, count))
    arrays = [CASES[name].values[:count] for name in names]
    arrays = [with_nulls(array) if data.draw(st.booleans()) else array for array in arrays]
    schema = pa.schema([(f"c{place}", array.type) for place, array in enumerate(arrays)])
    columns = [
        ResultColumn("x", CASES[name].oid, CASES[name].typmod, CASES[name].engine_type) for name in names
    ]
    both(pa.RecordBatch.from_arrays(arrays, schema=schema).slice(start), columns, code, OutputSettings())


@pytest.mark.parametrize("times", [1, 12])
@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 300])
def test_rows_of_one_width_are_written_the_same(count: int, times: int) -> None:
    names = ["int64 as int8", "int32 as int8", "int8 as int2", "uint16 as int4", "uint32 as oid", "float8"]
    names += ["float4", "date", "timestamp[us]", "timestamp[ms]", "time[us]", "int64 as int8"]
    names *= times
    arrays = [pa.concat_arrays([CASES[name].values] * 4).slice(3, count) for name in names]
    columns = [ResultColumn("x", CASES[name].oid, -1, "") for name in names]
    schema = pa.schema([(f"c{place}", array.type) for place, array in enumerate(arrays)])
    both(pa.RecordBatch.from_arrays(arrays, schema=schema), columns, 1, OutputSettings())


def test_dictionary_with_a_null_among_its_values_gives_nulls() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0], pa.int8()), pa.array(["a", None]))
    both(pa.record_batch([array], names=["x"]), [ResultColumn("x", Oid.TEXT, -1, "")], 0, OutputSettings())


@pytest.mark.parametrize(
    "values",
    [lists(lists(_item_array)), pa.array([[[["a", None]], [["b", "c"]]], [[[]], []], [None, [["d"]]]])],
)
def test_lists_that_differ_in_length_are_written_as_text(values: pa.Array) -> None:
    for array in (values, with_nulls(values), values.slice(1)):
        both(pa.record_batch([array], names=["x"]), [ResultColumn("x", 1009, -1, "")], 0, OutputSettings())


@pytest.mark.parametrize(
    ("array", "oid"),
    [
        (pa.array([1, 2**15]), Oid.INT2),
        (pa.array([-(2**31) - 1]), Oid.INT4),
        (pa.array([2**63], pa.uint64()), Oid.INT8),
        (pa.array([-1]), Oid.OID),
        (pa.array([[1], [2, 2**31]]), 1007),
    ],
)
@pytest.mark.parametrize("code", [0, 1])
def test_integers_out_of_the_declared_range_are_the_same_error(array: pa.Array, oid: int, code: int) -> None:
    batch = pa.record_batch([pa.array(["x"] * len(array)), array], names=["s", "x"])
    columns = [ResultColumn("s", Oid.TEXT, -1, ""), ResultColumn("x", oid, -1, "")]
    errors = []
    for pure in (False, True):
        with pytest.raises(StatementError) as caught:
            RowEncoder(columns, [code], pure=pure).encode(batch)
        errors.append((caught.value.sqlstate, str(caught.value)))
    assert errors[0] == errors[1]
    assert errors[0][0] == "22003"


def test_null_slots_may_hold_anything() -> None:
    values = pa.array([2**40, 7, -5])
    hidden = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x02"), values.buffers()[1]])
    both(pa.record_batch([hidden], names=["x"]), [ResultColumn("x", Oid.INT2, -1, "")], 0, OutputSettings())


def test_a_schema_that_changes_between_batches_is_planned_anew() -> None:
    encoder = RowEncoder([ResultColumn("x", Oid.INT8, -1, "")])
    rows = [
        bytes(encoder.encode(pa.record_batch([pa.array([7], kind)], names=["x"])).data)
        for kind in (pa.int64(), pa.int16(), pa.decimal128(9, 0), pa.int64())
    ]
    assert len(set(rows)) == 1


def test_a_kernel_of_other_sources_is_not_used() -> None:
    program = (
        "import importlib, pgwire.rows._kernel as kernel, pgwire.rows.compiled as compiled;"
        "kernel.REVISION += 1; importlib.reload(compiled); print(compiled.KERNEL)"
    )
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert output.strip() == "pyarrow"


def test_rows_beyond_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = pa.record_batch([pa.array(["x" * 500] * 3)], names=["x"])
    for limit, fits in ((3 * 511, True), (3 * 511 - 1, False)):
        monkeypatch.setattr("pgwire.rows.compiled.MAX_ENCODED_BYTES", limit)
        encoder = RowEncoder([ResultColumn("x", Oid.TEXT, -1, "")])
        if fits:
            assert encoder.encode(batch).data.nbytes == limit
            continue
        with pytest.raises(StatementError) as caught:
            encoder.encode(batch)
        assert caught.value.sqlstate == "54000"


def test_rows_outlive_their_batch_and_encoder_and_are_read_only() -> None:
    def encode(text: str) -> Any:
        encoder = RowEncoder([ResultColumn("x", Oid.TEXT, -1, "")])
        return encoder.encode(pa.record_batch([pa.array([text * 1000])], names=["x"])).data

    first, second = encode("a"), encode("b")
    gc.collect()
    assert bytes(first[11:]) == b"a" * 1000
    assert bytes(second[11:]) == b"b" * 1000
    assert first.readonly


def test_memory_of_rows_that_are_still_held_is_not_written_again() -> None:
    encoder = RowEncoder([ResultColumn("x", Oid.INT4, -1, "")])
    batches = [pa.record_batch([pa.array([n] * 100, pa.int32())], names=["x"]) for n in range(50)]
    held = [encoder.encode(batch).data for batch in batches]
    expected = [
        bytes(RowEncoder([ResultColumn("x", Oid.INT4, -1, "")], pure=True).encode(b).data) for b in batches
    ]
    assert [bytes(data) for data in held] == expected
    del held
    assert [bytes(encoder.encode(batch).data) for batch in batches] == expected


def test_rows_in_a_cycle_of_garbage_are_freed_and_their_memory_used_again() -> None:
    encoder = RowEncoder([ResultColumn("x", Oid.TEXT, -1, "")])
    batch = pa.record_batch([pa.array(["a" * 1000])], names=["x"])
    expected = bytes(encoder.encode(batch).data)
    for _ in range(20):
        cycle: list[Any] = [encoder.encode(batch).data]
        cycle.append(cycle)
        del cycle
        gc.collect()
    assert bytes(encoder.encode(batch).data) == expected


def test_one_encoder_serves_several_threads() -> None:
    encoder = RowEncoder([ResultColumn("x", Oid.INT4, -1, ""), ResultColumn("s", Oid.TEXT, -1, "")])
    batches = [
        pa.record_batch([pa.array([n] * 2000, pa.int32()), pa.array([str(n)] * 2000)], names=["x", "s"])
        for n in range(8)
    ]
    expected = [bytes(encoder.encode(batch).data) for batch in batches]
    wrong: list[int] = []

    def work(place: int) -> None:
        for _ in range(50):
            if bytes(encoder.encode(batches[place]).data) != expected[place]:
                wrong.append(place)

    run_all([lambda place=place: work(place) for place in range(8)])
    assert wrong == []


def run_all(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_timestamps_near_the_end_of_time_do_not_crash() -> None:
    moment = int(datetime(2024, 2, 29, tzinfo=UTC).timestamp()) * 1_000_000
    array = pa.array([2**63 - 2, 2 - 2**63, moment]).cast(pa.timestamp("us", "UTC"))
    column = ResultColumn("x", Oid.TIMESTAMPTZ, -1, "")
    rows = RowEncoder([column], (), OutputSettings(time_zone="+01")).encode(
        pa.record_batch([array], names=["x"])
    )
    assert bytes(rows.data).endswith(b"2024-02-29 01:00:00+01")
