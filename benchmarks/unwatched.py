"""`pgproxy` that counts, logs, audits and traces no statement: the other side of `benchmarks.overhead`."""

import sys
from collections.abc import Iterator
from typing import Any

import pgproxy.app
from pgproxy.__main__ import main
from pgproxy.session.telemetry import StatementRecord


class Unwatched:
    """A recorder that records nothing."""

    accepts = True

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take what the real one takes."""

    def recent(self) -> Iterator[StatementRecord]:
        """None."""
        return iter(())

    def statement_began(self, record: StatementRecord) -> None:
        """Forget it."""

    def statement_ended(self, record: StatementRecord) -> None:
        """Forget it."""


if __name__ == "__main__":
    del sys.argv[1]  # the program in whose place this one runs
    pgproxy.app.StatementRecorder = Unwatched  # type: ignore[assignment, misc]  # the measured difference
    main()
