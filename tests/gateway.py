"""A real gateway for tests: `pgproxy serve` as a process on a small governed database, with exec nodes."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from json import loads
from pathlib import Path
from typing import Any

import duckdb
from typer.testing import CliRunner, Result

from demo.ports import free_port
from demo.programs import running
from pgproxy.cli.main import app

ADMIN, ADMIN_PASSWORD = "admin", "admin-secret"
NODE_TOKEN = "test-node-token-0123456789"

TABLES = """
CREATE SCHEMA sales;
CREATE TABLE sales.customers (
    id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, email VARCHAR, region VARCHAR NOT NULL,
    credit_limit DECIMAL(12, 2), joined DATE, active BOOLEAN, seen TIMESTAMP WITH TIME ZONE);
INSERT INTO sales.customers
SELECT i, 'name' || i, 'user' || i || '@example.com', ['EU', 'US', 'APAC'][1 + i % 3], i * 10.25,
       DATE '2020-01-01' + i::INTEGER, i % 2 = 0, TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_hours(i)
FROM range(1, 301) AS r(i);
CREATE TABLE sales.orders (
    id BIGINT PRIMARY KEY, customer_id INTEGER NOT NULL, amount DECIMAL(12, 2), placed TIMESTAMP,
    ratio DOUBLE);
INSERT INTO sales.orders
SELECT i, 1 + i % 300, (i * 37 % 10000) / 100, TIMESTAMP '2024-01-01' + to_minutes(i), i / 7.0
FROM range(1, 2001) AS r(i);
CREATE TABLE sales.secrets (id INTEGER, secret VARCHAR);
INSERT INTO sales.secrets VALUES (1, 'hidden-marker-7781');
CREATE TABLE numbers AS
SELECT i::INTEGER AS n, i * 2 AS doubled, 'text ' || i AS label FROM range(100000) AS r(i);
"""

POLICY = """
groups: {eu_team: {}}
users:
  analyst: {password: analyst-secret, groups: [eu_team]}
  intern: {password: intern-secret}
grants:
  - {to: eu_team, privileges: [SELECT], on: test.public.*}
  - {to: eu_team, privileges: [SELECT], on: test.sales.orders}
  - to: eu_team
    privileges: [SELECT]
    on: test.sales.customers
    columns: [id, name, email, region, joined, active, seen]
row_filters:
  - {name: eu_customers, on: test.sales.customers, using: "region = 'EU'", to: [eu_team]}
column_masks:
  - name: partial_email
    on: test.sales.customers
    column: email
    using: "left(email, 1) || '***'"
    to: [eu_team]
"""


@dataclass
class RunningNode:
    """One exec node process."""

    name: str
    process: "subprocess.Popen[str]"
    grpc_port: int
    http_port: int
    environment: dict[str, str] = field(default_factory=dict)

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def health(self) -> dict[str, Any]:
        """GET /health."""
        return get_json(self.http_port, "/health")

    def metrics(self) -> str:
        """GET /metrics."""
        return get_text(self.http_port, "/metrics")


@dataclass
class RunningGateway:
    """One gateway process and its nodes."""

    process: "subprocess.Popen[str]"
    port: int
    http_port: int
    folder: Path
    environment: Mapping[str, str]
    nodes: list[RunningNode] = field(default_factory=list)

    def dsn(self, user: str = "analyst", password: str | None = None, database: str = "test") -> str:
        """Give a libpq connection string."""
        secret = password if password is not None else f"{user}-secret"
        return f"host=127.0.0.1 port={self.port} user={user} password={secret} dbname={database}"

    def psql(
        self, *arguments: str, user: str = "analyst", password: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run psql without its start-up file."""
        return subprocess.run(
            ["psql", "-X", "-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", "test", *arguments],
            env={**os.environ, "PGPASSWORD": password if password is not None else f"{user}-secret"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def cli(self, *arguments: str, stdin: str | None = None) -> str:
        """Run one `pgproxy` command."""
        return pgproxy(self.environment, *arguments, stdin=stdin)

    def health(self) -> dict[str, Any]:
        """GET /health."""
        return get_json(self.http_port, "/health")

    def metrics(self) -> str:
        """GET /metrics."""
        return get_text(self.http_port, "/metrics")

    def wait_for_endpoints(self, **expected: str) -> None:
        """Wait until the gateway believes this of these endpoints."""
        deadline = time.monotonic() + 20
        while (seen := self.health()["endpoints"]) != expected:
            assert time.monotonic() < deadline, f"endpoints are {seen}, not {expected}"
            time.sleep(0.05)


def get_json(port: int, path: str) -> dict[str, Any]:
    """GET a JSON document from this machine."""
    found: dict[str, Any] = loads(get_text(port, path))
    return found


def get_text(port: int, path: str) -> str:
    """GET a text from this machine."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def create_database(path: Path) -> None:
    """Write the test database."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)


@contextmanager
def start_gateway(
    folder: Path,
    *,
    nodes: int = 0,
    policy: str = POLICY,
    log: Path | None = None,
    config: Path | None = None,
    prefix: Sequence[str] = (),
    **settings: str,
) -> Iterator[RunningGateway]:
    """Run a gateway, and `nodes` exec nodes on the same read-only data. log: takes what it writes to stderr.

    config: a file for `--config`. prefix: a program that runs the gateway's command. settings: further
    variables.
    """
    database = folder / "test.duckdb"
    if not database.exists():
        create_database(database)
    (folder / "policy.yaml").write_text(policy)
    environment = {
        **os.environ,
        "METASTORE_URL": f"sqlite:///{folder / 'metastore.sqlite'}",
        "DATABASE": str(database),
        "PG_WIRE_LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "HTTP_LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "BOOTSTRAP_ADMIN": ADMIN,
        "BOOTSTRAP_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "LOG_LEVEL": "warning",
        "HEALTH_CHECK_INTERVAL": "500ms",
        **({"DATABASE_MODE": "read_only", "FEATURE_REMOTE_ROUTING": "true"} if nodes else {}),
        **settings,
    }
    pgproxy(environment, "policy", "apply", str(folder / "policy.yaml"))
    command = ["pgproxy", "serve", *(("--config", str(config)) if config is not None else ())]
    with ExitStack() as stack:
        started = [start_node(stack, environment, f"node{i}") for i in range(1, nodes + 1)]
        process = stack.enter_context(running(command, environment, log, prefix=prefix))
        gateway = RunningGateway(
            process,
            _port(environment["PG_WIRE_LISTEN_ADDR"]),
            _port(environment["HTTP_LISTEN_ADDR"]),
            folder,
            environment,
            started,
        )
        if started:
            gateway.wait_for_endpoints(**{node.name: "active" for node in started})
        yield gateway


def start_node(
    stack: ExitStack, environment: Mapping[str, str], name: str, *, prefix: Sequence[str] = (), **more: str
) -> RunningNode:
    """Start an exec node and register it. prefix: a program that runs its command. more: its own settings."""
    node = run_node(stack, environment, name, prefix=prefix, **more)
    pgproxy(environment, "endpoint", "add", name, f"grpc://127.0.0.1:{node.grpc_port}", "--token", NODE_TOKEN)
    return node


def pgproxy(environment: Mapping[str, str], *arguments: str, stdin: str | None = None) -> str:
    """Run one `pgproxy` command in this process, which has its modules already; give what it prints.

    Raises:
        subprocess.CalledProcessError: as if it had been a process.
    """

    def invoke() -> Result:
        return CliRunner().invoke(
            app, list(arguments), input=stdin, env=dict(environment), catch_exceptions=False
        )

    # In a thread of its own: the caller's may run an event loop, and the command runs one.
    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(invoke).result()
    if result.exit_code != 0:
        raise subprocess.CalledProcessError(result.exit_code, arguments, result.stdout, result.stderr)
    return result.stdout


def run_node(
    stack: ExitStack, environment: Mapping[str, str], name: str, *, prefix: Sequence[str] = (), **more: str
) -> RunningNode:
    """Start an exec node that no gateway knows yet."""
    grpc_port, http_port = free_port(), free_port()
    settings = {
        **environment,
        "AGENT_TOKEN": NODE_TOKEN,
        "LISTEN_ADDR": f"127.0.0.1:{http_port}",
        "GRPC_LISTEN_ADDR": f"127.0.0.1:{grpc_port}",
        "MAX_MEMORY_GB": "1",
        **more,
    }
    process = stack.enter_context(running(["execnode", "serve"], settings, prefix=prefix))
    return RunningNode(name, process, grpc_port, http_port, settings)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
