"""Results as Arrow IPC streams: chunks one behind the other are one stream, readable from any batch on."""

import pyarrow as pa
import pytest

from execnode.engine import DuckEngine
from execnode.statement import EngineStatement, RowChunk, RowEncoding

KINDS = """
    i::SMALLINT AS s, i::BIGINT AS b, (i * 1.25)::DECIMAL(12, 2) AS d, i / 7.0::DOUBLE AS f, i % 2 = 0 AS t,
    'text ' || i AS v, DATE '2024-01-01' + i::INTEGER AS day, TIMESTAMP '2024-01-01' + to_minutes(i) AS ts,
    TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_hours(i) AS tz, to_days(i::INTEGER) AS span,
    [i, NULL, i + 1] AS list, {'a': i, 'b': 'x'} AS struct, MAP {'k': i} AS map, '\\xAB'::BLOB AS bytes,
    '12345678-1234-5678-1234-567812345678'::UUID AS id, i::HUGEINT AS huge,
    (CASE WHEN i % 2 = 0 THEN 'red' ELSE 'blue' END)::ENUM('red', 'blue') AS color,
    ['red'::ENUM('red', 'blue'), NULL] AS colors, NULL AS nothing, i::UBIGINT AS u
"""


async def chunks_of(engine: DuckEngine, sql: str) -> list[RowChunk]:
    found = []
    async with engine.execute(EngineStatement(sql, encoding=RowEncoding.ARROW_STREAM)) as stream:
        while (chunk := await stream.read()) is not None:
            found.append(RowChunk(bytes(chunk.rows), chunk.row_count))
    return found


@pytest.mark.parametrize("rows", [0, 1, 30_000])
async def test_the_chunks_are_one_stream_of_all_rows(engine: DuckEngine, rows: int) -> None:
    chunks = await chunks_of(engine, f"SELECT {KINDS} FROM range({rows}) r(i)")
    table = pa.ipc.open_stream(b"".join(c.rows for c in chunks)).read_all()
    assert table.num_rows == rows == sum(c.row_count for c in chunks)
    assert table.column("b").to_pylist() == list(range(rows))
    assert table.schema.field("color").type == pa.string()
    assert table.schema.field("colors").type.value_type == pa.string()
    if rows > 1:
        assert table.column("color").to_pylist()[:2] == ["red", "blue"]
        assert table.column("colors").to_pylist()[0] == ["red", None]


async def test_no_reader_needs_to_know_the_types_of_the_engine(engine: DuckEngine) -> None:
    sql = """SELECT true AS t, [true, NULL] AS ts, {'z': '10:20:30+02'::TIMETZ} AS s, MAP {'k': false} AS m,
        [uuid()]::UUID[1] AS u, '{}'::JSON AS j, 340282366920938463463374607431768211455::UHUGEINT AS h
        UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL"""
    (chunk,) = await chunks_of(engine, sql)
    table = pa.ipc.open_stream(chunk.rows).read_all()
    assert "extension" not in str(table.schema)
    assert table.drop(["u"]).to_pylist() == [
        {"t": True, "ts": [True, None], "s": {"z": "10:20:30+02"}, "m": [("k", False)], "j": "{}",
         "h": 2**128 - 1},
        dict.fromkeys(["t", "ts", "s", "m", "j", "h"]),
    ]  # fmt: skip


async def test_a_reader_may_begin_at_any_chunk(engine: DuckEngine) -> None:
    chunks = await chunks_of(
        engine, "SELECT i, md5(i::VARCHAR) || sha256(i::VARCHAR) AS v FROM range(30000) r(i)"
    )
    assert len(chunks) > 2
    head = pa.ipc.open_stream(chunks[0].rows).schema.serialize().to_pybytes()
    later = pa.ipc.open_stream(head + b"".join(c.rows for c in chunks[2:])).read_all()
    assert later.column("i").to_pylist()[0] == chunks[0].row_count + chunks[1].row_count


async def test_columns_are_named_as_declared_even_twice(engine: DuckEngine) -> None:
    (chunk,) = await chunks_of(engine, "SELECT 1 AS a, 2 AS a")
    assert len(pa.ipc.open_stream(chunk.rows).schema.names) == 2
