"""What one principal may do: grants, row filters and masks of its own and of every group it is in, resolved.

PostgreSQL docs, "Row Security Policies" for how filters combine; the most specific mask wins: the user's own over
its groups', and among groups the strictest.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pgproxy.policy.model import ColumnMask, Grant, PolicySet, Principal, Privilege, RowFilter, TableName

_Bound = TypeVar("_Bound", RowFilter, ColumnMask)


@dataclass(frozen=True, slots=True)
class TablePolicy:
    """What one principal may do with one table.

    privileges: held on the whole table. column_privileges: held on single columns besides.
    is_filtered: the table has a filter for somebody, so a caller with no permissive filter sees no rows.
    """

    privileges: frozenset[Privilege] = frozenset()
    column_privileges: Mapping[str, frozenset[Privilege]] = field(default_factory=dict)
    is_filtered: bool = False
    permissive: tuple[RowFilter, ...] = ()
    restrictive: tuple[RowFilter, ...] = ()
    masks: Mapping[str, ColumnMask] = field(default_factory=dict)

    @property
    def is_visible(self) -> bool:
        """Whether the principal may know that the table exists: it holds some privilege on it."""
        return bool(self.privileges) or any(self.column_privileges.values())

    def allows(self, privilege: Privilege, column: str | None = None) -> bool:
        """Whether `privilege` is held on the table, or on `column` of it."""
        if privilege in self.privileges:
            return True
        return column is not None and privilege in self.column_privileges.get(column, frozenset())


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """What one principal may do, as of one epoch.

    groups: transitive. fingerprint: equal for equal effective policies of one principal and epoch; a plan-cache key
    and the viewer's key in system relations.
    """

    principal: str
    groups: frozenset[str]
    is_admin: bool
    attributes: Mapping[str, str]
    epoch: int
    fingerprint: str
    grants: tuple[Grant, ...] = ()
    row_filters: Mapping[TableName, tuple[RowFilter, ...]] = field(default_factory=dict)
    column_masks: Mapping[TableName, tuple[ColumnMask, ...]] = field(default_factory=dict)

    def table(self, name: TableName) -> TablePolicy:
        """Resolve the policy of one table. An admin holds every privilege and is neither filtered nor masked."""
        if self.is_admin:
            return TablePolicy(privileges=frozenset(Privilege))
        filters = self.row_filters.get(name, ())
        mine = tuple(f for f in filters if self._applies(f.principals))
        whole, by_column = self._table_privileges(name)
        return TablePolicy(
            privileges=whole,
            column_privileges=by_column,
            is_filtered=bool(filters),
            permissive=tuple(f for f in mine if not f.is_restrictive),
            restrictive=tuple(f for f in mine if f.is_restrictive),
            masks=self._masks(self.column_masks.get(name, ())),
        )

    def schema_allows(self, privilege: Privilege, catalog: str, schema: str) -> bool:
        """Whether `privilege` (USAGE, CREATE) is held on a schema or on its whole catalog."""
        return self.is_admin or any(
            g.privilege is privilege and g.catalog == catalog and g.table is None and g.schema in (None, schema)
            for g in self.grants
        )

    def _applies(self, principals: frozenset[str]) -> bool:
        return not principals or self.principal in principals or bool(principals & self.groups)

    def _table_privileges(
        self, name: TableName
    ) -> tuple[frozenset[Privilege], Mapping[str, frozenset[Privilege]]]:
        whole: set[Privilege] = set()
        by_column: dict[str, frozenset[Privilege]] = {}
        for grant in self.grants:
            if not _covers(grant, name):
                continue
            if grant.columns is None:
                whole.add(grant.privilege)
                continue
            for column in grant.columns:
                by_column[column] = by_column.get(column, frozenset()) | {grant.privilege}
        return frozenset(whole), by_column

    def _masks(self, masks: Iterable[ColumnMask]) -> Mapping[str, ColumnMask]:
        chosen: dict[str, ColumnMask] = {}
        for mask in masks:
            if self._applies(mask.exempt) and mask.exempt:
                continue
            if not self._applies(mask.principals):
                continue
            current = chosen.get(mask.column)
            if current is None or self._rank(mask) > self._rank(current):
                chosen[mask.column] = mask
        return chosen

    def _rank(self, mask: ColumnMask) -> tuple[int, int, str]:
        """The user's own binding first, then a group's, then everybody's; then the strictest; the name breaks ties."""
        if self.principal in mask.principals:
            return (2, mask.strictness, mask.name)
        return (1 if mask.principals else 0, mask.strictness, mask.name)


def effective_policy(policy_set: PolicySet, principal: str) -> EffectivePolicy:
    """Resolve what `principal` may do; an unknown principal may do nothing."""
    known = policy_set.principals.get(principal)
    groups = transitive_groups(policy_set.principals, known)
    holders = groups | {principal} if known is not None else frozenset[str]()
    return EffectivePolicy(
        principal=principal,
        groups=groups,
        is_admin=_is_admin(policy_set.principals, holders),
        attributes=known.attributes if known is not None else {},
        epoch=policy_set.epoch,
        fingerprint=hashlib.sha256(f"{policy_set.epoch}\0{principal}".encode()).hexdigest()[:32],
        grants=tuple(g for g in policy_set.grants if g.principal in holders),
        row_filters=_by_table(policy_set.row_filters),
        column_masks=_by_table(policy_set.column_masks),
    )


def transitive_groups(principals: Mapping[str, Principal], start: Principal | None) -> frozenset[str]:
    """Every group that `start` is in, directly or through other groups; cycles are harmless."""
    found: set[str] = set()
    pending = list(start.member_of) if start is not None else []
    while pending:
        name = pending.pop()
        group = principals.get(name)
        if name in found or group is None:
            continue
        found.add(name)
        pending.extend(group.member_of)
    return frozenset(found)


def _is_admin(principals: Mapping[str, Principal], holders: frozenset[str]) -> bool:
    return any(principals[name].is_admin for name in holders if name in principals)


def _covers(grant: Grant, name: TableName) -> bool:
    if grant.catalog != name.catalog:
        return False
    if grant.schema is not None and grant.schema != name.schema:
        return False
    return grant.table is None or grant.table == name.name


def _by_table(items: Iterable[_Bound]) -> Mapping[TableName, tuple[_Bound, ...]]:
    found: dict[TableName, tuple[_Bound, ...]] = {}
    for item in items:
        found[item.table] = (*found.get(item.table, ()), item)
    return found
