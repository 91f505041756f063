"""Each governed relation becomes a derived table that holds only what the principal may see.

`(SELECT permitted columns, masked FROM cat.schema.table WHERE row filter OFFSET 0) AS alias`: filter first,
on raw
values; then mask; everything that the client wrote sees the result, so `*`, whole rows, USING, PIVOT and
rowid
inherit the policy. OFFSET 0 is the barrier of DuckDB 1.5.5 (docs/security.md): without it a client's
predicate
may run on rows that the filter hides and tell of them in its error. A relation without policy costs nothing.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import sqlglot
from sqlglot import exp

from pgproxy.catalog.snapshot import SYSTEM_CATALOG, SystemRelation, SystemValue, TableInfo, Visibility
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import TablePolicy
from pgproxy.policy.model import PolicyCommand, TableName
from pgproxy.sql.authorise import is_governed, readable_columns
from pgproxy.sql.barrier import order_shows, put_barrier
from pgproxy.sql.definitions import secure_definition
from pgproxy.sql.dialect.names import column_name
from pgproxy.sql.draft import (
    CTE_KEY,
    ROWID,
    USE_KEY,
    BoundValues,
    Draft,
    RelationUse,
    Role,
    engine_name,
    engine_table,
    quoted,
)
from pgproxy.sql.leakproof import LeakproofPredicates
from pgproxy.sql.plan import StatementKind
from pgproxy.sql.policy_expressions import (
    BASE_ALIAS,
    RAW,
    PolicyScope,
    asks_relations,
    broken_policy,
    filter_predicate,
    mask_expression,
    secured_source,
)
from pgproxy.sql.references import is_referenced
from pgproxy.sql.render import to_sql
from pgproxy.sql.resolve import target_tables
from pgproxy.sql.session_relations import session_relation
from pgproxy.sql.shield import shield_calls
from pgproxy.sql.system_values import system_constant
from pgproxy.sql.top_rows import asks_for_top_rows, hold_behind_mark, mark_of
from pgproxy.sql.views import check_view_source
from pgproxy.sql.writes import secure_write
from pgwire.errors import AccessDenied, InternalError
from pgwire.sqlstate import SqlState

_WITHOUT_FIELDS = frozenset(
    """
    TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT DOUBLE DECIMAL
    BOOLEAN VARCHAR BLOB BIT UUID JSON DATE TIME TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS INTERVAL ENUM
    MAP
    """.split()  # noqa: SIM905 - a table of words reads better as words
)


@dataclass(slots=True)
class Securing:
    """What securing a statement collects."""

    draft: Draft
    bound: BoundValues
    leakproof: LeakproofPredicates
    relations: set[tuple[str, str, str]] = field(default_factory=set)
    is_catalog: bool = False
    is_governed: bool = False
    tables_in_hand: list[TableName] = field(default_factory=list)
    named: tuple[bool, frozenset[str]] | None = None

    def secure_sources(self, tree: exp.Expr) -> None:
        """Replace every source relation below `tree`."""
        named = self.draft.tree if self.draft.column_names is not None else None
        for node in list(tree.find_all(exp.Table)):
            index = node.meta.get(USE_KEY)
            if index is not None:
                use = self.draft.uses[index]
                if use.role in (Role.SOURCE, Role.VIEW_SOURCE):
                    secured = self._secured(node, use, index)
                    if secured is not node:
                        node.replace(secured)
                        _name_outputs(secured, named)
            elif (
                CTE_KEY not in node.meta
                and isinstance(node.this, exp.Identifier)
                and not self._is_defined(node)
            ):
                raise AccessDenied(
                    "a relation of the statement could not be resolved", rule=DenialRule.UNRESOLVED
                )

    def _view_source(self, index: int) -> exp.Subquery | None:
        """A view's query with the policies beneath it applied.

        Under the reserved alias and the view's names.
        """
        body = self.draft.views.get(index)
        info = self.draft.uses[index].info
        if body is None or info is None:
            return None
        holder = exp.Subquery(this=body.copy())
        self.secure_sources(holder)
        names = [quoted(column.name) for column in info.columns]
        holder.set("alias", exp.TableAlias(this=quoted(BASE_ALIAS), columns=names))
        return holder

    def qualify_sources(self, tree: exp.Expr) -> None:
        """Name every source relation of a view's text, which is secured for each reader when it is read."""
        for node in tree.find_all(exp.Table):
            index = node.meta.get(USE_KEY)
            if index is not None and self.draft.uses[index].role is Role.SOURCE:
                check_view_source(self.draft.uses[index])
                self._qualify(node, self.draft.uses[index])

    def _is_defined(self, node: exp.Table) -> bool:
        """Whether the statement itself defines this name, or renames to it."""
        tree = self.draft.tree
        if isinstance(node.parent, exp.AlterRename) or is_referenced(node):
            return True
        return not isinstance(tree, exp.Query) and any(node is target for target in target_tables(tree))

    def derived_table(  # noqa: PLR0913 - each is one clause of the query
        self,
        use: RelationUse,
        table: TableInfo,
        *,
        pushed: exp.Expr | None = None,
        with_rowid: bool = False,
        with_barrier: bool = False,
        in_order: bool = True,
        with_mark: bool = False,
        source: exp.Subquery | None = None,
        commands: Sequence[PolicyCommand] = (PolicyCommand.SELECT,),
    ) -> exp.Select:
        """The query behind a governed relation.

        pushed: a leakproof predicate of the client over raw columns. commands: whose row filters all hold.
        in_order: somebody can see in which order the rows come. with_mark: what runs above asks for
        `mark_of`, which then is the barrier.
        """
        policy = use.policy
        if policy is None:
            raise broken_policy(table.name)
        self._take_in_hand(table.name)
        scope = self.scope(table, RAW)
        projections = self._projections(use, policy, table, scope)
        if with_rowid:
            projections.append(
                exp.alias_(exp.column(quoted("rowid"), table=quoted(BASE_ALIAS)), quoted(ROWID))
            )
        if not projections:
            projections.append(exp.alias_(exp.Null(), quoted("pgproxy_nothing")))
        predicate = filter_predicate(policy, scope, commands)
        select = exp.Select(expressions=projections, from_=exp.From(this=source or secured_source(table)))
        if source is None:
            self.relations.add(engine_name(table.name))
        if predicate is not None:
            if with_mark:
                select.append("expressions", mark_of(predicate))
            if pushed is not None:
                predicate = exp.and_(predicate, exp.paren(pushed), copy=False)
            select.set("where", exp.Where(this=predicate))
            with_barrier = with_barrier or with_rowid or (self.leakproof.needs_barrier and not with_mark)
        if with_barrier:
            put_barrier(select, in_order=in_order or with_rowid)
        self.tables_in_hand.pop()
        return select

    def _projections(
        self, use: RelationUse, policy: TablePolicy, table: TableInfo, scope: PolicyScope
    ) -> list[exp.Expr]:
        """The permitted columns, masked; one without a mask as finished text, the same each time."""
        masks = {name.lower(): mask for name, mask in policy.masks.items()}
        types = {column.name: column.engine_type for column in table.columns}
        projections: list[exp.Expr] = []
        for name in readable_columns(use):
            mask = masks.get(name.lower())
            if mask is None:
                projections.append(exp.Var(this=_plain_projection(name, types[name])))
            else:
                value = mask_expression(mask.expression, types[name], scope)
                projections.append(exp.Alias(this=value, alias=quoted(name)))
        return projections

    def scope(self, table: TableInfo, columns: Mapping[str, exp.Expr]) -> PolicyScope:
        """What a policy of `table` may speak of. columns: what its column names stand for."""
        return PolicyScope(self.draft.context, table, self.bound, columns, self._secure_policy_sources)

    def _take_in_hand(self, name: TableName) -> None:
        if name in self.tables_in_hand:
            raise InternalError(
                f'infinite recursion detected in policy for relation "{name.name}"',
                sqlstate=SqlState.INVALID_OBJECT_DEFINITION,
            )
        self.tables_in_hand.append(name)

    def _secure_policy_sources(self, root: exp.Expr, uses: Sequence[RelationUse]) -> None:
        """Replace the relations that a policy's subqueries read. Always behind a barrier: they are few."""
        for node in list(root.find_all(exp.Table)):
            index = node.meta.get(USE_KEY)
            if index is None:
                continue
            use = uses[index]
            use = replace(use, policy=self.draft.context.policy.table(use.name, use.owner))
            if not isinstance(use.info, TableInfo) or not readable_columns(use):
                raise AccessDenied(
                    f"permission denied for table {use.name.name}", rule=DenialRule.TABLE_PRIVILEGE
                )
            if is_governed(use):
                self.is_governed = True
                node.replace(_dressed(node, self.derived_table(use, use.info, with_barrier=True)))
            else:
                self._qualify(node, use)

    def _qualify(self, node: exp.Table, use: RelationUse) -> None:
        name = engine_name(use.name)
        self.relations.add(name)
        for part, value in zip(("catalog", "db", "this"), name, strict=True):
            node.set(part, quoted(value))

    def _secured(self, node: exp.Table, use: RelationUse, index: int) -> exp.Expr:
        if isinstance(use.info, SystemRelation):
            return _dressed(node, self._system(use.info, self.leakproof.pushable_to_system(node, use)))
        view = self._view_source(index)
        is_barred = index in self.draft.barred_views and self.leakproof.needs_barrier
        is_plain = not is_governed(use)
        if not isinstance(use.info, TableInfo) or (
            is_plain and view is None and index not in self.draft.barred_views
        ):
            self._qualify(node, use)
            return node
        self.is_governed = True
        if is_plain:
            return _dressed(node, self._whole_view(use.info, view, with_barrier=is_barred))
        pushed = self.leakproof.pushable(node, use)
        in_order = order_shows(node)
        with_mark = view is None and not is_barred and self._takes_marks(node, use.policy)
        derived = self.derived_table(
            use,
            use.info,
            pushed=pushed,
            source=view,
            with_barrier=is_barred,
            in_order=in_order,
            with_mark=with_mark,
        )
        if with_mark:
            hold_behind_mark(self.draft.tree)
        return _dressed(node, derived)

    def _takes_marks(self, node: exp.Table, policy: TablePolicy | None) -> bool:
        """Whether the barrier may be a mark of each row: see `pgproxy.sql.top_rows`."""
        is_filtered = policy is not None and policy.is_filtered and not asks_relations(policy)
        return is_filtered and self.leakproof.needs_barrier and asks_for_top_rows(node, self.draft.tree)

    def _whole_view(self, view: TableInfo, source: exp.Subquery | None, *, with_barrier: bool) -> exp.Select:
        """All columns of a view without a policy of its own. source: its query; None: as it is kept."""
        if source is None:
            self.relations.add(engine_name(view.name))
        names: list[exp.Expr] = [
            exp.Var(this=_plain_projection(column.name, column.engine_type)) for column in view.columns
        ]
        select = exp.Select(expressions=names, from_=exp.From(this=source or secured_source(view)))
        if with_barrier:
            select.set("offset", exp.Offset(expression=exp.Literal.number(0)))
        return select

    def _system(self, relation: SystemRelation, pushed: exp.Expr | None) -> exp.Select:
        """The rows of a system relation that the viewer sees. pushed: as in `derived_table`."""
        self.is_catalog = True
        if relation.session_rows is not None:
            return session_relation(relation, relation.session_rows, self.bound)
        schema, table = relation.physical
        name = (SYSTEM_CATALOG, schema, table)
        self.relations.add(name)
        columns = [self._system_column(relation, name) for name in self._needed(relation)]
        select = exp.Select(expressions=columns, from_=exp.From(this=engine_table(name, BASE_ALIAS)))
        if relation.is_empty:
            select.set("where", exp.Where(this=exp.false()))
        elif relation.visibility is not None:
            predicate: exp.Expr = self._guard(self._visibility(relation.visibility))
            if pushed is not None:
                predicate = exp.and_(exp.paren(pushed), predicate, copy=False)
            select.set("where", exp.Where(this=predicate))
            if self.leakproof.needs_barrier:
                select.set("offset", exp.Offset(expression=exp.Literal.number(0)))
        return select

    def _visibility(self, visibility: Visibility) -> str:
        """An administrator sees everything but what is private to sessions; with such of its own, by keys."""
        context = self.draft.context
        is_by_keys = context.private is not None and context.policy.is_admin
        return visibility.by_relations if is_by_keys else visibility.predicate(context.policy)

    def _needed(self, relation: SystemRelation) -> Sequence[str]:
        """The columns that the statement may speak of: each that is left out is one less to plan."""
        names = [column.name for column in relation.columns]
        spoken_of = self.spoken_of
        return names if spoken_of is None else [name for name in names if name in spoken_of] or names[:1]

    @property
    def spoken_of(self) -> frozenset[str] | None:
        """Every column name in the statement; None where columns are meant without their names."""
        if self.named is None:
            self.named = (_means_unnamed_columns(self.draft), _named_columns(self.draft))
        return None if self.named[0] else self.named[1]

    def _guard(self, text: str) -> exp.Expr:
        """Which rows the viewer sees, as finished text."""
        context = self.draft.context
        sql, relations = _guard_text(text, context.viewer, context.catalog_name)
        self.relations |= relations
        return exp.Var(this=sql)

    def _system_column(self, relation: SystemRelation, name: str) -> exp.Expr:
        text = relation.viewer_columns.get(name)
        if text is None:
            return exp.column(quoted(name), table=quoted(BASE_ALIAS))
        value: exp.Expr = exp.null()
        if self.named is not None and name in self.named[1]:
            value = self._guard(text.replace("$base", BASE_ALIAS))
        return exp.alias_(exp.cast(value, "TEXT[]"), quoted(name))


def secure(draft: Draft, bound: BoundValues) -> Draft:
    """Put the policy into the tree.

    After this stage no relation of the statement is raw unless it is ungoverned.
    """
    securing = Securing(draft, bound, LeakproofPredicates(draft))
    tree = draft.tree
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
        tree = secure_write(draft, tree, securing)
    else:
        if draft.kind is not StatementKind.SELECT:
            definition = secure_definition(draft, tree)
            securing.relations |= definition.names
            draft = replace(
                draft,
                following=definition.following,
                notices=definition.notices,
                looks_in=definition.looks_in,
            )
            if definition.tree is not None:
                placed = draft.placed_relations | definition.names
                return replace(draft, tree=definition.tree, placed_relations=placed)
        if draft.kind is StatementKind.CREATE_VIEW and not draft.context.policy.is_admin:
            securing.qualify_sources(tree)
        else:
            securing.secure_sources(tree)
    if securing.is_governed:
        shield_calls(tree)
    return replace(
        draft,
        tree=tree,
        placed_relations=draft.placed_relations | frozenset(securing.relations),
        is_catalog=draft.is_catalog or securing.is_catalog,
        is_governed=draft.is_governed or securing.is_governed,
    )


def _named_columns(draft: Draft) -> frozenset[str]:
    """Every column that the statement reads."""
    trees = (draft.tree, *draft.views.values())
    return frozenset(column.name for tree in trees for column in tree.find_all(exp.Column))


def _means_unnamed_columns(draft: Draft) -> bool:
    """Whether columns may be meant that no name stands for: by a star, a whole row, or their place."""
    aliases = {use.alias for use in draft.uses}
    return any(
        _means_unnamed(node, aliases) for tree in (draft.tree, *draft.views.values()) for node in tree.walk()
    )


def _means_unnamed(node: exp.Expr, aliases: Container[str]) -> bool:
    match node:
        case exp.Star():
            return not isinstance(node.parent, exp.Count)
        case exp.Column():
            return not node.table and node.name in aliases
        case exp.Join():
            return bool(node.args.get("using") or node.args.get("method"))
        case exp.TableAlias():
            return bool(node.columns) and node.parent is not None and USE_KEY in node.parent.meta
        case exp.Pivot() | exp.Columns():
            return True
        case _:
            return False


@lru_cache(maxsize=1024)
def _guard_text(text: str, viewer: str, database: str) -> tuple[str, frozenset[tuple[str, str, str]]]:
    """A rule of the catalog as it reads for one viewer in one database, and the relations in it."""
    tree: exp.Expr = exp.Paren(this=sqlglot.parse_one(text, dialect="duckdb"))
    values = {SystemValue.VIEWER: viewer, SystemValue.DATABASE: database}
    for parameter in list(tree.find_all(exp.Placeholder, exp.Parameter)):
        parameter.replace(system_constant(values[SystemValue(parameter.name.lower())]))
    relations = frozenset((table.catalog, table.db, table.name) for table in tree.find_all(exp.Table))
    return to_sql(tree, copy=False), relations


@lru_cache(maxsize=16_384)
def _plain_projection(name: str, engine_type: str) -> str:
    """A column as it is. One with fields is kept whole by COALESCE: it has no fields of a stored column's.

    DuckDB 1.5.5 moves `column.field::type` into the scan, below every filter and below OFFSET 0: the cast
    would run on hidden rows, and fail on what they hold.
    """
    value: exp.Expr = exp.column(quoted(name), table=quoted(BASE_ALIAS))
    if not engine_type.endswith("]") and engine_type.replace("(", " ").split(" ")[0] not in _WITHOUT_FIELDS:
        value = exp.Coalesce(this=value, expressions=[exp.null()])
    return to_sql(exp.Alias(this=value, alias=quoted(name)))


def _name_outputs(secured: exp.Expr, named: exp.Expr | None) -> None:
    """Name every output column that holds a secured relation: the engine's name for it would be its text.

    named: a query whose outputs have names already.
    """
    node, parent = secured, secured.parent
    while parent is not None:
        is_output = isinstance(parent, exp.Select) and node.arg_key == "expressions" and parent is not named
        if is_output and not isinstance(node, (exp.Alias, exp.Column)) and not node.is_star:
            index = node.index
            alias = exp.Alias(this=node, alias=quoted(column_name(node)))
            parent.set("expressions", alias, index)
        node, parent = parent, parent.parent


def _dressed(node: exp.Table, select: exp.Select) -> exp.Subquery:
    """The derived table in the place of `node`, with its alias, pivots and joins."""
    subquery = exp.Subquery(this=select)
    for part in ("alias", "pivots", "joins", "laterals"):
        value = node.args.get(part)
        if value:
            subquery.set(part, value)
    return subquery
