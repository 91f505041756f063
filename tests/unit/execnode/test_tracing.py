"""Spans: what begins one, whose child it is, when it ended; and what OpenTelemetry makes of it."""

import time

import pytest

from execnode.tracing import NO_SPAN, TraceOptions, TraceSpan, Tracing, open_tracing
from tests.faults.otlp_receiver import otlp_receiver


def test_a_child_is_of_its_parents_trace_and_names_it() -> None:
    ended: list[TraceSpan] = []
    tracing = Tracing(ended.append)
    root = tracing.start("statement")
    child = tracing.start("engine.execute", root.traceparent)
    child.end()
    root.end()
    root.end()
    assert [span.name for span in ended] == ["engine.execute", "statement"]
    assert child.trace_id == root.trace_id
    assert (child.parent_id, root.parent_id) == (root.span_id, "")


@pytest.mark.parametrize("parent", ["", f"00-{'a' * 32}-{'b' * 16}-00", f"00-{'A' * 32}-{'b' * 16}-01", "x"])
def test_what_is_outside_the_sample_is_no_span(parent: str) -> None:
    span = Tracing(lambda _: None, sample_ratio=0).start("statement", parent)
    assert span is NO_SPAN
    span.note({"rows": 1})
    span.end("XX000")
    assert (span.traceparent, span.trace_id, span.attributes) == ("", "", {})


def test_a_span_arrives_as_it_was_noted_with_the_time_of_its_end() -> None:
    with otlp_receiver() as receiver:
        with open_tracing("unit", TraceOptions(receiver.url)) as tracing:
            root = tracing.start("statement")
            child = tracing.start("engine.execute", root.traceparent)
            child.note({"endpoint": "node1", "tables": ["a.b", "c.d"], "rows": 3, "empty": "", "none": None})
            child.end("08006")
            ended_at = round(time.time()) + 7.5
            root.end(ended_at=ended_at)
        spans = {span.name: span for span in receiver.wait(lambda spans: len(spans) == 2)}
    sent = spans["engine.execute"]
    assert (sent.service, sent.trace_id, sent.span_id) == ("unit", child.trace_id, child.span_id)
    assert (sent.parent_id, spans["statement"].parent_id) == (root.span_id, "")
    assert (sent.is_error, spans["statement"].is_error) == (True, False)
    assert sent.attributes.keys() == {
        "pgproxy.endpoint", "pgproxy.tables", "pgproxy.rows", "db.response.status_code",
    }  # fmt: skip
    assert spans["statement"].ended_ns == round(ended_at * 1e9)
