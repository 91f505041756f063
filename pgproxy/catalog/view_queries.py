"""A view's query as clients are shown it, and whose it is, from the text that the engine keeps. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import sqlglot
from sqlglot import exp

from pgproxy.catalog.snapshot import ColumnInfo
from pgproxy.catalog.view_layout import ViewTexts, lay_out
from pgproxy.catalog.view_marks import ViewMark, read_view_mark, take_view_mark

Columns: TypeAlias = Mapping[tuple[str, str, str], tuple[ColumnInfo, ...]]
"""By catalog, schema and name, as the engine has them."""

_CREATE_VIEW = re.compile(r"^CREATE\s+VIEW\s+.*?\bAS\s+(?=\(|SELECT\b|WITH\b|FROM\b|VALUES\b)", re.I | re.S)


def read_view(create_view: str, home: tuple[str, str], columns: Columns) -> ViewMark:
    """The query of a CREATE VIEW statement, as its client wrote it, and the owner that it names.

    In PostgreSQL's dialect where nobody wrote it here; as stored where sqlglot cannot read it.
    """
    mark = read_view_mark(create_view)
    if mark.text is not None:
        return mark
    try:
        statement = sqlglot.parse_one(create_view, read="duckdb")
        query = statement.args.get("expression") if isinstance(statement, exp.Create) else None
        if isinstance(query, exp.Query):
            take_view_mark(query)
            return replace(mark, **_written_elsewhere(query, home, columns)._asdict())
    except (sqlglot.errors.SqlglotError, RecursionError):
        pass
    return replace(mark, text=_CREATE_VIEW.sub("", create_view).rstrip("; \n"))


def _written_elsewhere(query: exp.Query, home: tuple[str, str], columns: Columns) -> ViewTexts:
    """The text of a view that DuckDB alone was told of. home: its catalog and schema."""
    known: dict[int, frozenset[str]] = {}
    for table in query.find_all(exp.Table):
        schemas = (table.db,) if table.db else (home[1], "main")
        keys = [(table.catalog or home[0], schema, table.name) for schema in schemas]
        found = next((columns[key] for key in keys if key in columns), None)
        if found is not None and not (table.args.get("joins") or table.args.get("pivots")):
            known[id(table)] = frozenset(column.name for column in found)
        if table.db == "main":
            table.set("db", exp.to_identifier("public"))
    return lay_out(query, home[0], lambda source: known.get(id(source)))
