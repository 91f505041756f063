"""Metrics, audit log and pgproxy.queries tell the same numbers of the same statements, and traces too."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.otlp_receiver import Receiver, Span, otlp_receiver
from tests.gateway import ADMIN, ADMIN_PASSWORD, POLICY, RunningGateway, start_gateway

SECRET = "marker-4471"
USERS = "users:\n  traced: {password: traced-secret, groups: [eu_team]}\n"
MIXED = (
    "SELECT count(*) FROM numbers WHERE n > {n}",
    "SELECT region, count(*) FROM sales.customers WHERE id > {n} GROUP BY region",
    "SELECT n, label FROM numbers WHERE n < {n}",
    f"SELECT '{SECRET}', {{n}}",
    "SELECT 1 / ({n} - {n})",
    "SELECT * FROM sales.secrets",
    "SELECT nothing FROM numbers",
    "SELEKT {n}",
    "INSERT INTO numbers VALUES ({n}, 1, 'x')",
    "COPY (SELECT n FROM numbers WHERE n < {n}) TO '/tmp/never'",
    "VACUUM FULL pg_class",
    "SHOW server_version",
    "SET application_name = 'mixed {n}'",
    "SELECT relname FROM pg_class LIMIT 3",
    "SELECT count(*) FROM numbers a, numbers b, numbers c WHERE a.n + b.n < c.n",
)
_TALLY = (
    "SELECT coalesce(nullif(endpoint, ''), route, ''), coalesce(route_reason, ''), coalesce({outcome}, ''), "
    "coalesce(sqlstate, ''), coalesce(fallback_reason, ''), count(*), sum(rows), sum(bytes) "
    "FROM {relation} WHERE principal <> 'admin' AND {only} GROUP BY ALL"
)


@dataclass(frozen=True)
class Fleet:
    """A gateway with a node, and what both have exported of one statement before anything else ran."""

    gateway: RunningGateway
    spans: list[Span]
    log: Path


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("numbers")
    with (
        otlp_receiver() as receiver,
        start_gateway(
            folder, nodes=1, policy=POLICY.replace("users:\n", USERS), log=folder / "log", LOG_LEVEL="info",
            REMOTE_CANARY_USERS="analyst,traced", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_TRACES_SAMPLER="parentbased_always_on",
            QUERIES_SHOWN="20000", LOG_FORMAT="json",
        ) as gateway,
    ):  # fmt: skip
        yield Fleet(gateway, _trace_one(gateway, receiver), folder / "log")


def _trace_one(gateway: RunningGateway, receiver: Receiver) -> list[Span]:
    with psycopg.connect(gateway.dsn("traced"), autocommit=True) as connection:
        connection.execute(f"SELECT count(*) FROM numbers WHERE label <> '{SECRET}'")
    return receiver.wait(lambda spans: {"statement", "duckdb.execute"} <= {span.name for span in spans})


def test_a_statement_is_one_trace_through_gateway_and_node(fleet: Fleet) -> None:
    spans = {span.name: span for span in fleet.spans if span.trace_id == fleet.spans[0].trace_id}
    assert len({span.trace_id for span in fleet.spans}) == 1
    parents = {name: span.parent_id for name, span in spans.items()}
    assert parents == {
        "statement": "",
        "engine.execute": spans["statement"].span_id,
        "execnode.statement": spans["engine.execute"].span_id,
        "execnode.queue": spans["execnode.statement"].span_id,
        "duckdb.execute": spans["execnode.statement"].span_id,
    }
    assert {name: span.service for name, span in spans.items() if span.service == "pgproxy"}.keys() == {
        "statement", "engine.execute",
    }  # fmt: skip
    root = spans["statement"].attributes
    assert 'string_value: "node1"' in root["pgproxy.route"]
    assert "any_endpoint" in root["pgproxy.route_reason"]
    assert not any(span.is_error for span in fleet.spans)
    assert SECRET not in repr(fleet.spans)
    line = next(
        found
        for text in fleet.log.read_text().splitlines()
        if (found := json.loads(text)).get("event") == "statement.completed"
    )
    assert line["trace_id"] == spans["statement"].trace_id
    assert line.keys() >= {"fingerprint", "arm", "denied_by", "queue_ms", "first_row_ms", "bytes", "tables"}
    assert line["tables"] == ["test.public.numbers"]


async def test_the_numbers_agree(fleet: Fleet) -> None:
    await _numbers_agree(fleet, 500)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_the_numbers_of_many_statements_agree(fleet: Fleet) -> None:
    await _numbers_agree(fleet, 10_000)


async def _numbers_agree(fleet: Fleet, count: int) -> None:
    """Run statements of every kind and end, and lose the node in between."""
    gateway = fleet.gateway
    chooser = random.Random(7)
    statements = [chooser.choice(MIXED).format(n=n) for n in range(count)]
    half = count // 2
    await _run(gateway, statements[:half])
    gateway.nodes[0].kill()
    await _run(gateway, statements[half:])
    counted = await asyncio.to_thread(gateway.metrics)
    dsn = gateway.dsn(ADMIN, ADMIN_PASSWORD)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        audited = await _tally(connection, "pgproxy.audit_log", "outcome", "event = 'statement'")
        shown = await _tally(connection, "pgproxy.queries", "state", "source = 'session'")
    assert audited == shown
    assert _by_outcome(audited) == _metric(
        counted, "pgproxy_statements", "route", "reason", "outcome", "sqlstate"
    )
    assert _by_fallback(audited) == _metric(counted, "pgproxy_fallbacks", "route", "reason")
    for place, name in ((6, "pgproxy_rows"), (7, "pgproxy_result_bytes")):
        assert _by_route(audited, place) == _metric(counted, name, "route")
    outcomes = {row[2] for row in audited}
    assert outcomes == {"ok", "denied", "error", "canceled"}
    assert {row[0] for row in audited} == {"", "local", "node1"}
    assert sum(row[5] for row in audited) >= count
    assert any(row[4] for row in audited)
    assert SECRET not in fleet.log.read_text()


async def _run(gateway: RunningGateway, statements: list[str]) -> None:
    async def client(user: str, mine: list[str], *, is_prepared: bool) -> None:
        async with await psycopg.AsyncConnection.connect(gateway.dsn(user), autocommit=True) as connection:
            await connection.execute("SET statement_timeout = '250ms'")
            for statement in mine:
                with contextlib.suppress(psycopg.Error):
                    await connection.execute(statement, prepare=is_prepared)

    async with asyncio.TaskGroup() as group:
        for number, user in enumerate(("analyst", "analyst", "intern")):
            group.create_task(client(user, statements[number::3], is_prepared=number == 1))


async def _tally(
    connection: psycopg.AsyncConnection, relation: str, outcome: str, only: str
) -> Counter[tuple]:
    text = _TALLY.format(relation=relation, outcome=outcome, only=only)
    found = await (await connection.execute(text)).fetchall()
    return Counter({(*row[:5], int(row[5]), int(row[6]), int(row[7])): 1 for row in found})


def _by_outcome(tally: Counter[tuple]) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for row in tally:
        found[row[:4]] += row[5]
    return found


def _by_fallback(tally: Counter[tuple]) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for row in tally:
        if row[4]:
            found[row[0], row[4]] += row[5]
    return found


def _by_route(tally: Counter[tuple], place: int) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for row in tally:
        found[(row[0],)] += row[place]
    return found


def _metric(text: str, name: str, *labels: str) -> Counter[tuple[str, ...]]:
    """A counter's sums by these labels."""
    found: Counter[tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(text):
        if family.name == name:
            for sample in family.samples:
                if sample.name == f"{name}_total":
                    found[tuple(sample.labels[label] for label in labels)] += int(sample.value)
    return found
