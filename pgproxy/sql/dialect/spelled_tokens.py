"""Tokens whose meaning sqlglot's grammar loses, in a form that it keeps.

PostgreSQL docs, "Lexical Structure".
"""

from collections.abc import Sequence
from operator import attrgetter

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from pgproxy.sql.utility.escapes import decode_unicode_escapes

_UNKNOWN = "pgproxy_unknown"
UNKNOWN_KEY = "pgproxy_is_unknown"
"""In the `meta` of the NULL of `IS UNKNOWN`, which asks for a boolean."""
_RESPELLED = frozenset({TokenType.HEREDOC_STRING, TokenType.UNICODE_STRING, TokenType.UNKNOWN})
_KIND = attrgetter("token_type")
_ESCAPES_OF_ONE = frozenset("+'\" \t\n") | frozenset("0123456789abcdefABCDEF")
"""What cannot introduce Unicode escapes."""


def kept_tokens(tokens: Sequence[Token]) -> list[Token]:
    """`$$…$$` and `U&'…'` as plain strings, UNKNOWN behind IS as a word of its own.

    Raises:
        StatementError: 42601 for a bad Unicode escape.
    """
    if _RESPELLED.isdisjoint(map(_KIND, tokens)):
        return list(tokens)
    kept: list[Token] = []
    skipped = 0
    for index, token in enumerate(tokens):
        if skipped:
            skipped -= 1
        elif token.token_type is TokenType.HEREDOC_STRING:
            kept.append(_like(token, TokenType.STRING, token.text))
        elif token.token_type is TokenType.UNICODE_STRING:
            escape = _escape_behind(tokens[index + 1 : index + 3])
            skipped = 2 if escape else 0
            text = decode_unicode_escapes(token.text, escape or "\\", token.start + 1)
            kept.append(_like(token, TokenType.STRING, text))
        elif token.token_type is TokenType.UNKNOWN and _is_behind_is(kept):
            kept.append(_like(token, TokenType.VAR, _UNKNOWN))
        else:
            kept.append(token)
    return kept


def restore_unknown(tree: exp.Expr) -> exp.Expr:
    """Let the word behind IS be a NULL that says what it was, in place."""
    for test in tree.find_all(exp.Is):
        word = test.expression
        if isinstance(word, exp.Column) and word.name == _UNKNOWN and not word.table:
            null = exp.Null()
            null.meta[UNKNOWN_KEY] = True
            test.set("expression", null)
    return tree


def _escape_behind(following: Sequence[Token]) -> str | None:
    """The character of `UESCAPE '!'`."""
    if len(following) < 2 or following[0].text.lower() != "uescape":
        return None
    is_character = following[1].token_type is TokenType.STRING and len(following[1].text) == 1
    return following[1].text if is_character and following[1].text not in _ESCAPES_OF_ONE else None


def _is_behind_is(before: Sequence[Token]) -> bool:
    words = [token.token_type for token in before[-2:]]
    return words[-1:] == [TokenType.IS] or words == [TokenType.IS, TokenType.NOT]


def _like(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end, [])
