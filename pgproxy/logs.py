"""How the gateway logs: structlog to stderr, one event a line.

Events carry facts, never SQL text, values or secrets.
"""

import logging
import sys

import structlog

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
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
