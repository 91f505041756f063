"""A bare connection that sends frontend messages as bytes and reads backend messages one by one."""

import socket
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from scramp import ScramClient

from tests.wire.rendering import render

_PROTOCOL_3_0 = 196608


@dataclass(frozen=True)
class Target:
    """A server to talk to. password: None where it trusts."""

    host: str
    port: int
    user: str
    database: str
    password: str | None = None


class WireConnection:
    """One connection, past its start."""

    def __init__(self, target: Target, timeout_s: float = 90.0) -> None:
        self._socket = socket.create_connection((target.host, target.port), timeout_s)
        self._buffer = b""
        self.process_id = 0
        self.parameters: dict[str, str] = {}
        self._start(target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def receive(self) -> tuple[bytes, bytes] | None:
        """Give the next message's tag and body, or None where the server has closed."""
        head = self._take(5)
        if head is None:
            return None
        body = self._take(struct.unpack("!i", head[1:])[0] - 4)
        return None if body is None else (head[:1], body)

    def receive_line(self) -> str:
        """Give the next message as text; `Closed` at the end of the stream."""
        message = self.receive()
        return "Closed" if message is None else render(*message, self.process_id)

    def receive_until(self, name: str, times: int = 1) -> list[str]:
        """Give lines until the message `name` has come `times` times, or the server has closed."""
        lines: list[str] = []
        while times:
            lines.append(self.receive_line())
            if lines[-1] == "Closed":
                break
            times -= lines[-1].split()[0] == name
        return lines

    def _take(self, size: int) -> bytes | None:
        while len(self._buffer) < size:
            try:
                data = self._socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _start(self, target: Target) -> None:
        fields = f"user\0{target.user}\0database\0{target.database}\0\0".encode()
        self.send(struct.pack("!ii", len(fields) + 8, _PROTOCOL_3_0) + fields)
        scram = ScramClient(["SCRAM-SHA-256"], target.user, target.password) if target.password else None
        while (message := self.receive()) is not None:
            tag, body = message
            if tag == b"R":
                self._authenticate(body, scram)
            elif tag == b"S":
                name, value, _ = body.decode().split("\0")
                self.parameters[name] = value
            elif tag == b"K":
                self.process_id = struct.unpack_from("!i", body)[0]
            elif tag == b"Z":
                return
            elif tag == b"E":
                break
        raise ConnectionError("the server refused the connection")

    def _authenticate(self, body: bytes, scram: ScramClient | None) -> None:
        (kind,) = struct.unpack_from("!i", body)
        if kind == 0 or scram is None:
            return
        if kind == 10:
            first = scram.get_client_first().encode()
            self.send(message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first))
        elif kind == 11:
            scram.set_server_first(body[4:].decode())
            self.send(message(b"p", scram.get_client_final().encode()))
        elif kind == 12:
            scram.set_server_final(body[4:].decode())


def message(tag: bytes, body: bytes = b"") -> bytes:
    """Frame one frontend message."""
    return tag + struct.pack("!i", len(body) + 4) + body
