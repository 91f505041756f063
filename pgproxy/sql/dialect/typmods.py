"""Type modifiers of outputs: what RowDescription says of `varchar(5)`, `numeric(10, 2)`, `time(3)`.

Most expressions have none; casts and columns have their type's, and some things pass it on. PostgreSQL
source: nodeFuncs.c `exprTypmod`.
"""

from collections.abc import Sequence

from sqlglot import exp

from pgproxy.sql.dialect.build import constant_integer
from pgproxy.sql.dialect.result_types import returned
from pgproxy.sql.dialect.scales import origin
from pgproxy.sql.dialect.type_names import is_declared, type_of_data_type
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.types import encode_typmod, postgres_type_of, type_by_name

_NONE = -1
_FULL_PRECISION = 0xFFFF
_FIELD_BITS = {
    "YEAR": 1 << 2,
    "MONTH": 1 << 1,
    "DAY": 1 << 3,
    "HOUR": 1 << 10,
    "MINUTE": 1 << 11,
    "SECOND": 1 << 12,
}
"""From the greatest to the smallest."""
_MAX_DEPTH = 30
"""Of subqueries whose columns are looked through."""


def output_typmods(root: exp.Expr, types: KnownTypes) -> tuple[int, ...] | None:
    """The modifier of each output; None where a star hides their number. Asked before the rules run."""
    if isinstance(root, exp.SetOperation):
        left, right = output_typmods(root.left, types), output_typmods(root.right, types)
        if left is None or right is None:
            return None
        return tuple(one if one == other else _NONE for one, other in zip(left, right, strict=False))
    if isinstance(root, exp.Subquery):
        return output_typmods(root.this, types)
    listed = returned(root) or root
    if not isinstance(listed, (exp.Select, exp.Returning)) or any(map(_is_star, listed.expressions)):
        return None
    return tuple(_typmod(item.unalias(), types, 0) for item in listed.expressions)


def _is_star(item: exp.Expr) -> bool:
    return item.is_star and not isinstance(item, (exp.Alias, exp.Count))


def _typmod(node: exp.Expr, types: KnownTypes, depth: int) -> int:
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return typmod_of_data_type(node.to)
    if isinstance(node, exp.Interval):
        return _interval_typmod(node.args.get("unit"))
    if depth > _MAX_DEPTH:
        return _NONE
    if isinstance(node, exp.Column):
        found = origin(node, types)
        return _stored(found) if isinstance(found, str) else _common(list(found or ()), types, depth)
    if isinstance(node, (exp.Paren, exp.Alias, exp.Collate, exp.Bracket)) or (
        isinstance(node, exp.Nullif) and types.of(node) == types.of(node.this)
    ):
        return _typmod(node.this, types, depth + 1)
    if isinstance(node, exp.Subquery):
        items = node.this.expressions if isinstance(node.this, exp.Select) else ()
        return _typmod(items[0].unalias(), types, depth + 1) if items and not _is_star(items[0]) else _NONE
    if isinstance(node, exp.Case):
        ends = [branch.args["true"] for branch in node.args["ifs"]]
        return _common([*ends, node.args.get("default") or exp.Null()], types, depth)
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
        items = [node.this, *node.expressions]
        return _common([item for item in items if not isinstance(item, exp.Null)], types, depth)
    return _NONE


def _stored(kind: str) -> int:
    """The modifier of a stored column: of the engine's type, or of a declared one."""
    if is_declared(kind):
        return typmod_of_data_type(exp.DataType.build(kind, dialect="postgres"))
    return postgres_type_of(kind)[1]


def _interval_typmod(unit: exp.Expr | None) -> int:
    """The fields that `INTERVAL '…' DAY TO MINUTE` names, above a precision that is not limited."""
    ends = [unit.this, unit.expression] if isinstance(unit, exp.IntervalSpan) else [unit]
    names = [end.name.upper().removesuffix("S") if end is not None else "" for end in ends]
    if any(name not in _FIELD_BITS for name in names):
        return _NONE
    fields = list(_FIELD_BITS)
    between = fields[fields.index(names[0]) : fields.index(names[-1]) + 1]
    return sum(_FIELD_BITS[name] for name in between) << 16 | _FULL_PRECISION


def _common(values: Sequence[exp.Expr], types: KnownTypes, depth: int) -> int:
    """The modifier that all have; NULL has none."""
    known = {(types.of(one), _typmod(one, types, depth + 1)) for one in values}
    return known.pop()[1] if len(known) == 1 else _NONE


def typmod_of_data_type(target: exp.Expr) -> int:
    """The modifier of a type in a cast; of an array's, its element's."""
    if not isinstance(target, exp.DataType):
        return _NONE
    if target.this in (exp.DType.ARRAY, exp.DType.LIST) and target.expressions:
        return typmod_of_data_type(target.expressions[0])
    known = type_by_name(type_of_data_type(target) or "")
    sizes = [
        constant_integer(size.this) for size in target.expressions if isinstance(size, exp.DataTypeParam)
    ]
    if target.this is exp.DType.CHAR and not sizes:
        sizes = [1]
    numbers = tuple(size for size in sizes if size is not None)
    return encode_typmod(known.oid, numbers) if known is not None and len(numbers) == len(sizes) else _NONE
