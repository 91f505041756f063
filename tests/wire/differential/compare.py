"""One statement on PostgreSQL and on the gateway; what a client sees of each in one form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus, PGresult

_FOLDER = Path(__file__).parent
FIXTURE = (_FOLDER / "fixture.sql").read_text()


@dataclass(frozen=True)
class Outcome:
    """What a client would see. error: the SQLSTATE. oids: type and type modifier of each column."""

    error: str | None = None
    names: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    oids: tuple[tuple[int, int], ...] = ()
    parameters: tuple[int, ...] = ()


def statements() -> list[tuple[str, str]]:
    """Every statement of the corpus with its theme."""
    return [
        (path.stem, line)
        for path in sorted((_FOLDER / "statements").glob("*.sql"))
        for line in path.read_text().splitlines()
        if line.strip() and not line.startswith("--")
    ]


def listed(name: str) -> frozenset[str]:
    """The statements of a list beside this module."""
    return frozenset(listed_in_order(name))


def listed_in_order(name: str) -> list[str]:
    """The same in the list's order."""
    lines = (_FOLDER / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("--")]


def is_ordered(text: str) -> bool:
    """Tell whether the order of rows is fixed."""
    return " order by " in text


def on_postgres(connection: psycopg.Connection, text: str) -> Outcome:
    """Run by the extended protocol, values in text format."""
    return _outcome(connection.pgconn.exec_params(text.encode(), []))


def in_binary(connection: psycopg.Connection, text: str) -> Outcome:
    """Run by the extended protocol, values in binary format, shown in hex."""
    return _outcome(connection.pgconn.exec_params(text.encode(), [], result_format=1), bytes.hex)


def on_gateway(connection: psycopg.Connection, text: str) -> Outcome:
    """Run by the simple protocol, values in text format."""
    return _outcome(connection.pgconn.exec_(text.encode()))


def with_parameters(
    connection: psycopg.Connection, text: str, values: Sequence[str | None], declared: Sequence[int]
) -> Outcome:
    """Prepare, describe and run; values in text format. declared: OIDs of the parameters, none to infer."""
    server = connection.pgconn
    prepared = server.prepare(b"", text.encode(), list(declared))
    if prepared.status != ExecStatus.COMMAND_OK:
        return _outcome(prepared)
    described = server.describe_prepared(b"")
    if described.status != ExecStatus.COMMAND_OK:
        return _outcome(described)
    bound = [None if value is None else value.encode() for value in values]
    kinds = tuple(described.param_type(at) for at in range(described.nparams))
    return replace(_outcome(server.exec_prepared(b"", bound)), parameters=kinds)


def _outcome(result: PGresult, shown: Callable[[bytes], str] = bytes.decode) -> Outcome:
    if result.status != ExecStatus.TUPLES_OK:
        return Outcome(error=(result.error_field(DiagnosticField.SQLSTATE) or b"").decode())
    columns = range(result.nfields)
    rows = tuple(
        tuple(
            None if (value := result.get_value(row, column)) is None else shown(value) for column in columns
        )
        for row in range(result.ntuples)
    )
    names = tuple((result.fname(column) or b"").decode() for column in columns)
    return Outcome(
        None, names, rows, tuple((result.ftype(column), result.fmod(column)) for column in columns)
    )


def error_of(connection: psycopg.Connection, text: str) -> tuple[str, str]:
    """SQLSTATE and position of what a statement fails with; empty where it does not fail."""
    result = connection.pgconn.exec_(text.encode())
    fields = (DiagnosticField.SQLSTATE, DiagnosticField.STATEMENT_POSITION)
    state, position = ((result.error_field(field) or b"").decode() for field in fields)
    return state, position


def differences(theirs: Outcome, ours: Outcome, *, ordered: bool) -> list[str]:
    """Name what differs; empty where a client sees the same."""
    if theirs.error or ours.error:
        return [] if theirs.error == ours.error else [f"error: {theirs.error} <> {ours.error}"]
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
