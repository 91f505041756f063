"""How rows are put together around their values: as messages of lengths and values, or as COPY's lines."""

from dataclasses import dataclass
from enum import IntEnum


class Check(IntEnum):
    """Whether a column's values are looked through in a line. The numbers are those of `_arrow.pxd`.

    ALONE: checked, and the only column.
    """

    CLEAN = 0
    CHECKED = 1
    FORCED = 2
    ALONE = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A line of COPY's text or csv. delimiter, quote, escape: byte values; text has its backslash as both.

    checks: one a column. is_framed: each line is a CopyData message.
    """

    is_csv: bool
    delimiter: int
    null: bytes
    quote: int
    escape: int
    checks: tuple[Check, ...]
    is_framed: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """tag: of messages in which each value follows its length, unless there is a `line`."""

    tag: int
    line: Line | None = None


DATA_ROW = Layout(ord("D"))
COPY_BINARY = Layout(ord("d"))
