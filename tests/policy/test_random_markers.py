# ruff: noqa: E501 - one case a line
"""Whatever the policy and the query, nothing of a hidden cell is in anything that leaves the gateway.

Every cell carries a marker of its own row and column. A cell is hidden where its row does not pass the filters,
or its column has a mask or no grant. Looked at: rows, names and types of columns, every field of an error,
EXPLAIN, EXPLAIN (POLICY), the log. The engine's own error text, which no client sees, is looked at too: a marker
in it means that the statement was computed on a hidden row, and whether it fails is an answer in itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import cast

import duckdb
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from execnode.engine.errors import translate_error
from pgproxy.audit.options import AuditOptions
from pgproxy.audit.recorder import StatementRecorder
from pgproxy.audit.writer import AuditWriter
from pgproxy.control.audit import AuditStore
from pgproxy.metrics import GatewayMetrics
from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import ColumnMask, Grant, PolicySet, Privilege, RowFilter
from pgproxy.session.presenting import present_error
from pgproxy.session.services import Identity
from pgproxy.session.settings import SessionSettings
from pgproxy.session.statement_log import StatementLog
from pgproxy.session.telemetry import Protocol
from pgproxy.sql.outline import outline_statement
from pgproxy.sql.plan import Plan
from pgproxy.sql.planner import plan_explain
from pgproxy.sql.policy_report import report_policy
from pgwire.errors import GatewayError
from tests.policy.world import CUSTOMERS, MARKERS, open_world, plan, policy_set, run

ROWS = range(1, 9)
MARKED: dict[str, Callable[[int], str]] = {
    "name": lambda row: f"zqname{row}q",
    "ssn": lambda row: f"zqssn{row}q",
    "email": lambda row: f"zqemail{row}q",
    "note": lambda row: f"zqnote{row}q",
    "balance": lambda row: f"73400{row}1",
    "joined": lambda row: f"1871-03-0{row}",
    "tags": lambda row: f"zqtag{row}q",
    "addr": lambda row: f"zqcity{row}q",
}
"""What every cell of these columns holds, by row."""
POLICY_LITERAL = "zqliteral"
FILL = f"""
DELETE FROM lake.sales.customers;
INSERT INTO lake.sales.customers SELECT i, 'zqname' || i || 'q', ['EU', 'US', NULL][1 + i % 3], 'zqssn' || i || 'q',
    'zqemail' || i || 'q', ('73400' || i || '1.25')::DECIMAL(15,2), 'zqnote' || i || 'q', DATE '1871-03-01' + (i - 1)::INT,
    ['zqtag' || i || 'q'], {{'city': 'zqcity' || i || 'q', 'zip': i}}
FROM range({ROWS.start}, {ROWS.stop}) t(i)
"""
FILTERS = (
    "region = 'EU'", "region <> 'EU' OR id = 1", "region IS NULL", "id % 2 = 0", f"note <> '{POLICY_LITERAL}'",
    "balance > 7340041 AND joined < '1871-03-07'", "lower(region) = 'us'", "length(name) > 100", "is_member('analysts')",
    "id IN (SELECT customer_id FROM lake.sales.orders WHERE status = 'open')", "id IN (2, 3, 5)",
)  # fmt: skip
MASKS = {
    "name": ("NULL", "'anonymous'"), "ssn": ("'***'", "NULL"), "email": ("md5(email)", "'7'"),
    "note": ("coalesce(region, 'none')", f"'{POLICY_LITERAL}'"), "balance": ("NULL", "0"), "joined": ("NULL",),
}  # fmt: skip
FAILING = (
    "name::int", "note::date", "ssn::uuid", "email::timestamp", "note::boolean", "name::numeric", "note::interval", "ssn::bigint",
    "1 / (id - 3)", "(balance::bigint)::smallint", "balance::int * 1000", "sqrt(-balance)", "ln(-balance)", "name::json",
    "tags[1]::int", "addr.city::int", "joined::text::int", "to_date(name, 'YYYY-MM-DD')", "decode(name, 'hex')", "name ~ ('(' || ssn)",
    "regexp_replace(note, '(' || name, '')", "chr(-balance::int)", "(SELECT name FROM customers)", "(SELECT note::int FROM customers LIMIT 1)",
    "(SELECT max(ssn)::int FROM customers b WHERE b.id <> customers.id)", "make_date(balance::int, 13, 45)", "name::int[]",
    "extract(year FROM email::date)", "nosuch", "customers.nosuch", "zqname", "hr.salaries.pay", "max(name)::int", "sum(note::int) OVER ()",
    "CASE WHEN region = 'US' THEN ssn::int END", "coalesce(note::int, 0)", "id::text::bytea::text::int", "nullif(ssn, '')::double precision",
    "date_trunc(name, joined)", "TRY_CAST(ssn AS int)", "lpad(ssn, balance::int)", "[1, 2][name::int]", "rpad(name, 3)::date",
)  # fmt: skip
"""Expressions that fail on what cells hold, or that do not bind at all."""
PREDICATES = (
    "true", "id > 2", "region = 'US'", "region IS NULL", "id = 5", "note LIKE 'zq%'", "balance > 1", "joined < '1900-01-01'",
    "id IN (SELECT customer_id FROM orders)", "NOT (region = 'EU' AND id > 3)", "upper(name) > 'A'",
)  # fmt: skip
FORMS = (
    "SELECT {x} FROM customers WHERE {p}",
    "SELECT id FROM customers WHERE {x} IS NOT NULL AND {p}",
    "SELECT id FROM customers WHERE {p} AND {x} IS NOT NULL ORDER BY id",
    "SELECT id FROM customers WHERE {x} IS NULL OR {p}",
    "SELECT * FROM customers WHERE {p}",
    "SELECT customers FROM customers WHERE {p}",
    "SELECT id FROM customers WHERE {p} ORDER BY {x}",
    "SELECT {x}, count(*) FROM customers WHERE {p} GROUP BY 1",
    "SELECT region, max(name) FROM customers GROUP BY region HAVING max({x}) IS NOT NULL",
    "SELECT list({x}) FROM customers WHERE {p}",
    "SELECT string_agg(note, ',') FILTER (WHERE {x} IS NOT NULL) FROM customers",
    "SELECT row_number() OVER (PARTITION BY {x} ORDER BY id) FROM customers WHERE {p}",
    "SELECT o.id, name FROM orders o LEFT JOIN customers ON o.customer_id = customers.id AND {x} IS NOT NULL WHERE o.id > 0",
    "SELECT a.* FROM customers a JOIN customers ON a.name = customers.name WHERE {p2} AND {x} IS NOT NULL",
    "WITH q AS (SELECT *, {x} AS y FROM customers) SELECT y, name, ssn FROM q WHERE {p2}",
    "SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM customers WHERE customers.id = customer_id AND {x} IS NOT NULL)",
    "SELECT (SELECT {x} FROM customers WHERE {p} LIMIT 1), n FROM numbers",
    "SELECT {x} FROM customers WHERE {p} UNION ALL SELECT {x} FROM customers WHERE {p2}",
    "SELECT id, {x} FROM customers WHERE {p} ORDER BY 1 DESC LIMIT 2",
    "SELECT * FROM customers WHERE {x} IS NOT NULL AND {p} ORDER BY id DESC LIMIT 2",
    "SELECT id, c.name AS n, upper(note) FROM customers c WHERE {p} OR {x} IS NULL ORDER BY n, id FETCH FIRST 2 ROWS ONLY",
    "SELECT DISTINCT ON (region) region, {x} FROM customers WHERE {p} ORDER BY region",
    "SELECT {x} FROM (SELECT * FROM customers WHERE {p}) AS customers WHERE {p2}",
    "UPDATE orders SET status = (SELECT {x}::text FROM customers WHERE {p} LIMIT 1) WHERE id > 0 RETURNING *",
    "UPDATE customers SET region = 'EU' WHERE {p} AND {x} IS NOT NULL RETURNING *",
    "DELETE FROM customers WHERE {p} AND {x} IS NULL RETURNING *",
    "INSERT INTO orders (id, status) SELECT id, {x}::text FROM customers WHERE {p} RETURNING status",
    "INSERT INTO customers (id, name, region) SELECT 9 - id, name, region FROM customers WHERE {x} IS NOT NULL RETURNING *",
    "MERGE INTO customers USING orders o ON o.customer_id = customers.id WHEN MATCHED AND {x} IS NULL THEN DELETE",
)  # fmt: skip
SETTINGS = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip


@dataclass
class Bench:
    """The governed engine, one that knows which rows pass, and what came of all statements."""

    governed: duckdb.DuckDBPyConnection
    raw: duckdb.DuckDBPyConnection
    states: set[str]
    rows: int = 0

    def hidden(self, filters: tuple[RowFilter, ...], shown: frozenset[str]) -> Iterator[str]:
        """Markers of all cells that the policy hides."""
        allowed = " OR ".join(f"({rule.using})" for rule in filters if not rule.is_restrictive)
        narrowed = "".join(f" AND ({rule.using})" for rule in filters if rule.is_restrictive)
        where = f"({allowed or (not filters)}){narrowed}"
        permitted = {row for (row,) in self.raw.execute(f"SELECT id FROM customers WHERE {where}").fetchall()}
        for column, marker in MARKED.items():
            yield from (marker(row) for row in ROWS if row not in permitted or column not in shown)

    def told(self, sql: str, policies: PolicySet) -> tuple[str, str]:
        """All that a client and the log are told; and the engine's own words."""
        try:
            planned = plan(sql, policies=policies)
        except GatewayError as error:
            self.states.add(error.sqlstate.value)
            return _fields(error), ""
        heard = [repr(_explained(self.governed, sql, planned, policies)), repr(planned.column_names)]
        self.governed.execute("BEGIN")
        try:
            rows = run(self.governed, planned)
            self.rows += len(rows)
            described = self.governed.description or []
            # As the gateway does: its own names, where it knows them all.
            names = planned.column_names or [column[0] for column in described]
            heard += [repr(rows), repr(names), repr([column[1] for column in described])]
            return " ".join([*heard, _logged(sql, planned, None)]), ""
        except duckdb.Error as error:
            fault = translate_error(error)
            shown = present_error(fault, planned, sql, planned.sql)
            self.states.add(shown.sqlstate.value)
            return " ".join([*heard, _fields(shown), _logged(sql, planned, shown)]), str(error)
        finally:
            self.governed.execute("ROLLBACK")


def _fields(error: GatewayError) -> str:
    return (
        f"{error.sqlstate} {error.message} {error.detail} {error.hint} {vars(error).get('context')} {error}"
    )


def _explained(
    connection: duckdb.DuckDBPyConnection, sql: str, planned: Plan, policies: PolicySet
) -> list[object]:
    """EXPLAIN (POLICY), and EXPLAIN as the gateway chooses between an outline and the engine's plan."""
    lines: list[object] = list(report_policy(planned, effective_policy(policies, "analyst")))
    if planned.is_governed:
        return [*lines, *outline_statement(sql, "auto")]
    explained = plan_explain(planned, is_admin=False)
    try:
        return [*lines, *run(connection, explained)]
    except duckdb.Error as error:  # ungoverned, and a name in it does not exist
        return [*lines, _fields(present_error(translate_error(error), explained, sql, explained.sql))]


def _logged(sql: str, planned: Plan, error: GatewayError | None) -> str:
    """The log lines of the statement's record. The audit's queue takes it, too, and writes nothing here."""
    metrics = GatewayMetrics(CollectorRegistry())
    writer = AuditWriter(cast("AuditStore", None), AuditOptions("test"), metrics)
    with structlog.testing.capture_logs() as events:
        log = StatementLog(
            Identity("analyst", "lake", 1), SessionSettings({}, {}), StatementRecorder(writer, metrics)
        )
        log.begin(sql, Protocol.SIMPLE)
        log.note_plan(planned)
        log.end(error=error)
    assert events
    return repr(events)


def _policies(
    permissive: list[str], restrictive: list[str], masks: dict[str, str], ungranted: set[str]
) -> PolicySet:
    filters = [RowFilter(f"p{i}", CUSTOMERS, using) for i, using in enumerate(permissive)]
    filters += [
        RowFilter(f"r{i}", CUSTOMERS, using, is_restrictive=True) for i, using in enumerate(restrictive)
    ]
    columns = frozenset({"id", "region", *MARKED} - ungranted) if ungranted else None
    writes = (Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE)
    grants = [Grant("analysts", Privilege.SELECT, "lake", "sales", "customers", columns)]
    grants += [Grant("analysts", Privilege.SELECT, "lake", *table) for table in (("sales", "orders"), ("public", "numbers"))]  # fmt: skip
    grants += [Grant("analysts", privilege, "lake", "sales", None) for privilege in writes]
    return replace(
        policy_set(),
        grants=tuple(grants),
        row_filters=tuple(filters),
        column_masks=tuple(ColumnMask(f"m_{c}", CUSTOMERS, c, text) for c, text in masks.items()),
    )


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with open_world() as governed, open_world() as raw:
        governed.execute("SET errors_as_json = true")
        for connection in (governed, raw):
            connection.execute(FILL)
        raw.execute("USE lake.sales")
        raw.execute("CREATE TEMP MACRO is_member(g) AS g = 'analysts'")
        yield Bench(governed, raw, set())


def test_no_marker_of_a_hidden_cell_leaves_the_gateway(bench: Bench) -> None:
    @given(
        permissive=st.lists(st.sampled_from(FILTERS), max_size=2, unique=True),
        restrictive=st.lists(st.sampled_from(FILTERS), max_size=1),
        masks=st.fixed_dictionaries({}, optional={c: st.sampled_from(texts) for c, texts in MASKS.items()}),
        ungranted=st.sets(st.sampled_from(sorted(MARKED)), max_size=2),
        form=st.sampled_from(FORMS),
        words=st.fixed_dictionaries({"x": st.sampled_from(FAILING), "p": st.sampled_from(PREDICATES), "p2": st.sampled_from(("true", "n_nosuch > 1"))}),
    )  # fmt: skip
    @SETTINGS
    def scan(
        permissive: list[str],
        restrictive: list[str],
        masks: dict[str, str],
        ungranted: set[str],
        form: str,
        words: dict[str, str],
    ) -> None:
        policies, sql = _policies(permissive, restrictive, masks, ungranted), form.format(**words)
        hidden = [*bench.hidden(policies.row_filters, frozenset(MARKED) - masks.keys() - ungranted), *MARKERS]
        said, engine_text = bench.told(sql, policies)
        assert [marker for marker in hidden if marker in said] == []
        assert [marker for marker in hidden if marker in engine_text] == []
        visible_rows = f"'{POLICY_LITERAL}'" in repr(masks)  # then it is what a visible cell shows
        assert visible_rows or POLICY_LITERAL not in said

    scan()
    # The scan is worth something: statements gave rows, and failed on data and on names.
    assert bench.rows > 10
    assert {"22P02", "42703"} < bench.states


@pytest.mark.parametrize("expression", ["name::int", "note::date", "ssn::uuid", "balance::int * 1000"])
def test_the_same_expressions_quote_cells_on_raw_duckdb(bench: Bench, expression: str) -> None:
    with pytest.raises(duckdb.Error) as caught:
        bench.raw.execute(f"SELECT {expression} FROM customers").fetchall()
    assert any(marker(row) in str(caught.value) for marker in MARKED.values() for row in ROWS)
