"""Write system relations into SYSTEM_CATALOG: in bulk, as Arrow tables, each change in one transaction.

Blocking.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import duckdb
import pyarrow as pa

from pgproxy.catalog.access import ACCESS_VIEWS, granted_rows
from pgproxy.catalog.builtin import RelationKey, keyword_rows, relation_definitions
from pgproxy.catalog.functions import macro_sources, macro_statements, system_functions
from pgproxy.catalog.functions.signals import SIGNAL, BackendSignal
from pgproxy.catalog.introspect import CatalogContents
from pgproxy.catalog.model import CatalogModel, build_model
from pgproxy.catalog.privileges import executable, held_privileges
from pgproxy.catalog.relations.derived import RELATION_VIEW, view_statement
from pgproxy.catalog.relations.functions import callable_oids, function_oids
from pgproxy.catalog.relations.principals import policy_key, policy_oids, role_oids
from pgproxy.catalog.relations.registry import (
    CATALOG_TABLES,
    LIVE_RELATIONS,
    PHYSICAL_SCHEMAS,
    POLICY_TABLES,
    derived_relation,
    fixed_rows,
    physical_name,
)
from pgproxy.catalog.snapshot import SYSTEM_CATALOG
from pgproxy.catalog.visibility import EVERYBODY, Aspect, key, visible_keys
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import PolicySet

_ACL_TABLES = (
    f"CREATE TABLE {SYSTEM_CATALOG}.acl.visible (viewer VARCHAR, key BIGINT)",
    f"CREATE TABLE {SYSTEM_CATALOG}.acl.viewer (viewer VARCHAR, principal VARCHAR, is_admin BOOLEAN, "
    "sees_activity BOOLEAN)",
    f"CREATE TABLE {SYSTEM_CATALOG}.acl.privilege "
    "(viewer VARCHAR, principal VARCHAR, oid BIGINT, attnum INTEGER, privilege VARCHAR)",
    f"CREATE TABLE {SYSTEM_CATALOG}.acl.callable (oid BIGINT)",
)
_ACL_NAMES = ("visible", "viewer", "privilege")

Published: TypeAlias = dict[tuple[str, str], pa.Table]
"""What tables of one instance hold, by schema and name."""


def install_signal(connection: duckdb.DuckDBPyConnection, signal: BackendSignal) -> None:
    """Register what pg_cancel_backend and pg_terminate_backend call. Lives as long as the connection."""
    types = ["VARCHAR", "INTEGER", "VARCHAR", "INTEGER"]
    connection.create_function(SIGNAL, signal, types, "VARCHAR", side_effects=True)  # type: ignore[arg-type]


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create everything in an instance that does not have it.

    Schemas, tables with PostgreSQL's rows, views, macros.

    Raises:
        duckdb.Error: the instance is locked down already, or has the catalog.
    """
    connection.execute(f"ATTACH ':memory:' AS {SYSTEM_CATALOG}")
    for schema in (*PHYSICAL_SCHEMAS.values(), "acl", "fn"):
        connection.execute(f"CREATE SCHEMA {SYSTEM_CATALOG}.{schema}")
    for statement in _ACL_TABLES:
        connection.execute(statement)
    empty = build_model(CatalogContents())
    tables = {**_catalog_tables(empty), **_policy_tables(PolicySet(epoch=0), empty)}
    for name, definition in relation_definitions().items():
        physical = physical_name(name)
        if physical not in tables and derived_relation(name) is None:
            tables[physical] = fixed_rows(definition)
    tables["pg", "_keyword"] = pa.table(dict(keyword_rows().columns))
    _replace(connection, tables, {})
    oids = list(callable_oids(system_functions()))
    connection.execute(f"INSERT INTO {SYSTEM_CATALOG}.acl.callable SELECT unnest($1::BIGINT[])", [oids])
    for name in LIVE_RELATIONS:
        write_rows(connection, name, fixed_rows(relation_definitions()[name]))
    _create_views(connection)
    for schema, relation in sorted(macro_sources()):
        _create_twin(connection, schema, relation)
    for statement in macro_statements():
        connection.execute(statement)


def _create_views(connection: duckdb.DuckDBPyConnection) -> None:
    for view in (RELATION_VIEW, *ACCESS_VIEWS):
        connection.execute(view)
    for name, definition in relation_definitions().items():
        derived = derived_relation(name)
        if derived is not None:
            connection.execute(view_statement(definition, physical_name(name), derived))


def _create_twin(connection: duckdb.DuckDBPyConnection, schema: str, relation: str) -> None:
    """A view with the same rows whose columns all begin with `m_`: what macros read."""
    described = connection.execute(f"DESCRIBE {SYSTEM_CATALOG}.{schema}.{relation}").fetchall()
    columns = ", ".join(f'"{row[0]}" AS "m_{row[0]}"' for row in described)
    connection.execute(
        f"CREATE VIEW {SYSTEM_CATALOG}.fn.m_{relation} AS SELECT {columns} FROM "
        f"{SYSTEM_CATALOG}.{schema}.{relation}"
    )


def write_catalog(
    connection: duckdb.DuckDBPyConnection, model: CatalogModel, policy_set: PolicySet, published: Published
) -> None:
    """Publish what exists. All viewers' keys go: they are of the old generation.

    published: what the instance has, and then what it has of this.

    Raises:
        duckdb.Error: nothing was changed.
    """
    tables = {**_catalog_tables(model), **_policy_tables(policy_set, model)}
    _replace(connection, tables, published, forget_viewers=True)


def write_policies(
    connection: duckdb.DuckDBPyConnection, model: CatalogModel, policy_set: PolicySet, published: Published
) -> None:
    """Publish principals and policies. All viewers' keys go: what they may see may have changed.

    published: as in `write_catalog`.

    Raises:
        duckdb.Error: nothing was changed.
    """
    _replace(connection, _policy_tables(policy_set, model), published, forget_viewers=True)


def write_viewer(
    connection: duckdb.DuckDBPyConnection,
    model: CatalogModel,
    policy_set: PolicySet,
    policy: EffectivePolicy,
    stale: Sequence[str],
) -> None:
    """Publish what one principal may see; forget the `stale` viewers.

    Raises:
        duckdb.Error: nothing was changed.
    """
    keys = sorted({EVERYBODY, *visible_keys(policy, model), *_principal_keys(policy, policy_set, model)})
    functions = {oid: name for name, oid in function_oids(policy_set).items()}
    privileges = [*held_privileges(policy, model), *executable(policy, functions)]
    viewer = policy.fingerprint
    rows = {
        "visible": pa.table({"viewer": [viewer] * len(keys), "key": pa.array(keys, pa.int64())}),
        "privilege": pa.table(
            {
                "viewer": pa.array([viewer] * len(privileges), pa.string()),
                "principal": pa.array([policy.principal] * len(privileges), pa.string()),
                "oid": pa.array([held.oid for held in privileges], pa.int64()),
                "attnum": pa.array([held.attnum for held in privileges], pa.int32()),
                "privilege": pa.array([held.privilege for held in privileges], pa.string()),
            }
        ),
        "viewer": pa.table(
            {
                "viewer": [viewer],
                "principal": [policy.principal],
                "is_admin": [policy.is_admin],
                "sees_activity": [policy.sees_activity],
            }
        ),
    }
    with _registered(connection, rows) as names, _transaction(connection):
        for name, source in names.items():
            target = f"{SYSTEM_CATALOG}.acl.{name}"
            connection.execute(f"DELETE FROM {target} WHERE list_contains($1, viewer)", [[viewer, *stale]])
            connection.execute(f"INSERT INTO {target} SELECT * FROM {source}")


def write_rows(
    connection: duckdb.DuckDBPyConnection, relation: RelationKey, rows: pa.Table, *, is_more: bool = False
) -> None:
    """Let a live relation have these rows, or these besides those that it has.

    Raises:
        duckdb.Error: nothing was changed.
    """
    schema, name = physical_name(relation)
    types = {column.name: column.engine_type for column in relation_definitions()[relation].columns}
    columns = ", ".join(
        f'CAST("{column}" AS {types[column]}) AS "{column}"' if column in types else f'"{column}"'
        for column in rows.column_names
    )
    target = f'{SYSTEM_CATALOG}.{schema}."{name}"'
    with _registered(connection, {f"{schema}__{name}": rows}) as names, _transaction(connection):
        source = f"SELECT {columns} FROM {names[f'{schema}__{name}']}"
        connection.execute(
            f"INSERT INTO {target} {source}" if is_more else f"CREATE OR REPLACE TABLE {target} AS {source}"
        )


def forget_rows(connection: duckdb.DuckDBPyConnection, relation: RelationKey, before: int) -> None:
    """Take the rows whose key is lower out of a live relation."""
    schema, name = physical_name(relation)
    connection.execute(f'DELETE FROM {SYSTEM_CATALOG}.{schema}."{name}" WHERE _key < {before:d}')


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


def _catalog_tables(model: CatalogModel) -> dict[tuple[str, str], pa.Table]:
    return {("pg", name): build(model) for name, (_, build) in CATALOG_TABLES.items()}


def _policy_tables(policy_set: PolicySet, model: CatalogModel) -> dict[tuple[str, str], pa.Table]:
    tables = {("pg", name): build(policy_set, model) for name, (_, build) in POLICY_TABLES.items()}
    return {**tables, ("acl", "granted"): granted_rows(policy_set, model)}


def _replace(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[tuple[str, str], pa.Table],
    published: Published,
    *,
    forget_viewers: bool = False,
) -> None:
    """Write those that are not published as they are: DuckDB takes milliseconds for each, however small."""
    changed = {name: rows for name, rows in tables.items() if not _is_published(rows, published.get(name))}
    by_name = {f"{schema}__{name}": rows for (schema, name), rows in changed.items()}
    with _registered(connection, by_name) as names, _transaction(connection):
        for schema, name in changed:
            source = names[f"{schema}__{name}"]
            target = f'{SYSTEM_CATALOG}.{schema}."{name}"'
            connection.execute(f"CREATE OR REPLACE TABLE {target} AS SELECT * FROM {source}")
        for name in _ACL_NAMES if forget_viewers else ():
            connection.execute(f"DELETE FROM {SYSTEM_CATALOG}.acl.{name}")
    published.update(changed)


def _is_published(rows: pa.Table, before: pa.Table | None) -> bool:
    return before is not None and bool(rows.equals(before))


@contextmanager
def _registered(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]
) -> Iterator[Mapping[str, str]]:
    """Lend Arrow tables to the connection under names of their own.

    Registering works in a locked instance too.
    """
    names = {name: f"catalog_source_{name}" for name in tables}
    try:
        for name, alias in names.items():
            connection.register(alias, tables[name])
        yield names
    finally:
        for alias in names.values():
            connection.unregister(alias)


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
