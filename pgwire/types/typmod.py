"""Type modifiers: how PostgreSQL packs `numeric(15,2)` or `varchar(10)` into one int32.

PostgreSQL source: numeric.c `make_numeric_typmod`, varchar.c `anychar_typmodin`, varbit.c, timestamp.c.
"""

from pgwire.types.catalogue import Oid, type_by_oid

_HEADER_BYTES = 4  # VARHDRSZ: character and numeric typmods count the varlena header
_INTERVAL_FULL_RANGE = 0x7FFF
_PRECISION_TYPES = frozenset({Oid.TIME, Oid.TIMETZ, Oid.TIMESTAMP, Oid.TIMESTAMPTZ})
_LENGTH_TYPES = frozenset({Oid.VARCHAR, Oid.BPCHAR})
_BIT_TYPES = frozenset({Oid.BIT, Oid.VARBIT})


def numeric_typmod(precision: int, scale: int) -> int:
    """Pack precision (1 to 1000) and scale (-1000 to 1000)."""
    return ((precision << 16) | (scale & 0x7FF)) + _HEADER_BYTES


def numeric_precision_scale(typmod: int) -> tuple[int, int] | None:
    """Unpack a numeric typmod; None where there is none."""
    if typmod < _HEADER_BYTES:
        return None
    packed = typmod - _HEADER_BYTES
    return (packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024


def encode_typmod(oid: int, modifiers: tuple[int, ...]) -> int:
    """Pack what stands in parentheses after a type's name; -1 for none, or for a type that takes none."""
    if not modifiers:
        return -1
    if oid == Oid.NUMERIC:
        return numeric_typmod(modifiers[0], modifiers[1] if len(modifiers) > 1 else 0)
    if oid in _LENGTH_TYPES:
        return modifiers[0] + _HEADER_BYTES
    if oid == Oid.INTERVAL:
        return (_INTERVAL_FULL_RANGE << 16) | modifiers[0]
    if oid in _PRECISION_TYPES or oid in _BIT_TYPES:
        return modifiers[0]
    return -1


def decode_typmod(oid: int, typmod: int) -> tuple[int, ...]:
    """Give what stands in parentheses after the type's name; () for none. The inverse of `encode_typmod`."""
    if typmod < 0:
        return ()
    if oid == Oid.NUMERIC:
        return numeric_precision_scale(typmod) or ()
    if oid in _LENGTH_TYPES:
        return (typmod - _HEADER_BYTES,) if typmod >= _HEADER_BYTES else ()
    if oid == Oid.INTERVAL:
        precision = typmod & 0xFFFF
        return () if precision == 0xFFFF else (precision,)
    if oid in _PRECISION_TYPES or oid in _BIT_TYPES:
        return (typmod,)
    return ()


def format_type(oid: int, typmod: int = -1) -> str:
    """Name a type as PostgreSQL's function of that name does: `numeric(15,2)`, `time(3) without time zone`.

    An OID that is not in the table gives `???`, as PostgreSQL does.
    """
    pg_type = type_by_oid(oid)
    if pg_type is None:
        return "???"
    if pg_type.element_oid and pg_type.name.startswith("_"):
        return format_type(pg_type.element_oid, typmod) + "[]"
    modifiers = decode_typmod(oid, typmod)
    if not modifiers:
        return pg_type.sql_name
    head, space, tail = pg_type.sql_name.partition(" ")
    if oid in _PRECISION_TYPES:
        return f"{head}({modifiers[0]}){space}{tail}"
    return f"{pg_type.sql_name}({','.join(map(str, modifiers))})"
