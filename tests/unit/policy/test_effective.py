"""Combining rules of grants, row filters and masks: by example, and against a plain model of the rules."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgproxy.policy.effective import EffectivePolicy, PolicyIndex, effective_policy, transitive_groups
from pgproxy.policy.model import (
    ColumnMask,
    Grant,
    PolicySet,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    TableName,
)

CUSTOMERS = TableName("demo", "sales", "customers")
ORDERS = TableName("demo", "sales", "orders")


def user(name: str, *groups: str, **more: bool) -> Principal:
    return Principal(name, PrincipalKind.USER, member_of=frozenset(groups), **more)


def group(name: str, *groups: str, **more: bool) -> Principal:
    return Principal(name, PrincipalKind.GROUP, can_login=False, member_of=frozenset(groups), **more)


def policy_set(*principals: Principal, grants=(), row_filters=(), column_masks=(), epoch=1) -> PolicySet:
    named = {principal.name: principal for principal in principals}
    return PolicySet(epoch, named, tuple(grants), tuple(row_filters), tuple(column_masks))


def row_filter(name: str, *principals: str, restrictive: bool = False) -> RowFilter:
    return RowFilter(name, CUSTOMERS, "true", frozenset(principals), restrictive)


def mask(name: str, *principals: str, exempt: tuple[str, ...] = (), strictness: int = 0) -> ColumnMask:
    return ColumnMask(name, CUSTOMERS, "email", "NULL", frozenset(principals), frozenset(exempt), strictness)


def chosen_mask(*masks: ColumnMask, principals: tuple[Principal, ...], principal: str = "ann") -> str | None:
    found = effective_policy(policy_set(*principals, column_masks=masks), principal).table(CUSTOMERS).masks
    return found["email"].name if "email" in found else None


def select_on(principal: str, schema: str | None = None, table: str | None = None, columns=None) -> Grant:
    return Grant(principal, Privilege.SELECT, "demo", schema, table, columns)


def test_groups_are_transitive_and_cycles_end() -> None:
    known = policy_set(user("ann", "a"), group("a", "b"), group("b", "c"), group("c", "a"), group("other"))
    assert effective_policy(known, "ann").groups == {"a", "b", "c"}


def test_an_unknown_group_and_a_user_posing_as_one_give_nothing() -> None:
    boss = user("boss", is_admin=True)
    known = policy_set(user("ann", "boss", "nowhere"), boss, grants=[select_on("boss"), select_on("nowhere")])
    found = effective_policy(known, "ann")
    assert (found.groups, found.is_admin, found.grants) == (frozenset(), False, ())


def test_an_unknown_principal_may_do_nothing_even_where_grants_name_it() -> None:
    found = effective_policy(policy_set(user("ann"), grants=[select_on("ghost")]), "ghost")
    assert not found.table(CUSTOMERS).is_visible
    assert not found.is_admin


@pytest.mark.parametrize("more", [{}, {"is_admin": True}])
def test_a_locked_user_may_do_nothing_in_sessions_that_are_open(more: dict[str, bool]) -> None:
    locked = user("ann", "team", can_login=False, **more)
    known = policy_set(locked, group("team", is_admin=True), grants=[select_on("ann"), select_on("team")])
    found = effective_policy(known, "ann")
    assert not found.is_admin
    assert found.groups == frozenset()
    assert not found.table(CUSTOMERS).allows(Privilege.SELECT)


def test_an_admin_through_a_group_holds_everything_and_is_neither_filtered_nor_masked() -> None:
    known = policy_set(
        user("ann", "ops"),
        group("ops", "roots"),
        group("roots", is_admin=True),
        row_filters=[row_filter("f", "ann", restrictive=True)],
        column_masks=[mask("m", "ann")],
    )
    found = effective_policy(known, "ann").table(CUSTOMERS)
    assert found.privileges == frozenset(Privilege)
    assert (found.is_filtered, found.permissive, found.restrictive, dict(found.masks)) == (False, (), (), {})


@pytest.mark.parametrize(
    ("grant", "covers"),
    [
        (select_on("ann"), True),
        (select_on("ann", "sales"), True),
        (select_on("ann", "sales", "customers"), True),
        (select_on("ann", "sales", "orders"), False),
        (select_on("ann", "hr"), False),
        (Grant("ann", Privilege.SELECT, "other"), False),
        (Grant("ann", Privilege.INSERT, "demo"), False),
        (select_on("bob"), False),
        (select_on("team", "sales"), True),
    ],
)
def test_a_grant_covers_its_securable_and_what_is_inside(grant: Grant, covers: bool) -> None:
    known = policy_set(user("ann", "team"), user("bob"), group("team"), grants=[grant])
    assert effective_policy(known, "ann").table(CUSTOMERS).allows(Privilege.SELECT) is covers


def test_column_grants_add_up_over_groups_and_do_not_reach_other_columns() -> None:
    known = policy_set(
        user("ann", "team"),
        group("team"),
        grants=[
            select_on("ann", "sales", "customers", frozenset({"id"})),
            select_on("team", "sales", "customers", frozenset({"id", "name"})),
            Grant("team", Privilege.UPDATE, "demo", "sales", "customers", frozenset({"id"})),
        ],
    )
    found = effective_policy(known, "ann").table(CUSTOMERS)
    assert found.column_privileges == {
        "id": {Privilege.SELECT, Privilege.UPDATE},
        "name": {Privilege.SELECT},
    }
    assert found.is_visible
    assert not found.allows(Privilege.SELECT)
    assert not found.allows(Privilege.SELECT, "email")
    assert found.allows(Privilege.SELECT, "name")


def test_a_schema_privilege_is_held_on_the_schema_or_its_catalog_and_not_by_a_table_grant() -> None:
    def usage(*where: str | None) -> EffectivePolicy:
        return effective_policy(
            policy_set(user("ann"), grants=[Grant("ann", Privilege.USAGE, *where)]), "ann"
        )

    assert usage("demo", "sales").schema_allows(Privilege.USAGE, "demo", "sales")
    assert usage("demo").schema_allows(Privilege.USAGE, "demo", "sales")
    assert not usage("demo", "hr").schema_allows(Privilege.USAGE, "demo", "sales")
    assert not usage("demo", "sales", "customers").schema_allows(Privilege.USAGE, "demo", "sales")
    assert not usage("demo", "sales").schema_allows(Privilege.CREATE, "demo", "sales")


def test_a_table_with_filters_is_filtered_for_those_whom_no_filter_names() -> None:
    known = policy_set(user("ann"), user("bob"), row_filters=[row_filter("f", "bob")])
    found = effective_policy(known, "ann").table(CUSTOMERS)
    assert (found.is_filtered, found.permissive, found.restrictive) == (True, (), ())
    assert not effective_policy(known, "ann").table(ORDERS).is_filtered


def test_own_group_and_everybodys_filters_apply_by_kind() -> None:
    filters = [
        row_filter("own", "ann"),
        row_filter("groups", "far"),
        row_filter("all"),
        row_filter("all_restrictive", restrictive=True),
        row_filter("not_mine", "bob"),
    ]
    known = policy_set(
        user("ann", "near"), user("bob"), group("near", "far"), group("far"), row_filters=filters
    )
    found = effective_policy(known, "ann").table(CUSTOMERS)
    assert [f.name for f in found.permissive] == ["own", "groups", "all"]
    assert [f.name for f in found.restrictive] == ["all_restrictive"]


def test_the_users_own_mask_beats_its_groups_which_beat_everybodys_in_any_order() -> None:
    principals = (user("ann", "team"), group("team"))
    masks = (mask("own", "ann"), mask("group", "team", strictness=9), mask("all", strictness=99))
    for order in permutations(masks):
        assert chosen_mask(*order, principals=principals) == "own"
    for order in permutations(masks[1:]):
        assert chosen_mask(*order, principals=principals) == "group"


def test_among_group_masks_the_strictest_wins_and_the_name_breaks_ties() -> None:
    principals = (user("ann", "a", "b"), group("a"), group("b"))
    weak, strict, tie = (
        mask("z", "a", strictness=1),
        mask("m", "b", strictness=2),
        mask("n", "a", strictness=2),
    )
    for order in permutations((weak, strict, tie)):
        assert chosen_mask(*order, principals=principals) == "n"


def test_exemption_by_name_or_group_lifts_that_mask_only() -> None:
    principals = (user("ann", "near"), group("near", "far"), group("far"))
    assert chosen_mask(mask("m", exempt=("ann",)), principals=principals) is None
    assert chosen_mask(mask("m", "near", exempt=("far",)), principals=principals) is None
    assert chosen_mask(mask("m", exempt=("ann",)), mask("n", "near"), principals=principals) == "n"
    assert chosen_mask(mask("m", exempt=("bob",)), principals=principals) == "m"


def test_a_mask_that_names_the_user_is_not_lifted_by_a_groups_exemption() -> None:
    principals = (user("ann", "team"), group("team"))
    assert chosen_mask(mask("m", "ann", exempt=("team",)), principals=principals) == "m"


def test_the_fingerprint_tells_principals_and_epochs_apart() -> None:
    first, second = policy_set(user("ann"), user("bob")), policy_set(user("ann"), user("bob"), epoch=2)
    prints = {effective_policy(s, name).fingerprint for s in (first, second) for name in ("ann", "bob")}
    assert len(prints) == 4
    assert effective_policy(first, "ann").fingerprint == effective_policy(first, "ann").fingerprint


def test_a_table_is_resolved_once() -> None:
    found = effective_policy(policy_set(user("ann"), grants=[select_on("ann")]), "ann")
    assert found.table(CUSTOMERS) is found.table(CUSTOMERS)


NAMES = st.sampled_from(["ann", "a", "b", "c"])
NAME_SETS = st.frozensets(NAMES, max_size=3)
TABLES = st.sampled_from([CUSTOMERS, ORDERS, TableName("demo", "hr", "customers")])


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    table = draw(TABLES)
    depth = draw(st.integers(0, 2))
    columns = draw(st.none() | st.frozensets(st.sampled_from(["x", "y"]), min_size=1)) if depth == 2 else None
    parts = (table.schema, table.name)[:depth]
    return Grant(draw(NAMES), draw(st.sampled_from([*Privilege][:3])), table.catalog, *parts, columns=columns)


@st.composite
def policy_sets(draw: st.DrawFn) -> PolicySet:
    memberships = {name: draw(st.frozensets(st.sampled_from("abc"))) for name in "abc"}
    principals = [group(name, *memberships[name]) for name in "abc"]
    principals.append(user("ann", *draw(st.frozensets(st.sampled_from("abc")))))
    filters = draw(
        st.lists(
            st.builds(
                RowFilter, st.text("fgh", min_size=1), TABLES, st.just("true"), NAME_SETS, st.booleans()
            ),
            max_size=4,
        )
    )
    masks = draw(
        st.lists(
            st.builds(
                ColumnMask,
                st.text("mn", min_size=1),
                TABLES,
                st.sampled_from("xy"),
                st.just("NULL"),
                NAME_SETS,
                NAME_SETS,
                st.integers(0, 2),
            ),
            max_size=4,
        )
    )
    return policy_set(
        *principals, grants=draw(st.lists(grants(), max_size=6)), row_filters=filters, column_masks=masks
    )


def reachable(known: PolicySet, name: str) -> set[str]:
    """The groups of a name, by repeating the one-step rule until nothing is new."""
    found: set[str] = set(known.principals[name].member_of)
    while True:
        more = {g for held in found for g in known.principals[held].member_of} - found
        if not more:
            return found
        found |= more


@given(policy_sets(), TABLES)
def test_every_answer_follows_from_the_plain_rules(known: PolicySet, table: TableName) -> None:
    policy = effective_policy(known, "ann")
    groups = reachable(known, "ann")
    me = groups | {"ann"}
    found = policy.table(table)
    assert policy.groups == groups == transitive_groups(known.principals, known.principals["ann"])

    for privilege in Privilege:
        for column in (None, "x", "y"):
            held = any(
                g.principal in me
                and g.privilege is privilege
                and (g.catalog, g.schema or table.schema, g.table or table.name) == table
                and (g.columns is None or column in g.columns)
                for g in known.grants
            )
            assert found.allows(privilege, column) is held

    here = [f for f in known.row_filters if f.table == table]
    mine = [f for f in here if not f.principals or f.principals & me]
    assert found.is_filtered is bool(here)
    assert list(found.permissive) == [f for f in mine if not f.is_restrictive]
    assert list(found.restrictive) == [f for f in mine if f.is_restrictive]

    for column in "xy":
        best = None
        for m in known.column_masks:
            if m.table != table or m.column != column or "ann" in m.exempt:
                continue
            level = (
                2
                if "ann" in m.principals
                else 1
                if m.principals & groups
                else 0
                if not m.principals
                else None
            )
            if level is None or (level < 2 and m.exempt & groups):
                continue
            best = max(best or (-1, 0, ""), (level, m.strictness, m.name))
        assert (best is None) is (column not in found.masks)
        if best is not None:
            assert (found.masks[column].strictness, found.masks[column].name) == best[1:]


def test_one_thousand_principals_are_resolved_within_seconds() -> None:
    principals = [user(f"u{n}", f"g{n % 50}") for n in range(1000)] + [group(f"g{n}") for n in range(50)]
    given_grants = [select_on(f"g{n % 50}", "sales", f"t{n}") for n in range(10_000)]
    filters = [RowFilter("f", TableName("demo", "sales", f"t{n}"), "true") for n in range(500)]
    index = PolicyIndex.build(policy_set(*principals, grants=given_grants, row_filters=filters))
    policies = [index.effective(f"u{n}") for n in range(1000)]
    assert all(len(policy.grants) == 200 for policy in policies)
    first = policies[0]
    visible = sum(first.table(TableName("demo", "sales", f"t{n}")).is_visible for n in range(10_000))
    assert visible == 200
