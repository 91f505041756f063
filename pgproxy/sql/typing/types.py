"""What pg_type and pg_cast say of types: categories, preference, implicit casts.

PostgreSQL docs, "Type Conversion", "pg_cast"; source, parse_coerce.c.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pgproxy.catalog.builtin import builtin_rows
from pgwire.types import Oid

UNKNOWN = 0
"""The type of a quoted literal, of NULL, and of a parameter that nothing has fixed yet."""
ANY = 2276
ANYELEMENT, ANYARRAY, ANYNONARRAY = 2283, 2277, 2776
ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLENONARRAY = 5077, 5078, 5079
ELEMENTS = frozenset({ANYELEMENT, ANYNONARRAY, ANYCOMPATIBLE, ANYCOMPATIBLENONARRAY})
ARRAYS = frozenset({ANYARRAY, ANYCOMPATIBLEARRAY})
COMPATIBLE = frozenset({ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLENONARRAY})
POLYMORPHIC = ELEMENTS | ARRAYS
RANGES_AND_ENUMS = frozenset({3500, 3831, 4537, 4538, 5080})
"""anyenum, anyrange, anymultirange, and the compatible ones: no type here is any of them."""
STRING_CATEGORY = "S"
_UNKNOWN_CATEGORY = "X"


@dataclass(frozen=True, slots=True)
class _Type:
    category: str
    is_preferred: bool
    array: int
    element: int


@cache
def _types() -> dict[int, _Type]:
    rows = builtin_rows("pg_type").columns
    arrays = frozenset(oid for oid in rows["typarray"] if oid)
    fields = (rows["oid"], rows["typcategory"], rows["typispreferred"], rows["typarray"], rows["typelem"])
    return {
        oid: _Type(category, preferred, array, element if oid in arrays else 0)
        for oid, category, preferred, array, element in zip(*fields, strict=True)
    }


@cache
def _implicit_casts() -> frozenset[tuple[int, int]]:
    rows = builtin_rows("pg_cast").columns
    casts = zip(rows["castsource"], rows["casttarget"], rows["castcontext"], strict=True)
    return frozenset((source, target) for source, target, context in casts if context == "i")


def category(oid: int) -> str:
    """A type's category; `X` of unknown."""
    found = _types().get(oid)
    return found.category if found is not None else _UNKNOWN_CATEGORY


def is_preferred(oid: int) -> bool:
    """Whether a type is preferred in its category."""
    found = _types().get(oid)
    return found is not None and found.is_preferred


def array_of(oid: int) -> int:
    """The array type with elements of this one; 0 for none."""
    found = _types().get(oid)
    return found.array if found is not None else 0


def element_of(oid: int) -> int:
    """The type of an array's elements; 0 of what is no array."""
    found = _types().get(oid)
    return found.element if found is not None else 0


def can_coerce(source: int, target: int) -> bool:
    """Whether a value of one type is one of another without a cast being written.

    PostgreSQL source, `can_coerce_type` with COERCION_IMPLICIT. Polymorphic targets are the caller's.
    """
    if source in {target, UNKNOWN} or target == ANY or (source, target) in _implicit_casts():
        return True
    elements = element_of(source), element_of(target)
    return all(elements) and elements in _implicit_casts()


def common_type(kinds: Sequence[int]) -> int | None:
    """The type that CASE, COALESCE, VALUES, UNION and ARRAY give to these; None where there is none.

    PostgreSQL docs, "UNION, CASE, and Related Constructs"; source, `select_common_type`.
    """
    known = [kind for kind in kinds if kind != UNKNOWN]
    if not known:
        return int(Oid.TEXT)
    chosen = known[0]
    for kind in known[1:]:
        if kind == chosen:
            continue
        if category(kind) != category(chosen):
            return None
        if not is_preferred(chosen) and can_coerce(chosen, kind) and not can_coerce(kind, chosen):
            chosen = kind
    return chosen if all(can_coerce(kind, chosen) for kind in known) else None


def polymorphic_element(declared: Iterable[int], given: Iterable[int], *, is_compatible: bool) -> int | None:
    """The element type that polymorphic arguments of one family agree on.

    Give UNKNOWN where all are unknown, None where they disagree. PostgreSQL docs, "Polymorphic Types".
    """
    found = []
    for kind, argument in zip(declared, given, strict=True):
        if kind not in POLYMORPHIC or (kind in COMPATIBLE) is not is_compatible or argument == UNKNOWN:
            continue
        element = element_of(argument) if kind in ARRAYS else argument
        if not element or (kind in {ANYNONARRAY, ANYCOMPATIBLENONARRAY} and element_of(argument)):
            return None
        found.append(element)
    if not found:
        return UNKNOWN
    if is_compatible:
        return common_type(found)
    return found[0] if len(set(found)) == 1 else None
