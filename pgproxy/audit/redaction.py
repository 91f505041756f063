"""A statement's text without what may be secret in it: literals, parameters' values, comments. Pure."""

from pgproxy.sql.utility.scan import TokenKind, scan_prefix

_LITERALS = frozenset({TokenKind.STRING, TokenKind.BIT_STRING, TokenKind.INTEGER, TokenKind.FLOAT})


def redact(text: str) -> str:
    """Put `?` in the place of every literal and leave comments out; what cannot be read ends it.

    Names and keywords stay, and blanks become one each.
    """
    pieces: list[str] = []
    end = 0
    for token in scan_prefix(text):
        if pieces and token.start > end:
            pieces.append(" ")
        pieces.append("?" if token.kind in _LITERALS else text[token.start : token.end])
        end = token.end
    return "".join(pieces)
