"""What a light role of the async queue waits while a heavy one floods it, beside what it waits alone.

Run: `python -m benchmarks.queue_fairness [--quick]`. Aim: the light role's p95 at most doubles. Queue latency
is from submission to start, total from submission to end; both as the gateway's own status says. One query
of a role runs at a time: what runs shares the cores, of which a light role then keeps about half.
"""

import statistics
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.machine import describe_machine, load_average
from tests.gateway import ADMIN, ADMIN_PASSWORD, start_gateway
from tests.query_api import QueryApiClient

LIGHT = "SELECT count(*), sum(n * 7 % 11) FROM numbers"
HEAVY = "SELECT sum((a.n * b.n) % 7) FROM numbers a, numbers b WHERE b.n < 400"
QUERIES, QUICK_QUERIES = 200, 40
FLOOD = 80
AIM = 2.0


def run_light(client: QueryApiClient, count: int) -> tuple[list[float], list[float]]:
    """Run light queries one after the other; gives queue latencies and totals, in milliseconds."""
    queued, total = [], []
    for _ in range(count):
        found = client.status(client.run(LIGHT))
        submitted, started, ended = (
            datetime.fromisoformat(found[name]) for name in ("submitted_at", "started_at", "ended_at")
        )
        queued.append((started - submitted).total_seconds() * 1000)
        total.append((ended - submitted).total_seconds() * 1000)
    return queued, total


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def measure(count: int) -> dict[str, tuple[float, float]]:
    """Measure alone and under the flood; gives p95 of each, in milliseconds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_gateway(
            Path(folder), FEATURE_ASYNC_QUEUE="true", ASYNC_MAX_RUNNING_PER_PRINCIPAL="1"
        ) as gateway,
    ):
        light = QueryApiClient(gateway.http_port)
        heavy = QueryApiClient(gateway.http_port, ADMIN, ADMIN_PASSWORD)
        run_light(light, 5)
        alone = run_light(light, count)
        flood = [heavy.submit(HEAVY) for _ in range(FLOOD)]
        heavy.wait(flood[0], "RUNNING")
        crowded = run_light(light, count)
        left = heavy.call("GET", "/queries?state=queued").json()["queries"]
        if not left:
            raise RuntimeError("the flood was over before the measurement: raise FLOOD")
        return {
            name: (p95(before), p95(after))
            for name, before, after in zip(("queue", "total"), alone, crowded, strict=True)
        }


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 where the aim is missed."""
    count = QUICK_QUERIES if "--quick" in arguments else QUERIES
    print(describe_machine(), f"load {load_average()}", sep="\n")
    found = measure(count)
    print(f"{count} light queries alone, then beside {FLOOD} heavy ones of another role; p95 in ms")
    for name, (alone, crowded) in found.items():
        print(f"{name:6} alone {alone:8.1f}  flooded {crowded:8.1f}  ratio {crowded / max(alone, 1e-3):5.2f}")
    return int(found["queue"][1] > AIM * found["queue"][0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
