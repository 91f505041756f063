"""The SQLSTATE catalogue and the error family."""

from pathlib import Path

import pytest

from pgwire import errors
from pgwire.errors import GatewayError, StatementError
from pgwire.sqlstate import SqlState

ERRCODES = Path("/usr/share/postgresql/15/errcodes.txt")


def test_the_catalogue_is_complete_and_well_formed() -> None:
    assert len(SqlState) == 260
    assert all(len(state) == 5 and state.isalnum() and state == state.upper() for state in SqlState)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (SqlState.SUCCESSFUL_COMPLETION, "00000"),
        (SqlState.STRING_DATA_RIGHT_TRUNCATION, "22001"),
        (SqlState.WARNING_STRING_DATA_RIGHT_TRUNCATION, "01004"),
        (SqlState.NULL_VALUE_NOT_ALLOWED, "22004"),
        (SqlState.EXTERNAL_ROUTINE_INVOCATION_NULL_VALUE_NOT_ALLOWED, "39004"),
        (SqlState.SQL_ROUTINE_READING_SQL_DATA_NOT_PERMITTED, "2F004"),
        (SqlState.EXTERNAL_ROUTINE_READING_SQL_DATA_NOT_PERMITTED, "38004"),
        (SqlState.UNDEFINED_TABLE, "42P01"),
        (SqlState.QUERY_CANCELED, "57014"),
        (SqlState.INDEX_CORRUPTED, "XX002"),
    ],
)
def test_conditions_have_postgresqls_codes(state: SqlState, code: str) -> None:
    assert state == code


@pytest.mark.skipif(not ERRCODES.exists(), reason="needs PostgreSQL 15's errcodes.txt")
def test_the_catalogue_is_postgresqls_own() -> None:
    rows = [line.split() for line in ERRCODES.read_text().splitlines()]
    named = {row[0]: row[3].upper() for row in rows if len(row) == 4 and row[1] in "EWS"}
    assert set(named) == {state.value for state in SqlState}
    assert all(state.name.endswith(named[state.value]) for state in SqlState)


def test_every_error_has_a_class_default_that_an_instance_may_replace() -> None:
    assert StatementError("m").sqlstate is SqlState.SYNTAX_ERROR
    assert StatementError("m", sqlstate=SqlState.UNDEFINED_COLUMN).sqlstate is SqlState.UNDEFINED_COLUMN


def test_the_fatal_errors_are_those_that_end_a_connection() -> None:
    family = [value for value in vars(errors).values() if isinstance(value, type)]
    fatal = {kind.__name__ for kind in family if issubclass(kind, GatewayError) and kind.fatal}
    assert fatal == {
        "ProtocolViolation",
        "AuthenticationFailed",
        "InvalidCatalog",
        "TooManyConnections",
        "ShuttingDown",
    }
