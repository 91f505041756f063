"""PostgreSQL's own parser against ours: utility statements, statement boundaries, keywords."""

from pathlib import Path

import psycopg
import pytest
from psycopg.pq import DiagnosticField, ExecStatus

from pgproxy.sql.utility import keywords, parse_utility, split_statements
from pgwire.errors import AccessDenied, FeatureNotSupported, GatewayError

_STATEMENTS = [
    line
    for line in (Path(__file__).parent / "utility_syntax.sql").read_text().splitlines()
    if not line.startswith("--")
]
# Ours sees the end of the text where PostgreSQL already stumbles over the word before it.
_OTHER_POSITION = {"prepare a (int as select 1", "copy (select 1 to stdout"}
# The executor refuses an option without its value, as PostgreSQL does after parsing.
_REFUSED_LATER = {"explain (format) select 1"}
_SYNTAX_ERRORS = {"42601", "42P11"}


def _verdict_of_postgres(connection: psycopg.Connection, text: str) -> tuple[str | None, int | None]:
    result = connection.pgconn.prepare(b"", text.encode())
    sqlstate = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
    position = result.error_field(DiagnosticField.STATEMENT_POSITION)
    # Parse binds the inner query of DECLARE and EXPLAIN; a missing table is no matter of syntax.
    return (sqlstate, int(position) if position else None) if sqlstate in _SYNTAX_ERRORS else (None, None)


def _our_verdict(text: str) -> tuple[str | None, int | None]:
    try:
        parse_utility(text)
    except (FeatureNotSupported, AccessDenied):
        return None, None
    except GatewayError as error:
        return error.sqlstate.value, error.position
    return None, None


@pytest.mark.parametrize("text", [text for text in _STATEMENTS if text not in _REFUSED_LATER])
def test_ours_and_postgresql_accept_and_refuse_the_same(postgres, text):
    theirs = _verdict_of_postgres(postgres, text)
    ours = _our_verdict(text)
    assert ours[0] == theirs[0]
    if text not in _OTHER_POSITION and theirs[1] is not None:
        assert ours[1] == theirs[1]


_QUERY_STRINGS = [
    "select 1; select ';' ; select $$;$$;;",
    r"select E'\';' ; select '\' ; select 3",
    "select 1 /* ; /* ; */ ; */ ; select 2 -- ;",
    "select $a$;$b$;$a$ ; select 1 as a$b$; select 2 as c$b$",
    'select 1 as ";" ; select 2',
    "select 'a'\n';b' ; select 2",
    "select 'a' --;\n';b' ; select 2",
    "select U&'!003b' uescape '!' ; select 1",
    "; ;",
    "-- nothing",
    "select 2 --/* ;\n; select 1",
    "select 4*/*;*/2 ; select 1",
    "select 1 where true; values (1); table pg_am; (select 1)",
    "select $1x; select 1",
    "select 'open",
    "select /* open",
    "select 1; select 2abc",
]


@pytest.mark.parametrize("text", _QUERY_STRINGS)
def test_a_query_string_has_as_many_statements_as_postgresql_runs(postgres, text):
    postgres.pgconn.send_query(text.encode())
    statuses = []
    while (result := postgres.pgconn.get_result()) is not None:
        statuses.append(ExecStatus(result.status))
    if ExecStatus.FATAL_ERROR in statuses:
        with pytest.raises(GatewayError):
            split_statements(text)
    else:
        assert len(split_statements(text)) == len([s for s in statuses if s != ExecStatus.EMPTY_QUERY])


def test_the_keyword_lists_are_those_of_the_server(postgres):
    rows = postgres.execute(
        "select catcode::text, array_agg(word) from pg_get_keywords() group by 1"
    ).fetchall()
    assert {category: frozenset(words) for category, words in rows} == {
        "R": keywords.RESERVED,
        "T": keywords.TYPE_OR_FUNCTION_NAME,
        "C": keywords.COLUMN_NAME,
        "U": keywords.UNRESERVED,
    }
