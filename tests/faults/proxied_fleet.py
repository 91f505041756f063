"""A gateway and one exec node with a fault proxy between: what breaks it, what mends it, what may be left."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

import psutil
import psycopg

from demo.programs import running
from tests.faults.fault_proxy import FaultProxy, ProxyThread, proxy_thread
from tests.gateway import NODE_TOKEN, POLICY, RunningGateway, RunningNode, run_node, start_gateway

NODE_LOST_AFTER_S = 3.0
_PATIENCE_S = 60.0


class Held(NamedTuple):
    """What a process holds. tasks: of its event loop."""

    files: int
    threads: int
    tasks: int


_SLACK = Held(files=6, threads=12, tasks=6)
"""What pools and connections may still begin: what leaks by one a test passes it."""

FLEET_POLICY = POLICY.replace(
    "intern: {password: intern-secret}", "intern: {password: intern-secret, groups: [eu_team]}"
)
"""The analyst's statements may run elsewhere, the intern's only on the node."""

ROUTING_ON = "FEATURE_REMOTE_ROUTING=true\n"

_Found = TypeVar("_Found")


@dataclass
class ProxiedFleet:
    """A gateway whose one endpoint, node1, is reached through a proxy."""

    gateway: RunningGateway
    proxy: ProxyThread
    node: RunningNode
    spool: Path
    stack: ExitStack
    node_settings: dict[str, str]
    held: dict[int, Held] = field(default_factory=dict)
    """By each process of gateway and node, when it was well first."""

    def connect(self, user: str) -> "psycopg.Connection[tuple[object, ...]]":
        """Open a session that commits each statement."""
        return psycopg.connect(self.gateway.dsn(user), autocommit=True)

    def freeze(self) -> None:
        """SIGSTOP the node."""
        self.node.process.send_signal(signal.SIGSTOP)

    def mend(self) -> None:
        """Undo every fault: the network flows, and the node runs; one that was killed is started anew."""
        self.proxy.do(_mend)
        if self.node.process.poll() is None:
            self.node.process.send_signal(signal.SIGCONT)
        else:
            process = self.stack.enter_context(running(["execnode", "serve"], self.node_settings))
            self.node.process = process

    def wait_well(self) -> None:
        """Wait until the gateway believes in the node again."""
        self.gateway.wait_for_endpoints(node1="active")
        for pid, held in self._holders().items():
            self.held.setdefault(pid, held)

    def check_nothing_is_left(self) -> None:
        """No statement, session, result, spool file, file handle, thread or task outlives its statement."""
        wait_for(self._leftovers, lambda left: not left)

    def remember_handles(self) -> None:
        """What gateway and node hold now is what they may hold later."""
        self.held.update(self._holders())

    def _leftovers(self) -> dict[str, object]:
        node, gateway = self.node.health(), self.gateway.health()
        counts = ("active_queries", "queued_queries", "open_sessions", "open_cursors", "spool_bytes")
        left: dict[str, object] = {name: node[name] for name in counts if node[name]}
        left |= {"gateway queries": gateway["active_queries"]} if gateway["active_queries"] else {}
        files = [path.name for path in self.spool.rglob("*") if path.is_file()]
        left |= {"files": files} if files else {}
        for pid, now in self._holders().items():
            may_hold = [held + slack for held, slack in zip(self.held[pid], _SLACK, strict=True)]
            if any(held > most for held, most in zip(now, may_hold, strict=True)):
                left[f"process {pid}"] = (now, self.held[pid])
        return left

    def _holders(self) -> dict[int, Held]:
        found = {}
        for program in (self.gateway, self.node):
            process = psutil.Process(program.process.pid)
            tasks = int(program.health()["tasks"])
            found[process.pid] = Held(process.num_fds(), process.num_threads(), tasks)
        return found


def wait_for(ask: Callable[[], _Found], holds: Callable[[_Found], object]) -> _Found:
    """Ask other processes until the answer is right: they send no event."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds(found := ask()):
        assert time.monotonic() < deadline, f"it stays {found}"
        time.sleep(0.02)
    return found


def _mend(proxy: FaultProxy) -> None:
    proxy.latency_s = 0.0
    proxy.resume()


@contextmanager
def proxied_fleet(
    folder: Path,
    policy: str = FLEET_POLICY,
    gateway_settings: Mapping[str, str] | None = None,
    **node_settings: str,
) -> Iterator[ProxiedFleet]:
    """Run one in cursor mode. gateway_settings, node_settings: further variables of each."""
    settings = {
        "DATABASE_MODE": "read_only",
        "FEATURE_CURSOR_MODE": "true",
        "HEALTH_CHECK_INTERVAL": "200ms",
        "NODE_LOST_AFTER": f"{NODE_LOST_AFTER_S}s",
        **(gateway_settings or {}),
    }
    spool = folder / "spool"
    spool.mkdir()
    node_settings = {
        "SPOOL_DIR": str(spool),
        "QUERY_RESULT_TTL": "2s",
        "QUERY_CLEANUP_INTERVAL": "100ms",
        **node_settings,
    }
    with ExitStack() as stack:
        config = folder / "pgproxy.env"
        config.write_text(ROUTING_ON)
        gateway = stack.enter_context(start_gateway(folder, policy=policy, config=config, **settings))
        node = run_node(stack, gateway.environment, "node1", **node_settings)
        proxy = stack.enter_context(proxy_thread("127.0.0.1", node.grpc_port))
        url = f"grpc://127.0.0.1:{proxy.proxy.port}"
        gateway.cli("endpoint", "add", "node1", url, "--token", NODE_TOKEN)
        for user, fallback in (("analyst", "automatic"), ("intern", "disabled")):
            gateway.cli("assign", "--user", user, "--endpoint", "node1", "--fallback", fallback)
        gateway.wait_for_endpoints(node1="active")
        yield ProxiedFleet(gateway, proxy, node, spool, stack, node.environment)
