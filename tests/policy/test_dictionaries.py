"""Every allowed function on a dictionary that holds hidden values, too: none fails on what no row shows.

Takes a minute; run it after an upgrade of the engine, and where functions are newly allowed (`make soak`).
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from execnode.engine.functions import install_functions
from pgproxy.sql import secure
from pgproxy.sql.allowed_functions import CLIENT_NAMES
from pgwire.errors import GatewayError
from tests.policy.world import SCRIPT, plan

HIDDEN = ("(HIDDEN", "\\", "", "zz", "99999999999999999999999", "-1", "%%%q", '{"a":')
CONSTANTS = {
    "VARCHAR": "'b'", "ANY": "'b'", "T": "'b'", "BIGINT": "2", "INTEGER": "2", "DOUBLE": "2.0",
    "BOOLEAN": "true", "DATE": "DATE '2020-01-01'",
    "TIMESTAMP": "TIMESTAMP '2020-01-01'", "INTERVAL": "INTERVAL '1 day'",
}  # fmt: skip
FORMS = (
    "SELECT count({}) FROM customers",
    "SELECT count(*) FROM customers WHERE ({})::text = 'x'",
    "SELECT id FROM customers WHERE ({})::text <> 'x' ORDER BY id DESC LIMIT 3",
)
ROWS = 8000


def calls() -> Iterator[str]:
    """Each allowed function by each of its signatures, with the column in each place of a text."""
    known = duckdb.sql(
        "SELECT function_name, parameter_types FROM duckdb_functions() "
        "WHERE function_type IN ('scalar', 'macro') ORDER BY ALL"
    ).fetchall()
    for name, kinds in known:
        types = [kind or "ANY" for kind in kinds]
        if name not in CLIENT_NAMES or len(types) > 4 or not CONSTANTS.keys() >= set(types):
            continue
        for place, kind in enumerate(types):
            if kind in ("VARCHAR", "ANY", "T"):
                arguments = [CONSTANTS[one] for one in types]
                arguments[place] = "note"
                yield f"{name}({', '.join(arguments)})"


def compressed(path: Path, hidden: str) -> duckdb.DuckDBPyConnection:
    """The policy tests' customers with '1' in the rows that are shown, and another text in all others."""
    connection = duckdb.connect(config={"threads": 1})
    install_functions(connection)
    connection.execute(f"ATTACH '{path}' AS lake")
    connection.execute(SCRIPT)
    connection.execute(
        "CREATE TABLE lake.sales.many AS SELECT c.* REPLACE (i AS id, if(i % 2 = 0, 'EU', 'US') AS region, "
        f"if(i % 2 = 0, '1', '{hidden}') AS note) "
        f"FROM lake.sales.customers c, range({ROWS}) t(i) WHERE c.id = 1;"
        "DROP VIEW lake.sales.eu_names; DROP TABLE lake.sales.customers;"
        "ALTER TABLE lake.sales.many RENAME TO customers; CHECKPOINT lake"
    )
    return connection


def failing(path: Path, hidden: str) -> set[str]:
    """The calls that fail on a table with this text in its hidden rows."""
    found = set()
    with closing(compressed(path, hidden)) as connection:
        for call in sorted(set(calls())):
            for form in FORMS:
                try:
                    planned = plan(form.format(call), "analyst", dialect="duckdb")
                except GatewayError:
                    continue
                values = [value.text for value in planned.bound_values]
                if _fails(connection, planned.sql, values):
                    found.add(call)
    return found


def _fails(connection: duckdb.DuckDBPyConnection, sql: str, values: list[str | None]) -> bool:
    try:
        connection.execute(sql, values).fetchall()
    except duckdb.BinderException:
        return False  # no row was looked at
    except duckdb.Error:
        return True
    return False


@pytest.fixture(scope="module")
def without_secrets(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The calls that fail where hidden rows hold what the others do."""
    return failing(tmp_path_factory.mktemp("plain") / "lake.duckdb", "1")


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_no_function_fails_on_an_entry_of_hidden_rows(
    tmp_path: Path, without_secrets: set[str], hidden: str
) -> None:
    assert failing(tmp_path / "lake.duckdb", hidden) == without_secrets


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_without_the_shield_some_do(
    tmp_path: Path, without_secrets: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure, "shield_calls", lambda tree: None)
    found = failing(tmp_path / "lake.duckdb", HIDDEN[0]) - without_secrets
    assert {"regexp_full_match('b', note)", "hamming('b', note)"} <= found
