"""A receiver of OTLP over HTTP in this process: what programs export, as they export it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

_WAIT_S = 60


@dataclass(frozen=True)
class Span:
    """One span. attributes: as text."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    is_error: bool
    ended_ns: int
    attributes: dict[str, str]


@dataclass
class Receiver:
    """What has come so far."""

    url: str = ""
    keeps: bool = True
    exports: int = 0
    spans: list[Span] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes) -> None:
        """Take one export."""
        self.exports += 1
        if not self.keeps:
            return
        request = ExportTraceServiceRequest.FromString(body)
        with self.changed:
            for resource in request.resource_spans:
                service = next(
                    a.value.string_value for a in resource.resource.attributes if a.key == "service.name"
                )
                for scope in resource.scope_spans:
                    self.spans += [_span(service, span) for span in scope.spans]
            self.changed.notify_all()

    def wait(self, holds: Callable[[list[Span]], bool]) -> list[Span]:
        """Wait until what has come is enough."""
        with self.changed:
            assert self.changed.wait_for(lambda: holds(self.spans), _WAIT_S), self.spans
            return list(self.spans)


def _span(service: str, span: object) -> Span:
    attributes = {a.key: str(a.value).strip() for a in span.attributes}  # type: ignore[attr-defined]
    return Span(
        service, span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),  # type: ignore[attr-defined]
        span.status.code == 2, span.end_time_unix_nano, attributes,  # type: ignore[attr-defined]
    )  # fmt: skip


@contextmanager
def otlp_receiver(*, keeps: bool = True) -> Iterator[Receiver]:
    """Listen until left. keeps: else exports are only counted."""
    receiver = Receiver(keeps=keeps)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            receiver.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
