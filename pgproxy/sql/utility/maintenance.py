"""LISTEN and NOTIFY, and the statements that have no effect here.

PostgreSQL docs, LISTEN, NOTIFY, UNLISTEN, LOCK, VACUUM, ANALYZE, CLUSTER, REINDEX, CHECKPOINT, CALL, DO.
"""

from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.statements import Listen, NoOp, Notify, Unlisten, UtilityStatement
from pgwire.errors import FeatureNotSupported

_VACUUM_WORDS = (("full",), ("freeze",), ("verbose",), ("analyze", "analyse"))


def parse_listen(reader: TokenReader) -> UtilityStatement:
    """Take what follows LISTEN."""
    return Listen(reader.name())


def parse_notify(reader: TokenReader) -> UtilityStatement:
    """Take what follows NOTIFY."""
    channel = reader.name()
    return Notify(channel, reader.string() if reader.accept_symbol(",") else "")


def parse_unlisten(reader: TokenReader) -> UtilityStatement:
    """Take what follows UNLISTEN."""
    return Unlisten(None if reader.accept_symbol("*") else reader.name())


def parse_lock(reader: TokenReader) -> UtilityStatement:
    """Take what follows LOCK."""
    reader.accept("table")
    reader.list_of(lambda: _relation(reader))
    if reader.accept("in"):
        _lock_mode(reader)
        reader.expect("mode")
    reader.accept("nowait")
    return NoOp("LOCK TABLE", needs_admin=False)


def parse_checkpoint(reader: TokenReader) -> UtilityStatement:
    """Take what follows CHECKPOINT: nothing."""
    return NoOp("CHECKPOINT")


def parse_vacuum(reader: TokenReader) -> UtilityStatement:
    """Take what follows VACUUM."""
    if reader.is_symbol("("):
        reader.parenthesised(lambda: _option(reader))
    else:
        for words in _VACUUM_WORDS:
            reader.accept_any(*words)
    _optional_relations(reader)
    return NoOp("VACUUM")


def parse_analyze(reader: TokenReader) -> UtilityStatement:
    """Take what follows ANALYZE."""
    if reader.is_symbol("("):
        reader.parenthesised(lambda: _option(reader))
    else:
        reader.accept("verbose")
    _optional_relations(reader)
    return NoOp("ANALYZE")


def parse_cluster(reader: TokenReader) -> UtilityStatement:
    """Take what follows CLUSTER."""
    has_options = reader.is_symbol("(")
    if has_options:
        reader.parenthesised(lambda: _option(reader))
    else:
        reader.accept("verbose")
    if reader.current is None and not has_options:
        return NoOp("CLUSTER")
    names = reader.dotted_name()
    if reader.accept("using") or (len(names) == 1 and not has_options and reader.accept("on")):
        reader.dotted_name()
    return NoOp("CLUSTER")


def parse_reindex(reader: TokenReader) -> UtilityStatement:
    """Take what follows REINDEX."""
    if reader.is_symbol("("):
        reader.parenthesised(lambda: _option(reader))
    target = reader.accept_any("index", "table", "schema", "system", "database")
    if target is None:
        raise reader.error()
    reader.accept("concurrently")
    if target in {"index", "table"}:
        reader.dotted_name()
    else:
        reader.name()
    return NoOp("REINDEX")


def parse_call(reader: TokenReader) -> UtilityStatement:
    """Refuse CALL."""
    raise FeatureNotSupported("CALL is not supported", hint="There are no procedures; run their queries.")


def parse_do(reader: TokenReader) -> UtilityStatement:
    """Refuse DO."""
    raise FeatureNotSupported("DO is not supported", hint="There is no procedural language; use plain SQL.")


def _lock_mode(reader: TokenReader) -> None:
    first = reader.accept_any("access", "row", "share", "exclusive")
    if first is None:
        raise reader.error()
    if first == "share" and reader.accept_any("update", "row"):
        reader.expect("exclusive")
    if first in {"access", "row"} and reader.accept_any("share", "exclusive") is None:
        raise reader.error()


def _relation(reader: TokenReader) -> None:
    if reader.accept("only"):
        if reader.accept_symbol("("):
            reader.dotted_name()
            reader.expect_symbol(")")
            return
        reader.dotted_name()
        return
    reader.dotted_name()
    reader.accept_symbol("*")


def _optional_relations(reader: TokenReader) -> None:
    if reader.current is not None:
        reader.list_of(lambda: _relation_with_columns(reader))


def _relation_with_columns(reader: TokenReader) -> None:
    reader.dotted_name()
    if reader.is_symbol("("):
        reader.parenthesised(reader.name)


def _option(reader: TokenReader) -> None:
    if not reader.accept_any("analyze", "analyse"):
        if not reader.is_non_reserved_word():
            raise reader.error()
        reader.advance()
    if reader.is_symbol(",") or reader.is_symbol(")"):
        return
    if reader.number_ahead():
        reader.number()
    else:
        reader.boolean_or_word()
