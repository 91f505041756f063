"""Row level security without filters, and privileges on containers: neither shows a thing."""

import pytest

from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import Grant, PolicySet, Principal, PrincipalKind, Privilege, RowFilter, TableName

ORDERS = TableName("demo", "sales", "orders")
ANN = {"ann": Principal("ann", PrincipalKind.USER)}
READ = Grant("ann", Privilege.SELECT, *ORDERS)


def test_a_table_with_row_security_and_no_filter_is_filtered_by_nothing_that_permits() -> None:
    policy = effective_policy(PolicySet(1, ANN, (READ,), row_security=frozenset({ORDERS})), "ann")
    table = policy.table(ORDERS)
    assert (table.is_filtered, table.permissive) == (True, ())
    assert not policy.table(TableName("demo", "sales", "other")).is_filtered


def test_a_filter_gives_back_what_row_security_took() -> None:
    some = RowFilter("few", ORDERS, "id < 3")
    policies = PolicySet(1, ANN, (READ,), (some,), row_security=frozenset({ORDERS}))
    assert effective_policy(policies, "ann").table(ORDERS).permissive == (some,)


@pytest.mark.parametrize(
    "grant",
    [
        Grant("ann", Privilege.USAGE, "demo", "sales"),
        Grant("ann", Privilege.CREATE, "demo", "sales"),
        Grant("ann", Privilege.CONNECT, "demo"),
    ],
)
def test_a_privilege_on_a_container_shows_none_of_its_tables(grant: Grant) -> None:
    table = effective_policy(PolicySet(1, ANN, (grant,)), "ann").table(ORDERS)
    assert not table.is_visible
    assert not table.privileges
