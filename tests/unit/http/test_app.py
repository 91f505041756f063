"""The HTTP interface over a real socket."""

import asyncio
import json
import ssl
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pgproxy.http.app import HealthReport, gateway_app
from pgproxy.http.server import HttpTls, serve_http
from pgproxy.metrics import GatewayMetrics, GatewayNumbers
from tests.certificates import Authority


async def get(port: int, path: str) -> tuple[int, str, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode().lower(), body


class Readings:
    """Numbers as a test says."""

    def __init__(self) -> None:
        self.report = HealthReport(is_healthy=True)

    async def health(self) -> HealthReport:
        return self.report

    async def numbers(self) -> GatewayNumbers:
        return GatewayNumbers({"connections": 3})


async def test_health_answers_200_or_503_with_the_facts() -> None:
    reader = Readings()
    reader.report = HealthReport(is_healthy=True, facts={"connections": 3})
    metrics = GatewayMetrics(CollectorRegistry())
    async with serve_http(gateway_app(reader, metrics), "127.0.0.1", 0) as port:
        status, head, body = await get(port, "/health")
        assert (status, json.loads(body)) == (200, {"status": "ok", "connections": 3})
        assert "cache-control: no-store" in head
        reader.report = HealthReport(is_healthy=False)
        status, _, body = await get(port, "/health")
        assert (status, json.loads(body)) == (503, {"status": "unavailable"})
        assert (await get(port, "/nothing"))[0] == 404


async def test_metrics_are_in_prometheus_text() -> None:
    metrics = GatewayMetrics(CollectorRegistry())
    metrics.observe_engine_failure("a", "node_lost")
    async with serve_http(gateway_app(Readings(), metrics), "127.0.0.1", 0) as port:
        status, head, body = await get(port, "/metrics")
    assert status == 200
    assert "text/plain" in head
    assert b'pgproxy_engine_failures_total{endpoint="a",reason="node_lost"} 1.0' in body
    assert b"pgproxy_connections 3.0" in body


async def test_leaving_stops_listening_and_keeps_what_was_raised() -> None:
    ports = []

    async def serve_and_fail() -> None:
        async with serve_http(
            gateway_app(Readings(), GatewayMetrics(CollectorRegistry())), "127.0.0.1", 0
        ) as port:
            ports.append(port)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await serve_and_fail()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", ports[0])


async def test_https_shows_a_renewed_certificate_to_new_connections(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1", "server")
    tls = HttpTls(issued.certificate, issued.key)
    app = gateway_app(Readings(), GatewayMetrics(CollectorRegistry()))
    async with serve_http(app, "127.0.0.1", 0, tls=tls) as port:
        shown = [await _shown_certificate(port)]
        authority.issue("127.0.0.1", "server")  # into the same files
        tls.reload()
        shown.append(await _shown_certificate(port))
        issued.key.write_text("no key")
        tls.reload()
        shown.append(await _shown_certificate(port))
    assert shown[0] != shown[1]
    assert shown[1] == shown[2], "files that cannot be used change nothing"


async def _shown_certificate(port: int) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return shown
