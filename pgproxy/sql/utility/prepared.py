"""PREPARE, EXECUTE, DEALLOCATE and EXPLAIN. PostgreSQL docs, the commands of those names."""

from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.statements import (
    Deallocate,
    ExecuteStatement,
    Explain,
    PrepareStatement,
    StatementOption,
    UtilityStatement,
)
from pgproxy.sql.utility.transactions import parse_prepare_transaction

QUERY_WORDS = ("select", "values", "table", "with")
DML_WORDS = ("insert", "update", "delete", "merge")
_EXPLAINABLE = (*QUERY_WORDS, *DML_WORDS, "declare", "create", "refresh", "execute")


def expect_query_start(reader: TokenReader, *words: str) -> None:
    """Refuse text that cannot start a query (or one of the other statements given); take nothing."""
    if not (reader.is_word(*QUERY_WORDS, *words) or reader.is_symbol("(")):
        raise reader.error()


def parse_prepare(reader: TokenReader) -> UtilityStatement:
    """Take what follows PREPARE."""
    if reader.is_word("transaction") and reader.is_string(1):
        reader.advance()
        return parse_prepare_transaction(reader)
    name = reader.name()
    types = reader.parenthesised(reader.balanced_text) if reader.is_symbol("(") else ()
    reader.expect("as")
    expect_query_start(reader, *DML_WORDS)
    offset = reader.offset
    return PrepareStatement(name, types, reader.rest(), offset, reader.text)


def parse_execute(reader: TokenReader) -> UtilityStatement:
    """Take what follows EXECUTE."""
    name = reader.name()
    arguments = reader.parenthesised(reader.balanced_text) if reader.is_symbol("(") else ()
    return ExecuteStatement(name, arguments)


def parse_deallocate(reader: TokenReader) -> UtilityStatement:
    """Take what follows DEALLOCATE; PREPARE is optional, and a name itself where nothing follows it."""
    if reader.is_word("prepare") and reader.ahead(1) is not None:
        reader.advance()
    return Deallocate(None if reader.accept("all") else reader.name())


def parse_explain(reader: TokenReader) -> UtilityStatement:
    """Take what follows EXPLAIN."""
    options = _option_list(reader) if _is_option_list(reader) else _old_options(reader)
    expect_query_start(reader, *_EXPLAINABLE)
    offset = reader.offset
    return Explain(options, reader.rest(), offset)


def _is_option_list(reader: TokenReader) -> bool:
    """Tell `EXPLAIN (ANALYZE) …` from `EXPLAIN (SELECT …)`; VALUES is no reserved word, so look behind it."""
    if not reader.is_symbol("("):
        return False
    is_query = reader.is_word("select", "table", "with", distance=1) or reader.is_symbol("(", 1)
    return not is_query and not (reader.is_word("values", distance=1) and reader.is_symbol("(", 2))


def _old_options(reader: TokenReader) -> tuple[StatementOption, ...]:
    options = []
    for words in (("analyze", "analyse"), ("verbose",)):
        position = reader.position
        if reader.accept_any(*words):
            options.append(StatementOption(words[0], None, position))
    return tuple(options)


def _option_list(reader: TokenReader) -> tuple[StatementOption, ...]:
    return reader.parenthesised(lambda: _option(reader))


def _option(reader: TokenReader) -> StatementOption:
    position = reader.position
    if reader.accept_any("analyze", "analyse"):
        name = "analyze"
    elif reader.is_non_reserved_word():
        name = reader.advance().value
    else:
        raise reader.error()
    if reader.is_symbol(",") or reader.is_symbol(")"):
        return StatementOption(name, None, position)
    value = reader.number() if reader.number_ahead() else reader.boolean_or_word()
    return StatementOption(name, value, position)
