"""Who may change policy, who may watch, who may see data: apart from one another. Pure.

An administrator holds all. A security officer changes roles, grants, filters, masks and tags, and can hold no
privilege on data; an auditor sees what everybody does and changes nothing.
"""

from pgproxy.control.state import ControlState
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import transitive_groups
from pgproxy.policy.model import Grant, Principal, Privilege
from pgwire.errors import AccessDenied, StatementError
from pgwire.sqlstate import SqlState

_ON_CONTAINERS = frozenset({Privilege.USAGE, Privilege.CONNECT, Privilege.EXECUTE})
_ADMINISTRATORS_PARTS = (
    *("endpoints", "assignments", "catalogs", "flags", "rollouts"),
    *("api_keys", "hba_rules"),
)


def holds_admin(state: ControlState, name: str) -> bool:
    """Whether a principal is an administrator, itself or through a group, and may log in."""
    principal = state.principals.get(name)
    return principal is not None and principal.can_login and any(h.is_admin for h in _holders(state, name))


def may_administer(state: ControlState, name: str) -> bool:
    """Whether a principal may change policy: an administrator or a security officer, who may log in."""
    principal = state.principals.get(name)
    if principal is None or not principal.can_login:
        return False
    return any(holder.is_admin or holder.is_security_officer for holder in _holders(state, name))


def check_officers_change(before: ControlState, after: ControlState) -> None:
    """Refuse what a security officer who is no administrator may not change.

    Raises:
        AccessDenied: roles with a duty, the fleet, flags, API keys or the rules of login are changed.
    """
    for name in before.principals.keys() | after.principals.keys():
        if not (_has_duty(before, name) or _has_duty(after, name)):
            continue
        is_same = before.principals.get(name) == after.principals.get(name)
        if not is_same or before.verifiers.get(name) != after.verifiers.get(name):
            raise AccessDenied(
                "permission denied: who has a duty of its own is changed by administrators",
                hint="Duties are SUPERUSER, CREATEROLE and AUDITOR, held by the role or by a group of it.",
                rule=DenialRule.ADMINISTRATION,
            )
    if any(getattr(before, part) != getattr(after, part) for part in _ADMINISTRATORS_PARTS):
        raise AccessDenied("permission denied: must be an administrator", rule=DenialRule.ADMINISTRATION)


def check_no_data(state: ControlState) -> None:
    """Hold security officers apart from data: neither themselves nor through a group.

    Raises:
        StatementError: 0LP01.
    """
    if not any(principal.is_security_officer for principal in state.principals.values()):
        return
    readers = {grant.principal for grant in state.grants if _is_on_data(grant)}
    for name in state.principals:
        holders = _holders(state, name)
        if not any(h.is_security_officer for h in holders) or any(h.is_admin for h in holders):
            continue
        if not readers.isdisjoint(holder.name for holder in holders):
            raise StatementError(
                f'role "{name}" may change policy, so it can hold no privilege on data',
                sqlstate=SqlState.INVALID_GRANT_OPERATION,
            )


def _is_on_data(grant: Grant) -> bool:
    is_on_sequence = grant.privilege is Privilege.USAGE and grant.table is not None
    return is_on_sequence or grant.privilege not in _ON_CONTAINERS


def _has_duty(state: ControlState, name: str) -> bool:
    return any(h.is_admin or h.is_security_officer or h.is_auditor for h in _holders(state, name))


def _holders(state: ControlState, name: str) -> list[Principal]:
    """The principal and every group that it is in."""
    principal = state.principals.get(name)
    if principal is None:
        return []
    return [principal, *(state.principals[group] for group in transitive_groups(state.principals, principal))]
