# ruff: noqa: E501 - one case a line
"""The bypass corpus and hostile sessions through real gateways, embedded and remote, simple and extended.

Everything that a client receives is looked at: rows, column names, all fields of errors, notices, COPY data.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway
from tests.policy import hostile_statements as hostile_sql
from tests.policy.bypass_corpus import LEAKS_RAW, REFUSED_FORMS
from tests.policy.bypass_positions import LEAKS_BY_POSITION
from tests.policy.world import MARKERS, SCRIPT

POLICY = """
groups: {analysts: {}}
users:
  analyst: {password: analyst-secret, groups: [analysts], attributes: {region: EU}}
  writer: {password: writer-secret, attributes: {region: EU}}
  intern: {password: intern-secret}
  viewer: {password: viewer-secret}
grants:
  - {to: viewer, privileges: [SELECT], on: lake.hr.few}
  - {to: viewer, privileges: [SELECT], on: lake.hr.best}
  - {to: analysts, privileges: [SELECT], on: lake.hr.few}
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
        connection.execute(f"ATTACH '{folder / 'test.duckdb'}' AS lake; {SCRIPT} {hostile_sql.VIEWS}")
    nodes = 1 if request.param == "remote" else 0
    with start_gateway(
        folder,
        nodes=nodes,
        policy=POLICY,
        DATABASE_NAME="lake",
        LOG_LEVEL="error",
        FEATURE_ASYNC_QUEUE="true",
    ) as running:
        yield running


class Hostile:
    """One user who sends whatever it likes, and remembers all that came back."""

    def __init__(self, gateway: RunningGateway, user: str, password: str | None = None) -> None:
        self._dsn = gateway.dsn(user, password, database="lake")
        self._connection: psycopg.Connection[Any] | None = None
        self._notices: list[str] = []
        self.heard: list[tuple[str, str]] = []

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

    def ask(self, sql: str, *, extended: bool = False, keep: bool = False) -> str:
        """Everything that the server said. keep: leave a transaction open."""
        connection = self._open()
        heard: list[str] = []
        self._notices.clear()
        try:
            cursor = connection.execute(sql, prepare=True) if extended else connection.execute(sql)
            heard.append(str([column.name for column in cursor.description or ()]))
            heard.append(str(cursor.fetchall() if cursor.description else cursor.statusmessage))
        except psycopg.Error as error:
            heard.append(f"{error} {_fields(error.diag)}")
        return self._said(sql, heard, keep=keep)

    def value(self, sql: str) -> Any:
        """The last value of the one row of an answer."""
        (row,) = self._open().execute(sql).fetchall()
        return row[-1]

    def copy(self, sql: str, data: str | None = None) -> str:
        """What COPY said; with data: what it said to them."""
        heard: list[str] = []
        self._notices.clear()
        try:
            with self._open().cursor() as cursor, cursor.copy(sql) as copied:
                heard = [repr(bytes(block)) for block in copied] if data is None else []
                if data is not None:
                    copied.write(data)
        except psycopg.Error as error:
            heard.append(f"{error} {_fields(error.diag)}")
        return self._said(sql, heard, keep=False)

    def _said(self, sql: str, heard: list[str], *, keep: bool) -> str:
        connection = self._open()
        if not keep and connection.info.transaction_status.name != "IDLE":
            connection.execute("ROLLBACK")
        said = " ".join([*heard, *self._notices])
        self.heard.append((sql, said))
        return said

    def leaks(self) -> list[tuple[str, str]]:
        """What was heard and holds a marker that was not in the question."""
        return [
            (sql, said)
            for sql, said in self.heard
            if any(marker in said and marker not in sql for marker in (*MARKERS, "pgproxy_base"))
        ]


def _fields(diagnostic: Any) -> str:
    names = ("message_primary", "message_detail", "message_hint", "context", "internal_query", "table_name",
             "column_name", "schema_name", "constraint_name", "datatype_name")  # fmt: skip
    return " ".join(str(getattr(diagnostic, name)) for name in names)


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
@pytest.mark.parametrize("user", ["analyst", "writer", "intern"])
def test_no_bypass_tells_anything_over_the_wire(gateway: RunningGateway, user: str, extended: bool) -> None:
    # Everything once, as the analyst; the others and the exec node's side get a third each.
    corpus = CORPUS if user == "analyst" and not gateway.nodes else CORPUS[len(user) % 3 :: 3]
    with Hostile(gateway, user) as hostile:
        for sql in (*corpus, *METADATA):
            hostile.ask(sql, extended=extended)
        assert hostile.leaks() == []


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


@pytest.fixture
def analyst(gateway: RunningGateway) -> Iterator[Hostile]:
    """The analyst, whose two customers are there whatever other tests have written."""
    if not gateway.nodes:
        with Hostile(gateway, ADMIN, ADMIN_PASSWORD) as admin:
            admin.ask("DELETE FROM customers WHERE id IN (1, 2) OR id > 5")
            admin.ask(
                "INSERT INTO customers (id, name, region, ssn, email, note) VALUES "
                "(1, 'ann', 'EU', 'ssn-SECRET-1', 'ann@x.eu', '7'), (2, 'bob', 'EU', 'ssn-SECRET-2', 'bob@x.eu', '8')"
            )
    with Hostile(gateway, "analyst") as hostile:
        assert hostile.ask("SELECT id, ssn FROM customers ORDER BY id").endswith("[(1, '***'), (2, '***')]")
        yield hostile
        assert hostile.leaks() == []


@pytest.fixture
def admin(gateway: RunningGateway) -> Iterator[Hostile]:
    with Hostile(gateway, ADMIN, ADMIN_PASSWORD) as connected:
        yield connected


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
@pytest.mark.parametrize("statements", ["OVER_VIEWS", "TEMPORARY", "EXPLAINED", "WORDS"], ids=str.lower)
def test_a_session_of_tricks_tells_nothing(analyst: Hostile, statements: str, extended: bool) -> None:
    for sql in getattr(hostile_sql, statements):
        analyst.ask(sql, extended=extended)


def _duck(hostile: Hostile, number: int) -> None:
    """Send what Duck let through under this number, by both protocols."""
    (cases,) = (cases for group, cases in LEAKS_RAW.items() if group.startswith(f"duck {number}:"))
    for extended in (False, True):
        for sql in cases:
            hostile.ask(sql, extended=extended)


def test_duck_1_no_or_of_the_client_outweighs_a_filter(analyst: Hostile) -> None:
    _duck(analyst, 1)
    for where in ("1=1 OR id=2", "region='US' OR true", "NOT (region = 'EU') OR id = 1 OR id = 2"):
        said = analyst.ask(f"SELECT name FROM customers WHERE {where} ORDER BY id")
        assert said.endswith("[('ann',), ('bob',)]")


def test_duck_2_a_subquery_outside_of_from_is_filtered_and_masked(analyst: Hostile) -> None:
    _duck(analyst, 2)
    said = analyst.ask("SELECT (SELECT max(ssn) FROM customers), (SELECT count(*) FROM customers)")
    assert said.endswith("[('***', 2)]")
    assert analyst.ask("SELECT 1 WHERE EXISTS (SELECT 1 FROM customers WHERE region = 'US')").endswith("[]")


def test_duck_3_no_corner_of_a_statement_is_forgotten(analyst: Hostile) -> None:
    _duck(analyst, 3)
    assert analyst.ask("SELECT [(SELECT max(ssn) FROM customers)]").endswith("[(['***'],)]")
    for sql in (
        "SELECT [(SELECT max(person) FROM hr.salaries)]",
        "SELECT n FROM numbers ORDER BY (SELECT 1 FROM hr.salaries)",
    ):
        assert 'relation "hr.salaries" does not exist' in analyst.ask(sql)


def test_duck_4_no_function_reads_what_it_is_told(analyst: Hostile) -> None:
    _duck(analyst, 4)
    for call in (
        "query('SELECT 1')",
        "read_text('/etc/passwd')",
        "parquet_scan('x')",
        "sniff_csv('/etc/passwd')",
        "duckdb_tables()",
    ):
        name = call.partition("(")[0]
        assert f"function {name}(...) does not exist" in analyst.ask(f"SELECT * FROM {call}")


def test_duck_5_a_mask_holds_wherever_the_column_stands(analyst: Hostile) -> None:
    _duck(analyst, 5)
    for shown in ("upper(ssn)", "ssn || ''", "(customers).ssn", "max(ssn)", "COLUMNS('ss.')"):
        said = analyst.ask(f"SELECT {shown} FROM customers WHERE ssn = '***'")
        assert said.partition("] ")[2].startswith("[('***',)"), said
    assert analyst.ask("SELECT name FROM customers WHERE ssn LIKE 'ssn%' OR ssn > 'a'").endswith("[]")


def test_what_happens_now_is_ones_own(analyst: Hostile, admin: Hostile) -> None:
    admin.ask("SELECT count(*) FROM hr.salaries WHERE person = 'HIDDEN-boss' AND pay = 999999")
    for sql in hostile_sql.NOW:
        for extended in (False, True):
            assert analyst.ask(sql, extended=extended).endswith("[]"), sql


def test_settings_make_nobody_of_another(analyst: Hostile) -> None:
    for sql in hostile_sql.SETTINGS:
        analyst.ask(sql)
        assert "cyd" not in analyst.ask("SELECT current_user, session_user, name FROM sales.customers"), sql
    for name in ("role", "session_authorization"):
        assert "permission denied to set" in analyst.ask(f"SELECT set_config('{name}', 'admin', false)")
    for extended in (False, True):
        last = analyst.ask("SELECT current_setting('pgproxy.attr.region'), current_user", extended=extended)
        assert last.endswith("[('EU', 'analyst')]")


@pytest.mark.parametrize("option", ["pgproxy.attr.region=US", "role=admin", "session_authorization=admin"])
def test_start_up_options_make_nobody_of_another(
    gateway: RunningGateway, analyst: Hostile, option: str
) -> None:
    try:
        connection = psycopg.connect(gateway.dsn(database="lake"), options=f"-c {option}")
    except psycopg.OperationalError:
        return
    with connection:
        found = connection.execute("SELECT current_user, max(region) FROM sales.customers").fetchall()
        assert found == [("analyst", "EU")]


def test_copy_gives_what_select_gives(gateway: RunningGateway, analyst: Hostile) -> None:
    for sql in hostile_sql.COPIES:
        analyst.copy(sql)
    assert "***" in analyst.copy("COPY customers (ssn) TO STDOUT")
    with Hostile(gateway, "writer") as writer:
        for sql, data in hostile_sql.COPIED_IN:
            writer.copy(sql, data)
        assert writer.leaks() == []
        kept = writer.ask("SELECT count(*) FROM customers WHERE region <> 'EU'")
        assert kept.endswith("[(0,)]")


def test_what_is_returned_is_masked(gateway: RunningGateway, analyst: Hostile) -> None:
    for extended in (False, True):
        with Hostile(gateway, "writer") as writer:
            for sql in hostile_sql.RETURNED:
                writer.ask(sql, extended=extended)
            assert writer.leaks() == []


def test_a_view_shows_its_rows_and_nothing_beneath_them(gateway: RunningGateway) -> None:
    with Hostile(gateway, "viewer") as viewer:
        for extended in (False, True):
            for sql in hostile_sql.OVER_VIEWS:
                viewer.ask(sql, extended=extended)
            assert viewer.ask("SELECT * FROM hr.few", extended=extended).endswith("[]")
            viewer.ask("SELECT pay::smallint FROM hr.best", extended=extended)
            viewer.ask("EXPLAIN (POLICY) SELECT * FROM hr.best", extended=extended)
        assert viewer.leaks() == []
        assert not any("salaries" in said for sql, said in viewer.heard if "salaries" not in sql)


def test_statements_and_cursors_follow_the_policy(analyst: Hostile, admin: Hostile) -> None:
    asked = "SELECT name FROM customers ORDER BY id"
    analyst.ask(f"PREPARE before AS {asked}")
    analyst.ask("DISCARD PLANS")
    for _ in range(2):
        analyst.ask(asked, extended=True)
    analyst.ask("BEGIN", keep=True)
    analyst.ask(f"DECLARE early CURSOR FOR {asked}", keep=True)
    assert "ann" in analyst.ask("FETCH 1 FROM early", keep=True)
    try:
        admin.ask("CREATE MASK hush ON sales.customers (name) TO analysts USING ('hushed')")
        analyst.ask(f"DECLARE late CURSOR FOR {asked}", keep=True)
        assert "bob" not in analyst.ask("FETCH ALL FROM late", keep=True)
        analyst.ask("COMMIT")
        for sql, extended in (("EXECUTE before", False), (asked, True), (asked, False)):
            said = analyst.ask(sql, extended=extended)
            assert "hushed" in said
            assert "ann" not in said
        admin.ask("CREATE POLICY nothing ON sales.customers AS RESTRICTIVE TO analysts USING (id < 0)")
        for sql, extended in (("EXECUTE before", False), (asked, True)):
            assert analyst.ask(sql, extended=extended).endswith("[]")
    finally:
        admin.ask("DROP POLICY IF EXISTS nothing ON sales.customers")
        admin.ask("DROP MASK IF EXISTS hush ON sales.customers")
    assert "ann" in analyst.ask("EXECUTE before")


def test_a_revoked_privilege_ends_what_was_prepared(analyst: Hostile, admin: Hostile) -> None:
    analyst.ask("PREPARE kept AS SELECT name FROM hr.staff")
    asked = "SELECT name FROM hr.staff ORDER BY id"
    for _ in range(2):
        assert "sam" in analyst.ask(asked, extended=True)
    try:
        admin.ask("REVOKE SELECT (id, name, dept) ON hr.staff FROM analysts")
        for sql, extended in (
            ("EXECUTE kept", False),
            (asked, True),
            ("COPY (EXECUTE kept) TO STDOUT", False),
        ):
            assert "sam" not in analyst.ask(sql, extended=extended)
    finally:
        admin.ask("GRANT SELECT (id, name, dept) ON hr.staff TO analysts")
    assert "sam" in analyst.ask("EXECUTE kept")


def test_jobs_and_sessions_of_others_do_not_exist(analyst: Hostile, admin: Hostile) -> None:
    job = admin.value("SELECT pgproxy.submit($$SELECT * FROM hr.salaries$$)")
    pid = admin.value("SELECT pg_backend_pid()")
    admin.ask("SELECT count(*) FROM hr.salaries WHERE person = 'HIDDEN-boss' AND pay = 999999")
    result = f"SELECT * FROM pgproxy.result('{job}')"
    for sql in (
        result, f"SELECT pgproxy.cancel('{job}')", f"PREPARE r AS {result}", "EXECUTE r", f"CREATE TEMP TABLE r AS {result}",
        f"SELECT * FROM ({result}) q", f"SELECT pgproxy.submit($$ {result} $$)", "SELECT pgproxy.submit($$SELECT * FROM hr.salaries$$)",
        f"EXPLAIN {result}", f"SELECT pg_cancel_backend({pid})", f"SELECT pg_terminate_backend({pid})",
    ):  # fmt: skip
        for extended in (False, True):
            assert not analyst.ask(sql, extended=extended).startswith("['"), sql
    assert analyst.ask(f"SELECT query FROM pgproxy.queries WHERE request_id = '{job}'").endswith("[]")
    assert admin.value("SELECT 1") == 1, "the administrator's session still runs"


def test_a_key_carries_no_more_than_its_scope(gateway: RunningGateway, admin: Hostile) -> None:
    key = admin.value("CREATE API KEY FOR writer READ ONLY")
    identity = key.split("_")[1]
    with Hostile(gateway, f"writer+{identity}", key) as keyed:
        assert "***" in keyed.ask("SELECT ssn FROM customers")
        for sql in (*hostile_sql.RETURNED, *hostile_sql.OVER_VIEWS, *hostile_sql.WORDS[-12:]):
            keyed.ask(sql)
        for sql in (
            "DELETE FROM orders",
            "CREATE API KEY FOR writer",
            "ALTER ROLE writer PASSWORD 'x'",
            "TRUNCATE orders",
        ):
            said = keyed.ask(sql)
            assert "permission denied" in said or "is read-only" in said, sql
        assert keyed.leaks() == []


def test_who_gets_a_dropped_roles_name_gets_nothing_of_it(gateway: RunningGateway) -> None:
    """Neither what it had submitted, nor, by one transaction for both, its place in the control plane."""
    made = "CREATE ROLE passing LOGIN PASSWORD 'passing-secret'"
    granted = "GRANT SELECT ON lake.public.numbers TO passing"
    read = "SELECT * FROM pgproxy.result('{}')"
    with psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "lake"), autocommit=True) as admin:
        admin.execute(f"{made}; {granted}")
        with Hostile(gateway, "passing") as first:
            query = first.value("SELECT pgproxy.submit('SELECT n FROM public.numbers')")
        admin.execute("BEGIN; REVOKE SELECT ON lake.public.numbers FROM passing; DROP ROLE passing")
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            admin.execute(made)
        admin.execute("ROLLBACK")
        admin.execute("REVOKE SELECT ON lake.public.numbers FROM passing; DROP ROLE passing")
        admin.execute(made)
        with Hostile(gateway, "passing") as second:
            assert "query does not exist" in second.ask(read.format(query))
            assert second.value("SELECT count(*) FROM pgproxy.queries WHERE source = 'async'") == 0
        admin.execute("DROP ROLE passing")
