"""pgjdbc (Debian's libpostgresql-jdbc-java): server-prepared statements in binary, setFetchSize, SQLSTATEs."""

import subprocess
from pathlib import Path

from tests.clients.conftest import Oracle
from tests.gateway import RunningGateway

DRIVER = Path("/usr/share/java/postgresql.jar")
PROGRAM = Path(__file__).parent / "jdbc" / "Rows.java"


def run(gateway: RunningGateway, password: str) -> list[str]:
    """Run the Java program; a class path element beside the driver brings its SCRAM library."""
    path = ":".join(
        str(jar)
        for jar in (
            DRIVER,
            *Path("/usr/share/java").glob("*scram*.jar"),
            *Path("/usr/share/java").glob("saslprep*.jar"),
            *Path("/usr/share/java").glob("stringprep*.jar"),
        )
    )
    done = subprocess.run(
        ["java", "-cp", path, str(PROGRAM), "127.0.0.1", str(gateway.port), "analyst", password],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_typed_rows_fetch_size_and_states(gateway: RunningGateway, oracle: Oracle) -> None:
    lines = run(gateway, "analyst-secret")
    rows = oracle.rows("SELECT id, name, email, joined, active FROM customers WHERE id > 290 ORDER BY id")
    expected = [f"{i}|{n}|{e}|{j}|{str(a).lower()}|date" for i, n, e, j, a in rows]
    assert lines == [*expected, *expected, f"fetched 100000 {sum(range(100_000))}", "state 42P01"]


def test_wrong_password_is_28P01(gateway: RunningGateway) -> None:
    assert run(gateway, "wrong") == ["login 28P01"]
