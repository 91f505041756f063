"""COPY TO STDOUT beside PostgreSQL 15's own bytes, in text, csv and binary."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from pgwire.copy import (
    CopyBinaryEncoder,
    CopyCsvEncoder,
    CopyCsvOptions,
    CopyTextEncoder,
    CopyTextOptions,
    copy_data,
)
from pgwire.errors import StatementError
from pgwire.types import ResultColumn
from tests.postgres import find_binary, running_postgres
from tests.properties.encoder_paths import both_paths

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")

_strings = [
    *("", "a", None, "a\tb", "a\\b", "\n\r", 'q"q', "a,b", "\\.", "\\N", "é|x", "null", "4", "aq1q"),
    *("a text of more than sixteen bytes, with a comma", 'seventeen bytes\v"', "sixteen bytes, ok"),
]
_numbers = [None if place % 3 == 0 else place for place in range(len(_strings))]
COLUMNS = [ResultColumn("s", 25, -1, "VARCHAR"), ResultColumn("n", 23, -1, "INTEGER")]
BATCH = pa.record_batch([pa.array(_strings), pa.array(_numbers, pa.int32())], names=["s", "n"])


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    directory = Path(tmp_path_factory.mktemp("pg"))
    with running_postgres(directory) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (at serial, s text, n int4)")
        for row in zip(_strings, _numbers, strict=True):
            connection.execute("INSERT INTO t (s, n) VALUES (%s, %s)", row)
        yield connection


def messages(connection: psycopg.Connection, options: str, columns: str = "s, n") -> bytes:
    with connection.cursor().copy(
        f"COPY (SELECT {columns} FROM t ORDER BY at) TO STDOUT ({options})"
    ) as copy:
        return b"".join(copy_data(bytes(part)) for part in copy)


@both_paths
@pytest.mark.parametrize(
    ("sql", "options"),
    [
        ("FORMAT text", CopyTextOptions()),
        ("FORMAT text, DELIMITER '|', NULL 'null', HEADER", CopyTextOptions("|", "null", header=True)),
        ("FORMAT text, DELIMITER 'N', NULL '?'", CopyTextOptions("N", "?")),
        ("FORMAT text, DELIMITER E'\\x01', NULL ''", CopyTextOptions("\x01", "")),
    ],
)
def test_text_is_that_of_postgres(
    postgres: psycopg.Connection, sql: str, options: CopyTextOptions, pure: bool
) -> None:
    encoder = CopyTextEncoder(COLUMNS, options, pure=pure)
    assert encoder.header() + bytes(encoder.encode(BATCH).data) == messages(postgres, sql)


@both_paths
@pytest.mark.parametrize(
    ("sql", "options"),
    [
        ("FORMAT csv", CopyCsvOptions()),
        ("FORMAT csv, HEADER, FORCE_QUOTE *", CopyCsvOptions(header=True, force_quote=frozenset("*"))),
        (
            "FORMAT csv, DELIMITER ';', NULL 'null', QUOTE '''', ESCAPE '\\'",
            CopyCsvOptions(";", "null", "'", "\\"),
        ),
        (
            "FORMAT csv, DELIMITER '1', NULL '2', QUOTE 'q', ESCAPE 'a', FORCE_QUOTE (n)",
            CopyCsvOptions("1", "2", "q", "a", force_quote=frozenset("n")),
        ),
        ("FORMAT csv, NULL '4', ESCAPE E'\\t'", CopyCsvOptions(null="4", escape="\t")),
    ],
)
def test_csv_is_that_of_postgres(
    postgres: psycopg.Connection, sql: str, options: CopyCsvOptions, pure: bool
) -> None:
    encoder = CopyCsvEncoder(COLUMNS, options, pure=pure)
    assert encoder.header() + bytes(encoder.encode(BATCH).data) == messages(postgres, sql)
    if "(n)" in sql:
        return
    alone = CopyCsvEncoder(COLUMNS[:1], options, pure=pure)
    assert alone.header() + bytes(alone.encode(BATCH.select([0])).data) == messages(postgres, sql, "s")


@both_paths
def test_binary_is_that_of_postgres(postgres: psycopg.Connection, pure: bool) -> None:
    encoder = CopyBinaryEncoder(COLUMNS, pure=pure)
    ours = encoder.header() + bytes(encoder.encode(BATCH).data) + encoder.trailer()
    theirs = messages(postgres, "FORMAT binary")

    def payload(wire: bytes) -> bytes:
        content, at = b"", 0
        while at < len(wire):
            end = at + 1 + int.from_bytes(wire[at + 1 : at + 5], "big")
            content, at = content + wire[at + 5 : end], end
        return content

    # PostgreSQL puts the header into the first row's message; readers see one stream of bytes either way.
    assert payload(ours) == payload(theirs)


def test_delimiters_that_cannot_work_are_refused() -> None:
    for delimiter in ("", "ab", "é", "\n", "1"):
        with pytest.raises(StatementError):
            CopyTextEncoder(COLUMNS, CopyTextOptions(delimiter))
