"""jsonb that is rebuilt: jsonb_set(), jsonb_insert(), `#-`, jsonb_pretty(), and constants without nulls.

PostgreSQL docs, "JSON Functions and Operators"; source, jsonfuncs.c `setPath`.
"""

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.build import case, cast, constant_text, function_name, macro, string
from pgproxy.sql.dialect.types import KnownTypes
from pgwire import json_text
from pgwire.errors import FeatureNotSupported

_MAX_STEPS = 4
"""Each step holds the document around it twice, so the text doubles with each."""


def rebuilt(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """jsonb_set(), jsonb_insert() and `#-` by a constant path."""
    name = function_name(node)
    if isinstance(node, exp.JSONBDeleteAtPath):
        path = _path(node.expression)
        document = _document(node.this)
        return _changed(document, path, string("0"), "jsonb_drop", ())
    if name not in ("jsonb_set", "jsonb_insert") or len(node.expressions) not in (3, 4):
        return node
    target, path_node, value = node.expressions[:3]
    option = node.expressions[3] if len(node.expressions) == 4 else exp.Boolean(this=name == "jsonb_set")
    path = _path(path_node)
    new = cast(_document(value), "VARCHAR")
    made = _changed(
        _document(target), path, new, "jsonb_put" if name == "jsonb_set" else "jsonb_insert_at", (option,)
    )
    is_null = exp.Is(this=exp.Paren(this=new.copy()), expression=exp.Null())
    return case((is_null, cast(exp.Null(), "JSON")), default=made)


def _changed(
    document: exp.Expr, path: list[str], value: exp.Expr, function: str, options: tuple[exp.Expr, ...]
) -> exp.Expr:
    """The document with its part at the path changed: all steps but the last put back what they took out."""
    if not path:
        return document
    key = string(path[0])
    if len(path) == 1:
        return macro(function, document, key, value, *(option.copy() for option in options))
    inner = macro("jsonb_part", document.copy(), key.copy())
    changed = cast(_changed(inner, path[1:], value, function, options), "VARCHAR")
    return macro("jsonb_put", document, key, changed, exp.Boolean(this=False))


def _path(node: exp.Expr) -> list[str]:
    text = constant_text(node)
    items: list[object] | None = None
    if text is not None:
        items = literals.parse_array(text)
    elif isinstance(node, exp.Array):
        items = [constant_text(item) for item in node.expressions]
    elif isinstance(node, exp.Cast) and isinstance(node.this, exp.Array):
        items = [constant_text(item) for item in node.this.expressions]
    if items is None or not all(isinstance(item, str) for item in items):
        raise FeatureNotSupported("changing jsonb needs a constant path")
    if len(items) > _MAX_STEPS:
        raise FeatureNotSupported(f"changing jsonb is supported down to {_MAX_STEPS} steps")
    return [str(item) for item in items]


def _document(node: exp.Expr) -> exp.Expr:
    text = constant_text(node)
    if text is None:
        return node
    return cast(string(json_text.canonical(text)), "JSON")


def pretty(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """jsonb_pretty(), and jsonb_strip_nulls() of a constant."""
    name = function_name(node)
    if name == "jsonb_pretty" and len(node.expressions) == 1:
        return macro("jsonb_pretty", _document(node.expressions[0]))
    if name not in ("jsonb_strip_nulls", "json_strip_nulls") or len(node.expressions) != 1:
        return node
    operand = node.expressions[0]
    text = constant_text(operand.this if isinstance(operand, exp.Cast) else operand)
    if text is None:
        raise FeatureNotSupported(f"{name}() needs a constant document")
    return cast(string(json_text.without_nulls(text, is_binary=name[4] == "b")), "JSON")


def computed_keys(keys: list[exp.Expr], values: list[exp.Expr]) -> exp.Expr:
    """An object of jsonb whose keys are known at the run only; values: JSON texts."""
    names = exp.Array(expressions=[cast(key, "VARCHAR") for key in keys])
    return macro("jsonb_of_pairs", names, exp.Array(expressions=values))
