"""CREATE API KEY and DROP API KEY: our own statements, in PostgreSQL's words."""

from dataclasses import replace

from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility.admin_roles import role_name
from pgproxy.sql.utility.reader import TokenReader
from pgwire.errors import StatementError

_INTERFACES = ("postgres", "http")


def parse_create_api_key(reader: TokenReader) -> a.CreateApiKey:
    """Take what follows CREATE API KEY."""
    reader.expect("for")
    key = a.CreateApiKey(role_name(reader))
    seen: set[str] = set()
    while reader.current is not None:
        position = reader.position
        word = reader.label()
        key = _option(reader, key, word)
        if word in seen:
            raise StatementError("conflicting or redundant options", position=position)
        seen.add(word)
    return key


def parse_drop_api_key(reader: TokenReader) -> a.DropApiKey:
    """Take what follows DROP API KEY."""
    if_exists = reader.accept("if", "exists")
    return a.DropApiKey(reader.word_or_string(), if_exists)


def _option(reader: TokenReader, key: a.CreateApiKey, word: str) -> a.CreateApiKey:
    match word:
        case "label":
            return replace(key, label=reader.string())
        case "read":
            reader.expect("only")
            return replace(key, is_read_only=True)
        case "in":
            reader.expect("database")
            return replace(key, databases=reader.list_of(reader.name))
        case "for":
            interface = reader.accept_any(*_INTERFACES)
            if interface is None:
                raise reader.error()
            return replace(key, interface=interface)
        case "valid":
            reader.expect("until")
            return replace(key, valid_until=reader.string())
        case _:
            raise StatementError("unrecognized API key option", position=reader.position)
