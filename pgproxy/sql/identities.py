"""Columns GENERATED ALWAYS AS IDENTITY get no value from a statement. PostgreSQL docs, "Identity Columns"."""

from sqlglot import exp

from pgproxy.catalog.sequences import ALWAYS
from pgproxy.catalog.snapshot import TableInfo
from pgproxy.sql.authorise import written_columns
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState


def is_default(value: exp.Expr) -> bool:
    """Whether a value is the word DEFAULT."""
    return isinstance(value, exp.Var) and value.name.upper() == "DEFAULT"


def check_identities(tree: exp.Expr, table: TableInfo) -> None:
    """Raises: 428C9, a value is given that is not DEFAULT."""
    always = {column.name.lower() for column in table.columns if column.identity == ALWAYS}
    if not always or not isinstance(tree, (exp.Insert, exp.Update)):
        return
    if isinstance(tree, exp.Update):
        assigned = [
            (item.this.name, item.expression) for item in tree.expressions if isinstance(item, exp.EQ)
        ]
        for name, value in assigned:
            if name.lower() in always and not is_default(value):
                raise _refused(name, f'column "{name}" can only be updated to DEFAULT')
        return
    for place, name in enumerate(written_columns(tree, table) or ()):
        if name.lower() in always and not _gives_default(tree.expression, place):
            raise _refused(name, f'cannot insert a non-DEFAULT value into column "{name}"')


def _gives_default(source: exp.Expr | None, place: int) -> bool:
    if source is None:
        return True
    values = source.unnest()
    if not isinstance(values, exp.Values):
        return False
    rows = [row.expressions for row in values.expressions]
    return all(place >= len(row) or is_default(row[place]) for row in rows)


def _refused(name: str, message: str) -> StatementError:
    return StatementError(
        message,
        sqlstate=SqlState.GENERATED_ALWAYS,
        detail=f'Column "{name}" is an identity column defined as GENERATED ALWAYS.',
    )
