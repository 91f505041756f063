"""The settings of one session: SET, SET LOCAL, RESET, SHOW, and what a rollback undoes.

PostgreSQL docs, "SET" and "Setting Parameters".
"""

import re
from collections.abc import Iterator, Mapping

from pgproxy.policy.denial import DenialRule
from pgproxy.session.setting_table import SETTINGS, Context, Setting
from pgproxy.session.setting_values import base_units, engine_zone, text_value
from pgwire.errors import AccessDenied, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import OutputSettings

_CUSTOM_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)+")
_OF_TRANSACTION = frozenset({"transaction_isolation", "transaction_read_only", "transaction_deferrable"})
_REPORTED = tuple(setting for setting in SETTINGS.values() if setting.is_reported)
_MOST_SHOWN = 200
_ATTRIBUTES = "pgproxy.attr."
"""Session attributes come from the control plane; policy reads them, so no client may write them."""
_IDENTITIES = {"role": "set role", "session_authorization": "set session authorization"}


class SessionSettings:
    """Values by lower-case name.

    Session values survive a commit; local ones end with their transaction block.
    """

    def __init__(self, initial: Mapping[str, str], attributes: Mapping[str, str]) -> None:
        self._boot = {key.lower(): value for key, value in initial.items()}
        self._from_client: set[str] = set()
        self._attributes = {f"{_ATTRIBUTES}{name}".lower(): value for name, value in attributes.items()}
        self._session: dict[str, str] = {}
        self._local: dict[str, str] = {}
        self._before_block: dict[str, str] | None = None
        self._told: dict[str, str] = {}
        self._all_told = False
        self._output: OutputSettings | None = None
        self._shown: dict[str, str] = {}
        self._milliseconds: dict[str, int] = {}

    def show(self, name: str) -> str:
        """Give a setting's canonical text.

        Raises:
            StatementError: 42704, no such setting.
        """
        found = self._shown.get(name)
        if found is None:
            found = self._find(name)
            if len(self._shown) < _MOST_SHOWN and name == name.lower():
                self._shown[name] = found
        return found

    def _find(self, name: str) -> str:
        key = name.lower()
        for source in (self._local, self._session, self._boot, self._attributes):
            if key in source:
                return source[key]
        if key in _OF_TRANSACTION:  # outside a block: what a statement's own transaction will have
            return self._find(f"default_{key}")
        return _known(name).default

    def find(self, name: str) -> str | None:
        """Give a setting's text, or None where it does not exist."""
        try:
            return self.show(name)
        except StatementError:
            return None

    def set(self, name: str, text: str, *, is_local: bool = False, is_admin: bool = False) -> None:
        """Set a value; a local one is forgotten at the end of the block.

        Raises:
            StatementError: 42704 no such setting, 22023 bad value, 55P02 not to be changed.
            AccessDenied: 42501, only an admin may; the session would be another principal's.
        """
        if self._is_own_identity(name, text):
            return
        setting = _changeable(name, is_admin=is_admin)
        value = setting.parse(setting.name, text)
        self._changed()
        (self._local if is_local else self._session)[name.lower()] = value
        if not is_local:
            self._local.pop(name.lower(), None)

    def reset(self, name: str, *, is_local: bool = False, is_admin: bool = False) -> None:
        """Put a setting back to what it was when the session began."""
        setting = _changeable(name, is_admin=is_admin)
        self._changed()
        if is_local:
            self._local[name.lower()] = self._boot.get(name.lower(), setting.default)
            return
        self._session.pop(name.lower(), None)
        self._local.pop(name.lower(), None)

    def reset_all(self) -> None:
        """Put every setting back, as RESET ALL does; the transaction's own characteristics stay."""
        self._changed()
        kept = {k: v for k, v in self._session.items() if k.startswith("transaction_")}
        self._session = kept
        self._local = {k: v for k, v in self._local.items() if k.startswith("transaction_")}

    def set_default(self, name: str, text: str, *, is_admin: bool) -> None:
        """Take a setting from the startup packet: what RESET gives back.

        Raises:
            StatementError: as `set`.
        """
        if self._is_own_identity(name, text):
            return
        setting = _changeable(name, is_admin=is_admin)
        self._boot[name.lower()] = setting.parse(setting.name, text)
        self._from_client.add(name.lower())
        self._changed()

    def _is_own_identity(self, name: str, text: str) -> bool:
        """Whether this says who the session is, and truly: nothing else can be said."""
        what = _IDENTITIES.get(name.lower())
        if what is None:
            return False
        if text not in ("none", self._boot.get("session_authorization", "")):
            raise AccessDenied(f'permission denied to {what} "{text}"', rule=DenialRule.SETTING)
        return True

    def set_internal(self, name: str, text: str) -> None:
        """Set what only the gateway sets (is_superuser, pgproxy.last_route)."""
        self._boot[name.lower()] = text
        self._shown.pop(name.lower(), None)
        if (setting := SETTINGS.get(name.lower())) is not None and setting.is_reported:
            self._changed()

    def begin_block(self) -> None:
        """Remember the values that a rollback gives back; nothing new while a block goes on."""
        if self._before_block is None:
            self._before_block = dict(self._session)

    def end_block(self, *, is_commit: bool) -> None:
        """Drop local values; after a rollback also what SET did in the block."""
        if self._local or not is_commit:
            self._changed()
        if not is_commit and self._before_block is not None:
            self._session = self._before_block
        self._before_block = None
        self._local = {}

    @property
    def has_unreported(self) -> bool:
        """Whether `changed_reports` may give something."""
        return not self._all_told

    def changed_reports(self) -> Iterator[tuple[str, str]]:
        """Give (name, value) of every reported setting whose value the client has not been told yet."""
        if self._all_told:
            return
        self._all_told = True
        for setting in _REPORTED:
            value = self.show(setting.name)
            if self._told.get(setting.name) != value:
                self._told[setting.name] = value
                yield setting.name, value

    def reset_value(self, name: str) -> str:
        """Give what RESET gives a setting."""
        key = name.lower()
        return self._boot.get(key, _known(name).default)

    def source(self, name: str) -> str:
        """Say where the present value is from. PostgreSQL docs, "pg_settings", column source."""
        key = name.lower()
        if key in self._local or key in self._session:
            return "session"
        if key in self._from_client:
            return "client"
        if key in _OF_TRANSACTION:
            return "override"
        return "configuration file" if key in self._boot else "default"

    def milliseconds(self, name: str) -> int:
        """Give a duration setting in milliseconds; 0 is off."""
        found = self._milliseconds.get(name)
        if found is None:
            found = self._milliseconds[name] = base_units(self.show(name), "ms")
        return found

    def output(self) -> OutputSettings:
        """Give the settings that decide how values look."""
        if self._output is None:
            self._output = OutputSettings(
                time_zone=engine_zone(self.show("TimeZone")),
                interval_style=self.show("IntervalStyle"),
                extra_float_digits=int(self.show("extra_float_digits")),
                bytea_output=self.show("bytea_output"),
            )
        return self._output

    def _changed(self) -> None:
        """Forget what was derived from the values: some may be others now."""
        self._all_told = False
        self._output = None
        self._shown.clear()
        self._milliseconds.clear()

    def search_path(self, user: str) -> tuple[str, ...]:
        """Give the schemas to look in, `$user` replaced."""
        return tuple(
            user if name == "$user" else name for name in split_identifier_list(self.show("search_path"))
        )


def split_identifier_list(text: str) -> tuple[str, ...]:
    """Split `"$user", public` into names.

    Unquoted ones fold to lower case. PostgreSQL's SplitIdentifierString.
    """
    names = []
    for quoted, plain in re.findall(r'"((?:[^"]|"")*)"|([^\s,"]+)', text):
        names.append(plain.lower() if plain else quoted.replace('""', '"'))
    return tuple(names)


def shown_name(name: str) -> str:
    """Give a setting's name in the spelling that SHOW heads its column with."""
    setting = SETTINGS.get(name.lower())
    return setting.name if setting is not None else name


def _known(name: str) -> Setting:
    setting = SETTINGS.get(name.lower())
    if setting is not None:
        return setting
    raise StatementError(f'unrecognized configuration parameter "{name}"', sqlstate=SqlState.UNDEFINED_OBJECT)


def _changeable(name: str, *, is_admin: bool) -> Setting:
    if name.lower().startswith(_ATTRIBUTES):
        raise AccessDenied(f'permission denied to set parameter "{name}"', rule=DenialRule.SETTING)
    if name.lower() not in SETTINGS and _CUSTOM_NAME.fullmatch(name):
        return Setting(name, "", text_value)
    setting = _known(name)
    if setting.context in (Context.INTERNAL, Context.BACKEND):
        raise StatementError(
            f'parameter "{setting.name}" cannot be changed', sqlstate=SqlState.CANT_CHANGE_RUNTIME_PARAM
        )
    if setting.context is Context.SUPERUSER and not is_admin:
        raise AccessDenied(f'permission denied to set parameter "{setting.name}"', rule=DenialRule.SETTING)
    return setting
