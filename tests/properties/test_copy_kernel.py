"""COPY's formats through the compiled kernel beside the pyarrow path, byte for byte."""

from itertools import pairwise
from typing import Protocol

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgwire.copy import (
    CopyBinaryEncoder,
    CopyCsvEncoder,
    CopyCsvOptions,
    CopyTextEncoder,
    CopyTextOptions,
)
from pgwire.errors import StatementError
from pgwire.rows import EncodedRows
from pgwire.types import Oid, OutputSettings, ResultColumn
from tests.properties.encoder_paths import is_built
from tests.properties.test_rows_kernel import CASES, with_nulls

pytestmark = pytest.mark.skipif(not is_built, reason="no compiled kernel")

TEXT_OPTIONS = [
    CopyTextOptions(),
    CopyTextOptions("|", "null"),
    CopyTextOptions("-", ""),
    CopyTextOptions("N"),
]
CSV_OPTIONS = [
    CopyCsvOptions(),
    CopyCsvOptions(force_quote=frozenset("*")),
    CopyCsvOptions("-", "0", "'", "\\"),
    CopyCsvOptions(";", "null", "1", "t"),
    CopyCsvOptions("\t", "a", '"', "."),
]
# With what is special in some format beside what is not, of lengths around sixteen.
LETTERS = st.sampled_from([*"ab1-;|'\"\\,.\n\r\t\v\f\b\x01\x07N", "é", "x" * 13, "y" * 40])
TEXTS = st.lists(st.none() | st.lists(LETTERS, max_size=6).map("".join), min_size=1, max_size=20)


class Encoder(Protocol):
    def encode(self, batch: pa.RecordBatch) -> EncodedRows: ...


def assert_same(ours: Encoder, oracle: Encoder, batch: pa.RecordBatch) -> None:
    rows, expected = ours.encode(batch), oracle.encode(batch)
    assert list(rows.offsets) == list(expected.offsets)
    for place, (start, end) in enumerate(pairwise(expected.offsets)):
        assert bytes(rows.data[start:end]) == bytes(expected.data[start:end]), f"row {place}"


@pytest.mark.parametrize("name", CASES)
def test_every_type_is_written_the_same(name: str) -> None:
    case = CASES[name]
    column = ResultColumn("x", case.oid, case.typmod, case.engine_type)
    gaps = pa.record_batch([with_nulls(case.values)], names=["x"])
    for batch in (gaps.slice(3, max(len(case.values) - 4, 1)), gaps.slice(0, 0)):
        for text in TEXT_OPTIONS:
            pair = [CopyTextEncoder([column], text, case.output, pure=pure) for pure in (False, True)]
            assert_same(*pair, batch)
        for csv in CSV_OPTIONS:
            both = [CopyCsvEncoder([column], csv, case.output, pure=pure) for pure in (False, True)]
            assert_same(*both, batch)
            assert both[0].file_lines(batch) == both[1].file_lines(batch)
        binary = [CopyBinaryEncoder([column], case.output, pure=pure) for pure in (False, True)]
        assert_same(*binary, batch)


@given(TEXTS, st.data())
@settings(max_examples=150)
def test_any_text_is_written_the_same(texts: list[str | None], data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([pa.string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]))
    numbers = pa.array(range(len(texts)), pa.int16())
    count = data.draw(st.integers(1, 2))
    array = pa.array(texts).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(texts, kind)
    batch = pa.record_batch([array, numbers][:count], names=["s", "n"][:count])
    batch = batch.slice(data.draw(st.integers(0, len(texts))))
    columns = [ResultColumn("s", Oid.TEXT, -1, ""), ResultColumn("n", Oid.INT2, -1, "")][:count]
    byte = st.sampled_from([*"ab1-;|'\"\\,.\t\x01N"])
    text = CopyTextOptions(
        data.draw(st.sampled_from("-;|,\t\x01N")), data.draw(st.sampled_from(["", "a", "é1"]))
    )
    csv = CopyCsvOptions(
        data.draw(byte), data.draw(st.sampled_from(["", "a", "1"])), data.draw(byte), data.draw(byte)
    )
    assert_same(CopyTextEncoder(columns, text), CopyTextEncoder(columns, text, pure=True), batch)
    assert_same(CopyCsvEncoder(columns, csv), CopyCsvEncoder(columns, csv, pure=True), batch)


def test_rows_without_columns_are_empty_lines() -> None:
    batch = pa.record_batch([pa.array([1, 2])], names=["x"]).select([])
    for pure in (False, True):
        assert bytes(CopyCsvEncoder([], pure=pure).encode(batch).data) == b"d\0\0\0\x05\n" * 2


def test_values_that_do_not_fit_and_lines_beyond_the_limit_are_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = [ResultColumn("s", Oid.TEXT, -1, ""), ResultColumn("n", Oid.INT2, -1, "")]
    batch = pa.record_batch([pa.array(["a" * 100, "b"]), pa.array([1, 2**15])], names=["s", "n"])
    with pytest.raises(StatementError) as caught:
        CopyCsvEncoder(columns, output=OutputSettings()).encode(batch)
    assert caught.value.sqlstate == "22003"
    monkeypatch.setattr("pgwire.rows.compiled.MAX_ENCODED_BYTES", 100)
    with pytest.raises(StatementError) as caught:
        CopyTextEncoder(columns).encode(batch.slice(0, 1))
    assert caught.value.sqlstate == "54000"
