"""Duties apart and versions to go back to, through a real gateway, its CLI and psql."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway

Connection = psycopg.Connection[Any]
Refused = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def admin(embedded: RunningGateway) -> Iterator[Connection]:
    with psycopg.connect(embedded.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as connection:
        yield connection


@pytest.fixture
def duties(embedded: RunningGateway, admin: Connection) -> Iterator[tuple[Connection, Connection]]:
    """A security officer's and an auditor's session."""
    admin.execute("CREATE ROLE officer LOGIN CREATEROLE PASSWORD 'officer-secret'")
    admin.execute("CREATE ROLE eye LOGIN AUDITOR PASSWORD 'eye-secret'")
    with (
        psycopg.connect(embedded.dsn("officer"), autocommit=True) as officer,
        psycopg.connect(embedded.dsn("eye"), autocommit=True) as eye,
    ):
        yield officer, eye
    admin.execute("DROP ROLE officer, eye")


def test_an_officer_changes_policy_and_sees_no_data(
    embedded: RunningGateway, admin: Connection, duties: tuple[Connection, Connection]
) -> None:
    officer, _ = duties
    officer.execute("CREATE ROLE temp_staff")
    officer.execute("GRANT SELECT ON sales.secrets TO temp_staff")
    officer.execute("GRANT temp_staff TO intern")
    officer.execute("CREATE POLICY one ON sales.secrets TO temp_staff USING (id = 1)")
    with psycopg.connect(embedded.dsn("intern"), autocommit=True) as intern:
        assert intern.execute("SELECT id FROM sales.secrets").fetchall() == [(1,)]
    for query in ("SELECT * FROM sales.secrets", "SELECT * FROM sales.customers", "TABLE numbers"):
        with pytest.raises(psycopg.errors.UndefinedTable):
            officer.execute(query)
    refused = (
        "GRANT SELECT ON sales.secrets TO officer",
        "GRANT temp_staff TO officer",
        "CREATE ROLE mine SUPERUSER",
        "CREATE ROLE mine LOGIN CREATEROLE PASSWORD 'x'",
        f"ALTER ROLE {ADMIN} PASSWORD 'x'",
        "ALTER ROLE officer SUPERUSER",
        "ALTER ROLE eye NOAUDITOR",
        f"DROP ROLE {ADMIN}",
    )
    for statement in refused:
        with pytest.raises(psycopg.Error) as caught:
            officer.execute(statement)
        assert caught.value.sqlstate in {"42501", "0LP01"}, statement
    assert officer.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'intern'").fetchone() == (1,)
    assert officer.execute("SELECT count(*) FROM pgproxy.audit_log WHERE principal = 'admin'").fetchone() == (
        0,
    )
    officer.execute("DROP POLICY one ON sales.secrets")
    officer.execute("DROP OWNED BY temp_staff")
    officer.execute("DROP ROLE temp_staff")
    shown = embedded.psql("-Atc", r"\du", user=ADMIN, password=ADMIN_PASSWORD).stdout
    (attributes,) = [line for line in shown.splitlines() if line.startswith("officer|")]
    assert attributes.split("|")[1] == "Create role"


def test_an_auditor_sees_what_everybody_does_and_changes_nothing(
    embedded: RunningGateway, duties: tuple[Connection, Connection]
) -> None:
    _, eye = duties
    with psycopg.connect(embedded.dsn(), autocommit=True) as analyst:
        analyst.execute("SELECT count(*) FROM sales.orders")
        pid = analyst.info.backend_pid
        query = "SELECT principal, objects -> 0 ->> 'table' FROM pgproxy.audit_log WHERE pid = %s"
        assert eye.execute(query, (pid,)).fetchall() == [("analyst", "test.sales.orders")]
        query = "SELECT count(*) FROM pgproxy.sessions WHERE principal <> 'eye'"
        assert eye.execute(query).fetchone()[0] >= 2  # type: ignore[index]
        assert eye.execute("SELECT count(*) > 1 FROM pgproxy.policy_versions").fetchone() == (True,)
        with pytest.raises(Refused):
            eye.execute("SELECT pg_cancel_backend(%s)", (pid,))
    with pytest.raises(psycopg.errors.UndefinedTable):
        eye.execute("SELECT * FROM sales.orders")
    for statement in ("CREATE ROLE x", "GRANT SELECT ON sales.orders TO eye", "ROLLBACK POLICY TO VERSION 1"):
        with pytest.raises(Refused):
            eye.execute(statement)


def test_policy_goes_back_by_sql_and_from_the_command_line(
    embedded: RunningGateway, admin: Connection
) -> None:
    newest = "SELECT max(version) FROM pgproxy.policy_versions"
    (start,) = admin.execute(newest).fetchone()  # type: ignore[misc]
    before = embedded.cli("policy", "export", "-")
    admin.execute("CREATE ROLE passing LOGIN PASSWORD 'passing-secret'")
    admin.execute("GRANT SELECT ON sales.secrets TO passing")
    admin.execute("DROP POLICY eu_customers ON sales.customers")
    assert embedded.cli("policy", "export", "-") != before
    with psycopg.connect(embedded.dsn(), autocommit=True) as analyst:
        query = "SELECT count(*) FROM sales.customers"
        assert analyst.execute(query, prepare=True).fetchone() == (300,)
        admin.execute(f"ROLLBACK POLICY TO VERSION {start}")
        assert analyst.execute(query, prepare=True).fetchone() == (100,)
    assert embedded.cli("policy", "export", "-") == before
    (latest,) = admin.execute(
        "SELECT actor, after FROM pgproxy.policy_versions ORDER BY version DESC LIMIT 1"
    ).fetchall()
    assert latest[0] == ADMIN
    assert latest[1]["user passing"] is None
    assert latest[1]["row filter eu_customers on test.sales.customers"]["using"] == "region = 'EU'"
    assert "passing" in embedded.cli("policy", "rollback", str(start + 1))
    assert "passing" in embedded.cli("policy", "export", "-")
    with pytest.raises(psycopg.OperationalError):  # it is back without its password
        psycopg.connect(embedded.dsn("passing"))
    embedded.cli("policy", "rollback", str(start))
    assert embedded.cli("policy", "export", "-") == before
    with pytest.raises(psycopg.errors.UndefinedObject):
        admin.execute("ROLLBACK POLICY TO VERSION 999999")


def test_groups_nest_filters_combine_and_the_closest_mask_wins(
    embedded: RunningGateway, admin: Connection
) -> None:
    set_up = [
        "CREATE ROLE base",
        "CREATE ROLE middle IN ROLE base",
        "CREATE USER nested PASSWORD 'nested-secret' IN ROLE middle",
        "GRANT SELECT ON sales.customers TO base",
        "CREATE POLICY first_ten ON sales.customers TO base USING (id <= 10)",
        "CREATE POLICY from_95 ON sales.customers TO middle USING (id BETWEEN 95 AND 105)",
        "CREATE POLICY below_100 ON sales.customers AS RESTRICTIVE TO nested USING (id < 100)",
        "CREATE MASK weak ON sales.customers (name) TO base STRICTNESS 1 USING ('weak')",
        "CREATE MASK strict ON sales.customers (name) TO middle STRICTNESS 5 USING ('strict')",
        "CREATE MASK spared ON sales.customers (email) TO middle EXCEPT nested USING ('hidden')",
    ]
    query = "SELECT count(*), min(id), max(id), min(name), max(name), max(email) FROM sales.customers"
    try:
        for statement in set_up:
            admin.execute(statement)
        with psycopg.connect(embedded.dsn("nested"), autocommit=True) as nested:
            seen = (15, 1, 99, "strict", "strict", "user9@example.com")
            assert nested.execute(query).fetchone() == seen
            admin.execute("CREATE MASK own ON sales.customers (name) TO nested USING ('own')")
            assert nested.execute("SELECT DISTINCT name FROM sales.customers").fetchall() == [("own",)]
            admin.execute("REVOKE middle FROM nested")
            with pytest.raises(psycopg.errors.UndefinedTable):
                nested.execute(query)
    finally:
        for policy in ("first_ten", "from_95", "below_100"):
            admin.execute(f"DROP POLICY IF EXISTS {policy} ON sales.customers")
        for mask in ("weak", "strict", "spared", "own"):
            admin.execute(f"DROP MASK IF EXISTS {mask} ON sales.customers")
        admin.execute("DROP OWNED BY base, middle, nested")
        admin.execute("DROP ROLE nested, middle, base")


def test_future_tables_are_covered_and_create_makes_them(embedded: RunningGateway, admin: Connection) -> None:
    admin.execute("CREATE SCHEMA ahead")
    admin.execute("CREATE USER maker PASSWORD 'maker-secret'")
    admin.execute("CREATE USER reader PASSWORD 'reader-secret'")
    try:
        admin.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA ahead GRANT SELECT ON TABLES TO reader")
        with (
            psycopg.connect(embedded.dsn("maker"), autocommit=True) as maker,
            psycopg.connect(embedded.dsn("reader"), autocommit=True) as reader,
        ):
            with pytest.raises(psycopg.Error):
                maker.execute("CREATE TABLE ahead.things (id integer)")
            admin.execute("GRANT USAGE, CREATE ON SCHEMA ahead TO maker")
            maker.execute("CREATE TABLE ahead.things (id integer)")
            assert reader.execute("SELECT count(*) FROM ahead.things").fetchone() == (0,)
            with pytest.raises(Refused):
                reader.execute("INSERT INTO ahead.things VALUES (1)")
            assert maker.execute("SELECT count(*) FROM ahead.things").fetchone() == (0,), "it is its own"
            with pytest.raises(psycopg.Error, match="objects depend on it"):
                admin.execute("DROP ROLE maker")
            admin.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA ahead REVOKE SELECT ON TABLES FROM reader")
            with pytest.raises(psycopg.errors.UndefinedTable):
                reader.execute("SELECT count(*) FROM ahead.things")
    finally:
        admin.execute("DROP SCHEMA ahead CASCADE")
        admin.execute("DROP OWNED BY maker, reader")
        admin.execute("DROP ROLE maker, reader")


def test_every_ready_mask_shows_what_it_says(embedded: RunningGateway, admin: Connection) -> None:
    masks = {
        "name": "mask.partial(name, 1, 2)",
        "email": "mask.email(email)",
        "region": "mask.constant('X')",
        "credit_limit": "mask.bucket(credit_limit, 100)",
        "joined": "mask.year_only(joined)",
        "active": "mask.null()",
    }
    statements = ["CREATE ROLE masked", "GRANT masked TO intern", "GRANT SELECT ON sales.customers TO masked"]
    statements += ["CREATE POLICY all_rows ON sales.customers TO masked USING (true)"]
    statements += [
        f"CREATE MASK m_{column} ON sales.customers ({column}) TO masked USING ({using})"
        for column, using in masks.items()
    ]
    query = f"SELECT {', '.join(masks)} FROM sales.customers WHERE id = 123"
    try:
        for statement in statements:
            admin.execute(statement)
        with psycopg.connect(embedded.dsn("intern"), autocommit=True) as intern:
            row = intern.execute(query).fetchone()
            assert row is not None
            assert [str(value) for value in row] == [
                *("n***23", "u***@example.com", "X", "1200.00", "2020-01-01", "None")
            ]
        admin.execute(
            "CREATE OR REPLACE MASK m_name ON sales.customers (name) TO masked USING (mask.hash(name))"
        )
        hashes = []
        for salt in (None, "a", "b"):
            change = "RESET" if salt is None else "SET"
            value = "" if salt is None else f" = '{salt}'"
            admin.execute(f"ALTER ROLE intern {change} pgproxy.attr.mask_salt{value}")
            with psycopg.connect(embedded.dsn("intern"), autocommit=True) as intern:
                hashes += intern.execute("SELECT name FROM sales.customers WHERE id = 123").fetchone() or ()
        assert hashes[0] is None
        assert hashes[1] != hashes[2]
        assert {len(value) for value in hashes[1:]} == {32}
    finally:
        admin.execute("ALTER ROLE intern RESET pgproxy.attr.mask_salt")
        for column in masks:
            admin.execute(f"DROP MASK IF EXISTS m_{column} ON sales.customers")
        admin.execute("DROP POLICY IF EXISTS all_rows ON sales.customers")
        admin.execute("DROP OWNED BY masked")
        admin.execute("DROP ROLE masked")
