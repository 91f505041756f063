"""Comparing two engines' answers to one statement without moving them: each computes its digest. Pure.

The digest is of the set of rows, in any order; where the statement sorts, the order of its sort keys counts,
too, but not that of rows with equal keys. Floating-point columns are summed and compared with a tolerance,
since engines add in different orders. Both engines are the same DuckDB, so `hash()` means the same on both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp

from pgwire.types import ResultColumn

_FLOATS = frozenset({"FLOAT", "DOUBLE", "REAL"})
_TOLERANCE = 1e-9
_FIRST_FLOAT = 3


@dataclass(frozen=True, slots=True)
class Digest:
    """What an engine says of its rows.

    rows: how many. content: of all exact columns, in any order. order: of the sort keys in their order.
    floats: for each floating-point column the values that are no NULL, their sum, the sum of their amounts.
    """

    rows: int
    content: str
    order: str
    floats: tuple[tuple[int, float, float], ...] = ()

    def difference(self, other: "Digest") -> str:
        """Say what differs; empty: nothing."""
        if self.rows != other.rows:
            return "row count"
        if self.content != other.content:
            return "content"
        if self.order != other.order:
            return "order"
        pairs = zip(self.floats, other.floats, strict=True)
        return "" if all(_is_close(one, two) for one, two in pairs) else "floating-point sums"


def digest_sql(sql: str, columns: Sequence[ResultColumn]) -> str:
    """Wrap a planned query so that it answers with one row, its digest.

    sql: the gateway's own, in the engine's dialect. columns: of its result, at least one.
    """
    names = [f"c{place}" for place in range(1, len(columns) + 1)]
    kinds = dict(zip(names, (_kind(column.engine_type) for column in columns), strict=True))
    exact = [name for name, kind in kinds.items() if kind == "exact"]
    keys, is_cut = _sort_keys(sql)
    ordered = [f"c{place}" for place in keys if kinds.get(f"c{place}") == "exact"]
    content = [] if is_cut else exact
    outputs = ["count(*)", _hash_sum(content), _hash_sum(["place", *ordered] if ordered else [])]
    for name in (name for name, kind in kinds.items() if kind == "float" and not is_cut):
        outputs += [f"count({name})", f"sum({name}::DOUBLE)", f"sum(abs({name}::DOUBLE))"]
    place = ", row_number() OVER () AS place" if ordered else ""
    listed = ", ".join(names)
    return (
        f"SELECT {', '.join(f'CAST({output} AS VARCHAR)' for output in outputs)} "
        f"FROM (SELECT *{place} FROM ({sql}) AS q({listed})) AS p"
    )


def parse_digest(fields: Sequence[str | None]) -> Digest:
    """Read the row that `digest_sql` asks for. Raises: ValueError, it is no such row."""
    if len(fields) < _FIRST_FLOAT or (len(fields) - _FIRST_FLOAT) % 3:
        raise ValueError("not the row of a digest")
    numbers = fields[_FIRST_FLOAT:]
    floats = tuple(
        (int(numbers[at] or 0), float(numbers[at + 1] or 0), float(numbers[at + 2] or 0))
        for at in range(0, len(numbers), 3)
    )
    return Digest(int(fields[0] or 0), fields[1] or "", fields[2] or "", floats)


def _hash_sum(names: Sequence[str]) -> str:
    return f"sum(hash({', '.join(names)})::HUGEINT)" if names else "0"


def _kind(engine_type: str) -> str:
    """exact; float; or mixed: an array or struct with floating-point values, which is only counted."""
    name = engine_type.upper()
    if name in _FLOATS:
        return "float"
    return "mixed" if any(word in name for word in _FLOATS) else "exact"


@lru_cache(maxsize=256)
def _sort_keys(sql: str) -> tuple[tuple[int, ...], bool]:
    """The places of the output columns by which the query sorts, and whether a LIMIT may cut equal rows.

    A key that is no output column ends the list: the rest of the order cannot be seen in the rows.
    Remembered: to parse the same few queries again and again would hold up the clients' statements.
    """
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    order = tree.args.get("order")
    is_cut = tree.args.get("limit") is not None or tree.args.get("offset") is not None
    if order is None or not isinstance(tree, exp.Query):
        return (), is_cut
    outputs = tree.selects
    places: list[int] = []
    for item in order.expressions:
        place = _place_of(item.this if isinstance(item, exp.Ordered) else item, outputs)
        if place is None:
            break
        places.append(place)
    return tuple(places), is_cut


def _place_of(key: exp.Expr, outputs: Sequence[exp.Expr]) -> int | None:
    if any(output.is_star for output in outputs):
        return None
    if isinstance(key, exp.Literal) and not key.is_string:
        return int(key.name)
    for place, output in enumerate(outputs, 1):
        is_named = isinstance(key, exp.Column) and not key.table and output.alias_or_name == key.name
        if is_named or output.unalias() == key:
            return place
    return None


def _is_close(one: tuple[int, float, float], two: tuple[int, float, float]) -> bool:
    if one[0] != two[0]:
        return False
    scale = max(one[2], two[2])
    return all(
        a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= _TOLERANCE * scale
        for a, b in zip(one[1:], two[1:], strict=True)
    )
