"""Write system relations into SYSTEM_CATALOG: in bulk, as Arrow tables, each change in one transaction.

Blocking.
"""

from collections.abc import Iterator, Mapping
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
from pgproxy.catalog.relations.derived import RELATION_VIEW, view_statement
from pgproxy.catalog.relations.functions import callable_oids
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
from pgproxy.policy.model import PolicySet

_ACL_TABLES = (
    f"CREATE TABLE {SYSTEM_CATALOG}.acl.visible (viewer VARCHAR, key BIGINT)",
    f"CREATE TABLE {SYSTEM_CATALOG}.acl.viewer (viewer VARCHAR, principal VARCHAR, is_admin BOOLEAN, "
    "sees_activity BOOLEAN)",
    f"CREATE TABLE {SYSTEM_CATALOG}.acl.privilege "
    "(viewer VARCHAR, principal VARCHAR, oid BIGINT, attnum INTEGER, privilege VARCHAR)",
    f"CREATE TABLE {SYSTEM_CATALOG}.acl.callable (oid BIGINT)",
)
ACL_NAMES = ("visible", "viewer", "privilege")

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
    with registered(connection, {f"{schema}__{name}": rows}) as names, transaction(connection):
        source = f"SELECT {columns} FROM {names[f'{schema}__{name}']}"
        connection.execute(
            f"INSERT INTO {target} {source}" if is_more else f"CREATE OR REPLACE TABLE {target} AS {source}"
        )


def forget_rows(connection: duckdb.DuckDBPyConnection, relation: RelationKey, before: int) -> None:
    """Take the rows whose key is lower out of a live relation."""
    schema, name = physical_name(relation)
    connection.execute(f'DELETE FROM {SYSTEM_CATALOG}.{schema}."{name}" WHERE _key < {before:d}')


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
    with registered(connection, by_name) as names, transaction(connection):
        for schema, name in changed:
            source = names[f"{schema}__{name}"]
            target = f'{SYSTEM_CATALOG}.{schema}."{name}"'
            connection.execute(f"CREATE OR REPLACE TABLE {target} AS SELECT * FROM {source}")
        for name in ACL_NAMES if forget_viewers else ():
            connection.execute(f"DELETE FROM {SYSTEM_CATALOG}.acl.{name}")
    published.update(changed)


def _is_published(rows: pa.Table, before: pa.Table | None) -> bool:
    return before is not None and bool(rows.equals(before))


@contextmanager
def registered(
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
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of what is done inside, or nothing."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
