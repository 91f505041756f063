"""No text or value of a statement in the gateway's log, however it fails. A real process, at `debug`."""

import contextlib
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.gateway import POLICY, start_gateway

SECRET = "top-secret-value-4711"
STATEMENTS = (
    f"SELECT '{SECRET}'",
    f"SELECT * FROM \"{SECRET}\"",
    f"SELECT nosuch('{SECRET}')",
    f"SELECT '{SECRET}'::int",
    f"SELECT 1 FROM numbers WHERE label::int = 1 AND label <> '{SECRET}'",
    f"SELEC '{SECRET}'",
    f"CREATE TABLE t (a int DEFAULT '{SECRET}') WITH NO DATA ON COMMIT DROP",
    f"CREATE VIEW v AS SELECT '{SECRET}' WITH CASCADED CHECK OPTION",
    f"CREATE SCHEMA x AUTHORIZATION \"{SECRET}\"",
    f"ALTER TABLE numbers SET TBLPROPERTIES ('x' = '{SECRET}')",
    f"ALTER TABLE numbers ADD CONSTRAINT c CHECK (label <> '{SECRET}') NOT VALID",
    f"DROP TABLE numbers PURGE '{SECRET}'",
    f"INSERT INTO numbers (label) VALUES ('{SECRET}')",
    f"COPY numbers FROM '{SECRET}'",
    f"SET application_name = '{SECRET}'",
    f"DO $$ '{SECRET}' $$",
    f"GRANT SELECT ON numbers TO \"{SECRET}\"",
    f"SELECT 1 FROM numbers TABLESAMPLE BERNOULLI ('{SECRET}')",
    f"MERGE INTO numbers USING (SELECT '{SECRET}') s ON true WHEN MATCHED THEN DELETE",
)  # fmt: skip


def test_no_statement_text_reaches_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with start_gateway(tmp_path, LOG_LEVEL="debug") as gateway:
        for user, password in (("analyst", None), ("admin", "admin-secret")):
            with psycopg.connect(gateway.dsn(user, password), autocommit=True) as connection:
                for sql in STATEMENTS:
                    for parameters in (None, ()):  # the simple protocol, and the extended one
                        with contextlib.suppress(psycopg.Error):
                            connection.execute(sql, parameters, prepare=parameters is not None)
                with contextlib.suppress(psycopg.Error):
                    connection.execute("SELECT %s::int", (SECRET,))
    logged = capfd.readouterr()
    assert "statement" in logged.err, "the log is at debug, so that there is something to look at"
    assert SECRET not in logged.err + logged.out


def test_the_command_line_does_not_print_a_policy_expression_that_fails(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = POLICY.replace("region = 'EU'", f"SET x = '{SECRET}'")
    with pytest.raises(subprocess.CalledProcessError) as caught, start_gateway(tmp_path, policy=wrong):
        pass
    logged = capfd.readouterr()
    assert SECRET not in f"{caught.value.stderr}{caught.value.stdout}{logged.err}{logged.out}"
