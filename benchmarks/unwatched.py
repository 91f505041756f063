"""`pgproxy` that watches only some of its statements' facts: the other side of `benchmarks.overhead`.

The environment's WATCH names the parts that stay, with commas: numbers, lines, charts, audit, traces. Without
it nothing is counted, logged, audited, charted or traced.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pgproxy.app
from pgproxy.__main__ import main
from pgproxy.audit.recorder import StatementRecorder
from pgproxy.session.telemetry import StatementRecord

_NUMBERS, _LINES, _CHARTS, _AUDIT, _TRACES = "numbers", "lines", "charts", "audit", "traces"
PARTS = (_NUMBERS, _LINES, _CHARTS, _AUDIT, _TRACES)


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


@dataclass(frozen=True, slots=True)
class _Mute:
    """Stands for a part that is left out: whatever it is told, it does nothing."""

    real: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def add(self, records: object) -> None:
        """Forget them."""


def partly_watched(parts: frozenset[str]) -> Any:
    """Give what makes a recorder of these parts."""

    def make(writer: Any, metrics: Any, told: Any, tracing: Any, kept: int, lines: Any) -> StatementRecorder:
        if _NUMBERS not in parts:
            metrics.statements = _Mute(metrics.statements)
        return StatementRecorder(
            writer if _AUDIT in parts else _Mute(writer),  # type: ignore[arg-type]  # stands for it
            metrics,
            told if _CHARTS in parts else (),
            tracing if _TRACES in parts else None,
            kept,
            lines if _LINES in parts else lambda _: None,
        )

    return make


if __name__ == "__main__":
    del sys.argv[1]  # the program in whose place this one runs
    watched = frozenset(filter(None, os.environ.get("WATCH", "").split(",")))
    recorder = partly_watched(watched) if watched else Unwatched
    pgproxy.app.StatementRecorder = recorder  # type: ignore[assignment, misc]  # the measured difference
    main()
