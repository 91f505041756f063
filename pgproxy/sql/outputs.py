"""The output columns of a statement: their names, and which table's which column each one is.

An output column has an origin (RowDescription's table OID and column number) where it is a plain reference to
a column of a table or view, also through derived tables, CTEs and joins; an expression has none. The rules
are those of the server's `markTargetListOrigin`. Drivers look the origin up in pg_attribute (NOT NULL, the
table's name), so it is only ever told of columns that the principal sees. PostgreSQL docs, "Message Formats",
RowDescription.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from pgproxy.catalog.snapshot import SYSTEM_CATALOG, ColumnInfo, SystemRelation, TableInfo
from pgproxy.policy.model import TableName
from pgproxy.sql.authorise import readable_columns
from pgproxy.sql.dialect.names import UNNAMED, column_name
from pgproxy.sql.dialect.type_names import type_of_data_type
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.draft import CTE_KEY, USE_KEY, Draft, RelationUse, quoted
from pgproxy.sql.joined_columns import Columns, Output, Scope, renamed, split_commas
from pgproxy.sql.plan import NO_ORIGIN, Origin
from pgwire.types import postgres_type_of, type_by_name


class ResultOutputs(NamedTuple):
    """names: None where they are not all known; origins: None where no column has one."""

    names: tuple[str, ...] | None
    origins: tuple[Origin, ...] | None


def result_outputs(draft: Draft) -> ResultOutputs:
    """Read the names and origins of a statement's result columns.

    Where joins share columns, `*` is written out in place, in PostgreSQL's order. draft: resolved and
    authorised, not yet rewritten.
    """
    tree = draft.tree
    reader = _Reader(draft)
    is_write = isinstance(tree, (exp.Insert, exp.Update, exp.Delete))
    columns = reader.returned(tree) if is_write else reader.query(tree, None)
    if columns is None or draft.dialect != "postgres":
        columns, names = columns or (), draft.column_names if not _spreads(tree) else None
    else:
        names = draft.column_names or tuple(column.label for column in columns) or None
    origins = tuple(column.origin for column in columns)
    return ResultOutputs(names, origins if any(origin != NO_ORIGIN for origin in origins) else None)


def _spreads(tree: exp.Expr) -> bool:
    """Whether there may be more columns than outputs: by COLUMNS(…), UNNEST of a struct, UNION BY NAME."""
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        if tree.args.get("by_name"):
            return True
        tree = tree.this
    return isinstance(tree, exp.Select) and any(
        item.find(exp.Columns) is not None or isinstance(item.unalias(), exp.Explode)
        for item in tree.expressions
    )


class _Reader:
    def __init__(self, draft: Draft) -> None:
        self._uses = draft.uses
        self._context = draft.context
        self._types = KnownTypes(None)
        self._ctes: dict[str, Columns] = {}

    def returned(self, tree: exp.Expr) -> Columns:
        """What RETURNING gives: the engine returns columns of the relation that is written, and no others."""
        returning = tree.args.get("returning")
        self._define_ctes(tree, None)
        if isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query):
            self.query(tree.expression, None)
        if not isinstance(returning, exp.Returning):
            return ()
        scope = Scope(None)
        self._add_from(tree.this.this if isinstance(tree.this, exp.Schema) else tree.this, (), scope)
        return self._items(returning.expressions, scope)

    def query(self, tree: exp.Expr, outer: Scope | None) -> Columns:
        """What a query gives."""
        self._define_ctes(tree, outer)
        match tree:
            case exp.Subquery():
                return self.query(tree.this, outer)
            case exp.SetOperation():
                left = self.query(tree.this, outer)
                self.query(tree.expression, outer)
                return [Output(column.label) for column in left] if left is not None else None
            case exp.Select():
                scope = Scope(outer)
                from_ = tree.args.get("from_")
                if isinstance(from_, exp.From):
                    self._add_from(from_.this, tree.args.get("joins") or (), scope)
                return self._items(tree.expressions, scope) if _write_out_star(tree, scope) else None
        return None

    def _define_ctes(self, tree: exp.Expr, outer: Scope | None) -> None:
        with_ = tree.args.get("with_")
        for cte in with_.expressions if isinstance(with_, exp.With) else ():
            self._ctes[cte.alias] = renamed(self.query(cte.this, outer), cte.args.get("alias"))

    def _items(self, items: Sequence[exp.Expr], scope: Scope) -> Columns:
        found: list[Output] = []
        for item in items:
            if not item.is_star or isinstance(item, (exp.Alias, exp.Count)):
                value = self._value(item.unalias(), scope)
                found.append(Output(column_name(item), "", value.origin, value.engine_type))
                continue
            columns = _star(item, scope)
            if columns is None:
                return None
            found += columns
        return found

    def _value(self, value: exp.Expr, scope: Scope) -> Output:
        while isinstance(value, exp.Paren):
            value = value.this
        if isinstance(value, exp.Cast) and not value.to.expressions:
            inner = self._value(value.this, scope)
            known = type_by_name(type_of_data_type(value.to) or "")
            is_same = known is not None and known.oid == postgres_type_of(inner.engine_type)[0]
            return inner if is_same else Output("")
        if not isinstance(value, exp.Column) or value.args.get("db") is not None:
            return Output("")
        return scope.find(value.name.lower(), value.table.lower())

    def _add_from(self, first: exp.Expr, joins: Sequence[exp.Join], scope: Scope) -> None:
        for node, own in split_commas(first, joins):
            scope.visible.append(self._joined(node, own, scope))

    def _joined(self, node: exp.Expr, joins: Sequence[exp.Join], scope: Scope) -> Columns:
        columns = self._relation(node, scope)
        for join in (*(node.args.get("joins") or ()), *joins):
            columns = scope.join(columns, self._joined(join.this, (), scope), join)
        return columns

    def _relation(self, node: exp.Expr, scope: Scope) -> Columns:
        """What one FROM item gives, noted under its alias."""
        if isinstance(node, exp.Subquery) and _holds_join(node):
            columns = self._joined(node.this, (), Scope(scope.outer) if node.alias else scope)
        else:
            columns = self._source(node, scope)
        alias = node.args.get("alias")
        if node.args.get("pivots"):
            columns = None
        elif USE_KEY not in node.meta or not isinstance(alias, exp.TableAlias) or alias.columns:
            columns = renamed(columns, alias)
        if node.alias_or_name:
            scope.named[node.alias_or_name.lower()] = columns
        return columns

    def _source(self, node: exp.Expr, scope: Scope) -> Columns:
        if isinstance(node, exp.Table) and USE_KEY in node.meta:
            alias = node.args.get("alias")
            named = alias.name if isinstance(alias, exp.TableAlias) and not alias.columns else ""
            return self._base_columns(self._uses[node.meta[USE_KEY]], named)
        if isinstance(node, exp.Table) and CTE_KEY in node.meta:
            return self._ctes.get(node.meta[CTE_KEY])
        inner = node.this if isinstance(node, exp.Lateral) else node
        if isinstance(inner, (exp.Subquery, exp.Select, exp.SetOperation)):
            return self.query(inner, scope)
        if node.args.get("ordinality") or node.args.get("offset"):
            return None
        names = self._types.row_columns(node)
        if len(names) == 1 and node.alias and not isinstance(node, exp.Values):
            names = [(node.alias, None)]
        return [Output(name) for name, _ in names] or None

    def _base_columns(self, use: RelationUse, table: str) -> list[Output]:
        if isinstance(use.info, SystemRelation):
            oid = self._context.relation_oid(TableName(SYSTEM_CATALOG, *use.info.physical)) or 0
            return _outputs(oid, use.info.columns, None, table)
        if isinstance(use.info, TableInfo):
            names = readable_columns(use) if use.policy is not None else use.info.column_names
            readable = None if names == use.info.column_names else frozenset(names)
            oid = self._context.relation_oid(use.info.name) or 0
            return _outputs(oid, use.info.columns, readable, table)
        return []


def _outputs(
    oid: int, columns: Sequence[ColumnInfo], readable: frozenset[str] | None, table: str
) -> list[Output]:
    return [
        Output(column.name, table, Origin(oid, number) if oid else NO_ORIGIN, column.engine_type)
        for number, column in enumerate(columns, start=1)
        if readable is None or column.name in readable
    ]


def _star(item: exp.Expr, scope: Scope) -> Columns:
    star = item.this if isinstance(item, exp.Column) else item
    if not isinstance(star, exp.Star) or any(star.args.values()):
        return None
    return scope.named.get(item.table.lower()) if isinstance(item, exp.Column) else scope.every()


def _write_out_star(select: exp.Select, scope: Scope) -> bool:
    """`*` over a join that shares columns: these come first, where the engine leaves them in their places.

    False: it stays, and its order is the engine's, as a column has no name by which it could be written.
    """
    is_plain = [type(item) is exp.Star and not any(item.args.values()) for item in select.expressions]
    if not scope.has_shared or not any(is_plain):
        return True
    columns = scope.every()
    if columns is None or any(column.label == UNNAMED for column in columns):
        return False
    items: list[exp.Expr] = []
    for item, is_star in zip(select.expressions, is_plain, strict=True):
        items += map(_reference, columns) if is_star else [item]
    select.set("expressions", items)
    return True


def _reference(column: Output) -> exp.Expr:
    return exp.column(quoted(column.label), table=quoted(column.table) if column.table else None)


def _holds_join(node: exp.Subquery) -> bool:
    """Whether the parentheses hold a join, not a query."""
    inner = node.this
    return isinstance(inner, exp.Table) or (isinstance(inner, exp.Subquery) and bool(inner.args.get("joins")))
