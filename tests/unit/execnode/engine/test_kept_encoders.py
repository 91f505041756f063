"""Encoders that serve one result after the other give each its own bytes."""

from dataclasses import replace

import pyarrow as pa
import pytest

from execnode.engine import DuckEngine
from execnode.engine.chunks import BatchEncoding
from execnode.engine.kept_encoders import MAX_KEPT, MAX_KEPT_BYTES, KeptEncoders
from execnode.statement import EngineStatement, RowEncoding
from pgwire.types import Oid, OutputSettings, ResultColumn

from .test_kept_plans import answer

COLUMNS = (ResultColumn("n", Oid.INT4, -1, "INTEGER"),)
SCHEMA = pa.schema([("n", pa.int32())])
STATEMENT = EngineStatement("SELECT 1", result_columns=COLUMNS)


def used(kept: KeptEncoders, statement: EngineStatement, used_bytes: int = 0) -> BatchEncoding:
    encoding = kept.take(statement, COLUMNS, SCHEMA)
    kept.give_back(encoding, statement, COLUMNS, used_bytes)
    return encoding


def test_a_shape_finds_its_encoder_again_and_no_other_does() -> None:
    kept = KeptEncoders()
    first = used(kept, STATEMENT)
    assert used(kept, STATEMENT) is first
    for other in (
        replace(STATEMENT, result_formats=(1,)),
        replace(STATEMENT, output=OutputSettings(time_zone="Asia/Tokyo")),
        replace(STATEMENT, with_row_offsets=True),
        replace(STATEMENT, encoding=RowEncoding.COPY_TEXT),
    ):
        assert used(kept, other) is not first
    assert used(kept, STATEMENT) is first


def test_two_results_at_once_never_share_one() -> None:
    kept = KeptEncoders()
    used(kept, STATEMENT)
    assert kept.take(STATEMENT, COLUMNS, SCHEMA) is not kept.take(STATEMENT, COLUMNS, SCHEMA)


def test_what_encoded_much_is_not_kept_and_no_more_than_a_few_are() -> None:
    kept = KeptEncoders()
    assert used(kept, STATEMENT, MAX_KEPT_BYTES + 1) is not used(kept, STATEMENT, MAX_KEPT_BYTES + 1)
    for place in range(MAX_KEPT + 3):
        used(kept, replace(STATEMENT, output=OutputSettings(extra_float_digits=place)))
    assert len(kept._idle) == MAX_KEPT


@pytest.mark.parametrize("formats", [(), (1,)])
async def test_results_of_one_shape_but_of_other_engine_types_are_their_own(
    engine: DuckEngine, formats: tuple[int, ...]
) -> None:
    """What DuckDB sends for one declared column may differ from run to run."""
    columns = (ResultColumn("n", Oid.INT8, -1, "BIGINT"),)
    sqls = ("SELECT 7::BIGINT AS n", "SELECT 7::TINYINT AS n", "SELECT NULL AS n")
    for place, sql in enumerate(sqls * 2):
        statement = EngineStatement(sql, result_columns=columns, result_formats=formats, keeps_plan=True)
        fresh = await answer(engine, replace(statement, output=OutputSettings(extra_float_digits=-place)))
        assert await answer(engine, statement) == fresh
