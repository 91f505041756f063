"""Planning with many principals, grants and filters resident, beside planning with few.

Run: `python -m benchmarks.principals [--quick]`. Aim: with 1,000 principals, 10,000 grants and 500 filters a
plan takes at most 1.2 × as long as with 10 principals, 100 grants and 5 filters: cold, cached, and the first
plan of a principal after a policy change.
"""

import statistics
import sys
import time
from collections.abc import Callable
from itertools import count

from benchmarks.machine import describe_machine, load_average
from execnode.engine.parser import serialized_tree
from pgproxy.catalog.snapshot import CatalogSnapshot, ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.current import CurrentPolicies
from pgproxy.policy.model import (
    Grant,
    PolicySet,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    TableName,
)
from pgproxy.sql.cache import PlanCache
from pgproxy.sql.plan import EngineTree, PlanContext
from pgproxy.sql.planner import plan_statement

AIM = 1.2
TABLES, GROUPS = 500, 50
ROUNDS, QUICK_ROUNDS = 300, 60
QUERY = "SELECT id, name, sum(amount) FROM sales.t0 WHERE region = 'EU' AND id > $1 GROUP BY 1, 2 ORDER BY 3"
Plan = Callable[[int], object]


def table(index: int) -> TableName:
    """The name of a table."""
    return TableName("lake", "sales", f"t{index}")


def policy_set(principals: int, grants: int, filters: int, epoch: int = 1) -> PolicySet:
    """Users in one group each; grants for users and groups in turn; a filter a table, from the first on."""
    groups = [f"g{index}" for index in range(min(GROUPS, principals))]
    people = {name: Principal(name, PrincipalKind.GROUP, can_login=False) for name in groups}
    for index in range(principals):
        member = frozenset({groups[index % len(groups)]})
        people[f"u{index}"] = Principal(f"u{index}", PrincipalKind.USER, member_of=member)
    holders = [f"u{index}" for index in range(principals)] + groups
    given = tuple(
        Grant(holders[i % len(holders)], Privilege.SELECT, *table(i // len(holders) % TABLES))
        for i in range(grants)
    )
    rules = tuple(
        RowFilter("f", table(index), "region = 'EU'", frozenset({groups[index % len(groups)]}))
        for index in range(filters)
    )
    return PolicySet(epoch, people, given, rules)


def snapshot() -> CatalogSnapshot:
    """The same catalog for both."""
    columns = tuple(
        ColumnInfo(name, kind)
        for name, kind in (
            *(("id", "INTEGER"), ("name", "VARCHAR"), ("region", "VARCHAR")),
            ("amount", "DECIMAL(12,2)"),
        )
    )
    tables = {table(i): TableInfo(table(i), RelationKind.TABLE, columns) for i in range(TABLES)}
    return CatalogSnapshot(1, "lake", tables, frozenset({("lake", "sales"), ("lake", "public")}))


def engine_tree(sql: str) -> EngineTree:
    """DuckDB's parser."""
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)


def cases(policies: PolicySet, catalog: CatalogSnapshot) -> dict[str, Plan]:
    """What is measured; each call plans once."""
    current, cache, number = CurrentPolicies(policies), PlanCache(), count()

    def context(who: str) -> PlanContext:
        return PlanContext(current.effective(who), catalog, ("public",), who, engine_tree)

    def fresh(_: int) -> object:
        current._resolved.clear()  # as after a change: every principal is resolved anew
        return plan_statement(QUERY, (), context("u0"))

    users = [name for name, p in policies.principals.items() if p.kind is PrincipalKind.USER]
    return {
        "cold plan": lambda _: plan_statement(f"{QUERY} LIMIT {next(number)}", (), context("u0")),
        "cached plan": lambda _: [cache.plan(QUERY, (), context("u0")) for _ in range(100)],
        "first plan after a change": fresh,
        "cold plans of ten users in turn": lambda i: plan_statement(QUERY, (), context(users[i % 10])),
    }


def main(arguments: list[str]) -> int:
    """Measure both sides in turn and print the ratio of their medians."""
    rounds = QUICK_ROUNDS if "--quick" in arguments else ROUNDS
    print(f"{describe_machine()}; load {load_average()}")
    catalog = snapshot()
    few, many = policy_set(10, 100, 5), policy_set(1_000, 10_000, 500)
    sides = cases(few, catalog), cases(many, catalog)
    is_met = True
    for name in sides[0]:
        readings: tuple[list[float], list[float]] = ([], [])
        for index in range(rounds):
            for side, times in zip(sides, readings, strict=True):
                began = time.perf_counter()
                side[name](index)
                times.append((time.perf_counter() - began) * 1000)
        small, large = (statistics.median(times) for times in readings)
        ratio = large / small
        is_met = is_met and ratio <= AIM
        print(
            f"{name}: {small:.3f} ms with 10 principals, {large:.3f} ms with 1,000: {ratio:.2f} x (aim {AIM})"
        )
    began = time.perf_counter()
    CurrentPolicies(many)
    print(f"taking up a new policy set of that size: {(time.perf_counter() - began) * 1000:.1f} ms")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
