"""A marker scan of the whole catalog through a real gateway: what an analyst may not know is named nowhere.

Everything hidden carries the marker `zq`: tables, columns, comments, defaults, constraint texts, indexes,
sequences, enum labels, views' queries, schemas, principals, other principals' policies and masks. Every
relation of both schemas is read whole, and every catalog function is asked about every hidden object, by OID
and by name. A function must answer, and fail, as it does for an object that does not exist.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psycopg
import pytest

from pgproxy.catalog.builtin import relation_definitions
from pgproxy.catalog.functions.catalogue import MACROS
from pgproxy.catalog.functions.macro import Macro, sources
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway

MARKER = "zq"
TABLES = """
CREATE SCHEMA sales; CREATE SCHEMA zqschema;
CREATE TABLE sales.customers(
    id INTEGER PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'nobody', email VARCHAR,
    zqphone VARCHAR DEFAULT 'zqdefault', UNIQUE (zqphone), CHECK (zqphone <> 'zqcheck'));
CREATE TABLE sales.orders(
    id BIGINT PRIMARY KEY, customer_id INTEGER REFERENCES sales.customers(id),
    total DECIMAL(12,2) CHECK (total > 0));
CREATE SEQUENCE sales.zqserial;
COMMENT ON SEQUENCE sales.zqserial IS 'pgproxy_sequence:["zquser", "serial"]';
CREATE TABLE sales.zqmargins(
    zqid INTEGER PRIMARY KEY DEFAULT nextval('sales.zqserial'),
    zqmargin DOUBLE DEFAULT 1.5, customer INTEGER REFERENCES sales.customers(id),
    CHECK (zqmargin > 0));
CREATE TABLE zqschema.zqother(zqa INTEGER, zqb VARCHAR);
CREATE VIEW sales.totals AS SELECT customer_id, zqmargin FROM sales.orders JOIN sales.zqmargins ON zqid = id;
CREATE VIEW sales.zqview AS SELECT zqid AS zqx FROM sales.zqmargins;
CREATE INDEX by_total ON sales.orders(total);
CREATE INDEX zqindex ON sales.customers(name, zqphone);
CREATE INDEX zqindex2 ON zqschema.zqother(zqa);
CREATE SEQUENCE zqschema.zqsequence;
CREATE SEQUENCE sales.zqnumbers;
CREATE TYPE zqschema.zqmood AS ENUM ('zqgood', 'zqbad');
CREATE TYPE sales.zqstate AS ENUM ('zqopen', 'zqdone');
COMMENT ON TABLE sales.customers IS 'who buys';
COMMENT ON COLUMN sales.customers.zqphone IS 'zq comment of a column';
COMMENT ON TABLE sales.zqmargins IS 'zq comment of a table';
COMMENT ON COLUMN sales.zqmargins.zqmargin IS 'zq comment of its column';
COMMENT ON VIEW sales.zqview IS 'zq comment of a view';
INSERT INTO sales.customers VALUES (1, 'ann', 'ann@example.com', '555');
"""
POLICY = """
groups: {staff: {}, zqgroup: {}}
users:
  analyst: {password: analyst-secret, groups: [staff]}
  outsider: {password: outsider-secret}
  zquser: {password: zquser-secret, groups: [zqgroup]}
grants:
  - {to: staff, privileges: [SELECT], on: test.sales.customers, columns: [id, name, email]}
  - {to: staff, privileges: [SELECT, INSERT], on: test.sales.orders}
  - {to: staff, privileges: [SELECT], on: test.sales.totals, columns: [customer_id]}
  - {to: zqgroup, privileges: [SELECT], on: test.sales.*}
row_filters:
  - {name: zqfilter, on: test.sales.orders, using: "total < 77", to: [zquser]}
  - {name: small, on: test.sales.orders, using: "total < 1000 -- zq", to: [staff]}
column_masks:
  - {name: zqmask, on: test.sales.customers, column: email, using: "'zq' || left(email, 1)", to: [staff]}
  - {name: zqmask2, on: test.sales.customers, column: name, using: "'zq'", to: [zquser]}
"""
RELATIONS = [f"{schema}.{name}" for schema, name in relation_definitions()]
OBJECT_QUERIES = """
SELECT c.oid, relname, nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid > 16383
SELECT t.oid, typname, nspname FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE t.oid > 16383
SELECT oid, conname, '' FROM pg_constraint WHERE conname LIKE '%zq%'
SELECT oid, nspname, '' FROM pg_namespace WHERE oid > 16383
SELECT oid, rolname, '' FROM pg_roles WHERE oid > 16383
SELECT oid, polname, '' FROM pg_policy
SELECT oid, '', '' FROM pg_attrdef WHERE adbin LIKE '%zq%'
SELECT oid, enumlabel, '' FROM pg_enum
""".strip().splitlines()
ABSENT = {"oid": "2000000019", "text": "nothing_at_all"}
"""What no object is called."""
BESIDE = {
    "p_privilege": "'SELECT'", "p_column": "4", "p_catalog": "'pg_class'", "p_pretty": "true", "p_mod": "-1",
    "p_implicit": "true", "p_property": "'asc'", "p_size": "1", "p_encoding": "6",
}  # fmt: skip
"""What stands beside the object, by the parameter's name."""
ONE_ROW = "(VALUES (1)) AS one(row)"
CASTS = ("regclass", "regtype", "regnamespace", "regrole", "regproc")


class Hidden(NamedTuple):
    """One object that the analyst may not know of."""

    oid: int
    name: str
    path: str


class Listener:
    """One user's connection, and all that came back."""

    def __init__(self, gateway: RunningGateway, user: str, password: str | None = None) -> None:
        self.connection = psycopg.connect(gateway.dsn(user, password), autocommit=True)
        self.connection.execute("SET search_path = sales, public")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql.encode()).fetchall()

    def heard(self, sql: str) -> str:
        """The answer, or everything that the error says."""
        try:
            return repr(self.rows(sql))
        except psycopg.Error as error:
            diag = error.diag
            return f"{diag.sqlstate} {diag.message_primary} {diag.message_detail} {diag.message_hint}"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder: Path = tmp_path_factory.mktemp("markers")
    with duckdb.connect(str(folder / "test.duckdb")) as connection:
        connection.execute(TABLES)
    with start_gateway(folder, policy=POLICY, LOG_LEVEL="error") as running:
        yield running


@pytest.fixture(scope="module")
def admin(gateway: RunningGateway) -> Iterator[Listener]:
    listener = Listener(gateway, ADMIN, ADMIN_PASSWORD)
    yield listener
    listener.connection.close()


@pytest.fixture(scope="module", params=["analyst", "outsider"])
def viewer(gateway: RunningGateway, request: pytest.FixtureRequest) -> Iterator[Listener]:
    listener = Listener(gateway, request.param)
    yield listener
    listener.connection.close()


@pytest.fixture(scope="module")
def hidden(admin: Listener) -> list[Hidden]:
    """Every object with the marker, as the administrator's catalog has it."""
    found = []
    for query in OBJECT_QUERIES:
        for oid, name, schema in admin.rows(query):
            if MARKER in f"{schema}.{name}" or query.startswith("SELECT oid, ''"):
                found.append(Hidden(oid, name, f"{schema}.{name}" if schema else name))
    assert len({item.oid for item in found}) >= 30
    return found


def test_no_relation_names_what_is_hidden(viewer: Listener) -> None:
    named = {}
    for relation in RELATIONS:
        answer = viewer.heard(f"SELECT * FROM {relation}")
        assert not answer.startswith(("XX", "0A", "42P01", "58")), f"{relation}: {answer}"
        if MARKER in answer.lower():
            named[relation] = [row for row in viewer.rows(f"SELECT * FROM {relation}") if MARKER in repr(row)]
    assert named == {}


def test_the_administrator_sees_the_markers(admin: Listener) -> None:
    """What makes the scan worth something: the same reading finds them where they may be seen."""
    found = {name for name in RELATIONS if MARKER in admin.heard(f"SELECT * FROM {name}").lower()}
    catalog = (
        "pg_attrdef pg_attribute pg_class pg_constraint pg_description pg_enum pg_indexes pg_namespace "
        "pg_policies pg_policy pg_roles pg_sequences pg_tables pg_type pg_views pg_stat_all_tables pg_user "
        "pg_group"
    )
    standard = (
        "check_constraints columns constraint_column_usage key_column_usage schemata sequences tables "
        "table_constraints referential_constraints views enabled_roles"
    )
    expected = {f"pg_catalog.{name}" for name in catalog.split()}
    assert expected | {f"information_schema.{name}" for name in standard.split()} <= found


def _calls(kind: str) -> Iterator[str]:
    """Every call of every function that reads a guarded relation, the subject at each place it can be."""
    for macro in MACROS:
        # The texts and inputs of reg* types are no functions that a client can call: casts reach them.
        if macro.name.endswith(("_text", "_oid")) or macro.is_table or not _reads(macro):
            continue
        for parameters in (body.split(", ") for body in macro.bodies if body):
            for place, name in enumerate(parameters):
                if name in BESIDE or (kind == "text" and name == "p_oid"):
                    continue
                arguments = [BESIDE.get(name, "0") for name in parameters]
                arguments[place] = "subject"
                yield f"{macro.name}({', '.join(arguments)})"
    yield from (f"subject::{kind}::text" for kind in CASTS)


def _reads(macro: Macro) -> bool:
    return any(sources(body) for body in macro.bodies.values())


def _answers(viewer: Listener, calls: list[str], source: str) -> list[list[str]]:
    """The answers of all calls about each subject of `source`, an error standing for all of its call's."""
    together = viewer.heard(f"SELECT {', '.join(calls)} FROM {source}")
    if together.startswith("["):
        rows = viewer.rows(f"SELECT {', '.join(calls)} FROM {source}")
        return [[repr(row[place]) for row in rows] for place in range(len(calls))]
    if len(calls) == 1:
        return [[together]]
    half = len(calls) // 2
    return _answers(viewer, calls[:half], source) + _answers(viewer, calls[half:], source)


def _told(viewer: Listener, kind: str, subjects: list[str]) -> Iterator[str]:
    """Calls that answer about a hidden thing otherwise than about nothing."""
    calls = list(_calls(kind))
    literal = ", ".join(f"'{subject}'" for subject in (*subjects, ABSENT[kind]))
    source = f"unnest(ARRAY[{literal}]::{kind}[]) WITH ORDINALITY AS u(subject, i) ORDER BY i"
    nothing = f"unnest(ARRAY['{ABSENT[kind]}']::{kind}[]) AS u(subject)"
    for call, answers in zip(calls, _answers(viewer, calls, source), strict=True):
        if len(answers) == 1:
            (expected,) = _answers(viewer, [call], nothing)
            said = answers[0]
            for subject in sorted(subjects, key=len, reverse=True):
                said = said.replace(subject, ABSENT[kind])
            if [said] != expected:
                yield f"{call}: {answers}, of nothing: {expected}"
            continue
        for subject, answer in zip(subjects, answers, strict=False):
            if answer.replace(subject, ABSENT[kind]) != answers[-1]:
                yield f"{call} of {subject}: {answer}, of nothing: {answers[-1]}"


def test_a_function_without_a_viewer_reads_nothing_that_is_guarded() -> None:
    open_to_all = {"pg_proc", "pg_collation", "pg_operator", "pg_ts_dict", "_keyword"}
    for macro in MACROS:
        for body in macro.bodies.values():
            read = {relation for _, relation in sources(body)}
            assert macro.session_values or read <= open_to_all, macro.name


def test_no_function_tells_of_a_hidden_oid(viewer: Listener, hidden: list[Hidden]) -> None:
    assert list(_told(viewer, "oid", [str(item.oid) for item in hidden])) == []


def test_no_function_tells_of_a_hidden_name(viewer: Listener, hidden: list[Hidden]) -> None:
    assert list(_told(viewer, "text", [item.path for item in hidden if item.path])) == []


def test_names_in_constants_are_names_of_nothing(viewer: Listener, hidden: list[Hidden]) -> None:
    """The planner reads some constants itself, so some objects are asked about as constants too."""
    wrong = []
    calls = list(_calls("text"))
    nothing = _answers(viewer, [call.replace("subject", repr(ABSENT["text"])) for call in calls], ONE_ROW)
    for item in hidden:
        if item.name in ("zqmargins", "zqmood"):
            asked = [call.replace("subject", repr(item.path)) for call in calls]
            for call, (answer,), (expected,) in zip(
                asked, _answers(viewer, asked, ONE_ROW), nothing, strict=True
            ):
                if answer.replace(item.path, ABSENT["text"]) != expected:
                    wrong.append(f"{call}: {answer}, of nothing: {expected}")
    assert wrong == []


def test_functions_about_hidden_columns_of_a_visible_table_tell_nothing(
    viewer: Listener, admin: Listener
) -> None:
    ((oid,),) = admin.rows("SELECT 'sales.customers'::regclass::oid")
    for call in (
        f"col_description({oid}, 4)",
        "pg_get_serial_sequence('sales.customers', 'zqphone')",
        "has_column_privilege('sales.customers', 'zqphone', 'SELECT')",
        f"has_column_privilege({oid}, 4::smallint, 'SELECT')",
        "pg_get_viewdef('sales.totals'::regclass)",
    ):
        answer = viewer.heard(f"SELECT {call}")
        assert answer in ("[(None,)]", "[(False,)]") or answer.startswith("42"), f"{call}: {answer}"
