"""Statements that were parsed before answer as those that were not, whatever has changed meanwhile."""

import duckdb
import pytest

from execnode.engine import DuckEngine
from execnode.engine.kept_statements import MAX_STATEMENTS, MAX_TEXT_CHARS, KeptStatements
from execnode.statement import EngineStatement, Parameter
from pgwire.errors import GatewayError
from pgwire.types import Oid

from .conftest import write
from .test_kept_plans import answer


async def test_values_and_tables_of_now_are_seen(engine: DuckEngine) -> None:
    def lookup(number: bytes | None) -> EngineStatement:
        parameters = (Parameter(Oid.INT4, 0, number),)
        return EngineStatement("SELECT * FROM shop.orders WHERE id = CAST($1 AS INTEGER)", parameters)

    one, two = await answer(engine, lookup(b"1")), await answer(engine, lookup(b"2"))
    assert b"n1" in one
    assert b"n2" in two
    assert await answer(engine, lookup(None)) == b""
    await write(engine, "UPDATE shop.orders SET name = 'changed' WHERE id = 1")
    assert b"changed" in await answer(engine, lookup(b"1"))
    await write(engine, "ALTER TABLE shop.orders DROP COLUMN name")
    assert b"changed" not in await answer(engine, lookup(b"1"))
    await write(engine, "DROP TABLE shop.orders")
    for _ in range(2):
        with pytest.raises(GatewayError):
            await answer(engine, lookup(b"1"))


def test_only_a_few_short_selects_are_kept() -> None:
    with duckdb.connect() as connection:
        kept = KeptStatements()
        first = kept.parsed(connection, "SELECT 0")
        assert kept.parsed(connection, "SELECT 0") is first
        for number in range(1, MAX_STATEMENTS + 1):
            kept.parsed(connection, f"SELECT {number}")
        assert kept.parsed(connection, "SELECT 0") is not first
        for text in (f"SELECT '{'x' * MAX_TEXT_CHARS}'", "CREATE TABLE t (n INTEGER)"):
            assert kept.parsed(connection, text) is not kept.parsed(connection, text)
        for text in ("", "SELECT 1; SELECT 2"):
            with pytest.raises(GatewayError):
                kept.parsed(connection, text)
