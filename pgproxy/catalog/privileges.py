"""The privileges that one principal holds, by OID: what has_table_privilege and table_privileges answer from.

Pure.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pgproxy.catalog.model import CatalogModel, RelationEntry
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import Privilege, TableName

_TABLE_PRIVILEGES = (
    Privilege.SELECT,
    Privilege.INSERT,
    Privilege.UPDATE,
    Privilege.DELETE,
    Privilege.TRUNCATE,
)


class HeldPrivilege(NamedTuple):
    """attnum 0: on the whole object."""

    oid: int
    attnum: int
    privilege: str


def held_privileges(policy: EffectivePolicy, model: CatalogModel) -> Iterator[HeldPrivilege]:
    """Every privilege on a database, schema, relation or column."""
    for name, oid in model.databases.items():
        if policy.may_connect(name):
            yield HeldPrivilege(oid, 0, Privilege.CONNECT)
        if policy.schema_allows(Privilege.CREATE, name, ""):
            yield HeldPrivilege(oid, 0, Privilege.CREATE)
    # Using a relation needs no USAGE of its schema here; clients skip schemas for which it is denied.
    used = {
        name[:2]
        for name, entry in model.relations.items()
        if policy.table(name, entry.table.owner).is_visible
    }
    for path, oid in model.schemas.items():
        if path in used or policy.schema_allows(Privilege.USAGE, *path):
            yield HeldPrivilege(oid, 0, Privilege.USAGE)
        if policy.schema_allows(Privilege.CREATE, *path):
            yield HeldPrivilege(oid, 0, Privilege.CREATE)
    for info, oid in model.sequences:
        if policy.may_use_sequence(info.name, info.owner):
            yield HeldPrivilege(oid, 0, Privilege.USAGE)
    for relation in model.relations.values():
        yield from _on_relation(policy, relation)


def executable(policy: EffectivePolicy, functions: Mapping[int, TableName]) -> Iterator[HeldPrivilege]:
    """EXECUTE on stored functions. functions: by OID."""
    for oid, name in functions.items():
        if policy.may_execute(name):
            yield HeldPrivilege(oid, 0, Privilege.EXECUTE)


def _on_relation(policy: EffectivePolicy, relation: RelationEntry) -> Iterator[HeldPrivilege]:
    table = policy.table(relation.table.name, relation.table.owner)
    for privilege in _TABLE_PRIVILEGES:
        if privilege in table.privileges:
            yield HeldPrivilege(relation.oid, 0, privilege)
    if not table.column_privileges:
        return
    for attnum, column in enumerate(relation.table.columns, start=1):
        for privilege in sorted(table.column_privileges.get(column.name, frozenset()) - table.privileges):
            yield HeldPrivilege(relation.oid, attnum, privilege)
