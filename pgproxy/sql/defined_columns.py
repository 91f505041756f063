"""The columns of a new table or view: no name twice. PostgreSQL source: DefineRelation."""

from collections import Counter

from sqlglot import exp

from pgproxy.sql.dialect.names import output_names
from pgproxy.sql.plan import StatementKind
from pgproxy.sql.utility.scan import fold_identifier
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState


def check_columns(tree: exp.Expr, kind: StatementKind) -> None:
    """Check the names that are written, or that a query without stars gives.

    Raises:
        StatementError: 42701, a name comes twice.
    """
    if kind not in (StatementKind.CREATE_TABLE, StatementKind.CREATE_VIEW):
        return
    given = [_name(item) for item in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
    query = tree.args.get("expression")
    made = output_names(query) if isinstance(query, exp.Query) else None
    names = [name for name in (*given, *(made or ())[len(given) :]) if name]
    for name, count in Counter(names).items():
        if count > 1:
            raise StatementError(
                f'column "{name}" specified more than once', sqlstate=SqlState.DUPLICATE_COLUMN
            )


def _name(item: exp.Expr) -> str:
    """A column's name; empty for what is none, such as a constraint."""
    named = item.this if isinstance(item, exp.ColumnDef) else item
    if not isinstance(named, exp.Identifier):
        return ""
    return named.name if named.args.get("quoted") else fold_identifier(named.name)
