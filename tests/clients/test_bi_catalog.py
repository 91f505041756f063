"""What BI tools and SQL editors ask of the catalog (`bi_catalog.sql`), here and on PostgreSQL."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import psycopg
import pytest

from tests.clients.servers import Pair, Server
from tests.gateway import ADMIN, ADMIN_PASSWORD, start_gateway
from tests.wire.differential.compare import Outcome, on_gateway

pytestmark = pytest.mark.feature("metadata")

_FOLDER = Path(__file__).parent
_OBJECTS = (_FOLDER / "bi_objects.sql").read_text()
_POLICY = """
groups: {eu_team: {}}
users:
  analyst: {password: analyst-secret, groups: [eu_team]}
  buyer: {password: buyer-secret}
grants:
  - {to: buyer, privileges: [SELECT], on: shop.shop.customers, columns: [id, name, credit, is_active]}
  - {to: analyst, privileges: [SELECT], on: shop.shop.*}
  - {to: analyst, privileges: [SELECT], on: shop.public.*}
row_filters:
  - {name: first_three, on: shop.shop.customers, using: "id <= 3", to: [buyer]}
"""
_HIDDEN = re.compile(
    r"\b(orders|order_lines|orders_by_total|customers_by_code|counter|notes|body|email|none@example|debt|"
    r"shout|placed|quantity|sku|customer_id|those of today|first_three|eu_team|analyst|n[4-9]|n10)"
    r"\b"
)
"""What the buyer may not see: tables, columns, comments, defaults, principals, rows."""
_CLIENTS = {
    "metabase": "Metabase (its queries)",
    "grafana": "Grafana (its queries)",
    "tableau": "Tableau (its queries)",
    "npgsql": "Power BI, Npgsql (their queries)",
    "power": "Power BI, Npgsql (their queries)",
    "dbeaver": "DBeaver (its queries)",
    "pgadmin": "pgAdmin (its queries)",
    "datagrip": "DataGrip (its queries)",
    "superset": "Superset (its queries)",
}
_KNOWN = {
    "datagrip routines": "an array that was a vector begins at 1",
    "datagrip aggregates": "an array that was a vector begins at 1",
    "pgadmin grants": "no aclexplode()",
}
_FIRST_USER_OID, _OID = 16384, 26


@dataclass(frozen=True)
class Question:
    """One query. only_shape: its rows differ by nature."""

    name: str
    sql: str
    only_shape: bool


def _questions() -> list[Question]:
    parts = re.split(r"^-- (name|shape): (.*)\n", (_FOLDER / "bi_catalog.sql").read_text(), flags=re.M)[1:]
    return [
        Question(name, sql.strip(), kind == "shape")
        for kind, name, sql in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def _case(question: Question) -> object:
    marks = [pytest.mark.client(_CLIENTS[question.name.split()[0]])]
    if question.name in _KNOWN:
        marks.append(pytest.mark.xfail(reason=_KNOWN[question.name]))
    return pytest.param(question, id=question.name.replace(" ", "-"), marks=marks)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, reference: int) -> Iterator[Pair]:
    """A gateway and a database of the reference with the same objects, for the administrator."""
    folder = tmp_path_factory.mktemp("shop")
    with duckdb.connect(str(folder / "test.duckdb")) as engine:
        engine.execute(_OBJECTS.replace("bytea", "blob"))
    theirs = Server(reference, ADMIN, "trusted", "shop")
    with psycopg.connect(Server(reference, ADMIN, "trusted", "test").dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
        connection.execute("CREATE ROLE eu_team")
        connection.execute("GRANT eu_team TO analyst")
    with psycopg.connect(theirs.dsn, autocommit=True) as connection:
        connection.execute(_OBJECTS.encode())
        connection.execute("GRANT USAGE ON SCHEMA shop TO analyst")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA shop, public TO analyst")
        connection.execute("CREATE ROLE buyer LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA shop TO buyer")
        connection.execute("GRANT SELECT (id, name, credit, is_active) ON shop.customers TO buyer")
    with start_gateway(folder, policy=_POLICY, DATABASE_NAME="shop") as gateway:
        yield Pair(Server(gateway.port, ADMIN, ADMIN_PASSWORD, "shop"), theirs)


@pytest.fixture(scope="module")
def connections(shop: Pair) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """One on each side for all questions: PostgreSQL, the gateway."""
    with (
        psycopg.connect(shop.reference.dsn, autocommit=True) as reference,
        psycopg.connect(shop.gateway.dsn, autocommit=True) as gateway,
    ):
        yield reference, gateway


@pytest.mark.parametrize("question", [_case(question) for question in _questions()])
def test_a_tool_reads_what_postgresql_would_tell(
    connections: tuple[psycopg.Connection, psycopg.Connection], question: Question
) -> None:
    theirs, ours = (_ask(connection, question) for connection in connections)
    assert theirs.error is None, "PostgreSQL itself refuses it"
    assert ours == theirs
    assert theirs.rows or question.only_shape or question.name in _MAY_BE_EMPTY


@pytest.fixture(scope="module")
def buyers(shop: Pair) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """A principal with four columns of one filtered table: PostgreSQL, the gateway."""
    theirs = replace(shop.reference, user="buyer")
    ours = replace(shop.gateway, user="buyer", password="buyer-secret")
    with (
        psycopg.connect(theirs.dsn, autocommit=True) as reference,
        psycopg.connect(ours.dsn, autocommit=True) as gateway,
    ):
        yield reference, gateway


def test_no_tool_is_told_what_a_governed_principal_may_not_see(
    connections: tuple[psycopg.Connection, psycopg.Connection],
    buyers: tuple[psycopg.Connection, psycopg.Connection],
) -> None:
    """Every question, with OIDs of hidden objects too.

    No error that PostgreSQL does not give: what is hidden there is absent here.
    """
    seen = 0
    for question in _questions():
        theirs = _ask(buyers[0], question, oids=connections[0])
        ours = _ask(buyers[1], question, oids=connections[1])
        if question.name == "pgadmin grants":  # _KNOWN
            continue
        absent = ("42P01", "42703") if theirs.error == "42501" else (theirs.error,)
        assert ours.error in absent, question.name
        assert (ours.names, ours.oids) == (theirs.names, theirs.oids), question.name
        told = [value for row in ours.rows for value in row if value is not None]
        asked_for = set(_HIDDEN.findall(question.sql))
        assert not [value for value in told if set(_HIDDEN.findall(value)) - asked_for], question.name
        seen += any("customers" in value for value in told)
    assert seen > 5, "what the buyer may see is shown"


_MAY_BE_EMPTY = frozenset(
    """metabase enumerations/grafana timescale/grafana annotations/
    npgsql composite fields/npgsql enumeration labels/power bi character set/dbeaver inheritance/
    dbeaver triggers""".replace("\n    ", "").split("/")
)


def _ask(
    connection: psycopg.Connection, question: Question, *, oids: psycopg.Connection | None = None
) -> Outcome:
    """oids: who looks up the OIDs in it, where that is another connection."""
    asked = oids or connection
    sql = re.sub(r"@([a-z_.]+)@", lambda match: _oid_of(asked, match[1]), question.sql)
    found = on_gateway(connection, sql)
    # Of each type its OID: the domains of information_schema have a length there, which nobody reads.
    types = tuple((oid, 0) for oid, _ in found.oids)
    if question.only_shape:
        return Outcome(found.error, found.names, (), types)
    rows = tuple(
        tuple(_plain(value, oid) for value, (oid, _) in zip(row, types, strict=True)) for row in found.rows
    )
    return Outcome(found.error, found.names, rows, types)


def _oid_of(connection: psycopg.Connection, name: str) -> str:
    kind = "regclass" if "." in name else "regnamespace"
    row = connection.execute(f"SELECT '{name}'::{kind}::oid".encode()).fetchone()
    assert row is not None
    return str(row[0])


def _plain(value: str | None, oid: int) -> str | None:
    """An OID of a user's object is another on each server."""
    return "an OID" if value is not None and oid == _OID and int(value) >= _FIRST_USER_OID else value
