"""Why a login failed, for the log and the audit; the client is told one thing for all. Pure."""

from datetime import datetime
from enum import StrEnum

from pgproxy.control.passwords import login_verifier
from pgproxy.identity.model import AuthMethod
from pgproxy.identity.subjects import Subject


class Reason(StrEnum):
    """A closed list: it is a column of the audit log."""

    UNKNOWN_ROLE = "unknown_role"
    ROLE_MAY_NOT_LOG_IN = "role_may_not_log_in"
    WRONG_SECRET = "wrong_secret"  # noqa: S105  # the name of a reason
    NO_PASSWORD = "no_password"  # noqa: S105  # the name of a reason
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105  # the name of a reason
    UNKNOWN_KEY = "unknown_key"
    KEY_NOT_VALID = "key_not_valid"
    CERTIFICATE = "certificate"
    LOCKED = "locked_after_failures"
    NO_RULE = "no_rule"
    RULE_REJECTS = "rule_rejects"
    WRONG_METHOD = "wrong_method"
    TURNED_AWAY = "turned_away"
    """Proven, but no session: no such database, no CONNECT on it, a setting that is not to be had."""


def failure_reason(subject: Subject, method: str, now: datetime) -> Reason:
    """Say why what a subject showed was not enough."""
    state, name = subject.state, subject.name
    if name not in state.principals:
        return Reason.UNKNOWN_ROLE
    if not subject.may_log_in:
        return Reason.ROLE_MAY_NOT_LOG_IN
    if method == AuthMethod.CERTIFICATE:
        return Reason.CERTIFICATE
    if subject.key_id is not None:
        return _key_reason(subject, now)
    if method in (AuthMethod.API_KEY, AuthMethod.JWT):
        return Reason.WRONG_SECRET
    if name not in state.verifiers:
        return Reason.NO_PASSWORD
    if login_verifier(state, name, now) is None:
        return Reason.PASSWORD_EXPIRED
    return Reason.WRONG_SECRET


def _key_reason(subject: Subject, now: datetime) -> Reason:
    key = subject.state.api_keys.get(subject.key_id or "")
    if key is None or key.principal != subject.name:
        return Reason.UNKNOWN_KEY
    return Reason.WRONG_SECRET if key.is_valid(now) else Reason.KEY_NOT_VALID
