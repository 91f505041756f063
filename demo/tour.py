"""`make demo`: a gateway and two exec nodes as separate processes, and a tour of them with real psql."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPConnection
from json import loads

from demo.ports import free_port
from demo.programs import ADMIN, ADMIN_PASSWORD, FOLDER, cli, prepare, running

TOUR = FOLDER / "tour"  # `make serve` may hold its own database open
TOKEN = "demo-token"
_QUERY = "SELECT count(*) AS orders, sum(amount) AS amount FROM sales.orders"


class Tour:
    """The tour's processes and its voice."""

    def __init__(self, environment: Mapping[str, str], wire_port: int, http_port: int) -> None:
        self._environment = dict(environment)
        self._wire_port = wire_port
        self._http_port = http_port

    def say(self, text: str) -> None:
        """Print one step's headline."""
        print(f"\n\033[1m── {text}\033[0m", flush=True)

    def psql(self, user: str, password: str, *commands: str) -> None:
        """Run psql and show what a person would see."""
        arguments = [a for command in commands for a in ("-c", command)]
        print(f"$ psql -U {user} " + " ".join(f'-c "{c}"' for c in commands), flush=True)
        subprocess.run(
            [
                "psql",
                "-X",
                "-h",
                "127.0.0.1",
                "-p",
                str(self._wire_port),
                "-U",
                user,
                "-d",
                "demo",
                *arguments,
            ],
            env={**os.environ, "PGPASSWORD": password},
            check=False,
            timeout=60,
        )

    def wait_for_endpoints(self, healthy: int) -> None:
        """Wait until the gateway believes in exactly that many nodes."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._healthy() == healthy:
                return
            time.sleep(0.2)
        raise RuntimeError(f"the gateway does not see {healthy} healthy nodes")

    def _healthy(self) -> int:
        connection = HTTPConnection("127.0.0.1", self._http_port, timeout=5)
        connection.request("GET", "/health")
        body = loads(connection.getresponse().read())
        return sum(1 for state in body["endpoints"].values() if state == "active")


def main() -> int:
    """Give the tour."""
    if shutil.which("psql") is None:
        print("make demo needs psql", file=sys.stderr)
        return 1
    ports = {"wire": free_port(), "http": free_port()}
    environment = prepare(TOUR)
    environment |= {
        "PG_WIRE_LISTEN_ADDR": f"127.0.0.1:{ports['wire']}",
        "HTTP_LISTEN_ADDR": f"127.0.0.1:{ports['http']}",
        "DATABASE_MODE": "read_only",
        "FEATURE_REMOTE_ROUTING": "true",
    }
    tour = Tour(environment, ports["wire"], ports["http"])
    with ExitStack() as stack:
        nodes = {name: _start_node(stack, environment, name) for name in ("node-a", "node-b")}
        stack.enter_context(running(["pgproxy", "serve"], environment, TOUR / "gateway.log"))
        tour.wait_for_endpoints(2)
        _narrate(tour, nodes)
        for name in nodes:
            cli(environment, "endpoint", "remove", name)
    tour.say(f"The end: the processes are stopped. Their logs are in {TOUR}.")
    return 0


def _start_node(stack: ExitStack, environment: Mapping[str, str], name: str) -> "subprocess.Popen[str]":
    grpc = free_port()
    settings = {
        **environment,
        "AGENT_TOKEN": TOKEN,
        "LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "GRPC_LISTEN_ADDR": f"127.0.0.1:{grpc}",
        "MAX_MEMORY_GB": "1",
    }
    node = stack.enter_context(running(["execnode", "serve"], settings, TOUR / f"{name}.log"))
    cli(environment, "endpoint", "add", name, f"grpc://127.0.0.1:{grpc}", "--token", TOKEN)
    return node


def _narrate(tour: Tour, nodes: Mapping[str, "subprocess.Popen[str]"]) -> None:
    peek = "SELECT * FROM sales.customers ORDER BY id LIMIT 4"
    route = "SHOW pgproxy.last_route"
    tour.say("The administrator sees every row and column.")
    tour.psql(ADMIN, ADMIN_PASSWORD, peek)
    tour.say("The analyst, with the same query: region EU only, masked e-mail, no credit limit.")
    tour.psql("analyst", "analyst", peek)
    tour.say("The intern holds no grant: the table does not exist.")
    tour.psql("intern", "intern", peek)
    tour.say("Rows stream from a remote exec node; the gateway tells which.")
    tour.psql("analyst", "analyst", _QUERY, route)
    tour.say("kill -9 node-a: the next query is answered by the other node.")
    nodes["node-a"].send_signal(signal.SIGKILL)
    tour.psql("analyst", "analyst", _QUERY, route)
    tour.say("kill -9 node-b too: the embedded engine answers, with the same policy.")
    nodes["node-b"].send_signal(signal.SIGKILL)
    tour.psql("analyst", "analyst", _QUERY, route)


if __name__ == "__main__":
    sys.exit(main())
