"""Tell administrative statements from the CREATE, ALTER and DROP that are planned, by their leading words."""

from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility.admin_functions import is_function, parse_create_function, parse_drop_function
from pgproxy.sql.utility.admin_grants import parse_default_privileges, parse_grant, parse_revoke
from pgproxy.sql.utility.admin_keys import parse_create_api_key, parse_drop_api_key
from pgproxy.sql.utility.admin_policies import (
    is_row_security,
    parse_alter_policy,
    parse_create_mask,
    parse_create_policy,
    parse_drop_mask,
    parse_drop_policy,
    parse_row_security,
    parse_security_label,
)
from pgproxy.sql.utility.admin_roles import (
    parse_alter_role,
    parse_create_role,
    parse_drop_owned,
    parse_drop_role,
)
from pgproxy.sql.utility.reader import TokenReader


def parse_admin(reader: TokenReader) -> a.AdminStatement | None:
    """Parse one; None, and nothing taken, where it is none. What is left over is the caller's to refuse.

    Raises:
        StatementError: 42601 with its position.
        FeatureNotSupported: valid PostgreSQL that is not done here.
    """
    if reader.accept("grant"):
        return parse_grant(reader)
    if reader.accept("revoke"):
        return parse_revoke(reader)
    if reader.accept("security", "label"):
        return parse_security_label(reader)
    if reader.accept("rollback", "policy"):
        reader.expect("to", "version")
        return a.RollbackPolicy(reader.integer())
    if reader.is_word("create"):
        return _create(reader)
    if reader.is_word("alter"):
        return _alter(reader)
    if reader.is_word("drop"):
        return _drop(reader)
    return None


def _create(reader: TokenReader) -> a.AdminStatement | None:
    if (word := _role_word(reader, "create")) is not None:
        return parse_create_role(reader, word)
    if reader.accept("create", "api", "key"):
        return parse_create_api_key(reader)
    if is_function(reader):
        return parse_create_function(reader)
    if reader.accept("create", "policy"):
        return parse_create_policy(reader)
    if reader.accept("create", "mask"):
        return parse_create_mask(reader, is_replace=False)
    if reader.accept("create", "or", "replace", "mask"):
        return parse_create_mask(reader, is_replace=True)
    return None


def _alter(reader: TokenReader) -> a.AdminStatement | None:
    if reader.is_word("mapping", distance=2):
        return None
    if (word := _role_word(reader, "alter")) is not None:
        return parse_alter_role(reader, word)
    if reader.accept("alter", "policy"):
        return parse_alter_policy(reader)
    if reader.accept("alter", "default", "privileges"):
        return parse_default_privileges(reader)
    if reader.is_word("table", distance=1) and is_row_security(reader):
        reader.expect("alter", "table")
        return parse_row_security(reader)
    return None


def _drop(reader: TokenReader) -> a.AdminStatement | None:
    if _role_word(reader, "drop") is not None:
        return parse_drop_role(reader)
    if reader.accept("drop", "api", "key"):
        return parse_drop_api_key(reader)
    if reader.accept("drop", "function"):
        return parse_drop_function(reader)
    if reader.accept("drop", "policy"):
        return parse_drop_policy(reader)
    if reader.accept("drop", "mask"):
        return parse_drop_mask(reader)
    if reader.accept("drop", "owned"):
        return parse_drop_owned(reader)
    return None


def _role_word(reader: TokenReader, verb: str) -> a.RoleWord | None:
    """Take `verb ROLE`; CREATE USER MAPPING is another statement."""
    if reader.is_word("mapping", distance=2):
        return None
    for word in a.RoleWord:
        if reader.accept(verb, word.value.lower()):
            return word
    return None
