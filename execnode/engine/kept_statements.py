"""Parsed statements that a connection keeps: what is run again need not be parsed again.

Only the tree is kept; DuckDB binds and plans a copy of it at each run, as it would one that was just parsed.
"""

from collections import OrderedDict

import duckdb

from execnode.engine.errors import engine_error
from pgwire.sqlstate import SqlState

MAX_STATEMENTS = 16
"""Per connection; the one that was not run for the longest goes."""
MAX_TEXT_CHARS = 2000
"""What is longer takes so long to plan that parsing it does not matter, and its tree takes memory."""


class KeptStatements:
    """The parsed statements of one connection, by their text. Used by one thread at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, duckdb.Statement] = OrderedDict()

    def parsed(self, connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
        """Give the one statement of a text. Blocking.

        Raises:
            GatewayError: 42601, there are none, or several.
            duckdb.Error: it does not parse.
        """
        kept = self._kept.get(sql)
        if kept is not None:
            self._kept.move_to_end(sql)
            return kept
        found = connection.extract_statements(sql)
        if len(found) != 1:
            raise engine_error(SqlState.SYNTAX_ERROR, engine_text=f"{len(found)} statements in one text")
        if len(sql) <= MAX_TEXT_CHARS and found[0].type == duckdb.StatementType.SELECT:
            self._kept[sql] = found[0]
            if len(self._kept) > MAX_STATEMENTS:
                self._kept.popitem(last=False)
        return found[0]
