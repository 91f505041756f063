"""Statements on their way into the audit log: in batches, however fast they come."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pgproxy.audit.ended import EndedStatements
from pgproxy.audit.options import AuditMode, AuditOptions
from pgproxy.audit.writer import AuditWriter
from pgproxy.control import open_metastore
from pgproxy.control.audit import AuditRow
from pgproxy.control.metastore import MetastoreError
from pgproxy.metrics import GatewayMetrics
from pgproxy.session.telemetry import Protocol, StatementRecord


def record(number: int) -> StatementRecord:
    return StatementRecord(
        principal="ann",
        connection_id=1,
        request_id=f"r-{number}",
        client_host="10.0.0.1",
        application_name="",
        protocol=Protocol.SIMPLE,
        text="SELECT 1",
        started_at=0.0,
        started_ns=0,
    )


async def test_what_comes_during_a_write_waits_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_metastore(f"sqlite:///{tmp_path}/m.sqlite") as metastore:
        options = AuditOptions("gate", AuditMode.FAIL_CLOSED)
        writer = AuditWriter(metastore.audit, options, GatewayMetrics(CollectorRegistry()))
        batches: list[int] = []
        statements = EndedStatements()
        write = metastore.audit.write

        async def one_more_comes(records: Sequence[AuditRow]) -> None:
            batches.append(len(records))
            writer.add(statements.of([record(9000 + len(batches))]))
            await write(records)

        monkeypatch.setattr(metastore.audit, "write", one_more_comes)
        writer.add(statements.of(record(number) for number in range(1500)))
        assert await writer.flush()
        assert (batches, writer.waiting) == ([1000, 500], 2)
        monkeypatch.setattr(metastore.audit, "write", write)
        assert await writer.flush()
        assert len(await metastore.audit.last(5000)) == 1502


async def test_what_was_written_though_it_seemed_to_fail_is_there_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_metastore(f"sqlite:///{tmp_path}/m.sqlite") as metastore:
        writer = AuditWriter(metastore.audit, AuditOptions("gate"), GatewayMetrics(CollectorRegistry()))
        statements = EndedStatements()
        write = metastore.audit.write

        async def lose_the_answer(rows: Sequence[AuditRow]) -> None:
            await write(rows)
            raise MetastoreError("gone")

        monkeypatch.setattr(metastore.audit, "write", lose_the_answer)
        writer.add(statements.of(record(number) for number in range(3)))
        assert not await writer.flush()
        monkeypatch.setattr(metastore.audit, "write", write)
        writer.add(statements.of(record(number) for number in range(3, 5)))
        assert await writer.flush()
        assert [row.request_id for row in await metastore.audit.last()] == [f"r-{n}" for n in (4, 3, 2, 1, 0)]
