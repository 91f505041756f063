"""DuckDB's method calls: `name.upper()` is `upper(name)`."""

from sqlglot import exp
from sqlglot.errors import SqlglotError

from pgproxy.sql.allowed_functions import SCALAR_NAMES
from pgproxy.sql.dialect.grammar import NAME_KEY, keeps_call

_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pgproxy", "public", "main", "system"})
_MAX_PARTS = 4


def call_methods(tree: exp.Expr, dialect: str) -> exp.Expr:
    """Write method calls of scalar functions as plain calls. A schema's function stays what it is."""
    for dot in list(tree.find_all(exp.Dot, bfs=False))[::-1]:
        method = dot.expression
        if isinstance(method, exp.Anonymous) and isinstance(method.this, str):
            receiver = _receiver(dot.this)
            if receiver is not None and method.this.lower() in SCALAR_NAMES:
                made = _call(method.this, [receiver, *method.expressions], dialect)
                tree = made if dot is tree else tree
                dot.replace(made)
    return tree


def _receiver(node: exp.Expr) -> exp.Expr | None:
    """What the method is called on: a name becomes a column. None: it may be a schema's name."""
    parts = [node]
    while isinstance(parts[0], exp.Dot) and isinstance(parts[0].expression, exp.Identifier):
        parts[:1] = [parts[0].this, parts[0].expression]
    if not isinstance(parts[0], exp.Identifier):
        return node
    if parts[0].name.lower() in _SCHEMAS or len(parts) > _MAX_PARTS:
        return None
    names = dict(zip(("this", "table", "db", "catalog"), reversed(parts), strict=False))
    return exp.Column(**names)


def _call(name: str, arguments: list[exp.Expr], dialect: str) -> exp.Expr:
    if dialect == "postgres" and keeps_call(name):
        return exp.Anonymous(this=name, expressions=arguments)
    try:
        made = exp.func(name, *arguments, copy=False, dialect=dialect)
    except (SqlglotError, ValueError):
        return exp.Anonymous(this=name, expressions=arguments)
    if not isinstance(made, exp.Anonymous):
        made.meta[NAME_KEY] = name
    return made
