"""Plans with gaps: one for all statements that differ in nothing but constants that no plan depends on.

A template is made of a second plan of the statement, with other constants in its slots, and holds only if
that plan differs from the statement's own in these constants and in nothing else. What DuckDB's parser
verified stays verified: in the rendered text one string or integer constant stands where another did, as the
client wrote it; without backslash and dollar sign it is one token there, too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from pgproxy.sql.plan import Plan
from pgproxy.sql.statement_shape import Shape

_NUMBER_START = {"integer": 948_051_200, "bigint": 948_051_200_948_051_200}


@dataclass(frozen=True, slots=True)
class Template:
    """A plan of any constants.

    pieces: of its SQL around the gaps; gaps: which of the shape's constants stands in each.
    `plan.describe_sql` keeps its own constants: no result type depends on them.
    """

    plan: Plan
    pieces: tuple[str, ...]
    gaps: tuple[int, ...]

    def filled(self, constants: Sequence[str]) -> Plan:
        """The plan of a statement of this shape. constants: all of the shape's, as they are written."""
        return replace(self.plan, sql=_joined(self.pieces, [constants[gap] for gap in self.gaps]))


def slots_in(shape: Shape, slots: Sequence[int]) -> tuple[int, ...]:
    """Which of a shape's constants are slots, in their order. slots: where these stand in the text."""
    return tuple(index for index, start in enumerate(shape.starts) if start in slots)


def fixed_part(shape: Shape, slots: Sequence[int]) -> tuple[str, ...] | None:
    """What a template depends on besides its shape: the other constants, and which of the slots are equal.

    Whether two expressions are one (in GROUP BY and the select list, say) may depend on that. None: two slots
    differ in their letters' case only, which such a comparison may or may not see.
    """
    kept = tuple(text for index, text in enumerate(shape.constants) if index not in slots)
    varied = [shape.constants[index] for index in slots]
    differing = len(set(varied))
    if len({text.lower() for text in varied}) < differing:
        return None
    return kept if differing == len(varied) else (*kept, *(f"={varied.index(text)}" for text in varied))


def stand_ins(shape: Shape, slots: Sequence[int]) -> dict[int, str]:
    """Another constant for each slot: equal where the shape's own are equal."""
    varied = [shape.constants[index] for index in slots]
    return {index: _stand_in(varied.index(shape.constants[index]), shape.kinds[index]) for index in slots}


def _stand_in(number: int, kind: str) -> str:
    return f"'~{number} it''s é%_'" if kind == "string" else str(_NUMBER_START[kind] + number)


def make_template(planned: Plan, other: Plan, shape: Shape, others: Mapping[int, str]) -> Template | None:
    """Make one of two plans of one shape; None: they differ in more than the constants.

    planned: of the statement itself; other: with `others` of `stand_ins` in the slots.
    """
    if any(text in planned.sql or text in planned.describe_sql for text in others.values()):
        return None
    if replace(planned, sql="", describe_sql="") != replace(other, sql="", describe_sql=""):
        return None
    places = {text: index for index, text in others.items()}
    cut = _cut(other.sql, places)
    if not set(places.values()) <= set(cut[1]) or _filled(cut, shape) != planned.sql:
        return None
    if _filled(_cut(other.describe_sql, places), shape) != planned.describe_sql:
        return None
    return Template(other, *cut)


def _cut(text: str, places: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The pieces of a text around its stand-ins, and which slot each of these is of."""
    found = re.split(rf"(?<![\w.'])({'|'.join(map(re.escape, places))})(?![\w.'])", text)
    return tuple(found[::2]), tuple(places[text] for text in found[1::2])


def _filled(cut: tuple[tuple[str, ...], tuple[int, ...]], shape: Shape) -> str:
    pieces, gaps = cut
    return _joined(pieces, [shape.constants[gap] for gap in gaps])


def _joined(pieces: Sequence[str], constants: Sequence[str]) -> str:
    """Pieces and constants by turns."""
    return "".join(chain.from_iterable(zip(pieces, (*constants, ""), strict=True)))
