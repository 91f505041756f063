"""One administrative statement as a `Transform`: which change it is, and the tag that answers it."""

from typing import assert_never

from pgproxy.control import administration as roles
from pgproxy.control import administration_grants as grants
from pgproxy.control import administration_keys as keys
from pgproxy.control import administration_policies as policies
from pgproxy.control.administration import Administration, Notice, as_role
from pgproxy.control.administration_functions import create_function, drop_functions
from pgproxy.control.api_keys import KeyDraft
from pgproxy.control.state import ControlState
from pgproxy.control.undo import rolled_back
from pgproxy.sql.utility import admin_statements as a


class AdminChange:
    """A statement bound to a session. Called once or more, each time on the state of that moment."""

    def __init__(self, statement: a.AdminStatement, by: Administration) -> None:
        self.statement = statement
        self._by = by

    @property
    def key_draft(self) -> KeyDraft | None:
        """The API key that the statement creates."""
        return self._by.key_draft

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the last call had to tell."""
        return tuple(self._by.notices)

    def __call__(self, state: ControlState) -> ControlState:
        """Give the state after the statement.

        Raises:
            GatewayError: it is refused.
        """
        self._by.notices.clear()
        return _changed(state, self.statement, self._by)


def password_owner(statement: a.AdminStatement, actor: str) -> str | None:
    """The role whose password the statement changes, and nothing else: everybody may change its own."""
    if not isinstance(statement, a.AlterRole):
        return None
    only_password = a.RoleOptions(password=statement.options.password)
    if statement.options != only_password or only_password.password is a.UNCHANGED:
        return None
    return as_role(statement.name, actor)


def command_tag(statement: a.AdminStatement) -> str:
    """Give the tag of CommandComplete. PostgreSQL docs, "Message Formats"; src/include/tcop/cmdtaglist.h."""
    match statement:
        case a.GrantPrivileges(is_default=True):
            return "ALTER DEFAULT PRIVILEGES"
        case a.GrantPrivileges():
            return "REVOKE" if statement.is_revoke else "GRANT"
        case a.RoleMembership():
            return "REVOKE ROLE" if statement.is_revoke else "GRANT ROLE"
        case _:
            return _TAGS[type(statement)]


_TAGS: dict[type[a.AdminStatement], str] = {
    a.CreateRole: "CREATE ROLE",
    a.AlterRole: "ALTER ROLE",
    a.AlterRoleSetting: "ALTER ROLE",
    a.AlterGroup: "ALTER ROLE",
    a.DropRole: "DROP ROLE",
    a.DropOwned: "DROP OWNED",
    a.CreatePolicy: "CREATE POLICY",
    a.AlterPolicy: "ALTER POLICY",
    a.DropPolicy: "DROP POLICY",
    a.SetRowSecurity: "ALTER TABLE",
    a.CreateMask: "CREATE MASK",
    a.DropMask: "DROP MASK",
    a.SecurityLabel: "SECURITY LABEL",
    a.CreateApiKey: "CREATE API KEY",
    a.DropApiKey: "DROP API KEY",
    a.RollbackPolicy: "ROLLBACK POLICY",
    a.CreateFunction: "CREATE FUNCTION",
    a.DropFunction: "DROP FUNCTION",
}


def _changed(  # noqa: C901 - one arm per statement
    state: ControlState, statement: a.AdminStatement, by: Administration
) -> ControlState:
    match statement:
        case a.CreateRole():
            return roles.create_role(state, statement, by)
        case a.AlterRole():
            return roles.alter_role(state, statement, by)
        case a.AlterRoleSetting():
            return roles.alter_role_setting(state, statement, by)
        case a.AlterGroup():
            return roles.alter_group(state, statement, by)
        case a.DropRole():
            return roles.drop_role(state, statement, by)
        case a.DropOwned():
            return roles.drop_owned(state, statement, by)
        case a.RoleMembership():
            return roles.change_membership(state, statement, by)
        case a.GrantPrivileges():
            return grants.change_privileges(state, statement, by)
        case a.CreateApiKey() | a.DropApiKey():
            return keys.change_api_keys(state, statement, by)
        case a.CreateFunction():
            return create_function(state, statement, by)
        case a.DropFunction():
            return drop_functions(state, statement, by)
        case _:
            return _changed_policies(state, statement, by)


def _changed_policies(
    state: ControlState,
    statement: a.CreatePolicy
    | a.AlterPolicy
    | a.DropPolicy
    | a.SetRowSecurity
    | a.CreateMask
    | a.DropMask
    | a.SecurityLabel
    | a.RollbackPolicy,
    by: Administration,
) -> ControlState:
    match statement:
        case a.CreatePolicy():
            return policies.create_policy(state, statement, by)
        case a.AlterPolicy():
            return policies.alter_policy(state, statement, by)
        case a.DropPolicy():
            return policies.drop_policy(state, statement, by)
        case a.SetRowSecurity():
            return policies.set_row_security(state, statement, by)
        case a.CreateMask():
            return policies.create_mask(state, statement, by)
        case a.DropMask():
            return policies.drop_mask(state, statement, by)
        case a.SecurityLabel():
            return policies.label_column(state, statement, by)
        case a.RollbackPolicy():
            return rolled_back(state, by.target or state)
        case _:
            assert_never(statement)
