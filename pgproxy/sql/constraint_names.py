"""The names that CREATE TABLE gives to constraints; the engine keeps none of them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from sqlglot import exp

from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_KINDS: Mapping[type[exp.Expr], str] = {
    exp.PrimaryKey: "p",
    exp.PrimaryKeyColumnConstraint: "p",
    exp.UniqueColumnConstraint: "u",
    exp.CheckColumnConstraint: "c",
    exp.ForeignKey: "f",
}


def given_names(tree: exp.Create, table: str) -> dict[str, str]:
    """By kind and place among those of its kind, as `pgproxy.catalog.ownership.TableMark` has them.

    Raises:
        StatementError: 42710, a name comes twice.
    """
    found: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name, constraint in _constraints(tree):
        kind = _KINDS.get(type(constraint))
        if kind is None:
            continue
        if name is not None and name in found.values():
            raise StatementError(
                f'constraint "{name}" for relation "{table}" already exists',
                sqlstate=SqlState.DUPLICATE_OBJECT,
            )
        if name is not None:
            found[f"{kind}{counts[kind]}"] = name
        counts[kind] += 1
    return found


def _constraints(tree: exp.Create) -> Iterator[tuple[str | None, exp.Expr]]:
    """Each constraint with its name, in the order in which the engine reads them."""
    for item in tree.this.expressions if isinstance(tree.this, exp.Schema) else ():
        if isinstance(item, exp.Constraint):
            yield from ((item.name or None, part) for part in item.expressions)
        elif isinstance(item, exp.ColumnDef):
            for constraint in item.args.get("constraints") or ():
                held = constraint.args.get("this")
                name = held.name if isinstance(held, exp.Identifier) else None
                yield name, constraint.args.get("kind")
        else:
            yield None, item
