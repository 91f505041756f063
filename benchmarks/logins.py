"""How many logins one core bears: SCRAM with and without TLS, secrets in the clear, HTTP Basic's hash.

Run: `python -m benchmarks.logins [--quick]`. The aim is 200 SCRAM logins a second on one core. A rate is
logins by the gateway's CPU seconds, so other work disturbs it little; the wall rate is beside it.
With SCRAM the 4,096 rounds of PBKDF2 are the client's work: the server checks a proof with a few hashes. A
password in the clear (`password` rules, HTTP Basic) costs the server those rounds, an API key does not.
"""

import argparse
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.machine import describe_machine, load_average
from benchmarks.processes import ProcessMeter
from pgproxy.control.api_keys import digest_key
from pgwire.auth.verifier import DEFAULT_ITERATIONS, make_verifier
from tests.certificates import Authority
from tests.faults.raw_client import SSL_REQUEST, RawClient
from tests.gateway import RunningGateway, start_gateway

AIM_PER_S = 200
CLIENTS = 8
POLICY = """
users: {analyst: {password: analyst-secret}, cleartext: {password: cleartext-secret}}
hba_rules:
  - hostssl all cleartext all password
  - host all all all scram-sha-256
"""


def log_in(port: int, user: str, secret: str, context: ssl.SSLContext | None) -> None:
    """Connect, log in, and leave."""
    with RawClient(port, 60.0) as client:
        if context is not None:
            client.send(SSL_REQUEST)
            assert client.receive_bytes(1) == b"S"
            client.start_tls(context)
        client.log_in(user, secret)


def measure(title: str, gateway: RunningGateway, count: int, one: Callable[[], None]) -> float:
    """Log in `count` times by several clients; print the rates and give that of one core."""
    one()
    meter = ProcessMeter({"gateway": (gateway.process.pid,)})
    meter.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda _: one(), range(count)))
    used = meter.stop()
    per_core_s = count / used.cpu_s["gateway"]
    print(
        f"{title:42s} {per_core_s:8.0f} a core second  {count / used.wall_s:8.0f} a second here"
        f"  ({used.cpu_s['gateway'] / count * 1e3:.2f} ms CPU each)"
    )
    return per_core_s


def measure_hashes(seconds: float) -> None:
    """Print what checking one secret in the clear costs."""
    for title, check in (
        (f"PBKDF2, {DEFAULT_ITERATIONS} rounds (a password in clear)", lambda: make_verifier("x", b"s" * 16)),
        ("SHA-256 (an API key)", lambda: digest_key("x" * 65)),
    ):
        count, start = 0, time.process_time()
        while time.process_time() - start < seconds:
            check()
            count += 1
        print(f"{title:42s} {count / (time.process_time() - start):8.0f} a core second")


def main(arguments: list[str]) -> int:
    """Measure and print. The exit status is 1 where the aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logins")
    parser.add_argument("--quick", action="store_true", help="a tenth of the logins")
    count = 200 if parser.parse_args(arguments).quick else 2000
    print(f"{describe_machine()}\nload {load_average()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder)
        server = authority.issue("127.0.0.1", "server")
        files = {"TLS_CERT_FILE": str(server.certificate), "TLS_KEY_FILE": str(server.key)}
        context = ssl.create_default_context(cafile=authority.file)
        context.set_alpn_protocols(["postgresql"])
        with start_gateway(folder, policy=POLICY, **files) as gateway:
            port = gateway.port
            key = gateway.cli("key", "create", "cleartext").strip()

            def login(user: str, secret: str, tls: ssl.SSLContext | None) -> Callable[[], None]:
                return lambda: log_in(port, user, secret, tls)

            scram = ("analyst", "analyst-secret")
            rate = measure("SCRAM", gateway, count, login(*scram, None))
            measure("TLS 1.3 and SCRAM", gateway, count, login(*scram, context))
            clear = login("cleartext", "cleartext-secret", context)
            measure("TLS 1.3 and a password in the clear", gateway, count, clear)
            measure("TLS 1.3 and an API key in the clear", gateway, count, login("cleartext", key, context))
    measure_hashes(0.2 if count == 200 else 2.0)
    print(f"aim: {AIM_PER_S} SCRAM logins a core second: {'met' if rate >= AIM_PER_S else 'missed'}")
    return 0 if rate >= AIM_PER_S else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
