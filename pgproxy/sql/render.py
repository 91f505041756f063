"""The tree to DuckDB's text.

Comments stripped, names quoted. Only what the planner holds as a tree is ever written.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from sqlglot import Dialect, ErrorLevel, exp
from sqlglot.errors import SqlglotError, UnsupportedError
from sqlglot.tokenizer_core import TokenType

from pgproxy.sql.draft import Draft
from pgproxy.sql.parse import too_complex
from pgproxy.sql.plan import StatementKind
from pgproxy.sql.tokens import engine_tokens
from pgwire.errors import FeatureNotSupported
from pgwire.types import Oid, engine_type_of

_SAMPLES = {
    Oid.BOOL: "true", Oid.BYTEA: "\\x00", Oid.INT8: "1", Oid.INT2: "1", Oid.INT4: "1", Oid.OID: "1",
    Oid.FLOAT4: "1",
    Oid.FLOAT8: "1", Oid.NUMERIC: "1", Oid.DATE: "2000-01-01", Oid.TIME: "00:00:00",
    Oid.TIMETZ: "00:00:00+00",
    Oid.TIMESTAMP: "2000-01-01 00:00:00", Oid.TIMESTAMPTZ: "2000-01-01 00:00:00+00", Oid.INTERVAL: "1 day",
    Oid.UUID: "00000000-0000-0000-0000-000000000000", Oid.JSON: "{}", Oid.JSONB: "{}", Oid.BIT: "1",
    Oid.VARBIT: "1",
    Oid.REGCLASS: "1", Oid.REGTYPE: "1", Oid.REGPROC: "1",
}  # fmt: skip
"""A non-null value of each type: DuckDB folds an expression over a typed NULL to INTEGER when it
describes. Of a text: `1`, which reads as a number too where a function in FROM is bound to it."""


_DUCKDB = Dialect.get_or_raise("duckdb")
"""Made once: by its name, each text would make one of its own."""


def render(draft: Draft, parameter_oids: tuple[int, ...]) -> Draft:
    """Write the statement, and its twin for Describe with samples in the place of parameters.

    Raises:
        FeatureNotSupported: the tree says what DuckDB cannot.
        StatementError: 54001, nested too deeply.
    """
    # The generator changes a tree that it does not copy; of a query's only marks on nodes are read later.
    sql = to_sql(draft.tree, copy=draft.kind is not StatementKind.SELECT)
    if draft.following:
        draft = replace(draft, following_sql=tuple(map(to_sql, draft.following)))
    shape = _returned_rows(draft.tree) or sql
    if not parameter_oids:
        return replace(draft, sql=sql, describe_sql=shape)
    described, used = _with_parameters(shape, lambda number: _sample(parameter_oids, number))
    if shape is not sql:
        _, used = _with_parameters(sql, str)
    numbers = tuple(sorted(used))
    if len(numbers) < len(parameter_oids):
        # A rule may have answered a call without its argument; the engine refuses what it is not asked for.
        places = {number: f"${place}" for place, number in enumerate(numbers, start=1)}
        sql, _ = _with_parameters(sql, places.__getitem__)
        return replace(draft, sql=sql, describe_sql=described, parameter_numbers=numbers)
    return replace(draft, sql=sql, describe_sql=described)


def _returned_rows(tree: exp.Expr) -> str | None:
    """A query of the rows that RETURNING gives: of a write that asks for the time DuckDB tells no types."""
    returning = tree.args.get("returning")
    if not isinstance(returning, exp.Returning):
        return None
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    outputs = [item.copy() for item in returning.expressions]
    query = exp.Select(expressions=outputs, from_=exp.From(this=target.copy()))
    common = tree.args.get("with_")
    if common is not None:
        query.set("with_", common.copy())
    return to_sql(query, copy=False)


def to_sql(tree: exp.Expr, *, copy: bool = True) -> str:
    """DuckDB's text of a tree. copy: leave the tree as it is, which costs more than the writing."""
    try:
        return tree.sql(
            dialect=_DUCKDB, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE, copy=copy
        )
    except RecursionError:
        raise too_complex() from None
    except (UnsupportedError, SqlglotError, ValueError):
        raise FeatureNotSupported("the statement cannot be expressed for the engine") from None


def _with_parameters(sql: str, written: Callable[[int], str]) -> tuple[str, set[int]]:
    """Write something else in the place of each `$n`. Gives the numbers that there are, too."""
    if "$" not in sql:
        return sql, set()
    pieces, done = [], 0
    used: set[int] = set()
    for token, following in pairwise(engine_tokens(sql)):
        if token.token_type is TokenType.PARAMETER and following.token_type is TokenType.NUMBER:
            number = int(following.text)
            used.add(number)
            pieces += [sql[done : token.start], written(number)]
            done = following.end + 1
    return "".join([*pieces, sql[done:]]), used


def _sample(oids: tuple[int, ...], number: int) -> str:
    """Give a constant; it stands inside a cast, and takes its type."""
    oid = oids[number - 1] if number <= len(oids) else int(Oid.TEXT)
    if engine_type_of(oid).endswith("[]"):
        return "'[]'"
    return "'" + _SAMPLES.get(Oid(oid) if oid in set(Oid) else Oid.TEXT, "1") + "'"
