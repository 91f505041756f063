"""The runbook's rollout, performed: three real nodes, a real workload, every command as an operator types it.

Run: `python -m demo.runbook`. Prints docs/runbook.md's transcript; `--write` puts it there. METASTORE_URL in
the environment is obeyed, so that it can be performed on a new PostgreSQL database, as production would; the
metastore is a file otherwise.
"""

import base64
import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from json import loads
from pathlib import Path

from demo.ports import free_port
from demo.programs import ADMIN, ADMIN_PASSWORD, BIN, FOLDER, ROOT, prepare, running

RUNBOOK = ROOT / "docs" / "runbook.md"
BEGIN, END = "<!-- transcript: python -m demo.runbook --write -->\n", "<!-- end of the transcript -->\n"
TOKENS = {
    "node1": "7f3a9c1e5b8d2460-node1",
    "node2": "c04d7e92ab15f836-node2",
    "node3": "5e91b27fd0c4a683-node3",
}
_QUERY = "SELECT region, count(*), sum(amount) FROM sales.orders GROUP BY region"
_DEADLINE_S = 120
_POLL_S = 0.2
_WIDE = {"COLUMNS": "118", "NO_COLOR": "1", "TERM": "dumb"}


class Transcript:
    """Runs commands and keeps what a person would see."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**environment, **_WIDE}
        self.parts: list[str] = []

    def say(self, text: str) -> None:
        """Write a paragraph."""
        self.parts.append(f"{text.strip()}\n")

    def run(self, *commands: str) -> None:
        """Run lines of the shell and show them with their output, whatever their status."""
        shown = [f"$ {command}\n{self.output(command)}".rstrip() for command in commands]
        self.parts.append("```\n" + "\n".join(shown) + "\n```\n")

    def output(self, command: str) -> str:
        """What a command prints."""
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, shell=True, env={**self._environment, "PATH": path}, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        lines = (line.rstrip() for line in done.stdout.splitlines())
        return "\n".join(lines).replace(str(FOLDER), "/srv/pgproxy")


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for what other processes do."""
    deadline = time.monotonic() + _DEADLINE_S
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited in vain: {what}")
        time.sleep(_POLL_S)


@contextmanager
def workload(port: int) -> Iterator[None]:
    """Many short sessions of the analyst."""
    import psycopg

    stop = threading.Event()

    def client() -> None:
        dsn = f"host=127.0.0.1 port={port} user=analyst password=analyst dbname=demo"
        while not stop.is_set():
            with contextlib.suppress(psycopg.Error), psycopg.connect(dsn, autocommit=True) as connection:
                for _ in range(10):
                    connection.execute(_QUERY).fetchall()

    threads = [threading.Thread(target=client) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def perform() -> str:
    """Perform the runbook and give its transcript."""
    folder = FOLDER / "runbook"
    shutil.rmtree(folder, ignore_errors=True)
    environment = prepare(folder, **_metastore(folder))
    wire, http = free_port(), free_port()
    environment |= {
        "PG_WIRE_LISTEN_ADDR": f"127.0.0.1:{wire}", "HTTP_LISTEN_ADDR": f"127.0.0.1:{http}",
        "DATABASE_MODE": "read_only", "FEATURE_REMOTE_ROUTING": "true", "FEATURE_ASYNC_QUEUE": "true",
        "HEALTH_CHECK_INTERVAL": "500ms",
    }  # fmt: skip
    with ExitStack() as stack:
        nodes = {name: _start_node(stack, environment, folder, name, free_port()) for name in TOKENS}
        stack.enter_context(running(["pgproxy", "serve"], environment, folder / "gateway.log"))
        tokens = {f"TOKEN{name[-1]}": token for name, token in TOKENS.items()}
        asks = {"PGPROXY_URL": f"http://127.0.0.1:{http}", "PGUSER": ADMIN, "PGPASSWORD": ADMIN_PASSWORD}
        transcript = Transcript({**environment, **tokens, **asks})
        _register(transcript, http, {name: port for name, (_, port) in nodes.items()})
        with workload(wire):
            _shadow(transcript)
            _widen(transcript, http)
            _fail(transcript, http, nodes["node2"][0])
            _start_node(stack, environment, folder, "node2", nodes["node2"][1])
            _mend(transcript, http)
            _bring_home(transcript, http, nodes["node3"][1])
        return "\n".join(transcript.parts)


def _start_node(
    stack: ExitStack, environment: Mapping[str, str], folder: Path, name: str, port: int
) -> tuple["subprocess.Popen[str]", int]:
    settings = {
        **environment, "AGENT_TOKEN": TOKENS[name], "LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "GRPC_LISTEN_ADDR": f"127.0.0.1:{port}", "MAX_MEMORY_GB": "1",
    }  # fmt: skip
    return stack.enter_context(running(["execnode", "serve"], settings, folder / f"{name}.log")), port


def _metastore(folder: Path) -> dict[str, str]:
    """Give the settings of the metastore that the environment names, if it names one."""
    url = os.environ.get("METASTORE_URL")
    if url is None:
        return {}
    key_file = folder / "metastore.key"
    folder.mkdir(parents=True)
    key_file.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    key_file.chmod(0o600)
    return {"METASTORE_URL": url, "SECRET_KEY_FILE": str(key_file)}


def _register(t: Transcript, http: int, ports: Mapping[str, int]) -> None:
    t.say("""### 1. Look, before anything moves

Remote routing is on, listen addresses are set explicitly, and no endpoint is known yet. Register the nodes,
each with a token of its own, and let the doctor look. What says `act` is mended first.""")
    t.run(*(_adding(name, port) for name, port in ports.items()))
    until(lambda: set(_endpoints(http).values()) == {"active"}, "all endpoints are active")
    t.run("pgproxy endpoint list", "pgproxy doctor")


def _get(http: int, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", http, timeout=10)
    connection.request("GET", path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def _endpoints(http: int) -> dict[str, str]:
    found: dict[str, str] = loads(_get(http, "/health"))["endpoints"]
    return found or {"none": "yet"}


def _until_metric(http: int, line: str) -> None:
    until(lambda: line in _get(http, "/metrics"), line)


def _shadow(t: Transcript) -> None:
    t.say("""### 2. Shadow, and start with nobody but a few sessions

The analyst's reads stay here; all of them are answered by the pool as well, and compared. The rollout begins
with one session in ten; every other one is the control. Real rollouts begin with 1 % and hold for ten minutes
and more; this one is in a hurry.""")
    t.run(
        "pgproxy assign --user analyst --pool size=large --shadow 100",
        "pgproxy rollout start q4 --to size=large --by session --stages 10%,50%,100% --hold 5s "
        "--min-queries 50 --max-error-rate 0.01 --max-p95-ratio 20 --max-shadow-mismatch 0",
        "pgproxy route explain --user analyst",
    )


def _widen(t: Transcript, http: int) -> None:
    t.say("""### 3. Watch it widen

It moves on by itself when a stage has lasted, has seen enough statements and has kept every limit. The
console and the dashboard show the same figures.""")
    _until_metric(http, 'pgproxy_rollout_percent{rollout="q4",status="RUNNING"} 50.0')
    t.run("pgproxy rollout status q4")
    _until_metric(http, 'pgproxy_rollout_percent{rollout="q4",status="COMPLETED"} 100.0')
    t.run("pgproxy rollout status q4", "pgproxy policy history --limit 6 | grep rollout")
    t.say("""Everybody is on the pool. Write that down as an assignment, with the fallback that was decided,
and forget the rollout: from now on assignments alone decide.""")
    t.run(
        "pgproxy unassign --user analyst --pool size=large",
        "pgproxy assign --user analyst --pool size=large --fallback automatic",
        "pgproxy rollout remove q4",
    )


def _fail(t: Transcript, http: int, victim: "subprocess.Popen[str]") -> None:
    t.say("""### 4. When it goes wrong

The next rollout moves the same principal's sessions to one node only, and that node dies (`kill -9`) in its
first stage. Its reads are answered elsewhere, no client sees an error, and the rollout goes back by
itself.""")
    t.run(
        "pgproxy unassign --user analyst --pool size=large",
        "pgproxy rollout start node2 --to node2 --by session --stages 50%,100% --hold 1h --min-queries 50 "
        "--max-p95-ratio 20",
    )
    _until_metric(http, 'reason="rollout",route="node2"')
    victim.kill()
    _until_metric(http, 'pgproxy_rollout_percent{rollout="node2",status="HALTED"} 0.0')
    t.run("pgproxy rollout status node2", "pgproxy doctor | grep -v ok")


def _mend(t: Transcript, http: int) -> None:
    until(lambda: set(_endpoints(http).values()) == {"active"}, "all endpoints are active")
    t.say("""Mend the node, here by starting it again, and go on: the stage begins anew. Or bring the
principals home for good and forget the rollout.""")
    t.run("pgproxy rollout resume node2")
    _until_metric(http, 'pgproxy_rollout_percent{rollout="node2",status="RUNNING"} 50.0')
    t.run(
        "pgproxy rollout status node2",
        "pgproxy rollout abort node2",
        "pgproxy rollout remove node2",
        "pgproxy endpoint list",
    )


def _bring_home(t: Transcript, http: int, port: int) -> None:
    t.say("""### 5. The two commands for the night

One node is taken out: what runs there ends, what comes goes to the others. And all statements come home to
the gateway, whatever assignments and rollouts say; nobody's rights change by either.""")
    t.run("pgproxy endpoint drain node3", "pgproxy flags set FEATURE_REMOTE_ROUTING=false")
    _until_metric(http, 'reason="flag_off",route="local"')
    t.run("pgproxy route explain --user analyst", "pgproxy endpoint list")
    _look_at_the_queue(t)
    t.say("""When the morning comes, the flag goes back to what the settings say. A node that was drained is
registered again, as a new one is.""")
    t.run(
        "pgproxy flags unset FEATURE_REMOTE_ROUTING",
        _adding("node3", port),
    )


def _look_at_the_queue(t: Transcript) -> None:
    t.say("""Async queries are asked for over HTTP (PGPROXY_URL), as a role (PGUSER, PGPASSWORD):
administrators see everybody's. One that holds up others is cancelled by its id.""")
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
    query_id = t.output(f"pgproxy query run '{endless}'")
    until(lambda: "RUNNING" in t.output("pgproxy query list"), "the query runs")
    t.run("pgproxy query list", f"pgproxy query cancel {query_id}")


def _adding(name: str, port: int) -> str:
    return f"pgproxy endpoint add {name} grpc://127.0.0.1:{port} --token $TOKEN{name[-1]} --label size=large"


def main() -> None:
    """Print the transcript, or write it into the runbook."""
    transcript = perform()
    if "--write" not in sys.argv:
        print(transcript)
        return
    text = RUNBOOK.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    RUNBOOK.write_text(f"{before}{BEGIN}\n{transcript}\n{END}{after}")


if __name__ == "__main__":
    main()
