"""A statement's text without its plain constants: what it has in common with the same query of other values.

One pass of a pattern that follows PostgreSQL's scanner (docs, "Lexical Structure") where that is simple:
a text with a dollar sign, a backslash or a comment has no shape.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

MAX_SHAPED_CHARS = 4_000
_NOT_SIMPLE = ("$", "\\", "--", "/*", "\0")
_MARK = "\0"
"""No text holds it that has a shape."""

_INT4 = "1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|[1-9][0-9]{0,8}|0"
_INT8 = "[1-9][0-9]{10,17}"
_NEXT_CONSTANT = re.compile(
    rf"""
    (?:
        [^\W\d]\w*+ (?:'(?:[^']|'')*+')?+    # a word; a string right behind it has a flag: E'…'
      | "(?:[^"]|"")*+"
      | &'(?:[^']|'')*+'                     # U&'…'
      | (?!(?:{_INT4}|{_INT8})(?![\w.])) [0-9][\w.]*+
      | \.[0-9][\w.]*+
      | [^\w"'&.]++
      | [&.]
    )*+
    (?: (?P<string>'(?:[^']|'')*+') | (?P<bigint>{_INT8}) | (?P<integer>{_INT4}) | \Z )
    """,
    re.VERBOSE,
)
"""Up to the next constant: a string without a flag, or an integer that is surely int4 or surely int8."""


class Shape(NamedTuple):
    """A text's shape, and the constants that it leaves out.

    key: the text with a mark and the kind in each constant's place: equal for texts that differ in nothing
    but constants of the same kinds. constants: as they are written, in their order; starts: where.
    """

    key: str
    constants: tuple[str, ...]
    starts: tuple[int, ...]
    kinds: tuple[str, ...]


def shape_of(text: str) -> Shape | None:
    """Give a text's shape; None where it is not simple, too long, or has no constant."""
    if len(text) > MAX_SHAPED_CHARS or any(sign in text for sign in _NOT_SIMPLE):
        return None
    pieces: list[str] = []
    constants: list[str] = []
    starts: list[int] = []
    kinds: list[str] = []
    done = 0
    while True:
        found = _NEXT_CONSTANT.match(text, done)
        if found is None:
            return None
        kind = found.lastgroup
        if kind is None:
            break
        start = found.start(kind)
        pieces += (text[done:start], kind)
        constants.append(found[kind])
        starts.append(start)
        kinds.append(kind)
        done = found.end()
    if not constants:
        return None
    pieces.append(text[done:])
    return Shape(_MARK.join(pieces), tuple(constants), tuple(starts), tuple(kinds))


def with_constants(text: str, shape: Shape, others: Mapping[int, str]) -> str:
    """The text with other constants in the places of some of its own."""
    pieces: list[str] = []
    done = 0
    for index, (start, own) in enumerate(zip(shape.starts, shape.constants, strict=True)):
        pieces += (text[done:start], others.get(index, own))
        done = start + len(own)
    return "".join([*pieces, text[done:]])
