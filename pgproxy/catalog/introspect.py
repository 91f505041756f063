"""Read what exists from the engine: every relation of every attached catalog.

Blocking; called in an executor.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from pgproxy.catalog.constraints import RawConstraint, name_constraints
from pgproxy.catalog.declared_types import split_declared
from pgproxy.catalog.ownership import SCHEMA_MARK, split_comment
from pgproxy.catalog.sequences import (
    ALWAYS,
    BY_DEFAULT,
    SequenceInfo,
    read_sequence_comment,
    sequence_of_default,
)
from pgproxy.catalog.sizes import estimated_sizes, used_bytes
from pgproxy.catalog.snapshot import ColumnInfo, ConstraintInfo, RelationKind, TableInfo
from pgproxy.catalog.view_queries import read_view
from pgproxy.policy.model import TableName

_TableKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index made by CREATE INDEX; those behind keys are made from the constraints.

    Columns: in index order.
    """

    name: str
    table: TableName
    columns: tuple[str, ...]
    is_unique: bool


@dataclass(frozen=True, slots=True)
class EnumInfo:
    """A named enum type; labels in order."""

    name: TableName
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CatalogContents:
    """All that exists in the attached catalogs. schemas: (catalog, schema) with `public` for `main`.

    catalogs: by name, whether it is read-only. comments: of schemas and catalogs, by path. schema_owners: who
    made a schema, if no administrator did.
    """

    catalogs: Mapping[str, bool] = field(default_factory=dict)
    schemas: frozenset[tuple[str, str]] = frozenset()
    tables: Mapping[TableName, TableInfo] = field(default_factory=dict)
    indexes: tuple[IndexInfo, ...] = ()
    sequences: tuple[SequenceInfo, ...] = ()
    enums: tuple[EnumInfo, ...] = ()
    comments: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    schema_owners: Mapping[tuple[str, str], str] = field(default_factory=dict)


def introspect(
    connection: duckdb.DuckDBPyConnection,
    catalogs: Sequence[str],
    of_files: frozenset[str] = frozenset(),
) -> CatalogContents:
    """Read the named catalogs. `main` is shown as `public`.

    of_files: catalogs whose views are ours, over files: to everybody they are tables, and no path is shown.

    Raises:
        duckdb.Error: the engine could not read a catalog.
    """
    names = list(catalogs)
    databases = _rows(
        connection, "duckdb_databases()", "database_name, readonly, comment", names, "NOT internal"
    )
    schemas = _rows(
        connection, "duckdb_schemas()", "database_name, schema_name, comment", names, "NOT internal"
    )
    columns = _columns(connection, names)
    tables = _tables(connection, names, columns) | _views(connection, names, columns)
    marks = {name: tables.pop(name) for name in list(tables) if name.name == SCHEMA_MARK}
    tables = {name: _as_table(info) if name.catalog in of_files else info for name, info in tables.items()}
    sizes = estimated_sizes(tables, used_bytes(connection))
    tables = {name: replace(info, estimated_bytes=sizes.get(name, 0)) for name, info in tables.items()}
    shown = {(catalog, _shown(schema)) for catalog, schema, _ in schemas}
    comments: dict[tuple[str, ...], str] = {(name,): comment for name, _, comment in databases if comment}
    comments |= {(catalog, _shown(schema)): comment for catalog, schema, comment in schemas if comment}
    sequences = _sequences(connection, names)
    tables = dict(_with_identities(tables, sequences))
    indexes = _indexes(connection, names)
    for index in indexes:
        if index.is_unique and index.table in tables:
            info = tables[index.table]
            unique = (*info.unique_indexes, (index.name, index.columns))
            tables[index.table] = replace(info, unique_indexes=unique)
    return CatalogContents(
        catalogs={name: is_read_only for name, is_read_only, _ in databases},
        schemas=frozenset(shown | {(catalog, "public") for catalog, _, _ in databases}),
        tables={name: tables[name] for name in sorted(tables)},
        indexes=indexes,
        sequences=sequences,
        enums=_enums(connection, names),
        comments=comments,
        schema_owners={name[:2]: mark.owner for name, mark in marks.items() if mark.owner is not None},
    )


def _as_table(info: TableInfo) -> TableInfo:
    return replace(info, kind=RelationKind.TABLE, view_sql=None, is_read_only=True)


def _rows(
    connection: duckdb.DuckDBPyConnection, source: str, columns: str, catalogs: list[str], where: str = "true"
) -> list[tuple[Any, ...]]:
    statement = (
        f"SELECT {columns} FROM {source} WHERE {where} AND list_contains($1, database_name) ORDER BY ALL"
    )
    return connection.execute(statement, [catalogs]).fetchall()


def _shown(schema: str) -> str:
    return "public" if schema == "main" else schema


def _table_name(catalog: str, schema: str, name: str) -> TableName:
    return TableName(catalog, _shown(schema), name)


def _columns(
    connection: duckdb.DuckDBPyConnection, catalogs: list[str]
) -> Mapping[_TableKey, tuple[ColumnInfo, ...]]:
    found: dict[_TableKey, list[ColumnInfo]] = defaultdict(list)
    wanted = (
        "database_name, schema_name, table_name, column_index, column_name, data_type, is_nullable, "
        "column_default, comment"
    )
    for catalog, schema, table, _, name, data_type, nullable, default, comment in _rows(
        connection, "duckdb_columns()", wanted, catalogs, "NOT internal"
    ):
        declared, shown = split_declared(comment, data_type)
        column = ColumnInfo(name, data_type, nullable, default, shown, declared=declared)
        found[catalog, schema, table].append(column)
    return {key: tuple(columns) for key, columns in found.items()}


def _tables(
    connection: duckdb.DuckDBPyConnection,
    catalogs: list[str],
    columns: Mapping[_TableKey, tuple[ColumnInfo, ...]],
) -> dict[TableName, TableInfo]:
    constraints = _constraints(connection, catalogs)
    read_only = {
        name
        for name, flag in _rows(connection, "duckdb_databases()", "database_name, readonly", catalogs)
        if flag
    }
    wanted = "database_name, schema_name, table_name, estimated_size, comment, table_oid"
    tables: dict[TableName, TableInfo] = {}
    for catalog, schema, table, rows, comment, oid in _rows(
        connection, "duckdb_tables()", wanted, catalogs, "NOT internal AND NOT temporary"
    ):
        key = (catalog, schema, table)
        name = _table_name(*key)
        mark = split_comment(comment)
        tables[name] = TableInfo(
            name,
            RelationKind.TABLE,
            columns.get(key, ()),
            constraints=name_constraints(name, constraints.get(key, ()), mark.constraints),
            estimated_rows=max(rows or 0, 0),
            comment=mark.comment,
            is_read_only=catalog in read_only,
            owner=mark.owner,
            given_names=mark.constraints,
            engine_oid=oid or 0,
        )
    return tables


def _views(
    connection: duckdb.DuckDBPyConnection,
    catalogs: list[str],
    columns: Mapping[_TableKey, tuple[ColumnInfo, ...]],
) -> dict[TableName, TableInfo]:
    wanted = "database_name, schema_name, view_name, sql, comment, view_oid"
    views: dict[TableName, TableInfo] = {}
    for catalog, schema, view, sql, comment, oid in _rows(
        connection, "duckdb_views()", wanted, catalogs, "NOT internal AND NOT temporary"
    ):
        name = _table_name(catalog, schema, view)
        mark = read_view(sql, (catalog, schema), columns)
        views[name] = TableInfo(
            name,
            RelationKind.VIEW,
            columns.get((catalog, schema, view), ()),
            comment=comment,
            view_sql=mark.text,
            qualified_view_sql=mark.qualified,
            engine_sql=sql,
            owner=mark.owner,
            engine_oid=oid or 0,
        )
    return views


def _constraints(
    connection: duckdb.DuckDBPyConnection, catalogs: list[str]
) -> Mapping[_TableKey, list[RawConstraint]]:
    found: dict[_TableKey, list[RawConstraint]] = defaultdict(list)
    wanted = (
        "database_name, schema_name, table_name, constraint_index, constraint_type, constraint_column_names, "
        "expression, referenced_table, referenced_column_names"
    )
    for catalog, schema, table, _, kind, columns, expression, referenced, referenced_columns in _rows(
        connection, "duckdb_constraints()", wanted, catalogs
    ):
        found[catalog, schema, table].append(
            RawConstraint(
                kind, tuple(columns or ()), expression, referenced or None, tuple(referenced_columns or ())
            )
        )
    return found


def _indexes(connection: duckdb.DuckDBPyConnection, catalogs: list[str]) -> tuple[IndexInfo, ...]:
    wanted = "database_name, schema_name, table_name, index_name, is_unique, expressions"
    return tuple(
        IndexInfo(name, _table_name(catalog, schema, table), _index_columns(expressions), is_unique)
        for catalog, schema, table, name, is_unique, expressions in _rows(
            connection, "duckdb_indexes()", wanted, catalogs
        )
    )


def index_tables(contents: CatalogContents) -> Mapping[TableName, TableName]:
    """The table of each index, by the index's own name in the table's schema."""
    return {TableName(*index.table[:2], index.name): index.table for index in contents.indexes}


def _index_columns(expressions: str) -> tuple[str, ...]:
    """`[id, "Total"]` → the columns; an expression stays as its text."""
    parts = re.findall(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'|[^,]+', expressions.strip()[1:-1])
    return tuple(
        text.strip("'").removeprefix('"').removesuffix('"').replace('""', '"')
        for text in (part.strip() for part in parts)
        if text
    )


def _sequences(connection: duckdb.DuckDBPyConnection, catalogs: list[str]) -> tuple[SequenceInfo, ...]:
    wanted = (
        "database_name, schema_name, sequence_name, start_value, min_value, max_value, increment_by, "
        "cycle, comment"
    )
    found = _rows(connection, "duckdb_sequences()", wanted, catalogs, "NOT temporary")
    marks = [read_sequence_comment(row[-1]) for row in found]
    return tuple(
        SequenceInfo(
            _table_name(*path),
            mark.start if mark.start is not None else start,
            least, most, step, cycles, mark.comment, mark.owner, mark.column,
        )
        for (*path, start, least, most, step, cycles, _), mark in zip(found, marks, strict=True)
    )  # fmt: skip


def _with_identities(
    tables: Mapping[TableName, TableInfo], sequences: Sequence[SequenceInfo]
) -> Mapping[TableName, TableInfo]:
    """Say of each column that was made AS IDENTITY that it is one."""
    kinds = {info.name: info.column for info in sequences if info.column in (ALWAYS, BY_DEFAULT)}
    if not kinds:
        return tables

    def told(name: TableName, column: ColumnInfo) -> ColumnInfo:
        sequence = sequence_of_default(column.default, name)
        return column if sequence is None else replace(column, identity=kinds.get(sequence) or "")

    return {
        name: replace(info, columns=tuple(told(name, column) for column in info.columns))
        for name, info in tables.items()
    }


def _enums(connection: duckdb.DuckDBPyConnection, catalogs: list[str]) -> tuple[EnumInfo, ...]:
    wanted = "database_name, schema_name, type_name, labels"
    return tuple(
        EnumInfo(_table_name(catalog, schema, name), tuple(labels))
        for catalog, schema, name, labels in _rows(
            connection, "duckdb_types()", wanted, catalogs, "NOT internal AND logical_type = 'ENUM'"
        )
        if labels
    )


def constraint_columns(table: TableInfo, constraint: ConstraintInfo) -> tuple[int, ...]:
    """The attnums that a constraint names, in its order."""
    numbers = {column.name: number for number, column in enumerate(table.columns, start=1)}
    return tuple(numbers[name] for name in constraint.columns if name in numbers)
