"""`.pgt` transcripts: what a client sends, and the messages that PostgreSQL answers, line by line.

    # a comment
    only writable            (a gateway whose database is read-only skips the file)
    connection b             (the following groups go over another connection; the first is `a`)
    > Query select 1         (what is sent; `-` is the unnamed statement or portal)
    > Parse s1 [23 0] select $1
    > Bind p1 s1 values=["1", null] formats=[0] results=[1]
    > Describe S s1   > Describe P p1   > Execute p1 10   > Close P p1   > Sync   > Flush   > Terminate
    > Raw Z 0a0b             (a tag and a body in hexadecimal digits)
    + Query select 2         (sent in the same packet, though the line before ends a group)
    until ErrorResponse 1    (read so far; without it: one ReadyForQuery per Query and Sync)
    < ReadyForQuery I        (what both answer)
    p< ...   g< ...          (a known difference: PostgreSQL's answer, and the gateway's)

`python -m tests.wire --write FILES` records what PostgreSQL answers; lines of `g<` are kept.
"""

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.wire.connection import Target, WireConnection, message

_ANSWERED = ("Query", "Sync")
_FIELD = re.compile(r"(\w+)=(\[.*?\])(?= \w+=|$)")


@dataclass
class Group:
    """Messages that are sent together, and the answer. gateway: its own, where it is known to differ."""

    connection: str
    sends: list[str] = field(default_factory=list)
    until: str | None = None
    expected: list[str] = field(default_factory=list)
    gateway: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the next `>` begins another group."""
        has_answer = bool(self.expected or self.gateway or self.until)
        return has_answer or (bool(self.sends) and self.sends[-1].split()[0] in _ANSWERED)

    @property
    def stop(self) -> tuple[str, int]:
        """Which message ends the answer, and how often it comes."""
        if self.until is None:
            return "ReadyForQuery", sum(line.split()[0] in _ANSWERED for line in self.sends)
        name, _, times = self.until.partition(" ")
        return name, int(times or 1)


@dataclass
class Transcript:
    """A file. items: groups, and the lines between them as they are."""

    items: list[Group | str]
    is_writing: bool

    @property
    def groups(self) -> Iterator[Group]:
        """The groups in order."""
        return (item for item in self.items if isinstance(item, Group))


def parse_transcript(text: str) -> Transcript:
    """Read a transcript.

    Raises:
        ValueError: a line of no known kind.
    """
    items: list[Group | str] = []
    connection, group, is_writing = "a", None, False
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind in (">", "+"):
            if group is None or (kind == ">" and group.is_whole):
                group = Group(connection)
                items.append(group)
            group.sends.append(rest)
        elif kind in ("<", "p<", "g<", "until"):
            group = _waiting(items, group, connection) if kind == "until" else group
            if group is None:
                raise ValueError(f"an answer to nothing: {line}")
            if kind == "until":
                group.until = rest
            else:
                (group.gateway if kind == "g<" else group.expected).append(rest)
        else:
            group = None
            if kind == "connection":
                connection = rest
            elif kind == "only" and rest == "writable":
                is_writing = True
            elif kind and not kind.startswith("#"):
                raise ValueError(f"unknown line: {line}")
            items.append(line)
    return Transcript(items, is_writing)


def _waiting(items: list[Group | str], group: Group | None, connection: str) -> Group:
    """`until` belongs to what was just sent; where nothing was, it only reads."""
    if group is not None and not group.expected and not group.gateway and group.until is None:
        return group
    group = Group(connection)
    items.append(group)
    return group


def format_transcript(transcript: Transcript) -> str:
    """Write a transcript as text."""
    lines: list[str] = []
    for item in transcript.items:
        if isinstance(item, str):
            lines.append(item)
            continue
        follows_answer = [False, *(line.split()[0] in _ANSWERED for line in item.sends)]
        lines += [
            f"{'+' if more else '>'} {line}" for more, line in zip(follows_answer, item.sends, strict=False)
        ]
        lines += [f"until {item.until}"] if item.until else []
        mark = "p<" if item.gateway else "<"
        lines += [f"{mark} {line}" for line in item.expected]
        lines += [f"g< {line}" for line in item.gateway]
    return "\n".join(lines) + "\n"


def play(transcript: Transcript, target: Target) -> Iterator[tuple[Group, list[str]]]:
    """Send every group and give it with the answer that came."""
    connections: dict[str, WireConnection] = {}
    try:
        for group in transcript.groups:
            if group.connection not in connections:
                connections[group.connection] = WireConnection(target)
            connection = connections[group.connection]
            connection.send(b"".join(encode(line) for line in group.sends))
            yield group, connection.receive_until(*group.stop)
    finally:
        for connection in connections.values():
            connection.__exit__(None, None, None)


def record(path: Path, target: Target) -> None:
    """Write PostgreSQL's answers into a transcript."""
    transcript = parse_transcript(path.read_text())
    for group, answer in play(transcript, target):
        group.expected = answer
    path.write_text(format_transcript(transcript))


def encode(line: str) -> bytes:
    """Encode the message of one `>` line.

    Raises:
        ValueError: no such message.
    """
    name, _, rest = line.partition(" ")
    match name:
        case "Query":
            return message(b"Q", rest.encode() + b"\0")
        case "Parse":
            statement, _, rest = rest.partition(" ")
            oids, _, query = rest.removeprefix("[").partition("] ")
            numbers = [int(oid) for oid in oids.split()]
            body = struct.pack(f"!H{len(numbers)}I", len(numbers), *numbers)
            return message(b"P", _name(statement) + query.encode() + b"\0" + body)
        case "Bind":
            return _encode_bind(rest)
        case "Describe" | "Close":
            kind, target = rest.split()
            return message(b"D" if name == "Describe" else b"C", kind.encode() + _name(target))
        case "Execute":
            portal, _, limit = rest.partition(" ")
            return message(b"E", _name(portal) + struct.pack("!i", int(limit or 0)))
        case "Sync" | "Flush" | "Terminate":
            return message({"Sync": b"S", "Flush": b"H", "Terminate": b"X"}[name])
        case "Raw":
            tag, _, body_hex = rest.partition(" ")
            return message(tag.encode(), bytes.fromhex(body_hex))
    raise ValueError(f"unknown message: {line}")


def _encode_bind(rest: str) -> bytes:
    portal, statement, *fields = rest.split(" ", 2)
    given = {key: json.loads(text) for key, text in _FIELD.findall(" ".join(fields))}
    values = [None if v is None else _raw(v) for v in given.get("values", [])]
    body = _name(portal) + _name(statement) + _codes(given.get("formats", []))
    body += struct.pack("!H", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message(b"B", body + _codes(given.get("results", [])))


def _codes(codes: list[int]) -> bytes:
    return struct.pack(f"!H{len(codes)}H", len(codes), *codes)


def _raw(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("hex:")) if value.startswith("hex:") else value.encode()


def _name(name: str) -> bytes:
    return b"\0" if name == "-" else name.encode() + b"\0"
