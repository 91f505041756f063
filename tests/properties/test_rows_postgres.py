"""The bytes that a real PostgreSQL 15 sends, in text and in binary, beside ours for the same values.

Each case is a PostgreSQL type and literals; PostgreSQL reads the literal, DuckDB reads its own form of it,
and the DataRow values must be equal byte for byte.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from pgwire.rows import RowEncoder
from pgwire.types import OutputSettings, ResultColumn, encode_typmod, type_by_name
from tests.postgres import find_binary, running_postgres
from tests.properties.encoder_paths import is_built
from tests.properties.slow_encoder import split_rows

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    directory = Path(tmp_path_factory.mktemp("pg"))
    with running_postgres(directory) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET arrow_lossless_conversion = true")
    return connection


_random = random.Random(15)
_days = [_random.randrange(-800_000, 3_200_000) for _ in range(60)]
_micros = [_random.randrange(-70_000_000_000_000_000, 250_000_000_000_000_000) for _ in range(60)]
_doubles = [
    *(_random.uniform(-1, 1) * 10 ** _random.randrange(-30, 30) for _ in range(150)),
    *(float(_random.randrange(10**14, 10**16)) for _ in range(30)),
    *(_random.randrange(10**15, 10**16) / 10 for _ in range(30)),
    *(10.0**exponent for exponent in range(-12, 25)),
    *(2.0**exponent for exponent in range(-70, 70)),
    *(float(2**53 + _random.randrange(2**50)) for _ in range(100)),
    0.0, -0.0, 0.1, 1.5, 123456.7, 1e14, 1e15, 5e-324, 1.7976931348623157e308, 999999999999999.9, 0.00012,
    float("nan"), float("inf"), float("-inf"),
]  # fmt: skip
_floats = [value for value in _doubles if value == 0 or 1e-37 < abs(value) < 3e38] + [
    16777216.0,
    1e6,
    999999.0,
]
_strings = ["", "a", "null", "NULL", 'a"b', "a\\b", "a b", "{}", "a,b", "é€😀", "\n", "x" * 300, "tab\t", "'"]


def numeric_literals(scale: int) -> list[str]:
    """Numbers of up to 18 digits and their negatives, of one scale."""
    values = [0, 1, -1, 9999, 10_000, 10**scale, *(_random.randrange(-(10**15), 10**15) for _ in range(40))]
    return [f"{value / 1:.0f}" if scale == 0 else place_point(value, scale) for value in values]


def place_point(value: int, scale: int) -> str:
    digits = str(abs(value)).rjust(scale + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


CASES: dict[str, tuple[str, str, list[str]]] = {
    "bool": ("bool", "BOOLEAN", ["true", "false"]),
    "int2": ("int2", "SMALLINT", ["0", "-32768", "32767"]),
    "int4": ("int4", "INTEGER", ["0", "-2147483648", "2147483647", "7"]),
    "int8": ("int8", "BIGINT", ["0", "-9223372036854775808", "9223372036854775807"]),
    "float8": ("float8", "DOUBLE", [repr(value) for value in _doubles]),
    "float4": ("float4", "FLOAT", [repr(value) for value in _floats]),
    "numeric(18,0)": ("numeric(18,0)", "DECIMAL(18,0)", numeric_literals(0)),
    "numeric(18,2)": ("numeric(18,2)", "DECIMAL(18,2)", numeric_literals(2)),
    "numeric(18,5)": ("numeric(18,5)", "DECIMAL(18,5)", numeric_literals(5)),
    "numeric(38,10)": (
        "numeric(38,10)",
        "DECIMAL(38,10)",
        [*numeric_literals(10), "9" * 28 + "." + "9" * 10],
    ),
    "numeric(38,37)": (
        "numeric(38,37)",
        "DECIMAL(38,37)",
        ["0.0000000000000000000000000000000000001", "-1.5", "0"],
    ),
    "numeric, huge": ("numeric", "HUGEINT", ["0", "170141183460469231731687303715884105727", "-10000", "5"]),
    "numeric, unsigned": ("numeric", "UHUGEINT", ["0", "340282366920938463463374607431768211455", "10000"]),
    "text": ("text", "VARCHAR", _strings),
    "bpchar": ("char(5)", "VARCHAR", ["", "ab", "é", "abcde"]),
    "uuid": (
        "uuid",
        "UUID",
        ["c20fd3fd-9250-46ee-9229-fe103f5a599a", "00000000-0000-0000-0000-000000000000"],
    ),
    "json": ("json", "JSON", ['{"a": [1, 2]}', "null", '"x"']),
    "varbit": ("varbit", "BIT", ["1", "101", "11111111", "0000000011", "1" * 17]),
    "time": ("time", "TIME", ["00:00:00", "23:59:59.999999", "04:05:06.7", "24:00:00"]),
    "timetz": ("timetz", "TIMETZ", ["04:05:06.7+05:30", "00:00:00-08", "23:59:59.5+00", "01:02:03+01:02:03"]),
    "date[]": ("date[]", "DATE[]", ["{2020-01-01,NULL}", "{}"]),
    "int4[]": ("int4[]", "INTEGER[]", ["{1,NULL,-3}", "{}", "{7}"]),
    "int4[][]": ("int4[]", "INTEGER[][]", ["{{1,2},{3,4}}", "{{1},{NULL}}"]),
    "float8[]": ("float8[]", "DOUBLE[]", ["{1.5,NaN,1e20}", "{NULL}"]),
    "numeric[]": ("numeric(9,2)[]", "DECIMAL(9,2)[]", ["{1.50,NULL,-0.05}", "{}"]),
    "timestamp[]": ("timestamp[]", "TIMESTAMP[]", ['{"2020-01-01 00:00:00.5",NULL}']),
    "uuid[]": ("uuid[]", "UUID[]", ["{c20fd3fd-9250-46ee-9229-fe103f5a599a,NULL}"]),
    "bool[]": ("bool[]", "BOOLEAN[]", ["{t,f,NULL}"]),
}


def as_engine_literal(engine_type: str, literal: str) -> str:
    if engine_type.endswith("[]"):
        literal = literal.replace("{", "[").replace("}", "]").replace('"', "'")
    return literal


def check(
    postgres: psycopg.Connection,
    batch: object,
    sql: str,
    column: ResultColumn,
    output: OutputSettings | None = None,
    formats: tuple[int, ...] = (0, 1),
) -> None:
    for code in formats:
        expected = postgres.execute(sql, binary=bool(code))
        result = expected.pgresult
        assert result is not None
        assert column.type_oid in {result.ftype(0), 25, 1043}, "the case compares like with like"
        wanted = [result.get_value(row, 0) for row in range(result.ntuples)]
        for pure in (True, False) if is_built else (True,):
            settings = output if output is not None else OutputSettings()
            encoder = RowEncoder([column], [code], settings, pure=pure)
            got = [row[0] for row in split_rows(encoder.encode(batch))]  # type: ignore[arg-type]
            assert got == wanted, f"format {code}, {'pyarrow' if pure else 'kernel'}"


def declared(pg_name: str, engine_type: str) -> ResultColumn:
    base, _, rest = pg_name.partition("(")
    suffix = "[]" if pg_name.endswith("[]") else ""
    pg_type = type_by_name(base if not rest else base + suffix)
    if base == "char":
        pg_type = type_by_name("bpchar")
    assert pg_type is not None
    modifiers = tuple(int(part) for part in rest.partition(")")[0].split(",")) if rest else ()
    typmod = encode_typmod(pg_type.element_oid or pg_type.oid, modifiers)
    return ResultColumn("x", pg_type.oid, typmod, engine_type)


@pytest.mark.parametrize("case", CASES)
def test_values_are_the_bytes_that_postgres_sends(
    case: str, postgres: psycopg.Connection, engine: duckdb.DuckDBPyConnection
) -> None:
    pg_name, engine_type, literals = CASES[case]
    rows: list[str | None] = [*literals, None]
    quoted = ["NULL" if text is None else "$q$" + text + "$q$" for text in rows]
    sql = " UNION ALL ".join(f"SELECT {text}::{pg_name} AS x, {at} AS n" for at, text in enumerate(quoted))
    values = [None if text is None else as_engine_literal(engine_type, text) for text in rows]
    batch = (
        engine.execute(
            f"SELECT CAST(v AS {engine_type}) AS x FROM (SELECT unnest($1::VARCHAR[]) AS v)", [values]
        )
        .to_arrow_table()
        .combine_chunks()
        .to_batches()[0]
    )
    check(postgres, batch, f"SELECT x FROM ({sql}) AS t ORDER BY n", declared(pg_name, engine_type))


@pytest.mark.parametrize("style", ["postgres", "postgres_verbose", "sql_standard", "iso_8601"])
def test_intervals_in_every_style_are_those_of_postgres(
    style: str, postgres: psycopg.Connection, engine: duckdb.DuckDBPyConnection
) -> None:
    rng = random.Random(7)
    choices = [(0, 0, 0), (1, 0, 0), (12, 1, 0), (-1, 1, 5), (14, 3, 14_706_700_000), (0, 0, -500_000)]
    for _ in range(200):
        choices.append((
            rng.choice([0, 0, 1, -1, 12, -12, 13, -25]), rng.choice([0, 0, 1, -1, 40]),
            rng.choice([0, 0, 1, -1, 10**6, -(10**6), 3_600_000_000, -90_000_000, 4_555_500_000, -1_500_000]),
        ))  # fmt: skip
    text = " UNION ALL ".join(
        f"SELECT make_interval(months => {m}, days => {d}, secs => {u} / 1000000.0::float8), {at}"
        for at, (m, d, u) in enumerate(choices)
    )
    own = " UNION ALL ".join(
        f"SELECT to_months({m}) + to_days({d}) + to_microseconds({u}) AS x, {at} AS n"
        for at, (m, d, u) in enumerate(choices)
    )
    batch = (
        engine.execute(f"SELECT x FROM ({own}) ORDER BY n").to_arrow_table().combine_chunks().to_batches()[0]
    )
    postgres.execute(f"SET IntervalStyle = {style}")
    try:
        check(
            postgres, batch, f"SELECT x FROM ({text}) AS t(x, n) ORDER BY n",
            declared("interval", "INTERVAL"), OutputSettings(interval_style=style),
        )  # fmt: skip
    finally:
        postgres.execute("RESET IntervalStyle")


def test_dates_from_bc_to_far_future_are_those_of_postgres(
    postgres: psycopg.Connection, engine: duckdb.DuckDBPyConnection
) -> None:
    for days in (
        _days,
        [day for day in _days if 0 < day < 2_000_000],
        [0, 1, 47_845, 47_846, -25_567, -719_162],
    ):
        batch = (
            engine.execute(
                "SELECT DATE '1970-01-01' + CAST(d AS INTEGER) AS x FROM (SELECT unnest($1::INTEGER[]) AS d)"
                " UNION ALL SELECT NULL",
                [days],
            )
            .to_arrow_table()
            .combine_chunks()
            .to_batches()[0]
        )
        sql = f"SELECT DATE '1970-01-01' + d FROM unnest('{{{','.join(map(str, days))},NULL}}'::int[]) AS d"
        check(postgres, batch, sql, declared("date", "DATE"))


@pytest.mark.parametrize(
    "zone",
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "Africa/Casablanca",
        "<+05:30>-05:30",
        "UTC+3",
    ],
)
def test_timestamps_in_every_zone_are_those_of_postgres(
    zone: str, postgres: psycopg.Connection, engine: duckdb.DuckDBPyConnection
) -> None:
    recent = [_random.randrange(-4_000_000_000, 2_100_000_000) * 1_000_000 for _ in range(200)]
    for micros in (_micros, recent, [0]):
        for name, own, offset in (("timestamptz", "TIMESTAMPTZ", "+00"), ("timestamp", "TIMESTAMP", "")):
            batch = (
                engine.execute(
                    f"SELECT CAST(make_timestamp{'tz' if offset else ''}(m) AS {own}) AS x"
                    " FROM (SELECT unnest($1::BIGINT[]) AS m) UNION ALL SELECT NULL"
                    f" UNION ALL SELECT {own} 'infinity' UNION ALL SELECT {own} '-infinity'",
                    [micros],
                )
                .to_arrow_table()
                .combine_chunks()
                .to_batches()[0]
            )
            numbers = ",".join(map(str, micros))
            sql = (
                f"SELECT {name} '1970-01-01 00:00:00{offset}' + (m / 86400000000) * interval '24 hours'"
                f" + (m % 86400000000) * interval '1 microsecond' FROM unnest('{{{numbers}}}'::int8[]) AS m"
                f" UNION ALL SELECT NULL UNION ALL SELECT 'infinity' UNION ALL SELECT '-infinity'"
            )
            postgres.execute(f"SET TimeZone = '{zone}'")
            check(postgres, batch, sql, declared(name, own), OutputSettings(time_zone=zone))


@pytest.mark.parametrize("output", ["hex", "escape"])
def test_bytea_in_both_outputs_is_that_of_postgres(
    output: str, postgres: psycopg.Connection, engine: duckdb.DuckDBPyConnection
) -> None:
    values = [b"", b"abc", bytes(range(256)), b"\\", None]
    batch = engine.execute("SELECT unnest($1::BLOB[]) AS x", [values]).to_arrow_table().to_batches()[0]
    literals = " UNION ALL ".join(
        "SELECT NULL" if value is None else f"SELECT '\\x{value.hex()}'::bytea" for value in values
    )
    postgres.execute(f"SET bytea_output = {output}")
    check(postgres, batch, literals, declared("bytea", "BLOB"), OutputSettings(bytea_output=output))


def test_text_arrays_are_quoted_as_postgres_quotes_them(
    postgres: psycopg.Connection, engine: duckdb.DuckDBPyConnection
) -> None:
    batch = engine.execute(
        "SELECT [s, NULL, s] AS x FROM (SELECT unnest($1) AS s)", [_strings]
    ).to_arrow_table()
    parts = " UNION ALL ".join(
        f"SELECT ARRAY[s, NULL, s] FROM (SELECT $q${s}$q$::text AS s) t" for s in _strings
    )
    check(postgres, batch.combine_chunks().to_batches()[0], parts, declared("text[]", "VARCHAR[]"))
