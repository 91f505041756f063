# ruff: noqa: E501 - one case a line
"""The bypass corpus through real gateways, embedded and remote, by the simple and the extended protocol.

Everything that a client receives is looked at: rows, column names, all fields of errors, notices.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from tests.gateway import RunningGateway, start_gateway
from tests.policy.bypass_corpus import LEAKS_RAW, REFUSED_FORMS
from tests.policy.bypass_positions import LEAKS_BY_POSITION
from tests.policy.world import MARKERS, SCRIPT

POLICY = """
groups: {analysts: {}}
users:
  analyst: {password: analyst-secret, groups: [analysts], attributes: {region: EU}}
  writer: {password: writer-secret, attributes: {region: EU}}
  intern: {password: intern-secret}
grants:
  - {to: analysts, privileges: [SELECT], on: lake.sales.*}
  - {to: analysts, privileges: [SELECT], on: lake.public.numbers}
  - {to: analysts, privileges: [SELECT], on: lake.hr.staff, columns: [id, name, dept]}
  - {to: writer, privileges: [SELECT, INSERT, UPDATE, DELETE, TRUNCATE], on: lake.sales.*}
  - {to: writer, privileges: [SELECT, INSERT, UPDATE, DELETE], on: lake.public.numbers}
row_filters:
  - {name: own_region, on: lake.sales.customers, using: "region = current_setting('pgproxy.attr.region')",
     to: [analysts, writer]}
column_masks:
  - {name: no_ssn, on: lake.sales.customers, column: ssn, using: "'***'", to: [analysts, writer]}
  - {name: short_mail, on: lake.sales.customers, column: email, to: [analysts, writer],
     using: "left(email, 1) || '@' || split_part(email, '@', 2)"}
"""
CORPUS = (
    tuple(sql for cases in (*LEAKS_RAW.values(), *REFUSED_FORMS.values()) for sql in cases)
    + LEAKS_BY_POSITION
)
METADATA = (
    "SELECT * FROM information_schema.tables", "SELECT * FROM information_schema.columns",
    "SELECT relname FROM pg_class", "SELECT attname FROM pg_attribute", "SELECT definition FROM pg_views",
    "SELECT obj_description(oid) FROM pg_class", "SELECT pg_get_viewdef(oid) FROM pg_class WHERE relkind = 'v'",
    "SELECT reltuples FROM pg_class", "SELECT * FROM pg_stats", "SELECT * FROM pg_policies",
    "SELECT to_regclass('hr.salaries')::text", "SELECT has_table_privilege('hr.salaries', 'SELECT')",
    "EXPLAIN SELECT * FROM customers", "EXPLAIN SELECT ssn FROM customers WHERE id = 3",
    "EXPLAIN VERBOSE SELECT * FROM customers c JOIN orders o ON o.customer_id = c.id", "EXPLAIN SELECT * FROM hr.staff",
    "EXPLAIN (POLICY) SELECT * FROM customers", "SHOW ALL", "SELECT * FROM pg_settings",
)  # fmt: skip
HIDDEN_OBJECTS = ("salaries", "phone", "own_region_of_others")


@pytest.fixture(scope="module", params=["embedded", "remote"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """A gateway on the policy tests' world."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{folder / 'test.duckdb'}' AS lake; {SCRIPT}")
    nodes = 1 if request.param == "remote" else 0
    with start_gateway(
        folder, nodes=nodes, policy=POLICY, DATABASE_NAME="lake", LOG_LEVEL="error"
    ) as running:
        yield running


class Hostile:
    """One user who sends whatever it likes, and remembers all that came back."""

    def __init__(self, gateway: RunningGateway, user: str) -> None:
        self._dsn = gateway.dsn(user, database="lake")
        self._connection: psycopg.Connection[Any] | None = None
        self._notices: list[str] = []

    def __enter__(self) -> "Hostile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._dsn, autocommit=True)
            self._connection.add_notice_handler(lambda notice: self._notices.append(_fields(notice)))
            self._connection.execute("SET search_path = sales, public")
        return self._connection

    def ask(self, sql: str, *, extended: bool) -> str:
        """Everything that the server said."""
        connection = self._open()
        heard: list[str] = []
        self._notices.clear()
        try:
            cursor = connection.execute(sql, prepare=True) if extended else connection.execute(sql)
            heard.append(str([column.name for column in cursor.description or ()]))
            heard.append(str(cursor.fetchall() if cursor.description else cursor.statusmessage))
        except psycopg.Error as error:
            heard.append(f"{error} {_fields(error.diag)}")
        if not connection.closed and connection.info.transaction_status.name != "IDLE":
            connection.execute("ROLLBACK")
        return " ".join([*heard, *self._notices])


def _fields(diagnostic: Any) -> str:
    names = ("message_primary", "message_detail", "message_hint", "context", "internal_query", "table_name",
             "column_name", "schema_name", "constraint_name", "datatype_name")  # fmt: skip
    return " ".join(str(getattr(diagnostic, name)) for name in names)


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
@pytest.mark.parametrize("user", ["analyst", "writer", "intern"])
def test_no_bypass_tells_anything_over_the_wire(gateway: RunningGateway, user: str, extended: bool) -> None:
    leaks = []
    # Everything once, as the analyst; the others and the exec node's side get a third each.
    corpus = CORPUS if user == "analyst" and not gateway.nodes else CORPUS[len(user) % 3 :: 3]
    with Hostile(gateway, user) as hostile:
        for sql in (*corpus, *METADATA):
            heard = hostile.ask(sql, extended=extended)
            leaks += [(sql, heard) for marker in MARKERS if marker in heard and marker not in sql]
    assert leaks == []


def test_metadata_names_nothing_hidden(gateway: RunningGateway) -> None:
    with Hostile(gateway, "analyst") as hostile:
        for sql in METADATA:
            heard = hostile.ask(sql, extended=False)
            assert [name for name in HIDDEN_OBJECTS if name in heard and name not in sql] == [], sql


def test_hidden_rows_are_as_they_were(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn("admin", "admin-secret", database="lake")) as connection:
        found = connection.execute(
            "SELECT id, ssn FROM sales.customers WHERE region = 'US' ORDER BY id"
        ).fetchall()
        assert found == [(3, "ssn-SECRET-3"), (4, "ssn-SECRET-4")]
        assert connection.execute("SELECT count(*) FROM hr.salaries").fetchall() == [(2,)]
