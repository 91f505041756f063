"""Which function, operator and common type PostgreSQL chooses; differential tests ask PostgreSQL itself."""

import pytest

from pgproxy.sql.dialect.calls import call_of
from pgproxy.sql.dialect.grammar import parse_source
from pgproxy.sql.typing.choice import Ambiguous, Undetermined, choose_function, choose_operator
from pgproxy.sql.typing.signatures import Signature
from pgproxy.sql.typing.types import UNKNOWN, common_type
from pgwire.errors import GatewayError
from pgwire.types import Oid, type_by_name
from tests.unit.sql.test_planner import plan

INT4_ARRAY, TEXT_ARRAY = 1007, 1009


@pytest.mark.parametrize(
    ("name", "given", "arguments", "result"),
    [
        ("abs", (UNKNOWN,), (Oid.FLOAT8,), Oid.FLOAT8),
        ("round", (UNKNOWN, Oid.INT4), (Oid.NUMERIC, Oid.INT4), Oid.NUMERIC),
        ("text", (UNKNOWN,), (Oid.TEXT,), Oid.TEXT),
        ("date", (UNKNOWN,), (Oid.TIMESTAMPTZ,), Oid.DATE),
        ("age", (UNKNOWN, Oid.TIMESTAMP), (Oid.TIMESTAMP, Oid.TIMESTAMP), Oid.INTERVAL),
        ("array_append", (UNKNOWN, Oid.INT4), (INT4_ARRAY, Oid.INT4), INT4_ARRAY),
        ("array_append", (UNKNOWN, UNKNOWN), (TEXT_ARRAY, Oid.TEXT), TEXT_ARRAY),
        ("sum", (Oid.INT4,), (Oid.INT4,), Oid.INT8),
        ("format", (UNKNOWN, Oid.INT4, Oid.DATE), (Oid.TEXT, 2276, 2276), Oid.TEXT),
    ],
)
def test_a_function_is_chosen_as_postgresql_chooses(name, given, arguments, result):
    assert choose_function(name, given) == Signature(arguments, result)


@pytest.mark.parametrize(
    ("name", "given", "arguments"),
    [
        ("-", (Oid.TIMESTAMPTZ, UNKNOWN), (Oid.TIMESTAMPTZ, Oid.TIMESTAMPTZ)),
        ("+", (Oid.DATE, UNKNOWN), None),
        ("||", (UNKNOWN, UNKNOWN), (Oid.TEXT, Oid.TEXT)),
        ("->", (Oid.JSONB, UNKNOWN), (Oid.JSONB, Oid.TEXT)),
        ("=", (UNKNOWN, Oid.UUID), (Oid.UUID, Oid.UUID)),
        ("~", (Oid.NAME, UNKNOWN), (Oid.NAME, Oid.TEXT)),
        ("@>", (UNKNOWN, INT4_ARRAY), (INT4_ARRAY, INT4_ARRAY)),
    ],
)
def test_an_operator_is_chosen_as_postgresql_chooses(name, given, arguments):
    if arguments is None:
        with pytest.raises(Ambiguous):
            choose_operator(name, given)
        return
    chosen = choose_operator(name, given)
    assert chosen is not None
    assert chosen.arguments == arguments


def test_what_has_no_type_at_all_is_undetermined():
    with pytest.raises(Undetermined):
        choose_function("array_length", (UNKNOWN, Oid.INT4))


def test_the_common_type_is_the_one_that_the_others_become():
    assert common_type([Oid.INT4, UNKNOWN, Oid.NUMERIC]) == Oid.NUMERIC
    assert common_type([UNKNOWN, UNKNOWN]) == Oid.TEXT
    assert common_type([Oid.DATE, Oid.TIMESTAMPTZ]) == Oid.TIMESTAMPTZ
    assert common_type([Oid.INT4, Oid.TEXT]) is None


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("round(a, b)", "round", "a b"),
        ("date_trunc(a, b)", "date_trunc", "a b"),
        ("position(a in b)", "strpos", "b a"),
        ("substring(a from b for c)", "substring", "a b c"),
        ("string_agg(a, b order by c)", "string_agg", "a b"),
        ("a at time zone b", "timezone", "b a"),
        ("floor(a)", "floor", "a"),
        ("log(a, b)", "log", "a b"),
        ("now()", "now", ""),
    ],
)
def test_a_call_is_read_as_it_was_written(text, name, arguments):
    call = call_of(parse_source(f"select {text}").expressions[0])
    assert call is not None
    assert (call[0], " ".join(argument.name for argument in call[1])) == (name, arguments)


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("select $1 from sales.orders where id = $1", "int4"),
        ("select $1", "text"),
        ("select coalesce($1, amount) from sales.orders", "numeric"),
        ("select 1 from sales.orders where placed between $1 and $2", "date date"),
        ("select 1 from sales.orders where placed - $1 > $2", "date int4"),
        ("select 1 from sales.orders where id = any($1)", "_int4"),
        ("select 1 from sales.orders where id in ($1, $2) limit $3", "int4 int4 int8"),
        ("select case when $1 then $2 else 1.5 end", "bool numeric"),
        ("select $1 union all select 1", "int4"),
        ("select x + $2 from (values ($1), (2)) t (x)", "int4 int4"),
        ("with q as (select $1::date as d) select 1 from q where d < $2", "date date"),
        ("select (array[1, 2])[$1]", "int4"),
        (
            "select justify_hours($1), initcap($2), make_interval(days => $3)",
            "interval text int4",
        ),
        ("select 1 from sales.orders where (id, amount) = ($1, $2)", "int4 numeric"),
        ("select avg($1 * 1.5) over (order by $2::date), $3 is true", "numeric date bool"),
    ],
)
def test_parameters_take_their_types_from_the_first_use(text, types):
    expected = tuple(type_by_name(name).oid for name in types.split())
    assert plan(text, principal="root").parameter_oids == expected


@pytest.mark.parametrize(
    ("text", "sqlstate", "message", "position"),
    [
        ("select $1 + $2", "42725", "operator is not unique: unknown + unknown", 11),
        ("select -$1", "42725", "operator is not unique: - unknown", None),
        (
            "select generate_series($1, $2)",
            "42725",
            "function generate_series(unknown, unknown) is not unique",
            8,
        ),
        (
            "select cardinality($1)",
            "42804",
            "could not determine polymorphic type because input has type unknown",
            None,
        ),
    ],
)
def test_what_is_not_decided_is_said_in_postgresqls_words(text, sqlstate, message, position):
    with pytest.raises(GatewayError) as caught:
        plan(text, principal="root")
    error = caught.value
    assert (error.sqlstate, error.message, error.position) == (sqlstate, message, position)
