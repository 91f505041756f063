"""The whole content of the control plane as one frozen value; a change is a pure function between two.

Storage, policy files, history and the policy that the planner sees are all derived from `ControlState`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from pgproxy.control.api_keys import ApiKey
from pgproxy.control.fleet import Assignment, CatalogSource, Endpoint
from pgproxy.control.hba import HbaRule
from pgproxy.control.mask_library import expand_value
from pgproxy.control.rollouts import Rollout
from pgproxy.policy.model import ColumnMask, Grant, PolicySet, Principal, RowFilter, StoredFunction, TableName


@dataclass(frozen=True, slots=True)
class TagMask:
    """A mask of every column that carries a tag.

    expression: as a ColumnMask's, with `value` for the column.
    """

    name: str
    tag: str
    expression: str
    principals: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    strictness: int = 0

    def on(self, table: TableName, column: str) -> ColumnMask:
        """The mask of one column that carries the tag."""
        return ColumnMask(
            f"{self.tag}: {self.name}",
            table,
            column,
            expand_value(self.expression, column),
            self.principals,
            self.exempt,
            self.strictness,
        )


ColumnName = tuple[TableName, str]

BoundName = tuple[TableName, str]
"""A row filter or column mask: its table and its own name, unique on that table."""


@dataclass(frozen=True, slots=True)
class ControlState:
    """Everything that is administered.

    verifiers: SCRAM verifiers in PostgreSQL's text format, by user; a user without one cannot log in.
    grants: at most one for all columns and one for single columns per principal, privilege and securable.
    row_security: tables that deny every row while no filter gives any.
    closed_databases: those on which PUBLIC does not hold CONNECT. functions: by full name.
    column_tags: what each column is tagged with. tag_masks: keyed by (tag, name).
    assignments: keyed by (principal, endpoint or pool).
    flags: settings that change while gateways run, by name, spelled as in the environment.
    api_keys: by key id. hba_rules: in order; none: one that the settings stand for.
    """

    principals: Mapping[str, Principal] = field(default_factory=dict)
    verifiers: Mapping[str, str] = field(default_factory=dict, repr=False)
    grants: frozenset[Grant] = frozenset()
    row_filters: Mapping[BoundName, RowFilter] = field(default_factory=dict)
    column_masks: Mapping[BoundName, ColumnMask] = field(default_factory=dict)
    row_security: frozenset[TableName] = frozenset()
    closed_databases: frozenset[str] = frozenset()
    functions: Mapping[TableName, StoredFunction] = field(default_factory=dict)
    column_tags: Mapping[ColumnName, frozenset[str]] = field(default_factory=dict)
    tag_masks: Mapping[tuple[str, str], TagMask] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    assignments: Mapping[tuple[str, str], Assignment] = field(default_factory=dict)
    catalogs: Mapping[str, CatalogSource] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    rollouts: Mapping[str, Rollout] = field(default_factory=dict)
    api_keys: Mapping[str, ApiKey] = field(default_factory=dict)
    hba_rules: tuple[HbaRule, ...] = ()

    def policy_set(self, epoch: int) -> PolicySet:
        """Give the part that decides who may see what, in a stable order."""
        return PolicySet(
            epoch=epoch,
            principals=self.principals,
            grants=tuple(sorted(self.grants, key=grant_key)),
            row_filters=tuple(self.row_filters[key] for key in sorted(self.row_filters)),
            column_masks=(
                *(self.column_masks[key] for key in sorted(self.column_masks)),
                *self.tagged_masks(),
            ),
            row_security=self.row_security,
            closed_databases=self.closed_databases,
            functions=self.functions,
        )

    def tagged_masks(self) -> Iterator[ColumnMask]:
        """Give the masks that columns have by their tags."""
        by_tag: dict[str, list[TagMask]] = {}
        for key in sorted(self.tag_masks):
            by_tag.setdefault(key[0], []).append(self.tag_masks[key])
        for (table, column), tags in sorted(self.column_tags.items()):
            for tag in sorted(tags):
                for mask in by_tag.get(tag, ()):
                    yield mask.on(table, column)


def grant_key(grant: Grant) -> tuple[str, str, str, str, str, bool]:
    """Identify a grant: all of it but the columns, and whether it is for single columns."""
    return (
        grant.principal,
        grant.privilege.value,
        grant.catalog,
        grant.schema or "",
        grant.table or "",
        grant.columns is not None,
    )


def merge_grants(grants: Iterable[Grant]) -> frozenset[Grant]:
    """Join grants of one key: their columns are added up."""
    merged: dict[tuple[str, str, str, str, str, bool], Grant] = {}
    for grant in grants:
        key = grant_key(grant)
        known = merged.get(key)
        if known is None or grant.columns is None or known.columns is None:
            merged[key] = grant
        else:
            merged[key] = replace(grant, columns=known.columns | grant.columns)
    return frozenset(merged.values())
