"""The table of clients in docs/compatibility.md, rendered from what the tests recorded.

`python -m tests.clients.matrix --write` after a run of tests/clients puts it into the page; without `--write`
it prints it. The record is var/clients.json.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OUTCOMES = ROOT / "var" / "clients.json"
PAGE = ROOT / "docs" / "compatibility.md"
FEATURES = (
    "login",
    "rows",
    "parameters",
    "prepared",
    "cursors",
    "transactions",
    "errors",
    "cancel",
    "metadata",
    "bulk",
)
"""The columns, in this order."""

_BEGIN, _END = "<!-- clients: begin -->", "<!-- clients: end -->"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one test showed of one client. state: passed, known gap (a strict xfail), failed, skipped."""

    client: str
    feature: str
    test: str
    state: str

    def as_row(self) -> list[str]:
        """Give what the record holds."""
        return list(astuple(self))


def render_table(outcomes: Iterable[Outcome]) -> str:
    """Give the Markdown table: a row per client, a column per feature."""
    states: dict[str, dict[str, list[str]]] = {}
    for outcome in outcomes:
        states.setdefault(outcome.client, {}).setdefault(outcome.feature, []).append(outcome.state)
    lines = [f"| client | {' | '.join(FEATURES)} |", f"|---|{'---|' * len(FEATURES)}"]
    for client in sorted(states, key=str.lower):
        cells = [_cell(states[client].get(feature, [])) for feature in FEATURES]
        lines.append(f"| {client} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(states: list[str]) -> str:
    """Say how many tests passed, and how many known gaps there are."""
    passed, gaps = states.count("passed"), states.count("known gap")
    if "failed" in states:
        return "fails"
    if not passed and not gaps:
        return ""
    return f"{passed}" if not gaps else f"{passed}, {gaps} known"


def read_outcomes() -> list[Outcome]:
    """Read the record of the last run."""
    return [Outcome(*row) for row in json.loads(OUTCOMES.read_text())]


def listed_clients(page: str) -> set[str]:
    """Give the clients that the page's table names."""
    table = page.partition(_BEGIN)[2].partition(_END)[0].strip().splitlines()[2:]
    return {line.split("|")[1].strip() for line in table}


def replace_table(page: str, table: str) -> str:
    """Put the table between the page's two marks."""
    head, _, rest = page.partition(_BEGIN)
    return f"{head}{_BEGIN}\n{table}\n{_END}{rest.partition(_END)[2]}"


def main() -> None:
    """Print the table, or write it into the page."""
    table = render_table(read_outcomes())
    if "--write" in sys.argv[1:]:
        PAGE.write_text(replace_table(PAGE.read_text(), table))
    else:
        print(table)


if __name__ == "__main__":
    main()
