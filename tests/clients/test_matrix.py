"""The table of clients in docs/compatibility.md lists the clients that are tested, no more and no fewer."""

import re
from pathlib import Path

from tests.clients.matrix import FEATURES, PAGE, Outcome, listed_clients, render_table, replace_table

FOLDER = Path(__file__).parent
CLIENT = re.compile(r'(?:mark\.client\(|scenarios\(|language\(\s*)"([^"]+)"')
SOAK = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.soak", re.MULTILINE)
"""A module that `make test` does not run is not in the table."""
ASKED_AS = re.compile(r'"[a-z]+": "([^"]+ \((?:its|their) queries\))"')


def test_the_page_lists_every_tested_client() -> None:
    modules = (path for path in FOLDER.glob("test_*.py") if path.name != Path(__file__).name)
    texts = [text for path in modules if not SOAK.search(text := path.read_text())]
    found = {name for text in texts for form in (CLIENT, ASKED_AS) for name in form.findall(text)}
    assert listed_clients(PAGE.read_text()) == found


def test_a_cell_counts_passes_and_names_known_gaps() -> None:
    outcomes = [
        Outcome("b", "rows", "t1", "passed"),
        Outcome("b", "rows", "t2", "known gap"),
        Outcome("A", "errors", "t3", "failed"),
        Outcome("A", "rows", "t4", "skipped"),
    ]
    table = render_table(outcomes)
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == ["A", "b"]
    cells = dict(zip(FEATURES, (cell.strip() for cell in table.splitlines()[3].split("|")[2:]), strict=False))
    assert cells["rows"] == "1, 1 known"
    page = "x\n<!-- clients: begin -->\nold\n<!-- clients: end -->\ny\n"
    assert replace_table(page, table) == f"x\n<!-- clients: begin -->\n{table}\n<!-- clients: end -->\ny\n"
