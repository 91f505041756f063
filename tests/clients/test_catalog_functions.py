"""Functions about objects, privileges and the session answer as PostgreSQL's, errors included."""

from typing import Any

import psycopg
import pytest

from tests.clients.servers import Pair, Server

pytestmark = pytest.mark.feature("metadata")

_MADE = (
    "CREATE SCHEMA described",
    'CREATE TABLE described.things (id integer PRIMARY KEY, "Odd one" varchar(5))',
    "CREATE VIEW described.seen AS SELECT id FROM described.things",
    "CREATE SEQUENCE described.numbers_of INCREMENT BY 5 START 10",
)
_QUESTIONS = """
SELECT inet_client_addr() IS NOT NULL, inet_server_addr() IS NOT NULL, inet_client_port() > 1023
SELECT client_port > 1023 FROM pg_stat_activity WHERE pid = pg_backend_pid()
SELECT pg_column_size(1), pg_column_size(1::int2), pg_column_size(1::bigint), pg_column_size(now()), pg_column_size(true), pg_column_size(null::int)
SELECT pg_describe_object('pg_class'::regclass, 'described.things'::regclass, 0)
SELECT pg_describe_object('pg_class'::regclass, 'described.things'::regclass, 2)
SELECT pg_describe_object('pg_class'::regclass, 'described.seen'::regclass, 0)
SELECT pg_describe_object('pg_class'::regclass, 'described.numbers_of'::regclass, 0)
SELECT pg_describe_object('pg_type'::regclass, 'integer'::regtype, 0)
SELECT pg_describe_object('pg_namespace'::regclass, 'described'::regnamespace, 0)
SELECT pg_describe_object(0, 0, 0)
SELECT * FROM pg_identify_object('pg_class'::regclass, 'described.things'::regclass, 0)
SELECT * FROM pg_identify_object('pg_class'::regclass, 'described.things'::regclass, 2)
SELECT * FROM pg_identify_object('pg_class'::regclass, 'described.seen'::regclass, 0)
SELECT txid_status(txid_current()), txid_status(null)
SELECT pg_relation_filenode('described.things') IS NULL, pg_relation_filenode('described.seen')
SELECT setseed(0.5)
SELECT setseed(2)
SELECT has_tablespace_privilege('pg_default', 'CREATE')
SELECT has_tablespace_privilege('nosuch', 'CREATE')
SELECT has_sequence_privilege('described.numbers_of', 'USAGE'), has_sequence_privilege('described.numbers_of', 'SELECT')
SELECT has_sequence_privilege('nosuch', 'USAGE')
SELECT has_sequence_privilege('described.things', 'USAGE')
SELECT has_table_privilege('described.things', 'SELECT, INSERT'), has_table_privilege('described.things', 'UPDATE WITH GRANT OPTION')
SELECT has_table_privilege('nosuch', 'SELECT')
SELECT has_table_privilege('described.things', 'NOSUCH')
SELECT has_table_privilege(null::oid, 'SELECT')
SELECT has_any_column_privilege('described.things', 'SELECT')
SELECT has_schema_privilege('nosuch', 'USAGE')
SELECT has_database_privilege('nosuch', 'CONNECT')
SELECT row_security_active('described.things')
SELECT row_security_active('nosuch')
SELECT start_value, increment, cycle_option FROM pg_sequence_parameters('described.numbers_of'::regclass)
SELECT pg_relation_is_updatable('described.things'::regclass, true), pg_column_is_updatable('described.things'::regclass, 1::smallint, true)
SELECT pg_indexam_has_property(403, 'can_order'), pg_indexam_has_property(403, 'nosuch')
""".strip().splitlines()  # noqa: E501  # one question a line


def _answer(connection: "psycopg.Connection[Any]", question: str) -> Any:
    try:
        return connection.execute(question.encode()).fetchall()
    except psycopg.Error as error:
        return error.sqlstate, str(error).splitlines()[0]


@pytest.mark.client("psycopg 3")
def test_functions_about_objects_answer_as_postgresqls(admin_pair: Pair) -> None:
    def run(server: Server) -> Any:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            for statement in _MADE:
                connection.execute(statement.encode())
            try:
                return {question: _answer(connection, question) for question in _QUESTIONS}
            finally:
                for kind, name in (("VIEW", "seen"), ("TABLE", "things"), ("SEQUENCE", "numbers_of")):
                    connection.execute(f"DROP {kind} described.{name}".encode())
                connection.execute("DROP SCHEMA described")

    assert run(admin_pair.gateway) == run(admin_pair.reference)


@pytest.mark.client("psycopg 3")
def test_row_security_is_active_where_a_filter_applies_to_who_asks(embedded_pair: Pair) -> None:
    question = "SELECT row_security_active('sales.customers'), row_security_active('sales.orders')"
    with psycopg.connect(embedded_pair.gateway.dsn) as connection:
        assert connection.execute(question).fetchone() == (True, False)


@pytest.mark.client("psycopg 3")
def test_the_ends_of_the_socket_are_the_true_ones(embedded_pair: Pair) -> None:
    question = (
        "SELECT inet_client_addr()::text, inet_client_port(), inet_server_addr()::text, inet_server_port()"
    )
    with psycopg.connect(embedded_pair.gateway.dsn) as connection:
        asked = connection.execute(question).fetchone()
        with psycopg.connect(embedded_pair.gateway.dsn) as other:
            again = other.execute(question).fetchone()
    assert asked is not None
    assert again is not None
    assert (asked[0], asked[2], asked[3]) == ("127.0.0.1", "127.0.0.1", embedded_pair.gateway.port)
    assert asked[1] != again[1]


@pytest.mark.client("psycopg 3")
def test_a_function_of_rows_is_refused_in_a_select_list(embedded_pair: Pair) -> None:
    with psycopg.connect(embedded_pair.gateway.dsn) as connection:
        with pytest.raises(psycopg.errors.FeatureNotSupported) as caught:
            connection.execute("SELECT pg_identify_object('pg_class'::regclass, 0, 0)")
        assert caught.value.diag.message_hint == "SELECT * FROM pg_identify_object(…)"
