"""Plans that a connection keeps for statements that come again, and the connections kept for them.

Clients ask the catalog the same few questions all day, and pools ask `SELECT 1`; DuckDB plans such a question
for longer than it takes to answer it. What was asked once only has no plan yet. DuckDB plans a kept one anew
itself once a catalog that it reads has changed, but not once rows have: see `EngineInstance.are_fixed`.
DuckDB docs, "Prepared Statements".
"""

from collections import OrderedDict

import duckdb

from execnode.engine.errors import ENGINE_EXCEPTIONS

MAX_PLANS = 64
"""Per connection; the one that was not run for the longest goes."""
MAX_IDLE = 4
"""Connections that wait with their plans; more than that meet only under load."""
MAX_TEXT_CHARS = 20_000
"""Longer texts are seen once."""
MAX_SEEN = 256
"""Texts that are remembered as asked once; some of them hold a literal that is another one each time."""


class KeptPlans:
    """The plans of one connection. Blocking."""

    def __init__(self) -> None:
        self._names: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._count = 0

    def named(self, connection: duckdb.DuckDBPyConnection, sql: str, time_zone: str) -> str | None:
        """Give the name of the statement's plan, for EXECUTE; None: run it as it is.

        time_zone: what the connection's is; constants of a plan are computed with it.
        """
        key = (sql, time_zone)
        name = self._names.get(key)
        if name is None and self._is_new(hash(key)):
            return None
        name = name or self._prepare(connection, sql)
        if name is None:
            return None
        self._names[key] = name
        self._names.move_to_end(key)
        if len(self._names) > MAX_PLANS:
            connection.execute(f"DEALLOCATE {self._names.popitem(last=False)[1]}")
        return name

    def _is_new(self, text: int) -> bool:
        """Whether a text is asked for the first time, as far as is remembered. text: its hash."""
        if text in self._seen:
            return False
        self._seen[text] = None
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        return True

    def _prepare(self, connection: duckdb.DuckDBPyConnection, sql: str) -> str | None:
        """None: it is not kept. Its error, if it has one, is better told without PREPARE before the text."""
        if len(sql) > MAX_TEXT_CHARS or len(connection.extract_statements(sql)) != 1:
            return None
        self._count += 1
        name = f"kept_{self._count}"
        try:
            connection.execute(f"PREPARE {name} AS {sql}")
        except ENGINE_EXCEPTIONS:
            return None
        return name
