"""Cut a query string into its statements. PostgreSQL docs, "Multiple Statements in a Simple Query"."""

from itertools import groupby

from pgproxy.sql.utility.scan import Token, TokenKind, plain_statement, scan
from pgproxy.sql.utility.statements import StatementText


def split_statements(text: str) -> tuple[StatementText, ...]:
    """Give the statements of `text` in order; empty ones are dropped, and so are comments around each.

    A statement runs from its first token to its last; offsets are in characters of `text`. The whole text is
    scanned before anything is given, so a literal that never ends fails all of it, as in PostgreSQL.

    Raises:
        StatementError: the text cannot be scanned; the position is in `text`.
    """
    plain = plain_statement(text)
    if plain is not None:
        return (StatementText(plain.text, plain.start),) if plain.text else ()
    statements = []
    for is_end, tokens in groupby(scan(text), key=_is_semicolon):
        if is_end:
            continue
        run = list(tokens)
        statements.append(StatementText(text[run[0].start : run[-1].end], run[0].start))
    return tuple(statements)


def _is_semicolon(token: Token) -> bool:
    return token.kind is TokenKind.SYMBOL and token.value == ";"
