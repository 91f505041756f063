"""Whether the principal may: each relation needs the privilege of the position in which it stands.

PostgreSQL docs, "Privileges". Administrators hold everything. What is refused here was already visible, so
the error
may name it.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from pgproxy.catalog.snapshot import SystemRelation, TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import TablePolicy
from pgproxy.policy.model import PolicyCommand, Privilege, RowFilter, TableName
from pgproxy.sql.draft import Draft, RelationUse, Role, required_privilege
from pgproxy.sql.plan import ObjectAccess
from pgwire.errors import AccessDenied


def authorise(draft: Draft, called: Sequence[TableName] = ()) -> Draft:
    """Check every use and record it. called: the stored functions that the statement calls.

    Raises:
        AccessDenied: 42501 `permission denied for table x`.
    """
    written = written_columns(draft.tree, draft.uses[0].info if draft.uses else None)
    uses = tuple(_authorise_use(draft, use, written) for use in draft.uses)
    accesses = tuple(
        _access(use, draft.context.catalog_name)
        for use in uses
        if not isinstance(use.info, SystemRelation) or use.info.is_live
    )
    executed = tuple(ObjectAccess(name, frozenset({Privilege.EXECUTE})) for name in called)
    return replace(draft, uses=uses, accesses=(*accesses, *executed))


def is_governed(use: RelationUse) -> bool:
    """Whether the relation must be put behind a derived table: it has filters, masks or hidden columns."""
    policy = use.policy
    if policy is None or not isinstance(use.info, TableInfo):
        return False
    if policy.is_filtered or policy.masks:
        return True
    return use.role is not Role.VIEW_SOURCE and Privilege.SELECT not in policy.privileges


def readable_columns(use: RelationUse) -> tuple[str, ...]:
    """The columns that SELECT is held on, in the table's order."""
    if use.policy is None or not isinstance(use.info, TableInfo):
        return ()
    names = use.info.column_names
    if use.role is Role.VIEW_SOURCE:
        return names
    policy = use.policy
    if policy.allows(Privilege.SELECT):
        return names
    return tuple(name for name in names if policy.allows(Privilege.SELECT, name))


def _authorise_use(draft: Draft, use: RelationUse, written: tuple[str, ...] | None) -> RelationUse:
    if isinstance(use.info, SystemRelation):
        if use.role is not Role.SOURCE or (use.info.admin_only and not draft.context.policy.is_admin):
            raise denied(use)
        return use
    if use.is_temporary:
        return use
    policy = draft.context.policy.table(use.name, use.owner)
    use = RelationUse(use.name, use.info, use.role, use.alias, use.position, use.has_alias, policy)
    if use.role is Role.DEFINE:
        return use
    if use.role is Role.VIEW_SOURCE:
        return use
    if isinstance(use.info, TableInfo) and use.info.is_read_only and use.role is not Role.SOURCE:
        raise AccessDenied(
            f"cannot change table {use.name.name}: its catalog is read-only",
            rule=DenialRule.READ_ONLY_CATALOG,
        )
    columns = written if use.role in (Role.INSERT, Role.UPDATE) else None
    if not _holds(policy, required_privilege(use.role), columns, use):
        raise denied(use)
    return use


def _holds(
    policy: TablePolicy, privilege: Privilege, columns: tuple[str, ...] | None, use: RelationUse
) -> bool:
    if policy.allows(privilege):
        return True
    if privilege is Privilege.SELECT:
        return bool(readable_columns(use))
    if not columns:
        return False
    by_name = {name.lower(): held for name, held in policy.column_privileges.items()}
    return all(privilege in by_name.get(column.lower(), frozenset()) for column in columns)


def denied(use: RelationUse) -> AccessDenied:
    """PostgreSQL's words."""
    return AccessDenied(
        f"permission denied for table {use.alias if not use.has_alias else use.name.name}",
        rule=DenialRule.TABLE_PRIVILEGE,
    )


def written_columns(tree: exp.Expr, target: object) -> tuple[str, ...] | None:
    """The columns that INSERT or UPDATE writes; None: it writes no columns.

    PostgreSQL docs, "INSERT": without a list, the first columns of the table, as many as there are values.
    """
    if isinstance(tree, exp.Update):
        return tuple(name for item in tree.expressions for name in _assigned(item.this))
    if not isinstance(tree, exp.Insert):
        return None
    if isinstance(tree.this, exp.Schema):
        return tuple(item.name for item in tree.this.expressions)
    columns = tuple(column.name for column in target.columns) if isinstance(target, TableInfo) else ()
    source = tree.expression.unnest() if tree.expression is not None else None
    if tree.args.get("by_name"):
        return columns
    if isinstance(source, exp.Values) and source.expressions:
        return columns[: len(source.expressions[0].expressions)]
    selects = source.selects if isinstance(source, exp.Query) else []
    has_star = any(item.is_star or isinstance(item, exp.Columns) for item in selects)
    return columns if has_star or not selects else columns[: len(selects)]


def _assigned(target: exp.Expr) -> tuple[str, ...]:
    return tuple(
        column.name for column in (target.expressions if isinstance(target, exp.Tuple) else [target])
    )


def _filters_of(role: Role, policy: TablePolicy) -> tuple[RowFilter, ...]:
    """The row filters that decide in this position; a write that reads its target obeys SELECT's, too."""
    commands = {PolicyCommand.SELECT}
    if role in (Role.INSERT, Role.UPDATE, Role.DELETE):
        commands.add(PolicyCommand(role.value.upper()))
    rules = (*policy.permissive, *policy.restrictive)
    return tuple(rule for rule in rules if any(rule.holds_for(command) for command in commands))


def _access(use: RelationUse, catalog: str) -> ObjectAccess:
    policy = use.policy
    name = use.name
    if isinstance(use.info, SystemRelation):
        name = TableName(catalog, "pg_catalog" if name.name.startswith("pg_") else "pgproxy", name.name)
    filters = _filters_of(use.role, policy) if policy is not None else ()
    return ObjectAccess(
        table=name,
        privileges=frozenset({required_privilege(use.role)}),
        row_filters=tuple(rule.name for rule in filters),
        column_masks=tuple(mask.name for mask in policy.masks.values()) if policy is not None else (),
        is_beneath=use.role is Role.VIEW_SOURCE,
    )
