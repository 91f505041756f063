"""Lookup tables of decimal and hexadecimal digits, as machine words that hold ASCII text."""

from functools import cache

import numpy as np
import numpy.typing as npt

from pgwire.rows.cells import Field

_CHUNKS = (4, 2, 1)


@cache
def decimal_digits(width: int) -> npt.NDArray[np.generic]:
    """Give the zero-padded text of 0 to 10^width - 1 as words of 1, 2 or 4 bytes."""
    numbers = np.arange(10**width)
    text = np.empty((10**width, width), np.uint8)
    for place in range(width):
        text[:, width - 1 - place] = numbers // 10**place % 10 + ord("0")
    return text.view(f"u{width}").reshape(-1)


@cache
def hex_digits() -> npt.NDArray[np.uint16]:
    """Give the two lower-case hexadecimal digits of every byte."""
    return np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint16)


@cache
def clock_digits() -> npt.NDArray[np.uint64]:
    """Give `HH:MM:SS` for every second of a day, and `24:00:00`, as 8-byte words."""
    seconds = np.arange(86_401)
    text = np.full((86_401, 8), ord(":"), np.uint8)
    two = decimal_digits(2).view(np.uint8).reshape(100, 2)
    for start, part in ((0, seconds // 3600), (3, seconds // 60 % 60), (6, seconds % 60)):
        text[:, start : start + 2] = two[part]
    return text.view(np.uint64).reshape(-1)


def padded_digits(numbers: npt.NDArray[np.integer], width: int) -> list[Field | bytes]:
    """Give the zero-padded text of numbers from 0 to 10^width - 1 as fixed fields, most significant first."""
    fields: list[Field | bytes] = []
    left = width
    while left:
        chunk = next(size for size in _CHUNKS if size <= left)
        left -= chunk
        part = numbers // 10**left if left else numbers
        fields.append(decimal_digits(chunk)[part])
        numbers = numbers - part * 10**left if left else numbers
    return fields
