"""How much work a text is to the parser, before it is parsed: sqlglot goes back and reads twice.

What stands in `date(…)`, `array[…]` or `any(…)` it reads as a type first and then as a call; a join without
ON it reads with all that follows as nested, and then as plain. So each such level doubles the work for what
is in it, and thirty of them, in two hundred characters, never end. Nothing can interrupt compiled code.
"""

from collections.abc import Sequence

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.tokenizer_core import Token, TokenType

MAX_WORK = 100_000
"""Tokens read, those read again included. About half a second."""
MAX_WORK_PER_TOKEN = 30
"""Of a long text."""
_FACTOR = 3
"""By how much a level of brackets makes more of what is in it. Measured: 2 to 2.5; of joins: 2."""

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_READ_TWICE = frozenset(DuckDB.Parser.TYPE_TOKENS) | {TokenType.ANY, TokenType.ALL, TokenType.SOME}
"""What stands before the bracket."""
_CONDITIONS = frozenset({TokenType.ON, TokenType.USING})
_PLAIN_ENDS = frozenset(
    {TokenType.COMMA, TokenType.WHERE, TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.HAVING}
    | {TokenType.LIMIT, TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT, TokenType.SELECT}
)


def is_too_much_work(tokens: Sequence[Token]) -> bool:
    """Whether reading these takes much longer than they are many."""
    limit = max(MAX_WORK, MAX_WORK_PER_TOKEN * len(tokens))
    around: list[tuple[int, int]] = []
    """Of each open bracket: how often it is read, and the joins before it that wait for their ON."""
    times, joins, work = 1, 0, 0
    before: TokenType | None = None
    for token in tokens:
        kind = token.token_type
        if kind in _OPENING:
            around.append((times, joins))
            times <<= joins
            times, joins = times * (_FACTOR if before in _READ_TWICE else 1), 0
        elif kind in _CLOSING:
            times, joins = around.pop() if around else (1, 0)
        elif kind is TokenType.JOIN:
            joins += before is not TokenType.CROSS
        elif kind in _CONDITIONS:
            joins = max(joins - 1, 0)
        elif kind in _PLAIN_ENDS:
            joins = 0
        work += times << joins
        if work > limit:
            return True
        before = kind
    return False
