"""Answers that are kept: the engine's own bytes, once asked, of constants and of the catalog as it is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from execnode.engine import DuckEngine, EngineLimits
from execnode.statement import CatalogGeneration, EngineStatement, Parameter, RowChunk, RowEncoding
from pgproxy.engines import kept_answers
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.engines.kept_answers import MAX_BYTES, is_constant
from pgwire.errors import GatewayError
from pgwire.types import Oid, OutputSettings, ResultColumn

COLUMNS = (ResultColumn("n", Oid.INT4, -1, "INTEGER"),)
ONE = EngineStatement("SELECT 1", result_columns=COLUMNS, keeps_plan=True)
NAME = EngineStatement(
    "SELECT CAST($1 AS TEXT)",
    (Parameter(Oid.TEXT, 0, b"analyst"),),
    (ResultColumn("current_user", Oid.NAME, -1, "VARCHAR"),),
)


class CountingEngine(DuckEngine):
    """A real engine that counts the connections it hands out."""

    asked = 0

    async def _current(self):  # type: ignore[no-untyped-def]  # as the base class
        self.asked += 1
        return await super()._current()


@pytest.fixture
async def duck(tmp_path: Path) -> AsyncIterator[CountingEngine]:
    made = CountingEngine(EngineLimits(tmp_path, 256 << 20, 1), max_threads=2)
    await made.attach(CatalogGeneration(1, ()))
    yield made
    await made.close()


async def chunks_of(engine: EmbeddedEngine | DuckEngine, statement: EngineStatement) -> list[RowChunk]:
    found = []
    async with engine.execute(statement) as stream:
        while (chunk := await stream.read()) is not None:
            found.append(RowChunk(bytes(chunk.rows), chunk.row_count, chunk.row_offsets))
    return found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        'SELECT -1.5 AS "a ""b""", \'it\'\'s\', NULL, TRUE',
        "SELECT CAST($1 AS TEXT), CAST('7' AS BIGINT) AS \"x\"",
    ],
)
def test_constants_and_their_casts_are_constant(sql: str) -> None:
    assert is_constant(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT NOW()",
        "SELECT RANDOM()",
        "SELECT 1 + 1",
        "SELECT 1 FROM test.main.numbers",
        "SELECT 1, x",
        "SELECT 'a' || 'b'",
        "SELECT CAST('now' AS TIMESTAMP)",
        "SELECT CAST('today' AS DATE)",
        "SELECT CAST(CAST('1' AS TEXT) AS INTEGER)",
        "SELECT (SELECT 1)",
        "SELECT 1; SELECT 2",
        "SELECT 1 -- more",
        "SELECT 'a' 'b'",
        "SELECT 1 LIMIT 0",
        "SELECT 'a\n' FROM t AS \"'\"",
        "SELECT",
        "",
        f"SELECT '{'x' * MAX_BYTES}'",
    ],
)
def test_all_else_is_not(sql: str) -> None:
    assert not is_constant(sql)


@pytest.mark.parametrize("statement", [ONE, NAME])
async def test_the_second_answer_is_the_first_ones_bytes_and_asks_no_engine(
    duck: CountingEngine, statement: EngineStatement
) -> None:
    engine = EmbeddedEngine(duck)
    first = await chunks_of(engine, statement)
    asked = duck.asked
    assert [await chunks_of(engine, statement) for _ in range(3)] == [first] * 3
    assert duck.asked == asked
    assert await chunks_of(duck, statement) == first


async def test_another_value_form_or_setting_is_another_statement(duck: CountingEngine) -> None:
    engine = EmbeddedEngine(duck)
    for statement in (
        ONE,
        NAME,
        replace(NAME, parameters=(Parameter(Oid.TEXT, 0, b"intern"),)),
        replace(NAME, parameters=(Parameter(Oid.TEXT, 0, None),)),
        replace(ONE, result_formats=(1,)),
        replace(ONE, result_columns=(ResultColumn("n", Oid.INT8, -1, "BIGINT"),), result_formats=(1,)),
        replace(ONE, output=OutputSettings(time_zone="Asia/Tokyo")),
        replace(ONE, with_row_offsets=True),
        replace(ONE, sql="SELECT 2"),
    ):
        asked = duck.asked
        assert await chunks_of(engine, statement) == await chunks_of(duck, statement)
        assert duck.asked == asked + 2


async def test_what_is_not_constant_is_asked_each_time(duck: CountingEngine) -> None:
    engine = EmbeddedEngine(duck)
    for statement in (
        replace(ONE, sql="SELECT 1 + 1"),
        replace(ONE, encoding=RowEncoding.COPY_TEXT),
        replace(ONE, result_columns=()),
        replace(NAME, parameters=(Parameter(Oid.TEXT, 0, b"x" * (MAX_BYTES + 1)),)),
    ):
        for _ in range(3):
            asked = duck.asked
            await chunks_of(engine, statement)
            assert duck.asked == asked + 1


async def test_a_pinned_session_asks_its_own_engine(duck: CountingEngine) -> None:
    engine = EmbeddedEngine(duck)
    await chunks_of(engine, ONE)
    session = await engine.open_session()
    await session.execute_utility("BEGIN TRANSACTION")
    async with engine.execute(ONE, session) as stream:
        assert await stream.read() is not None
    assert not isinstance(stream, type(engine.execute(ONE)))
    await session.close()


async def test_an_error_and_an_answer_that_is_left_early_are_not_kept(duck: CountingEngine) -> None:
    engine = EmbeddedEngine(duck)
    wrong = replace(ONE, sql="SELECT CAST('x' AS INTEGER)")
    for _ in range(2):
        with pytest.raises(GatewayError):
            await chunks_of(engine, wrong)
    async with engine.execute(ONE) as stream:
        await stream.read()
    asked = duck.asked
    await chunks_of(engine, ONE)
    assert duck.asked == asked + 1


CATALOG = EngineStatement(
    "SELECT n FROM (SELECT 7 + range AS n FROM range(3)) ORDER BY n", result_columns=COLUMNS, rows_as_of=1
)


async def test_a_question_to_the_catalog_is_answered_again_while_that_is_the_same(
    duck: CountingEngine,
) -> None:
    engine = EmbeddedEngine(duck)
    first = await chunks_of(engine, CATALOG)
    asked = duck.asked
    assert await chunks_of(engine, CATALOG) == first
    assert duck.asked == asked
    for other in (
        replace(CATALOG, rows_as_of=2),
        replace(CATALOG, rows_as_of=None),
        replace(CATALOG, rows_as_of=None),
        replace(CATALOG, sql=CATALOG.sql + " DESC"),
        replace(CATALOG, result_formats=(1,)),
    ):
        await chunks_of(engine, other)
        asked += 1
        assert duck.asked == asked


async def test_no_more_is_kept_than_may_be(duck: CountingEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_asked(statement: EngineStatement) -> bool:
        before = duck.asked
        await chunks_of(engine, statement)
        return duck.asked > before

    engine = EmbeddedEngine(duck)
    monkeypatch.setattr(kept_answers, "MAX_KEPT_BYTES", 4096)
    several = [replace(CATALOG, rows_as_of=number) for number in range(4)]
    assert [await is_asked(statement) for statement in several] == [True] * 4
    assert not await is_asked(several[3])
    assert await is_asked(several[0])
    monkeypatch.setattr(kept_answers, "MAX_ANSWER_BYTES", 8)
    long = replace(CATALOG, rows_as_of=9)
    assert await is_asked(long)
    assert await is_asked(long)
