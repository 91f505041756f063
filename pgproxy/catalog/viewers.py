"""Write who sees what into SYSTEM_CATALOG, and what exists for single sessions. Blocking."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pgproxy.catalog.model import CatalogModel
from pgproxy.catalog.private import PrivateObjects
from pgproxy.catalog.privileges import executable, held_privileges
from pgproxy.catalog.relations.functions import function_oids
from pgproxy.catalog.relations.principals import policy_key, policy_oids, role_oids
from pgproxy.catalog.relations.registry import CATALOG_TABLES
from pgproxy.catalog.snapshot import SYSTEM_CATALOG
from pgproxy.catalog.store import ACL_NAMES, registered, transaction
from pgproxy.catalog.visibility import EVERYBODY, Aspect, key, private_key, visible_keys
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import PolicySet


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads the catalog: a principal, or one session of it that has more than others (private)."""

    policy: EffectivePolicy
    policy_set: PolicySet
    private: PrivateObjects | None = None

    @property
    def name(self) -> str:
        """What SystemValue.VIEWER is bound to."""
        return viewer_name(self.policy, self.private)


def viewer_name(policy: EffectivePolicy, private: PrivateObjects | None) -> str:
    """What SystemValue.VIEWER is bound to."""
    return policy.fingerprint if private is None else private.view.viewer(policy)


def write_viewer(
    connection: duckdb.DuckDBPyConnection, model: CatalogModel, viewer: Viewer, stale: Sequence[str]
) -> None:
    """Publish what one viewer may see; forget the `stale` ones.

    Raises:
        duckdb.Error: nothing was changed.
    """
    own = dict(viewer.private.rows(viewer.policy, model)) if viewer.private is not None else {}
    rows = _viewer_rows(viewer, model)
    with registered(connection, rows) as names, transaction(connection):
        for name, source in names.items():
            target = f"{SYSTEM_CATALOG}.acl.{name}"
            connection.execute(
                f"DELETE FROM {target} WHERE list_contains($1, viewer)", [[viewer.name, *stale]]
            )
            connection.execute(f"INSERT INTO {target} SELECT * FROM {source}")
        if viewer.private is not None:
            _write_private(connection, viewer.private.number, own)


def _viewer_rows(viewer: Viewer, model: CatalogModel) -> dict[str, pa.Table]:
    """What stands in `acl` for a viewer: the keys that it holds, its privileges, and who it is."""
    policy, policy_set, private = viewer.policy, viewer.policy_set, viewer.private
    keys = {EVERYBODY, *_principal_keys(policy, policy_set, model)}
    functions = {oid: name for name, oid in function_oids(policy_set).items()}
    held = set(executable(policy, functions))
    if private is not None:
        keys.add(private_key(private.number))
        held.update(held_privileges(policy, private.model))
        model = private.without_gone(model)
    keys.update(visible_keys(policy, model))
    held.update(held_privileges(policy, model))
    privileges = sorted(held)
    return {
        "visible": pa.table({"viewer": [viewer.name] * len(keys), "key": pa.array(sorted(keys), pa.int64())}),
        "privilege": pa.table(
            {
                "viewer": pa.array([viewer.name] * len(privileges), pa.string()),
                "principal": pa.array([policy.principal] * len(privileges), pa.string()),
                "oid": pa.array([one.oid for one in privileges], pa.int64()),
                "attnum": pa.array([one.attnum for one in privileges], pa.int32()),
                "privilege": pa.array([one.privilege for one in privileges], pa.string()),
            }
        ),
        "viewer": pa.table(
            {
                "viewer": [viewer.name],
                "principal": [policy.principal],
                "is_admin": [policy.is_admin],
                "sees_activity": [policy.sees_activity],
            }
        ),
    }


def _write_private(connection: duckdb.DuckDBPyConnection, session: int, rows: Mapping[str, pa.Table]) -> None:
    with registered(connection, {f"own_{name}": table for name, table in rows.items()}) as names:
        _delete_private(connection, session)
        for name in rows:
            target = f"{SYSTEM_CATALOG}.pg.{name}"
            connection.execute(f"INSERT INTO {target} SELECT * FROM {names[f'own_{name}']}")


def _delete_private(connection: duckdb.DuckDBPyConnection, session: int) -> None:
    for name in CATALOG_TABLES:
        connection.execute(f"DELETE FROM {SYSTEM_CATALOG}.pg.{name} WHERE _key = {private_key(session):d}")


def forget_private(connection: duckdb.DuckDBPyConnection, session: int) -> None:
    """Take out what exists for one session alone, and its viewer."""
    with transaction(connection):
        _delete_private(connection, session)
        for name in ACL_NAMES:
            connection.execute(
                f"DELETE FROM {SYSTEM_CATALOG}.acl.{name} WHERE ends_with(viewer, $1)", [f"/{session:d}"]
            )


def _principal_keys(policy: EffectivePolicy, policy_set: PolicySet, model: CatalogModel) -> Iterator[int]:
    """Roles and policies: an admin sees all, others themselves, their groups and what applies to them."""
    for name, oid in role_oids(policy_set).items():
        if policy.sees_policy or name == policy.principal or name in policy.groups:
            yield key(oid)
    yield from (
        key(oid)
        for name, oid in function_oids(policy_set).items()
        if policy.sees_policy or policy.may_execute(name)
    )
    oids = policy_oids(policy_set)
    for row_filter in policy_set.row_filters:
        oid = oids[policy_key(row_filter)]
        relation = model.relations.get(row_filter.table)
        table = policy.table(row_filter.table, relation.table.owner if relation is not None else None)
        if policy.sees_policy:
            yield key(oid, Aspect.DEFINITION)
        elif table.is_visible and row_filter in (*table.permissive, *table.restrictive):
            yield key(oid, Aspect.NO_DEFINITION)
