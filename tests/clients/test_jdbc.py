"""pgjdbc (Debian's libpostgresql-jdbc-java): server-prepared statements in binary, setFetchSize, metadata."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pgproxy.catalog.builtin import relation_definitions
from tests.clients.conftest import Oracle
from tests.clients.servers import Pair, Server
from tests.gateway import RunningGateway

DRIVER = Path("/usr/share/java/postgresql.jar")
FOLDER = Path(__file__).parent / "jdbc"
PROGRAM = FOLDER / "Rows.java"

pytestmark = [
    pytest.mark.client("pgjdbc"),
    pytest.mark.skipif(
        shutil.which("java") is None or not DRIVER.exists(), reason="Java or pgjdbc is not installed"
    ),
]


def class_path() -> str:
    """Give the driver and, beside it, its SCRAM library."""
    folder = DRIVER.parent
    beside = (*folder.glob("*scram*.jar"), *folder.glob("saslprep*.jar"), *folder.glob("stringprep*.jar"))
    return ":".join(str(jar) for jar in (DRIVER, *beside))


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled program that runs on both servers."""
    folder = tmp_path_factory.mktemp("jdbc")
    subprocess.run(
        ["javac", "-d", folder, "-cp", class_path(), FOLDER / "Driver.java", FOLDER / "Catalog.java"],
        check=True,
        timeout=120,
    )
    return folder


def run(gateway: RunningGateway, password: str) -> list[str]:
    """Run the Java program that the oracle's tests need."""
    done = subprocess.run(
        ["java", "-cp", class_path(), str(PROGRAM), "127.0.0.1", str(gateway.port), "analyst", password],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.feature("rows")
def test_typed_rows_fetch_size_and_states(gateway: RunningGateway, oracle: Oracle) -> None:
    lines = run(gateway, "analyst-secret")
    rows = oracle.rows("SELECT id, name, email, joined, active FROM customers WHERE id > 290 ORDER BY id")
    expected = [f"{i}|{n}|{e}|{j}|{str(a).lower()}|date" for i, n, e, j, a in rows]
    assert lines == [*expected, *expected, f"fetched 100000 {sum(range(100_000))}", "state 42P01"]


@pytest.mark.feature("login")
def test_wrong_password_is_28P01(gateway: RunningGateway) -> None:
    assert run(gateway, "wrong") == ["login 28P01"]


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(name, marks=pytest.mark.feature(feature))
        for name, feature in (
            ("prepared", "prepared"),
            ("cursors", "cursors"),
            ("metadata", "metadata"),
            ("origins", "metadata"),
            ("savepoints", "transactions"),
            ("cancel", "cancel"),
        )
    ],
)
def test_the_driver_gives_the_same_as_on_postgresql(
    embedded_pair: Pair, classes: Path, scenario: str
) -> None:
    assert embedded_pair.same(lambda server: run_scenario(server, classes, scenario).splitlines())


@pytest.mark.feature("metadata")
def test_all_of_the_database_metadata_is_the_same(embedded_pair: Pair, classes: Path) -> None:
    """Rows of a section in any order: pgjdbc leaves ties to the server."""

    def run_on(server: Server) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for section in run_scenario(server, classes, "catalog").split("== ")[1:]:
            name, _, lines = section.partition("\n")
            found.setdefault(name, []).extend(sorted(lines.splitlines()))
        # The catalog's relations have row types in PostgreSQL, and none here.
        own = {f"{prefix}{name}" for _, name in relation_definitions() for prefix in ("", "_")}
        found["getTypeInfo"] = [line for line in found["getTypeInfo"] if line.partition("|")[0] not in own]
        # The gateway has a schema of its own, and what an index holds is an estimate.
        found["getSchemas"] = [line for line in found["getSchemas"] if not line.startswith("pgproxy|")]
        found["getIndexInfo"] = [_without_estimates(line) for line in found["getIndexInfo"]]
        return found

    found = embedded_pair.same(run_on)
    assert len(found) > 150
    assert len(found["getColumns"]) == 13


def _without_estimates(line: str) -> str:
    """A row of getIndexInfo without CARDINALITY and PAGES, its columns 11 and 12."""
    fields = line.split("|")
    return "|".join([*fields[:10], *fields[12:]])


def run_scenario(server: Server, classes: Path, scenario: str) -> str:
    """Run one scenario of the compiled program."""
    arguments = (server.host, str(server.port), server.user, server.password, server.database, scenario)
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{class_path()}:{classes}", "Driver", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
