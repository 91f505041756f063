"""Render docs/protocol.md from the session's transition table and compare (`--write` replaces it).

python -m tests.unit.pgwire.session_page [--write]
"""

import sys
from collections import defaultdict
from pathlib import Path
from typing import get_args

from pgwire.frontend import FrontendMessage
from pgwire.session.outcomes import Outcome
from pgwire.session.status import Phase
from pgwire.session.transitions import TRANSITIONS, Event

PAGE = Path(__file__).resolve().parents[3] / "docs" / "protocol.md"

INTRODUCTION = """\
# The protocol after authentication

Rendered from `pgwire/session/transitions.py` by `python -m tests.unit.pgwire.session_page --write`.

A session is in one *phase*. A message from the client, or the outcome of what the shell was asked to do,
moves it to the next. A message without a line in its phase is a protocol violation (08P01, FATAL), and the
connection closes. `Terminate` and a fatal error close the connection from every phase; the picture leaves
them out.

Events that are neither a message nor an outcome: `Refused` and `RefusedSimple` (the session itself found an
error, such as an unknown portal, and has the shell fail the transaction), `Reexecuted` (Execute of a portal
that had run to its end) and `FatalFailure` (an outcome whose error ends the connection).
"""


def origin(event: Event) -> str:
    """Say who brings an event about."""
    if event in get_args(FrontendMessage):
        return "client"
    return "shell" if event in get_args(Outcome) or event.__name__ == "FatalFailure" else "session"


def diagram() -> str:
    """Draw the moves between different phases."""
    labels: dict[tuple[Phase, Phase], list[str]] = defaultdict(list)
    for (phase, event), after in TRANSITIONS.items():
        if after not in (phase, Phase.CLOSED):
            labels[phase, after].append(event.__name__)
    moves = [f"    {a.name} --> {b.name}: {', '.join(names)}" for (a, b), names in labels.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> READY", *moves, "```"])


def table(phase: Phase) -> str:
    """List what may happen in a phase."""
    rows = [
        f"| `{event.__name__}` | {origin(event)} | {after.name} |"
        for (before, event), after in TRANSITIONS.items()
        if before is phase
    ]
    return "\n".join([f"## {phase.name}", "", f"Waits for {phase.value}.", "", "| event | from | then |",
                      "|---|---|---|", *rows])  # fmt: skip


def render() -> str:
    """Give the whole page."""
    return "\n\n".join([INTRODUCTION.rstrip(), diagram(), *map(table, Phase)]) + "\n"


def main() -> int:
    """Exit 0 if fresh (or rewritten), 1 if stale."""
    if "--write" in sys.argv:
        PAGE.write_text(render())
    elif not PAGE.exists() or PAGE.read_text() != render():
        sys.stderr.write("docs/protocol.md is stale: run python -m tests.unit.pgwire.session_page --write\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
