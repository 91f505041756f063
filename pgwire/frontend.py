"""Frontend messages: one frozen dataclass each, under PostgreSQL's own name, and `decode_frontend`.

Secrets, SQL text and values stay out of every `repr`, so that no traceback or log shows them.
A decoder returns a message or raises; it never leaves unread bytes unnoticed. PostgreSQL docs, "Message
Formats".
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from pgwire.errors import ProtocolViolation, StatementError
from pgwire.sqlstate import SqlState

_UINT16 = struct.Struct("!H")
_INT32 = struct.Struct("!i")
_OID = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Query:
    """Frontend Query ('Q'): run a string of statements by the simple protocol."""

    query: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parse:
    """Frontend Parse ('P'): create a prepared statement.

    parameter_oids: declared type OIDs, 0 = infer; may be shorter than the real parameter count.
    """

    statement: str
    query: str = field(repr=False)
    parameter_oids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bind:
    """Frontend Bind ('B'): create a portal from a prepared statement.

    parameter_formats, result_formats: none (all text), one for all, or one each; 0 text, 1 binary.
    parameters: None is NULL.
    """

    portal: str
    statement: str
    parameter_formats: tuple[int, ...] = ()
    parameters: tuple[bytes | None, ...] = field(default=(), repr=False)
    result_formats: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Describe:
    """Frontend Describe ('D'). kind: b"S" statement, b"P" portal."""

    kind: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Execute:
    """Frontend Execute ('E'): run a portal. max_rows: zero or less means all."""

    portal: str
    max_rows: int = 0


@dataclass(frozen=True, slots=True)
class Close:
    """Frontend Close ('C'). kind: b"S" statement, b"P" portal."""

    kind: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Sync:
    """Frontend Sync ('S'): end of a pipeline; asks for ReadyForQuery."""


@dataclass(frozen=True, slots=True)
class Flush:
    """Frontend Flush ('H'): send what is pending."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Frontend Terminate ('X'): close the connection."""


@dataclass(frozen=True, slots=True)
class CopyData:
    """Frontend CopyData ('d'): a piece of COPY FROM STDIN, cut anywhere."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CopyDone:
    """Frontend CopyDone ('c'): the end of the COPY data."""


@dataclass(frozen=True, slots=True)
class CopyFail:
    """Frontend CopyFail ('f'): make the COPY fail."""

    reason: str


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """Frontend FunctionCall ('F'): the fastpath. Its arguments are checked, not kept: none is called."""

    function_oid: int


@dataclass(frozen=True, slots=True)
class PasswordMessage:
    """Frontend 'p': PasswordMessage, SASLInitialResponse or SASLResponse; only the exchange knows which."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SASLInitialResponse:
    """The client's choice of mechanism. data: None where the client sends no initial response."""

    mechanism: str
    data: bytes | None = field(repr=False)


FrontendMessage: TypeAlias = (
    Query
    | Parse
    | Bind
    | Describe
    | Execute
    | Close
    | Sync
    | Flush
    | Terminate
    | CopyData
    | CopyDone
    | CopyFail
    | FunctionCall
    | PasswordMessage
)

MESSAGE_TYPES: Mapping[bytes, type[FrontendMessage]] = MappingProxyType(
    {
        b"Q": Query,
        b"P": Parse,
        b"B": Bind,
        b"D": Describe,
        b"E": Execute,
        b"C": Close,
        b"S": Sync,
        b"H": Flush,
        b"X": Terminate,
        b"d": CopyData,
        b"c": CopyDone,
        b"f": CopyFail,
        b"F": FunctionCall,
        b"p": PasswordMessage,
    }
)
"""What each tag announces."""


class _BodyReader:
    """Takes fields off a message body in order, and knows whether all of it was taken."""

    __slots__ = ("_body", "_offset")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._offset = 0

    def take(self, size: int) -> bytes:
        end = self._offset + size
        if size < 0 or end > len(self._body):
            raise ProtocolViolation("insufficient data left in message")
        data = self._body[self._offset : end]
        self._offset = end
        return data

    def string(self) -> str:
        end = self._body.find(b"\0", self._offset)
        if end < 0:
            raise ProtocolViolation("invalid string in message")
        raw = self._body[self._offset : end]
        self._offset = end + 1
        return decode_text(raw)

    def uint16(self) -> int:
        value: int = _UINT16.unpack(self.take(2))[0]
        return value

    def int32(self) -> int:
        value: int = _INT32.unpack(self.take(4))[0]
        return value

    def oid(self) -> int:
        value: int = _OID.unpack(self.take(4))[0]
        return value

    def format_codes(self) -> tuple[int, ...]:
        """A count and that many format codes; signed, as the server holds them and sends them back."""
        count = self.uint16()
        return struct.unpack(f"!{count}h", self.take(2 * count))

    def oids(self) -> tuple[int, ...]:
        """A count and that many OIDs."""
        count = self.uint16()
        return struct.unpack(f"!{count}I", self.take(4 * count))

    def value(self) -> bytes | None:
        """A length, -1 for NULL, and that many bytes."""
        size = self.int32()
        return None if size == -1 else self.take(size)

    def rest(self) -> bytes:
        return self.take(len(self._body) - self._offset)

    def end(self) -> None:
        if self._offset != len(self._body):
            raise ProtocolViolation("invalid message format")


def decode_text(raw: bytes) -> str:
    """Decode text from the client.

    Raises:
        StatementError: 22021, as PostgreSQL; an ERROR, the connection goes on. The bytes are not repeated.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise StatementError(
            'invalid byte sequence for encoding "UTF8"', sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE
        ) from None


def _decode_query(body: _BodyReader) -> Query:
    return Query(body.string())


def _decode_parse(body: _BodyReader) -> Parse:
    return Parse(body.string(), body.string(), body.oids())


def _decode_bind(body: _BodyReader) -> Bind:
    portal, statement, formats = body.string(), body.string(), body.format_codes()
    values = tuple(body.value() for _ in range(body.uint16()))
    return Bind(portal, statement, formats, values, body.format_codes())


def _decode_target(body: _BodyReader, message: str) -> tuple[bytes, str]:
    kind = body.take(1)
    if kind not in (b"S", b"P"):
        raise ProtocolViolation(f"invalid {message} message subtype {kind[0]}")
    return kind, body.string()


def _decode_describe(body: _BodyReader) -> Describe:
    return Describe(*_decode_target(body, "DESCRIBE"))


def _decode_close(body: _BodyReader) -> Close:
    return Close(*_decode_target(body, "CLOSE"))


def _decode_execute(body: _BodyReader) -> Execute:
    return Execute(body.string(), body.int32())


def _decode_copy_fail(body: _BodyReader) -> CopyFail:
    return CopyFail(body.string())


def _decode_function_call(body: _BodyReader) -> FunctionCall:
    function_oid = body.oid()
    body.format_codes()
    for _ in range(body.uint16()):
        body.value()
    body.uint16()
    return FunctionCall(function_oid)


_DECODERS: dict[bytes, Callable[[_BodyReader], FrontendMessage]] = {
    b"Q": _decode_query,
    b"P": _decode_parse,
    b"B": _decode_bind,
    b"D": _decode_describe,
    b"E": _decode_execute,
    b"C": _decode_close,
    b"S": lambda _: Sync(),
    b"H": lambda _: Flush(),
    b"X": lambda _: Terminate(),
    b"d": lambda body: CopyData(body.rest()),
    b"c": lambda _: CopyDone(),
    b"f": _decode_copy_fail,
    b"F": _decode_function_call,
    b"p": lambda body: PasswordMessage(body.rest()),
}


def _read_bind(body: bytes) -> Bind | None:
    """Read a well-formed Bind at once; None: it is not, and `_decode_bind` says why."""
    try:
        portal_end = body.index(b"\0")
        at = body.index(b"\0", portal_end + 1)
        portal, statement = body[:portal_end].decode(), body[portal_end + 1 : at].decode()
        formats, at = _read_codes(body, at + 1)
        (count,) = _UINT16.unpack_from(body, at)
        at += 2
        values: list[bytes | None] = []
        for _ in range(count):
            (size,) = _INT32.unpack_from(body, at)
            at += 4
            values.append(None if size == -1 else body[at : at + size])
            if size < -1:
                return None
            at += max(size, 0)
        result_formats, at = _read_codes(body, at)
    except (ValueError, struct.error):
        return None
    return Bind(portal, statement, formats, tuple(values), result_formats) if at == len(body) else None


def _read_codes(body: bytes, at: int) -> tuple[tuple[int, ...], int]:
    (count,) = _UINT16.unpack_from(body, at)
    if not count:
        return (), at + 2
    return struct.unpack_from(f"!{count}h", body, at + 2), at + 2 + 2 * count


def _read_describe(body: bytes) -> Describe | None:
    """Read a well-formed Describe at once, like `_read_bind`."""
    kind = body[:1]
    if kind not in (b"S", b"P") or body.find(b"\0") != len(body) - 1:
        return None
    try:
        return Describe(kind, body[1:-1].decode())
    except UnicodeDecodeError:
        return None


def _read_execute(body: bytes) -> Execute | None:
    """Read a well-formed Execute at once, like `_read_bind`."""
    end = body.find(b"\0")
    if end < 0 or end != len(body) - 5:
        return None
    try:
        return Execute(body[:end].decode(), _INT32.unpack_from(body, end + 1)[0])
    except UnicodeDecodeError:
        return None


_SYNC = Sync()

_READERS: dict[bytes, Callable[[bytes], FrontendMessage | None]] = {
    b"B": _read_bind,
    b"D": _read_describe,
    b"E": _read_execute,
    b"S": lambda body: None if body else _SYNC,
}
"""For the messages of a prepared statement's run, which are decoded more often than all others."""


def decode_frontend(tag: bytes, body: bytes) -> FrontendMessage:
    """Decode one message. tag: one byte; body: the bytes after the length.

    Raises:
        ProtocolViolation: unknown tag; missing or left-over bytes; a count that the bytes do not bear out.
        StatementError: 22021, text that is not UTF-8. `Session.reject` turns it into the right answer.
    """
    read = _READERS.get(tag)
    if read is not None and (found := read(body)) is not None:
        return found
    decoder = _DECODERS.get(tag)
    if decoder is None:
        raise ProtocolViolation(f"invalid frontend message type {int.from_bytes(tag)}")
    reader = _BodyReader(body)
    message = decoder(reader)
    reader.end()
    return message


def decode_password(message: PasswordMessage) -> str:
    """Read 'p' as PasswordMessage: a cleartext password.

    Raises:
        ProtocolViolation: no terminator, or bytes after it.
        StatementError: 22021.
    """
    reader = _BodyReader(message.body)
    password = reader.string()
    reader.end()
    return password


def decode_sasl_initial_response(message: PasswordMessage) -> SASLInitialResponse:
    """Read 'p' as SASLInitialResponse.

    Raises:
        ProtocolViolation: missing or left-over bytes.
        StatementError: 22021.
    """
    reader = _BodyReader(message.body)
    response = SASLInitialResponse(reader.string(), reader.value())
    reader.end()
    return response
