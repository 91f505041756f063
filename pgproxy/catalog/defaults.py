"""A column's default in PostgreSQL's words, as pg_get_expr shows it. Pure.

PostgreSQL source, ruleutils.c `get_const_expr`: a constant carries its type where its text alone would not
say it. The engine stores `CAST('t' AS BOOLEAN)` for `true` and `'x'` for a text.
"""

from functools import lru_cache

import sqlglot
from sqlglot import exp

from pgproxy.catalog.constraints import quote_identifier
from pgproxy.sql.dialect.type_names import sql_name, type_of_data_type, type_of_engine_type


@lru_cache(maxsize=4096)
def default_text(stored: str | None, engine_type: str) -> str | None:
    """Give the text; None where there is no default, which `DEFAULT NULL` is too."""
    if stored is None:
        return None
    try:
        tree = sqlglot.parse_one(stored, read="duckdb")
    except sqlglot.errors.SqlglotError:
        return stored
    if isinstance(tree, exp.Null):
        return None
    return _shown(tree, type_of_engine_type(engine_type)) or stored


def _shown(tree: exp.Expr, kind: str | None) -> str | None:
    match tree:
        case exp.Boolean():
            return "true" if tree.this else "false"
        case exp.Literal() if tree.is_string:
            return _constant(tree, kind or "text")
        case exp.Literal():
            return str(tree.this)
        case exp.Neg() if isinstance(tree.this, exp.Literal):
            return f"'-{tree.this.name}'::{'numeric' if '.' in tree.this.name else 'integer'}"
        case exp.Cast() if isinstance(tree.this, exp.Literal) and tree.this.is_string:
            target = type_of_data_type(tree.to)
            target = kind if (target, kind) == ("json", "jsonb") else target
            return _constant(tree.this, target) if target is not None else None
        case exp.Uuid():
            return "gen_random_uuid()"
        case exp.CurrentTimestamp() | exp.CurrentDate() | exp.CurrentTime():
            return "now()" if str(tree.meta.get("name", "")).lower() == "now" else str(tree.sql("postgres"))
        case exp.Func():
            return _call(tree)
    return None


def _constant(literal: exp.Expr, kind: str) -> str:
    text = literal.name
    if kind == "bool" and text.lower() in ("t", "f", "true", "false"):
        return "true" if text.lower().startswith("t") else "false"
    quoted = text.replace("'", "''")
    return f"'{quoted}'::{kind if kind == 'bpchar' else sql_name(kind)}"


def _regclass(name: exp.Expr) -> str:
    """A sequence's name as regclass prints it where `public` is searched."""
    table = exp.to_table(name.name, dialect="duckdb")
    schema = table.args.get("db") if table.db not in ("main", "public") else None
    shown = ".".join(quote_identifier(part.name) for part in (schema, table.this) if part is not None)
    return "'" + shown.replace("'", "''") + "'::regclass"


def _call(tree: exp.Func) -> str | None:
    """A call whose arguments are constants, or none; what else there is stays in the engine's words."""
    held = [tree.args.get(key) for key in tree.arg_types]
    arguments = [item for value in held for item in (value if isinstance(value, list) else [value])]
    texts = [_shown(item, None) for item in arguments if isinstance(item, exp.Expr)]
    name = tree.name if isinstance(tree, exp.Anonymous) else str(tree.sql("duckdb")).partition("(")[0]
    if any(text is None for text in texts) or not name.replace("_", "").isalnum():
        return None
    literals = [item for item in arguments if isinstance(item, exp.Literal)]
    if name.lower() == "nextval" and literals:
        texts[0] = _regclass(literals[0])
    return f"{name.lower()}({', '.join(str(text) for text in texts)})"
