"""Which notices a client gets. PostgreSQL docs, "client_min_messages"."""

from pgproxy.session.settings import SessionSettings
from pgwire.backend import NoticeResponse

_LEVELS = ("debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error")


def is_wanted(notice: NoticeResponse, settings: SessionSettings) -> bool:
    """Whether client_min_messages lets a notice through."""
    lowest = settings.show("client_min_messages")
    level = notice.severity.lower()
    return level not in _LEVELS or lowest not in _LEVELS or _LEVELS.index(level) >= _LEVELS.index(lowest)
