"""The shape of a statement as its writer wrote it, for EXPLAIN where the engine's plan would show a policy.

Drawn from the client's own text alone: nothing of a filter, a mask or an estimate over hidden rows can be in
it. It has the form of PostgreSQL's text plans, without costs. PostgreSQL docs, "Using EXPLAIN".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from pgproxy.sql.parse import parse_text

_STEP_WIDTH = 6


@dataclass(frozen=True, slots=True)
class Relation:
    """What a step reads or changes, as its writer named it. alias: empty if it has none."""

    parts: tuple[str, ...]
    alias: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (".".join(self.parts), self.alias)))


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a plan. depth: how many stand above it. is_of_subplan: a query of its own, named by it."""

    depth: int
    node: str
    relation: Relation | None = None
    is_of_subplan: bool = False


def outline_statement(text: str, dialect: str) -> tuple[str, ...]:
    """Lines of a plan. text: a statement that was planned before; dialect: the session's setting.

    Raises:
        StatementError: it does not parse.
    """
    return tuple(map(_drawn, outline_steps(text, dialect)))


def outline_steps(text: str, dialect: str) -> tuple[Step, ...]:
    """The same, not drawn."""
    return tuple(_statement(parse_text(text, dialect)[0], 0))


def _drawn(step: Step) -> str:
    line = f"{step.node} on {step.relation}" if step.relation is not None else step.node
    return line if step.depth == 0 else f"{' ' * ((step.depth - 1) * _STEP_WIDTH + 2)}->  {line}"


Steps = Iterator[Step]


def _statement(tree: exp.Expr, depth: int) -> Steps:
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Create)):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        word = {"Create": "Create Table As"}.get(type(tree).__name__, type(tree).__name__)
        yield Step(depth, word, _named(target))
        for source in _write_sources(tree):
            yield from _source(source, depth + 1)
        return
    yield from _query(tree, depth)


def _write_sources(tree: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(tree, (exp.Insert, exp.Create)) and tree.expression is not None:
        yield tree.expression
    if isinstance(tree, (exp.Update, exp.Delete)):
        yield tree.this
        if tree.args.get("from_") is not None:
            yield tree.args["from_"].this
        yield from tree.args.get("using") or ()


def _query(tree: exp.Expr, depth: int) -> Steps:
    for step in _tail_steps(tree):
        yield Step(depth, step)
        depth += 1
    match tree:
        case exp.SetOperation():
            yield Step(depth, "Append" if isinstance(tree, exp.Union) else f"SetOp {type(tree).__name__}")
            yield from _query(tree.this, depth + 1)
            yield from _query(tree.expression, depth + 1)
        case exp.Select():
            yield from _select(tree, depth)
        case exp.Subquery():
            yield from _query(tree.this, depth)
        case exp.Values():
            yield Step(depth, "Values Scan")
        case _:
            yield Step(depth, "Result")
    with_ = tree.args.get("with_")
    for cte in with_.expressions if with_ is not None else ():
        yield Step(depth + 1, f"CTE {cte.alias}", is_of_subplan=True)
        yield from _query(cte.this, depth + 2)


def _tail_steps(tree: exp.Expr) -> Iterator[str]:
    if tree.args.get("limit") is not None or tree.args.get("offset") is not None:
        yield "Limit"
    if tree.args.get("order") is not None:
        yield "Sort"


def _select(tree: exp.Select, depth: int) -> Steps:
    for step in _select_steps(tree):
        yield Step(depth, step)
        depth += 1
    from_ = tree.args.get("from_")
    joins = [join for join in tree.args.get("joins") or () if isinstance(join.this, exp.Expr)]
    if from_ is None:
        yield Step(depth, "Result")
    else:
        yield from _joined(from_.this, joins, depth)
    for number, nested in enumerate(_nested_queries(tree), start=1):
        yield Step(depth, f"SubPlan {number}", is_of_subplan=True)
        yield from _query(nested, depth + 1)


def _select_steps(tree: exp.Select) -> Iterator[str]:
    if tree.args.get("distinct") is not None:
        yield "Unique"
    items = [*tree.expressions, *filter(None, [tree.args.get("qualify")])]
    if any(item.find(exp.Window) is not None for item in items):
        yield "WindowAgg"
    has_aggregate = any(
        call.find_ancestor(exp.Window, exp.Select) is tree
        for item in items
        for call in item.find_all(exp.AggFunc)
    )
    if tree.args.get("group") is not None:
        yield "HashAggregate"
    elif has_aggregate or tree.args.get("having") is not None:
        yield "Aggregate"
    if tree.args.get("where") is not None:
        yield "Filter"


def _joined(first: exp.Expr, joins: list[exp.Join], depth: int) -> Steps:
    if not joins:
        yield from _source(first, depth)
        return
    last = joins[-1]
    words = [str(last.args.get(part) or "").title() for part in ("method", "side", "kind")]
    kind = " ".join(word for word in words if word and word != "Outer")
    condition = last.args.get("on") is not None or last.args.get("using")
    yield Step(depth, f"{kind or ('Inner' if condition else 'Cross')} Join")
    yield from _joined(first, joins[:-1], depth + 1)
    yield from _source(last.this, depth + 1)


def _source(source: exp.Expr, depth: int) -> Steps:
    if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
        yield Step(depth, "Scan", _named(source))
    elif isinstance(source, exp.Table):
        yield Step(depth, "Function Scan")
    elif isinstance(source, exp.Query):
        if source.alias:
            yield Step(depth, "Subquery Scan", Relation((source.alias,)))
            depth += 1
        yield from _query(source, depth)
    elif isinstance(source, exp.Lateral):
        yield from _source(source.this, depth)
    else:
        yield Step(depth, "Function Scan")


def _named(table: exp.Expr) -> Relation:
    parts = tuple(part.name for part in table.parts) if isinstance(table, exp.Table) else (table.name,)
    return Relation(parts, table.alias if table.alias != table.name else "")


def _nested_queries(tree: exp.Select) -> Iterator[exp.Expr]:
    """Subqueries of expressions, one level down."""
    skipped = {"from_", "joins", "with_"}
    for part, value in tree.args.items():
        if part in skipped:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expr):
                yield from _first_queries(item)


def _first_queries(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Query):
        yield node
        return
    for child in node.iter_expressions():
        yield from _first_queries(child)
