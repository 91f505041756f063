"""How the gateway logs: structlog to stderr, one event a line.

Events carry facts, never SQL text, values or secrets.
"""

import logging
import sys
import traceback
from collections.abc import Iterator

import structlog
from structlog.typing import EventDict, WrappedLogger

_PARSER_LOGGER = "sqlglot"
"""It warns with the statement's text where it reads one as opaque, and of what it cannot render."""


def silence_parser() -> None:
    """Let nothing of the SQL parser's reach any handler: its messages quote statements, values included."""
    logger = logging.getLogger(_PARSER_LOGGER)
    logger.disabled = True
    logger.propagate = False


def configure_logging(level: str, *, is_json: bool) -> None:
    """Set the process's logging up once. level: debug, info, warning or error."""
    silence_parser()
    renderer = structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            show_frames,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def show_frames(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say where an exception came from and its kind, not what it says: messages quote values and SQL."""
    if not event.pop("exc_info", None):
        return event
    error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = "".join(_frames(error))
    return event


def _frames(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _frames(cause)
        yield "\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"
