"""CREATE, ALTER and DROP of ROLE, USER and GROUP. PostgreSQL docs, "CREATE ROLE", "ALTER ROLE" and so on."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.scan import TokenKind
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_FLAGS: Mapping[str, Callable[[a.RoleOptions, bool], a.RoleOptions]] = {
    "superuser": lambda options, is_on: replace(options, superuser=is_on),
    "login": lambda options, is_on: replace(options, login=is_on),
    "createrole": lambda options, is_on: replace(options, security_officer=is_on),
    "auditor": lambda options, is_on: replace(options, auditor=is_on),
}
"""Options that are on, or off with NO in front. AUDITOR is ours."""

_ACCEPTED = frozenset({"inherit", "nocreatedb", "noreplication", "nobypassrls"})
_REFUSED = frozenset({"noinherit", "createdb", "replication", "bypassrls"})


def parse_create_role(reader: TokenReader, word: a.RoleWord) -> a.CreateRole:
    """Take what follows CREATE ROLE, USER or GROUP."""
    name = role_name(reader)
    reader.accept("with")
    return a.CreateRole(name, word, _options(reader, is_create=True))


def parse_alter_role(
    reader: TokenReader, word: a.RoleWord
) -> a.AlterRole | a.AlterRoleSetting | a.AlterGroup:
    """Take what follows ALTER ROLE, USER or GROUP."""
    if word is not a.RoleWord.GROUP and reader.accept("all"):
        raise FeatureNotSupported("settings for all roles are not supported")
    name = role_name(reader)
    if reader.is_word("rename"):
        raise FeatureNotSupported("renaming a role is not supported")
    if word is a.RoleWord.GROUP:
        verb = reader.accept_any("add", "drop")
        if verb is None:
            raise reader.error()
        reader.expect("user")
        return a.AlterGroup(name, role_list(reader), is_drop=verb == "drop")
    if reader.is_word("set", "reset", "in"):
        return _role_setting(reader, name)
    reader.accept("with")
    return a.AlterRole(name, _options(reader, is_create=False))


def parse_drop_role(reader: TokenReader) -> a.DropRole:
    """Take what follows DROP ROLE."""
    if_exists = reader.accept("if", "exists")
    return a.DropRole(role_list(reader), if_exists)


def parse_drop_owned(reader: TokenReader) -> a.DropOwned:
    """Take what follows DROP OWNED."""
    reader.expect("by")
    names = role_list(reader)
    reader.accept_any("cascade", "restrict")
    return a.DropOwned(names)


_SELF = ("current_user", "session_user", "current_role")
"""Words that stand for who asks. As names in quotation marks they could not be told from these any more."""


def role_name(reader: TokenReader) -> str:
    """Take a `RoleSpec` that names a role; PUBLIC is for those who look for it first.

    Raises:
        StatementError: 42939, `public` and `none` are no roles; nor is the quoted name of a word for oneself.
    """
    position = reader.position
    if reader.is_word(*_SELF):
        return reader.advance().value
    if not reader.is_non_reserved_word():
        raise reader.error()
    token = reader.advance()
    if token.value in ("public", "none", *_SELF):
        raise StatementError(
            f'role name "{token.value}" is reserved', sqlstate=SqlState.RESERVED_NAME, position=position
        )
    return token.value


def role_list(reader: TokenReader) -> tuple[str, ...]:
    """Take role names with commas between."""
    return reader.list_of(lambda: role_name(reader))


def grantee_list(reader: TokenReader) -> tuple[str, ...]:
    """Take role names or PUBLIC; `public` stands for it, since no role can have that name."""
    return reader.list_of(lambda: _grantee(reader))


def _grantee(reader: TokenReader) -> str:
    reader.accept("group")
    return reader.advance().value if _is_public(reader) else role_name(reader)


def _is_public(reader: TokenReader) -> bool:
    token = reader.current
    return (
        token is not None
        and token.kind in (TokenKind.WORD, TokenKind.QUOTED_NAME)
        and (token.value == "public")
    )


def _options(reader: TokenReader, *, is_create: bool) -> a.RoleOptions:
    options = a.RoleOptions()
    seen: set[str] = set()
    while reader.current is not None:
        position = reader.position
        word = reader.current.value
        kind, options = _option(reader, options, is_create=is_create)
        if kind in seen:
            raise StatementError("conflicting or redundant options", position=position)
        seen.add(kind or word)
    return options


def _option(reader: TokenReader, options: a.RoleOptions, *, is_create: bool) -> tuple[str, a.RoleOptions]:
    word = reader.label()
    flag = word if word in _FLAGS else word.removeprefix("no")
    if flag in _FLAGS:
        return flag, _FLAGS[flag](options, flag == word)
    if word in _ACCEPTED:
        return word.removeprefix("no"), options
    if word in _REFUSED:
        raise FeatureNotSupported(f"role attribute {word.upper()} is not supported")
    if word in ("encrypted", "password"):
        if word == "encrypted":
            reader.expect("password")
        return "password", replace(options, password=None if reader.accept("null") else reader.string())
    if word == "valid":
        reader.expect("until")
        return "valid", replace(options, valid_until=reader.string())
    if word == "connection":
        reader.expect("limit")
        return "connection", replace(options, connection_limit=_limit(reader))
    if word in ("in", "role", "user", "admin") and is_create:
        return _membership(reader, options, word)
    raise StatementError("unrecognized role option", position=reader.position)


def _limit(reader: TokenReader) -> int:
    position = reader.position
    limit = reader.integer()
    if limit < -1:
        raise StatementError(
            f"invalid connection limit: {limit}",
            sqlstate=SqlState.INVALID_PARAMETER_VALUE,
            position=position,
        )
    return limit


def _membership(reader: TokenReader, options: a.RoleOptions, word: str) -> tuple[str, a.RoleOptions]:
    if word == "in":
        if reader.accept_any("role", "group") is None:
            raise reader.error()
        return "in", replace(options, in_roles=role_list(reader))
    if word == "admin":
        raise FeatureNotSupported("ADMIN is not supported: only administrators manage memberships")
    return "members", replace(options, members=role_list(reader))


def _role_setting(reader: TokenReader, name: str) -> a.AlterRoleSetting:
    if reader.accept("in"):
        raise FeatureNotSupported("settings of a role in one database are not supported")
    if reader.accept("reset"):
        return a.AlterRoleSetting(name, None if reader.accept("all") else _setting_name(reader), None)
    reader.expect("set")
    setting = _setting_name(reader)
    if not reader.accept("to"):
        reader.expect_symbol("=")
    if reader.accept("default"):
        return a.AlterRoleSetting(name, setting, None)
    value = reader.number() if reader.number_ahead() else reader.boolean_or_word()
    return a.AlterRoleSetting(name, setting, value)


def _setting_name(reader: TokenReader) -> str:
    parts = [reader.name()]
    while reader.accept_symbol("."):
        parts.append(reader.label())
    return ".".join(parts).lower()
