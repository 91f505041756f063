"""The line of a finished statement: put together by hand, the same as structlog's."""

import io
import json
import sys
from dataclasses import replace

import pytest
import structlog

from pgproxy.audit.ended import EndedStatement, EndedStatements
from pgproxy.audit.lines import json_line, statement_facts, statement_lines
from pgproxy.audit.options import AuditOptions
from pgproxy.audit.records import audit_row
from pgproxy.logs import configure_logging
from pgproxy.policy.model import Privilege, TableName
from pgproxy.session.telemetry import Outcome, Protocol, StatementRecord
from pgproxy.sql.plan import ObjectAccess

SERVED = StatementRecord(
    'o"brien \\ é', 7, "0011223344556677-a", "::1", protocol=Protocol.EXTENDED, kind="SELECT",
    fingerprint="ab12",
    route="local", route_reason="flag_off", arm="none", rows=3, bytes=60, queue_ms=2.0004, first_row_ms=None,
    total_ms=4.56789, ended_at=1_700_000_000.0500004,
    accesses=(
        ObjectAccess(TableName("test", "sales", 'odd"name'), frozenset({Privilege.SELECT})),
        ObjectAccess(TableName("test", "public", "numbers"), frozenset({Privilege.SELECT})),
    ),
)  # fmt: skip
REFUSED = replace(
    SERVED, outcome=Outcome.DENIED, sqlstate="42501", denied_by="statement", route="", accesses=(), rows=0
)


def ended(record: StatementRecord) -> EndedStatement:
    return EndedStatements().of([record])[0]


@pytest.mark.parametrize("record", [SERVED, REFUSED])
def test_the_line_is_the_one_that_structlog_writes(
    record: StatementRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    try:
        configure_logging("info", is_json=True)
        structlog.get_logger().info("statement.completed", **statement_facts(record))
    finally:
        structlog.reset_defaults()
    line = json_line(ended(record))
    assert list(json.loads(line)) == list(json.loads(told.getvalue()))
    facts, expected = json.loads(line), json.loads(told.getvalue())
    assert facts.pop("timestamp") == "2023-11-14T22:13:20.050000Z"
    assert expected.pop("timestamp")
    assert facts == expected


def test_lines_of_statements_that_end_together_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []
    told = io.StringIO()
    monkeypatch.setattr(told, "write", writes.append)
    monkeypatch.setattr(sys, "stderr", told)
    statement_lines("info", is_json=True)(EndedStatements().of([SERVED, REFUSED]))
    statement_lines("warning", is_json=True)([ended(SERVED)])
    assert [text.count("statement.completed") for text in writes] == [2]


def test_statements_of_one_shape_share_what_is_made_of_it_and_nothing_else() -> None:
    statements = EndedStatements()
    again = replace(SERVED, request_id="0011223344556677-b", connection_id=9, rows=4)
    first, second = statements.of([SERVED, again])
    assert first.shape is second.shape
    other = [
        replace(SERVED, principal="eve"), replace(SERVED, outcome=Outcome.ERROR, sqlstate="22012"),
        replace(SERVED, accesses=SERVED.accesses[:1]), replace(SERVED, route="node1"),
    ]  # fmt: skip
    shapes = {id(one.shape) for one in statements.of([SERVED, *other])}
    assert len(shapes) == 5
    lines = [json.loads(json_line(one)) for one in (first, second)]
    assert [(line["request_id"], line["connection_id"], line["rows"]) for line in lines] == [
        ("0011223344556677-a", 7, 3),
        ("0011223344556677-b", 9, 4),
    ]


def test_a_statement_that_was_refused_and_one_that_ran_have_their_own_rows() -> None:
    rows = [audit_row(one, AuditOptions("gate")) for one in EndedStatements().of([SERVED, REFUSED, SERVED])]
    assert rows[0].shape is rows[2].shape
    assert rows[0] == rows[2]
    assert [(row.shape.outcome, row.shape.sqlstate, row.shape.route, row.pid) for row in rows[:2]] == [
        ("ok", "00000", "local", 7),
        ("denied", "42501", "", 7),
    ]
    assert json.loads(rows[0].shape.objects)[0] == {"table": 'test.sales.odd"name', "privileges": ["SELECT"]}
    assert (*rows[0].shape[:2], rows[0].shape.kind, rows[0].query) == (
        "statement",
        "gate",
        "SELECT",
        None,
    )
    assert (rows[0].ended_us, rows[0].total_us) == (1_700_000_000_050_000, 4568)
