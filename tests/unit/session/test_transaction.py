"""Where a pinned engine session looks for names, through a transaction that goes wrong."""

from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from execnode.engine import DuckEngine
from execnode.engine.sandbox import EngineLimits
from execnode.statement import CatalogDefinition, CatalogGeneration
from pgproxy.routing.router import PinnedSession
from pgproxy.session.transaction import Transaction
from pgwire.errors import GatewayError

WRONG = 'CREATE TABLE "shop"."main"."child" (id INT, FOREIGN KEY (id) REFERENCES "main"."nosuch" (id))'


def _schemas(connection: duckdb.DuckDBPyConnection) -> object:
    return connection.execute("SELECT current_schemas(false), current_database()").fetchone()


async def test_a_session_that_lives_on_looks_home_again_after_a_failure(tmp_path: Path) -> None:
    engine = DuckEngine(EngineLimits(tmp_path))
    shop = CatalogDefinition("shop", "duckdb", str(tmp_path / "shop.duckdb"), is_read_only=False)
    try:
        await engine.attach(CatalogGeneration(1, (shop,)))
        session = await engine.open_session()
        home = await session.run(_schemas)
        transaction = Transaction(has_temp_tables=True)
        transaction.pinned = PinnedSession(cast("Any", engine), session, cast("Any", None))
        transaction.begin(is_implicit=True, is_read_only=False, isolation="read committed")
        await transaction.begin_engine()
        await transaction.look_in("shop", "main")
        assert await session.run(_schemas) != home
        with pytest.raises(GatewayError):
            await session.execute_utility(WRONG)
        with pytest.raises(GatewayError):  # by now the engine takes nothing but ROLLBACK
            await session.execute_utility("SELECT 1 // 0; SELECT 'x'::INT")
        transaction.fail(in_engine=True)
        await transaction.end(is_commit=False)
        assert await session.run(_schemas) == home
    finally:
        await engine.close()
