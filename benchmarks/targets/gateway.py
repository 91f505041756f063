"""The gateway as users run it: `pgproxy serve` with default settings, and exec nodes as further processes.

Statements run as an ordinary user with SELECT on the tables, over SCRAM, through policy and audit.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks.data import DataSet
from benchmarks.processes import running_program
from benchmarks.raw_client import Address, RawClient
from benchmarks.targets.base import RunningTarget, Target, TargetUnavailable, Workbench
from demo.ports import free_port
from demo.programs import cli
from tests.certificates import Authority

USER, PASSWORD = "bench", "bench-secret"
OTHER_USER, OTHER_PASSWORD = "other", "other-secret"
ADMIN, ADMIN_PASSWORD = "admin", "admin-secret"
_TOKEN = "benchmark-node-token-0123456789"
_BIN = Path(sys.executable).parent
_POLICY = """
users:
  bench: {password: bench-secret}
  other: {password: other-secret}
grants:
  - {to: bench, privileges: [SELECT, INSERT, TRUNCATE], on: DATABASE.public.*}
  - {to: other, privileges: [SELECT], on: DATABASE.public.*}
"""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A gateway's make-up. nodes: exec nodes; none: its embedded engine runs statements.

    policy: added to the grants, as in a policy file; `DATABASE` stands for the database's name.
    settings: by environment, beyond the defaults. is_writable: it has the data for itself and may write them.
    has_queue: two users share its async queue, and its nodes.
    """

    nodes: int = 0
    policy: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    is_writable: bool = False
    has_tls: bool = False
    has_queue: bool = False


@contextmanager
def _start(name: str, deployment: Deployment, workbench: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    folder = workbench.scratch / name
    folder.mkdir()
    own = data
    if deployment.is_writable:
        own = replace(data, path=Path(shutil.copy(data.path, folder / "own.duckdb")))
    environment = _environment(folder, own, deployment)
    (folder / "policy.yaml").write_text((_POLICY + deployment.policy).replace("DATABASE", data.name))
    cli(environment, "policy", "apply", str(folder / "policy.yaml"))
    port = int(environment["PG_WIRE_LISTEN_ADDR"].rpartition(":")[2])
    address = Address(port, USER, data.name, password=PASSWORD)
    with ExitStack() as stack:
        names = [f"node{i}" for i in range(1, deployment.nodes + 1)]
        node_pids = [_start_node(stack, environment, folder, node) for node in names]
        if names:
            # Without a node the statement fails: a fallback would measure the wrong engine.
            place = ("--endpoint", "node1") if len(names) == 1 else ("--pool", "of=bench")
            for user in (USER, OTHER_USER) if deployment.has_queue else (USER,):
                cli(environment, "assign", "--user", user, *place, "--fallback", "disabled")
        gateway = stack.enter_context(
            running_program([_BIN / "pgproxy", "serve"], environment, folder / "gateway.log", "ready")
        )
        yield RunningTarget(
            name=name,
            version=cli(environment, "--version").strip(),
            data=data,
            address=address,
            roles={"gateway": [gateway.pid], **({"node": node_pids} if names else {})},
            facts={"route": _checked_route(address, data, remote=bool(names))},
            http_port=int(environment["HTTP_LISTEN_ADDR"].rpartition(":")[2]),
        )


def _environment(folder: Path, data: DataSet, deployment: Deployment) -> dict[str, str]:
    return {
        **os.environ,
        "METASTORE_URL": f"sqlite:///{folder / 'metastore.sqlite'}",
        "DATABASE": str(data.path),
        "DATABASE_NAME": data.name,
        # Several programs read the same file.
        "DATABASE_MODE": "read_write" if deployment.is_writable else "read_only",
        "PG_WIRE_LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "HTTP_LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "BOOTSTRAP_ADMIN": ADMIN,
        "BOOTSTRAP_ADMIN_PASSWORD": ADMIN_PASSWORD,
        **({"FEATURE_REMOTE_ROUTING": "true"} if deployment.nodes else {}),
        **(_tls_settings(folder) if deployment.has_tls else {}),
        **({"FEATURE_ASYNC_QUEUE": "true"} if deployment.has_queue else {}),
        **deployment.settings,
    }


def _tls_settings(folder: Path) -> dict[str, str]:
    issued = Authority(folder).issue("127.0.0.1", "gateway")
    return {"TLS_CERT_FILE": str(issued.certificate), "TLS_KEY_FILE": str(issued.key)}


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
    cli(
        environment,
        "endpoint",
        "add",
        name,
        f"grpc://127.0.0.1:{grpc_port}",
        "--token",
        _TOKEN,
        "--label",
        "of=bench",
    )
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


def gateway_target(name: str, title: str, deployment: Deployment) -> Target:
    """Give a gateway of this make-up."""
    return Target(name, title, partial(_start, name, deployment))


EMBEDDED = gateway_target("embedded", "gateway, embedded engine", Deployment())
REMOTE = gateway_target("remote", "gateway, one exec node", Deployment(nodes=1))
REMOTE_2 = gateway_target("remote2", "gateway, two exec nodes", Deployment(nodes=2))
