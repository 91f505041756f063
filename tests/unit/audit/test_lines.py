"""The line of a finished statement: put together by hand, the same as structlog's."""

import io
import json
import sys
from dataclasses import replace

import pytest
import structlog

from pgproxy.audit.lines import json_line, statement_facts, statement_lines
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
    line = json_line(record)
    assert list(json.loads(line)) == list(json.loads(told.getvalue()))
    at = line.index('"timestamp"')
    assert line[:at] == told.getvalue()[:at]
    assert json.loads(line)["timestamp"] == "2023-11-14T22:13:20.050000Z"


def test_lines_of_statements_that_end_together_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []
    told = io.StringIO()
    monkeypatch.setattr(told, "write", writes.append)
    monkeypatch.setattr(sys, "stderr", told)
    statement_lines("info", is_json=True)([SERVED, REFUSED])
    statement_lines("warning", is_json=True)([SERVED])
    assert [text.count("statement.completed") for text in writes] == [2]
