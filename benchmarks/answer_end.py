"""Recognise the end of an answer from the last bytes of its stream, without framing what lies before.

An answer ends with ReadyForQuery, six bytes, after CommandComplete or ErrorResponse. Row data may hold any
bytes, so six alone prove nothing: the message before must end exactly where ReadyForQuery begins.
PostgreSQL docs, "Message Formats".
"""

from collections.abc import Callable
from dataclasses import dataclass

_READY = b"Z\x00\x00\x00\x05"
_READY_BYTES = 6
_TAIL_BYTES = 8192  # a longer ErrorResponse is not recognised, and the read times out
_LEAST_SPACE = 1 << 18
_LONGEST_TAG = 64  # "INSERT 0 18446744073709551615" is 29


@dataclass(frozen=True, slots=True)
class Completed:
    """CommandComplete came. trailer_bytes: of it and ReadyForQuery. rows: None for tags without a count."""

    tag: str
    trailer_bytes: int

    @property
    def rows(self) -> int | None:
        """The count at the end of the tag."""
        last = self.tag.rpartition(" ")[2]
        return int(last) if last.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Failed:
    """ErrorResponse came."""

    message: str


def find_end(tail: bytes) -> Completed | Failed | None:
    """Tell how the answer ended, or None if these are not the last bytes of it.

    tail: the end of what was received so far; it must reach back over the last message before ReadyForQuery.
    """
    if len(tail) < _READY_BYTES or tail[-1:] not in b"ITE" or tail[-_READY_BYTES:-1] != _READY:
        return None
    before = tail[:-_READY_BYTES]
    return _completed(before) or _failed(before)


def _completed(before: bytes) -> Completed | None:
    floor = max(0, len(before) - _LONGEST_TAG - 5)
    at = before.rfind(b"C\x00\x00\x00", floor)
    while at >= 0:
        if _ends_here(before, at) and before.endswith(b"\0"):
            tag = before[at + 5 : -1]
            if tag.isascii() and b"\0" not in tag:
                return Completed(tag.decode(), len(before) - at + _READY_BYTES)
        at = before.rfind(b"C\x00\x00\x00", floor, at)
    return None


def _failed(before: bytes) -> Failed | None:
    at = before.rfind(b"E\x00")
    while at >= 0:
        # Severity ('S') comes first in PostgreSQL; buenavista sends the message ('M') alone.
        if _ends_here(before, at) and before[at + 5 : at + 6] in (b"S", b"M"):
            return Failed(error_text(before[at + 5 :]))
        at = before.rfind(b"E\x00", 0, at)
    return None


def _ends_here(before: bytes, at: int) -> bool:
    return at + 1 + int.from_bytes(before[at + 1 : at + 5], "big") == len(before)


def error_text(body: bytes) -> str:
    """Give SQLSTATE and message of an ErrorResponse's body."""
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return f"{fields.get(b'C', 'no SQLSTATE')}: {fields.get(b'M', 'no message')}"


class ReceiveWindow:
    """The place where an answer's bytes land, one receive after the other; old ones are overwritten.

    Only the last bytes stay, so that the end is found wherever the receives were cut. `digest`, if given, is
    fed every byte that was not skipped or dropped, in order. Borrows `buffer` (at least 512 KiB).
    """

    def __init__(self, buffer: bytearray, digest: Callable[[memoryview], object] | None = None) -> None:
        self._view = memoryview(buffer)
        self._digest = digest
        self._start = 0  # of the bytes that are neither skipped nor digested
        self._end = 0
        self.total_bytes = 0

    def space(self) -> memoryview:
        """Give the room for the next receive: at least 256 KiB."""
        if len(self._view) - self._end < _LEAST_SPACE:
            self._move_to_front()
        return self._view[self._end :]

    def received(self, count: int) -> None:
        """Take over `count` bytes at the head of `space()`."""
        self._end += count
        self.total_bytes += count

    def first_header(self) -> bytes | None:
        """Give tag and length of the message that the window begins with; None: not all here."""
        return bytes(self._view[self._start : self._start + 5]) if self._end - self._start >= 5 else None

    def skip(self, count: int) -> bool:
        """Leave out the first message, if all of it is here."""
        if self._end - self._start < count:
            return False
        self._start += count
        self.total_bytes -= count
        return True

    def end(self) -> Completed | Failed | None:
        """Tell how the answer ended, if it has."""
        if self._view[self._end - _READY_BYTES : self._end - 1] != _READY:
            return None
        return find_end(bytes(self._view[max(0, self._end - _TAIL_BYTES) : self._end]))

    def drop_trailer(self, count: int) -> None:
        """Leave out the last `count` bytes; nothing is received after that."""
        self._end -= count
        self.total_bytes -= count
        if self._digest is not None:
            self._digest(self._view[self._start : self._end])

    def _move_to_front(self) -> None:
        """Keep the tail; what lies before it is digested, for it cannot be the end."""
        keep_from = max(self._start, self._end - _TAIL_BYTES)
        if self._digest is not None:
            self._digest(self._view[self._start : keep_from])
        kept = bytes(self._view[keep_from : self._end])
        self._view[: len(kept)] = kept
        self._start, self._end = 0, len(kept)
