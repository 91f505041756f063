"""DECLARE, FETCH, MOVE, CLOSE. PostgreSQL docs, the commands of those names."""

from pgproxy.sql.utility.prepared import expect_query_start
from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.statements import (
    CloseCursor,
    DeclareCursor,
    FetchCursor,
    FetchDirection,
    MoveCursor,
    UtilityStatement,
)
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_ONE_FORWARD: tuple[FetchDirection, int | None] = (FetchDirection.FORWARD, 1)
_SINGLE = {
    "next": (FetchDirection.FORWARD, 1),
    "prior": (FetchDirection.BACKWARD, 1),
    "first": (FetchDirection.ABSOLUTE, 1),
    "last": (FetchDirection.ABSOLUTE, -1),
}


def parse_declare(reader: TokenReader) -> UtilityStatement:
    """Take what follows DECLARE."""
    name = reader.name()
    words: set[str] = set()
    while not reader.accept("cursor"):
        words.add(_cursor_option(reader))
    hold = False
    if with_word := reader.accept_any("with", "without"):
        reader.expect("hold")
        hold = with_word == "with"
    reader.expect("for")
    expect_query_start(reader)
    offset = reader.offset
    _refuse_conflict(words, "scroll", "no scroll")
    _refuse_conflict(words, "asensitive", "insensitive")
    scroll = True if "scroll" in words else False if "no scroll" in words else None
    return DeclareCursor(name, reader.rest(), offset, "binary" in words, scroll, hold, reader.text)


def parse_fetch(reader: TokenReader) -> UtilityStatement:
    """Take what follows FETCH."""
    return FetchCursor(*_fetch_arguments(reader))


def parse_move(reader: TokenReader) -> UtilityStatement:
    """Take what follows MOVE."""
    return MoveCursor(*_fetch_arguments(reader))


def parse_close(reader: TokenReader) -> UtilityStatement:
    """Take what follows CLOSE."""
    return CloseCursor(None if reader.accept("all") else reader.name())


def _cursor_option(reader: TokenReader) -> str:
    if reader.accept("no", "scroll"):
        return "no scroll"
    word = reader.accept_any("binary", "scroll", "insensitive", "asensitive")
    if word is None:
        raise reader.error()
    return word


def _refuse_conflict(words: set[str], one: str, other: str) -> None:
    if {one, other} <= words:
        raise StatementError(
            f"cannot specify both {one.upper()} and {other.upper()}",
            sqlstate=SqlState.INVALID_CURSOR_DEFINITION,
        )


def _fetch_arguments(reader: TokenReader) -> tuple[FetchDirection, int | None, str]:
    direction, count = _ONE_FORWARD
    # A direction's word is a cursor's name where nothing follows it: `FETCH next`.
    if reader.ahead(1) is not None or not reader.is_name():
        direction, count = _direction(reader)
    reader.accept_any("from", "in")
    return direction, count, reader.name()


def _direction(reader: TokenReader) -> tuple[FetchDirection, int | None]:
    if word := reader.accept_any(*_SINGLE):
        return _SINGLE[word]
    if word := reader.accept_any("absolute", "relative"):
        return FetchDirection(word), reader.integer()
    if word := reader.accept_any("forward", "backward"):
        direction = FetchDirection(word)
        if reader.accept("all"):
            return direction, None
        return direction, reader.integer() if reader.integer_ahead() else 1
    if reader.accept("all"):
        return FetchDirection.FORWARD, None
    if reader.integer_ahead():
        return FetchDirection.FORWARD, reader.integer()
    return FetchDirection.FORWARD, 1
