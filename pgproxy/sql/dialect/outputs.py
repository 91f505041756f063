"""Numeric outputs of a statement as PostgreSQL writes them, where the engine would write other zeros.

Such an output leaves as text that is declared numeric; the encoder takes digits as they are. Sorting,
grouping and DISTINCT go by the values, so a query that has any of these becomes a derived table, and only
what is around it is text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from pgproxy.sql.dialect.build import cast, copied, macro
from pgproxy.sql.dialect.scales import Scale, as_sql, number_of, quotient_scale
from pgproxy.sql.dialect.types import KnownTypes, Number

_INNER = "pgproxy_inner"
_BY_VALUE = ("distinct", "group", "having", "order", "qualify")


@dataclass(frozen=True, slots=True)
class _Shown:
    """One output that is written by us. scale: None where the value itself has to tell."""

    place: int
    scale: Scale | None


def write_numbers(
    root: exp.Expr, kinds: tuple[str | None, ...] | None, types: KnownTypes
) -> tuple[exp.Expr, frozenset[int]]:
    """Give the statement and the places of the outputs that it now gives as the text of a numeric."""
    if isinstance(root, exp.Values):
        return root, _write_values(root, types)
    if kinds is None or not any(kind in ("numeric", "numeric[]") for kind in kinds):
        return root, frozenset()
    if isinstance(root, exp.SetOperation):
        shown = list(_of_set_operation(root, kinds, types))
        return (_around(root, len(kinds), shown), _places(shown)) if shown else (root, frozenset())
    if not isinstance(root, exp.Select) or len(root.expressions) != len(kinds):
        return root, frozenset()
    if any(root.args.get(part) for part in _BY_VALUE):
        shown = list(_of_select(root, kinds, types))
        return (_around(root, len(kinds), shown), _places(shown)) if shown else (root, frozenset())
    return root, _write_in_place(root, types)


def _places(shown: Sequence[_Shown]) -> frozenset[int]:
    return frozenset(one.place for one in shown)


def _write_in_place(root: exp.Select, types: KnownTypes) -> frozenset[int]:
    written = set()
    for at, item in enumerate(list(root.expressions)):
        text = _text(item.unalias(), types)
        if text is None:
            continue
        written.add(at)
        name = item.alias_or_name if isinstance(item, (exp.Column, exp.Alias)) else f"column{at + 1}"
        root.expressions[at].replace(exp.Alias(this=text, alias=exp.to_identifier(name, quoted=True)))
    return frozenset(written)


def _text(value: exp.Expr, types: KnownTypes) -> exp.Expr | None:
    if isinstance(value, exp.Array) and types.of(value) == "numeric[]":
        return _array_text(value, types)
    known = _written(value, types)
    return macro("numeric_text", copied(value), as_sql(known.shown)) if known is not None else None


def _array_text(array: exp.Array, types: KnownTypes) -> exp.Expr | None:
    """The elements' texts, where they have not one scale."""
    numbers = [number_of(item, types) for item in array.expressions if not isinstance(item, exp.Null)]
    known = [one for one in numbers if one is not None]
    scales = {one.shown if isinstance(one.shown, int) else -1 for one in known}
    if not known or len(known) != len(numbers) or (len(scales) == 1 and -1 not in scales):
        return None
    items = [
        macro("numeric_text", copied(item), as_sql(one.shown)) if one is not None else copied(item)
        for item in array.expressions
        for one in (number_of(item, types),)
    ]
    return exp.Array(expressions=items)


def _written(value: exp.Expr, types: KnownTypes) -> Number | None:
    """What is known of an output, unless the engine writes it as PostgreSQL does."""
    known = number_of(value, types) if types.of(value) == "numeric" else None
    return None if known is None or known.shown == known.scale else known


def _of_select(select: exp.Select, kinds: Sequence[str | None], types: KnownTypes) -> Iterator[_Shown]:
    is_free = not select.args.get("distinct")
    for at, item in enumerate(list(select.expressions)):
        known = _written(item.unalias(), types) if kinds[at] == "numeric" else None
        if known is None:
            continue
        if isinstance(known.shown, int):
            yield _Shown(at, known.shown)
        elif is_free and not _names_a_column(known.shown, select.args.get("group")):
            select.append("expressions", _scale_output(copied(known.shown), at))
            yield _Shown(at, exp.Column(this=exp.to_identifier(f"s{at + 1}", quoted=True)))
        else:
            yield _Shown(at, None)


def _scale_output(scale: exp.Expr, place: int) -> exp.Alias:
    return exp.Alias(this=scale, alias=exp.to_identifier(f"scale{place + 1}", quoted=True))


def _names_a_column(scale: exp.Expr, group: exp.Group | None) -> bool:
    """Whether a column that is no key stands outside of aggregates, where a grouped query may not name it."""
    if group is None:
        return False
    keys = {(key.table, key.name) for key in group.expressions if isinstance(key, exp.Column)}
    columns = (column for column in scale.find_all(exp.Column) if (column.table, column.name) not in keys)
    return any(column.find_ancestor(exp.AggFunc) is None for column in columns)


def _of_set_operation(
    root: exp.SetOperation, kinds: Sequence[str | None], types: KnownTypes
) -> Iterator[_Shown]:
    sides = list(_sides(root))
    if any(len(side.expressions) != len(kinds) or any(i.is_star for i in side.expressions) for side in sides):
        return
    is_free = all(not node.args.get("distinct") for node in root.find_all(exp.Union, bfs=False)) and not any(
        isinstance(node, (exp.Intersect, exp.Except)) for node in root.walk()
    )
    for at, kind in enumerate(kinds):
        if kind != "numeric":
            continue
        values = [side.expressions[at].unalias() for side in sides]
        numbers = [number_of(value, types) for value in values if not isinstance(value, exp.Null)]
        known = [one for one in numbers if one is not None]
        if not known or len(known) != len(numbers):
            continue
        widest = max(one.scale for one in known)
        scales = {one.shown if isinstance(one.shown, int) else -1 for one in known}
        if scales == {widest}:
            continue
        if not is_free or any(side.args.get("group") or side.args.get("distinct") for side in sides):
            if -1 in scales:
                yield _Shown(at, None)
            continue
        for side, value in zip(sides, values, strict=True):
            one = number_of(value, types)
            side.append("expressions", _scale_output(as_sql(one.shown if one else 0), at))
        yield _Shown(at, exp.Column(this=exp.to_identifier(f"s{at + 1}", quoted=True)))


def _sides(query: exp.Expr) -> Iterator[exp.Select]:
    if isinstance(query, exp.SetOperation):
        yield from _sides(query.this)
        yield from _sides(query.expression)
    elif isinstance(query, exp.Subquery):
        yield from _sides(query.this)
    elif isinstance(query, exp.Select):
        yield query


def _around(inner: exp.Expr, count: int, shown: Sequence[_Shown]) -> exp.Expr:
    """The query as a derived table: its outputs by place, then the scales that were added."""
    scales = {one.place: one.scale for one in shown}
    added = [f"s{at + 1}" for at, scale in scales.items() if isinstance(scale, exp.Column)]
    names = [exp.to_identifier(name, quoted=True) for name in [*(f"c{n + 1}" for n in range(count)), *added]]
    outputs: list[exp.Expr] = []
    for at in range(count):
        value: exp.Expr = exp.Column(this=exp.to_identifier(f"c{at + 1}", quoted=True))
        if at in scales:
            scale = scales[at]
            value = macro("numeric_text", value, quotient_scale(value) if scale is None else as_sql(scale))
        outputs.append(exp.Alias(this=value, alias=exp.to_identifier(f"c{at + 1}", quoted=True)))
    alias = exp.TableAlias(this=exp.to_identifier(_INNER, quoted=True), columns=names)
    source = exp.Subquery(this=inner, alias=alias)
    return exp.Select(expressions=outputs, from_=exp.From(this=source))


def _write_values(values: exp.Values, types: KnownTypes) -> frozenset[int]:
    """VALUES by itself: each cell as it is written."""
    rows = [row for row in values.expressions if isinstance(row, exp.Tuple)]
    written = set()
    for at, cells in enumerate(zip(*(row.expressions for row in rows), strict=False)):
        numbers = [number_of(cell, types) for cell in cells if not isinstance(cell.unnest(), exp.Null)]
        known = [one for one in numbers if one is not None]
        is_numeric = bool(known) and len(known) == len(numbers)
        if is_numeric and len({one.scale for one in known}) > 1 and types.all_of(list(cells)) == "numeric":
            written.add(at)
            for row in rows:
                row.expressions[at].replace(cast(copied(row.expressions[at]), "VARCHAR"))
    return frozenset(written)
