"""Every name to what it means.

Relations through CTE scopes, the search path and the catalog; columns to aliases.

Each CTE gets a name of the planner's own. Should the engine scope a name differently from this module, it
then finds
nothing at all, never a table of the same name. PostgreSQL docs, "WITH Queries"; DuckDB's scoping where they
differ:
a CTE does not cover its own body unless it recurses, nor the bodies before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from pgproxy.catalog.snapshot import RelationKind, TableInfo
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.sql.admit import child_nodes
from pgproxy.sql.draft import (
    CTE_KEY,
    CTE_NAME_KEY,
    RESERVED_PREFIX,
    USE_KEY,
    Draft,
    RelationUse,
    Role,
    position_of,
    quoted,
)
from pgproxy.sql.names import find_relation, undefined_table, written_name
from pgproxy.sql.plan import PlanContext
from pgproxy.sql.qualifiers import normalise_qualifiers
from pgproxy.sql.references import is_referenced
from pgproxy.sql.utility.scan import fold_identifier
from pgproxy.sql.views import (
    check_invoker,
    has_policies,
    hides_rows,
    meets_policy,
    unreadable,
    view_body,
)
from pgwire.errors import FeatureNotSupported, StatementError

Names = Mapping[str, str]
"""CTEs in scope: lower-case name as written → the planner's name."""

_LEAVES = frozenset({exp.Identifier, exp.Literal, exp.Null, exp.Boolean})
"""Half of every tree; nothing is below them."""

_TARGET_ROLES: dict[type[exp.Expr], Role] = {
    exp.Insert: Role.INSERT,
    exp.Update: Role.UPDATE,
    exp.Delete: Role.DELETE,
    exp.TruncateTable: Role.TRUNCATE,
    exp.Create: Role.DEFINE,
    exp.Drop: Role.DEFINE,
    exp.Alter: Role.DEFINE,
    exp.Comment: Role.DEFINE,
}


def resolve(draft: Draft, nodes: Sequence[exp.Expr]) -> Draft:
    """Mark every relation of the statement with the use that it is, and normalise qualified columns.

    nodes: all of its tree.

    Raises:
        StatementError: 42P01, with the position, for what does not exist or may not be known.
    """
    resolver = RelationResolver(draft.context, Resolved())
    resolver.visit_statement(draft.tree)
    uses = normalise_qualifiers(nodes, resolver.found.uses, draft.context.catalog)
    _split_assignments(draft.tree)
    if draft.dialect == "postgres":
        _fold_names(nodes)
    found = resolver.found
    return replace(draft, uses=uses, views=dict(found.views), barred_views=frozenset(found.barred_views))


def _is_plain(column: exp.Expr) -> bool:
    """Whether this is a column's name and no more."""
    for value in column.args.values():
        if value is not None and type(value) is not exp.Identifier:
            return False
    return True


@dataclass(slots=True)
class Resolved:
    """What resolving one statement has found.

    views: the body of each view that must be read through its query. barred_views: those that hide rows.
    """

    uses: list[RelationUse] = field(default_factory=list)
    views: dict[int, exp.Expr] = field(default_factory=dict)
    barred_views: set[int] = field(default_factory=set)
    cte_count: int = 0


class RelationResolver:
    """Walks one statement with the CTE names in scope. Also walks the text of views."""

    def __init__(
        self,
        context: PlanContext,
        found: Resolved,
        role: Role = Role.SOURCE,
        depth: int = 0,
        reader: EffectivePolicy | None = None,
    ) -> None:
        """reader: whose filters and masks hold, where it is not who resolves the names."""
        self.found = found
        self._context = context
        self._role = role
        self._depth = depth
        self._reader = reader or context.policy

    def visit_statement(self, tree: exp.Expr) -> None:
        """Resolve a whole statement; the relation that it changes is outside of every CTE's scope."""
        role = _TARGET_ROLES.get(type(tree))
        targets = list(target_tables(tree)) if role is not None else []
        for target in targets:
            if role is not Role.DEFINE:
                self._mark(target, role or Role.SOURCE)
        self.visit(tree, {}, skipped=targets)

    def visit(
        self,
        node: exp.Expr,
        ctes: Names,
        *,
        recursive: tuple[str, str] | None = None,
        skipped: Sequence[exp.Table] = (),
    ) -> None:
        """Resolve a subtree. recursive: (name, planner's name) of the CTE whose body this is."""
        with_ = node.args.get("with_")
        if with_ is not None and isinstance(with_, exp.With):
            ctes = self._visit_with(with_, ctes)
        if isinstance(node, exp.Table) and not any(node is target for target in skipped):
            self._visit_table(node, ctes)
        for child in child_nodes(node):
            kind = type(child)
            if kind in _LEAVES or child is with_ or (kind is exp.Column and _is_plain(child)):
                continue
            scope = ctes
            if recursive is not None and isinstance(node, exp.SetOperation) and child is node.expression:
                scope = {**ctes, recursive[0]: recursive[1]}
            self.visit(child, scope, skipped=skipped)

    def _visit_with(self, with_: exp.With, ctes: Names) -> Names:
        for cte in with_.expressions:
            alias = cte.args["alias"]
            name = alias.this.name.lower()
            self.found.cte_count += 1
            renamed = f"{RESERVED_PREFIX}cte_{self.found.cte_count}"
            recursive = (name, renamed) if with_.args.get("recursive") else None
            self.visit(cte.this, ctes, recursive=recursive)
            cte.meta[CTE_NAME_KEY] = name
            alias.set("this", quoted(renamed))
            ctes = {**ctes, name: renamed}
        return ctes

    def _visit_table(self, node: exp.Table, ctes: Names) -> None:
        if not isinstance(node.this, exp.Identifier) or isinstance(node.parent, exp.AlterRename):
            return
        if is_referenced(node) or isinstance(node.parent, exp.Opclass) or _is_dropped_part(node):
            return
        renamed = ctes.get(node.this.name.lower()) if node.args.get("db") is None else None
        if renamed is None:
            self._mark(node, self._role)
            return
        _ensure_alias(node, written_name(node)[2])
        node.set("this", quoted(renamed))
        node.meta[CTE_KEY] = renamed

    def _mark(self, node: exp.Table, role: Role) -> None:
        catalog, schema, name = written_name(node)
        position = position_of(node) if not self._depth else None
        found = find_relation(self._context, catalog, schema, name)
        if found is None:
            raise undefined_table(catalog, schema, name, position)
        has_alias = bool(node.alias)
        if role is Role.SOURCE or role is Role.VIEW_SOURCE:
            _ensure_alias(node, name)
        index = len(self.found.uses)
        node.meta[USE_KEY] = index
        for part, value in zip(("catalog", "db", "this"), found.name, strict=True):
            node.set(part, quoted(value))
        self.found.uses.append(
            RelationUse(
                name=found.name,
                info=found.info,
                role=role,
                alias=node.alias or name,
                position=position,
                has_alias=has_alias,
                is_temporary=found.is_temporary,
            )
        )
        if isinstance(found.info, TableInfo) and role in (Role.SOURCE, Role.VIEW_SOURCE):
            self._expand_view(found.info, index)

    def _expand_view(self, view: TableInfo, index: int) -> None:
        """Find what lies beneath a view; read it through its query where a policy of the reader does.

        Where it only hides rows that its reader may not read, the engine's view stands behind a barrier.
        """
        if view.kind is not RelationKind.VIEW or self._reader.is_admin:
            return
        first = len(self.found.uses)
        body = self._visit_body(view)
        beneath = self.found.uses[first:]
        if body is None:
            del self.found.uses[first:]
            if view.owner is not None or has_policies(self._reader):
                raise unreadable(view)
            self.found.barred_views.add(index)
            return
        if view.owner is not None:
            check_invoker(view, beneath, self._reader)
        if hides_rows(beneath, self._reader):
            self.found.barred_views.add(index)
        if view.owner is not None or meets_policy(beneath, self._reader):
            self.found.views[index] = body

    def _visit_body(self, view: TableInfo) -> exp.Expr | None:
        """Resolve the view's query as its owner does; None: not understood, or what it reads is gone."""
        body = view_body(view, self._depth)
        if body is None:
            return None
        context = replace(
            self._context,
            policy=replace(self._context.policy, is_admin=True),
            default_catalog=view.name.catalog,
            search_path=(view.name.schema, "public"),
            temp_tables={},
        )
        role = Role.VIEW_SOURCE if view.owner is None else Role.SOURCE
        below = RelationResolver(context, self.found, role, self._depth + 1, self._reader)
        try:
            below.visit(body, {})
        except StatementError:
            return None
        return body


def target_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """The relations that a statement changes or defines."""
    named = (
        tree.args.get("tables") or tree.expressions
        if isinstance(tree, (exp.TruncateTable, exp.Drop))
        else [tree.this]
    )
    for item in named:
        table = item.this if isinstance(item, exp.Schema) else item
        if isinstance(item, exp.Index):
            table = item.args.get("table")
        if isinstance(table, exp.Table):
            yield table


def _is_dropped_part(node: exp.Table) -> bool:
    """The name of a constraint in ALTER TABLE … DROP CONSTRAINT."""
    return isinstance(node.parent, exp.Drop) and isinstance(node.parent.parent, exp.Alter)


def _ensure_alias(node: exp.Table, name: str) -> None:
    """Keep the name by which columns are qualified.

    With PIVOT the alias names the result, and no name is visible.
    """
    if node.alias:
        return
    alias = node.args.get("alias")
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    node.set("alias", exp.TableAlias(this=quoted(name), columns=columns))


def _split_assignments(tree: exp.Expr) -> None:
    """`SET (a, b) = (1, 2)` → `SET a = 1, b = 2`.

    Two assignments, not the comparison that the tree looks like.
    """
    if not isinstance(tree, exp.Update):
        return
    single: list[exp.Expr] = []
    for item in tree.expressions:
        left, right = item.this, item.expression
        if not isinstance(left, exp.Tuple):
            single.append(item)
            continue
        if not isinstance(right, exp.Tuple) or len(left.expressions) != len(right.expressions):
            raise FeatureNotSupported("this form of UPDATE … SET (…) is not supported")
        pairs = zip(left.expressions, right.expressions, strict=True)
        single += [exp.EQ(this=column, expression=value) for column, value in pairs]
    tree.set("expressions", single)


_ALWAYS_SHORT = 15
"""Characters, of four bytes at most, that are never cut."""


def _fold_names(nodes: Iterable[exp.Expr]) -> None:
    """Unquoted names fold to lower case, as in PostgreSQL; DuckDB then compares without case anyway."""
    for name in nodes:
        if type(name) is exp.Identifier and not name.args.get("quoted"):
            written = str(name.this)
            if not written.islower() or len(written) > _ALWAYS_SHORT:
                name.set("this", fold_identifier(written))
