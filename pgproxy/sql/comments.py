"""COMMENT ON a table, a view or a column of theirs. PostgreSQL docs, "COMMENT".

In front of a table's comment the engine keeps whose it is (`pgproxy.catalog.ownership`).
"""

from collections.abc import Mapping

from sqlglot import exp

from pgproxy.catalog.declared_types import declared_comment, is_declared_mark
from pgproxy.catalog.ownership import NO_NAMES, is_mark, owned_comment
from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.sql.draft import engine_name, quoted
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

COLUMN_KEY = "pgproxy_column"
"""Key of a comment's `meta`: the column that it is on."""

_KINDS = {"table": RelationKind.TABLE, "view": RelationKind.VIEW}


def plain_comment(tree: exp.Comment) -> None:
    """Let `this` be the relation, of a column's comment too.

    Raises:
        FeatureNotSupported: a comment on something else.
        StatementError: 42601, a column without its table.
    """
    kind = str(tree.args.get("kind") or "").lower()
    if kind not in (*_KINDS, "column") or not isinstance(tree.expression, exp.Literal):
        raise FeatureNotSupported(
            "a comment on this kind of object is not supported",
            hint="Tables, views and columns have comments.",
        )
    named = tree.this
    if kind == "column":
        if not isinstance(named, exp.Column) or named.args.get("table") is None:
            raise StatementError("column name must be qualified")
        parts = {
            "this": named.args["table"],
            "db": named.args.get("db"),
            "catalog": named.args.get("catalog"),
        }
        tree.meta[COLUMN_KEY] = named.this
        tree.set("this", exp.Table(**parts))


def secure_comment(tree: exp.Comment, info: TableInfo) -> None:
    """Name what the comment is on, and keep the owner that stands in front of it.

    Raises:
        StatementError: 42809 a view for a table or the reverse; 42703; 42939 a comment like the mark.
    """
    kind = str(tree.args["kind"]).lower()
    column = tree.meta.get(COLUMN_KEY)
    text: str | None = tree.expression.name or None
    if text is not None and is_mark(text):
        raise StatementError("the comment is reserved", sqlstate=SqlState.RESERVED_NAME)
    catalog, schema, name = engine_name(info.name)
    if column is None:
        if _KINDS[kind] is not info.kind:
            raise StatementError(f'"{info.name.name}" is not a {kind}', sqlstate=SqlState.WRONG_OBJECT_TYPE)
        if info.kind is RelationKind.TABLE:
            text = owned_comment(info.owner, text, info.given_names)
    else:
        path = {"table": quoted(name), "db": quoted(schema), "catalog": quoted(catalog)}
        known = _column(info, column)
        if text is not None and is_declared_mark(text):
            raise StatementError("the comment is reserved", sqlstate=SqlState.RESERVED_NAME)
        text = declared_comment(known.declared, text)
        tree.set("this", exp.Column(this=quoted(known.name), **path))
    tree.set("expression", exp.null() if text is None else exp.Literal.string(text))


def ownership_statement(
    name: tuple[str, str, str], owner: str | None, constraints: Mapping[str, str] = NO_NAMES
) -> exp.Comment:
    """What makes a new table its creator's, and names its constraints. name: the engine's."""
    catalog, schema, table = name
    return exp.Comment(
        this=exp.Table(this=quoted(table), db=quoted(schema), catalog=quoted(catalog)),
        kind="TABLE",
        expression=exp.Literal.string(owned_comment(owner, None, constraints) or ""),
    )


def type_statement(
    name: tuple[str, str, str], column: str, declared: str | None, comment: str | None
) -> exp.Comment:
    """What keeps the declared type of a column. name: the engine's, of its table."""
    catalog, schema, table = name
    kept = declared_comment(declared, comment)
    return exp.Comment(
        this=exp.Column(this=quoted(column), table=quoted(table), db=quoted(schema), catalog=quoted(catalog)),
        kind="COLUMN",
        expression=exp.null() if kept is None else exp.Literal.string(kept),
    )


def _column(info: TableInfo, written: exp.Identifier) -> ColumnInfo:
    for column in info.columns:
        if column.name.lower() == str(written.this).lower():
            return column
    raise StatementError(
        f'column "{written.this}" of relation "{info.name.name}" does not exist',
        sqlstate=SqlState.UNDEFINED_COLUMN,
    )
