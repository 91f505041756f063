"""CREATE, DROP, ALTER and TRUNCATE: who may, and the qualified name that the engine gets.

PostgreSQL docs, "Privileges": creating needs CREATE on the schema, dropping and altering ownership, which
here only administrators have, and of a view who made it. A temporary table is its session's own; anyone may
make one.
"""

from sqlglot import exp

from pgproxy.catalog.snapshot import RelationKind, TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.authorise import is_governed
from pgproxy.sql.draft import USE_KEY, Draft, engine_name, quoted
from pgproxy.sql.names import TEMP_CATALOG, find_relation, undefined_table, written_name
from pgproxy.sql.plan import PlanContext, StatementKind
from pgproxy.sql.resolve import target_tables
from pgproxy.sql.views import mark_view
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

DEFINITIONS = frozenset(StatementKind) - {
    StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE,
    StatementKind.EXPLAIN,
    StatementKind.TRUNCATE,
}  # fmt: skip
_OPEN_TO_CREATORS = frozenset({StatementKind.CREATE_TABLE, StatementKind.CREATE_VIEW})


def authorise_definition(tree: exp.Expr, kind: StatementKind, context: PlanContext) -> None:
    """Check the right to define, before any name is looked up: the answer must not tell what exists.

    Raises:
        AccessDenied: 42501.
    """
    if kind not in DEFINITIONS or context.policy.is_admin:
        return
    is_view = kind is StatementKind.CREATE_VIEW
    replaces = isinstance(tree, exp.Create) and bool(tree.args.get("replace"))
    if kind in _OPEN_TO_CREATORS and isinstance(tree, exp.Create) and (is_view or not replaces):
        _authorise_creation(tree, context, is_view=is_view, replaces=replaces)
        return
    if not isinstance(tree, exp.Create) and all(
        _is_own(target, kind, context) for target in target_tables(tree)
    ):
        return
    raise AccessDenied(
        f"permission denied: {kind.value} is for administrators", rule=DenialRule.ADMINISTRATION
    )


def _authorise_creation(tree: exp.Create, context: PlanContext, *, is_view: bool, replaces: bool) -> None:
    if is_temporary(tree):
        if is_view:
            raise FeatureNotSupported("temporary views are not supported")
        return
    name = defined_name(next(iter(target_tables(tree))), context)
    if not context.policy.schema_allows(Privilege.CREATE, name.catalog, name.schema):
        raise AccessDenied(f"permission denied for schema {name.schema}", rule=DenialRule.SCHEMA_PRIVILEGE)
    existing = context.catalog.tables.get(name)
    if replaces and existing is not None and existing.owner != context.session_user:
        raise AccessDenied(f"must be owner of view {name.name}", rule=DenialRule.TABLE_PRIVILEGE)


def _is_own(target: exp.Table, kind: StatementKind, context: PlanContext) -> bool:
    """Whether the name means a temporary table of this session, or a view that the principal made."""
    catalog, schema, name = written_name(target)
    found = find_relation(context, catalog, schema, name)
    if found is None or not isinstance(found.info, TableInfo):
        return False
    is_own_view = kind is StatementKind.DROP_VIEW and found.info.owner == context.session_user
    return found.is_temporary or is_own_view


def secure_definition(draft: Draft, tree: exp.Expr) -> frozenset[tuple[str, str, str]]:
    """Give every defined relation its qualified name. Gives the names, for the verifier.

    Raises:
        StatementError: 42P01, 3F000.
        FeatureNotSupported: several TRUNCATEs in one; a view with parameters.
    """
    targets = list(target_tables(tree))
    if isinstance(tree, exp.TruncateTable):
        return _truncated(draft, targets)
    if isinstance(tree, exp.Create) and draft.kind is StatementKind.CREATE_VIEW and tree.find(exp.Parameter):
        raise FeatureNotSupported("a view cannot refer to parameters or to the session")
    if isinstance(tree, exp.Create) and draft.kind is StatementKind.CREATE_VIEW:
        mark_view(draft, tree)
    elif any(type(node) is exp.Property for node in tree.find_all(exp.Property)):
        raise FeatureNotSupported("storage parameters are not supported")
    if len(targets) != 1:
        raise FeatureNotSupported("defining or dropping several objects at once is not supported")
    if draft.kind in (StatementKind.CREATE_SCHEMA, StatementKind.DROP_SCHEMA):
        targets[0].set("catalog", quoted(written_name(targets[0])[0] or draft.context.catalog_name))
        return frozenset()
    is_new = isinstance(tree, exp.Create)
    has_columns = tree.args.get("expression") is not None or (
        isinstance(tree.this, exp.Schema) and tree.this.expressions
    )
    if draft.kind is StatementKind.CREATE_TABLE and not has_columns:
        raise FeatureNotSupported("a table without columns is not supported")
    name = defined_name(targets[0], draft.context) if is_new else _existing(targets[0], tree, draft.context)
    if is_new and is_temporary(tree):
        name = TableName(TEMP_CATALOG, "public", name.name)
    for part, value in zip(("catalog", "db", "this"), engine_name(name), strict=True):
        targets[0].set(part, quoted(value))
    targets[0].set("alias", None)
    return frozenset({engine_name(name)})


def is_temporary(tree: exp.Expr) -> bool:
    """Whether CREATE says TEMP."""
    return isinstance(tree, exp.Create) and tree.find(exp.TemporaryProperty) is not None


def defined_name(target: exp.Table, context: PlanContext) -> TableName:
    """Where a new relation goes: the schema it names, else the first of the search path that exists.

    Raises:
        StatementError: 3F000.
    """
    catalog, schema, name = written_name(target)
    catalog = catalog or context.catalog_name
    for candidate in (schema,) if schema else context.search_path:
        spelled = "public" if candidate == "main" else candidate
        if spelled in ("public", "pg_temp") or (catalog, spelled) in context.catalog.schemas:
            return TableName(catalog, spelled, name)
    problem = f'schema "{schema}" does not exist' if schema else "no schema has been selected to create in"
    raise StatementError(problem, sqlstate=SqlState.INVALID_SCHEMA_NAME)


def _existing(target: exp.Table, tree: exp.Expr, context: PlanContext) -> TableName:
    catalog, schema, name = written_name(target)
    found = find_relation(context, catalog, schema, name)
    if found is None and tree.args.get("exists"):
        return TableName(catalog or context.catalog_name, schema or "public", name)
    if found is None or not isinstance(found.info, TableInfo):
        raise undefined_table(catalog, schema, name, None)
    if isinstance(tree, exp.Alter) and found.info.kind is RelationKind.VIEW:
        # PostgreSQL's ALTER TABLE takes views too, as dbt renames them; the engine wants its own word.
        tree.set("kind", "VIEW")
    return found.name


def _truncated(draft: Draft, targets: list[exp.Table]) -> frozenset[tuple[str, str, str]]:
    if len(targets) != 1:
        raise FeatureNotSupported(
            "TRUNCATE of several tables is not supported", hint="Truncate one at a time."
        )
    use = draft.uses[targets[0].meta[USE_KEY]]
    if is_governed(use):
        # It would remove rows that the principal may not see.
        raise AccessDenied(f"permission denied for table {use.name.name}", rule=DenialRule.TABLE_PRIVILEGE)
    for part, value in zip(("catalog", "db", "this"), engine_name(use.name), strict=True):
        targets[0].set(part, quoted(value))
    return frozenset({engine_name(use.name)})
