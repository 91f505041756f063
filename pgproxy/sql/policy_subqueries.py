"""Subqueries of policy expressions: `region IN (SELECT region FROM sales.user_regions WHERE …)`.

As in PostgreSQL they run as the one who asks: it needs SELECT on what they read, and its own filters and
masks hold there. Names without a schema mean the filtered table's schema, then `public`, never the session's
path, and never what somebody made who is no administrator: it would decide who sees what. A column belongs to
the innermost relation that has it. PostgreSQL docs, "CREATE POLICY", "Notes".
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlglot import exp

from pgproxy.catalog.snapshot import TableInfo
from pgproxy.sql.draft import USE_KEY, RelationUse
from pgproxy.sql.plan import PlanContext
from pgproxy.sql.qualifiers import normalise_qualifiers
from pgproxy.sql.resolve import RelationResolver, Resolved
from pgwire.errors import FeatureNotSupported

_STATEMENT_PARTS = (exp.Parameter, exp.Placeholder, exp.Columns, exp.Pivot, exp.Lateral)


def has_subquery(root: exp.Expr) -> bool:
    """Whether the expression reads relations of its own."""
    return root.find(exp.Query) is not None


def resolve_subqueries(root: exp.Expr, table: TableInfo, context: PlanContext) -> tuple[RelationUse, ...]:
    """Mark every relation of the expression's subqueries with its index in what is returned.

    Raises:
        GatewayError: a relation does not exist; a view that would need a policy of its own; a form of query
        that a policy may not hold.
    """
    if any(isinstance(node, _STATEMENT_PARTS) for node in root.walk()):
        raise FeatureNotSupported("this form of query is not supported in a policy")
    if any(
        star.args.get(part) for star in root.find_all(exp.Star) for part in ("except_", "replace", "rename")
    ):
        raise FeatureNotSupported("this form of * is not supported in a policy")
    owner = replace(
        context,
        policy=replace(context.policy, is_admin=True),
        default_catalog=table.name.catalog,
        search_path=(table.name.schema, "public"),
        temp_tables={},
        trusts_owners=False,
    )
    resolver = RelationResolver(owner, Resolved(), reader=context.policy)
    resolver.visit(root, {})
    if resolver.found.views:
        raise FeatureNotSupported("a view over governed tables cannot be read by a policy")
    uses = normalise_qualifiers(root.walk(), resolver.found.uses, context.catalog)
    if any(not isinstance(use.info, TableInfo) for use in uses):
        raise FeatureNotSupported("a policy cannot read system relations")
    return uses


def is_inner_column(column: exp.Column, uses: Sequence[RelationUse], outer_columns: frozenset[str]) -> bool:
    """Whether a column belongs to a relation of a subquery rather than to the filtered table.

    Raises:
        FeatureNotSupported: an unqualified name could belong to a derived table or to the filtered one.
    """
    name, qualifier = column.name.lower(), column.table.lower()
    for query in _enclosing_queries(column):
        for source in _sources(query):
            if qualifier and source.alias_or_name.lower() == qualifier:
                return True
            columns = _columns_of(source, uses)
            if not qualifier and columns is None and name in outer_columns:
                raise FeatureNotSupported("a column of a policy's subquery must say its table")
            if not qualifier and (columns is None or name in columns):
                return True
    return False


def text_columns(uses: Sequence[RelationUse], text_types: Sequence[str]) -> Iterator[str]:
    """Names of the text columns of a policy's subqueries."""
    for use in uses:
        for column in use.info.columns if use.info is not None else ():
            if column.engine_type.upper().partition("(")[0] in text_types:
                yield column.name.lower()


def _columns_of(source: exp.Expr, uses: Sequence[RelationUse]) -> frozenset[str] | None:
    index = source.meta.get(USE_KEY)
    info = uses[index].info if index is not None else None
    return frozenset(column.name.lower() for column in info.columns) if info is not None else None


def _enclosing_queries(node: exp.Expr) -> Iterator[exp.Select]:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, exp.Select):
            yield parent
        parent = parent.parent


def _sources(query: exp.Select) -> Iterator[exp.Expr]:
    from_ = query.args.get("from_")
    if from_ is not None:
        yield from_.this
        yield from (join.this for join in from_.this.args.get("joins") or ())
    yield from (join.this for join in query.args.get("joins") or ())
