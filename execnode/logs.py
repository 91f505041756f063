"""Structured logs: JSON lines on stderr. Nobody here logs SQL, values, tokens or paths of data."""

import logging
import sys

import structlog


def configure_logging() -> None:
    """Send structlog to stderr as JSON, and keep libraries to warnings."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # grpclib logs every application error with its traceback, which quotes the engine's text.
    logging.getLogger("grpclib").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
