"""The one table of PostgreSQL types: OIDs, array OIDs, lengths and names as in PostgreSQL 15's pg_type."""

from dataclasses import dataclass
from enum import IntEnum


class Oid(IntEnum):
    """OIDs of the types that code names. PostgreSQL source, `pg_type.dat`."""

    BOOL = 16
    BYTEA = 17
    CHAR = 18
    NAME = 19
    INT8 = 20
    INT2 = 21
    INT4 = 23
    REGPROC = 24
    TEXT = 25
    OID = 26
    XID = 28
    JSON = 114
    CIDR = 650
    FLOAT4 = 700
    FLOAT8 = 701
    UNKNOWN = 705
    MONEY = 790
    INET = 869
    BPCHAR = 1042
    VARCHAR = 1043
    DATE = 1082
    TIME = 1083
    TIMESTAMP = 1114
    TIMESTAMPTZ = 1184
    INTERVAL = 1186
    TIMETZ = 1266
    BIT = 1560
    VARBIT = 1562
    NUMERIC = 1700
    REGCLASS = 2205
    REGTYPE = 2206
    RECORD = 2249
    VOID = 2278
    UUID = 2950
    JSONB = 3802


@dataclass(frozen=True, slots=True)
class PgType:
    """One row of pg_type.

    typlen: bytes of a fixed-width type, -1 variable, -2 a C string. category: pg_type.typcategory.
    sql_name: what format_type prints without a typmod. element_oid: of an array's elements, else 0.
    """

    oid: int
    name: str
    sql_name: str
    array_oid: int
    typlen: int
    category: str
    element_oid: int = 0


_SCALARS = (
    PgType(16, "bool", "boolean", 1000, 1, "B"),
    PgType(17, "bytea", "bytea", 1001, -1, "U"),
    PgType(18, "char", '"char"', 1002, 1, "Z"),
    PgType(19, "name", "name", 1003, 64, "S"),
    PgType(20, "int8", "bigint", 1016, 8, "N"),
    PgType(21, "int2", "smallint", 1005, 2, "N"),
    PgType(23, "int4", "integer", 1007, 4, "N"),
    PgType(24, "regproc", "regproc", 1008, 4, "N"),
    PgType(25, "text", "text", 1009, -1, "S"),
    PgType(26, "oid", "oid", 1028, 4, "N"),
    PgType(27, "tid", "tid", 1010, 6, "U"),
    PgType(28, "xid", "xid", 1011, 4, "U"),
    PgType(29, "cid", "cid", 1012, 4, "U"),
    PgType(114, "json", "json", 199, -1, "U"),
    PgType(142, "xml", "xml", 143, -1, "U"),
    PgType(194, "pg_node_tree", "pg_node_tree", 0, -1, "Z"),
    PgType(650, "cidr", "cidr", 651, -1, "I"),
    PgType(700, "float4", "real", 1021, 4, "N"),
    PgType(701, "float8", "double precision", 1022, 8, "N"),
    PgType(705, "unknown", "unknown", 0, -2, "X"),
    PgType(774, "macaddr8", "macaddr8", 775, 8, "U"),
    PgType(790, "money", "money", 791, 8, "N"),
    PgType(829, "macaddr", "macaddr", 1040, 6, "U"),
    PgType(869, "inet", "inet", 1041, -1, "I"),
    PgType(1033, "aclitem", "aclitem", 1034, 12, "U"),
    PgType(1042, "bpchar", "character", 1014, -1, "S"),
    PgType(1043, "varchar", "character varying", 1015, -1, "S"),
    PgType(1082, "date", "date", 1182, 4, "D"),
    PgType(1083, "time", "time without time zone", 1183, 8, "D"),
    PgType(1114, "timestamp", "timestamp without time zone", 1115, 8, "D"),
    PgType(1184, "timestamptz", "timestamp with time zone", 1185, 8, "D"),
    PgType(1186, "interval", "interval", 1187, 16, "T"),
    PgType(1266, "timetz", "time with time zone", 1270, 12, "D"),
    PgType(1560, "bit", "bit", 1561, -1, "V"),
    PgType(1562, "varbit", "bit varying", 1563, -1, "V"),
    PgType(1700, "numeric", "numeric", 1231, -1, "N"),
    PgType(1790, "refcursor", "refcursor", 2201, -1, "U"),
    PgType(2202, "regprocedure", "regprocedure", 2207, 4, "N"),
    PgType(2203, "regoper", "regoper", 2208, 4, "N"),
    PgType(2204, "regoperator", "regoperator", 2209, 4, "N"),
    PgType(2205, "regclass", "regclass", 2210, 4, "N"),
    PgType(2206, "regtype", "regtype", 2211, 4, "N"),
    PgType(2249, "record", "record", 2287, -1, "P"),
    PgType(2275, "cstring", "cstring", 1263, -2, "P"),
    PgType(2276, "any", '"any"', 0, 4, "P"),
    PgType(2277, "anyarray", "anyarray", 0, -1, "P"),
    PgType(2278, "void", "void", 0, 4, "P"),
    PgType(2279, "trigger", "trigger", 0, 4, "P"),
    PgType(2283, "anyelement", "anyelement", 0, 4, "P"),
    PgType(2950, "uuid", "uuid", 2951, 16, "U"),
    PgType(3220, "pg_lsn", "pg_lsn", 3221, 8, "U"),
    PgType(3734, "regconfig", "regconfig", 3735, 4, "N"),
    PgType(3769, "regdictionary", "regdictionary", 3770, 4, "N"),
    PgType(3802, "jsonb", "jsonb", 3807, -1, "U"),
    PgType(4089, "regnamespace", "regnamespace", 4090, 4, "N"),
    PgType(4096, "regrole", "regrole", 4097, 4, "N"),
    PgType(5069, "xid8", "xid8", 271, 8, "U"),
)

_VECTORS = (
    PgType(22, "int2vector", "int2vector", 1006, -1, "A", element_oid=21),
    PgType(30, "oidvector", "oidvector", 1013, -1, "A", element_oid=26),
)


def _array_of(element: PgType) -> PgType:
    category = "P" if element.category == "P" else "A"
    return PgType(
        element.array_oid,
        "_" + element.name,
        element.sql_name + "[]",
        0,
        -1,
        category,
        element_oid=element.oid,
    )


ALL_TYPES: tuple[PgType, ...] = (
    *_SCALARS,
    *_VECTORS,
    *(_array_of(element) for element in (*_SCALARS, *_VECTORS) if element.array_oid),
)

_BY_OID = {pg_type.oid: pg_type for pg_type in ALL_TYPES}

# What SQL accepts besides pg_type's own names. PostgreSQL docs, "Data Types", table "Data Types", Aliases.
_SPELLINGS = {
    **{pg_type.sql_name: pg_type for pg_type in ALL_TYPES},
    **{pg_type.name: pg_type for pg_type in ALL_TYPES},
    "int": _BY_OID[Oid.INT4],
    "decimal": _BY_OID[Oid.NUMERIC],
    "float": _BY_OID[Oid.FLOAT8],
    "dec": _BY_OID[Oid.NUMERIC],
    "serial": _BY_OID[Oid.INT4],
    "bigserial": _BY_OID[Oid.INT8],
    "smallserial": _BY_OID[Oid.INT2],
    "character": _BY_OID[Oid.BPCHAR],
    "timestamp": _BY_OID[Oid.TIMESTAMP],
    "time": _BY_OID[Oid.TIME],
}


def type_by_oid(oid: int) -> PgType | None:
    """Give the type, or None for an OID that is not in the table."""
    return _BY_OID.get(oid)


def type_by_name(name: str) -> PgType | None:
    """Give the type of a PostgreSQL type name without typmod: `int4`, `_text`, `double precision`, `date[]`.

    A `pg_catalog.` in front is ignored; `char` is pg_type's one-byte type, as format_type writes it quoted.
    """
    key = name.strip().removeprefix("pg_catalog.")
    found = _SPELLINGS.get(key)
    if found is None and key.endswith("[]"):
        element = type_by_name(key[:-2])
        found = _BY_OID.get(element.array_oid) if element is not None and element.array_oid else None
    return found
