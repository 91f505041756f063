"""One line of text for one backend message; what no two servers share (process ids, OIDs) is left out.

Two messages have the same line exactly if a client can take no different decision from them.
"""

import json
import struct
from collections.abc import Iterator

_REPORT_FIELDS = {"D": "detail", "H": "hint", "P": "position"}
"""Fields that are compared besides severity, code and message. F, L, R and W tell of PostgreSQL's source."""

_NAMES = {
    b"1": "ParseComplete", b"2": "BindComplete", b"3": "CloseComplete", b"n": "NoData",
    b"s": "PortalSuspended", b"I": "EmptyQueryResponse", b"c": "CopyDone",
}  # fmt: skip


def render(tag: bytes, body: bytes, own_process_id: int) -> str:
    """Give the line of a message.

    Raises:
        ValueError: a tag that is never sent after the start.
    """
    if tag in _NAMES:
        return _NAMES[tag] + (f" {_value(body)}" if body else "")
    match tag:
        case b"T":
            return "RowDescription" + "".join(f" {field}" for field in _fields(body))
        case b"D":
            return "DataRow" + "".join(f" {value}" for value in _values(body))
        case b"C":
            return f"CommandComplete {_text(body)}"
        case b"Z":
            return f"ReadyForQuery {body.decode()}"
        case b"t":
            return "ParameterDescription" + "".join(
                f" {oid}" for (oid,) in struct.iter_unpack("!I", body[2:])
            )
        case b"S":
            name, value, _ = body.decode().split("\0")
            return f"ParameterStatus {name} {json.dumps(value)}"
        case b"E" | b"N":
            return _report("ErrorResponse" if tag == b"E" else "NoticeResponse", body)
        case b"A":
            (process_id,) = struct.unpack_from("!i", body)
            channel, payload, _ = body[4:].decode().split("\0")
            sender = "self" if process_id == own_process_id else "other"
            return f"NotificationResponse {sender} {channel} {json.dumps(payload)}"
        case b"G" | b"H":
            return ("CopyInResponse " if tag == b"G" else "CopyOutResponse ") + body.hex()
        case b"d":
            return f"CopyData {_value(body)}"
    raise ValueError(f"unexpected message {tag!r}")


def _report(name: str, body: bytes) -> str:
    fields = {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}
    line = f"{name} {fields['S']} {fields['V']} {fields['C']} {json.dumps(fields['M'], ensure_ascii=False)}"
    for code, label in _REPORT_FIELDS.items():
        if code in fields:
            line += f" {label}={json.dumps(fields[code], ensure_ascii=False)}"
    return line


def _fields(body: bytes) -> Iterator[str]:
    (count,) = struct.unpack_from("!h", body)
    at = 2
    for _ in range(count):
        end = body.index(b"\0", at)
        name = body[at:end].decode()
        _, _, oid, size, typmod, code = struct.unpack_from("!IhIhih", body, end + 1)
        at = end + 19
        yield f"{json.dumps(name, ensure_ascii=False)}:{oid}:{size}:{typmod}:{code}"


def _values(body: bytes) -> Iterator[str]:
    (count,) = struct.unpack_from("!h", body)
    at = 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        yield "NULL" if length < 0 else _value(body[at : at + length])
        at += max(length, 0)


def _value(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return f"hex:{raw.hex()}"
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else f"hex:{raw.hex()}"


def _text(body: bytes) -> str:
    return body.rstrip(b"\0").decode()
