"""Traces, where OpenTelemetry is installed (the extra `otel`) and an OTLP endpoint is set; else nothing.

One trace a statement: the gateway's span, one for each engine that tried it, and the node's under that one.
What a span says comes from closed lists, names and numbers: never from a statement's text.
"""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from execnode.call_context import TRACE_KEY

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_FLUSH_INTERVAL_MS = 1000


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
    """One span, or nothing. traceparent: what its children name (W3C Trace Context); empty: there is none."""

    __slots__ = ("_span", "trace_id", "traceparent")

    def __init__(self, span: "Span | None" = None) -> None:
        self._span = span
        self.traceparent, self.trace_id = "", ""
        if span is not None:
            self.traceparent, self.trace_id = _names(span)

    def note(self, facts: Mapping[str, object]) -> None:
        """Say something of it; what is None or empty is left out."""
        if self._span is None:
            return
        self._span.set_attributes(
            {
                f"pgproxy.{name}": [str(one) for one in value] if isinstance(value, list) else value
                for name, value in facts.items()
                if isinstance(value, list | str | int | float) and value != ""
            }
        )

    def end(self, sqlstate: str = "") -> None:
        """It is over. sqlstate: it failed so."""
        span, self._span = self._span, None
        if span is None:
            return
        if sqlstate:
            from opentelemetry.trace import Status, StatusCode

            span.set_attribute("db.response.status_code", sqlstate)
            span.set_status(Status(StatusCode.ERROR))
        span.end()


NO_SPAN = TraceSpan()


class Tracing:
    """Starts spans. tracer: None for none.

    sample_ratio: of new traces; the others cost nothing, since what has no parent is not even begun.
    """

    def __init__(self, tracer: "Tracer | None" = None, sample_ratio: float = 1.0) -> None:
        self._tracer = tracer
        self._sample_ratio = sample_ratio

    @property
    def is_on(self) -> bool:
        """Whether spans may begin at all."""
        return self._tracer is not None

    def start(self, name: str, parent: str = "") -> TraceSpan:
        """Begin a span. parent: a traceparent; empty: a new trace."""
        if self._tracer is None or not (parent or random.random() < self._sample_ratio):  # noqa: S311
            return NO_SPAN
        from opentelemetry.context import Context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({TRACE_KEY: parent}) if parent else Context()
        return TraceSpan(self._tracer.start_span(name, context=context))


@contextmanager
def open_tracing(service: str, options: TraceOptions | None) -> Iterator[Tracing]:
    """Trace until left; what waits is sent then. options: None for no traces."""
    if options is None:
        yield Tracing()
        return
    provider = _provider(service, options)
    try:
        yield Tracing(provider.get_tracer(service, version("pgproxy")), options.sample_ratio)
    finally:
        provider.shutdown()


def _provider(service: str, options: TraceOptions) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": version("pgproxy")}),
    )
    exporter = OTLPSpanExporter(f"{options.endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_FLUSH_INTERVAL_MS))
    return provider


def _names(span: "Span") -> tuple[str, str]:
    """The traceparent and the trace's id."""
    context = span.get_span_context()
    trace_id = f"{context.trace_id:032x}"
    return f"00-{trace_id}-{context.span_id:016x}-{int(context.trace_flags):02x}", trace_id
