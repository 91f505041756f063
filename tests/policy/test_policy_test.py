"""`pgproxy policy test`: the real planner and engine, on a policy file and on the live control plane."""

from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from demo.data import create_demo_database
from pgproxy.cli.main import app
from pgproxy.settings import GatewaySettings
from tests.policy.test_bypass_gateway import POLICY
from tests.policy.world import SCRIPT

DEMO = Path(__file__).resolve().parent.parent.parent / "demo"
CASES = """
policy: policy.yaml
database: lake.duckdb
cases:
  - as: analyst
    query: SELECT id, ssn FROM customers
    search_path: [sales]
    rows: [[2, "***"], [1, "***"]]
  - {as: analyst, query: SELECT * FROM hr.salaries, error: 42P01}
  - {as: intern, query: SELECT * FROM sales.customers, error: 42P01}
  - {as: analyst, query: "SELECT name::int FROM sales.customers", error: 22P02}
  - as: analyst
    query: SELECT current_user, relname FROM pg_class WHERE relname = 'staff'
    rows: [[analyst, staff]]
  - {as: writer, query: DELETE FROM sales.customers, affected: 2}
  - {as: writer, query: "INSERT INTO sales.customers (id, region) VALUES (9, 'US')", error: "42501"}
  - {as: writer, query: "UPDATE sales.customers SET balance = 1 WHERE id = 1 RETURNING ssn", rows: [["***"]]}
  - {as: writer, query: SELECT count(*) FROM sales.customers, rows: [[2]]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in GatewaySettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("METASTORE_URL", f"sqlite:///{tmp_path}/m.sqlite")
    monkeypatch.setenv("NO_COLOR", "1")
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{tmp_path / 'lake.duckdb'}' AS lake; {SCRIPT}")
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "cases.yaml").write_text(CASES)
    return tmp_path


def pgproxy(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_cases_hold_against_a_policy_file_and_change_nothing(folder: Path) -> None:
    result = pgproxy("policy", "test", folder / "cases.yaml")
    assert result.stdout.splitlines()[-1] == "9 passed, 0 failed", result.output
    assert result.exit_code == 0
    with duckdb.connect(str(folder / "lake.duckdb")) as connection:
        assert connection.execute("SELECT count(*), sum(balance) FROM sales.customers").fetchone() == (
            5,
            151.5,
        )


def test_a_case_that_does_not_hold_fails_the_run_and_says_why(folder: Path) -> None:
    (folder / "policy.yaml").write_text(
        POLICY.replace("region = current_setting('pgproxy.attr.region')", "true")
    )
    result = pgproxy("policy", "test", folder / "cases.yaml")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        "FAILED analyst: SELECT id, ssn FROM customers",
        "         not expected (3, ***)",
        "         not expected (4, ***)",
        "         not expected (5, ***)",
    ]
    assert "ssn-SECRET" not in result.output
    assert lines[-1] == "5 passed, 4 failed"


def test_the_live_control_plane_is_tested_where_no_policy_file_is_said(folder: Path) -> None:
    (folder / "cases.yaml").write_text(CASES.replace("policy: policy.yaml\n", ""))
    assert pgproxy("policy", "test", folder / "cases.yaml").exit_code == 2
    assert pgproxy("policy", "apply", folder / "policy.yaml").exit_code == 0
    result = pgproxy("policy", "test", folder / "cases.yaml")
    assert result.stdout.splitlines()[-1] == "9 passed, 0 failed", result.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("as: intern", "as: nobody"), 'pgproxy: role "nobody" does not exist\n'),
        (
            ("database: lake.duckdb", "database: none.duckdb"),
            "pgproxy: the database is not a file that exists\n",
        ),
        (("database: lake.duckdb\n", ""), "pgproxy: no database: give --database"),
        (("policy: policy.yaml", "policy: none.yaml"), "pgproxy: cannot read"),
    ],
)
def test_what_cannot_be_tested_is_bad_input(folder: Path, change: tuple[str, str], said: str) -> None:
    (folder / "cases.yaml").write_text(CASES.replace(*change))
    result = pgproxy("policy", "test", folder / "cases.yaml")
    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    assert result.stdout == ""


def test_a_policy_that_does_not_fit_its_table_is_bad_input(folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("using: \"'***'\"", "using: nothing"))
    result = pgproxy("policy", "test", folder / "cases.yaml")
    assert result.exit_code == 2
    assert 'column "nothing" does not exist' in result.stderr


def test_the_demos_cases_hold(folder: Path) -> None:
    create_demo_database(folder / "demo.duckdb", scale=0)
    result = pgproxy("policy", "test", DEMO / "policy_test.yaml", "--database", folder / "demo.duckdb")
    assert result.exit_code == 0, result.output
