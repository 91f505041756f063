"""EXPLAIN through a real gateway: the shape of one's own statement, the names of one's own rules."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from tests.gateway import ADMIN_PASSWORD, RunningGateway, start_gateway

SQL = "SELECT name, email FROM sales.customers c WHERE id = 3 ORDER BY name LIMIT 2"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with start_gateway(tmp_path_factory.mktemp("explain"), LOG_LEVEL="error") as running:
        yield running


def explain(
    gateway: RunningGateway, sql: str, user: str = "analyst", password: str | None = None
) -> list[str]:
    with psycopg.connect(gateway.dsn(user, password), autocommit=True) as connection:
        return [row[0] for row in connection.execute(sql).fetchall()]


def test_a_governed_statement_shows_the_shape_of_its_own_text(gateway: RunningGateway) -> None:
    assert explain(gateway, f"EXPLAIN {SQL}") == [
        "Limit",
        "  ->  Sort",
        "        ->  Filter",
        "              ->  Scan on sales.customers c",
    ]


def test_no_filter_mask_or_estimate_is_in_it(gateway: RunningGateway) -> None:
    for sql in (f"EXPLAIN {SQL}", f"EXPLAIN VERBOSE {SQL}", f"EXPLAIN (POLICY) {SQL}"):
        text = " ".join(explain(gateway, sql))
        assert [word for word in ("'EU'", "region =", "***", "left(", "OFFSET", "Rows") if word in text] == []


def test_an_ungoverned_statement_shows_the_engines_plan(gateway: RunningGateway) -> None:
    text = " ".join(explain(gateway, "EXPLAIN SELECT n FROM numbers WHERE n > 5"))
    assert "numbers" in text
    assert "SEQ_SCAN" in text


def test_explaining_a_write_writes_nothing(gateway: RunningGateway) -> None:
    explain(gateway, "EXPLAIN DELETE FROM sales.orders", "admin", ADMIN_PASSWORD)
    assert explain(gateway, "SELECT count(*) FROM sales.orders", "admin", ADMIN_PASSWORD) == [2000]


def test_policy_names_ones_own_grants_filters_masks_and_the_route(gateway: RunningGateway) -> None:
    columns = "active, email, id, joined, name, region, seen"
    assert explain(gateway, f"EXPLAIN (POLICY) {SQL}") == [
        "Policy on test.sales.customers: SELECT",
        f"  Grant: SELECT ({columns}) on test.sales.customers to eu_team",
        "  Row Filter: eu_customers",
        "  Column Mask: partial_email on email",
        "Route: local (flag_off)",
    ]


def test_an_administrator_sees_every_rule_and_for_whom(gateway: RunningGateway) -> None:
    assert explain(gateway, f"EXPLAIN (POLICY) {SQL}", "admin", ADMIN_PASSWORD)[:4] == [
        "Policy on test.sales.customers: SELECT",
        "  Grant: administrator",
        "  Row Filter: eu_customers to eu_team",
        "  Column Mask: partial_email on email to eu_team",
    ]


def test_what_may_not_be_read_may_not_be_explained(gateway: RunningGateway) -> None:
    for option in ("", "(POLICY)"):
        with pytest.raises(psycopg.errors.UndefinedTable):
            explain(gateway, f"EXPLAIN {option} SELECT * FROM sales.secrets")


def test_analyze_tells_what_its_client_would_learn_by_running_it(gateway: RunningGateway) -> None:
    lines = explain(gateway, f"EXPLAIN (ANALYZE, TIMING off, SUMMARY off) {SQL.replace('id = 3', 'id < 12')}")
    assert lines == [
        "Limit (actual rows=2 loops=1)",
        "  ->  Sort",
        "        ->  Filter",
        "              ->  Scan on sales.customers c",
    ]
    lines = explain(gateway, f"EXPLAIN ANALYZE {SQL}")
    assert re.fullmatch(r"Limit \(actual time=0\.000\.\.\d+\.\d{3} rows=1 loops=1\)", lines[0])
    assert [re.sub(r"\d+\.\d{3}", "N", line) for line in lines[-2:]] == [
        "Planning Time: N ms",
        "Execution Time: N ms",
    ]


def test_no_figure_counts_rows_that_a_filter_hides(gateway: RunningGateway) -> None:
    """300 customers, 100 of them visible: the same text, but for times, whatever else there is."""
    hidden = "SELECT name FROM sales.customers WHERE region = {} AND id::text::int > 0"
    texts = {
        region: explain(
            gateway, f"EXPLAIN (ANALYZE, VERBOSE, BUFFERS, TIMING off, SUMMARY off) {hidden.format(region)}"
        )
        for region in ("'US'", "'APAC'", "'nowhere'")
    }
    assert len({tuple(lines) for lines in texts.values()}) == 1
    assert texts["'US'"][0].endswith("(actual rows=0 loops=1)")
    counted = explain(
        gateway, "EXPLAIN (ANALYZE, TIMING off, SUMMARY off) SELECT count(*) FROM sales.customers"
    )
    assert [re.findall(r"\d+", line) for line in counted if re.search(r"\d", line)] == [["1", "1"]]


def test_analyze_runs_writes_and_no_definitions(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn("admin", ADMIN_PASSWORD)) as connection:
        first = connection.execute(
            "EXPLAIN (ANALYZE, TIMING off) DELETE FROM sales.orders WHERE id < 11"
        ).fetchone()
        assert first == ("Delete on sales.orders (actual rows=0 loops=1)",)
        assert connection.execute("SELECT count(*) FROM sales.orders").fetchone() == (1990,)
        connection.rollback()
        for sql in ("DROP TABLE sales.orders", "ALTER TABLE sales.orders ADD COLUMN a int, ADD COLUMN b int"):
            for explained in (f"EXPLAIN {sql}", f"EXPLAIN ANALYZE {sql}"):
                with pytest.raises(psycopg.errors.SyntaxError):
                    connection.execute(explained)
                connection.rollback()
        connection.execute("SET TRANSACTION READ ONLY")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("EXPLAIN ANALYZE DELETE FROM sales.orders")


@pytest.mark.parametrize("extended", [False, True])
def test_an_error_is_the_statements_own(gateway: RunningGateway, *, extended: bool) -> None:
    with psycopg.connect(gateway.dsn("analyst"), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation) as caught:
            connection.execute("EXPLAIN ANALYZE SELECT email::int FROM sales.customers", prepare=extended)
        assert "user" not in str(caught.value)
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("EXPLAIN ANALYZE SELECT * FROM sales.secrets", prepare=extended)


def test_the_document_nests_the_same_nodes(gateway: RunningGateway) -> None:
    joined = "SELECT c.name FROM sales.customers c JOIN sales.orders o ON o.customer_id = c.id WHERE o.id > 3"
    with psycopg.connect(gateway.dsn("analyst"), autocommit=True) as connection:
        cursor = connection.execute(f"EXPLAIN (FORMAT JSON) {joined}")
        assert cursor.description is not None
        assert cursor.description[0].type_code == psycopg.adapters.types["json"].oid
        row = cursor.fetchone()
        analysed = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {SQL}").fetchone()
    scans = [
        {"Node Type": "Seq Scan", "Relation Name": name, "Schema": "sales", "Alias": alias}
        for name, alias in (("customers", "c"), ("orders", "o"))
    ]
    assert row is not None
    assert row[0] == [
        {"Plan": {"Node Type": "Filter", "Plans": [{"Node Type": "Inner Join", "Plans": scans}]}}
    ]
    assert analysed is not None
    document = analysed[0][0]
    assert document["Plan"]["Actual Rows"] == 1
    assert set(document) == {"Plan", "Planning Time", "Execution Time"}
    assert "Actual Rows" not in document["Plan"]["Plans"][0], "rows below may be hidden ones"


def test_other_formats_are_refused(gateway: RunningGateway) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        explain(gateway, "EXPLAIN (FORMAT YAML) SELECT 1")
