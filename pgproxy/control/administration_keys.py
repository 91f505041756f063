"""API keys by SQL: pure changes, as in `pgproxy.control.administration`."""

from pgproxy.control import changes
from pgproxy.control.administration import Administration, moment
from pgproxy.control.api_keys import Interface, KeyTerms
from pgproxy.control.state import ControlState
from pgproxy.policy.model import CredentialScope
from pgproxy.sql.utility import admin_statements as a


def change_api_keys(
    state: ControlState, statement: a.CreateApiKey | a.DropApiKey, by: Administration
) -> ControlState:
    """CREATE or DROP API KEY. Raises: 42704, 42809 for the role; 3D000; 22007; 42704 for the key."""
    if isinstance(statement, a.CreateApiKey):
        return _create(state, statement, by)
    if statement.if_exists and statement.key_id not in state.api_keys:
        by.tell("the API key does not exist, skipping")
        return state
    return changes.drop_api_key(state, statement.key_id)


def _create(state: ControlState, statement: a.CreateApiKey, by: Administration) -> ControlState:
    if by.key_draft is None:
        raise RuntimeError("no key was drafted")
    databases = frozenset(map(by.names.database, statement.databases))
    interfaces = frozenset(Interface) if statement.interface is None else {Interface(statement.interface)}
    terms = KeyTerms(
        statement.label,
        moment(statement.valid_until),
        CredentialScope(statement.is_read_only, databases or None),
        frozenset(interfaces),
    )
    return changes.add_api_key(state, by.key_draft.key_for(by.role(statement.role), terms))
