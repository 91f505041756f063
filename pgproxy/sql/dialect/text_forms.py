"""Values as text: what a cast to text gives, and what concat() and format() write.

PostgreSQL docs, "Type Conversion"; source, each type's output function.
"""

from sqlglot import exp

from pgproxy.sql.dialect.build import call, case, cast, constant_text, joined, macro, string
from pgproxy.sql.dialect.documents import with_blanks
from pgproxy.sql.dialect.scales import text_of
from pgproxy.sql.dialect.type_names import FLOATS, TEXTS, type_of_data_type
from pgproxy.sql.dialect.types import KnownTypes


def cast_to_text(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A cast of what the engine writes otherwise."""
    if not isinstance(node, exp.Cast) or type_of_data_type(node.args["to"]) not in TEXTS:
        return node
    text = text_form(node.this, types.of(node.this), types)
    if text is not None:
        node.set("this", text)
    return node


def joined_to_text(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`||` of a text and what is none, which is written as a cast to text writes it.

    PostgreSQL docs, "String Functions and Operators": text || anynonarray.
    """
    if not isinstance(node, exp.DPipe):
        return node
    for value, other in ((node.this, node.expression), (node.expression, node.this)):
        kind = types.of(value)
        is_beside_text = types.of(other) in TEXTS or constant_text(other) is not None
        if is_beside_text and kind is not None and not kind.endswith("[]") and kind not in (*TEXTS, "jsonb"):
            text = text_form(value, kind, types)
            if text is not None:
                value.replace(text)
    return node


def text_form(value: exp.Expr, kind: str | None, types: KnownTypes) -> exp.Expr | None:
    """A value as PostgreSQL writes it; None where the engine's cast does."""
    as_text: exp.Expr = cast(value.copy(), "VARCHAR")
    if kind == "numeric":
        return text_of(value, types)
    if kind in FLOATS:
        return macro(
            "float_text", value.copy(), cast(string("1e15" if kind == "float8" else "1e6"), "DOUBLE")
        )
    if kind == "interval":
        return _interval_text(as_text)
    if kind == "jsonb":
        return with_blanks(value.copy())
    if kind == "bytea":
        return joined(string("\\x"), call("lower", call("hex", value.copy())))
    if kind is not None and kind.endswith("[]"):
        return _array_text(value, types)
    return None


def _interval_text(engine_text: exp.Expr) -> exp.Expr:
    """Short months, plurals of all but one, and a plus behind a negative part."""
    short = call("replace", engine_text, string("month"), string("mon"))
    plural = call(
        "regexp_replace", short, string(r"(-1 (?:year|mon|day))( |$)"), string(r"\1s\2"), string("g")
    )
    return call("regexp_replace", plural, string(r"(-\d+ [a-z]+) (\d)"), string(r"\1 +\2"), string("g"))


def output_text(value: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A value as its type's output function writes it, for concat() and format()."""
    kind = types.of(value)
    if kind == "bool":
        return case((value.copy(), string("t")), (exp.Not(this=exp.Paren(this=value.copy())), string("f")))
    if kind in TEXTS or constant_text(value) is not None:
        return value.copy()
    return text_form(value, kind, types) or cast(value.copy(), "VARCHAR")


def _array_text(array: exp.Expr, types: KnownTypes) -> exp.Expr:
    return macro("array_text", element_texts(array, types))


def element_texts(array: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The elements of an array as their type's output function writes them."""
    kind = (types.of(array) or "").removesuffix("[]")
    if kind == "numeric" and isinstance(array, exp.Array):
        items: list[exp.Expr] = [
            text_of(one, types) or cast(one.copy(), "VARCHAR") for one in array.expressions
        ]
        return exp.Array(expressions=items)
    item = exp.column("item")
    text = text_form(item, kind, types) if kind != "numeric" else None
    if kind == "bool":
        text = case((item.copy(), string("t")), (exp.Not(this=item.copy()), string("f")))
    if text is None:
        return cast(array.copy(), "VARCHAR[]")
    each = exp.Lambda(this=text, expressions=[exp.to_identifier("item")])
    return call("list_transform", array.copy(), each)


def concatenated(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """concat() and concat_ws() of values that are not text."""
    if not isinstance(node, (exp.Concat, exp.ConcatWs)):
        return node
    for argument in list(node.expressions):
        kind = types.of(argument)
        if kind is not None and kind not in TEXTS:
            argument.replace(output_text(argument, types))
    return node
