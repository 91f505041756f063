"""COPY. Only the client's own stream is a source or a target. PostgreSQL docs, COPY."""

from pgproxy.policy.denial import DenialRule
from pgproxy.sql.utility.prepared import DML_WORDS, expect_query_start
from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.statements import CopyFrom, CopyTo, StatementOption, UtilityStatement
from pgwire.errors import AccessDenied

_FLAGS = {"freeze": ("freeze", "true"), "csv": ("format", "csv"), "header": ("header", "true")}
_STRINGS = ("delimiter", "null", "quote", "escape")


def parse_copy(reader: TokenReader) -> UtilityStatement:
    """Take what follows COPY.

    Raises:
        AccessDenied: a file or a program is named; nobody may have the gateway read or write its own host.
    """
    if reader.is_symbol("("):
        return _copy_query(reader)
    # `COPY binary t`: the word is BINARY's old form; it can be no table's name.
    position = reader.position
    options = [StatementOption("format", "binary", position)] if reader.accept("binary") else []
    relation = reader.dotted_name()
    columns = reader.parenthesised(reader.name) if reader.is_symbol("(") else ()
    direction = reader.accept_any("from", "to")
    if direction is None:
        raise reader.error()
    is_file = _stream(reader)
    options += _old_delimiters(reader) + _options(reader)
    where = None
    if direction == "from" and reader.accept("where"):
        where = reader.rest()
    reader.expect_end()
    _refuse_file(is_file)
    if direction == "from":
        return CopyFrom(relation, columns, tuple(options), where)
    return CopyTo(relation, columns, None, 0, tuple(options))


def _copy_query(reader: TokenReader) -> CopyTo:
    reader.expect_symbol("(")
    expect_query_start(reader, *DML_WORDS)
    offset = reader.offset
    query = reader.text_to_closing_parenthesis()
    reader.expect_symbol(")")
    reader.expect("to")
    is_file = _stream(reader)
    options = _options(reader)
    reader.expect_end()
    _refuse_file(is_file)
    return CopyTo(None, (), query, offset, tuple(options))


def _stream(reader: TokenReader) -> bool:
    """Take the source or target; tell whether it is on the server's host."""
    if reader.accept("program"):
        reader.string()
        return True
    if reader.is_string():
        reader.advance()
        return True
    # The grammar lets either word stand in either direction.
    if reader.accept_any("stdin", "stdout") is None:
        raise reader.error()
    return False


def _refuse_file(is_file: bool) -> None:
    if is_file:
        raise AccessDenied(
            "permission denied to COPY to or from a file or an external program",
            hint="Use COPY FROM STDIN or COPY TO STDOUT; psql's \\copy works for everyone.",
            rule=DenialRule.SERVER_FILE,
        )


def _old_delimiters(reader: TokenReader) -> list[StatementOption]:
    position = reader.position
    if reader.is_word("using") or reader.is_word("delimiters"):
        reader.accept("using")
        reader.expect("delimiters")
        return [StatementOption("delimiter", reader.string(), position)]
    return []


def _options(reader: TokenReader) -> list[StatementOption]:
    reader.accept("with")
    if reader.is_symbol("("):
        return list(reader.parenthesised(lambda: _generic_option(reader)))
    options = []
    while reader.current is not None and not reader.is_word("where"):
        options.append(_old_option(reader))
    return options


def _generic_option(reader: TokenReader) -> StatementOption:
    position = reader.position
    name = reader.label()
    if reader.is_symbol(",") or reader.is_symbol(")"):
        return StatementOption(name, None, position)
    if reader.accept_symbol("*"):
        return StatementOption(name, "*", position)
    if reader.is_symbol("("):
        return StatementOption(name, reader.parenthesised(reader.boolean_or_word), position)
    value = reader.number() if reader.number_ahead() else reader.boolean_or_word()
    return StatementOption(name, value, position)


def _old_option(reader: TokenReader) -> StatementOption:
    position = reader.position
    if reader.accept("binary"):
        return StatementOption("format", "binary", position)
    if word := reader.accept_any(*_FLAGS):
        return StatementOption(*_FLAGS[word], position)
    if word := reader.accept_any(*_STRINGS):
        reader.accept("as")
        return StatementOption(word, reader.string(), position)
    if reader.accept("encoding"):
        return StatementOption("encoding", reader.string(), position)
    reader.expect("force")
    if reader.accept("quote"):
        value = "*" if reader.accept_symbol("*") else reader.list_of(reader.name)
        return StatementOption("force_quote", value, position)
    name = "force_not_null" if reader.accept("not") else "force_null"
    reader.expect("null")
    return StatementOption(name, reader.list_of(reader.name), position)
