"""Making a session for a client that has proven who it is: which catalog, with which settings."""

from collections.abc import Mapping

from pgproxy.identity.model import Identity as ProvenIdentity
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.session.detached import DetachedSession
from pgproxy.session.services import Identity, SessionServices, SocketEnds
from pgproxy.session.settings import SessionSettings
from pgproxy.session.sql_session import SqlSession
from pgwire.errors import AccessDenied, GatewayError, InvalidCatalog
from pgwire.session.machine import Session
from pgwire.startup import StartupMessage

_NOT_SETTINGS = frozenset({"user", "database", "options", "replication"})


class SessionOpener:
    """Opens sessions. defaults: settings as the operator wants them, by name."""

    def __init__(self, services: SessionServices, defaults: Mapping[str, str]) -> None:
        self._services = services
        self._defaults = defaults

    def open(
        self,
        startup: StartupMessage,
        proven: ProvenIdentity,
        machine: Session,
        process_id: int,
        ends: SocketEnds,
    ) -> SqlSession:
        """Open the session of a principal that has proven who it is.

        Raises:
            InvalidCatalog: 3D000, no such catalog.
            AccessDenied: 42501, CONNECT is not held on it, or the credential is not for it.
            GatewayError: FATAL, the packet asks for a setting that is not to be had.
        """
        policy = self._services.policies.effective(proven.principal, proven.scope)
        database = self._catalog_for(proven.principal, startup.database)
        _check_connect(policy, database)
        settings = self._settings_of(policy)
        self._apply_startup(settings, startup, is_admin=policy.is_admin)
        identity = Identity(proven.principal, database, process_id, ends, proven.scope)
        return SqlSession(identity, self._services, settings, machine.statements, machine.portals)

    def open_detached(
        self, proven: ProvenIdentity, database: str, settings: Mapping[str, str]
    ) -> DetachedSession:
        """Open a session that has no connection, for one statement. database: empty for the default one.

        Raises:
            InvalidCatalog: 3D000, no such catalog.
            AccessDenied: 42501, CONNECT is not held on it, or the credential is not for it.
            GatewayError: a setting is not to be had.
        """
        policy = self._services.policies.effective(proven.principal, proven.scope)
        catalog = self._catalog_for(proven.principal, database or proven.principal)
        _check_connect(policy, catalog)
        known = self._settings_of(policy)
        for name, value in settings.items():
            known.set_default(name, value, is_admin=policy.is_admin)
        identity = Identity(proven.principal, catalog, 0, scope=proven.scope)
        return DetachedSession(identity, self._services, known)

    def _settings_of(self, policy: EffectivePolicy) -> SessionSettings:
        initial = {
            **self._defaults,
            "is_superuser": "on" if policy.is_admin else "off",
            "session_authorization": policy.principal,
        }
        return SessionSettings(initial, policy.attributes)

    def _catalog_for(self, user: str, asked: str) -> str:
        """Find the one that is asked for; the user's own name (libpq's default) means the default catalog."""
        snapshot = self._services.catalogs.snapshot
        if asked == snapshot.default_catalog or any(catalog == asked for catalog, _ in snapshot.schemas):
            return asked
        if asked == user:
            return snapshot.default_catalog
        raise InvalidCatalog(f'database "{asked}" does not exist')

    def _apply_startup(self, settings: SessionSettings, startup: StartupMessage, *, is_admin: bool) -> None:
        """Apply the packet's settings; they are what RESET gives back."""
        for name, value in (
            *startup.parameters.items(),
            *parse_options(startup.parameters.get("options", "")),
        ):
            if name in _NOT_SETTINGS:
                continue
            try:
                settings.set_default(name, value, is_admin=is_admin)
            except GatewayError as error:
                error.fatal = True  # type: ignore[misc]  # this instance: PostgreSQL ends the connection here
                raise


def _check_connect(policy: EffectivePolicy, database: str) -> None:
    if not policy.may_connect(database):
        error = AccessDenied(
            f'permission denied for database "{database}"',
            detail="User does not have CONNECT privilege.",
            rule=DenialRule.DATABASE,
        )
        error.fatal = True  # type: ignore[misc]  # this instance: no session begins
        raise error


def parse_options(options: str) -> tuple[tuple[str, str], ...]:
    r"""Read `-c name=value` and `--name=value`. A backslash escapes a blank. PostgreSQL docs, "PGOPTIONS"."""
    words: list[str] = []
    current, is_escaped = "", False
    for character in options:
        if is_escaped or (character != "\\" and not character.isspace()):
            current, is_escaped = current + character, False
        elif character == "\\":
            is_escaped = True
        elif current:
            words.append(current)
            current = ""
    words += [current] if current else []
    found: list[tuple[str, str]] = []
    waiting = False
    for word in words:
        if waiting or word.startswith("--"):
            name, _, value = word.removeprefix("--").partition("=")
            found.append((name.replace("-", "_"), value))
            waiting = False
        elif word.startswith("-c"):
            waiting = word == "-c"
            if not waiting:
                name, _, value = word[2:].partition("=")
                found.append((name, value))
    return tuple(found)
