"""Logins on their way into the audit log: single successes, failures counted together and bounded."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pgproxy.audit.ended import EndedStatements
from pgproxy.audit.logins import LoginEnd
from pgproxy.audit.options import AuditMode, AuditOptions
from pgproxy.audit.writer import QUEUE_LIMIT, AuditWriter
from pgproxy.control import Metastore, open_metastore
from pgproxy.metrics import GatewayMetrics
from pgproxy.session.telemetry import StatementRecord

GOOD = LoginEnd("ann", "10.0.0.1", "postgres", "scram-sha-256")


def failure(address: str = "10.0.0.1", principal: str = "ann") -> LoginEnd:
    return LoginEnd(principal, address, "postgres", "scram-sha-256", "28P01", "wrong_secret")


@pytest.fixture
async def metastore(tmp_path: Path) -> AsyncIterator[Metastore]:
    async with open_metastore(f"sqlite:///{tmp_path}/m.sqlite") as opened:
        yield opened


@pytest.fixture
def writer(metastore: Metastore) -> AuditWriter:
    options = AuditOptions("gate", AuditMode.FAIL_CLOSED)
    return AuditWriter(metastore.audit, options, GatewayMetrics(CollectorRegistry()))


async def test_a_success_has_its_row_and_failures_of_one_kind_share_one(
    metastore: Metastore, writer: AuditWriter
) -> None:
    for _ in range(2):
        writer.login_ended(GOOD)
    for _ in range(70):
        writer.login_ended(failure())
    writer.login_ended(failure("10.0.0.2"))
    assert await writer.flush()
    rows = [(r.outcome, r.client_addr, r.reason, r.attempts) for r in await metastore.audit.last()]
    assert sorted(rows) == [
        ("denied", "10.0.0.1", "wrong_secret", 70),
        ("denied", "10.0.0.2", "wrong_secret", 1),
        ("ok", "10.0.0.1", "", 1),
        ("ok", "10.0.0.1", "", 1),
    ]
    (latest, *_) = await metastore.audit.last()
    assert (latest.event, latest.kind, latest.gateway) == ("login", "scram-sha-256", "gate")
    assert latest.as_json()["attempts"] in {1, 70}
    assert await writer.flush()
    assert len(await metastore.audit.last()) == 4


async def test_requests_over_http_are_counted_not_listed(metastore: Metastore, writer: AuditWriter) -> None:
    for _ in range(500):
        writer.login_ended(LoginEnd("etl", "10.0.0.1", "http", "api_key"))
    assert await writer.flush()
    (row,) = await metastore.audit.last()
    assert (row.principal, row.protocol, row.outcome, row.attempts) == ("etl", "http", "ok", 500)


async def test_a_flood_of_failures_from_everywhere_is_a_bounded_number_of_rows(
    metastore: Metastore, writer: AuditWriter
) -> None:
    for number in range(20_000):
        writer.login_ended(failure(f"10.{number % 16}.{number // 256}.{number % 256}", f"user{number % 3}"))
    assert await writer.flush()
    rows = await metastore.audit.last(10_000)
    assert len(rows) < 1100
    assert sum(row.attempts for row in rows) == 20_000
    without_address = sum(row.attempts for row in rows if not row.client_addr)
    assert without_address > 10_000


async def test_while_nothing_can_be_written_logins_are_counted_not_queued(
    metastore: Metastore, writer: AuditWriter
) -> None:
    waiting = (StatementRecord("ann", 1, f"r-{number}") for number in range(QUEUE_LIMIT))
    writer.add(EndedStatements().of(waiting))
    for _ in range(5000):
        writer.login_ended(GOOD)
    assert not writer.accepts
    assert await writer.flush()
    assert await writer.flush()
    rows = [row for row in await metastore.audit.last(10) if row.event == "login"]
    assert [(row.outcome, row.attempts) for row in rows] == [("ok", 5000)]
