"""Columns carry the types under which their values travel."""

import pyarrow as pa
import pytest

from pgproxy.catalog.builtin import builtin_rows, relation_definitions
from pgproxy.catalog.types import SYSTEM_TYPES, UserType, arrow_type, user_type


@pytest.mark.parametrize(
    ("engine_type", "expected"),
    [
        ("INTEGER", UserType(23, -1)),
        ("DECIMAL(12,2)", UserType(1700, (12 << 16 | 2) + 4)),
        ("INTEGER[][]", UserType(1007, -1, 2)),
        ("VARCHAR[3]", UserType(1009, -1, 1)),
        ("ENUM('a', 'b')", UserType(25, -1)),
        ("TIMESTAMP WITH TIME ZONE", UserType(1184, -1)),
    ],
)
def test_a_users_type_is_named_with_its_typmod_and_depth(engine_type: str, expected: UserType) -> None:
    assert user_type(engine_type) == expected


def test_system_types_have_postgresqls_oids() -> None:
    types = builtin_rows("pg_type").columns
    oids = dict(zip(types["typname"], types["oid"], strict=True))
    arrays = dict(zip(types["typname"], types["typarray"], strict=True))
    for name, system_type in SYSTEM_TYPES.items():
        if name in oids:
            assert system_type.oid == oids[name], name
            assert system_type.array_oid in (0, arrays[name]), name


def test_every_system_column_has_an_arrow_type() -> None:
    for definition in relation_definitions().values():
        for column in definition.columns:
            assert isinstance(arrow_type(column.engine_type), pa.DataType), (definition.name, column.name)


def test_well_known_relations_have_postgresqls_oids() -> None:
    known = {"pg_class": 1259, "pg_type": 1247, "pg_attribute": 1249, "pg_namespace": 2615, "pg_proc": 1255}
    definitions = relation_definitions()
    assert {name: definitions["pg_catalog", name].oid for name in known} == known
