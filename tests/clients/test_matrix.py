"""The table of clients in docs/compatibility.md lists the clients that are tested, no more and no fewer."""

import re
from pathlib import Path

from tests.clients.matrix import FEATURES, PAGE, Outcome, listed_clients, render_table, replace_table

FOLDER = Path(__file__).parent
CLIENT = re.compile(r'(?:mark\.client\(|scenarios\(|language\(\s*)"([^"]+)"')


def test_the_page_lists_every_tested_client() -> None:
    modules = (path for path in FOLDER.glob("test_*.py") if path.name != Path(__file__).name)
    found = {name for path in modules for name in CLIENT.findall(path.read_text())}
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
