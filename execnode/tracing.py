"""Traces, where OpenTelemetry is installed (the extra `otel`) and an OTLP endpoint is set; else nothing.

One trace a statement: the gateway's span, one for each engine that tried it, and the node's under that one.
What a span says comes from closed lists, names and numbers: never from a statement's text.
"""

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import structlog

log = structlog.get_logger(__name__)

_FLUSH_INTERVAL_MS = 1000
_LAST_EXPORT_S = 2.0
"""How long the end of a program waits for its last spans to be taken."""

_COMPLAINT_INTERVAL_S = 60.0
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """endpoint: an OTLP receiver over HTTP, http://localhost:4318. sample_ratio: of new traces, 0 to 1."""

    endpoint: str
    sample_ratio: float = 1.0


def trace_options(endpoint: str | None, sample_ratio: float = 1.0) -> TraceOptions | None:
    """What the settings ask for; None: no traces. sample_ratio: of a program that begins traces."""
    return None if endpoint is None else TraceOptions(endpoint, sample_ratio)


def check_endpoint(url: str | None) -> str | None:
    """Validate OTEL_EXPORTER_OTLP_ENDPOINT. Raises: ValueError."""
    if url is None:
        return None
    if not url.startswith(("http://", "https://")):
        raise ValueError("is no http:// or https:// URL")
    if find_spec("opentelemetry") is None:
        raise ValueError("needs the extra: pip install 'pgproxy[otel]'")
    return url


class TraceSpan:
    """One span, or nothing. traceparent: what its children name (W3C Trace Context); empty: there is none.

    Until it ends it is nothing but these facts. OpenTelemetry's own live spans may be read and changed by
    anybody at any time, and making two of them costs as much as answering a short statement.
    """

    __slots__ = ("_send", "attributes", "ended_ns", "name", "parent_id", "span_id", "sqlstate", "started_ns",
                 "trace_id", "traceparent")  # fmt: skip

    def __init__(
        self,
        name: str = "",
        parent: tuple[str, str] | None = None,
        send: "Callable[[TraceSpan], None] | None" = None,
    ) -> None:
        """parent: a trace and a span in it; None: it begins a trace. send: takes it; None: there is none."""
        self.name = name
        self._send = send
        self.traceparent = self.trace_id = self.span_id = self.parent_id = self.sqlstate = ""
        self.attributes: dict[str, Any] = {}
        self.started_ns = self.ended_ns = 0
        if send is not None:
            self.trace_id, self.parent_id = parent or (_random_id(128), "")
            self.span_id = _random_id(64)
            self.traceparent = f"00-{self.trace_id}-{self.span_id}-01"
            self.started_ns = time.time_ns()

    def note(self, facts: Mapping[str, object]) -> None:
        """Say something of it; what is None or empty is left out."""
        if self._send is None:
            return
        for name, value in facts.items():
            if isinstance(value, list):
                self.attributes[f"pgproxy.{name}"] = [str(one) for one in value]
            elif isinstance(value, str | int | float) and value != "":
                self.attributes[f"pgproxy.{name}"] = value

    def end(self, sqlstate: str = "", ended_at: float | None = None) -> None:
        """It is over. sqlstate: it failed so. ended_at: when that was, in Unix seconds; None: now."""
        send, self._send = self._send, None
        if send is None:
            return
        if sqlstate:
            self.sqlstate = self.attributes["db.response.status_code"] = sqlstate
        self.ended_ns = time.time_ns() if ended_at is None else round(ended_at * _NANOSECONDS)
        send(self)


NO_SPAN = TraceSpan()


class Tracing:
    """Starts spans. send: takes those that have ended; None: there are none.

    sample_ratio: of new traces; the others cost nothing, since what has no parent is not even begun.
    """

    def __init__(self, send: Callable[[TraceSpan], None] | None = None, sample_ratio: float = 1.0) -> None:
        self._send = send
        self._sample_ratio = sample_ratio

    @property
    def is_on(self) -> bool:
        """Whether spans may begin at all."""
        return self._send is not None

    def start(self, name: str, parent: str = "") -> TraceSpan:
        """Begin a span. parent: a traceparent; empty: a new trace."""
        if self._send is None:
            return NO_SPAN
        if not parent:
            is_sampled = random.random() < self._sample_ratio  # noqa: S311
            return TraceSpan(name, None, self._send) if is_sampled else NO_SPAN
        found = _TRACEPARENT.fullmatch(parent)
        if found is None or not int(found[3], 16) & 1:
            return NO_SPAN
        return TraceSpan(name, (found[1], found[2]), self._send)


@contextmanager
def open_tracing(service: str, options: TraceOptions | None) -> Iterator[Tracing]:
    """Trace until left; what waits is sent then, if it is taken soon. options: None for no traces."""
    if options is None:
        yield Tracing()
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    complaints = _Complaints()
    logging.getLogger("opentelemetry").addHandler(complaints)
    exporter = OTLPSpanExporter(f"{options.endpoint.rstrip('/')}/v1/traces")
    processor = BatchSpanProcessor(exporter, schedule_delay_millis=_FLUSH_INTERVAL_MS)
    try:
        yield Tracing(_sender(service, processor.on_end), options.sample_ratio)
    finally:
        # By itself it goes on trying for half a minute, whatever the program's own grace period is.
        last = threading.Thread(target=processor.shutdown, daemon=True)
        last.start()
        last.join(_LAST_EXPORT_S)
        if last.is_alive():
            log.warning("traces.lost_at_end")
            exporter.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry's own
        logging.getLogger("opentelemetry").removeHandler(complaints)


class _Complaints(logging.Handler):
    """Says in this program's own form, and seldom, that OpenTelemetry complains, mostly of a collector."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said_at = -_COMPLAINT_INTERVAL_S

    def emit(self, record: logging.LogRecord) -> None:
        """Take one complaint; its text is the library's and is not told."""
        now = time.monotonic()
        if now - self._said_at >= _COMPLAINT_INTERVAL_S:
            self._said_at = now
            log.warning("traces.not_exported", logger=record.name)


def _sender(service: str, take: Callable[[Any], None]) -> Callable[[TraceSpan], None]:
    """Give what makes OpenTelemetry's form of ended spans. take: takes that."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

    resource = Resource.create({"service.name": service, "service.version": version("pgproxy")})
    scope = InstrumentationScope(service, version("pgproxy"))
    sampled, is_unset, is_error = TraceFlags(TraceFlags.SAMPLED), Status(), Status(StatusCode.ERROR)

    def send(span: TraceSpan) -> None:
        trace_id = int(span.trace_id, 16)
        take(
            ReadableSpan(
                span.name,
                context=SpanContext(trace_id, int(span.span_id, 16), is_remote=False, trace_flags=sampled),
                parent=SpanContext(trace_id, int(span.parent_id, 16), is_remote=True, trace_flags=sampled)
                if span.parent_id
                else None,
                resource=resource,
                attributes=span.attributes,
                status=is_error if span.sqlstate else is_unset,
                start_time=span.started_ns,
                end_time=span.ended_ns,
                instrumentation_scope=scope,
            )
        )

    return send


def _random_id(bits: int) -> str:
    """Hexadecimal; not zero, which would be none (W3C Trace Context)."""
    return f"{random.getrandbits(bits) or 1:0{bits // 4}x}"
