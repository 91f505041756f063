"""Row filters, masks and tags. PostgreSQL docs, "CREATE POLICY", "SECURITY LABEL".

MASK is ours, of the same build:

CREATE [OR REPLACE] MASK name ON table (column) [TO roles] [EXCEPT roles] [STRICTNESS n] USING (expression)
CREATE [OR REPLACE] MASK name ON TAG tag …      in the expression `value` is the column
DROP MASK [IF EXISTS] name ON table | TAG tag
SECURITY LABEL [FOR pgproxy] ON COLUMN table.column IS 'tag, …' | NULL
"""

from pgproxy.policy.model import PolicyCommand
from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility.admin_roles import grantee_list, role_list
from pgproxy.sql.utility.reader import TokenReader
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

LABEL_PROVIDER = "pgproxy"


def parse_create_policy(reader: TokenReader) -> a.CreatePolicy:
    """Take what follows CREATE POLICY."""
    name, table = _name_on_table(reader)
    is_restrictive, command = False, PolicyCommand.ALL
    if reader.accept("as"):
        word = reader.accept_any("permissive", "restrictive")
        if word is None:
            raise reader.error()
        is_restrictive = word == "restrictive"
    if reader.accept("for"):
        word = reader.accept_any("all", "select", "insert", "update", "delete")
        if word is None:
            raise reader.error()
        command = PolicyCommand(word.upper())
    roles = _policy_roles(reader) or ()
    using, check = _predicates(reader)
    return a.CreatePolicy(name, table, roles, is_restrictive, using, check, command)


def parse_alter_policy(reader: TokenReader) -> a.AlterPolicy:
    """Take what follows ALTER POLICY."""
    name, table = _name_on_table(reader)
    if reader.accept("rename", "to"):
        return a.AlterPolicy(name, table, new_name=reader.name())
    roles = _policy_roles(reader)
    using, check = _predicates(reader)
    return a.AlterPolicy(name, table, None, roles, using, check)


def parse_drop_policy(reader: TokenReader) -> a.DropPolicy:
    """Take what follows DROP POLICY."""
    if_exists = reader.accept("if", "exists")
    name, table = _name_on_table(reader)
    reader.accept_any("cascade", "restrict")
    return a.DropPolicy(name, table, if_exists)


def is_row_security(reader: TokenReader) -> bool:
    """Tell whether an ALTER TABLE, its first word being next, only turns row level security on or off."""
    distance = 0
    while reader.ahead(distance) is not None:
        if reader.is_word("row", distance=distance) and reader.is_word("level", distance=distance + 1):
            return reader.is_word("security", distance=distance + 2)
        distance += 1
    return False


def parse_row_security(reader: TokenReader) -> a.SetRowSecurity:
    """Take what follows ALTER TABLE."""
    if_exists = reader.accept("if", "exists")
    reader.accept("only")
    table = reader.dotted_name()
    if reader.accept("no", "force") or reader.accept("force"):
        enable = None
    elif (word := reader.accept_any("enable", "disable")) is not None:
        enable = word == "enable"
    else:
        raise reader.error()
    reader.expect("row", "level", "security")
    return a.SetRowSecurity(table, enable, if_exists)


def parse_create_mask(reader: TokenReader, *, is_replace: bool) -> a.CreateMask:
    """Take what follows CREATE MASK."""
    name = reader.name()
    reader.expect("on")
    table, column, tag = None, "", None
    if _is_tag(reader):
        tag = _tag(reader)
    else:
        table = reader.dotted_name()
        reader.expect_symbol("(")
        column = reader.name()
        reader.expect_symbol(")")
    roles = _policy_roles(reader) or ()
    exempt = role_list(reader) if reader.accept("except") else ()
    strictness = reader.integer() if reader.accept("strictness") else 0
    reader.expect("using")
    return a.CreateMask(
        name, _expression(reader), table, column, tag, roles, exempt, strictness, replace=is_replace
    )


def parse_drop_mask(reader: TokenReader) -> a.DropMask:
    """Take what follows DROP MASK."""
    if_exists = reader.accept("if", "exists")
    name = reader.name()
    reader.expect("on")
    if _is_tag(reader):
        return a.DropMask(name, tag=_tag(reader), if_exists=if_exists)
    return a.DropMask(name, reader.dotted_name(), if_exists=if_exists)


def parse_security_label(reader: TokenReader) -> a.SecurityLabel:
    """Take what follows SECURITY LABEL."""
    if reader.accept("for"):
        position = reader.position
        provider = reader.word_or_string()
        if provider != LABEL_PROVIDER:
            raise StatementError(
                f'security label provider "{provider}" is not loaded',
                sqlstate=SqlState.INVALID_PARAMETER_VALUE,
                position=position,
            )
    reader.expect("on")
    if not reader.accept("column"):
        raise FeatureNotSupported("security labels are supported on columns only")
    position = reader.position
    parts = [reader.name()]
    while reader.accept_symbol("."):
        parts.append(reader.label())
    if not 2 <= len(parts) <= 4:
        raise StatementError("column name must be qualified", position=position)
    reader.expect("is")
    text = "" if reader.accept("null") else reader.string()
    tags = tuple(tag.strip() for tag in text.split(",") if tag.strip())
    return a.SecurityLabel(tuple(parts), tags)


def _name_on_table(reader: TokenReader) -> tuple[str, a.RelationParts]:
    name = reader.name()
    reader.expect("on")
    return name, reader.dotted_name()


def _policy_roles(reader: TokenReader) -> tuple[str, ...] | None:
    """Take TO roles; () for PUBLIC, None where it is not said."""
    if not reader.accept("to"):
        return None
    roles = grantee_list(reader)
    return () if "public" in roles else roles


def _predicates(reader: TokenReader) -> tuple[str | None, str | None]:
    using = _expression(reader) if reader.accept("using") else None
    check = _expression(reader) if reader.accept("with", "check") else None
    return using, check


def _expression(reader: TokenReader) -> str:
    reader.expect_symbol("(")
    text = reader.text_to_closing_parenthesis()
    reader.expect_symbol(")")
    return text


def _is_tag(reader: TokenReader) -> bool:
    """`ON tag (c)` and `ON tag.t (c)` are tables: TAG is a word only before a name or a string."""
    return reader.is_word("tag") and (reader.is_name(1) or reader.is_string(1))


def _tag(reader: TokenReader) -> str:
    reader.expect("tag")
    if reader.is_string():
        return reader.string()
    parts = [reader.name()]
    while reader.accept_symbol("."):
        parts.append(reader.label())
    return ".".join(parts)
