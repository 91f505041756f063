"""The type table, typmods and DuckDB's type names."""

import pytest

from pgwire.types import (
    ALL_TYPES,
    Oid,
    decode_typmod,
    encode_typmod,
    engine_type_of,
    format_type,
    result_column,
    type_by_name,
    type_by_oid,
)


@pytest.mark.parametrize(
    ("engine_type", "expected"),
    [
        ("DECIMAL(15,2)", "numeric(15,2)"),
        ("VARCHAR", "text"),
        ("INTEGER[]", "integer[]"),
        ("INTEGER[][3]", "integer[]"),
        ("STRUCT(a INTEGER[])", "json"),
        ("STRUCT(a INTEGER)[]", "json[]"),
        ("ENUM('a]', 'b[]')", "text"),
        ("TIMESTAMP_S", "timestamp without time zone"),
        ("TIMESTAMP WITH TIME ZONE", "timestamp with time zone"),
        ("HUGEINT", "numeric"),
        ("UBIGINT", "numeric"),
        ("UTINYINT", "smallint"),
        ("BIT", "bit varying"),
        ('"NULL"', "text"),
        ("MAP(VARCHAR, INTEGER)", "json"),
        ("mood", "text"),
        ("DECIMAL(4,1)[]", "numeric(4,1)[]"),
    ],
)
def test_engine_types_have_a_postgres_type(engine_type: str, expected: str) -> None:
    column = result_column("x", engine_type)
    assert format_type(column.type_oid, column.typmod) == expected
    assert column.engine_type == engine_type


def test_oids_and_array_oids_are_unique_and_point_at_each_other() -> None:
    assert len({pg_type.oid for pg_type in ALL_TYPES}) == len(ALL_TYPES)
    for pg_type in ALL_TYPES:
        assert type_by_oid(pg_type.oid) is pg_type
        if pg_type.array_oid:
            array = type_by_oid(pg_type.array_oid)
            assert array is not None
            assert array.element_oid == pg_type.oid


@pytest.mark.parametrize(
    ("oid", "modifiers"),
    [
        (Oid.NUMERIC, (15, 2)),
        (Oid.NUMERIC, (3, -2)),
        (Oid.VARCHAR, (10,)),
        (Oid.TIMESTAMP, (3,)),
        (Oid.INTERVAL, (2,)),
    ],
)
def test_typmods_round_trip(oid: int, modifiers: tuple[int, ...]) -> None:
    assert decode_typmod(oid, encode_typmod(oid, modifiers)) == modifiers


def test_names_resolve_in_every_spelling() -> None:
    for name in ("int4", "integer", "int", "pg_catalog.int4"):
        assert getattr(type_by_name(name), "oid", None) == Oid.INT4
    assert getattr(type_by_name("timestamp with time zone[]"), "oid", None) == 1185
    assert type_by_name("nothing") is None
    assert format_type(Oid.TIME, 3) == "time(3) without time zone"
    assert format_type(1) == "???"


def test_postgres_types_have_an_engine_type() -> None:
    assert engine_type_of(Oid.NUMERIC, encode_typmod(Oid.NUMERIC, (10, 2))) == "DECIMAL(10,2)"
    assert engine_type_of(Oid.NUMERIC) == "DECIMAL(38,10)"
    assert engine_type_of(1016) == "BIGINT[]"
    assert engine_type_of(Oid.INET) == "VARCHAR"
