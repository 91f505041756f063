"""Backend messages: one frozen dataclass each, under PostgreSQL's own name, and `encode_backend`.

DataRow and CopyData usually come ready-made from `pgwire.rows` and `pgwire.copy`; the classes here serve the
few that are built by hand. PostgreSQL docs, "Message Formats" and "Error and Notice Message Fields".
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

_INT16 = struct.Struct("!h")
_COUNT16 = struct.Struct("!H")
_INT32 = struct.Struct("!i")
_OID = struct.Struct("!I")
_FIELD = struct.Struct("!IhIhih")


def _cstring(text: str) -> bytes:
    """Encode a zero-terminated string; like any C string it ends at the first zero character."""
    return text.partition("\0")[0].encode("utf-8", "replace") + b"\0"


def _encode_value(value: bytes | None) -> bytes:
    return _INT32.pack(-1) if value is None else _INT32.pack(len(value)) + value


class _Bodiless:
    """A message that is only its tag."""

    __slots__ = ()

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return b""


@dataclass(frozen=True, slots=True)
class AuthenticationOk:
    """Authentication succeeded."""

    tag: ClassVar[bytes] = b"R"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _INT32.pack(0)


@dataclass(frozen=True, slots=True)
class AuthenticationCleartextPassword:
    """Ask for the password as it is; only sent inside TLS."""

    tag: ClassVar[bytes] = b"R"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _INT32.pack(3)


@dataclass(frozen=True, slots=True)
class AuthenticationSASL:
    """Offer SASL mechanisms, in the server's order of preference."""

    mechanisms: tuple[str, ...]
    tag: ClassVar[bytes] = b"R"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _INT32.pack(10) + b"".join(map(_cstring, self.mechanisms)) + b"\0"


@dataclass(frozen=True, slots=True)
class AuthenticationSASLContinue:
    """The server's challenge."""

    data: bytes = field(repr=False)
    tag: ClassVar[bytes] = b"R"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _INT32.pack(11) + self.data


@dataclass(frozen=True, slots=True)
class AuthenticationSASLFinal:
    """The server's proof that it knows the verifier."""

    data: bytes = field(repr=False)
    tag: ClassVar[bytes] = b"R"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _INT32.pack(12) + self.data


@dataclass(frozen=True, slots=True)
class NegotiateProtocolVersion:
    """The server speaks an older minor version, or does not know some `_pq_.` options.

    protocol_version: the whole Int32, major in the upper half, as PostgreSQL sends it.
    """

    protocol_version: int
    unrecognized_options: tuple[str, ...]
    tag: ClassVar[bytes] = b"v"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        options = b"".join(map(_cstring, self.unrecognized_options))
        return _INT32.pack(self.protocol_version) + _INT32.pack(len(self.unrecognized_options)) + options


@dataclass(frozen=True, slots=True)
class BackendKeyData:
    """The cancellation credential. secret_key: 4 bytes in protocol 3.0, 4 to 256 in 3.2."""

    process_id: int
    secret_key: bytes = field(repr=False)
    tag: ClassVar[bytes] = b"K"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _INT32.pack(self.process_id) + self.secret_key


@dataclass(frozen=True, slots=True)
class ParameterStatus:
    """The value of a setting that clients follow."""

    name: str
    value: str
    tag: ClassVar[bytes] = b"S"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _cstring(self.name) + _cstring(self.value)


@dataclass(frozen=True, slots=True)
class ReadyForQuery:
    """A new query cycle may begin. status: b"I" idle, b"T" in a transaction block, b"E" in a failed one."""

    status: bytes
    tag: ClassVar[bytes] = b"Z"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return self.status


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One column of a RowDescription.

    table_oid, column_number: 0 where the column is not a table's. type_size: bytes, -1 varlena, -2 C string.
    typmod: -1 for none. format: 0 text, 1 binary; 0 while it is not known yet (Describe of a statement).
    """

    name: str
    table_oid: int
    column_number: int
    type_oid: int
    type_size: int
    typmod: int
    format: int = 0

    def encode(self) -> bytes:
        """Give this column's part of the body."""
        return _cstring(self.name) + _FIELD.pack(
            self.table_oid, self.column_number, self.type_oid, self.type_size, self.typmod, self.format
        )


@dataclass(frozen=True, slots=True)
class RowDescription:
    """The shape of the rows that follow or would follow."""

    fields: tuple[FieldDescription, ...]
    tag: ClassVar[bytes] = b"T"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _COUNT16.pack(len(self.fields)) + b"".join(field.encode() for field in self.fields)


@dataclass(frozen=True, slots=True)
class DataRow:
    """One encoded row. values: None is NULL."""

    values: tuple[bytes | None, ...] = field(repr=False)
    tag: ClassVar[bytes] = b"D"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        parts = [_COUNT16.pack(len(self.values))]
        parts.extend(_encode_value(value) for value in self.values)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class CommandComplete:
    """A statement ended. command_tag: `SELECT 5`, `INSERT 0 1`, `BEGIN`."""

    command_tag: str
    tag: ClassVar[bytes] = b"C"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _cstring(self.command_tag)


@dataclass(frozen=True, slots=True)
class EmptyQueryResponse(_Bodiless):
    """Instead of CommandComplete for an empty query string."""

    tag: ClassVar[bytes] = b"I"


@dataclass(frozen=True, slots=True)
class ParseComplete(_Bodiless):
    """The prepared statement exists."""

    tag: ClassVar[bytes] = b"1"


@dataclass(frozen=True, slots=True)
class BindComplete(_Bodiless):
    """The portal exists."""

    tag: ClassVar[bytes] = b"2"


@dataclass(frozen=True, slots=True)
class CloseComplete(_Bodiless):
    """The statement or portal is gone, or never was."""

    tag: ClassVar[bytes] = b"3"


@dataclass(frozen=True, slots=True)
class NoData(_Bodiless):
    """Describe: the statement or portal returns no rows."""

    tag: ClassVar[bytes] = b"n"


@dataclass(frozen=True, slots=True)
class PortalSuspended(_Bodiless):
    """Execute reached its row limit; the portal can go on."""

    tag: ClassVar[bytes] = b"s"


@dataclass(frozen=True, slots=True)
class ParameterDescription:
    """Describe of a statement: the parameters' type OIDs."""

    parameter_oids: tuple[int, ...]
    tag: ClassVar[bytes] = b"t"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _COUNT16.pack(len(self.parameter_oids)) + b"".join(map(_OID.pack, self.parameter_oids))


def _copy_response(overall_format: int, column_formats: tuple[int, ...]) -> bytes:
    formats = b"".join(map(_INT16.pack, column_formats))
    return bytes((overall_format,)) + _COUNT16.pack(len(column_formats)) + formats


@dataclass(frozen=True, slots=True)
class CopyInResponse:
    """COPY FROM STDIN: send the data. Formats: 0 text, 1 binary, one a column."""

    overall_format: int
    column_formats: tuple[int, ...]
    tag: ClassVar[bytes] = b"G"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _copy_response(self.overall_format, self.column_formats)


@dataclass(frozen=True, slots=True)
class CopyOutResponse:
    """COPY TO STDOUT: data follows. Formats: 0 text, 1 binary, one a column."""

    overall_format: int
    column_formats: tuple[int, ...]
    tag: ClassVar[bytes] = b"H"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _copy_response(self.overall_format, self.column_formats)


@dataclass(frozen=True, slots=True)
class CopyData:
    """A piece of COPY TO STDOUT; PostgreSQL's CopyData in this direction."""

    data: bytes = field(repr=False)
    tag: ClassVar[bytes] = b"d"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return self.data


@dataclass(frozen=True, slots=True)
class CopyDone(_Bodiless):
    """The end of COPY TO STDOUT; PostgreSQL's CopyDone in this direction."""

    tag: ClassVar[bytes] = b"c"


@dataclass(frozen=True, slots=True)
class NotificationResponse:
    """A NOTIFY reached this connection."""

    process_id: int
    channel: str
    payload: str
    tag: ClassVar[bytes] = b"A"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _INT32.pack(self.process_id) + _cstring(self.channel) + _cstring(self.payload)


@dataclass(frozen=True, slots=True)
class FunctionCallResponse:
    """The result of a FunctionCall. value: None is NULL."""

    value: bytes | None
    tag: ClassVar[bytes] = b"V"

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return _encode_value(self.value)


@dataclass(frozen=True, slots=True)
class _Report:
    """The fields that errors and notices share. position: 1-based, in characters of the query text."""

    severity: str
    sqlstate: SqlState
    message: str
    detail: str | None = None
    hint: str | None = None
    position: int | None = None
    where: str | None = None
    schema_name: str | None = None
    table_name: str | None = None
    column_name: str | None = None
    data_type_name: str | None = None
    constraint_name: str | None = None
    routine: str | None = None

    def encode_body(self) -> bytes:
        """Give the bytes after the length."""
        return (
            b"".join(code + _cstring(str(text)) for code, text in self._fields() if text is not None) + b"\0"
        )

    def _fields(self) -> Iterable[tuple[bytes, str | int | None]]:
        return (
            (b"S", self.severity),
            (b"V", self.severity),
            (b"C", self.sqlstate.value),
            (b"M", self.message),
            (b"D", self.detail),
            (b"H", self.hint),
            (b"P", self.position),
            (b"W", self.where),
            (b"s", self.schema_name),
            (b"t", self.table_name),
            (b"c", self.column_name),
            (b"d", self.data_type_name),
            (b"n", self.constraint_name),
            (b"R", self.routine),
        )


@dataclass(frozen=True, slots=True)
class ErrorResponse(_Report):
    """An error. severity: ERROR, FATAL or PANIC."""

    tag: ClassVar[bytes] = b"E"


@dataclass(frozen=True, slots=True)
class NoticeResponse(_Report):
    """A notice. severity: WARNING, NOTICE, DEBUG, INFO or LOG."""

    tag: ClassVar[bytes] = b"N"


def error_response(error: GatewayError) -> ErrorResponse:
    """Say an error in the protocol's words; FATAL where the connection ends with it."""
    return ErrorResponse(
        severity="FATAL" if error.fatal else "ERROR",
        sqlstate=error.sqlstate,
        message=error.message,
        detail=error.detail,
        hint=error.hint,
        position=error.position,
        where=error.where,
        schema_name=error.about.schema,
        table_name=error.about.table,
        column_name=error.about.column,
        constraint_name=error.about.constraint,
        routine=error.routine,
    )


BackendMessage: TypeAlias = (
    AuthenticationOk
    | AuthenticationCleartextPassword
    | AuthenticationSASL
    | AuthenticationSASLContinue
    | AuthenticationSASLFinal
    | NegotiateProtocolVersion
    | BackendKeyData
    | ParameterStatus
    | ReadyForQuery
    | RowDescription
    | DataRow
    | CommandComplete
    | EmptyQueryResponse
    | ParseComplete
    | BindComplete
    | CloseComplete
    | NoData
    | PortalSuspended
    | ParameterDescription
    | CopyInResponse
    | CopyOutResponse
    | CopyData
    | CopyDone
    | NotificationResponse
    | FunctionCallResponse
    | ErrorResponse
    | NoticeResponse
)


def encode_backend(message: BackendMessage) -> bytes:
    """Give the whole message: tag, length (which counts itself), body."""
    body = message.encode_body()
    return message.tag + _INT32.pack(len(body) + 4) + body
