"""Arrays. PostgreSQL docs, "Array Functions and Operators"."""

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.build import (
    call,
    case,
    cast,
    constant_integer,
    constant_text,
    function_name,
    macro,
    number,
    string,
)
from pgproxy.sql.dialect.type_names import DOCUMENTS, ENGINE_NAMES
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import FeatureNotSupported

_SIZES = frozenset({"array_length", "array_upper", "array_lower", "cardinality", "array_ndims"})


def sizes(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The length of an array in one dimension; NULL where it is empty or has no such dimension."""
    name = function_name(node)
    if isinstance(node, exp.ArraySize):
        name, arguments = "array_length", [node.this, node.expression]
    elif name in _SIZES:
        arguments = list(node.expressions)
    else:
        return node
    if name == "array_length" and len(arguments) == 1:
        return call("len", arguments[0])  # the engine's own, of lists
    return _size(name, arguments, _depth(arguments[0], types))


def _size(name: str, arguments: list[exp.Expr], depth: int) -> exp.Expr:
    length = call("len", arguments[0])
    is_empty = exp.EQ(this=length, expression=number(0))
    if name == "cardinality":
        whole = arguments[0]
        for _ in range(depth - 1):
            whole = call("flatten", whole)
        return cast(call("len", whole), "INTEGER")
    if name == "array_ndims":
        return case((exp.Not(this=is_empty), number(depth)))
    dimension = constant_integer(arguments[1]) if len(arguments) > 1 else None
    if dimension is None:
        raise FeatureNotSupported(f"{name}() needs a constant dimension")
    if not 1 <= dimension <= depth:
        return cast(exp.Null(), "INTEGER")
    if name == "array_lower":
        return case((exp.Not(this=is_empty), number(1)))
    inner = arguments[0]
    for _ in range(dimension - 1):
        inner = call("list_extract", inner, number(1))
    return cast(call("nullif", call("len", inner), number(0)), "INTEGER")


def _depth(array: exp.Expr, types: KnownTypes) -> int:
    """How many dimensions an array has by its type, or as it is written."""
    return max((types.of(array) or "").count("[]"), 1)


def list_calls(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Functions that the engine has under a list's name."""
    name = function_name(node)
    if name in ("array_append", "array_prepend") and len(node.expressions) == 2:
        return _lengthened(*node.expressions, is_behind=name == "array_append")
    if name == "array_cat" and len(node.expressions) == 2:
        return _joined(*node.expressions)
    if name == "array_remove" and len(node.expressions) == 2:
        keep = exp.NullSafeNEQ(this=exp.column("item"), expression=node.expressions[1])
        return call(
            "list_filter", node.expressions[0], exp.Lambda(this=keep, expressions=[exp.to_identifier("item")])
        )
    if name == "array_position" and len(node.expressions) == 2:
        return cast(call("nullif", call("list_position", *node.expressions), number(0)), "INTEGER")
    if name == "array_position" and len(node.expressions) == 3:
        return macro("array_position_from", *node.expressions)
    return node


def concatenate(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`||` of an array and an element; of json it would join the texts."""
    if not isinstance(node, exp.DPipe):
        return node
    left, right = types.of(node.this), types.of(node.expression)
    if "json" in (left, right):
        raise FeatureNotSupported("|| of json is not supported", hint="Cast both sides to jsonb.")
    if left and right and left.endswith("[]") and right.endswith("[]"):
        return _joined(node.this, node.expression)
    if left and right and left.endswith("[]") != right.endswith("[]"):
        return _lengthened(node.this, node.expression, is_behind=left.endswith("[]"))
    return node


def _lengthened(one: exp.Expr, other: exp.Expr, *, is_behind: bool) -> exp.Expr:
    """An array with one more element, NULL or not; no array is an empty one."""
    array = exp.Coalesce(this=one if is_behind else other, expressions=[exp.Array()])
    pair = (array, other) if is_behind else (one, array)
    return call("list_append" if is_behind else "list_prepend", *pair)


def _joined(one: exp.Expr, other: exp.Expr) -> exp.Expr:
    """Two arrays as one: NULL is nothing beside an array, and NULL alone."""
    is_there = exp.Not(
        this=exp.Is(this=exp.Coalesce(this=one.copy(), expressions=[other.copy()]), expression=exp.Null())
    )
    return exp.Paren(this=case((is_there, call("list_concat", one, other))))


def subscript(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Subscripts below one are outside; the engine would count from the end."""
    if not isinstance(node, exp.Bracket) or len(node.expressions) != 1:
        return node
    index = node.expressions[0]
    if isinstance(index, exp.Slice):
        return node
    if types.of(node.this) == "jsonb":
        return _part_of_document(node.this, index)
    if isinstance(node.this, exp.Bracket):
        raise FeatureNotSupported("arrays of more than one dimension are not supported")
    # sqlglot keeps constants counted from zero.
    constant = constant_integer(index)
    if constant is not None:
        return exp.Null() if constant < 0 else node
    if not isinstance(index, exp.Literal):
        is_inside = exp.GTE(this=index.copy(), expression=number(1))
        return case((is_inside, call("list_extract", node.this, index)))
    return node


def _part_of_document(document: exp.Expr, index: exp.Expr) -> exp.Expr:
    """A constant subscript of jsonb: a key, or a place from zero, or from behind."""
    key, place = constant_text(index), constant_integer(index)
    if key is not None:
        return call("json_extract", document, string(f"/{key.replace('~', '~0').replace('/', '~1')}"))
    if place is None:
        raise FeatureNotSupported("subscripts of jsonb must be constants", hint="Use ->.")
    digits = index.this if isinstance(index, exp.Neg) else index
    if "start" not in digits.meta:
        place += 1  # sqlglot has made it one less, unless it knew the type
    return call("json_extract", document, string(f"$[{place}]" if place >= 0 else f"$[#{place}]"))


def unnest_of_nested(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """unnest() takes all dimensions apart; the engine takes one."""
    operands = [node.this] if isinstance(node, exp.Explode) else node.expressions
    for operand in operands:
        depth = (types.of(operand) or "").count("[]") if isinstance(operand, exp.Expr) else 0
        if depth > 1 and function_name(operand) != "flatten":
            flat = operand
            for _ in range(depth - 1):
                flat = call("flatten", flat.copy())
            types.know(flat, str(types.of(operand)).replace("[]", "") + "[]")
            operand.replace(flat)
    return node


def contains(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`@>` and `<@` of arrays, and `@>` of jsonb with a constant."""
    if not isinstance(node, (exp.ArrayContainsAll, exp.ArrayContainedBy)):
        return node
    whole, part = node.this, node.expression
    if isinstance(node, exp.ArrayContainedBy):
        whole, part = part, whole
    kinds = (types.of(whole) or "", types.of(part) or "")
    if kinds[0] in DOCUMENTS or kinds[1] in DOCUMENTS or (constant_text(part) or "").startswith(('{"', "[")):
        return call("json_contains", cast(whole, "JSON"), cast(part, "JSON"))
    if any(kind.endswith("[]") for kind in kinds) or isinstance(part, exp.Array):
        has_all = call("list_has_all", whole, part)
        if isinstance(part, exp.Array) and not any(isinstance(item, exp.Null) for item in part.expressions):
            return has_all
        # NULL equals nothing, so no array has it.
        is_whole = exp.EQ(this=call("list_count", part.copy()), expression=call("len", part.copy()))
        is_nothing = exp.Is(this=whole.copy(), expression=exp.Null())
        return exp.Paren(
            this=exp.And(
                this=has_all, expression=exp.Paren(this=exp.Or(this=is_whole, expression=is_nothing))
            )
        )
    raise FeatureNotSupported(
        "the types of @> are not known here", hint="Cast both sides, to jsonb or to an array type."
    )


_PLAIN = (exp.Column, exp.Literal, exp.Parameter, exp.Cast, exp.Bracket, exp.Anonymous, exp.Dot)


def _searched(node: exp.EQ | exp.NEQ, operand: exp.Expr | None) -> exp.Expr:
    """`x = ANY (t.items)`, `x <> ALL (…)`: a search in the list; the engine would join with the elements."""
    value = node.this
    if not isinstance(operand, _PLAIN) or not isinstance(value, _PLAIN) or constant_text(value) is not None:
        return node
    if operand.find(exp.Column) is None or operand.find(exp.Query) or value.find(exp.Query):
        return node
    found = call("list_contains", operand, value)
    if isinstance(node, exp.EQ) and only_keeps_rows(node):
        return found
    some = exp.GT(this=call("len", operand.copy()), expression=number(0))
    is_null = exp.and_(exp.Is(this=value.copy(), expression=exp.Null()), some, copy=False)
    has_null = exp.LT(this=call("list_count", operand.copy()), expression=call("len", operand.copy()))
    no_list = exp.Is(this=operand.copy(), expression=exp.Null())
    unknown = exp.or_(no_list, is_null, has_null, copy=False)
    no, yes = exp.Boolean(this=False), exp.Boolean(this=True)
    if isinstance(node, exp.NEQ):
        no, yes = yes, no
    return exp.Paren(this=case((found.copy(), yes), (unknown, exp.Null()), default=no))


def _unless_null(node: exp.Expr, operand: exp.Expr | None) -> exp.Expr:
    """A comparison with no array is unknown; the engine takes it for one with an empty array."""
    is_array = operand is not None and not isinstance(operand, (exp.Array, exp.Query))
    if not is_array or operand is None or operand.find(exp.Query):
        return node
    if operand.find(exp.Column, exp.Parameter) is None:
        return node
    if isinstance(node.expression, exp.Any) and only_keeps_rows(node):
        return node
    is_there = exp.Not(this=exp.Is(this=operand.copy(), expression=exp.Null()))
    return exp.Paren(this=case((is_there, node.copy())))


def only_keeps_rows(node: exp.Expr) -> bool:
    """Whether a condition stands where NULL is as good as false: under AND and OR of WHERE and ON."""
    below, parent = node, node.parent
    while isinstance(parent, (exp.And, exp.Or, exp.Paren)):
        below, parent = parent, parent.parent
    return isinstance(parent, exp.Where) or (isinstance(parent, exp.Join) and below.arg_key == "on")


def compared_with_each(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`= ANY ('{1,2}')`: the constant is an array of what it is compared with."""
    if not isinstance(node, (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)):
        return node
    each = node.expression
    if isinstance(each, exp.Any):
        operand: exp.Expr | None = each.this.unnest()
    elif function_name(each) == "all" and each.expressions:
        operand = each.expressions[0]
    else:
        return node
    if isinstance(operand.this if isinstance(operand, exp.Cast) else operand, exp.Null):
        return cast(exp.Null(), "BOOLEAN")
    text = constant_text(operand)
    items = literals.parse_array(text) if text is not None else None
    if operand is None or items is None:
        found: exp.Expr = node
        if isinstance(node, exp.EQ if isinstance(each, exp.Any) else exp.NEQ):
            found = _searched(node, operand)
        return _unless_null(node, operand) if found is node else found
    if any(isinstance(item, list) for item in items):
        raise FeatureNotSupported("constants of multidimensional arrays are not supported")
    values: list[exp.Expr] = [exp.Null() if item is None else string(str(item)) for item in items]
    kind = types.of(node.this) or "text"
    operand.replace(cast(exp.Array(expressions=values), f"{ENGINE_NAMES.get(kind, 'VARCHAR')}[]"))
    return node
