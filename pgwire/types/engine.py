"""DuckDB's type names ⇄ PostgreSQL types.

Choices that PostgreSQL does not make for us: unsigned integers become the next wider signed type; UBIGINT,
HUGEINT, UHUGEINT and BIGNUM become numeric; VARCHAR and ENUM become text (an ENUM has no OID that a client
could look up); STRUCT, MAP, UNION and VARIANT become json; GEOMETRY becomes bytea (WKB); a list of any depth
becomes the array type of its innermost element; a name that is not in the table becomes text.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from pgwire.types.catalogue import Oid, type_by_oid
from pgwire.types.columns import ResultColumn
from pgwire.types.typmod import decode_typmod, encode_typmod

UNCONSTRAINED_NUMERIC = "DECIMAL(38,10)"
"""The engine's type for PostgreSQL's numeric without a typmod: 28 digits before the point, 10 after.

A result column declared with this engine type, numeric and typmod -1 is written without trailing zeros.
"""

_LIST_SUFFIX = re.compile(r"\[\d*\]\Z")
_MODIFIERS = re.compile(r"\((\d+)(?:,\s*(\d+))?\)")

_BY_ENGINE_NAME: Mapping[str, Oid] = MappingProxyType(
    {
        "BOOLEAN": Oid.BOOL,
        "BOOL": Oid.BOOL,
        "TINYINT": Oid.INT2,
        "SMALLINT": Oid.INT2,
        "INTEGER": Oid.INT4,
        "INT": Oid.INT4,
        "BIGINT": Oid.INT8,
        "UTINYINT": Oid.INT2,
        "USMALLINT": Oid.INT4,
        "UINTEGER": Oid.INT8,
        "UBIGINT": Oid.NUMERIC,
        "HUGEINT": Oid.NUMERIC,
        "UHUGEINT": Oid.NUMERIC,
        "BIGNUM": Oid.NUMERIC,
        "VARINT": Oid.NUMERIC,
        "FLOAT": Oid.FLOAT4,
        "REAL": Oid.FLOAT4,
        "DOUBLE": Oid.FLOAT8,
        "DECIMAL": Oid.NUMERIC,
        "NUMERIC": Oid.NUMERIC,
        "VARCHAR": Oid.TEXT,
        "CHAR": Oid.TEXT,
        "TEXT": Oid.TEXT,
        "STRING": Oid.TEXT,
        "BLOB": Oid.BYTEA,
        "BYTEA": Oid.BYTEA,
        "GEOMETRY": Oid.BYTEA,
        "DATE": Oid.DATE,
        "TIME": Oid.TIME,
        "TIME_NS": Oid.TIME,
        "TIME WITH TIME ZONE": Oid.TIMETZ,
        "TIMETZ": Oid.TIMETZ,
        "TIMESTAMP": Oid.TIMESTAMP,
        "DATETIME": Oid.TIMESTAMP,
        "TIMESTAMP_S": Oid.TIMESTAMP,
        "TIMESTAMP_MS": Oid.TIMESTAMP,
        "TIMESTAMP_NS": Oid.TIMESTAMP,
        "TIMESTAMP WITH TIME ZONE": Oid.TIMESTAMPTZ,
        "TIMESTAMPTZ": Oid.TIMESTAMPTZ,
        "INTERVAL": Oid.INTERVAL,
        "UUID": Oid.UUID,
        "JSON": Oid.JSON,
        "BIT": Oid.VARBIT,
        "ENUM": Oid.TEXT,
        "STRUCT": Oid.JSON,
        "MAP": Oid.JSON,
        "UNION": Oid.JSON,
        "VARIANT": Oid.JSON,
    }
)

_TO_ENGINE_NAME: Mapping[int, str] = MappingProxyType(
    {
        Oid.BOOL: "BOOLEAN",
        Oid.BYTEA: "BLOB",
        Oid.INT8: "BIGINT",
        Oid.INT2: "SMALLINT",
        Oid.INT4: "INTEGER",
        # OIDs are unsigned, and catalog tables hold them as BIGINT: a cast to INTEGER would fail above 2^31.
        Oid.OID: "BIGINT",
        Oid.XID: "BIGINT",
        Oid.REGPROC: "VARCHAR",
        Oid.REGCLASS: "VARCHAR",
        Oid.REGTYPE: "VARCHAR",
        Oid.JSON: "JSON",
        Oid.JSONB: "JSON",
        Oid.FLOAT4: "FLOAT",
        Oid.FLOAT8: "DOUBLE",
        Oid.MONEY: "DECIMAL(18,2)",
        Oid.DATE: "DATE",
        Oid.TIME: "TIME",
        Oid.TIMETZ: "TIME WITH TIME ZONE",
        Oid.TIMESTAMP: "TIMESTAMP",
        Oid.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
        Oid.INTERVAL: "INTERVAL",
        Oid.BIT: "BIT",
        Oid.VARBIT: "BIT",
        Oid.UUID: "UUID",
    }
)


def result_column(name: str, engine_type: str) -> ResultColumn:
    """Describe a result column from DuckDB's text of its type: `str(connection.description[i][1])`."""
    oid, typmod = postgres_type_of(engine_type)
    return ResultColumn(name, oid, typmod, engine_type)


def postgres_type_of(engine_type: str) -> tuple[int, int]:
    """Give the PostgreSQL OID and typmod of DuckDB's text of a type."""
    text = engine_type.strip()
    is_list = False
    while (suffix := _LIST_SUFFIX.search(text)) is not None:
        text = text[: suffix.start()]
        is_list = True
    head, parenthesis, _ = text.partition("(")
    oid = int(_BY_ENGINE_NAME.get(head.strip().strip('"').upper(), Oid.TEXT))
    typmod = _decimal_typmod(text) if parenthesis and oid == Oid.NUMERIC else -1
    if is_list:
        pg_type = type_by_oid(oid)
        oid = pg_type.array_oid if pg_type is not None else int(Oid.TEXT)
    return oid, typmod


def engine_type_of(oid: int, typmod: int = -1) -> str:
    """Give the DuckDB type that a value of this PostgreSQL type is cast to; VARCHAR where DuckDB has none.

    numeric without a typmod is `UNCONSTRAINED_NUMERIC`; precisions above DuckDB's 38 are cut to 38.
    """
    pg_type = type_by_oid(oid)
    if pg_type is not None and pg_type.element_oid:
        return engine_type_of(pg_type.element_oid, typmod) + "[]"
    if oid != Oid.NUMERIC:
        return _TO_ENGINE_NAME.get(oid, "VARCHAR")
    modifiers = decode_typmod(oid, typmod)
    if not modifiers:
        return UNCONSTRAINED_NUMERIC
    precision, scale = min(modifiers[0], 38), max(modifiers[1], 0)
    return f"DECIMAL({min(max(precision, scale), 38)},{min(scale, 38)})"


def _decimal_typmod(text: str) -> int:
    found = _MODIFIERS.search(text)
    if found is None:
        return -1
    return encode_typmod(Oid.NUMERIC, (int(found[1]), int(found[2] or 0)))
