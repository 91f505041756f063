"""A PostgreSQL client that costs next to nothing: a socket, a login and a reader that never looks at a row.

A driver decodes rows and would be what is measured. This one receives into one large buffer and knows the
end of the answer by its last bytes: CommandComplete, whose tag also gives the row count, then ReadyForQuery.
PostgreSQL docs, "Frontend/Backend Protocol". It must be told no more than an address, and knows no SQL.
"""

import hashlib
import socket
import struct
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from scramp import ScramClient

from benchmarks.answer_end import Failed, ReceiveWindow, error_text

BUFFER_BYTES = 1 << 20
_PROTOCOL_3_0 = 196608
_TIMEOUT_S = 300.0


class ServerError(Exception):
    """The server answered with an ErrorResponse. Its text is the benchmark's own, so it may be shown."""


class UnexpectedMessage(Exception):
    """The server sent something that this client cannot read."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where and as whom to log in. password: None where the server trusts."""

    port: int
    user: str
    database: str
    password: str | None = None
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """One statement's answer. Times run from the sending of the statement.

    data_bytes: everything from the first DataRow or CopyData to the last, as received. first_row_s: until
    its first byte; the whole time where there is no row. digest: of exactly these bytes, if asked for.
    """

    rows: int
    data_bytes: int
    first_row_s: float
    wall_s: float
    digest: str | None = None


def frontend_message(tag: bytes, body: bytes = b"") -> bytes:
    """Frame a frontend message; an empty tag is the startup packet's."""
    return tag + struct.pack("!i", len(body) + 4) + body


def startup_packet(address: Address) -> bytes:
    """Encode StartupMessage."""
    pairs = {"user": address.user, "database": address.database, "client_encoding": "UTF8"}
    text = b"".join(f"{name}\0{value}\0".encode() for name, value in pairs.items())
    return frontend_message(b"", struct.pack("!i", _PROTOCOL_3_0) + text + b"\0")


def simple_query(sql: str) -> bytes:
    """Encode Query: every result column arrives as text."""
    return frontend_message(b"Q", sql.encode() + b"\0")


def extended_query(sql: str, result_format: int) -> bytes:
    """Encode Parse, Bind, Describe, Execute, Sync, all unnamed. result_format: 0 text, 1 binary."""
    return (
        frontend_message(b"P", b"\0" + sql.encode() + b"\0" + struct.pack("!h", 0))
        + frontend_message(b"B", b"\0\0" + struct.pack("!hhhh", 0, 0, 1, result_format))
        + frontend_message(b"D", b"P\0")
        + frontend_message(b"E", b"\0" + struct.pack("!i", 0))
        + frontend_message(b"S")
    )


class RawClient:
    """A logged-in connection. Use as a context manager, or `close` it."""

    def __init__(self, address: Address, buffer_bytes: int = BUFFER_BYTES) -> None:
        self._buffer = bytearray(buffer_bytes)
        self._socket = socket.create_connection((address.host, address.port), timeout=_TIMEOUT_S)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(startup_packet(address))
            self._log_in(address)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Send Terminate and close."""
        try:
            self._socket.sendall(frontend_message(b"X"))
        except OSError:
            return  # the server was faster; what was measured is measured
        finally:
            self._socket.close()

    def run(self, statement: bytes, *, hashed: bool = False, bytes_per_s: float | None = None) -> Answer:
        """Send a statement (from `simple_query` or `extended_query`) and read its answer to the end.

        hashed: also digest the rows, at a cost: for comparing servers, not for timing. bytes_per_s: no more.

        Raises:
            ServerError: an ErrorResponse came; the connection is usable again.
            UnexpectedMessage: the bytes before the first row are no messages that an answer begins with.
        """
        digest = hashlib.blake2b(digest_size=8) if hashed else None
        window = ReceiveWindow(self._buffer, None if digest is None else digest.update)
        start = time.perf_counter()
        self._socket.sendall(statement)
        has_rows = self._read_head(window)
        first_row_s = time.perf_counter() - start
        while (end := window.end()) is None:
            window.received(self._receive(window.space()))
            if bytes_per_s is not None:
                time.sleep(max(start + window.total_bytes / bytes_per_s - time.perf_counter(), 0))
        wall_s = time.perf_counter() - start
        if isinstance(end, Failed):
            raise ServerError(end.message)
        if has_rows and end.rows is None:
            raise UnexpectedMessage("rows came, and their CommandComplete does not count them")
        window.drop_trailer(end.trailer_bytes)
        return Answer(
            rows=end.rows or 0,
            data_bytes=window.total_bytes,
            first_row_s=first_row_s,
            wall_s=wall_s,
            digest=None if digest is None else digest.hexdigest(),
        )

    def copy_in(self, sql: str, data: memoryview, piece_bytes: int = 64 << 10) -> None:
        """Run COPY FROM STDIN with this data, a CopyData message for each piece.

        Raises:
            ServerError: an ErrorResponse came; the connection is usable again.
        """
        self._socket.sendall(simple_query(sql))
        tag, body = self._read_message()
        while tag not in b"GE":
            tag, body = self._read_message()
        if tag == b"G":
            for start in range(0, len(data), piece_bytes):
                piece = data[start : start + piece_bytes]
                self._socket.sendmsg([b"d" + struct.pack("!i", len(piece) + 4), piece])
            self._socket.sendall(frontend_message(b"c"))
        failure = error_text(body) if tag == b"E" else None
        while (message := self._read_message())[0] != b"Z":
            if message[0] == b"E":
                failure = error_text(message[1])
        if failure is not None:
            raise ServerError(failure)

    def fetch_text(self, sql: str) -> list[list[str | None]]:
        """Run a small query and decode its rows: for set-up and checks, never measured."""
        self._socket.sendall(simple_query(sql))
        rows: list[list[str | None]] = []
        failure: str | None = None
        while True:
            tag, body = self._read_message()
            if tag == b"D":
                rows.append(decode_text_row(body))
            elif tag == b"E":
                failure = error_text(body)
            elif tag == b"Z":
                break
        if failure is not None:
            raise ServerError(failure)
        return rows

    def _read_head(self, window: ReceiveWindow) -> bool:
        """Read until the window begins with a DataRow, or with what ends an answer without rows (False)."""
        while True:
            window.received(self._receive(window.space()))
            while (header := window.first_header()) is not None:
                tag, length = header[:1], int.from_bytes(header[1:], "big")
                if tag in b"DdCEI":
                    return tag in b"Dd"
                if tag not in b"T12nNStH":
                    raise UnexpectedMessage(f"message {tag!r} before the first row")
                if not window.skip(1 + length):
                    break

    def _receive(self, space: memoryview) -> int:
        count = self._socket.recv_into(space)
        if count == 0:
            raise ConnectionError("the server closed the connection")
        return count

    def _read_exactly(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            piece = self._socket.recv(count - len(received))
            if not piece:
                raise ConnectionError("the server closed the connection")
            received += piece
        return bytes(received)

    def _read_message(self) -> tuple[bytes, bytes]:
        header = self._read_exactly(5)
        return header[:1], self._read_exactly(int.from_bytes(header[1:], "big") - 4)

    def _log_in(self, address: Address) -> None:
        """Answer authentication requests and read to the first ReadyForQuery."""
        scram: ScramClient | None = None
        while True:
            tag, body = self._read_message()
            if tag == b"E":
                raise ServerError(error_text(body))
            if tag == b"Z":
                return
            if tag == b"R":
                scram = self._authenticate(address, scram, int.from_bytes(body[:4], "big"), body[4:])

    def _authenticate(
        self, address: Address, scram: ScramClient | None, kind: int, data: bytes
    ) -> ScramClient | None:
        """Answer one Authentication message: Ok (0), SASL (10), SASLContinue (11), SASLFinal (12)."""
        if kind == 0:
            return scram
        if kind == 10 and address.password is not None:
            # libpq's user name in SCRAM is ignored by the server: the startup packet's counts.
            scram = ScramClient(["SCRAM-SHA-256"], address.user, address.password)
            first = scram.get_client_first().encode()
            body = b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first
            self._socket.sendall(frontend_message(b"p", body))
        elif kind == 11 and scram is not None:
            scram.set_server_first(data.decode())
            self._socket.sendall(frontend_message(b"p", scram.get_client_final().encode()))
        elif kind == 12 and scram is not None:
            scram.set_server_final(data.decode())
        else:
            raise UnexpectedMessage(f"authentication request {kind}")
        return scram


def decode_text_row(body: bytes) -> list[str | None]:
    """Decode a DataRow's body whose columns are text."""
    values: list[str | None] = []
    at = 2
    for _ in range(int.from_bytes(body[:2], "big")):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        values.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return values
