"""One statement on PostgreSQL and through the dialect on DuckDB; the outcomes in one form."""

import struct
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from sqlglot.errors import ParseError

from pgproxy.sql.dialect import output_names, parse_source, to_engine
from pgproxy.sql.dialect.build import ERROR_PREFIX
from pgwire.errors import GatewayError
from pgwire.rows import RowEncoder
from pgwire.types import OutputSettings, result_column

_FOLDER = Path(__file__).parent
FIXTURE = (_FOLDER / "fixture.sql").read_text()


@dataclass(frozen=True)
class Outcome:
    """What a client would see. error: `<any>` for an engine error without an SQLSTATE in its text."""

    error: str | None = None
    names: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    oids: tuple[int, ...] = ()


def statements() -> list[tuple[str, str]]:
    """Every statement of the corpus with its theme."""
    return [
        (path.stem, line)
        for path in sorted((_FOLDER / "statements").glob("*.sql"))
        for line in path.read_text().splitlines()
        if line.strip() and not line.startswith("--")
    ]


def is_ordered(text: str) -> bool:
    """Tell whether the order of rows is fixed."""
    return " order by " in text


def on_postgres(connection: psycopg.Connection, text: str) -> Outcome:
    """Run on the real server, values in text format."""
    result = connection.pgconn.exec_params(text.encode(), [])
    if result.status != ExecStatus.TUPLES_OK:
        return Outcome(error=(result.error_field(DiagnosticField.SQLSTATE) or b"").decode())
    columns = range(result.nfields)
    rows = tuple(
        tuple(
            None if (value := result.get_value(row, column)) is None else value.decode() for column in columns
        )
        for row in range(result.ntuples)
    )
    names = tuple((result.fname(column) or b"").decode() for column in columns)
    return Outcome(None, names, rows, tuple(result.ftype(column) for column in columns))


class CatalogTypes:
    """A TypeSource over what DuckDB has."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        rows = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns()"
        ).fetchall()
        self._tables: dict[str, dict[str, str]] = {}
        for table, column, kind in rows:
            self._tables.setdefault(table, {})[column] = kind

    def column_types(self, table):
        """Look a table up by name alone."""
        return self._tables.get(table.name.lower())

    def star(self, star, query):
        """Expand a star over plain tables; None for anything else."""
        names: list[str] = []
        for source in [query.args["from_"].this, *(join.this for join in query.args.get("joins") or ())]:
            columns = self._tables.get(source.name.lower()) if source.key == "table" else None
            if columns is None or any(
                join.args.get("using") or join.args.get("method") for join in query.args.get("joins") or ()
            ):
                return None
            if not star.args.get("table") or star.table.lower() == source.alias_or_name.lower():
                names.extend(columns)
        return tuple(names)


def engine_connection() -> duckdb.DuckDBPyConnection:
    """DuckDB with the fixture."""
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(FIXTURE)
    return connection


def on_engine(connection: duckdb.DuckDBPyConnection, types: CatalogTypes, text: str) -> Outcome:
    """Run through the dialect, values encoded as on the wire."""
    try:
        source = parse_source(text)
        names = output_names(source, types.star)
        sql = to_engine(source, types).sql("duckdb")
    except GatewayError as error:
        return Outcome(error=error.sqlstate.value)
    except ParseError:
        return Outcome(error="42601")
    try:
        result = connection.execute(sql)
        description = result.description
        reader = result.to_arrow_reader(8192)
        columns = tuple(result_column(name, str(kind)) for name, kind, *_ in description)
        encoder = RowEncoder(columns, (), OutputSettings())
        rows = tuple(row for batch in reader for row in _decode(bytes(encoder.encode(batch).data)))
    except duckdb.Error as error:
        message = str(error)
        at = message.find(ERROR_PREFIX)
        return Outcome(error=message[at + len(ERROR_PREFIX) :][:5] if at >= 0 else "<any>")
    own = tuple(column.name for column in columns)
    return Outcome(
        None, names if names is not None else own, rows, tuple(column.type_oid for column in columns)
    )


def _decode(data: bytes):
    """Split DataRow messages into values."""
    at = 0
    while at < len(data):
        length, count = struct.unpack_from(">IH", data, at + 1)
        end, at = at + 1 + length, at + 7
        values: list[str | None] = []
        for _ in range(count):
            (size,) = struct.unpack_from(">i", data, at)
            at += 4
            values.append(None if size < 0 else data[at : at + size].decode())
            at += max(size, 0)
        assert at == end
        yield tuple(values)


def differences(theirs: Outcome, ours: Outcome, *, ordered: bool) -> list[str]:
    """Name what differs; empty where a client sees the same."""
    if theirs.error or ours.error:
        is_same = bool(theirs.error and ours.error) and ours.error in (theirs.error, "<any>")
        return [] if is_same else [f"error: {theirs.error} <> {ours.error}"]
    found = []
    if theirs.names != ours.names:
        found.append(f"names: {theirs.names} <> {ours.names}")
    rows = (
        (theirs.rows, ours.rows) if ordered else (sorted(theirs.rows, key=repr), sorted(ours.rows, key=repr))
    )
    if rows[0] != rows[1]:
        found.append(f"rows: {rows[0]} <> {rows[1]}")
    if theirs.oids != ours.oids:
        found.append(f"types: {theirs.oids} <> {ours.oids}")
    return found
