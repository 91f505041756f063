"""EXPLAIN (POLICY): which grants, row filters and masks decide a plan, by name. Never their expressions.

One sees one's own; an administrator, whom no policy binds, sees all that exist on the tables and for whom.
"""

from collections.abc import Iterator

from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import ColumnMask, Grant, PolicyCommand, RowFilter
from pgproxy.sql.plan import ObjectAccess, Plan


def report_policy(plan: Plan, policy: EffectivePolicy) -> tuple[str, ...]:
    """Lines on every relation that the plan touches."""
    if not plan.accesses:
        return ("Policy: no tables",)
    return tuple(
        line
        for access in plan.accesses
        if not access.is_beneath or policy.table(access.table).is_visible
        for line in _access_lines(access, policy)
    )


def _access_lines(access: ObjectAccess, policy: EffectivePolicy) -> Iterator[str]:
    privileges = ", ".join(sorted(access.privileges))
    yield f"Policy on {'.'.join(access.table)}: {privileges}"
    if policy.is_admin:
        yield "  Grant: administrator"
        yield from (f"  {_rule_line(rule)}" for rule in policy.filters_on(access.table))
        yield from (f"  {_mask_line(mask)}" for mask in policy.masks_on(access.table))
        return
    yield from (f"  {_grant_line(grant)}" for grant in policy.grants if _covers(grant, access))
    yield from (f"  Row Filter: {name}" for name in access.row_filters)
    if policy.table(access.table).is_filtered and not access.row_filters:
        yield "  Row Filter: none lets this principal see rows"
    masks = policy.table(access.table).masks
    for column, mask in sorted(masks.items()):
        if mask.name in access.column_masks:
            yield f"  Column Mask: {mask.name} on {column}"


def _covers(grant: Grant, access: ObjectAccess) -> bool:
    return (
        grant.privilege in access.privileges
        and grant.catalog == access.table.catalog
        and grant.schema in (None, access.table.schema)
        and grant.table in (None, access.table.name)
    )


def _grant_line(grant: Grant) -> str:
    scope = ".".join(
        [grant.catalog, grant.schema or "*", grant.table or "*"] if grant.schema else [grant.catalog]
    )
    columns = f" ({', '.join(sorted(grant.columns))})" if grant.columns is not None else ""
    return f"Grant: {grant.privilege}{columns} on {scope} to {grant.principal}"


def _rule_line(rule: RowFilter) -> str:
    kind = "Restrictive Row Filter" if rule.is_restrictive else "Row Filter"
    command = "" if rule.command is PolicyCommand.ALL else f" for {rule.command}"
    return f"{kind}: {rule.name}{command} to {', '.join(sorted(rule.principals)) or 'everybody'}"


def _mask_line(mask: ColumnMask) -> str:
    return f"Column Mask: {mask.name} on {mask.column} to {', '.join(sorted(mask.principals)) or 'everybody'}"
