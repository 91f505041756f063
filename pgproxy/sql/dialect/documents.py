"""json and jsonb. PostgreSQL docs, "JSON Functions and Operators"."""

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.build import call, case, cast, constant_integer, constant_text, function_name, string
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import FeatureNotSupported

_BUILDERS = {
    "json_build_object": "json_object",
    "jsonb_build_object": "json_object",
    "json_build_array": "json_array",
    "jsonb_build_array": "json_array",
    "to_jsonb": "to_json",
}
_TYPE_NAMES = (
    ("OBJECT", "object"),
    ("ARRAY", "array"),
    ("VARCHAR", "string"),
    ("BOOLEAN", "boolean"),
    ("NULL", "null"),
)


def extract_path(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`->`, `->>`, `#>` and `#>>` as calls: the engine's `->` binds weaker than PostgreSQL's."""
    if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)):
        name = "json_extract_string" if isinstance(node, exp.JSONExtractScalar) else "json_extract"
        return call(name, node.this, _step(node.expression, types))
    if isinstance(node, (exp.JSONBExtract, exp.JSONBExtractScalar)):
        name = "json_extract_string" if isinstance(node, exp.JSONBExtractScalar) else "json_extract"
        text = constant_text(node.expression)
        items = literals.parse_array(text) if text is not None else None
        if items is None or not all(isinstance(item, str) for item in items):
            raise FeatureNotSupported("#> and #>> need a constant path")
        return call(name, node.this, string("$" + "".join(_path_step(str(item)) for item in items)))
    return node


def _step(step: exp.Expr, types: KnownTypes) -> exp.Expr:
    position = constant_integer(step)
    if position is not None:
        return string(f"$[{position}]" if position >= 0 else f"$[#{position}]")
    if isinstance(step, exp.JSONPath):
        return string("$" + "".join(_sqlglot_step(part) for part in step.expressions[1:]))
    text = constant_text(step)
    if text is not None:
        return string("$" + _key(text))
    if types.of(step) in ("int2", "int4", "int8"):
        return step
    escaped = call("replace", cast(step, "VARCHAR"), string('"'), string('\\"'))
    return exp.DPipe(
        this=exp.DPipe(this=string('$."'), expression=escaped, safe=True), expression=string('"'), safe=True
    )


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


def constructors(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """json_build_object() and the like."""
    name = _BUILDERS.get(function_name(node))
    return call(name, *node.expressions) if name else node


def inspection(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """jsonb_array_length(), jsonb_typeof() and `?`."""
    name = function_name(node)
    if name in ("json_array_length", "jsonb_array_length"):
        return cast(call("json_array_length", *node.expressions), "INTEGER")
    if name in ("json_typeof", "jsonb_typeof"):
        kind = call("json_type", *node.expressions)
        branches = [
            (exp.EQ(this=kind.copy(), expression=string(ours)), string(theirs))
            for ours, theirs in _TYPE_NAMES
        ]
        is_null = exp.Is(this=kind, expression=exp.Null())
        return case((is_null, exp.Null()), *branches, default=string("number"))
    if isinstance(node, exp.JSONBContainsTopKey):
        key = constant_text(node.expression)
        if key is None:
            raise FeatureNotSupported("? needs a constant key")
        return call("json_exists", node.this, string("$" + _key(key)))
    return node
