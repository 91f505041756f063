"""What one principal may do: grants, row filters and masks of its own and of every group it is in, resolved.

PostgreSQL docs, "Row Security Policies" for how filters combine; the most specific mask wins: the user's own
over its groups', and among groups the strictest. `PolicyIndex` is built once per policy set, an
`EffectivePolicy` once per principal and set; a table then costs one dictionary lookup.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pgproxy.policy.model import (
    WHOLE_SCOPE,
    ColumnMask,
    CredentialScope,
    Grant,
    PolicySet,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    StoredFunction,
    TableName,
    folded_name,
)

_Bound = TypeVar("_Bound", RowFilter, ColumnMask)
_Securable = tuple[str, str | None, str | None]

_NOT_ON_TABLES = frozenset({Privilege.USAGE, Privilege.CREATE, Privilege.CONNECT, Privilege.EXECUTE})

_WRITES = frozenset({Privilege.INSERT, Privilege.UPDATE})

_MAX_REMEMBERED_TABLES = 65_536
"""Bounds the memory that asking for ever new names can take; real catalogs stay far below."""


@dataclass(frozen=True, slots=True)
class TablePolicy:
    """What one principal may do with one table.

    privileges: held on the whole table. column_privileges: held on single columns besides.
    is_filtered: the table has a filter for somebody or row level security is on, so a caller with no
    permissive filter sees no rows.
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


_EVERYTHING = TablePolicy(privileges=frozenset(Privilege))
_OF_AN_OWNER = frozenset(
    {Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE, Privilege.TRUNCATE}
)


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """What one principal may do, as of one epoch.

    groups: transitive. fingerprint: equal for equal effective policies of one principal, epoch and scope; a
    plan-cache key and the viewer's key in system relations. scope: what the credential of the session
    carries; narrower than the whole, it makes nobody an administrator. holds_everything: an administrator's
    privileges on data, whatever the scope leaves of them. may_own: a locked or unknown one owns nothing.
    granted_tables: those on which anybody holds a grant of its own; whether one is for single columns.
    granted_schemas: where anybody holds a privilege on every table; None: in the whole catalog.
    granted_writers: who may write to a table by a grant on it alone.
    Tables are keyed by their folded names (`folded_name`), so that a policy holds however either is spelled.
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
    row_security: frozenset[TableName] = frozenset()
    closed_databases: frozenset[str] = frozenset()
    functions: Mapping[TableName, StoredFunction] = field(default_factory=dict)
    scope: CredentialScope = WHOLE_SCOPE
    holds_everything: bool = False
    may_administer: bool = False
    is_auditor: bool = False
    may_own: bool = False
    granted_tables: Mapping[TableName, bool] = field(default_factory=dict)
    granted_schemas: frozenset[tuple[str, str | None]] = frozenset()
    granted_writers: Mapping[TableName, frozenset[str]] = field(default_factory=dict)
    _tables: dict[tuple[TableName, bool], TablePolicy] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _grants_on: dict[_Securable, list[Grant]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def sees_activity(self) -> bool:
        """Whether it sees what others do: sessions, statements, endpoints, the history and the audit log."""
        return self.is_admin or self.is_auditor

    @property
    def sees_policy(self) -> bool:
        """Whether it sees every role and every policy's definition."""
        return self.sees_activity or self.may_administer

    @property
    def holds_columns(self) -> bool:
        """Whether any of its privileges is on single columns."""
        return any(grant.columns is not None for grant in self.grants)

    def table(self, name: TableName, owner: str | None = None) -> TablePolicy:
        """Resolve the policy of one table. owner: whose it is.

        An admin holds every privilege and is neither filtered nor masked. An owner holds every privilege, and
        is filtered and masked as others are: as with FORCE ROW LEVEL SECURITY.
        """
        is_owner = self.owns(owner)
        known = self._tables.get((name, is_owner))
        if known is None:
            known = self._resolve_table(name)
            if is_owner:
                own = {p for p in _OF_AN_OWNER if self.scope.allows(p, name.catalog)}
                known = replace(known, privileges=known.privileges | own)
            if len(self._tables) >= _MAX_REMEMBERED_TABLES:
                self._tables.clear()
            self._tables[name, is_owner] = known
        return known

    def owns(self, owner: str | None) -> bool:
        """Whether what belongs to `owner` is the principal's own, or a group's that it is in."""
        return self.may_own and owner is not None and (owner == self.principal or owner in self.groups)

    def is_ruled(self, name: TableName) -> bool:
        """Whether a filter, a mask or row level security is on the table, for whomever."""
        name = folded_name(name)
        return name in self.row_filters or name in self.column_masks or name in self.row_security

    def filters_on(self, name: TableName) -> tuple[RowFilter, ...]:
        """Every row filter on a table, for whomever."""
        return self.row_filters.get(folded_name(name), ())

    def masks_on(self, name: TableName) -> tuple[ColumnMask, ...]:
        """Every mask on a table, for whomever."""
        return self.column_masks.get(folded_name(name), ())

    def grants_columns_of(self, name: TableName) -> bool:
        """Whether anybody holds a privilege on single columns of a table."""
        return self.granted_tables.get(folded_name(name), False)

    def is_written_by_others(self, name: TableName) -> bool:
        """Whether somebody else may write to what has this name, or will have it."""
        writers = self.granted_writers.get(folded_name(name), frozenset())
        return bool(writers - self.groups - {self.principal})

    def is_reached(self, name: TableName) -> bool:
        """Whether a grant to anybody is on the table, its schema or its catalog."""
        name = folded_name(name)
        wide = {(name.catalog, None), (name.catalog, name.schema)}
        return name in self.granted_tables or not self.granted_schemas.isdisjoint(wide)

    def schema_allows(self, privilege: Privilege, catalog: str, schema: str) -> bool:
        """Whether `privilege` (USAGE, CREATE) is held on a schema or on its whole catalog."""
        if not self.scope.allows(privilege, catalog):
            return False
        return (
            self.is_admin
            or self.holds_everything
            or any(
                g.privilege is privilege
                and g.catalog == catalog
                and g.table is None
                and g.schema in (None, schema)
                for g in self.grants
            )
        )

    def is_granted_in(self, catalog: str, schema: str) -> bool:
        """Whether any privilege is held on a schema, on something in it, or on the whole catalog's data."""
        return self.scope.allows(Privilege.USAGE, catalog) and any(
            grant.catalog == catalog
            and grant.schema in (None, schema)
            and grant.privilege is not Privilege.CONNECT
            for grant in self.grants
        )

    def may_connect(self, catalog: str) -> bool:
        """Whether CONNECT is held on a database: by everybody until it is revoked from PUBLIC."""
        if not self.scope.allows(Privilege.CONNECT, catalog):
            return False
        if self.is_admin or self.holds_everything or catalog not in self.closed_databases:
            return True
        return any(g.privilege is Privilege.CONNECT and g.catalog == catalog for g in self.grants)

    def may_execute(self, function: TableName) -> bool:
        """Whether EXECUTE is held on a stored function, or on all of its schema or catalog."""
        if not self.scope.allows(Privilege.EXECUTE, function.catalog):
            return False
        if self.is_admin or self.holds_everything:
            return True
        return any(g.privilege is Privilege.EXECUTE for g in self._grants_covering(function))

    def may_use_sequence(self, sequence: TableName, owner: str | None) -> bool:
        """Whether USAGE is held on a sequence; its next value is a write."""
        if not self.scope.allows(Privilege.UPDATE, sequence.catalog):
            return False
        if self.is_admin or self.holds_everything or self.owns(owner):
            return True
        return any(
            grant.privilege is Privilege.USAGE and grant.table is not None
            for grant in self._grants_covering(sequence)
        )

    def _resolve_table(self, name: TableName) -> TablePolicy:
        if self.is_admin or self.holds_everything:
            allowed = {p for p in Privilege if self.scope.allows(p, name.catalog)}
            return _EVERYTHING if self.scope.is_whole else TablePolicy(frozenset(allowed))
        filters = self.filters_on(name)
        mine = tuple(f for f in filters if self._is_bound(f.principals))
        whole, by_column = self._table_privileges(name)
        return TablePolicy(
            privileges=whole,
            column_privileges=by_column,
            is_filtered=bool(filters) or folded_name(name) in self.row_security,
            permissive=tuple(f for f in mine if not f.is_restrictive),
            restrictive=tuple(f for f in mine if f.is_restrictive),
            masks=self._masks(self.masks_on(name)),
        )

    def _is_bound(self, principals: frozenset[str]) -> bool:
        """No principals: everybody."""
        return not principals or self.principal in principals or not self.groups.isdisjoint(principals)

    def _is_exempt(self, mask: ColumnMask) -> bool:
        """By its own name; or through a group, unless the mask names the user itself: more specific."""
        if self.principal in mask.exempt:
            return True
        return self.principal not in mask.principals and not self.groups.isdisjoint(mask.exempt)

    def _table_privileges(
        self, name: TableName
    ) -> tuple[frozenset[Privilege], Mapping[str, frozenset[Privilege]]]:
        whole: set[Privilege] = set()
        by_column: dict[str, frozenset[Privilege]] = {}
        for grant in self._grants_covering(name):
            if grant.privilege in _NOT_ON_TABLES:
                continue  # USAGE of a schema, or a function of its name, is no reason to know of a table
            if not self.scope.allows(grant.privilege, name.catalog):
                continue
            if grant.columns is None:
                whole.add(grant.privilege)
                continue
            for column in grant.columns:
                by_column[column] = by_column.get(column, frozenset()) | {grant.privilege}
        return frozenset(whole), by_column

    def _grants_covering(self, name: TableName) -> Iterator[Grant]:
        if self.grants and not self._grants_on:
            for grant in self.grants:
                self._grants_on.setdefault(_securable(grant), []).append(grant)
        name = folded_name(name)
        yield from self._grants_on.get((name.catalog, None, None), ())
        yield from self._grants_on.get((name.catalog, name.schema, None), ())
        yield from self._grants_on.get((name.catalog, name.schema, name.name), ())

    def _masks(self, masks: Iterable[ColumnMask]) -> Mapping[str, ColumnMask]:
        chosen: dict[str, ColumnMask] = {}
        for mask in masks:
            if self._is_exempt(mask) or not self._is_bound(mask.principals):
                continue
            column = mask.column.lower()
            current = chosen.get(column)
            if current is None or self._rank(mask) > self._rank(current):
                chosen[column] = mask
        return {mask.column: mask for mask in chosen.values()}

    def _rank(self, mask: ColumnMask) -> tuple[int, int, str]:
        """The user's own binding, then a group's, then everybody's.

        The strictest of them; the name breaks ties.
        """
        if self.principal in mask.principals:
            return (2, mask.strictness, mask.name)
        return (1 if mask.principals else 0, mask.strictness, mask.name)


@dataclass(frozen=True, slots=True)
class PolicyIndex:
    """A policy set by principal and by table: resolving one of many principals reads its own part only."""

    policy_set: PolicySet
    grants: Mapping[str, tuple[Grant, ...]]
    row_filters: Mapping[TableName, tuple[RowFilter, ...]]
    column_masks: Mapping[TableName, tuple[ColumnMask, ...]]
    granted_tables: Mapping[TableName, bool] = field(default_factory=dict)
    granted_schemas: frozenset[tuple[str, str | None]] = frozenset()
    row_security: frozenset[TableName] = frozenset()
    granted_writers: Mapping[TableName, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def build(cls, policy_set: PolicySet) -> "PolicyIndex":
        """Read the whole set once."""
        grants: dict[str, list[Grant]] = {}
        for grant in policy_set.grants:
            grants.setdefault(grant.principal, []).append(grant)
        return cls(
            policy_set,
            {name: tuple(held) for name, held in grants.items()},
            _by_table(policy_set.row_filters),
            _by_table(policy_set.column_masks),
            _granted_tables(policy_set.grants),
            frozenset(
                _securable(grant)[:2]
                for grant in policy_set.grants
                if grant.table is None and grant.privilege not in _NOT_ON_TABLES
            ),
            frozenset(map(folded_name, policy_set.row_security)),
            _granted_writers(policy_set.grants),
        )

    def effective(self, principal: str, scope: CredentialScope = WHOLE_SCOPE) -> EffectivePolicy:
        """Resolve what `principal` may do with a credential of `scope`; unknown or locked: nothing."""
        principals, epoch = self.policy_set.principals, self.policy_set.epoch
        known = principals.get(principal)
        if known is not None and known.kind is PrincipalKind.USER and not known.can_login:
            known = None
        own_groups = transitive_groups(principals, known)
        duties = [principals[n] for n in own_groups | {principal}] if known is not None else []
        is_admin = any(holder.is_admin for holder in duties)
        if known is not None and scope.groups:
            known = replace(known, member_of=known.member_of | scope.groups)
        groups = transitive_groups(principals, known)
        holders = sorted(groups | {principal}) if known is not None else []
        return EffectivePolicy(
            principal=principal,
            groups=groups,
            is_admin=is_admin and scope.is_whole,
            attributes=known.attributes if known is not None else {},
            epoch=epoch,
            fingerprint=_fingerprint(epoch, principal, scope),
            grants=tuple(grant for name in holders for grant in self.grants.get(name, ())),
            row_filters=self.row_filters,
            column_masks=self.column_masks,
            row_security=self.row_security,
            closed_databases=self.policy_set.closed_databases,
            functions=self.policy_set.functions,
            scope=scope,
            holds_everything=is_admin,
            may_administer=scope.is_whole and any(h.is_admin or h.is_security_officer for h in duties),
            is_auditor=scope.catalogs is None and any(holder.is_auditor for holder in duties),
            may_own=known is not None,
            granted_tables=self.granted_tables,
            granted_schemas=self.granted_schemas,
            granted_writers=self.granted_writers,
        )


def effective_policy(policy_set: PolicySet, principal: str) -> EffectivePolicy:
    """Resolve one principal of a set; to resolve many of the same set, build a `PolicyIndex` once."""
    return PolicyIndex.build(policy_set).effective(principal)


def transitive_groups(principals: Mapping[str, Principal], start: Principal | None) -> frozenset[str]:
    """Every group that `start` is in, directly or through other groups; itself too in a cycle."""
    found: set[str] = set()
    pending = list(start.member_of) if start is not None else []
    while pending:
        name = pending.pop()
        group = principals.get(name)
        if name in found or group is None or group.kind is not PrincipalKind.GROUP:
            continue
        found.add(name)
        pending.extend(group.member_of)
    return frozenset(found)


def _fingerprint(epoch: int, principal: str, scope: CredentialScope) -> str:
    text = f"{epoch}\0{principal}"
    if not scope.is_whole:
        catalogs = None if scope.catalogs is None else sorted(scope.catalogs)
        text += f"\0{scope.is_read_only}{catalogs}"
    if scope.groups:
        text += f"\0groups{sorted(scope.groups)}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _by_table(items: Iterable[_Bound]) -> Mapping[TableName, tuple[_Bound, ...]]:
    found: dict[TableName, list[_Bound]] = {}
    for item in items:
        found.setdefault(folded_name(item.table), []).append(item)
    return {table: tuple(bound) for table, bound in found.items()}


def _securable(grant: Grant) -> _Securable:
    """What a grant is on, by folded names."""
    catalog, schema, table = folded_name(TableName(grant.catalog, grant.schema or "", grant.table or ""))
    return catalog, schema if grant.schema is not None else None, table if grant.table is not None else None


def _granted_tables(grants: Iterable[Grant]) -> Mapping[TableName, bool]:
    found: dict[TableName, bool] = {}
    for grant in grants:
        if grant.schema is not None and grant.table is not None and grant.privilege not in _NOT_ON_TABLES:
            name = folded_name(TableName(grant.catalog, grant.schema, grant.table))
            found[name] = found.get(name, False) or grant.columns is not None
    return found


def _granted_writers(grants: Iterable[Grant]) -> Mapping[TableName, frozenset[str]]:
    found: dict[TableName, set[str]] = {}
    for grant in grants:
        if grant.schema is not None and grant.table is not None and grant.privilege in _WRITES:
            name = folded_name(TableName(grant.catalog, grant.schema, grant.table))
            found.setdefault(name, set()).add(grant.principal)
    return {name: frozenset(writers) for name, writers in found.items()}
