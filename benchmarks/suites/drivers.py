"""How fast real drivers read a result: their own decoding is most of it, and the same for every server."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import asyncpg
import psycopg

from benchmarks import jdbc
from benchmarks.data import stream_data
from benchmarks.raw_client import Address
from benchmarks.suites.base import Case, Comparison, Metric, Probe, Suite
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.gateway import EMBEDDED, REMOTE
from benchmarks.targets.postgres import POSTGRES

_FETCHED_ROWS = 5000


class PsycopgProbe:
    """psycopg 3 with a server-side cursor, or without: then it holds the whole result."""

    def __init__(self, connection: psycopg.Connection, sql: str, *, is_binary: bool, by_cursor: bool) -> None:
        self._connection = connection
        self._sql = sql
        self._is_binary = is_binary
        self._by_cursor = by_cursor

    def check(self) -> Mapping[str, str]:
        return {"rows": str(self._read())}

    def measure(self) -> Mapping[str, float]:
        start = time.perf_counter()
        rows = self._read()
        wall_s = time.perf_counter() - start
        return {"rows_per_s": rows / wall_s, "wall_s": wall_s}

    def _read(self) -> int:
        with self._connection.transaction():
            name = "benchmark" if self._by_cursor else ""
            with self._connection.cursor(name, binary=self._is_binary) as cursor:
                cursor.execute(self._sql)
                return sum(len(rows) for rows in iter(lambda: cursor.fetchmany(_FETCHED_ROWS), []))


class AsyncpgProbe:
    """asyncpg, which reads in binary, with a cursor that fetches ahead."""

    def __init__(self, address: Address, sql: str) -> None:
        self._address = address
        self._sql = sql

    def check(self) -> Mapping[str, str]:
        return {"rows": str(asyncio.run(self._read())[0])}

    def measure(self) -> Mapping[str, float]:
        rows, wall_s = asyncio.run(self._read())
        return {"rows_per_s": rows / wall_s, "wall_s": wall_s}

    async def _read(self) -> tuple[int, float]:
        """Give rows and seconds, without those of the login."""
        address = self._address
        connection = await asyncpg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database=address.database,
        )
        try:
            start = time.perf_counter()
            rows = 0
            async with connection.transaction():
                async for _ in connection.cursor(self._sql, prefetch=_FETCHED_ROWS):
                    rows += 1
            return rows, time.perf_counter() - start
        finally:
            await connection.close()


class JdbcProbe:
    """pgjdbc in a Java program that stays, and with it what Java compiles: it reads once for each line."""

    def __init__(self, program: "subprocess.Popen[str]") -> None:
        if program.stdin is None or program.stdout is None:
            raise ValueError("the program has no pipes")
        self._input, self._output = program.stdin, program.stdout

    def check(self) -> Mapping[str, str]:
        return {"rows": self._read()[0]}

    def measure(self) -> Mapping[str, float]:
        rows, wall_s = self._read()
        return {"rows_per_s": int(rows) / float(wall_s), "wall_s": float(wall_s)}

    def _read(self) -> tuple[str, str]:
        """Give rows and seconds, without those of the login."""
        self._input.write("\n")
        self._input.flush()
        rows, wall_s = self._output.readline().split()
        return rows, wall_s


@contextmanager
def _open_psycopg(sql: str, is_binary: bool, by_cursor: bool, target: RunningTarget) -> Iterator[Probe]:
    address = target.wire_address
    with psycopg.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        dbname=address.database,
    ) as connection:
        yield PsycopgProbe(connection, sql, is_binary=is_binary, by_cursor=by_cursor)


@contextmanager
def _open_asyncpg(sql: str, target: RunningTarget) -> Iterator[Probe]:
    yield AsyncpgProbe(target.wire_address, sql)


@contextmanager
def _open_jdbc(sql: str, target: RunningTarget) -> Iterator[Probe]:
    address = target.wire_address
    url = f"jdbc:postgresql://{address.host}:{address.port}/{address.database}"
    with tempfile.TemporaryDirectory() as name:
        jdbc.compile_program("Reading", Path(name))
        arguments = (url, address.user, address.password or "", sql, str(_FETCHED_ROWS))
        command = jdbc.command("Reading", Path(name), *arguments)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            yield JdbcProbe(program)


_LINEITEM = "SELECT * FROM lineitem"

SUITE = Suite(
    name="drivers",
    title="A large result by real drivers",
    about=(
        "Each driver reads lineitem, sixteen columns, and makes its own rows of it. psycopg reads at "
        "once, or 5,000 rows at a time by a server-side cursor; asyncpg by its cursor, in binary; "
        "pgjdbc by setFetchSize, in binary from the fifth time on."
    ),
    metrics=(Metric("rows_per_s", "thousand rows/s", 1, 1e3), Metric("wall_s", "seconds", 2)),
    targets=(EMBEDDED, REMOTE, POSTGRES),
    data=stream_data,
    rows=200_000,
    quick_rows=50_000,
    cases=(
        Case("psycopg_text", "psycopg, text", partial(_open_psycopg, _LINEITEM, False, False)),
        Case("psycopg_binary", "psycopg, binary", partial(_open_psycopg, _LINEITEM, True, False)),
        Case("psycopg_cursor", "psycopg, server-side cursor", partial(_open_psycopg, _LINEITEM, False, True)),
        Case("asyncpg_cursor", "asyncpg, cursor", partial(_open_asyncpg, _LINEITEM)),
        *(
            [Case("jdbc_cursor", "pgjdbc, setFetchSize", partial(_open_jdbc, _LINEITEM))]
            if jdbc.is_installed()
            else []
        ),
    ),
    comparisons=(
        Comparison("embedded", "postgres", "rows_per_s"),
        Comparison("remote", "postgres", "rows_per_s"),
    ),
)
