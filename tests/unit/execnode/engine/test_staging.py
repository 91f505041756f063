"""The rows of a COPY on their way into the engine: as many as came."""

import pyarrow as pa

from execnode.engine import DuckEngine

MANY = 200_000
"""More than a row group of DuckDB's, 122,880 rows."""


async def test_more_rows_than_a_row_group_are_there_for_the_insert_of_their_transaction(
    engine: DuckEngine,
) -> None:
    batch = pa.record_batch({"n": pa.array(range(MANY)), 'a "name"': pa.array(["x"] * MANY)})
    session = await engine.open_session()
    try:
        await session.execute_utility("BEGIN")
        await session.create_staging("staged", batch.schema)
        for part in (batch.slice(0, 0), batch, batch):
            await session.append_staging("staged", part)
        query = 'SELECT count(*), sum(n), min("a ""name""") FROM temp.main.staged'
        found = await session.run(lambda connection: connection.execute(query).fetchall())
        assert found == [(2 * MANY, MANY * (MANY - 1), "x")]
        await session.drop_staging("staged")
    finally:
        await session.close()
