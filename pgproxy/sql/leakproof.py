"""Which of the client's predicates may run on rows that a filter hides, because they can tell nothing of them."""

from dataclasses import dataclass

from sqlglot import exp

from pgproxy.policy.effective import TablePolicy
from pgproxy.sql.draft import Draft, RelationUse


@dataclass(slots=True)
class LeakproofPredicates:
    """Analysis of one statement."""

    draft: Draft

    def needs_barrier(self, policy: TablePolicy) -> bool:
        """Whether a filtered derived table needs OFFSET 0."""
        return True

    def pushable(self, node: exp.Table, use: RelationUse) -> exp.Expr | None:
        """The leakproof conjuncts of the WHERE over this relation, over raw columns."""
        return None
