"""INSERT … SELECT after one that found nothing, in the same transaction: DuckDB 1.5.5 loses its rows.

Where several threads insert in the order of their source, as they do by default, a source without a single
row leaves the transaction's part of the table in a state in which the next such INSERT, once it is a row
group (122,880 rows) or more, counts its rows and keeps none. With RETURNING one thread inserts, and all are
kept. `tests/unit/execnode/engine/test_inserts.py` tells when an engine does without this.
"""

from collections.abc import Sequence

import duckdb

from execnode.engine.cursor import EngineCursor

_BATCH_ROWS = 65_536
_FILLS = frozenset({duckdb.StatementType.INSERT, duckdb.StatementType.CREATE})


def note_insert(cursor: EngineCursor, kind: duckdb.StatementType, count: int | None) -> None:
    """Remember that a statement of the open transaction has filled nothing into a table."""
    if cursor.in_transaction and count == 0 and kind in _FILLS:
        cursor.has_inserted_nothing = True


def must_return(cursor: EngineCursor, kind: duckdb.StatementType) -> bool:
    """Whether rows of this statement would be in danger."""
    return cursor.in_transaction and cursor.has_inserted_nothing and kind == duckdb.StatementType.INSERT


def insert_returning(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object]
) -> int | None:
    """Run an INSERT without RETURNING by one thread; gives how many rows it inserted. Blocking.

    None: nothing was done, its table is of a kind that cannot do so (DuckLake), and is in no danger.

    Raises:
        duckdb.Error: the engine refused it.
    """
    try:
        connection.execute(f"{sql} RETURNING 1", parameters)
    except duckdb.BinderException:
        return None
    return sum(batch.num_rows for batch in connection.to_arrow_reader(_BATCH_ROWS))
