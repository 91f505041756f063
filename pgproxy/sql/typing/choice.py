"""The function or operator that PostgreSQL chooses among those of a name.

PostgreSQL docs, "Operator Type Resolution" and "Function Type Resolution"; source, parse_func.c
`func_match_argtypes`, `func_select_candidate`, parse_oper.c `oper`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pgproxy.sql.typing.signatures import Signature, functions, operators
from pgproxy.sql.typing.types import (
    ARRAYS,
    COMPATIBLE,
    ELEMENTS,
    POLYMORPHIC,
    RANGES_AND_ENUMS,
    STRING_CATEGORY,
    UNKNOWN,
    array_of,
    can_coerce,
    category,
    is_preferred,
    polymorphic_element,
)
from pgwire.types import Oid, type_by_name


class Ambiguous(Exception):
    """Several fit equally well: PostgreSQL's 42725."""


class Undetermined(Exception):
    """The polymorphic arguments are all of unknown type: PostgreSQL's 42804."""


def choose_function(name: str, given: Sequence[int]) -> Signature | None:
    """The function for arguments of these types, its polymorphic types made real; None where none fits.

    Raises:
        Ambiguous: several fit.
        Undetermined: its types are those of arguments that have none yet.
    """
    named = type_by_name(name) if list(given) == [UNKNOWN] else None
    if named is not None and named.category == STRING_CATEGORY:  # `text($1)` is a cast
        return Signature((named.oid,), named.oid)
    held = functions(name, len(given))
    exact = [one for one in held if one.arguments == tuple(given)]
    chosen = exact[0] if exact else _select(held, given)
    return _made_real(chosen, given) if chosen is not None else None


def choose_operator(name: str, given: Sequence[int]) -> Signature | None:
    """The operator for operands of these types (one: a prefix operator); None where none fits.

    Raises:
        Ambiguous: several fit.
        Undetermined: its types are those of operands that have none yet.
    """
    held = operators(name, is_binary=len(given) == 2)
    known = [kind for kind in given if kind != UNKNOWN]
    exact = (known[0],) * len(given) if len(known) == 1 else tuple(given)
    chosen = next((one for one in held if one.arguments == exact), None) or _select(held, given)
    return _made_real(chosen, given) if chosen is not None else None


def _select(held: Sequence[Signature], given: Sequence[int]) -> Signature | None:
    left = [one for one in held if _fits(one, given)]
    for narrow in (_most_exact, _most_preferred, _by_category, _by_known_type):
        if len(left) <= 1:
            break
        left = narrow(left, given)
    if len(left) > 1:
        raise Ambiguous
    return left[0] if left else None


def _fits(candidate: Signature, given: Sequence[int]) -> bool:
    pairs = zip(candidate.arguments, given, strict=True)
    if not all(declared in POLYMORPHIC or can_coerce(kind, declared) for declared, kind in pairs):
        return False
    return all(
        polymorphic_element(candidate.arguments, given, is_compatible=family) is not None
        for family in (False, True)
    )


def _best(left: list[Signature], given: Sequence[int], counts: Callable[[int, int], bool]) -> list[Signature]:
    scores = [
        sum(counts(declared, kind) for declared, kind in zip(one.arguments, given, strict=True))
        for one in left
    ]
    return [one for one, score in zip(left, scores, strict=True) if score == max(scores)]


def _most_exact(left: list[Signature], given: Sequence[int]) -> list[Signature]:
    return _best(left, given, lambda declared, kind: kind != UNKNOWN and declared == kind)


def _most_preferred(left: list[Signature], given: Sequence[int]) -> list[Signature]:
    def counts(declared: int, kind: int) -> bool:
        if kind == UNKNOWN:
            return False
        return declared == kind or (category(declared) == category(kind) and is_preferred(declared))

    return _best(left, given, counts)


@dataclass(frozen=True, slots=True)
class _Wanted:
    category: str
    is_preferred: bool


def _by_category(left: list[Signature], given: Sequence[int]) -> list[Signature]:
    """Where arguments are unknown: those that take strings there, or all of one category."""
    unknown = [at for at, kind in enumerate(given) if kind == UNKNOWN]
    if not unknown:
        return left
    wanted: dict[int, _Wanted] = {}
    for at in unknown:
        declared = [one.arguments[at] for one in left]
        kinds = {category(kind) for kind in declared}
        if STRING_CATEGORY not in kinds and len(kinds) > 1:
            return left
        chosen = STRING_CATEGORY if STRING_CATEGORY in kinds else kinds.pop()
        wanted[at] = _Wanted(chosen, any(category(k) == chosen and is_preferred(k) for k in declared))
    kept = [
        one
        for one in left
        if all(
            category(one.arguments[at]) == want.category
            and (not want.is_preferred or is_preferred(one.arguments[at]))
            for at, want in wanted.items()
        )
    ]
    return kept or left


def _by_known_type(left: list[Signature], given: Sequence[int]) -> list[Signature]:
    """Where the known arguments are of one type: what takes that type at the unknown ones too."""
    known = {kind for kind in given if kind != UNKNOWN}
    if len(known) != 1 or UNKNOWN not in given:
        return left
    assumed = known.pop()
    kept = [one for one in left if _fits(one, [assumed] * len(given))]
    return kept if len(kept) == 1 else left


def _made_real(chosen: Signature, given: Sequence[int]) -> Signature:
    if not RANGES_AND_ENUMS.isdisjoint(chosen.arguments):
        raise Undetermined
    if not POLYMORPHIC & {*chosen.arguments, chosen.result}:
        return chosen
    elements: dict[bool, int] = {}
    for family in (False, True):
        if any((kind in COMPATIBLE) is family for kind in POLYMORPHIC & {*chosen.arguments}):
            element = polymorphic_element(chosen.arguments, given, is_compatible=family)
            if not element and not family:
                raise Undetermined
            elements[family] = element or int(Oid.TEXT)

    def real(declared: int) -> int:
        element = elements.get(declared in COMPATIBLE, 0)
        if declared in ELEMENTS:
            return element
        return array_of(element) if declared in ARRAYS else declared

    made = Signature(tuple(map(real, chosen.arguments)), real(chosen.result))
    if not all(made.arguments):  # an array of arrays is no type
        raise Undetermined
    return made
