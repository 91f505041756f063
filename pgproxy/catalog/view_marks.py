"""What the gateway writes into a view's query: whose it is, and the query as its client wrote it. Pure.

DuckDB keeps a view as its query's text and nothing else. The mark is a common table expression that nothing
reads, under a name that no client may write (VIEW_MARK).
"""

from dataclasses import asdict, dataclass, fields

from sqlglot import exp

from pgproxy.catalog.snapshot import VIEW_MARK


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
