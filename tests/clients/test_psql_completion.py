"""psql's own completion, typed at a terminal: it asks the catalog by queries of its own at each TAB."""

import os
import pty
import re
import select
import subprocess
import time

import pytest

from tests.clients.servers import Pair, Server

pytestmark = [pytest.mark.client("psql"), pytest.mark.feature("metadata")]

_DEADLINE_S = 30
_PROMPT = "ready> "
TYPED = (
    "SELECT * FROM sal",
    "SELECT * FROM sales.o",
    "SELECT * FROM num",
    "SELECT * FROM sales.orders WHERE cus",
    "INSERT INTO sales.cust",
    "DROP VIEW pg_catalog.pg_stat_user_t",
    r"\d sales.cu",
    r"\dt nu",
    r"\df pg_get_constraintd",
    "SET search_p",
    "SHOW work_m",
    "GRANT SELECT ON sales.orde",
    "TRUNCATE sales.ord",
    "ALTER TABLE sales.orders ALTER COLUMN rat",
)
r"""Each with one way to go on, so that TAB completes it."""


class Terminal:
    """A psql in a terminal of its own."""

    def __init__(self, server: Server) -> None:
        self._master, theirs = pty.openpty()
        where = ["-h", server.host, "-p", str(server.port), "-U", server.user, "-d", server.database]
        shown = ["-v", f"PROMPT1={_PROMPT}", "-v", f"PROMPT2={_PROMPT}"]
        environment = os.environ | {"PGPASSWORD": server.password, "TERM": "dumb", "INPUTRC": "/dev/null"}
        self._process = subprocess.Popen(
            ["psql", "-X", *shown, *where], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)
        self._read_to(_PROMPT)

    def completed(self, typed: str) -> str:
        """The last word of the line after TAB, and what came behind it."""
        os.write(self._master, b"\x15" + typed.encode() + b"\t")
        # What follows TAB is read only when completion has ended: the mark shows where the line ends.
        os.write(self._master, b"<<end")
        shown = self._read_to("<<end")
        os.write(self._master, b"\x15")
        word = typed.rpartition(" ")[2]
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f]", "", shown)
        return plain[plain.rindex(word) :]

    def close(self) -> None:
        """End it."""
        os.write(self._master, b"\x15\\q\n")
        self._process.wait(_DEADLINE_S)
        os.close(self._master)

    def _read_to(self, mark: str) -> str:
        seen, deadline = "", time.monotonic() + _DEADLINE_S
        while mark not in seen:
            ready, _, _ = select.select([self._master], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"psql shows {seen!r}"
            seen += os.read(self._master, 4096).decode()
        return seen.partition(mark)[0]


def test_tab_completes_what_it_completes_on_postgresql(embedded_pair: Pair) -> None:
    theirs, ours = Terminal(embedded_pair.reference), Terminal(embedded_pair.gateway)
    try:
        for typed in TYPED:
            expected = theirs.completed(typed)
            assert len(expected) > len(typed.rpartition(" ")[2]), f"{typed}: {expected!r}"
            assert ours.completed(typed) == expected
    finally:
        theirs.close()
        ours.close()
