"""A view's query as its client wrote it, bound: what `pg_get_viewdef` is to show.

The engine keeps the translated query, whose macros and casts are no text that anybody wrote or could run
again.
"""

from collections.abc import Sequence

from sqlglot import exp

from pgproxy.catalog.snapshot import TableInfo
from pgproxy.catalog.view_layout import ViewTexts, lay_out
from pgproxy.sql.dialect.names import output_names
from pgproxy.sql.draft import CTE_KEY, CTE_NAME_KEY, USE_KEY, Draft


def view_texts(draft: Draft) -> ViewTexts | None:
    """Write the query of a bound CREATE VIEW; None: it is of another form.

    The tree is not changed. Stars are written out already, where they can be.
    """
    query = draft.tree.args.get("expression")
    if not isinstance(query, (exp.Select, exp.SetOperation)):
        return None
    query = query.copy()
    _name_outputs(query, _given_names(draft) or output_names(query) or ())
    _restore_ctes(query)

    def columns_of(source: exp.Expr) -> frozenset[str] | None:
        index = source.meta.get(USE_KEY)
        info = draft.uses[index].info if index is not None else None
        is_plain = not (source.args.get("joins") or source.args.get("pivots"))
        return frozenset(c.name for c in info.columns) if isinstance(info, TableInfo) and is_plain else None

    return lay_out(query, draft.context.catalog_name, columns_of)


def _given_names(draft: Draft) -> Sequence[str]:
    """The names of `CREATE VIEW name (a, b)`."""
    target = draft.tree.this
    return [item.name for item in target.expressions] if isinstance(target, exp.Schema) else []


def _name_outputs(query: exp.Expr, names: Sequence[str]) -> None:
    """Write an output's name where it is another one than the column's, in each part of a set operation."""
    if isinstance(query, exp.SetOperation):
        _name_outputs(query.this, names)
        _name_outputs(query.expression, names)
    elif isinstance(query, exp.Subquery):
        _name_outputs(query.this, names)
    elif isinstance(query, exp.Select) and not any(item.is_star for item in query.expressions):
        for item, name in zip(list(query.expressions), names, strict=False):
            value = item.this if isinstance(item, exp.Alias) else item
            is_same = isinstance(value, exp.Column) and value.name == name
            item.replace(value.copy() if is_same else exp.alias_(value.copy(), name, quoted=True))


def _restore_ctes(query: exp.Expr) -> None:
    """Give common table expressions the names that the client gave them."""
    written = {cte.alias: cte.meta.get(CTE_NAME_KEY, cte.alias) for cte in query.find_all(exp.CTE)}
    for cte in query.find_all(exp.CTE):
        cte.args["alias"].set("this", exp.to_identifier(written[cte.alias]))
    for table in query.find_all(exp.Table):
        if CTE_KEY in table.meta:
            table.set("this", exp.to_identifier(written.get(table.meta[CTE_KEY], table.name)))
