"""SET, RESET, SHOW and DISCARD. PostgreSQL docs, SET, SET TRANSACTION, SET ROLE, RESET, SHOW, DISCARD."""

from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.statements import (
    INTERVAL_MARK,
    Discard,
    DiscardTarget,
    NoOp,
    ResetVariable,
    SettingScope,
    SetTransaction,
    SetVariable,
    ShowVariable,
    UtilityStatement,
)
from pgproxy.sql.utility.transactions import parse_modes
from pgwire.errors import FeatureNotSupported, StatementError

_AFTER_A_NAME = ("to", "from")


def parse_set(reader: TokenReader) -> UtilityStatement:
    """Take what follows SET."""
    scope = SettingScope.SESSION
    if reader.is_word("local", "session") and not _is_setting_name(reader) and not _is_session_form(reader):
        scope = SettingScope(reader.advance().value)
    return _set_rest(reader, scope)


def parse_reset(reader: TokenReader) -> UtilityStatement:
    """Take what follows RESET."""
    if reader.accept("all"):
        return ResetVariable(None)
    return ResetVariable(_spelled_out_name(reader) or _setting_name(reader))


def parse_show(reader: TokenReader) -> UtilityStatement:
    """Take what follows SHOW."""
    if reader.accept("all"):
        return ShowVariable(None)
    return ShowVariable(_spelled_out_name(reader) or _setting_name(reader))


def parse_discard(reader: TokenReader) -> UtilityStatement:
    """Take what follows DISCARD."""
    word = reader.accept_any("all", "plans", "sequences", "temp", "temporary")
    if word is None:
        raise reader.error()
    return Discard(DiscardTarget.TEMP if word == "temporary" else DiscardTarget(word.upper()))


def _is_setting_name(reader: TokenReader) -> bool:
    """Tell whether the next word is a setting's name; it may start a form of its own (`SET role TO x`)."""
    return reader.is_symbol("=", 1) or reader.is_symbol(".", 1) or reader.is_word(*_AFTER_A_NAME, distance=1)


def _is_session_form(reader: TokenReader) -> bool:
    return reader.is_word("session") and reader.is_word("characteristics", "authorization", distance=1)


def _set_rest(reader: TokenReader, scope: SettingScope) -> UtilityStatement:
    if not _is_setting_name(reader):
        if reader.accept("constraints"):
            return _set_constraints(reader)
        if reader.accept("transaction"):
            return _set_transaction(reader)
        if reader.accept("session", "characteristics"):
            reader.expect("as", "transaction")
            return SetTransaction(parse_modes(reader), is_session=True)
        special = _special_form(reader, scope)
        if special is not None:
            return special
    name = _setting_name(reader)
    if reader.accept("from"):
        reader.expect("current")
        reader.expect_end()
        raise FeatureNotSupported("SET FROM CURRENT is only for functions")
    if not reader.accept("to"):
        reader.expect_symbol("=")
    if reader.accept("default"):
        return SetVariable(name, (), scope, is_default=True)
    return SetVariable(name, reader.list_of(lambda: _value(reader)), scope)


def _set_transaction(reader: TokenReader) -> UtilityStatement:
    if reader.accept("snapshot"):
        reader.string()
        reader.expect_end()
        raise FeatureNotSupported("SET TRANSACTION SNAPSHOT is not supported")
    return SetTransaction(parse_modes(reader))


def _set_constraints(reader: TokenReader) -> NoOp:
    """DuckDB checks constraints at once, whatever is asked."""
    if not reader.accept("all"):
        reader.list_of(reader.dotted_name)
    if reader.accept_any("deferred", "immediate") is None:
        raise reader.error()
    return NoOp("SET CONSTRAINTS", needs_admin=False)


def _special_form(reader: TokenReader, scope: SettingScope) -> SetVariable | None:
    """The forms that name a setting in words."""
    if reader.accept("time", "zone"):
        return _time_zone(reader, scope)
    if reader.accept("schema"):
        return SetVariable("search_path", (reader.string(),), scope)
    if reader.accept("names"):
        return _client_encoding(reader, scope)
    if reader.accept("role"):
        return SetVariable("role", (reader.word_or_string(),), scope)
    if reader.accept("session", "authorization"):
        if reader.accept("default"):
            return SetVariable("session_authorization", (), scope, is_default=True)
        return SetVariable("session_authorization", (reader.word_or_string(),), scope)
    if reader.accept("xml", "option"):
        word = reader.accept_any("document", "content")
        if word is None:
            raise reader.error()
        return SetVariable("xmloption", (word,), scope)
    if reader.accept("catalog"):
        reader.string()
        reader.expect_end()
        raise FeatureNotSupported("current database cannot be changed")
    return None


def _client_encoding(reader: TokenReader, scope: SettingScope) -> SetVariable:
    if reader.current is None or reader.accept("default"):
        return SetVariable("client_encoding", (), scope, is_default=True)
    return SetVariable("client_encoding", (reader.string(),), scope)


def _time_zone(reader: TokenReader, scope: SettingScope) -> SetVariable:
    if reader.accept("default") or reader.accept("local"):
        return SetVariable("timezone", (), scope, is_default=True)
    if reader.accept("interval"):
        return SetVariable("timezone", (INTERVAL_MARK + _zone_interval(reader),), scope)
    if reader.is_string() or reader.is_plain_identifier():
        return SetVariable("timezone", (reader.advance().value,), scope)
    return SetVariable("timezone", (reader.number(),), scope)


def _zone_interval(reader: TokenReader) -> str:
    """Take INTERVAL's literal and field words; the text is what the literal held (`+01:00`)."""
    if reader.accept_symbol("("):
        reader.integer()
        reader.expect_symbol(")")
        return reader.string()
    value = reader.string()
    position = reader.position
    fields = []
    while reader.current is not None:
        fields.append(reader.label())
    if fields not in ([], ["hour"], ["minute"], ["hour", "to", "minute"]):
        raise StatementError("time zone interval must be HOUR or HOUR TO MINUTE", position=position)
    return value


def _spelled_out_name(reader: TokenReader) -> str | None:
    if reader.accept("time", "zone"):
        return "timezone"
    if reader.is_word("transaction") and reader.ahead(1) is not None and not reader.is_symbol(".", 1):
        reader.expect("transaction", "isolation", "level")
        return "transaction_isolation"
    if reader.accept("session", "authorization"):
        return "session_authorization"
    return None


def _setting_name(reader: TokenReader) -> str:
    """Take a `var_name`. Settings' names are matched without regard to case, so quoted ones fold too."""
    parts = [reader.name()]
    while reader.accept_symbol("."):
        parts.append(reader.name())
    return ".".join(parts).lower()


def _value(reader: TokenReader) -> str:
    is_number = reader.number_ahead() or reader.is_symbol("+") or reader.is_symbol("-")
    return reader.number() if is_number else reader.boolean_or_word()
