"""json and jsonb: operators and constructors. PostgreSQL docs, "JSON Functions and Operators".

Inside the engine a jsonb value is JSON without blanks, with its keys in jsonb's order where it was made here;
`with_blanks` writes it as PostgreSQL shows it. Values are joined as text, because the engine's constructors
lose digits (`1.50`).
"""

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.build import (
    call,
    case,
    cast,
    constant_integer,
    constant_text,
    function_name,
    joined,
    macro,
    paren,
    raise_error,
    string,
)
from pgproxy.sql.dialect.document_changes import computed_keys
from pgproxy.sql.dialect.type_names import DOCUMENTS, FLOATS, INTEGERS
from pgproxy.sql.dialect.types import KnownTypes
from pgwire import json_text
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_TYPE_NAMES = (
    ("OBJECT", "object"),
    ("ARRAY", "array"),
    ("VARCHAR", "string"),
    ("BOOLEAN", "boolean"),
    ("NULL", "null"),
)
_SEPARATOR = r'((?:"(?:[^"\\]|\\.)*"|[^",:])*[,:])'
"""What comes before a comma or a colon outside of strings, with it."""


def with_blanks(document: exp.Expr) -> exp.Expr:
    """A jsonb value as PostgreSQL writes it: a blank after each comma and colon."""
    # With a comma at the end every string is followed by a separator, so that none is looked into.
    ended = joined(cast(document, "VARCHAR"), string(","))
    spaced = call("regexp_replace", ended, string(_SEPARATOR), string(r"\1 "), string("g"))
    return call("left", spaced, exp.Neg(this=exp.Literal.number(2)))


def compared_document(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A constant that a jsonb value is compared with is jsonb too, and canonical."""
    values = [node.this, *([node.expression] if node.expression is not None else []), *node.expressions]
    if not any(types.of(value) == "jsonb" for value in values):
        return node
    for value in values:
        text = constant_text(value) if isinstance(value, exp.Literal) else None
        if text is not None:
            value.replace(cast(string(json_text.canonical(text)), "JSON"))
    return node


def document_constant(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A constant of json is checked, one of jsonb made canonical."""
    if isinstance(node, exp.ParseJSON) and constant_text(node.this) is not None:
        kind, text = "json", constant_text(node.this) or ""
    elif isinstance(node, exp.Cast) and constant_text(node.this) is not None:
        kind, text = types.of(node) or "", constant_text(node.this) or ""
    else:
        return node
    if kind not in DOCUMENTS:
        return node
    check = json_text.canonical if kind == "jsonb" else json_text.checked
    return cast(string(check(text)), "JSON")


def extract_path(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`->`, `->>`, `#>` and `#>>` as calls: the engine's `->` binds weaker than PostgreSQL's."""
    if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)):
        return _extracted(node, node.this, _step(node.expression, types), types)
    if isinstance(node, (exp.JSONBExtract, exp.JSONBExtractScalar)):
        text = constant_text(node.expression)
        items = literals.parse_array(text) if text is not None else None
        if items is None or not all(isinstance(item, str) for item in items):
            raise FeatureNotSupported("#> and #>> need a constant path")
        return _extracted(
            node, node.this, string("$" + "".join(_path_step(str(item)) for item in items)), types
        )
    name, arguments = function_name(node), list(node.expressions)
    if name.removeprefix("jsonb_").removeprefix("json_") in ("extract_path", "extract_path_text"):
        items = [constant_text(item) for item in arguments[1:]]
        if not arguments or None in items:
            raise FeatureNotSupported(f"{name}() needs a constant path")
        path = string("$" + "".join(_path_step(str(item)) for item in items))
        return _extracted(node, cast(arguments[0], "JSON"), path, types, is_text=name.endswith("_text"))
    return node


def _extracted(
    node: exp.Expr, document: exp.Expr, path: exp.Expr, types: KnownTypes, *, is_text: bool | None = None
) -> exp.Expr:
    if is_text is None:
        is_text = isinstance(node, (exp.JSONExtractScalar, exp.JSONBExtractScalar))
    if not is_text:
        return call("json_extract", document, path)
    text = call("json_extract_string", document, path)
    if types.of(document) != "jsonb":
        return text
    # Only a nested document has blanks to show; a string that looks like one is asked for its type.
    looks_nested = call("regexp_matches", text.copy(), string(r"^[\[{].*[,:]"))
    kind = call("json_type", document.copy(), path.copy())
    is_nested = exp.In(this=kind, expressions=[string("OBJECT"), string("ARRAY")])
    return case((exp.And(this=looks_nested, expression=is_nested), with_blanks(text.copy())), default=text)


def _step(step: exp.Expr, types: KnownTypes) -> exp.Expr:
    position = constant_integer(step)
    if position is not None:
        return string(f"$[{position}]" if position >= 0 else f"$[#{position}]")
    if isinstance(step, exp.JSONPath):
        return string("$" + "".join(_sqlglot_step(part) for part in step.expressions[1:]))
    text = constant_text(step)
    if text is not None:
        return string("$" + _key(text))
    return step if types.of(step) in INTEGERS else key_path(cast(step, "VARCHAR"))


def key_path(key: exp.Expr) -> exp.Expr:
    """The path to a key that is computed."""
    return joined(string('$."'), call("replace", key, string('"'), string('\\"')), string('"'))


def _sqlglot_step(part: exp.Expr) -> str:
    if isinstance(part, exp.JSONPathKey) and isinstance(part.this, str):
        return _key(part.this)
    if isinstance(part, exp.JSONPathSubscript) and isinstance(part.this, int):
        return f"[{part.this}]" if part.this >= 0 else f"[#{part.this}]"
    raise FeatureNotSupported("this json path is not supported")


def _path_step(item: str) -> str:
    return f"[{item}]" if item.isdigit() else _key(item)


def _key(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'."{escaped}"'


def as_json(value: exp.Expr, kind: str | None) -> exp.Expr:
    """The JSON text of a value; `null` where it is NULL."""
    return call("coalesce", _json_of(value, kind), string("null"))


def _json_of(value: exp.Expr, kind: str | None) -> exp.Expr:
    if isinstance(value, exp.Null):
        return string("null")
    text = cast(value, "VARCHAR")
    if kind == "record":
        if isinstance(value, exp.Column):
            raise FeatureNotSupported("json of this row value is not supported", hint="Select its fields.")
        return text  # json by now
    if kind in (*DOCUMENTS, *INTEGERS, "numeric", "bool"):
        return text
    if kind in FLOATS:
        plain = macro("float_text", value, cast(string("1e15" if kind == "float8" else "1e6"), "DOUBLE"))
        is_number = call("isfinite", value.copy())
        word = case((exp.Not(this=call("isnan", value.copy())), _infinity(value)), default=string('"NaN"'))
        return exp.Paren(this=case((is_number, plain), (_is_null(value), exp.Null()), default=word))
    if kind in ("timestamp", "timestamptz"):
        iso = call("replace", text, string(" "), string("T"))
        if kind == "timestamptz":
            iso = call("regexp_replace", iso, string(r"([+-]\d\d)$"), string(r"\1:00"))
        return joined(string('"'), iso, string('"'))
    if kind is not None and kind.endswith("[]"):
        item = exp.Lambda(
            this=as_json(exp.column("item"), kind.removesuffix("[]")), expressions=[exp.to_identifier("item")]
        )
        items = call("array_to_string", call("list_transform", value, item), string(","))
        return joined(string("["), items, string("]"))
    if kind is None and constant_text(value) is None:
        return cast(call("to_json", value), "VARCHAR")
    return cast(call("to_json", text), "VARCHAR")


def _infinity(value: exp.Expr) -> exp.Expr:
    is_positive = exp.GT(this=paren(value.copy()), expression=exp.Literal.number(0))
    return case((is_positive, string('"Infinity"')), default=string('"-Infinity"'))


def _is_null(value: exp.Expr) -> exp.Expr:
    return exp.Is(this=paren(value.copy()), expression=exp.Null())


def _given_key(key: exp.Expr) -> exp.Expr:
    """A key as text, which is not NULL."""
    text = cast(key, "VARCHAR")
    if constant_text(key) is not None:
        return text
    return call("coalesce", text, raise_error("22023", "argument of a key must not be null"))


def constructors(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """json(b)_build_object(), json(b)_build_array(), to_json(b)()."""
    name, arguments = function_name(node), list(node.expressions)
    if name in ("jsonb_build_object", "json_build_object"):
        if len(arguments) % 2:
            raise StatementError(
                "argument list must have even number of elements", sqlstate=SqlState.INVALID_PARAMETER_VALUE
            )
        return _object(
            list(zip(arguments[::2], arguments[1::2], strict=True)), types, is_binary=name[4] == "b"
        )
    if name in ("jsonb_build_array", "json_build_array"):
        items = [as_json(item, types.of(item)) for item in arguments]
        return _document("[", items, "]", "," if name[4] == "b" else ", ")
    is_json_class = isinstance(node, exp.JSONFormat) and str(node.meta.get("name", "")).lower() == "to_json"
    if (
        name in ("to_json", "to_jsonb", "array_to_json", "row_to_json") and len(arguments) == 1
    ) or is_json_class:
        value = arguments[0] if arguments else node.this
        kind = types.of(value)
        if kind is None and constant_text(value) is None:
            return call("to_json", value)
        return cast(_json_of(value, kind), "JSON")
    return node


def _object(pairs: list[tuple[exp.Expr, exp.Expr]], types: KnownTypes, *, is_binary: bool) -> exp.Expr:
    keys = [constant_text(key) for key, _ in pairs]
    if is_binary and None not in keys:
        latest = {str(key): pair for key, pair in zip(keys, pairs, strict=True)}
        pairs = [latest[key] for key in sorted(latest, key=json_text.key_order)]
    elif is_binary and len(pairs) > 1:
        return computed_keys(
            [_given_key(key) for key, _ in pairs], [as_json(value, types.of(value)) for _, value in pairs]
        )
    members = [
        joined(
            cast(call("to_json", _given_key(key)), "VARCHAR"),
            string(":" if is_binary else " : "),
            as_json(value, types.of(value)),
        )
        for key, value in pairs
    ]
    return _document("{", members, "}", "," if is_binary else ", ")


def _document(left: str, items: list[exp.Expr], right: str, separator: str) -> exp.Expr:
    pieces: list[exp.Expr] = [string(left)]
    for at, item in enumerate(items):
        pieces += [string(separator), item] if at else [item]
    return cast(joined(*pieces, string(right)), "JSON")


def inspection(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """json(b)_array_length(), json(b)_typeof()."""
    name = function_name(node)
    if name in ("json_array_length", "jsonb_array_length"):
        document = node.expressions[0] if len(node.expressions) == 1 else None
        if document is None:
            return node
        text = constant_text(document)
        document = document if text is None else cast(string(json_text.checked(text)), "JSON")
        kind = call("json_type", document.copy())
        wrong = exp.Not(this=exp.EQ(this=kind, expression=string("ARRAY")))
        failed = raise_error("22023", "cannot get array length of a non-array")
        return case((wrong, failed), default=cast(call("json_array_length", document), "INTEGER"))
    if name in ("json_typeof", "jsonb_typeof"):
        kind = call("json_type", *node.expressions)
        branches = [
            (exp.EQ(this=kind.copy(), expression=string(ours)), string(theirs))
            for ours, theirs in _TYPE_NAMES
        ]
        is_null = exp.Is(this=kind, expression=exp.Null())
        return case((is_null, exp.Null()), *branches, default=string("number"))
    return node


_UNSUPPORTED = frozenset(
    ["json_object", "jsonb_object", "json_to_recordset", "jsonb_to_recordset", "jsonb_path_query"]
)  # fmt: skip


def refused_calls(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Functions that rebuild a document have no counterpart in the engine."""
    if function_name(node) in _UNSUPPORTED:
        name = function_name(node)
        raise FeatureNotSupported(
            f"{name} is not supported", hint="Build the document with jsonb_build_object()."
        )
    return node


def refused_objects(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """json_object() takes arrays in PostgreSQL, and names and values in DuckDB: of arrays it is refused."""
    items = node.expressions if isinstance(node, exp.JSONObject) else []
    parts = [part for item in items for part in (item.this, item.expression) if part is not None]
    if len(items) == 1 and all(isinstance(part, exp.Array) or _is_array_constant(part) for part in parts):
        raise FeatureNotSupported(
            "json_object is not supported", hint="Build the document with jsonb_build_object()."
        )
    return node


def _is_array_constant(node: exp.Expr) -> bool:
    held = node.this if isinstance(node, exp.Cast) else node
    return isinstance(held, exp.Literal) and held.is_string and held.name.lstrip().startswith("{")


def has_key(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`?`, `?|` and `?&`: keys of an object, strings of an array."""
    if isinstance(node, exp.JSONBContainsTopKey):
        document, names, test = node.this, exp.Array(expressions=[node.expression]), "list_has_any"
    elif isinstance(node, (exp.JSONBContainsAnyTopKeys, exp.JSONBContainsAllTopKeys)):
        is_any = isinstance(node, exp.JSONBContainsAnyTopKeys)
        document, names, test = node.this, node.expression, "list_has_any" if is_any else "list_has_all"
    elif function_name(node) == "jsonb_exists" and len(node.expressions) == 2:
        document, names, test = (
            cast(node.expressions[0], "JSON"),
            exp.Array(expressions=[node.expressions[1]]),
            "list_has_any",
        )
    else:
        return node
    kind = call("json_type", document.copy())
    strings = call("json_extract_string", document.copy(), string("$[*]"))
    is_list = exp.EQ(this=kind, expression=string("ARRAY"))
    is_string = exp.EQ(this=kind.copy(), expression=string("VARCHAR"))
    alone = exp.Array(expressions=[call("json_extract_string", document.copy(), string("$"))])
    return exp.Paren(
        this=case(
            (is_list, call(test, strings, cast(names.copy(), "VARCHAR[]"))),
            (is_string, call(test, alone, cast(names.copy(), "VARCHAR[]"))),
            default=call(test, call("json_keys", document), cast(names, "VARCHAR[]")),
        )
    )


def change(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`||` joins two objects or two arrays; `-` takes a key, a string or an element out."""
    if isinstance(node, exp.DPipe) and "jsonb" in (types.of(node.this), types.of(node.expression)):
        return _joined_documents(_as_document(node.this), _as_document(node.expression))
    if isinstance(node, exp.Sub) and types.of(node.this) == "jsonb":
        return _without(node.this, node.expression, types)
    return node


def _as_document(operand: exp.Expr) -> exp.Expr:
    text = constant_text(operand)
    return operand if text is None else cast(string(json_text.canonical(text)), "JSON")


def _joined_documents(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    keys = call("list_distinct", call("list_concat", _keys(left), _keys(right)))
    key = key_path(exp.column("item"))
    value = call(
        "coalesce", call("json_extract", right.copy(), key), call("json_extract", left.copy(), key.copy())
    )
    lists = call("list_concat", _elements(left), _elements(right))
    are_objects = exp.And(this=_is_type(left, "OBJECT"), expression=_is_type(right, "OBJECT"))
    is_null = exp.Or(
        this=exp.Is(this=paren(left.copy()), expression=exp.Null()),
        expression=exp.Is(this=paren(right.copy()), expression=exp.Null()),
    )
    return case(
        (is_null, cast(exp.Null(), "JSON")), (are_objects, _rebuilt(keys, value)), default=_listed(lists)
    )


def _without(document: exp.Expr, what: exp.Expr, types: KnownTypes) -> exp.Expr:
    position = constant_integer(what)
    if position is not None and position >= 0:
        first = call("list_slice", _elements(document), exp.Literal.number(1), exp.Literal.number(position))
        rest = call(
            "list_slice", _elements(document), exp.Literal.number(position + 2), exp.Literal.number(2**31)
        )
        return _listed(call("list_concat", first, rest))
    if position is not None:
        return _without_from_behind(document, -position)
    is_list = isinstance(what, exp.Array) or (types.of(what) or "").endswith("[]")
    names = what if is_list else exp.Array(expressions=[what])
    if types.of(what) in INTEGERS:
        raise FeatureNotSupported("jsonb - integer needs a constant")
    is_kept = exp.Not(this=call("list_contains", cast(names, "VARCHAR[]"), exp.column("item")))
    keys = call(
        "list_filter", _keys(document), exp.Lambda(this=is_kept, expressions=[exp.to_identifier("item")])
    )
    value = call("json_extract", document.copy(), key_path(exp.column("item")))
    unquoted = call("json_extract_string", exp.column("item"), string("$"))
    is_other = exp.Not(
        this=call("coalesce", call("list_contains", cast(names.copy(), "VARCHAR[]"), unquoted), exp.false())
    )
    elements = call(
        "list_filter", _elements(document), exp.Lambda(this=is_other, expressions=[exp.to_identifier("item")])
    )
    return case(
        (_is_type(document, "OBJECT"), _rebuilt(keys, value)),
        (_is_type(document, "ARRAY"), _listed(elements)),
    )


def _without_from_behind(document: exp.Expr, place: int) -> exp.Expr:
    """An array without its last element but `place` less one; all of it where it has not so many."""
    at = exp.Paren(
        this=exp.Sub(this=call("len", _elements(document)), expression=exp.Literal.number(place - 1))
    )
    before = exp.Paren(this=exp.Sub(this=at.copy(), expression=exp.Literal.number(1)))
    behind = exp.Paren(this=exp.Add(this=at.copy(), expression=exp.Literal.number(1)))
    first = call(
        "list_slice",
        _elements(document),
        exp.Literal.number(1),
        call("greatest", before, exp.Literal.number(0)),
    )
    rest = call(
        "list_slice",
        _elements(document),
        call("greatest", behind, exp.Literal.number(1)),
        exp.Literal.number(2**31),
    )
    return _listed(call("list_concat", first, rest))


def _is_type(document: exp.Expr, kind: str) -> exp.Expr:
    return exp.EQ(this=call("json_type", document.copy()), expression=string(kind))


def _keys(document: exp.Expr) -> exp.Expr:
    return call("json_keys", document.copy())


def _elements(document: exp.Expr) -> exp.Expr:
    """The elements of an array; anything else is one."""
    items = call("json_extract", document.copy(), string("$[*]"))
    return case((_is_type(document, "ARRAY"), items), default=exp.Array(expressions=[document.copy()]))


def _listed(items: exp.Expr) -> exp.Expr:
    return cast(
        joined(string("["), call("array_to_string", cast(items, "VARCHAR[]"), string(",")), string("]")),
        "JSON",
    )


def _rebuilt(keys: exp.Expr, value: exp.Expr) -> exp.Expr:
    """An object of these keys in jsonb's order; value: computed from the key `item`."""
    sized = call(
        "lpad", cast(call("strlen", exp.column("item")), "VARCHAR"), exp.Literal.number(10), string("0")
    )
    marked = exp.Lambda(this=joined(sized, exp.column("item")), expressions=[exp.to_identifier("item")])
    in_order = call("list_sort", call("list_transform", keys, marked))
    bare = exp.Lambda(
        this=call("substring", exp.column("item"), exp.Literal.number(11)),
        expressions=[exp.to_identifier("item")],
    )
    member = exp.Lambda(
        this=joined(
            cast(call("to_json", exp.column("item")), "VARCHAR"), string(":"), cast(value, "VARCHAR")
        ),
        expressions=[exp.to_identifier("item")],
    )
    members = call("list_transform", call("list_transform", in_order, bare), member)
    return cast(joined(string("{"), call("array_to_string", members, string(",")), string("}")), "JSON")
