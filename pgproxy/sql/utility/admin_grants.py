"""GRANT, REVOKE and ALTER DEFAULT PRIVILEGES. PostgreSQL docs, under these names."""

from collections.abc import Sequence
from dataclasses import replace

from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility.admin_functions import function_signature
from pgproxy.sql.utility.admin_roles import grantee_list, role_list, role_name
from pgproxy.sql.utility.reader import TokenReader
from pgwire.errors import FeatureNotSupported, StatementError

_UNSUPPORTED = frozenset(
    ["procedure", "routine", "language", "type", "domain", "foreign", "large",
     "parameter", "tablespace"]
)  # fmt: skip


def parse_grant(reader: TokenReader) -> a.GrantPrivileges | a.RoleMembership:
    """Take what follows GRANT."""
    return _parse(reader, is_revoke=False)


def parse_revoke(reader: TokenReader) -> a.GrantPrivileges | a.RoleMembership:
    """Take what follows REVOKE."""
    if reader.accept("grant", "option", "for") or reader.accept("admin", "option", "for"):
        raise FeatureNotSupported("grant options are not supported: only administrators grant")
    return _parse(reader, is_revoke=True)


def parse_default_privileges(reader: TokenReader) -> a.GrantPrivileges:
    """Take what follows ALTER DEFAULT PRIVILEGES.

    A table of this gateway has no owner, so FOR ROLE may name only administrators; who they are is not asked.
    """
    if reader.accept("for"):
        if reader.accept_any("role", "user") is None:
            raise reader.error()
        role_list(reader)
    if not reader.accept("in", "schema"):
        raise FeatureNotSupported("default privileges need IN SCHEMA")
    schemas = reader.list_of(lambda: _schema(reader))
    verb = reader.accept_any("grant", "revoke")
    if verb is None:
        raise reader.error()
    privileges = _privileges(reader)
    reader.expect("on")
    if not reader.accept("tables"):
        raise FeatureNotSupported("default privileges are supported on TABLES only")
    grant = a.GrantPrivileges(
        privileges, a.SecurableKind.FUTURE_TABLES, schemas, (), is_revoke=verb == "revoke", is_default=True
    )
    return replace(grant, grantees=_grantees(reader, is_revoke=grant.is_revoke))


def _parse(reader: TokenReader, *, is_revoke: bool) -> a.GrantPrivileges | a.RoleMembership:
    items = _privileges(reader)
    if reader.is_word("on"):
        reader.advance()
        kind, names = _securables(reader)
        return a.GrantPrivileges(items, kind, names, _grantees(reader, is_revoke=is_revoke), is_revoke)
    roles = _roles_of(items, reader)
    return a.RoleMembership(roles, _grantees(reader, is_revoke=is_revoke), is_revoke)


def _roles_of(items: Sequence[a.PrivilegeItem], reader: TokenReader) -> tuple[str, ...]:
    names = []
    for item in items:
        if item.name is None or item.columns:
            raise reader.error()
        names.append(item.name)
    return tuple(names)


def _privileges(reader: TokenReader) -> tuple[a.PrivilegeItem, ...]:
    if reader.accept("all"):
        reader.accept("privileges")
        return (a.PrivilegeItem(None, _columns(reader)),)
    return reader.list_of(lambda: _privilege(reader))


def _privilege(reader: TokenReader) -> a.PrivilegeItem:
    position = reader.position
    name = reader.label()
    return a.PrivilegeItem(name, _columns(reader), position)


def _columns(reader: TokenReader) -> tuple[str, ...]:
    return reader.parenthesised(reader.name) if reader.is_symbol("(") else ()


def _securables(reader: TokenReader) -> tuple[a.SecurableKind, tuple[a.RelationParts, ...]]:
    if reader.is_word(*_UNSUPPORTED) and not (
        reader.is_symbol(",", 1) or reader.is_word("to", "from", distance=1)
    ):
        raise FeatureNotSupported(f"privileges on {reader.label().upper()} are not supported")
    if reader.accept("all"):
        if reader.accept("functions", "in", "schema"):
            return a.SecurableKind.FUNCTIONS_IN_SCHEMA, reader.list_of(lambda: _schema(reader))
        if not reader.accept("tables"):
            raise FeatureNotSupported(f"privileges on ALL {reader.label().upper()} are not supported")
        reader.expect("in", "schema")
        return a.SecurableKind.TABLES_IN_SCHEMA, reader.list_of(lambda: _schema(reader))
    if reader.accept("schema"):
        return a.SecurableKind.SCHEMA, reader.list_of(lambda: _schema(reader))
    if reader.accept("database"):
        return a.SecurableKind.DATABASE, reader.list_of(lambda: (reader.name(),))
    if _says_kind(reader, "function"):
        return a.SecurableKind.FUNCTION, reader.list_of(lambda: function_signature(reader))
    if _says_kind(reader, "sequence"):
        return a.SecurableKind.SEQUENCE, reader.list_of(reader.dotted_name)
    reader.accept("table")
    return a.SecurableKind.TABLE, reader.list_of(reader.dotted_name)


def _says_kind(reader: TokenReader, word: str) -> bool:
    """Take a word that says of what kind the securables are; before a comma or TO it is a table's name."""
    if not reader.is_word(word) or reader.is_symbol(",", 1) or reader.is_word("to", "from", distance=1):
        return False
    reader.advance()
    return True


def _schema(reader: TokenReader) -> a.RelationParts:
    """A schema; of another catalog with the catalog in front."""
    position = reader.position
    parts = reader.dotted_name()
    if len(parts) > 2:
        raise StatementError("improper qualified name (too many dotted names)", position=position)
    return parts


def _grantees(reader: TokenReader, *, is_revoke: bool) -> tuple[str, ...]:
    reader.expect("from" if is_revoke else "to")
    names = grantee_list(reader)
    if not is_revoke and reader.accept("with"):
        if reader.accept_any("grant", "admin") is None:
            raise reader.error()
        reader.expect("option")
        raise FeatureNotSupported("grant options are not supported: only administrators grant")
    if reader.accept("granted", "by"):
        role_name(reader)
    if is_revoke:
        reader.accept_any("cascade", "restrict")
    return names
