"""Tables' sizes: a database's blocks shared out, or values counted where there are no blocks."""

from pathlib import Path

import duckdb

from pgproxy.catalog.introspect import introspect
from pgproxy.policy.model import TableName


def test_a_files_blocks_are_shared_out_by_rows_and_widths(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{tmp_path}/a.duckdb' AS a; ATTACH ':memory:' AS m")
        connection.execute("CREATE TABLE a.wide AS SELECT i, i::VARCHAR AS t FROM range(300000) AS r(i)")
        connection.execute(
            "CREATE TABLE a.small AS SELECT i FROM range(3000) AS r(i); CREATE TABLE a.none(i INT)"
        )
        connection.execute(
            "CREATE TABLE m.held AS SELECT i, i::VARCHAR AS t FROM range(10) AS r(i); CHECKPOINT a"
        )
        tables = introspect(connection, ["a", "m"]).tables
        sizes = {
            name.name: tables[TableName(name.catalog, "public", name.name)].estimated_bytes for name in tables
        }
        (used,) = connection.execute(
            "SELECT block_size * used_blocks FROM pragma_database_size() WHERE database_name = 'a'"
        ).fetchall()[0]
    assert used > 0
    assert used - 2 <= sizes["wide"] + sizes["small"] <= used
    assert 300 < sizes["wide"] / sizes["small"] < 500
    assert (sizes["none"], sizes["held"]) == (0, 10 * (8 + 24))
