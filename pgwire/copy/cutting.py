"""Where a piece of COPY data may be cut: behind the last line end that is one, not part of a value."""

import re

import numpy as np

from pgwire.copy.options import CopyFormat, CopyOptions

_LINE_END = re.compile(rb"\r\n|\r|\n")


def first_line_end(data: bytes | bytearray, options: CopyOptions, *, is_last: bool) -> bytes | None:
    """Find how the first line ends: LF, CR or CR LF; None where its end has not come yet."""
    for found in _LINE_END.finditer(data):
        if found[0] == b"\r" and found.end() == len(data) and not is_last:
            return None  # a LF may follow
        if not _is_inside(data, found.start(), options):
            return found[0]
    return b"\n" if is_last else None


def last_line_end(data: bytes | bytearray, options: CopyOptions, eol: bytes) -> int:
    """Give where the last whole line ends, 0 if none does."""
    if options.format is CopyFormat.CSV and _is_toggled(data, options):
        return _last_even(data, options.quote, eol)
    if options.format is CopyFormat.CSV:
        return _last_scanned(data, options, eol)
    at = data.rfind(eol)
    while at >= 0 and _is_escaped(data, at):
        at = data.rfind(eol, 0, at)
    return at + len(eol) if at >= 0 else 0


def _is_inside(data: bytes | bytearray, at: int, options: CopyOptions) -> bool:
    if options.format is CopyFormat.TEXT:
        return _is_escaped(data, at)
    if _is_toggled(data, options):
        return data.count(options.quote.encode(), 0, at) % 2 == 1
    return _quotes_before(data, options, at) is not None


def _is_escaped(data: bytes | bytearray, at: int) -> bool:
    first = at
    while first > 0 and data[first - 1] == ord("\\"):
        first -= 1
    return (at - first) % 2 == 1


def _is_toggled(data: bytes | bytearray, options: CopyOptions) -> bool:
    """Whether every quote begins or ends a quoted part, which the default escape (the quote itself) gives."""
    return options.escape == options.quote or options.escape.encode() not in data


def _last_even(data: bytes | bytearray, quote: str, eol: bytes) -> int:
    if quote.encode() not in data:
        return data.rfind(eol) + len(eol) if eol in data else 0
    content = np.frombuffer(bytes(data), np.uint8)
    quotes = np.flatnonzero(content == ord(quote))
    ends = np.flatnonzero(content == eol[-1])
    outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if len(eol) == 2:
        outside = outside[(outside > 0) & (content[outside - 1] == eol[0])]
    return int(outside[-1]) + 1 if len(outside) else 0


def _last_scanned(data: bytes | bytearray, options: CopyOptions, eol: bytes) -> int:
    at = data.rfind(eol)
    opened = _quotes_before(data, options, len(data))
    if opened is not None:
        at = data.rfind(eol, 0, opened)
    while at >= 0 and _quotes_before(data, options, at) is not None:
        at = data.rfind(eol, 0, at)
    return at + len(eol) if at >= 0 else 0


def _quotes_before(data: bytes | bytearray, options: CopyOptions, end: int) -> int | None:
    """Give where the quoted part that covers `end` began, or None if none does."""
    quote, escape = options.quote.encode(), options.escape.encode()
    opened, is_escaped, previous = None, False, -1
    for found in re.finditer(b"[" + re.escape(quote + escape) + b"]", bytes(data[:end])):
        is_escaped = is_escaped and found.start() == previous
        previous = found.end()
        if found[0] == escape:
            is_escaped = opened is not None and not is_escaped
        elif not is_escaped:
            opened = found.start() if opened is None else None
        else:
            is_escaped = False
    return opened
