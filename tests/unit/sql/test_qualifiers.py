import pytest

from pgwire.errors import GatewayError
from tests.policy.world import open_world, plan, run


def test_two_relations_of_one_name_stand_in_one_from() -> None:
    sql = (
        "SELECT sales.orders.id, public.orders.label FROM sales.orders, public.orders "
        "WHERE sales.orders.id = 10 AND public.orders.id = 1"
    )
    with open_world() as connection:
        assert run(connection, plan(sql, "root")) == [(10, "HIDDEN-public-orders")]


def test_an_inner_relation_of_the_same_name_does_not_capture_the_outer_one() -> None:
    sql = (
        "SELECT (SELECT count(*) FROM public.orders WHERE public.orders.id = sales.orders.customer_id) "
        "FROM sales.orders ORDER BY sales.orders.id"
    )
    with open_world() as connection:
        assert run(connection, plan(sql, "root")) == [(1,), (1,), (0,), (0,), (0,)]


def test_a_qualified_star_means_its_own_relation() -> None:
    sql = "SELECT public.orders.* FROM sales.orders JOIN public.orders ON true LIMIT 1"
    with open_world() as connection:
        assert run(connection, plan(sql, "root")) == [(1, "HIDDEN-public-orders")]


@pytest.mark.parametrize(
    ("sql", "state", "message"),
    [
        ("SELECT orders.id FROM sales.orders, public.orders", "42P09",
         'table reference "orders" is ambiguous'),
        ("SELECT 1 FROM customers, customers", "42712", 'table name "customers" specified more than once'),
        ("SELECT 1 FROM customers a, orders a", "42712", 'table name "a" specified more than once'),
        ("SELECT 1 FROM customers, (SELECT 1) customers", "42712",
         'table name "customers" specified more than once'),
    ],
)  # fmt: skip
def test_what_could_mean_two_relations_is_refused_in_postgresqls_words(
    sql: str, state: str, message: str
) -> None:
    with pytest.raises(GatewayError) as caught:
        plan(sql, "root")
    assert (caught.value.sqlstate, caught.value.message) == (state, message)


def test_catalog_and_schema_of_a_column_may_be_written() -> None:
    with open_world() as connection:
        sql = "SELECT lake.sales.customers.name FROM customers WHERE sales.customers.id = 1"
        assert run(connection, plan(sql)) == [("ann",)]
        sql = "SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class"
        assert run(connection, plan(sql)) == [("customers",)]
