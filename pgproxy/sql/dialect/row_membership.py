"""Rows in lists and queries. PostgreSQL docs, "Row and Array Comparisons".

The engine compares rows as values, where NULL equals NULL; an unknown field makes the answer unknown unless
another field decides.
"""

from sqlglot import exp

from pgproxy.sql.dialect.arrays import only_keeps_rows
from pgproxy.sql.dialect.build import call, case
from pgproxy.sql.dialect.type_rules import is_row
from pgproxy.sql.dialect.types import KnownTypes

_ALIAS = "pgproxy_rows"


def row_in(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`(a, b) IN (…)`, where false is not as good as unknown."""
    if not isinstance(node, exp.In) or not is_row(node.this) or only_keeps_rows(node):
        return node
    fields = node.this.expressions
    query = node.args.get("query")
    if query is None:
        rows = [item.unnest() for item in node.expressions]
        if not all(is_row(row) and len(row.expressions) == len(fields) for row in rows):
            return node
        tests = [_equal(fields, row.expressions) for row in rows]
        return exp.Paren(this=exp.or_(*tests, copy=False)) if tests else node
    inner = query.this if isinstance(query, exp.Subquery) else query
    return _in_query(fields, inner) if isinstance(inner, exp.Query) else node


def row_equals_query(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`(a, b) = (SELECT …)`: the fields of the one row."""
    if not isinstance(node, exp.EQ) or not is_row(node.this) or not isinstance(node.expression, exp.Subquery):
        return node
    fields = node.this.expressions
    query = node.expression.this
    if not isinstance(query, exp.Select) or len(query.expressions) != len(fields):
        return node
    return exp.Subquery(this=_over(query, _equal(fields, _columns(len(fields))), len(fields)))


def _in_query(fields: list[exp.Expr], query: exp.Expr) -> exp.Expr:
    test = _equal(fields, _columns(len(fields)))
    is_true = call("bool_or", test)
    is_unknown = call("bool_or", exp.Is(this=test.copy(), expression=exp.Null()))
    answer = case(
        (is_true, exp.Boolean(this=True)), (is_unknown, exp.Null()), default=exp.Boolean(this=False)
    )
    return exp.Subquery(this=_over(query, answer, len(fields)))


def _over(query: exp.Expr, output: exp.Expr, count: int) -> exp.Select:
    """`output` of the rows of a query, whose columns get names of ours."""
    names = [exp.to_identifier(f"c{at + 1}", quoted=True) for at in range(count)]
    alias = exp.TableAlias(this=exp.to_identifier(_ALIAS, quoted=True), columns=names)
    return exp.Select(expressions=[output], from_=exp.From(this=exp.Subquery(this=query, alias=alias)))


def _columns(count: int) -> list[exp.Expr]:
    relation = exp.to_identifier(_ALIAS, quoted=True)
    return [
        exp.Column(this=exp.to_identifier(f"c{at + 1}", quoted=True), table=relation.copy())
        for at in range(count)
    ]


def _equal(left: list[exp.Expr], right: list[exp.Expr]) -> exp.Expr:
    tests = [
        exp.EQ(this=exp.Paren(this=one.copy()), expression=exp.Paren(this=other.copy()))
        for one, other in zip(left, right, strict=True)
    ]
    return exp.Paren(this=exp.and_(*tests, copy=False))
