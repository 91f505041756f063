"""A slow, obviously right encoder.

One value at a time, in plain Python. The reference of the row properties.
"""

import json
import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from pgwire.rows import EncodedRows

_EPOCH_DATE = date(2000, 1, 1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def split_rows(rows: EncodedRows, tag: bytes = b"D") -> list[list[bytes | None]]:
    """Read DataRow messages one field at a time, and check lengths and offsets on the way."""
    data, at, result = bytes(rows.data), 0, []
    offsets = list(rows.offsets)
    while at < len(data):
        assert at == offsets[len(result)]
        assert data[at : at + 1] == tag
        length, count = struct.unpack_from("!ih", data, at + 1)
        end, at = at + 1 + length, at + 7
        values: list[bytes | None] = []
        for _ in range(count):
            (size,) = struct.unpack_from("!i", data, at)
            at += 4
            values.append(None if size == -1 else data[at : at + size])
            at += max(size, 0)
        assert at == end
        result.append(values)
    assert offsets[-1] == len(data)
    assert rows.row_count == len(result) == len(offsets) - 1
    return result


def text(value: object) -> bytes | None:
    """Give PostgreSQL's text of one value."""
    return None if value is None else _text(value).encode()


def _text(value: object) -> str:
    match value:
        case bool():
            return "t" if value else "f"
        case float():
            return _float(value)
        case Decimal():
            return f"{value:f}"
        case bytes():
            return "\\x" + value.hex()
        case datetime():
            stamp = value.replace(tzinfo=None).isoformat(" ")
            stamp = stamp.rstrip("0").rstrip(".") if "." in stamp else stamp
            return stamp + ("+00" if value.tzinfo else "")
        case time():
            stamp = value.isoformat()
            return stamp.rstrip("0") if "." in stamp else stamp
        case list():
            return "{" + ",".join(_element(item) for item in value) + "}"
        case dict():
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        case _:
            return str(value)


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    shown = _text(value)
    if isinstance(value, list):
        return shown
    if shown == "" or shown.upper() == "NULL" or any(mark in '{},"\\ \t\n\v\f\r' for mark in shown):
        return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return shown


def _float(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    mantissa, _, exponent = f"{Decimal(repr(value)):e}".partition("e")
    if value == 0:
        return "-0" if str(value).startswith("-") else "0"
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    power = int(exponent)
    if -4 <= power < 15:
        plain = f"{Decimal(repr(value)):f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def binary(value: object, layout: str = "") -> bytes | None:
    """Give PostgreSQL's binary of one value. layout: struct's, for numbers."""
    match value:
        case None:
            return None
        case bool():
            return bytes([value])
        case int() | float():
            return struct.pack("!" + layout, value)
        case Decimal():
            return numeric(value)
        case datetime():
            delta = value.replace(tzinfo=UTC) - _EPOCH
            return struct.pack("!q", (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)
        case date():
            return struct.pack("!i", (value - _EPOCH_DATE).days)
        case time():
            seconds = value.hour * 3600 + value.minute * 60 + value.second
            return struct.pack("!q", seconds * 1_000_000 + value.microsecond)
        case UUID():
            return value.bytes
        case bytes():
            return value
        case _:
            return str(value).encode()


def numeric(value: Decimal) -> bytes:
    """Base-10,000 digits by strings."""
    shown = f"{value.copy_abs():f}"  # abs() rounds to the context's 28 digits
    whole, _, fraction = shown.partition(".")
    scale = len(fraction)
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-scale // 4) * 4, "0")
    groups = [int((whole + fraction)[at : at + 4]) for at in range(0, len(whole + fraction), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    sign = 0x4000 if value < 0 and groups else 0
    return struct.pack(f"!HhHH{len(groups)}H", len(groups), weight if groups else 0, sign, scale, *groups)
