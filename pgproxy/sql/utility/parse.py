"""Tell utility statements from those that are planned, and parse them. An allow-list by the first word."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pgproxy.sql.utility import copy, cursors, maintenance, prepared, settings, transactions
from pgproxy.sql.utility.admin import parse_admin
from pgproxy.sql.utility.owners import parse_owner_change
from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.scan import plain_statement
from pgproxy.sql.utility.statements import UtilityStatement

_PARSERS: Mapping[str, Callable[[TokenReader], UtilityStatement]] = MappingProxyType(
    {
        "begin": transactions.parse_begin,
        "start": transactions.parse_start,
        "commit": transactions.parse_commit,
        "end": transactions.parse_end,
        "rollback": transactions.parse_rollback,
        "abort": transactions.parse_abort,
        "savepoint": transactions.parse_savepoint,
        "release": transactions.parse_release,
        "set": settings.parse_set,
        "reset": settings.parse_reset,
        "show": settings.parse_show,
        "discard": settings.parse_discard,
        "prepare": prepared.parse_prepare,
        "execute": prepared.parse_execute,
        "deallocate": prepared.parse_deallocate,
        "explain": prepared.parse_explain,
        "declare": cursors.parse_declare,
        "fetch": cursors.parse_fetch,
        "move": cursors.parse_move,
        "close": cursors.parse_close,
        "copy": copy.parse_copy,
        "listen": maintenance.parse_listen,
        "notify": maintenance.parse_notify,
        "unlisten": maintenance.parse_unlisten,
        "lock": maintenance.parse_lock,
        "checkpoint": maintenance.parse_checkpoint,
        "vacuum": maintenance.parse_vacuum,
        "analyze": maintenance.parse_analyze,
        "analyse": maintenance.parse_analyze,
        "cluster": maintenance.parse_cluster,
        "reindex": maintenance.parse_reindex,
        "call": maintenance.parse_call,
        "do": maintenance.parse_do,
    }
)
_FIRST_WORDS = frozenset(
    {*_PARSERS, "grant", "revoke", "security", "rollback", "create", "alter", "drop", "reassign"}
)
"""What a utility or administrative statement begins with."""


def parse_utility(text: str) -> UtilityStatement | None:
    """Parse one statement, without its semicolon. None: not a utility statement; it goes to `plan_statement`.

    Raises:
        StatementError: 42601 with a position in `text`; 42P11 for conflicting cursor options.
        FeatureNotSupported: valid PostgreSQL that is not done here.
        AccessDenied: COPY with a file or a program.
    """
    plain = plain_statement(text)
    if plain is not None and plain.first_word not in _FIRST_WORDS:
        return None
    reader = TokenReader(text)
    word = reader.current
    parse = _PARSERS.get(word.value) if word is not None and reader.is_word(word.value) else None
    if parse is None or reader.is_word("policy", distance=1):
        return _parse_admin(reader)
    reader.advance()
    statement = parse(reader)
    reader.expect_end()
    return statement


def _parse_admin(reader: TokenReader) -> UtilityStatement | None:
    statement = parse_owner_change(reader) or parse_admin(reader)
    if statement is not None:
        reader.expect_end()
    return statement
