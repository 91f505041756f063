"""DuckDB behind pg_mimic, as its documentation has it: `describe` tells the columns, `query` gives the rows.

python pg_mimic_server.py FILE PORT. Rows are fetched by the thousand in a thread, so that the loop is free.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import duckdb
from pg_mimic import PgServer, ResultColumn, Session

_FETCHED_ROWS = 1000
_TEXT = 25
_OIDS = {
    "BIGINT": 20,
    "INTEGER": 23,
    "SMALLINT": 21,
    "DOUBLE": 701,
    "DECIMAL": 1700,
    "HUGEINT": 1700,
    "VARCHAR": _TEXT,
    "DATE": 1082,
}


def serve(path: str, port: int) -> None:
    """Serve the file until the process is stopped."""
    engine = duckdb.connect(path, read_only=True)

    class DuckSession(Session):
        """One client's session: each statement has a cursor of its own."""

        async def describe(self, sql: str, param_oids: list[int]) -> list[Any] | None:
            del param_oids
            described = await asyncio.to_thread(lambda: engine.cursor().execute(f"DESCRIBE {sql}").fetchall())
            return [
                ResultColumn(name, _OIDS.get(kind.partition("(")[0], _TEXT)) for name, kind, *_ in described
            ]

        async def query(self, sql: str, params: list[Any]) -> AsyncIterator[tuple[Any, ...]]:
            cursor = engine.cursor()
            await asyncio.to_thread(cursor.execute, sql, params)
            while rows := await asyncio.to_thread(cursor.fetchmany, _FETCHED_ROWS):
                for row in rows:
                    yield row

    async def run() -> None:
        server = PgServer(session_factory=DuckSession)
        await server.start_server(host="127.0.0.1", port=port)
        print("serving", flush=True)
        await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
