"""What the gateway writes into a view's query: whose it is, and the query as its client wrote it. Pure.

DuckDB keeps a view as its query's text and nothing else. The mark is a common table expression that nothing
reads, under a name that no client may write (VIEW_MARK).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from pgproxy.catalog.snapshot import VIEW_MARK

NOBODY = ""
"""Owns the views whose mark cannot be read: no role has this name."""


@dataclass(frozen=True, slots=True)
class ViewMark:
    """What a mark says.

    owner: None: an administrator's. text: None: the engine's own is all there is. qualified: the same with
    the schema `public` written out; None: it names nothing in it.
    """

    owner: str | None = None
    text: str | None = None
    qualified: str | None = None


def set_view_mark(query: exp.Query, mark: ViewMark) -> None:
    """Write a mark into a query that has none."""
    facts = [
        exp.alias_(exp.Literal.string(value), name, quoted=True)
        for name, value in asdict(mark).items()
        if value is not None
    ]
    if not facts:
        return
    alias = exp.TableAlias(this=exp.to_identifier(VIEW_MARK, quoted=True))
    with_ = query.args.get("with_") or exp.With(expressions=[])
    with_.set("expressions", [exp.CTE(this=exp.Select(expressions=facts), alias=alias), *with_.expressions])
    query.set("with_", with_)


def take_view_mark(query: exp.Expr) -> ViewMark:
    """Take the mark out of a view's query, and read it; an empty one where there is none."""
    with_ = query.args.get("with_")
    first = with_.expressions[0] if isinstance(with_, exp.With) and with_.expressions else None
    if with_ is None or first is None or first.alias != VIEW_MARK:
        return ViewMark()
    facts = {item.alias: item.unalias().name for item in first.this.expressions}
    first.pop()
    if not with_.expressions:
        query.set("with_", None)
    return ViewMark(**{field.name: facts[field.name] for field in fields(ViewMark) if field.name in facts})


def read_view_mark(create_view: str) -> ViewMark:
    """Read the mark at the front of a CREATE VIEW statement that the engine keeps, however deep its query is.

    Without one, an empty mark. A view that names the mark in any other way belongs to nobody.
    """
    try:
        tokens = sqlglot.tokenize(create_view, read="duckdb")
    except sqlglot.errors.SqlglotError:
        return ViewMark(owner=NOBODY if VIEW_MARK in create_view else None)
    for at, token in enumerate(tokens):
        if token.text == VIEW_MARK and token.token_type is not TokenType.STRING:
            facts = _facts(tokens[at + 1 :])
            return ViewMark(**facts) if facts is not None else ViewMark(owner=NOBODY)
    return ViewMark()


def _facts(tokens: Sequence[Token]) -> dict[str, str] | None:
    """Read `AS (SELECT 'value' AS "name", …)`; None: it is anything else."""
    kinds = [token.token_type for token in tokens[:3]]
    facts: dict[str, str] = {}
    if kinds != [TokenType.ALIAS, TokenType.L_PAREN, TokenType.SELECT]:
        return None
    known = {field.name for field in fields(ViewMark)}
    for at in range(3, len(tokens) - 3, 4):
        value, alias, name, end = tokens[at : at + 4]
        is_fact = value.token_type is TokenType.STRING and alias.token_type is TokenType.ALIAS
        if not is_fact or name.text not in known:
            return None
        facts[name.text] = value.text
        if end.token_type is not TokenType.COMMA:
            return facts if end.token_type is TokenType.R_PAREN else None
    return None
