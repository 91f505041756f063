"""The shape of a statement's result, bound but never executed. Blocking functions on one connection."""

import secrets

import duckdb

from execnode.engine.errors import engine_error
from execnode.statement import EngineStatement
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn, result_column

_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE_INTO"})
_EXPLAIN_COLUMNS = (("explain_key", "VARCHAR"), ("explain_value", "VARCHAR"))


def describe_statement(
    connection: duckdb.DuckDBPyConnection, statement: EngineStatement
) -> tuple[ResultColumn, ...]:
    """Bind `statement.sql`, in which the gateway has put typed samples for parameters.

    DuckDB's DESCRIBE takes queries only. A write with RETURNING is prepared instead, which binds it and shows
    the types; DuckDB shows no names there, so they come from `statement.result_columns`, else `column1`,
    `column2`, ….

    Raises:
        duckdb.Error: it does not bind.
        GatewayError: the text is not one statement.
    """
    if not statement.returns_rows:
        return ()
    parsed = connection.extract_statements(statement.sql)
    if len(parsed) != 1:
        raise engine_error(SqlState.SYNTAX_ERROR, engine_text=f"{len(parsed)} statements in one text")
    kind = parsed[0].type.name
    if kind == "EXPLAIN":
        return tuple(result_column(name, engine_type) for name, engine_type in _EXPLAIN_COLUMNS)
    if kind in _WRITES:
        return _describe_write(connection, statement)
    rows = connection.execute(f"DESCRIBE {statement.sql}").fetchall()
    return tuple(result_column(row[0], row[1]) for row in rows)


def _describe_write(
    connection: duckdb.DuckDBPyConnection, statement: EngineStatement
) -> tuple[ResultColumn, ...]:
    name = f"describe_{secrets.token_hex(8)}"
    connection.execute(f"PREPARE {name} AS {statement.sql}")
    try:
        row = connection.execute(
            "SELECT result_types FROM duckdb_prepared_statements() WHERE name = ?", [name]
        ).fetchone()
    finally:
        connection.execute(f"DEALLOCATE {name}")
    if row is None or row[0] is None:  # it asks for the time, which differs from run to run
        raise engine_error(SqlState.FEATURE_NOT_SUPPORTED, engine_text="a write of unknown result types")
    types: list[str] = row[0]
    declared = [column.name for column in statement.result_columns]
    names = declared if len(declared) == len(types) else [f"column{n}" for n in range(1, len(types) + 1)]
    return tuple(result_column(*pair) for pair in zip(names, types, strict=True))
