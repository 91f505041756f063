"""The values of session functions (current_user, version(), current_setting …) that the planner binds."""

from collections.abc import Iterator, Mapping

from pgproxy.session.own_objects import OwnObjects
from pgproxy.session.services import Identity
from pgproxy.session.setting_rows import setting_rows
from pgproxy.session.setting_table import SETTINGS
from pgproxy.session.settings import SessionSettings
from pgproxy.sql.plan import BoundValue

_TEXT = 25
_NAME = 19
_INT4 = 23

SETTING_PREFIX = "current_setting."
"""`current_setting.timezone` is the value of current_setting('TimeZone')."""

_FUNCTIONS = (
    *("current_user", "session_user", "user", "current_role"),
    *("current_database", "current_catalog", "current_schema", "version", "pg_backend_pid"),
)


_ENDS = {
    "inet_client_addr": (_TEXT, "client_host"),
    "inet_client_port": (_INT4, "client_port"),
    "inet_server_addr": (_TEXT, "server_host"),
    "inet_server_port": (_INT4, "server_port"),
}


class SessionValues(Mapping[str, BoundValue]):
    """Values by the function's name.

    Settings by SETTING_PREFIX and their lower-case name. Looked up when asked.
    """

    def __init__(
        self, identity: Identity, settings: SessionSettings, own_objects: OwnObjects | None = None
    ) -> None:
        """own_objects: what the session's own relations show; None where only planning asks."""
        self._identity = identity
        self._settings = settings
        self._own_objects = own_objects

    def __getitem__(self, key: str) -> BoundValue:
        oid, text = self._typed(key)
        return BoundValue(oid, text, session_key=key)

    def _typed(self, key: str) -> tuple[int, str | None]:
        if key in _ENDS:
            return self._end(*_ENDS[key])
        if not key.startswith(SETTING_PREFIX):
            return self._told(key)
        value = self._settings.find(key.removeprefix(SETTING_PREFIX))
        if value is None:
            raise KeyError(key)
        return _TEXT, value

    def _told(self, key: str) -> tuple[int, str | None]:
        match key:
            case "current_user" | "session_user" | "user" | "current_role":
                return _NAME, self._identity.principal
            case "current_database" | "current_catalog":
                return _NAME, self._identity.database
            case "current_schema":
                return _NAME, next((s for s in self._settings.search_path("") if s), None)
            case "version":
                return _TEXT, version_text(self._settings)
            case "pg_backend_pid":
                return _INT4, str(self._identity.connection_id)
            case "pg_settings":
                return _TEXT, setting_rows(self._settings)
            case _:
                rows = self._own_objects.rows(key) if self._own_objects is not None else None
                if rows is None:
                    raise KeyError(key)
                return _TEXT, rows

    def _end(self, oid: int, name: str) -> tuple[int, str | None]:
        value = getattr(self._identity.socket, name)
        return oid, str(value) if value else None

    def __iter__(self) -> Iterator[str]:
        yield from _FUNCTIONS
        yield from (f"{SETTING_PREFIX}{name}" for name in SETTINGS)

    def __len__(self) -> int:
        return len(_FUNCTIONS) + len(SETTINGS)


def version_text(settings: SessionSettings) -> str:
    """Give what `version()` says: clients parse PostgreSQL's number out of its head."""
    return f"PostgreSQL {settings.show('server_version')} on pgproxy, DuckDB engine, 64-bit"
