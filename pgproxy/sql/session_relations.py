"""System relations whose rows are the session's own: pg_prepared_statements and pg_cursors.

The session gives its rows as one bound value, a JSON array of objects; the engine takes it apart.
"""

import json

from sqlglot import exp

from pgproxy.catalog.snapshot import SystemRelation
from pgproxy.sql.draft import BoundValues, quoted
from pgproxy.sql.plan import BoundValue
from pgproxy.sql.policy_expressions import BASE_ALIAS

_TEXT = 25
_ROW = "pgproxy_row"


def session_relation(relation: SystemRelation, key: str, bound: BoundValues) -> exp.Select:
    """The relation as a query over the session's value of this name."""
    shape = {column.name: column.engine_type for column in relation.columns}
    rows = bound.place(BoundValue(_TEXT, None, session_key=key), "VARCHAR")
    unpacked = exp.Anonymous(this="from_json", expressions=[rows, exp.Literal.string(json.dumps([shape]))])
    source = exp.Select(
        expressions=[exp.alias_(exp.Anonymous(this="unnest", expressions=[unpacked]), quoted(_ROW))]
    )
    row = exp.column(quoted(_ROW), table=quoted(BASE_ALIAS))
    columns: list[exp.Expr] = [
        exp.alias_(
            exp.Anonymous(this="struct_extract", expressions=[row.copy(), exp.Literal.string(column.name)]),
            quoted(column.name),
        )
        for column in relation.columns
    ]
    alias = exp.TableAlias(this=quoted(BASE_ALIAS))
    return exp.Select(expressions=columns, from_=exp.From(this=exp.Subquery(this=source, alias=alias)))
