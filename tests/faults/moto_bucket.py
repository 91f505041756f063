"""An S3 store on loopback: moto's server as a process of its own."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from xml.etree import ElementTree as Xml

from demo.ports import free_port

PROGRAM = Path(sys.executable).parent / "moto_server"
_KEY = "{http://s3.amazonaws.com/doc/2006-03-01/}Key"
_PATIENCE_S = 30.0


def is_installed() -> bool:
    """Whether moto's server is there; it comes with the extra `test`."""
    return shutil.which(PROGRAM) is not None


@dataclass(frozen=True)
class Bucket:
    """One bucket of a store that listens at `port`."""

    process: "subprocess.Popen[bytes]"
    port: int
    name: str

    def options(self) -> list[str]:
        """What `pgproxy catalog add` needs to find the store."""
        values = (f"s3_endpoint=127.0.0.1:{self.port}", "s3_url_style=path", "s3_use_ssl=false")
        return [word for value in (*values, "s3_region=us-east-1") for word in ("--option", value)]

    def objects(self) -> list[str]:
        """Name every object."""
        listing = Xml.fromstring(self._ask("GET", f"/{self.name}?list-type=2"))
        return [str(key.text) for key in listing.iter(_KEY)]

    def create(self) -> None:
        """Create it."""
        self._ask("PUT", f"/{self.name}")

    def stop(self) -> None:
        """End the store."""
        self.process.kill()
        self.process.wait()

    def _ask(self, method: str, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        # The signature is not checked; its scope tells the server which service is meant.
        scope = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/s3/aws4_request, SignedHeaders=host"
        connection.request(method, path, headers={"Authorization": f"{scope}, Signature=00"})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.status == 200, response.status
        return body


@contextmanager
def moto_bucket(name: str) -> Iterator[Bucket]:
    """Run a store with one empty bucket."""
    port = free_port()
    process = subprocess.Popen(
        [PROGRAM, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    bucket = Bucket(process, port, name)
    try:
        _wait_listening(port)
        bucket.create()
        yield bucket
    finally:
        bucket.stop()


def _wait_listening(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the store does not start"
            time.sleep(0.05)
        else:
            return
