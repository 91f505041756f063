"""Every name to what it means: relations through CTE scopes, the search path and the catalog; columns to aliases.

Each CTE gets a name of the planner's own. Should the engine scope a name differently from this module, it then finds
nothing at all, never a table of the same name. PostgreSQL docs, "WITH Queries"; DuckDB's scoping where they differ:
a CTE does not cover its own body unless it recurses, nor the bodies before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from pgproxy.sql.admit import child_nodes
from pgproxy.sql.draft import CTE_KEY, RESERVED_PREFIX, USE_KEY, Draft, RelationUse, Role, position_of, quoted
from pgproxy.sql.names import find_relation, undefined_table, written_name
from pgproxy.sql.plan import PlanContext

Names = Mapping[str, str]
"""CTEs in scope: lower-case name as written → the planner's name."""

_TARGET_ROLES: dict[type[exp.Expr], Role] = {
    exp.Insert: Role.INSERT,
    exp.Update: Role.UPDATE,
    exp.Delete: Role.DELETE,
    exp.TruncateTable: Role.TRUNCATE,
    exp.Create: Role.DEFINE,
    exp.Drop: Role.DEFINE,
    exp.Alter: Role.DEFINE,
}


def resolve(draft: Draft) -> Draft:
    """Mark every relation of the statement with the use that it is, and normalise qualified columns.

    Raises:
        StatementError: 42P01, with the position, for what does not exist or may not be known.
    """
    resolver = RelationResolver(draft.context)
    resolver.visit_statement(draft.tree)
    uses = tuple(resolver.uses)
    _normalise_columns(draft.tree, uses)
    if draft.dialect == "postgres":
        _fold_names(draft.tree)
    return replace(draft, uses=uses)


class RelationResolver:
    """Walks one statement with the CTE names in scope. Also used for the text of views."""

    def __init__(
        self, context: PlanContext, uses: list[RelationUse] | None = None, role: Role = Role.SOURCE
    ) -> None:
        self._context = context
        self._role = role
        self.uses: list[RelationUse] = uses if uses is not None else []
        self._cte_count = 0

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
        if isinstance(with_, exp.With):
            ctes = self._visit_with(with_, ctes)
        if isinstance(node, exp.Table) and not any(node is target for target in skipped):
            self._visit_table(node, ctes)
        for child in child_nodes(node):
            if child is with_:
                continue
            scope = ctes
            if recursive is not None and isinstance(node, exp.SetOperation) and child is node.expression:
                scope = {**ctes, recursive[0]: recursive[1]}
            self.visit(child, scope, skipped=skipped)

    def _visit_with(self, with_: exp.With, ctes: Names) -> Names:
        for cte in with_.expressions:
            alias = cte.args["alias"]
            name = alias.this.name.lower()
            self._cte_count += 1
            renamed = f"{RESERVED_PREFIX}cte_{len(self.uses)}_{self._cte_count}"
            recursive = (name, renamed) if with_.args.get("recursive") else None
            self.visit(cte.this, ctes, recursive=recursive)
            alias.set("this", quoted(renamed))
            ctes = {**ctes, name: renamed}
        return ctes

    def _visit_table(self, node: exp.Table, ctes: Names) -> None:
        if not isinstance(node.this, exp.Identifier) or isinstance(node.parent, exp.AlterRename):
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
        position = position_of(node)
        found = find_relation(self._context, catalog, schema, name)
        if found is None:
            raise undefined_table(catalog, schema, name, position)
        has_alias = bool(node.alias)
        if role is Role.SOURCE or role is Role.VIEW_SOURCE:
            _ensure_alias(node, name)
        node.meta[USE_KEY] = len(self.uses)
        for part, value in zip(("catalog", "db", "this"), found.name, strict=True):
            node.set(part, quoted(value))
        self.uses.append(
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


def target_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """The relations that a statement changes or defines."""
    named = (
        tree.args.get("tables") or tree.expressions
        if isinstance(tree, (exp.TruncateTable, exp.Drop))
        else [tree.this]
    )
    for item in named:
        table = item.this if isinstance(item, exp.Schema) else item
        if isinstance(table, exp.Table):
            yield table


def _ensure_alias(node: exp.Table, name: str) -> None:
    """Keep the name by which columns are qualified. With PIVOT the alias names the result, and no name is visible."""
    if node.alias:
        return
    alias = node.args.get("alias")
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    node.set("alias", exp.TableAlias(this=quoted(name), columns=columns))


def _normalise_columns(tree: exp.Expr, uses: tuple[RelationUse, ...]) -> None:
    """`sales.customers.ssn` → `customers.ssn`: behind a derived table only the alias is left to qualify with."""
    schemas: dict[tuple[str, str], str] = {}
    for use in uses:
        if not use.has_alias:
            schemas[(use.name.schema.lower(), use.name.name.lower())] = use.alias
    for column in tree.find_all(exp.Column):
        schema = column.args.get("db")
        if schema is None or column.args.get("table") is None:
            continue
        spelled = "public" if schema.name.lower() == "main" else schema.name.lower()
        alias = schemas.get((spelled, column.table.lower()))
        if alias is not None:
            column.set("table", quoted(alias))
            column.set("db", None)
            column.set("catalog", None)


def _fold_names(tree: exp.Expr) -> None:
    """Unquoted names fold to lower case, as in PostgreSQL; DuckDB then compares without case anyway."""
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted"):
            name.set("this", str(name.this).lower())
