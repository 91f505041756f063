"""Which of the client's predicates may run on rows that a filter hides.

Because they can tell nothing of them.

A predicate is leakproof if it cannot fail and depends on unmasked columns and constants of one type:
comparisons, BETWEEN, IN (constants), IS NULL, LIKE with a constant pattern that has no escape, joined by AND,
OR and NOT, and a few functions that give a value for every argument. Conditions on groups and windows stay
above them. PostgreSQL marks functions LEAKPROOF for the same reason (docs, "Rules and Privileges"). If all
predicates of a statement are, the filtered tables need no barrier and the engine prunes by zone maps; if not,
the leakproof conjuncts are copied inside the barrier. The list is short on purpose: what is not on it only
costs time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from pgproxy.catalog.snapshot import SystemRelation, TableInfo
from pgproxy.sql.authorise import readable_columns
from pgproxy.sql.draft import USE_KEY, Draft, RelationUse, quoted
from pgproxy.sql.leakproof_predicates import Predicates
from pgproxy.sql.leakproof_queries import meets_no_hidden_row
from pgproxy.sql.policy_expressions import BASE_ALIAS

_JUDGED = frozenset(
    {"pivot", "lateral", "unnest", "values", "table", "select", "union", "intersect", "except"}
    | {"where", "having", "qualify", "join"}
)
"""`Expr.key` of the nodes that decide; the others of a statement only compute what these are asked for."""
_JUDGED_CLASSES = frozenset(kind for kind in vars(exp).values() if getattr(kind, "key", None) in _JUDGED)


@dataclass
class LeakproofPredicates:
    """Analysis of one statement, after translation: what is looked at is what will run."""

    draft: Draft

    @cached_property
    def _predicates(self) -> Predicates:
        return Predicates(self.draft)

    @property
    def needs_barrier(self) -> bool:
        """Whether a filtered derived table needs OFFSET 0: always, unless every predicate is leakproof.

        A filter of any shape may be moved by the optimiser; only the client's side decides.
        """
        return not self._statement_is_leakproof

    def pushable(self, node: exp.Table, use: RelationUse) -> exp.Expr | None:
        """The conjuncts of the WHERE that may run inside the barrier, over raw columns; None: none.

        Only for a relation that its query reads alone or joins inward, and only over columns that are not
        masked.
        """
        if self._statement_is_leakproof or not isinstance(use.info, TableInfo):
            return None  # then the engine moves them itself
        return self._conjuncts_on(node, use, self._raw_columns(use))

    def pushable_to_system(self, node: exp.Table, use: RelationUse) -> exp.Expr | None:
        """As `pushable`, for a system relation: `attrelid = 16384` before the guard looks at each row."""
        if self._statement_is_leakproof or not isinstance(use.info, SystemRelation):
            return None
        computed = use.info.viewer_columns
        raw = {c.name.lower(): c.name for c in use.info.columns if c.name not in computed}
        return self._conjuncts_on(node, use, raw)

    def _conjuncts_on(self, node: exp.Table, use: RelationUse, raw: dict[str, str]) -> exp.Expr | None:
        select = node.parent_select
        if not isinstance(select, exp.Select) or not _is_inner(node, select):
            return None
        where = select.args.get("where")
        if where is None:
            return None
        alone = not select.args.get("joins") and not select.args.get("laterals")
        found = []
        for conjunct in _conjuncts(where.this):
            columns = list(conjunct.find_all(exp.Column))
            mine = all(self._belongs(column, use, raw, alone=alone) for column in columns)
            if columns and mine and self._predicates.is_leakproof(conjunct):
                found.append(_over_base(conjunct.copy(), raw))
        return exp.and_(*found, copy=False) if found else None

    @cached_property
    def _statement_is_leakproof(self) -> bool:
        tree = self.draft.tree
        if self.draft.views or not isinstance(tree, exp.Query):
            return False
        return all(self._node_is_leakproof(node) for node in tree.walk() if type(node) in _JUDGED_CLASSES)

    def _node_is_leakproof(self, node: exp.Expr) -> bool:
        """Whether this node, apart from what is below it, runs nothing that may fail on a hidden row."""
        match node:
            case exp.Pivot() | exp.Lateral() | exp.Unnest() | exp.Values():
                return False
            case exp.Table():
                # A function in FROM runs on each row of what stands before it.
                return isinstance(node.this, exp.Identifier)
            case exp.Select():
                return node is self.draft.tree or meets_no_hidden_row(node, self.draft.tree)
            case exp.SetOperation():
                return self._branches_agree(node)
            case exp.Where():
                return self._predicates.is_leakproof(node.this)
            case exp.Having() | exp.Qualify():
                return self._predicates.is_leakproof(node.this, above_groups=True)
            case exp.Join():
                on = node.args.get("on")
                is_safe = not node.args.get("method") and self._using_is_safe(node)
                return is_safe and (on is None or self._predicates.is_leakproof(on))
            case _:
                return True

    def _branches_agree(self, node: exp.SetOperation) -> bool:
        """Whether no branch is cast to the type of the other: a predicate above would cast hidden values."""
        sides: list[list[str | None]] = []
        for side in (node.this, node.expression):
            query = side.unnest() if isinstance(side, exp.Subquery) else side
            while isinstance(query, exp.SetOperation):  # whose own branches agree
                query = query.this.unnest()
            if not isinstance(query, exp.Select):
                return False
            columns = [item.unalias() for item in query.expressions]
            sides.append([self._predicates.family(c) if isinstance(c, exp.Column) else None for c in columns])
        return sides[0] == sides[1] and None not in sides[0] and not node.args.get("by_name")

    def _using_is_safe(self, join: exp.Join) -> bool:
        return all(self._predicates.families.get(name.name.lower()) for name in join.args.get("using") or ())

    def _raw_columns(self, use: RelationUse) -> dict[str, str]:
        masked = {name.lower() for name in use.policy.masks} if use.policy is not None else set()
        return {name.lower(): name for name in readable_columns(use) if name.lower() not in masked}

    def _belongs(self, column: exp.Column, use: RelationUse, raw: dict[str, str], *, alone: bool) -> bool:
        if column.name.lower() not in raw or column.args.get("db") is not None:
            return False
        return column.table.lower() == use.alias.lower() if column.table else alone


def _is_inner(node: exp.Table, select: exp.Select) -> bool:
    """Whether no outer join of the query may keep rows of this relation that the WHERE would drop.

    Or add NULLs.
    """
    source = node.parent
    joins = select.args.get("joins") or []
    if source is None:
        return False
    is_direct = source is select.args.get("from_") or (source in joins and not source.args.get("side"))
    is_inward = not any(
        join.args.get("side") in ("RIGHT", "FULL")
        or join.args.get("method")
        or join.args.get("kind") in ("SEMI", "ANTI")
        for join in joins
    )
    return is_direct and is_inward and node.meta.get(USE_KEY) is not None


def _conjuncts(predicate: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(predicate, exp.And):
        yield from _conjuncts(predicate.this)
        yield from _conjuncts(predicate.expression)
    elif isinstance(predicate, exp.Paren):
        yield from _conjuncts(predicate.this)
    else:
        yield predicate


def _over_base(conjunct: exp.Expr, raw: dict[str, str]) -> exp.Expr:
    holder = exp.Paren(this=conjunct)
    for column in list(holder.find_all(exp.Column)):
        column.replace(exp.column(quoted(raw[column.name.lower()]), table=quoted(BASE_ALIAS)))
    return holder
