"""What the audit costs: CPU per statement to record, queue and write it, beside a point query's own.

Run: `python -m benchmarks.audit [--quick]`. Aim: below 5 % of the gateway's CPU time for a point query. Both
are CPU time of one process, all its threads, so that a busy machine disturbs neither much.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
from prometheus_client import CollectorRegistry

from benchmarks.machine import describe_machine, load_average
from pgproxy.audit.ended import EndedStatements
from pgproxy.audit.options import AuditMode, AuditOptions
from pgproxy.audit.writer import AuditWriter
from pgproxy.control.opening import open_metastore
from pgproxy.metrics import GatewayMetrics
from pgproxy.policy.model import Privilege, TableName
from pgproxy.session.telemetry import StatementRecord
from pgproxy.sql.plan import ObjectAccess
from tests.gateway import start_gateway

RECORDS, QUICK_RECORDS = 20_000, 5_000
QUERIES, QUICK_QUERIES = 5_000, 1_000
REPETITIONS = 5
AIM = 0.05
_US = 1_000_000
_ACCESSES = (ObjectAccess(TableName("demo", "sales", "customers"), frozenset({Privilege.SELECT}), ("eu",)),)
"""As the plan has them, which all runs of a statement share."""


def record(number: int) -> StatementRecord:
    """A point query's record, as a session makes it."""
    return StatementRecord(
        "analyst", 4711, f"0123456789abcdef-{number:x}", "127.0.0.1", "bench",
        text="SELECT name FROM sales.customers WHERE id = $1", kind="SELECT", fingerprint="0123456789abcdef",
        route="local", route_reason="disabled", rows=1, bytes=40, started_at=time.time(),
        ended_at=time.time(), queue_ms=0.5, first_row_ms=1.0, total_ms=1.1, accesses=_ACCESSES,
    )  # fmt: skip


async def audit_us(folder: Path, count: int) -> float:
    """CPU microseconds to make, queue and write one record, in batches, into SQLite."""
    metrics = GatewayMetrics(CollectorRegistry())
    async with open_metastore(f"sqlite:///{folder / 'audit.sqlite'}") as metastore:
        writer = AuditWriter(metastore.audit, AuditOptions("bench", AuditMode.FAIL_CLOSED), metrics)
        statements = EndedStatements()
        began = time.process_time()
        for number in range(count):
            writer.add(statements.of([record(number)]))
        assert await writer.flush()
        return (time.process_time() - began) / count * _US


def query_us(gateway: psutil.Process, dsn: str, count: int) -> float:
    """The gateway's CPU microseconds for one governed point query, prepared."""
    query = "SELECT name FROM sales.customers WHERE id = %s"
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(50):
            connection.execute(query, (number,), prepare=True)
        began = sum(gateway.cpu_times()[:2])
        for number in range(count):
            connection.execute(query, (1 + number % 300,), prepare=True).fetchall()
        return (sum(gateway.cpu_times()[:2]) - began) / count * _US


def main(arguments: list[str]) -> int:
    """Measure both and print the share."""
    is_quick = "--quick" in arguments
    records, queries = (QUICK_RECORDS, QUICK_QUERIES) if is_quick else (RECORDS, QUERIES)
    print(f"{describe_machine()}; load {load_average()}")
    with tempfile.TemporaryDirectory() as name:
        with start_gateway(Path(name)) as gateway:
            process = psutil.Process(gateway.process.pid)
            whole = [query_us(process, gateway.dsn(), queries) for _ in range(REPETITIONS)]
        audits = []
        for index in range(REPETITIONS):
            (folder := Path(name) / str(index)).mkdir()
            audits.append(asyncio.run(audit_us(folder, records)))
    query, audit = statistics.median(whole), statistics.median(audits)
    share = audit / (query - audit)
    print(f"point query, audit included: {query:.0f} us of CPU ({min(whole):.0f}-{max(whole):.0f})")
    print(f"audit of one statement: {audit:.1f} us of CPU ({min(audits):.1f}-{max(audits):.1f})")
    print(f"overhead: {share:.1%} (aim: below {AIM:.0%})")
    return 0 if share < AIM else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
