"""Columns of PostgreSQL's own relations: what `*` stands for, and `tableoid`, `xmin` and the like.

DBD::Pg joins comments by `c.tableoid = d.classoid`; DataGrip and pgAdmin take `xmin` for the state of an
object. Each relation has one `tableoid`; its rows' `xmin` moves whenever the catalogs change, so that a
client that remembers it reads anew. A star is written out, so that each column has its own type.
PostgreSQL docs, "System Columns".
"""

from collections.abc import Sequence

from sqlglot import exp

from pgproxy.catalog.snapshot import SYSTEM_CATALOG, SystemRelation, TableInfo
from pgproxy.policy.model import TableName
from pgproxy.sql.authorise import readable_columns
from pgproxy.sql.dialect.names import column_name
from pgproxy.sql.draft import CTE_KEY, USE_KEY, Draft, quoted
from pgproxy.sql.node_kinds import classes_below
from pgproxy.sql.plan import StatementKind

_TYPES = {"tableoid": "oid", "xmin": "xid", "xmax": "xid", "cmin": "cid", "cmax": "cid"}
_STARS = classes_below(exp.Star)
_FIRST_XID = 3
"""FirstNormalTransactionId."""
_OUTER_SIDES = frozenset({"LEFT", "RIGHT", "FULL"})


def place_system_columns(draft: Draft) -> None:
    """Put its value in the place of each system column of a system relation, in the draft's tree."""
    if not any(isinstance(use.info, SystemRelation) for use in draft.uses):
        return
    for column in list(draft.tree.find_all(exp.Column)):
        name = column.name if column.this.args.get("quoted") else column.name.lower()
        if name not in _TYPES:
            continue
        found = _source(draft, column)
        if found is None:
            continue
        value = _value(draft, name, *found)
        is_item = isinstance(column.parent, exp.Select) and column.arg_key == "expressions"
        column.replace(exp.alias_(value, quoted(name)) if is_item else value)


def expand_stars(draft: Draft) -> bool:
    """Write out `*` and `t.*` where they stand for columns of types that the engine does not have.

    Those of system relations, and declared ones; and in a view, whose columns are those of now. Gives whether
    there was one.
    """
    has_written = False
    # The inner ones first, and those of common table expressions in their order.
    if not draft.kinds.isdisjoint(_STARS):
        starred = [q for q in draft.tree.find_all(exp.Select) if any(i.is_star for i in q.expressions)]
        for select in sorted(starred, key=lambda query: -query.depth):
            items = [written for item in select.expressions for written in _written_out(draft, select, item)]
            has_written = has_written or len(items) > len(select.expressions)
            select.set("expressions", items)
    return _expand_returning(draft) or has_written


def _expand_returning(draft: Draft) -> bool:
    """The same of `RETURNING *`, which gives the columns of the relation that is written."""
    tree = draft.tree
    returning = tree.args.get("returning") if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)) else None
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if returning is None or tree.args.get("from_") or tree.args.get("using"):
        return False
    columns = _columns(draft, target) if _has_own_types(draft, target) else None
    if columns is None or not any(type(item) is exp.Star for item in returning.expressions):
        return False
    items: list[exp.Expr] = []
    for item in returning.expressions:
        is_plain = type(item) is exp.Star and not any(item.args.values())
        items += [exp.column(quoted(name)) for name in columns] if is_plain else [item]
    returning.set("expressions", items)
    return True


def _written_out(draft: Draft, select: exp.Select, item: exp.Expr) -> list[exp.Expr]:
    is_plain = isinstance(item, exp.Star) or (
        isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
    )
    star = item.this if isinstance(item, exp.Column) else item
    if not is_plain or any(star.args.values()):
        return [item]
    sources = _sources(select)
    if isinstance(item, exp.Column):
        sources = [source for source in sources if source.alias_or_name == item.table][:1]
    elif any(join.args.get("using") or join.args.get("method") for join in select.args.get("joins") or ()):
        return [item]
    written: list[exp.Expr] = []
    for source in sources:
        columns = _columns(draft, source)
        alias = source.args.get("alias")
        if columns is None or (isinstance(alias, exp.TableAlias) and alias.columns):
            return [item]
        name = source.alias_or_name
        written += [exp.column(quoted(column), table=quoted(name)) for column in columns]
    is_needed = draft.kind is StatementKind.CREATE_VIEW or any(
        _has_own_types(draft, source) for source in sources
    )
    return written if is_needed else [item]


def _columns(draft: Draft, source: exp.Expr) -> Sequence[str] | None:
    """What a star stands for of one relation; None: it is none of the catalog's."""
    index = source.meta.get(USE_KEY)
    use = draft.uses[index] if index is not None else None
    if use is None or use.info is None or not isinstance(source, exp.Table):
        return _derived_columns(draft, source)
    if isinstance(use.info, TableInfo) and use.policy is not None:
        return readable_columns(use)
    return [column.name for column in use.info.columns]


def _derived_columns(draft: Draft, source: exp.Expr) -> Sequence[str] | None:
    """The columns of a derived table or common table expression, where each has a name of its own."""
    query, alias = source.this if isinstance(source, exp.Subquery) else None, None
    if isinstance(source, exp.Table) and CTE_KEY in source.meta:
        found = [cte for cte in draft.tree.find_all(exp.CTE) if cte.alias == source.meta[CTE_KEY]]
        query, alias = (found[0].this, found[0].args["alias"]) if found else (None, None)
    while isinstance(query, (exp.Subquery, exp.SetOperation)):
        query = query.this
    is_known = isinstance(query, exp.Select) and not any(item.is_star for item in query.expressions)
    if query is None or not is_known or draft.dialect != "postgres":
        return None
    given = [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    names = [*given, *map(column_name, query.expressions[len(given) :])]
    return names if len({*names}) == len(names) and "?column?" not in names else None


def _has_own_types(draft: Draft, source: exp.Expr) -> bool:
    """Whether a relation has columns whose types the engine does not tell."""
    if isinstance(source, exp.Subquery) or CTE_KEY in source.meta:
        return any(_is_declared(use.info) for use in draft.uses)
    index = source.meta.get(USE_KEY)
    info = draft.uses[index].info if index is not None else None
    return _is_declared(info) or (info is not None and not isinstance(info, TableInfo))


def _is_declared(info: object) -> bool:
    return isinstance(info, TableInfo) and any(column.declared is not None for column in info.columns)


def _source(draft: Draft, column: exp.Column) -> tuple[exp.Table, SystemRelation] | None:
    """The system relation that the column is of: by its qualifier, or the only relation of the query."""
    query = column.find_ancestor(exp.Select)
    while query is not None:
        sources = _sources(query)
        if column.table:
            sources = [source for source in sources if source.alias_or_name == column.table]
        elif len(sources) > 1:
            return None
        for source in sources:
            relation = _relation(draft, source)
            return (source, relation) if isinstance(source, exp.Table) and relation is not None else None
        query = query.find_ancestor(exp.Select)
    return None


def _sources(query: exp.Select) -> list[exp.Expr]:
    clause = query.args.get("from_")
    first = [clause.this] if clause is not None else []
    return [*first, *(join.this for join in query.args.get("joins") or ())]


def _relation(draft: Draft, source: exp.Expr) -> SystemRelation | None:
    index = source.meta.get(USE_KEY)
    info = draft.uses[index].info if index is not None else None
    return info if isinstance(info, SystemRelation) else None


def _value(draft: Draft, name: str, source: exp.Table, relation: SystemRelation) -> exp.Expr:
    number = 0
    if name == "tableoid":
        number = draft.context.catalog.oids[TableName(SYSTEM_CATALOG, *relation.physical)]
    elif name == "xmin":
        number = _FIRST_XID + draft.context.catalog.generation
    kind = exp.DataType(this=exp.DType.USERDEFINED, kind=exp.to_identifier(_TYPES[name]))
    value: exp.Expr = exp.Literal.number(number)
    query = source.find_ancestor(exp.Select)
    present = next((column.name for column in relation.columns if not column.is_nullable), None)
    is_optional = query is not None and any(j.side in _OUTER_SIDES for j in query.args.get("joins") or ())
    if is_optional and present is not None:
        witness = exp.column(quoted(present), table=quoted(source.alias_or_name))
        has_row = exp.Not(this=exp.Is(this=witness, expression=exp.Null()))
        value = exp.Case(ifs=[exp.If(this=has_row, true=value)])
    return exp.Cast(this=value, to=kind)
