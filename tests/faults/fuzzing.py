"""Broken conversations: recorded sessions of good clients, and what chance makes of them."""

import random
import struct
from collections.abc import Callable

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
    Query,
    Sync,
    Terminate,
)
from tests.faults.raw_client import GSSENC_REQUEST, SSL_REQUEST, cancel_request, startup
from tests.unit.pgwire.frontend_bytes import cstring, encode_frontend, int32, tagged

Session = tuple[bytes, ...]


def _session(*messages: FrontendMessage) -> Session:
    return tuple(encode_frontend(message) for message in messages)


SESSIONS: dict[str, Session] = {
    "simple": _session(
        Query("SELECT id, name, email FROM sales.customers WHERE id < 40 ORDER BY id"),
        Query("SELECT 1; SELECT 'two'; SHOW TimeZone"),
        Query("BEGIN; SELECT 1 / 0; COMMIT"),
        Query("ROLLBACK"),
        Query("SET application_name = 'fuzzed'; SELECT current_user"),
    ),
    "extended": _session(
        Parse("", "SELECT n, label FROM numbers WHERE n < $1 AND label <> $2", (23, 25)),
        Bind("", "", (1, 0), (struct.pack("!i", 50), b"text 3"), (1, 0)),
        Describe(b"P", ""),
        Execute("", 0),
        Sync(),
        Parse("named", "SELECT $1::date + 1, $2::numeric, $3::text", ()),
        Describe(b"S", "named"),
        Bind("portal", "named", (), (b"2024-02-28", b"12.50", None), ()),
        Execute("portal", 1),
        Close(b"P", "portal"),
        Close(b"S", "named"),
        Sync(),
    ),
    "suspended": _session(
        Query("BEGIN"),
        Parse("s", "SELECT n FROM numbers ORDER BY n", ()),
        Bind("p", "s", (), (), ()),
        Execute("p", 7),
        Flush(),
        Execute("p", 7),
        Execute("p", 100),
        Close(b"P", "p"),
        Sync(),
        Query("COMMIT"),
    ),
    "copy": _session(
        Query("COPY (SELECT * FROM numbers WHERE n < 100) TO STDOUT"),
        Query("COPY (SELECT * FROM numbers WHERE n < 100) TO STDOUT (FORMAT csv, HEADER)"),
        Query("COPY (SELECT n FROM numbers WHERE n < 100) TO STDOUT (FORMAT binary)"),
        Query("COPY fuzzed FROM STDIN"),
        CopyData(b"1\tone\n2\ttwo\n"),
        CopyData(b"3\t\\N\n"),
        CopyDone(),
        Query("COPY fuzzed FROM STDIN (FORMAT csv)"),
        CopyData(b'4,"f,our"\n'),
        CopyFail("changed my mind"),
    ),
    "cursors": _session(
        Query("BEGIN"),
        Query("DECLARE c CURSOR FOR SELECT n, label FROM numbers ORDER BY n"),
        Query("FETCH 5 FROM c"),
        Query("MOVE 3 IN c"),
        Query("FETCH 5 FROM c; CLOSE c"),
        Query("PREPARE q (int) AS SELECT n FROM numbers WHERE n = $1"),
        Query("EXECUTE q (7)"),
        Query("DEALLOCATE q"),
        Query("COMMIT"),
        FunctionCall(1),
        Terminate(),
    ),
}

LOGIN: Session = (
    startup("analyst", application_name="fuzzed"),
    tagged(b"p", cstring("SCRAM-SHA-256") + int32(30) + b"n,,n=,r=rOprNGfwEbeRWgbNEkqO0."),
    tagged(b"p", b"c=biws,r=rOprNGfwEbeRWgbNEkqO0.,p=" + b"A" * 43 + b"="),
)
OPENINGS: Session = (
    SSL_REQUEST,
    GSSENC_REQUEST,
    cancel_request(12345, b"key!"),
    cancel_request(12345, b"k" * 32),
    startup("analyst", version=3 << 16 | 2, **{"_pq_.option": "on"}),
    b"\x16\x03\x01\x00\x05hello",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
)

_INTERESTING_INTS = (-1, 0, 1, 4, 5, 127, 255, 10_000, 65_535, 2**31 - 1, -(2**31))


def mutate_body(message: bytes, chance: random.Random) -> bytes:
    """Change a message's body, and keep its frame honest."""
    body = bytearray(message[5:])
    change = chance.choice((_flip, _flip, _insert, _cut, _overwrite_int, _repeat))
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        change(body, chance)
    tag = message[:1] if chance.random() < 0.97 else bytes([chance.choice(b"QPBDCEHSdcfFX")])
    return tagged(tag, bytes(body))


def mutate_bytes(message: bytes, chance: random.Random) -> bytes:
    """Change any byte, the frame's too."""
    data = bytearray(message)
    change = chance.choice((_flip, _insert, _cut, _overwrite_int, _repeat))
    change(data, chance)
    return bytes(data)


def mutate_order(session: Session, chance: random.Random) -> Session:
    """Leave messages out, repeat them or let them change places."""
    messages = list(session)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(messages))
        match chance.randrange(3):
            case 0 if len(messages) > 1:
                del messages[place]
            case 1:
                messages.insert(chance.randrange(len(messages) + 1), messages[place])
            case _:
                messages[place], messages[0] = messages[0], messages[place]
    return tuple(messages)


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _insert(data: bytearray, chance: random.Random) -> None:
    place = chance.randint(0, len(data))
    data[place:place] = chance.randbytes(chance.choice((1, 2, 4, 16)))


def _cut(data: bytearray, chance: random.Random) -> None:
    if data:
        place = chance.randrange(len(data))
        del data[place : place + chance.choice((1, 2, 4, len(data)))]


def _overwrite_int(data: bytearray, chance: random.Random) -> None:
    size, layout = chance.choice(((2, "!H"), (4, "!i")))
    if len(data) < size:
        return
    place = chance.randint(0, len(data) - size)
    value = chance.choice(_INTERESTING_INTS)
    data[place : place + size] = struct.pack(layout, value if layout == "!i" else value & 0xFFFF)


def _repeat(data: bytearray, chance: random.Random) -> None:
    if data:
        place = chance.randrange(len(data))
        piece = data[place : place + chance.choice((1, 8, 64))]
        data[place:place] = bytes(piece) * chance.choice((1, 3, 200))


Mutator = Callable[[bytes, random.Random], bytes]
