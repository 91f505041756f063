"""The types that only PostgreSQL's catalog knows: which one a cast names, and where its text is asked for.

PostgreSQL docs, "Object Identifier Types".
"""

from sqlglot import exp

REG_TYPES = frozenset(
    {"regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole", "regoper", "regdictionary"}
)
_JOINS_TEXT = (exp.DPipe, exp.Concat, exp.ConcatWs, exp.Format)


def oid_behind_name(call: exp.Expr) -> exp.Expr | None:
    """The OID whose name is the first argument: `oid::regclass::text`, as drivers write it."""
    named = call.expressions[0] if call.expressions else None
    if not isinstance(named, exp.Cast) or named.to.this not in exp.DataType.TEXT_TYPES:
        return None
    cast = named.this
    is_name = isinstance(cast, exp.Cast) and catalog_type_name(cast.to) == "regclass"
    return cast.this if is_name and isinstance(cast.this, exp.Column) else None


def catalog_type_name(to: exp.Expr | None) -> str | None:
    """The type's name where only PostgreSQL's catalog knows it, lower case without schema; else None."""
    if isinstance(to, exp.ObjectIdentifier):
        return str(to.name or to.this).lower()
    if isinstance(to, exp.DataType):
        kind = to.args.get("kind")
        if isinstance(kind, (exp.Dot, exp.Identifier)):
            return [part.name.lower() for part in kind.find_all(exp.Identifier)][-1]
        if to.this is exp.DataType.Type.NAME:
            return "name"
    return None


def is_text_parameter(node: exp.Expr) -> bool:
    """Whether this is `$n` as text; as a number it is the OID itself."""
    if not isinstance(node, exp.Cast) or not isinstance(node.this, exp.Parameter):
        return False
    return node.to.this in exp.DataType.TEXT_TYPES


def _is_scalar(query: exp.Expr | None) -> bool:
    """Whether a subquery stands for one value."""
    return isinstance(query, exp.Subquery) and not isinstance(
        query.parent, (exp.From, exp.Join, exp.Lateral, exp.In, exp.SetOperation)
    )


def is_shown(node: exp.Expr) -> bool:
    """Whether the value becomes text.

    By a cast, joined to text, or as an output column. Elsewhere the OID itself is compared.
    """
    parent = node.parent
    is_array = isinstance(node, exp.Cast) and node.to.this is exp.DType.ARRAY
    while isinstance(parent, (exp.Paren, exp.Alias)) or (is_array and isinstance(parent, exp.Coalesce)):
        parent = parent.parent
    if isinstance(parent, exp.Array):
        return is_shown(parent)
    outer = parent.parent if isinstance(parent, exp.Select) else None
    if isinstance(outer, exp.Array) or _is_scalar(outer):
        return outer is not None and is_shown(outer)
    if isinstance(parent, _JOINS_TEXT) or (
        isinstance(parent, exp.Anonymous) and parent.name.lower() == "format"
    ):
        return True
    if isinstance(parent, exp.Cast):
        elements = parent.to.expressions if parent.to.this is exp.DType.ARRAY else []
        kind = elements[0] if elements else parent.to
        return isinstance(kind, exp.DataType) and kind.this in exp.DataType.TEXT_TYPES
    query: exp.Expr | None = parent
    while query is not None and isinstance(query.parent, exp.SetOperation):
        query = query.parent
    return isinstance(parent, exp.Select) and query is not None and query.parent is None
