"""Row values: `ROW(…)`, `(a, b)` and a relation's name that stands for its whole row.

As a result a row is one of the engine's structs whose fields are named by their place and PostgreSQL's type,
`1:23`; that is all that the encoder needs for a record in text and in binary. As json or text it is written
here. Compared rows stay what they are. PostgreSQL docs, "Row Constructors" and "Composite Types"; source,
`record_out`, `composite_to_json`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sqlglot import exp

from pgproxy.sql.dialect.build import (
    call,
    case,
    cast,
    constant_integer,
    constant_text,
    function_name,
    joined,
    macro,
    string,
)
from pgproxy.sql.dialect.documents import as_json, with_blanks
from pgproxy.sql.dialect.scales import text_of
from pgproxy.sql.dialect.text_forms import output_text
from pgproxy.sql.dialect.type_rules import field_of_row, is_row
from pgproxy.sql.dialect.types import DOCUMENT_CALLS, KnownTypes
from pgwire.errors import FeatureNotSupported
from pgwire.json_text import key_order
from pgwire.types import Oid, type_by_name

_EMPTY = "0:0"
"""The field of a record without fields: a struct has at least one."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    value: exp.Expr
    kind: str | None


def written_row(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A row as what stands around it needs it: a record, json, or text; others stay."""
    if types.of(node) != "record" or not isinstance(node, (exp.Tuple, exp.Anonymous, exp.Column)):
        return node
    holder = _holder(node)
    if holder is None or is_row(holder):
        return node  # with the row that it is part of
    is_whole = is_row(node) or types.row_of(node.name, node) is not None
    if function_name(holder) in DOCUMENT_CALLS:
        return _document(node, types, is_binary=function_name(holder).startswith(("jsonb", "to_jsonb")))
    if isinstance(holder, (exp.Concat, exp.ConcatWs)) or _is_text_cast(holder):
        return _text(node, types)
    if _is_result(holder, node):
        # A relation's row stays what it is inside, where its fields may be asked for by name.
        is_kept = isinstance(node, exp.Column) and not (is_whole and _is_final(holder))
        return node if is_kept else _record(node, types)
    return node


def field_of(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`(ROW(a, b)).f1` is `a`."""
    return (field_of_row(node) or node) if isinstance(node, exp.Dot) else node


def check_rows(nodes: Iterable[exp.Expr], types: KnownTypes) -> None:
    """Look at rows before the rules change what they are made of; refuse what the engine would merge.

    Raises:
        FeatureNotSupported: rows of different types in one column.
    """
    for node in nodes:
        if not _has_rows(type(node)):  # type: ignore[arg-type]  # classes hash, whatever instances do
            continue
        if is_row(node):
            _fields(node, types)
        elif isinstance(node, (exp.Case, exp.Coalesce, exp.Array)):
            _check_same(_alternatives(node), types)
        elif isinstance(node, exp.SetOperation):
            sides = [side for side in (node.left, node.right) if isinstance(side, exp.Select)]
            for items in zip(*(side.expressions for side in sides), strict=False):
                _check_same([item.unalias() for item in items], types)
        elif isinstance(node, exp.Values):
            rows = [row.expressions for row in node.expressions if isinstance(row, exp.Tuple)]
            if any(types.of(cell) == "record" for cells in rows for cell in cells):
                raise FeatureNotSupported("row values in VALUES are not supported")


@cache
def _has_rows(kind: type[exp.Expr]) -> bool:
    of_rows = (exp.Tuple, exp.Anonymous, exp.Case, exp.Coalesce, exp.Array, exp.SetOperation, exp.Values)
    return issubclass(kind, of_rows)


def _alternatives(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Case):
        return [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default") or exp.Null()]
    return [*([node.this] if isinstance(node.this, exp.Expr) else []), *node.expressions]


def _check_same(values: list[exp.Expr], types: KnownTypes) -> None:
    rows = [value.unnest() for value in values if types.of(value) == "record"]
    forms = {tuple(_oid(field, types) for field in _fields(row, types) or ()) for row in rows}
    if len(forms) > 1 or (forms == {()} and len(rows) > 1):
        raise FeatureNotSupported("rows of different types in one column are not supported")


def _holder(node: exp.Expr) -> exp.Expr | None:
    """What has a value in it, past names, parentheses and choices."""
    holder = node.parent
    while isinstance(holder, (exp.Alias, exp.Paren, exp.Case, exp.If, exp.Coalesce, exp.Distinct, exp.Order)):
        if isinstance(holder, exp.If) and holder.args.get("true") is not node:
            return holder
        node, holder = holder, holder.parent
    return holder


def _is_result(holder: exp.Expr | None, node: exp.Expr) -> bool:
    if isinstance(holder, exp.Select):
        is_item = any(one is node or node in one.walk() for one in holder.expressions)
        is_compared = isinstance(holder.parent, (exp.In, exp.Any, exp.All, exp.Exists))
        return is_item and not is_compared and not isinstance(holder.parent, exp.Insert)
    return isinstance(holder, (exp.ArrayAgg, exp.Array, exp.Returning))


def _is_final(holder: exp.Expr | None) -> bool:
    """Whether the client sees this, not a query around it."""
    query = holder.find_ancestor(exp.Select) if isinstance(holder, (exp.ArrayAgg, exp.Array)) else holder
    while query is not None and isinstance(query.parent, (exp.SetOperation, exp.Subquery)):
        query = query.parent
    return query is not None and query.parent is None


def _is_text_cast(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Cast) and node.to.this in exp.DataType.TEXT_TYPES


def _fields(row: exp.Expr, types: KnownTypes) -> list[_Field] | None:
    """The fields of a row; of a relation's: its columns that the principal may read."""
    if isinstance(row, exp.Column):
        return _columns(row.name, row, types)
    found: list[_Field] = []
    for item in row.expressions:
        if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            columns = _columns(item.table, item, types)
            if columns is None:
                return None
            found += columns
        else:
            found.append(_Field("", item, types.of(item)))
    return [_Field(f"f{at + 1}", field.value, field.kind) for at, field in enumerate(found)]


def _columns(relation: str, place: exp.Expr, types: KnownTypes) -> list[_Field] | None:
    columns = types.row_of(relation, place)
    if columns is None:
        return None
    found = []
    for name, kind in columns:
        parts = [exp.to_identifier(part, quoted=True) for part in (name, relation)]
        value = exp.Column(this=parts[0], table=parts[1])
        value.parent = place.parent  # where its relation is looked for
        types.know(value, kind)
        found.append(_Field(name, value, kind))
    return found


def _known_fields(row: exp.Expr, types: KnownTypes) -> list[_Field]:
    fields = _fields(row, types)
    if fields is None:
        raise FeatureNotSupported("row values of this form are not supported", hint="Select the fields.")
    return fields


def _of_nothing(row: exp.Expr, fields: list[_Field], value: exp.Expr, kind: str) -> exp.Expr:
    """NULL for the row of an outer join's missing side, which the engine gives as a row of NULLs."""
    select = row.find_ancestor(exp.Select)
    joins = select.args.get("joins") or () if select is not None else ()
    if not isinstance(row, exp.Column) or not fields or not any(join.side for join in joins):
        return value
    missing = [exp.Is(this=field.value.copy(), expression=exp.Null()) for field in fields]
    return case(
        (exp.and_(*missing, copy=False), cast(exp.Null(), kind) if kind else exp.Null()), default=value
    )


def _inner_row(field: _Field, types: KnownTypes) -> exp.Expr | None:
    """The row that a field is."""
    inner = field.value.unnest()
    is_whole = isinstance(inner, exp.Column) and field.kind == "record"
    return inner if is_row(inner) or (is_whole and types.row_of(inner.name, inner) is not None) else None


def _oid(field: _Field, types: KnownTypes) -> int:
    value = field.value.unnest()
    if constant_text(value) is not None or isinstance(value, exp.Null):
        return int(Oid.UNKNOWN)
    found = type_by_name(field.kind) if field.kind is not None else None
    if found is None:
        raise FeatureNotSupported("row values with a field of this type are not supported", hint="Cast it.")
    return found.oid


def _record(row: exp.Expr, types: KnownTypes) -> exp.Expr:
    fields = _known_fields(row, types)
    if isinstance(row, exp.Column) and any(field.kind is None for field in fields):
        return row
    items: list[exp.Expr] = []
    for at, field in enumerate(fields):
        name = exp.to_identifier(f"{at + 1}:{_oid(field, types)}", quoted=True)
        items.append(exp.PropertyEQ(this=name, expression=_in_record(field, row, types)))
    if not items:
        items = [exp.PropertyEQ(this=exp.to_identifier(_EMPTY, quoted=True), expression=exp.false())]
    return _of_nothing(row, fields, exp.Struct(expressions=items), "")


def _in_record(field: _Field, row: exp.Expr, types: KnownTypes) -> exp.Expr:
    value = field.value.copy()
    if (inner := _inner_row(field, types)) is not None:
        return _record(inner, types)
    if isinstance(value, exp.Null):
        return cast(value, "VARCHAR")
    if field.kind == "jsonb":
        return with_blanks(value)
    if field.kind == "bpchar":
        return _padded(value)
    shown = text_of(field.value, types) if field.kind == "numeric" else None
    if shown is None:
        return value
    select = row.find_ancestor(exp.Select)
    if select is not None and _goes_by_value(select):
        raise FeatureNotSupported("row values with a quotient in a sorted query are not supported")
    return shown


def _padded(value: exp.Expr) -> exp.Expr:
    """A cast to char(n), which is without the blanks that end it, with them again."""
    trimmed = value.this if isinstance(value, exp.Cast) else value
    cut = trimmed.expressions[0] if function_name(trimmed) == "rtrim" else trimmed
    if function_name(cut) != "left":
        return value
    return call("rpad", value, cut.expressions[1].copy(), string(" "))


def _goes_by_value(select: exp.Select) -> bool:
    """Whether the outputs are sorted or told apart, where a number's text is not the number."""
    order = select.args.get("order")
    keys = [item.this for item in order.expressions] if order is not None else []
    names = {item.alias for item in select.expressions if item.alias}
    return bool(select.args.get("distinct")) or any(
        constant_integer(key) is not None
        or is_row(key.unnest())
        or (isinstance(key, exp.Column) and key.name in names)
        for key in keys
    )


def _document(row: exp.Expr, types: KnownTypes, *, is_binary: bool) -> exp.Expr:
    fields = _known_fields(row, types)
    if is_binary:
        latest = {field.name: field for field in fields}
        fields = [latest[name] for name in sorted(latest, key=key_order)]
    pieces: list[exp.Expr] = []
    for field in fields:
        key = json.dumps(field.name, ensure_ascii=False)
        pieces += [string(f"{',' if pieces else ''}{key}:"), _in_document(field, types, is_binary=is_binary)]
    whole = cast(joined(string("{"), *pieces, string("}")), "JSON")
    return _of_nothing(row, fields, whole, "JSON")


def _in_document(field: _Field, types: KnownTypes, *, is_binary: bool) -> exp.Expr:
    inner = _inner_row(field, types)
    if inner is not None:
        return cast(_document(inner, types, is_binary=is_binary), "VARCHAR")
    if field.kind == "numeric" and not isinstance(field.value, exp.Null):
        shown = text_of(field.value, types) or cast(field.value.copy(), "VARCHAR")
        return call("coalesce", shown, string("null"))
    return as_json(field.value.copy(), field.kind)


def _text(row: exp.Expr, types: KnownTypes) -> exp.Expr:
    fields = _known_fields(row, types)
    pieces: list[exp.Expr] = []
    for field in fields:
        inner = _inner_row(field, types)
        text = _text(inner, types) if inner is not None else _field_text(field, types)
        pieces += [*([string(",")] if pieces else []), macro("record_part", text)]
    whole = joined(string("("), *pieces, string(")"))
    return _of_nothing(row, fields, whole, "VARCHAR")


def _field_text(field: _Field, types: KnownTypes) -> exp.Expr:
    if isinstance(field.value, exp.Null):
        return cast(exp.Null(), "VARCHAR")
    if field.kind == "bpchar":
        return _padded(field.value.copy())
    return output_text(field.value, types)
