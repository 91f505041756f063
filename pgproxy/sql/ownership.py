"""Who may alter and drop: the owner, and only where no policy would be lost with the name it is bound to.

PostgreSQL docs, "ALTER TABLE", "DROP TABLE", "DROP INDEX", "COMMENT": all of them are for owners. Filters,
masks and grants are on names here, so what changes a name that one is bound to is refused, for administrators
too where somebody would see more than before.
"""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from pgproxy.catalog.snapshot import CatalogSnapshot, RelationKind, TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.names import Found, find_relation, undefined_table, written_name
from pgproxy.sql.plan import PlanContext, StatementKind
from pgproxy.sql.views import view_body
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_WORDS = {RelationKind.TABLE: "table", RelationKind.VIEW: "view"}
_FOLLOWS_A_NAME = (exp.AlterRename, exp.RenameColumn)
"""Changes after which views would read something else, or nothing."""
_BOUND_BY_NAME = "Filters, masks and grants are bound to names, and would not follow."


def authorise_change(tree: exp.Expr, kind: StatementKind, target: exp.Table, context: PlanContext) -> None:
    """Check ALTER, DROP and COMMENT of a relation, and CREATE INDEX on it.

    Raises:
        AccessDenied: 42501, not the owner's; or a policy is in force on it.
        StatementError: 42P01, absent or invisible.
    """
    found = find_relation(context, *written_name(target))
    if found is None:
        if not tree.args.get("exists"):
            raise undefined_target(kind, target)
        return
    if found.is_temporary:
        return
    if not isinstance(found.info, TableInfo):
        raise AccessDenied(f"must be owner of table {target.name}", rule=DenialRule.TABLE_PRIVILEGE)
    check_kind(kind, found.info)
    check_owner(found.info, kind, context)
    if kind is StatementKind.COMMENT:
        return
    _check_rules(found, context.policy)
    _check_renaming(tree, found.info, context)


def check_dependents(
    tree: exp.Expr, kind: StatementKind, targets: Sequence[exp.Table], context: PlanContext
) -> None:
    """Refuse what would leave views without what they read; those that go as well do not count.

    Raises:
        StatementError: 2BP01.
        FeatureNotSupported: what would have to change the views, too.
    """
    found = [find_relation(context, *written_name(target)) for target in targets]
    gone = {known.name for known in found if known is not None}
    for known in found:
        if known is not None and isinstance(known.info, TableInfo) and not known.is_temporary:
            others = (name for name in dependent_views(known.info, context.catalog) if name not in gone)
            _check_dependents(tree, kind, known.info, has_dependents=next(others, None) is not None)


def check_kind(kind: StatementKind, info: TableInfo) -> None:
    """DROP TABLE is for tables, DROP VIEW for views. Raises: 42809."""
    wanted = {StatementKind.DROP_TABLE: RelationKind.TABLE, StatementKind.DROP_VIEW: RelationKind.VIEW}
    if wanted.get(kind, info.kind) is not info.kind:
        raise StatementError(
            f'"{info.name.name}" is not a {_WORDS[wanted[kind]]}', sqlstate=SqlState.WRONG_OBJECT_TYPE
        )


def check_owner(info: TableInfo, kind: StatementKind, context: PlanContext) -> None:
    """Owners and administrators pass, with a credential that may write there.

    Raises:
        AccessDenied: 42501 in PostgreSQL's words.
    """
    policy = context.policy
    if info.is_read_only:
        raise AccessDenied(
            f"cannot change table {info.name.name}: its catalog is read-only",
            rule=DenialRule.READ_ONLY_CATALOG,
        )
    if policy.is_admin or (
        policy.owns(info.owner) and policy.scope.allows(Privilege.CREATE, info.name.catalog)
    ):
        return
    word = "relation" if kind is StatementKind.COMMENT else _WORDS[info.kind]
    raise AccessDenied(f"must be owner of {word} {info.name.name}", rule=DenialRule.TABLE_PRIVILEGE)


def check_free_name(name: TableName, policy: EffectivePolicy) -> None:
    """A name that others may write to is not for everybody: what they write would be its new owner's to read.

    Raises:
        AccessDenied: 42501.
    """
    if policy.is_written_by_others(name):
        raise AccessDenied(
            f"permission denied: others may write to a table called {name.name}",
            hint=_BOUND_BY_NAME,
            rule=DenialRule.TABLE_PRIVILEGE,
        )


def check_replaced(view: TableInfo, context: PlanContext) -> None:
    """CREATE OR REPLACE VIEW is for the view's owner, and keeps what a policy is on.

    Raises:
        AccessDenied: 42501.
    """
    if not context.policy.owns(view.owner):
        raise AccessDenied(f"must be owner of view {view.name.name}", rule=DenialRule.TABLE_PRIVILEGE)
    _check_rules(Found(view.name, view), context.policy)


def check_rename_by_administrator(tree: exp.Expr, context: PlanContext) -> None:
    """Refuse a rename by which a filter or mask would be lost on rows that somebody reads.

    Raises:
        StatementError: 2BP01.
    """
    action = tree.find(*_FOLLOWS_A_NAME) if isinstance(tree, exp.Alter) else None
    if action is None or not isinstance(tree.this, exp.Table):
        return
    found = find_relation(context, *written_name(tree.this))
    policy = context.policy
    if found is None or not policy.is_ruled(found.name):
        return
    renamed = TableName(*found.name[:2], action.this.name)
    is_owned = isinstance(found.info, TableInfo) and found.info.owner is not None
    if isinstance(action, exp.RenameColumn) or is_owned or policy.is_reached(renamed):
        raise StatementError(
            f"cannot rename {'column' if isinstance(action, exp.RenameColumn) else 'table'} "
            f"{action.this.name if isinstance(action, exp.RenameColumn) else found.name.name} "
            "because policies depend on it",
            sqlstate=SqlState.DEPENDENT_OBJECTS_STILL_EXIST,
            hint=f"{_BOUND_BY_NAME} Make them for the new name first, and drop the old ones.",
        )


def dependent_views(table: TableInfo, catalog: CatalogSnapshot) -> Iterator[TableName]:
    """The views that read a relation, or that may: those whose text is not understood and names it."""
    wanted = table.name.name.lower()
    for view in catalog.tables.values():
        text = view.engine_sql or view.view_sql or ""
        if view.kind is not RelationKind.VIEW or view.name == table.name or wanted not in text.lower():
            continue
        body = view_body(view, 0)
        if body is None or any(_may_mean(node, table.name) for node in body.find_all(exp.Table)):
            yield view.name


def _may_mean(node: exp.Table, name: TableName) -> bool:
    schema = "public" if node.db.lower() == "main" else node.db.lower()
    is_there = not schema or schema in (name.schema.lower(), name.catalog.lower())
    return node.name.lower() == name.name.lower() and is_there


def _check_rules(found: Found, policy: EffectivePolicy) -> None:
    if not policy.is_ruled(found.name):
        return
    raise AccessDenied(
        f"permission denied: row filters or masks are on {found.name.name}",
        hint=f"{_BOUND_BY_NAME} An administrator may change it.",
        rule=DenialRule.TABLE_PRIVILEGE,
    )


def _check_renaming(tree: exp.Expr, info: TableInfo, context: PlanContext) -> None:
    policy, name = context.policy, info.name
    if not isinstance(tree, exp.Alter):
        return
    renaming = tree.find(exp.AlterRename)
    if renaming is not None:
        if not policy.schema_allows(Privilege.CREATE, name.catalog, name.schema):
            raise AccessDenied(
                f"permission denied for schema {name.schema}", rule=DenialRule.SCHEMA_PRIVILEGE
            )
        check_free_name(TableName(*name[:2], renaming.this.name), policy)
    touches_columns = any(isinstance(action, (exp.RenameColumn, exp.Drop)) for action in tree.args["actions"])
    if touches_columns and policy.grants_columns_of(name):
        raise AccessDenied(
            f"permission denied: single columns of {name.name} are granted to others",
            hint=_BOUND_BY_NAME,
            rule=DenialRule.TABLE_PRIVILEGE,
        )


def _check_dependents(tree: exp.Expr, kind: StatementKind, info: TableInfo, *, has_dependents: bool) -> None:
    is_drop = kind in (StatementKind.DROP_TABLE, StatementKind.DROP_VIEW)
    actions = tree.args.get("actions") or () if isinstance(tree, exp.Alter) else ()
    moves = any(isinstance(action, (*_FOLLOWS_A_NAME, exp.Drop)) for action in actions)
    retypes = any(isinstance(action, exp.AlterColumn) and action.args.get("dtype") for action in actions)
    if not (is_drop or moves or retypes) or not has_dependents:
        return
    if retypes:
        raise FeatureNotSupported("cannot alter type of a column used by a view or rule")
    if is_drop and tree.args.get("cascade"):
        raise FeatureNotSupported("dropping the views that read a relation is not supported")
    if is_drop or any(isinstance(action, exp.Drop) for action in actions):
        what = f"{_WORDS[info.kind]} {info.name.name}"
        raise StatementError(
            f"cannot drop {what} because other objects depend on it"
            if is_drop
            else f"cannot drop column of {what} because other objects depend on it",
            sqlstate=SqlState.DEPENDENT_OBJECTS_STILL_EXIST,
            hint="Drop the views that read it first.",
        )
    raise FeatureNotSupported("renaming what a view reads is not supported")


def undefined_target(kind: StatementKind, target: exp.Table) -> StatementError:
    """42P01, with the word that the statement has for what is missing."""
    error = undefined_table(*written_name(target), None)
    if kind in (StatementKind.DROP_TABLE, StatementKind.DROP_VIEW):
        word = "table" if kind is StatementKind.DROP_TABLE else "view"
        error.message = error.message.replace("relation", word, 1)
    return error
