"""Engine errors, made by a real DuckDB of the pinned version."""

import resource
import signal
from pathlib import Path

import duckdb
import pytest

from execnode.engine.errors import (
    ENGINE_ERROR_MARKER,
    ENGINE_EXCEPTIONS,
    EngineFault,
    as_gateway_error,
    engine_error,
    translate_error,
)
from pgwire.errors import GatewayError, OutOfMemory, QueryCanceled, StatementError
from pgwire.sqlstate import SqlState

_SET_UP = """
CREATE TABLE parent (a INTEGER PRIMARY KEY, b INTEGER NOT NULL, c INTEGER CHECK (c > 0));
CREATE TABLE child (a INTEGER REFERENCES parent (a));
INSERT INTO parent VALUES (1, 1, 1);
CREATE SCHEMA s;
"""


def failure(sql: str) -> EngineFault:
    with duckdb.connect(":memory:", config={"errors_as_json": True}) as connection:
        connection.execute(_SET_UP)
        with pytest.raises(ENGINE_EXCEPTIONS) as caught:
            list(connection.execute(sql).to_arrow_reader(8192))
        translated = translate_error(caught.value)
    assert isinstance(translated, EngineFault)
    return translated


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("SELEC 1", "42601"),
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT nothing FROM parent", "42703"),
        ("SELECT nofunction(1)", "42883"),
        ("SELECT upper(1, 2, 3)", "42883"),
        ("SELECT * FROM nofunction(1)", "42883"),
        ("SELECT 1::notype", "42704"),
        ("CREATE TABLE parent (a INTEGER)", "42P07"),
        ("CREATE SCHEMA s", "42P06"),
        ("SELECT 'a'::INTEGER", "22P02"),
        ("SELECT '99999999999'::INTEGER", "22003"),
        ("SELECT 40000::SMALLINT", "22003"),
        ("SELECT 123456789.00::DECIMAL(10, 2)", "22003"),
        ("SELECT 1e50::DOUBLE::DECIMAL(38, 2)", "22003"),
        ("SELECT 'x'::DATE", "22007"),
        ("SELECT 'x'::TIMESTAMPTZ", "22007"),
        ("SELECT '2024-13-01'::DATE", "22008"),
        ("SELECT '25:00'::TIME", "22008"),
        ("SELECT make_date(2024, 13, 1)", "22008"),
        ("SELECT unnest(1)", "42883"),
        ("SELECT 1 IN (SELECT 1, 2)", "42601"),
        ("SELECT * FROM (SELECT 1) t(a, b)", "42P10"),
        ("SELECT CASE WHEN i = 3000000 THEN 'x' ELSE '1' END::INTEGER FROM range(3100000) r(i)", "22P02"),
        ("SELECT 2147483647::INTEGER + 1::INTEGER", "22003"),
        ("SELECT chr(-1)", "22023"),
        ("INSERT INTO parent VALUES (1, 1, 1)", "23505"),
        ("INSERT INTO parent VALUES (2, NULL, 1)", "23502"),
        ("INSERT INTO parent VALUES (2, 1, -1)", "23514"),
        ("INSERT INTO child VALUES (9)", "23503"),
        ("SELECT * FROM read_csv('/nowhere/at/all.csv')", "58030"),
    ],
)
def test_each_kind_of_failure_has_its_sqlstate(sql: str, sqlstate: str) -> None:
    assert failure(sql).sqlstate.value == sqlstate


def test_the_message_never_holds_what_the_engine_said() -> None:
    error = failure("SELECT 'topsecret'::INTEGER")
    assert "topsecret" in error.engine_text
    assert "topsecret" not in error.message
    assert error.engine_class == "ConversionException"


def test_the_gateway_can_raise_a_chosen_sqlstate_and_message() -> None:
    marker = ENGINE_ERROR_MARKER.removeprefix("\x02")
    error = failure(f"SELECT error(chr(2) || '{marker}22012:division by zero')")
    assert (error.sqlstate, error.message) == (SqlState.DIVISION_BY_ZERO, "division by zero")


def test_the_marker_works_in_the_middle_of_a_stream() -> None:
    sql = (
        "SELECT CASE WHEN i = 3000000 THEN error(chr(2) || 'pgproxy:22012:') ELSE i END"
        " FROM range(3100000) r(i)"
    )
    error = failure(sql)
    assert (error.sqlstate, error.message) == (SqlState.DIVISION_BY_ZERO, "division by zero")


@pytest.mark.parametrize(
    "text",
    ["pgproxy:22012:no marker byte", "x\x02pgproxy:22012:not at the start", "\x02pgproxy:ZZZZZ:unknown"],
)
def test_what_only_resembles_the_marker_is_no_marker(text: str) -> None:
    quoted = text.replace("\x02", "' || chr(2) || '")
    error = failure(f"SELECT error('{quoted}')")
    assert (error.sqlstate, error.message) == (SqlState.INVALID_PARAMETER_VALUE, "invalid argument")


def test_a_lost_race_and_a_failed_block_are_told_apart() -> None:
    raised = duckdb.TransactionException("TransactionContext Error: whatever")
    assert translate_error(raised).sqlstate is SqlState.SERIALIZATION_FAILURE
    blocked = translate_error(raised, in_failed_transaction=True)
    assert blocked.sqlstate is SqlState.IN_FAILED_SQL_TRANSACTION


@pytest.mark.parametrize(
    ("raised", "family"),
    [
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), QueryCanceled),
        (duckdb.OutOfMemoryException("Out of Memory Error: x"), OutOfMemory),
        (duckdb.BinderException("Binder Error: x"), StatementError),
    ],
)
def test_the_family_follows_the_type(raised: Exception, family: type[GatewayError]) -> None:
    assert isinstance(translate_error(raised), family)


def test_an_error_that_is_already_ours_passes_through() -> None:
    error = engine_error(SqlState.DISK_FULL)
    assert translate_error(error) is error
    assert as_gateway_error(error) is error


def test_a_bug_is_an_internal_error_without_its_text() -> None:
    error = as_gateway_error(KeyError("hidden"))
    assert (error.sqlstate, error.message) == (SqlState.INTERNAL_ERROR, "internal error")


def commit_failure(connection: duckdb.DuckDBPyConnection) -> str:
    """The SQLSTATE of the first COMMIT that fails, of many."""
    rows = "SELECT md5(i::VARCHAR || random()) FROM range(20000) r(i)"
    connection.execute("CREATE TABLE t (a VARCHAR)")
    with pytest.raises(duckdb.TransactionException) as caught:  # noqa: PT012  # whichever insertion it is
        while True:
            connection.execute(f"INSERT INTO t {rows}")
    return translate_error(caught.value).sqlstate.value


def test_a_commit_that_finds_no_memory_is_no_lost_race() -> None:
    config = {"memory_limit": "20MB", "threads": 1, "max_temp_directory_size": "0B", "errors_as_json": True}
    with duckdb.connect(":memory:", config=config) as connection:
        assert commit_failure(connection) == "53200"


def test_a_commit_that_cannot_write_is_no_lost_race(tmp_path: Path) -> None:
    """The kernel refuses a file to grow as it does where the disk is full."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with duckdb.connect(str(tmp_path / "t.duckdb"), config={"errors_as_json": True}) as connection:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, usual[1]))
        try:
            assert commit_failure(connection) == "58030"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
            signal.signal(signal.SIGXFSZ, handler)


def test_a_key_that_another_transaction_took_first_is_a_duplicate() -> None:
    with duckdb.connect(":memory:", config={"errors_as_json": True}) as connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        first, second = connection.cursor(), connection.cursor()
        for transaction in (first, second):
            transaction.execute("BEGIN")
            transaction.execute("INSERT INTO t VALUES (1)")
        first.execute("COMMIT")
        with pytest.raises(duckdb.TransactionException) as caught:
            second.execute("COMMIT")
    assert translate_error(caught.value).sqlstate.value == "23505"
