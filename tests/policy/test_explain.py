"""EXPLAIN through a real gateway: the shape of one's own statement, the names of one's own rules."""

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
