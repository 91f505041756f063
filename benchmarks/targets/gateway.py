"""The gateway as users run it: `pgproxy serve` with default settings, and exec nodes as further processes.

Statements run as an ordinary user with SELECT on the tables, over SCRAM, through policy and audit.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks.data import DataSet
from benchmarks.processes import running_program
from benchmarks.raw_client import Address, RawClient
from benchmarks.targets.base import RunningTarget, Target, TargetUnavailable, Workbench
from demo.ports import free_port
from demo.programs import cli

USER, PASSWORD = "bench", "bench-secret"
_TOKEN = "benchmark-node-token-0123456789"
_BIN = Path(sys.executable).parent
_POLICY = """
users:
  bench: {{password: bench-secret}}
grants:
  - {{to: bench, privileges: [SELECT], on: {database}.public.*}}
"""


@contextmanager
def _start(name: str, nodes: int, workbench: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    folder = workbench.scratch / name
    folder.mkdir()
    environment = _environment(folder, data, nodes)
    (folder / "policy.yaml").write_text(_POLICY.format(database=data.name))
    cli(environment, "policy", "apply", str(folder / "policy.yaml"))
    address = Address(
        int(environment["PG_WIRE_LISTEN_ADDR"].rpartition(":")[2]), USER, data.name, password=PASSWORD
    )
    with ExitStack() as stack:
        node_pids = [_start_node(stack, environment, folder, f"node{i}") for i in range(1, nodes + 1)]
        if nodes:
            # Without a node the statement fails: a fallback would measure the wrong engine.
            cli(environment, "assign", "--user", USER, "--endpoint", "node1", "--fallback", "disabled")
        gateway = stack.enter_context(
            running_program([_BIN / "pgproxy", "serve"], environment, folder / "gateway.log", "ready")
        )
        yield RunningTarget(
            name=name,
            version=cli(environment, "--version").strip(),
            data=data,
            address=address,
            roles={"gateway": [gateway.pid], **({"node": node_pids} if nodes else {})},
            facts={"route": _checked_route(address, data, remote=nodes > 0)},
        )


def _environment(folder: Path, data: DataSet, nodes: int) -> dict[str, str]:
    return {
        **os.environ,
        "METASTORE_URL": f"sqlite:///{folder / 'metastore.sqlite'}",
        "DATABASE": str(data.path),
        "DATABASE_NAME": data.name,
        # Several programs read the same file.
        "DATABASE_MODE": "read_only",
        "PG_WIRE_LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "HTTP_LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "BOOTSTRAP_ADMIN": "admin",
        "BOOTSTRAP_ADMIN_PASSWORD": "admin-secret",
        **({"FEATURE_REMOTE_ROUTING": "true"} if nodes else {}),
    }


def _start_node(stack: ExitStack, environment: Mapping[str, str], folder: Path, name: str) -> int:
    grpc_port = free_port()
    settings = {
        **environment,
        "AGENT_TOKEN": _TOKEN,
        "LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "GRPC_LISTEN_ADDR": f"127.0.0.1:{grpc_port}",
    }
    command: list[str | Path] = [_BIN / "execnode", "serve"]
    process = stack.enter_context(running_program(command, settings, folder / f"{name}.log", "ready"))
    cli(environment, "endpoint", "add", name, f"grpc://127.0.0.1:{grpc_port}", "--token", _TOKEN)
    return process.pid


def _checked_route(address: Address, data: DataSet, *, remote: bool) -> str:
    """Run a statement and give the route that it took.

    Raises:
        TargetUnavailable: it ran elsewhere than what is to be measured.
    """
    with RawClient(address) as client:
        client.fetch_text(f"SELECT * FROM {data.tables[0]} LIMIT 1")
        route = str(client.fetch_text("SHOW pgproxy.last_route")[0][0])
    if route.startswith("local") == remote:
        raise TargetUnavailable(f"statements take the route {route}")
    return route


def gateway_target(name: str, title: str, nodes: int) -> Target:
    """Give a gateway with so many nodes; with none, its embedded engine."""
    return Target(name, title, partial(_start, name, nodes))


EMBEDDED = gateway_target("embedded", "gateway, embedded engine", 0)
REMOTE = gateway_target("remote", "gateway, one exec node", 1)
