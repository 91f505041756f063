"""Policy files bound to the catalog that is there: DATABASE's own, or the running gateway's."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from demo.programs import BIN
from tests.gateway import POLICY, RunningGateway, create_database, start_gateway

MAPPED = """
groups: {mapped: {}}
users: {intern: {password: intern-secret, groups: [mapped]}}
grants:
- {to: mapped, privileges: [SELECT], on: test.sales.orders}
- {to: mapped, privileges: [SELECT], on: test.public.numbers}
row_filters:
- name: by_mapping
  on: test.sales.orders
  using: "customer_id IN (SELECT n FROM public.numbers WHERE label = 'text 5')"
  to: [mapped]
"""
WRONG = """grants:
- {to: mapped, privileges: [SELECT], on: test.sales.nothing}
- {to: mapped, privileges: [SELECT], on: test.sales.orders, columns: [id, gone]}
row_filters:
- {name: f, on: test.sales.orders, using: "nowhere = 1"}
- {name: g, on: test.sales.orders, using: "id IN (SELECT x FROM sales.customers)"}
tags: {test.sales.orders.gone: [pii]}
"""


def run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [BIN / "pgproxy", *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> RunningGateway:  # type: ignore[misc]
    """A gateway whose policy was applied before it ran, so from the file of the database."""
    folder = tmp_path_factory.mktemp("mapped")
    with start_gateway(folder, policy=MAPPED) as gateway:
        yield gateway


def test_a_filter_over_a_mapping_table_is_bound_without_a_gateway(mapped: RunningGateway) -> None:
    with psycopg.connect(mapped.dsn("intern"), autocommit=True) as intern:
        found = intern.execute("SELECT DISTINCT customer_id FROM sales.orders").fetchall()
        assert found in ([(5,)], [(6,)])  # 6 where another test has replaced the file already


def test_the_running_gateway_is_asked_where_the_database_is_open_elsewhere(mapped: RunningGateway) -> None:
    environment = dict(mapped.environment)
    file = mapped.folder / "next.yaml"
    file.write_text(MAPPED.replace("text 5", "text 6"))
    checked = run(environment, "policy", "check", str(file))
    assert checked.stdout == f"checked against the running gateway\n{file}: ok\n", checked.stderr
    assert run(environment, "policy", "apply", str(file)).returncode == 0
    with psycopg.connect(mapped.dsn("intern"), autocommit=True) as intern:
        assert intern.execute("SELECT DISTINCT customer_id FROM sales.orders").fetchall() == [(6,)]
    assert "no change" in run(environment, "policy", "diff", str(file)).stdout


@pytest.mark.parametrize("is_running", [True, False])
def test_what_is_not_in_the_catalog_is_told_with_its_line(
    mapped: RunningGateway, tmp_path: Path, is_running: bool
) -> None:
    environment = dict(mapped.environment)
    if not is_running:
        create_database(tmp_path / "test.duckdb")
        environment |= {"DATABASE": str(tmp_path / "test.duckdb")}
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG)
    refused = run(environment, "policy", "check", str(file))
    assert refused.returncode == 2
    told = [line.removeprefix("pgproxy: ") for line in refused.stderr.splitlines()]
    assert told[:2] == [
        'line 2: table "test.sales.nothing" does not exist',
        'line 3: column "gone" of table "test.sales.orders" does not exist',
    ]
    assert 'line 5: column "nowhere" does not exist' in told
    assert any(line.startswith("line 6: ") for line in told)
    assert 'line 7: column "gone" of table "test.sales.orders" does not exist' in told


def test_without_any_catalog_a_file_is_checked_by_itself_and_subqueries_are_refused(tmp_path: Path) -> None:
    names = ("DATABASE", "METASTORE_URL", "BOOTSTRAP_ADMIN", "BOOTSTRAP_ADMIN_PASSWORD")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment["METASTORE_URL"] = f"sqlite:///{tmp_path}/m.sqlite"
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    assert "checked by itself: DATABASE is not set" in run(environment, "policy", "check", str(file)).stdout
    file.write_text(MAPPED)
    refused = run(environment, "policy", "apply", str(file))
    assert refused.returncode != 0
    assert "subquery" in refused.stderr
