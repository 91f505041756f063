"""What more nodes give, and what a light role of the async queue waits while a heavy one floods it."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from benchmarks.data import point_data
from benchmarks.pgbench import Load, run_pgbench, warm_up
from benchmarks.raw_client import RawClient
from benchmarks.suites.base import Case, Comparison, Metric, Probe, Series, Suite
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.gateway import OTHER_PASSWORD, OTHER_USER, PASSWORD, USER, Deployment, gateway_target
from execnode.engine.scheduling import take_short_turns
from tests.query_api import QueryApiClient

_SECONDS = 2
_ROWS = 1_000_000
_NODES = (1, 2, 3)
_QUEUED_ON = "remote2"
_LIGHT_QUERIES, _FLOOD = 100, 100
_LIGHT = "SELECT branch % 10, count(*), sum(balance) FROM accounts GROUP BY 1"
_HEAVY = "SELECT sum((a.id * b.id) % 7) FROM accounts AS a, branches AS b WHERE b.id <= {}"
_LOOKUP = "\\set key random(1, 10000)\nSELECT balance, name FROM accounts WHERE id = :key;\n"
_SCAN = f"{_LIGHT};\n"


class LoadProbe:
    """pgbench against the gateway."""

    def __init__(self, target: RunningTarget, load: Load) -> None:
        self._address = target.wire_address
        self._load = load

    def check(self) -> Mapping[str, str]:
        with RawClient(self._address) as client:
            rows = sorted(map(str, client.fetch_text(_LIGHT)))
        warm_up(self._address, self._load)
        return {"rows": str(len(rows)), "digest": repr(rows)}

    def measure(self) -> Mapping[str, float]:
        found = run_pgbench(self._address, self._load, _SECONDS)
        return {"tps": found.tps, "p50_s": found.p50_s, "p95_s": found.p95_s}


class QueueProbe:
    """Light queries of one role, one after the other: alone, then while another role's heavy ones wait.

    Both begin when the client sends the statement, so that its planning counts, and what the metastore takes
    to keep it. It has begun when the client knows that, or, where it had to wait, when the status says so.
    The light client stands for one on another machine: once its answer is there, it does not wait for the end
    of a turn of an engine's thread.
    """

    def __init__(self, target: RunningTarget) -> None:
        if target.http_port is None:
            raise ValueError("a fleet has a query API")
        self._light = QueryApiClient(target.http_port, USER, PASSWORD)
        self._heavy = QueryApiClient(target.http_port, OTHER_USER, OTHER_PASSWORD)

    def check(self) -> Mapping[str, str]:
        reply = self._light.results(self._light.run(f"{_LIGHT} ORDER BY 1"), "?format=csv")
        self._heavy.run(_HEAVY.format(1))
        return {"rows": str(reply.body.count(b"\n")), "digest": reply.body.decode()}

    def measure(self) -> Mapping[str, float]:
        with ThreadPoolExecutor(1, initializer=take_short_turns) as light:
            return self._measure(lambda: light.submit(self._run_light).result())

    def _measure(self, run_light: Callable[[], dict[str, list[float]]]) -> Mapping[str, float]:
        alone = run_light()
        # Each text is another one, as an analyst's are: no plan of one serves the next.
        flood = [self._heavy.submit(_HEAVY.format(20 + number)) for number in range(_FLOOD)]
        try:
            self._heavy.wait(flood[0], "RUNNING")
            flooded = run_light()
            if self._heavy.status(flood[-1])["state"] != "QUEUED":
                raise RuntimeError("the flood was over before the measurement: raise _FLOOD")
        finally:
            for query_id in reversed(flood):
                self._heavy.call("DELETE", f"/queries/{query_id}")
        return {
            f"{name}_{when}_p95_s": statistics.quantiles(values, n=20)[-1]
            for when, found in (("alone", alone), ("flooded", flooded))
            for name, values in found.items()
        }

    def _run_light(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {"queue": [], "total": []}
        for _ in range(_LIGHT_QUERIES):
            sent_s = time.time()
            query_id = self._light.submit(_LIGHT)
            answered_s = time.time()
            status = self._light.wait(query_id)
            if status["state"] != "SUCCEEDED":
                raise RuntimeError("a light query failed")
            started_s, ended_s = (
                datetime.fromisoformat(status[name]).timestamp() for name in ("started_at", "ended_at")
            )
            found["queue"].append(max(started_s, answered_s) - sent_s)
            found["total"].append(ended_s - sent_s)
        return found


@contextmanager
def _open_load(load: Load, target: RunningTarget) -> Iterator[Probe]:
    yield LoadProbe(target, load)


@contextmanager
def _open_queue(target: RunningTarget) -> Iterator[Probe]:
    yield QueueProbe(target)


_targets = tuple(
    gateway_target(
        f"remote{nodes}" if nodes > 1 else "remote",
        f"gateway, {nodes} exec node{'s' if nodes > 1 else ''}",
        # One of a role at a time: what runs shares the cores, of which a light role then keeps about half.
        Deployment(nodes=nodes, has_queue=True, settings={"ASYNC_MAX_RUNNING_PER_PRINCIPAL": "1"}),
    )
    for nodes in _NODES
)
_names = [target.name for target in _targets]
_LOADS = {
    "lookup": Case(
        "lookup",
        "primary key lookup, prepared, 16 clients",
        partial(_open_load, Load(_LOOKUP, "prepared", 16)),
    ),
    "scan": Case(
        "scan", "aggregate over a million rows, 8 clients", partial(_open_load, Load(_SCAN, "simple", 8))
    ),
}

SUITE = Suite(
    name="fleet",
    title="Nodes and the queue",
    about=(
        f"pgbench runs a statement for {_SECONDS} s, by one node, or the least loaded of two or three. "
        "All are on this machine and share its cores: more nodes cannot be faster here than one that uses "
        f"them all, and the ratio says what spreading costs. The queue: {_LIGHT_QUERIES} light aggregates of "
        f"one role, one after the other, before and beside {_FLOOD} heavy joins of another; one of a "
        "role runs at a time. The light client takes short turns of a core, as one on another machine takes "
        "none of these. The ratio is the p95 alone by that under the flood; 0.5 means that it doubles."
    ),
    metrics=(
        Metric("tps", "statements/s", 0),
        Metric("p50_s", "median ms", 2, 1e-3),
        Metric("p95_s", "95 % ms", 2, 1e-3),
        *(
            Metric(f"{name}_{when}_p95_s", f"{name} {when}, 95 % ms", 1, 1e-3)
            for name in ("queue", "total")
            for when in ("alone", "flooded")
        ),
    ),
    targets=_targets,
    data=point_data,
    rows=_ROWS,
    quick_rows=_ROWS,
    cases=(
        *_LOADS.values(),
        Case(
            "queue",
            "async queue, a light role beside a heavy one",
            _open_queue,
            frozenset(_names) - {_QUEUED_ON},
        ),
    ),
    comparisons=(
        *(Comparison(name, _names[0], "tps") for name in _names[1:]),
        *(Comparison(_names[0], name, "p95_s") for name in _names[1:]),
        Comparison(
            _QUEUED_ON, _QUEUED_ON, "queue_alone_p95_s", at_least=0.5, below_metric="queue_flooded_p95_s"
        ),
        Comparison(_QUEUED_ON, _QUEUED_ON, "total_alone_p95_s", below_metric="total_flooded_p95_s"),
    ),
    series=tuple(
        Series(f"nodes, {case.title}", "p50_s", dict(zip(_names, _NODES, strict=True)), key)
        for key, case in _LOADS.items()
    ),
)
