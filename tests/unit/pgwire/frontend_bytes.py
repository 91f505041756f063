"""The client's side of the wire: encodes every frontend message, for tests that need honest bytes."""

import struct

from pgwire.frontend import (
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    FrontendMessage,
    FunctionCall,
    Parse,
    PasswordMessage,
    Query,
    Sync,
    Terminate,
)


def cstring(text: str) -> bytes:
    return text.encode() + b"\0"


def int32(value: int) -> bytes:
    return struct.pack("!i", value)


def format_codes(values: tuple[int, ...]) -> bytes:
    return struct.pack(f"!H{len(values)}H", len(values), *(code & 0xFFFF for code in values))


def value_bytes(value: bytes | None) -> bytes:
    return int32(-1) if value is None else int32(len(value)) + value


def tagged(tag: bytes, body: bytes = b"") -> bytes:
    return tag + int32(len(body) + 4) + body


def untagged(body: bytes) -> bytes:
    return int32(len(body) + 4) + body


def startup_body(version: int, *strings: str) -> bytes:
    return int32(version) + b"".join(map(cstring, strings)) + b"\0"


def sasl_initial(mechanism: str, data: bytes | None) -> PasswordMessage:
    return PasswordMessage(cstring(mechanism) + value_bytes(data))


def body_of(message: FrontendMessage) -> tuple[bytes, bytes]:  # the tag, the body
    match message:
        case Query(query):
            return b"Q", cstring(query)
        case Parse(statement, query, oids):
            return b"P", cstring(statement) + cstring(query) + struct.pack(
                f"!H{len(oids)}I", len(oids), *oids
            )
        case Bind(portal, statement, formats, parameters, results):
            values = struct.pack("!H", len(parameters)) + b"".join(map(value_bytes, parameters))
            head = cstring(portal) + cstring(statement) + format_codes(formats)
            return b"B", head + values + format_codes(results)
        case Describe(kind, name):
            return b"D", kind + cstring(name)
        case Close(kind, name):
            return b"C", kind + cstring(name)
        case Execute(portal, max_rows):
            return b"E", cstring(portal) + int32(max_rows)
        case Sync():
            return b"S", b""
        case Flush():
            return b"H", b""
        case Terminate():
            return b"X", b""
        case CopyData(data):
            return b"d", data
        case CopyDone():
            return b"c", b""
        case CopyFail(reason):
            return b"f", cstring(reason)
        case FunctionCall(oid):
            return b"F", struct.pack("!IHHH", oid, 0, 0, 0)
        case PasswordMessage(body):
            return b"p", body


def encode_frontend(message: FrontendMessage) -> bytes:
    return tagged(*body_of(message))
