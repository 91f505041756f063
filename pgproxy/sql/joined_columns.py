"""What FROM makes visible: the columns behind each alias, and those of `*`, in PostgreSQL's order.

PostgreSQL docs, "Joined Tables": the output of JOIN USING has the shared columns first, once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from sqlglot import exp

from pgproxy.sql.plan import NO_ORIGIN, Origin


class Output(NamedTuple):
    """A column that a relation or query gives.

    table: the alias that it is read from, empty for one that a full join makes of both sides. engine_type:
    known where there is an origin.
    """

    label: str
    table: str = ""
    origin: Origin = NO_ORIGIN
    engine_type: str = ""

    @property
    def name(self) -> str:
        """The label as names are compared."""
        return self.label.lower()


Columns: TypeAlias = Sequence[Output] | None
"""What a relation or query gives; None: how many columns there are is not known."""


@dataclass(slots=True)
class Scope:
    """One query's FROM. named: what stands behind each alias; visible: what `*` is, one entry a FROM item."""

    outer: "Scope | None"
    named: dict[str, Columns] = field(default_factory=dict)
    visible: list[Columns] = field(default_factory=list)
    indexed: tuple[int, Mapping[str, Sequence[Output]]] = field(default_factory=lambda: (0, {}))
    has_shared: bool = False
    """Whether a join shares columns: the engine's `*` then has another order than PostgreSQL's."""

    def find(self, name: str, table: str) -> Output:
        """The column that a reference means; one without an origin where that is not clear."""
        if table:
            if table in self.named:
                return _only(column for column in self.named[table] or () if column.name == name)
        else:
            found = self._by_name().get(name, ())
            if found or None in self.visible:
                return _only(found)
        return self.outer.find(name, table) if self.outer is not None else Output(name)

    def _by_name(self) -> Mapping[str, Sequence[Output]]:
        """All that is visible, by name: made anew where FROM has grown."""
        if self.indexed[0] != len(self.visible):
            index: dict[str, list[Output]] = {}
            for item in self.visible:
                for column in item or ():
                    index.setdefault(column.name, []).append(column)
            self.indexed = (len(self.visible), index)
        return self.indexed[1]

    def every(self) -> list[Output] | None:
        """What `*` stands for."""
        every: list[Output] = []
        for columns in self.visible:
            if columns is None:
                return None
            every += columns
        return every

    def join(self, left: Columns, right: Columns, join: exp.Join) -> Columns:
        """The columns of a join: first those that both sides share, then the others."""
        if left is None or right is None:
            return None
        if (join.args.get("kind") or "").upper() in ("SEMI", "ANTI"):
            return left
        names = _shared_names(left, right, join)
        if not names:
            return [*left, *right]
        self.has_shared = True
        sides = tuple({column.name: column for column in reversed(side)} for side in (left, right))
        shared = [_shared_column(name, str(join.args.get("side")), *sides) for name in names]
        return [*shared, *(column for column in (*left, *right) if column.name not in names)]


def renamed(columns: Columns, alias: exp.Expr | None) -> Columns:
    """The columns under the names that an alias gives them."""
    if columns is None:
        return None
    names = [name.name for name in alias.columns] if isinstance(alias, exp.TableAlias) else []
    table = alias.name if isinstance(alias, exp.TableAlias) and alias.this is not None else None
    columns = [
        column._replace(label=names[at]) if at < len(names) else column for at, column in enumerate(columns)
    ]
    if table is None:
        return columns
    return [Output(column.label, table, column.origin, column.engine_type) for column in columns]


def split_commas(first: exp.Expr, joins: Sequence[exp.Join]) -> list[tuple[exp.Expr, list[exp.Join]]]:
    """FROM's items, each with its joins. A comma begins a new item: USING looks only at its own."""
    items: list[tuple[exp.Expr, list[exp.Join]]] = [(first, [])]
    for join in joins:
        if any(join.args.get(part) for part in ("on", "using", "method", "side", "kind")):
            items[-1][1].append(join)
        else:
            items.append((join.this, []))
    return items


def _shared_names(left: Sequence[Output], right: Sequence[Output], join: exp.Join) -> list[str]:
    if join.args.get("method") == "NATURAL":
        others = {column.name for column in right}
        return [column.name for column in left if column.name in others]
    return [item.name.lower() for item in join.args.get("using") or ()]


def _shared_column(name: str, side: str, left: Mapping[str, Output], right: Mapping[str, Output]) -> Output:
    """The left one, in a right join the right one, in a full join a new one."""
    found = (right if side == "RIGHT" else left).get(name, Output(name))
    return Output(found.label) if side == "FULL" else found


def _only(found: Iterable[Output]) -> Output:
    columns = list(found)
    return columns[0] if len(columns) == 1 else Output("")
