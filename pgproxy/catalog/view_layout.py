"""A view's query in the layout that `pg_get_viewdef` gives it. Pure.

PostgreSQL docs, "System Information Functions"; the layout is ruleutils.c's. Constants and casts stay as they
are written.
"""

import re
from collections.abc import Callable, Iterator
from textwrap import indent
from typing import NamedTuple

from sqlglot import exp

from pgproxy.catalog.builtin import reserved_words

ColumnsOf = Callable[[exp.Expr], frozenset[str] | None]
"""Gives the names of the columns of what stands in FROM; None: they are not known."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
_ATOMS = (exp.Column, exp.Literal, exp.Func, exp.Paren, exp.Var, exp.Bracket, exp.Null, exp.Boolean)
_TYPE_NAMES = {
    "int": "integer",
    "bool": "boolean",
    "varchar": "character varying",
    "char": "character",
    "decimal": "numeric",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
    "varbinary": "bytea",
}
_TYPE = re.compile(r"(?P<name>[a-z ]+)(?P<rest>.*)\Z", re.DOTALL)
_CLAUSES = (
    ("group", "  "),
    ("having", " "),
    ("windows", "  "),
    ("order", "  "),
    ("limit", " "),
    ("offset", " "),
)
"""In ruleutils.c's order, each with its margin."""
_IMPLIED = frozenset({"pg_catalog"})
"""Schemas that need no name."""
_NAMES = frozenset({"this", "db", "catalog", "alias"})
_WRITTEN = frozenset({"expressions", "distinct", "from_", "joins", "where", *(key for key, _ in _CLAUSES)})


class ViewTexts(NamedTuple):
    """A view's query as clients are shown it; and with `public` written out, where that is another text."""

    text: str
    qualified: str | None


def lay_out(query: exp.Query, catalog: str, columns_of: ColumnsOf) -> ViewTexts:
    """Write a query, whose relations have PostgreSQL's names, as a session in this catalog sees it."""
    for select in list(query.find_all(exp.Select)):
        _qualify(select, columns_of)
    short, long = (_text(query.copy(), catalog, implied) for implied in (_IMPLIED | {"public"}, _IMPLIED))
    return ViewTexts(short, long if long != short else None)


def _text(query: exp.Query, catalog: str, implied: frozenset[str]) -> str:
    _write_names(query, catalog, implied)
    _open_conditions(query)
    _enclose_keys(query)
    _write_casts(query)
    _write_aliases(query)
    return _laid_out(query)


def _qualify(select: exp.Select, columns_of: ColumnsOf) -> None:
    """Say whose a column is, where the columns of all that FROM names are known and one of them has it."""
    sources = list(_sources(select))
    columns = [columns_of(source) for source in sources]
    if not sources or any(found is None for found in columns):
        return
    outputs = {item.alias for item in select.expressions if isinstance(item, exp.Alias)}
    for column in select.find_all(exp.Column):
        is_own = column.find_ancestor(exp.Select) is select
        if column.table or not is_own or isinstance(column.this, exp.Star):
            continue
        if column.name in outputs and column.find_ancestor(exp.Order, exp.Group, exp.Select) is not select:
            continue
        owners = [s for s, found in zip(sources, columns, strict=True) if found and column.name in found]
        if len(owners) == 1:
            column.set("table", exp.to_identifier(owners[0].alias_or_name))


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    from_ = select.args.get("from_")
    if from_ is not None:
        yield from_.this
        for join in select.args.get("joins") or ():
            yield join.this


def _write_names(query: exp.Expr, catalog: str, implied: frozenset[str]) -> None:
    """Leave out what the search path and the connection say anyway, and quote what must be."""
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if table.catalog == catalog or table.db in ("pg_catalog", "information_schema"):
            table.set("catalog", None)
            if table.db in implied and table.name not in ctes:
                table.set("db", None)
        alias = table.args.get("alias")
        if isinstance(alias, exp.TableAlias) and not alias.columns and alias.name == table.name:
            table.set("alias", None)
    for identifier in query.find_all(exp.Identifier):
        name = identifier.name if identifier.quoted else identifier.name.lower()
        identifier.set("this", name)
        identifier.set("quoted", not _PLAIN.match(name) or name in reserved_words())


def _open_conditions(query: exp.Expr) -> None:
    """Take the parentheses away that stand around a whole condition."""
    for clause in query.find_all(exp.Where, exp.Having, exp.Join):
        key = "on" if isinstance(clause, exp.Join) else "this"
        while isinstance(condition := clause.args.get(key), exp.Paren):
            clause.set(key, condition.this)


def _enclose_keys(query: exp.Expr) -> None:
    """Put what is sorted or grouped by into parentheses, where it is computed."""
    for clause in list(query.find_all(exp.Order, exp.Group)):
        if isinstance(clause.parent, exp.Query):
            for item in clause.expressions:
                key = item.this if isinstance(item, exp.Ordered) else item
                if isinstance(key, (exp.Binary, exp.Func, exp.Cast)):
                    key.replace(exp.Paren(this=key.copy()))


def _write_casts(query: exp.Expr) -> None:
    """`x::type`, the innermost first. What is within one is text by then."""
    for cast in sorted(query.find_all(exp.Cast), key=lambda node: -node.depth):
        if type(cast) is exp.Cast:
            value = _sql(cast.this)
            shown = value if isinstance(cast.this, _ATOMS) else f"({value})"
            cast.replace(exp.Var(this=f"{shown}::{_type_name(cast.to)}"))


def _write_aliases(query: exp.Expr) -> None:
    """`table alias`, as PostgreSQL has it, without AS."""
    for table in list(query.find_all(exp.Table)):
        alias = table.args.get("alias")
        others = [value for key, value in table.args.items() if key not in _NAMES and value]
        if alias is not None and isinstance(table.this, exp.Identifier) and not others:
            table.set("alias", None)
            table.replace(exp.Var(this=f"{_sql(table)} {_sql(alias)}"))


def _type_name(kind: exp.Expr) -> str:
    """PostgreSQL's name of a type, as format_type gives it."""
    text = _sql(kind).lower().replace(", ", ",")
    found = _TYPE.match(text)
    return _TYPE_NAMES.get(found["name"], found["name"]) + found["rest"] if found is not None else text


def _sql(node: exp.Expr) -> str:
    return str(node.sql(dialect="postgres", normalize_functions="lower", comments=False))


def _laid_out(query: exp.Expr) -> str:
    """Write a query, a clause a line; every line but the first is indented as ruleutils.c does."""
    with_ = query.args.get("with_")
    if with_ is not None:
        query.set("with_", None)
        ctes = ",\n ".join(_common_table(cte) for cte in with_.expressions)
        return f"WITH {'RECURSIVE ' if with_.recursive else ''}{ctes}\n {_laid_out(query)}"
    if isinstance(query, exp.SetOperation) and not any(query.args.get(key) for key, _ in _CLAUSES):
        return f"{_operand(query.this)}\n{_set_operator(query)}\n {_operand(query.expression)}"
    return _operand(query)


def _common_table(cte: exp.Expr) -> str:
    head = _sql(cte.args["alias"])
    return f"{head} AS (\n{indent(' ' + _laid_out(cte.this), ' ' * 8)}\n        )"


def _operand(query: exp.Expr) -> str:
    is_known = type(query) is exp.Select and not any(
        value for key, value in query.args.items() if key not in _WRITTEN
    )
    return _select(query) if is_known and isinstance(query, exp.Select) else _sql(query)


def _set_operator(query: exp.SetOperation) -> str:
    return type(query).__name__.upper() + ("" if query.args.get("distinct") else " ALL")


def _select(query: exp.Select) -> str:
    distinct = query.args.get("distinct")
    head = f"SELECT {_sql(distinct)} " if distinct is not None else "SELECT "
    lines = [head + ",\n    ".join(map(_sql, query.expressions))]
    from_ = query.args.get("from_")
    if from_ is not None:
        lines.append(f"   {_sql(from_)}{''.join(map(_join, query.args.get('joins') or ()))}")
    where = query.args.get("where")
    if where is not None:
        lines.append(f"  {_sql(where)}")
    for key, margin in _CLAUSES:
        clause = query.args.get(key)
        if isinstance(clause, list):
            lines += [f"{margin}WINDOW {', '.join(map(_named_window, clause))}"] if clause else []
        elif clause is not None:
            lines.append(margin + _sql(clause).strip())
    return "\n".join(lines)


def _named_window(window: exp.Expr) -> str:
    """Out of its place, a window is written as one that a call has."""
    return _sql(window).replace(" OVER (", " AS (", 1)


def _join(join: exp.Join) -> str:
    text = _sql(join).strip().removeprefix("INNER ")
    return f",\n    {text.removeprefix(',').strip()}" if text.startswith(",") else f"\n     {text}"
