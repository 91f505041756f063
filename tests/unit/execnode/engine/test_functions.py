"""The macros against plain decimal arithmetic."""

from decimal import ROUND_HALF_UP, Decimal, getcontext

import duckdb
import pytest

from execnode.engine.functions import FUNCTION_CATALOG, install_functions, macros
from pgproxy.sql.dialect import build

getcontext().prec = 90
_F = f"{FUNCTION_CATALOG}.main"


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        install_functions(connection)
        yield connection


def _weight_and_first_digit(value: Decimal) -> tuple[int, int]:
    weight, value = 0, abs(value)
    while value >= 10_000:
        value, weight = value / 10_000, weight + 1
    while 0 < value < 1:
        value, weight = value * 10_000, weight - 1
    return weight, int(value)


def _quotient(a: Decimal, b: Decimal, fewest: int) -> tuple[int, Decimal]:
    """numeric.c `select_div_scale`; the quotient itself is kept with 20 digits at most."""
    (weight, first), (other_weight, other_first) = map(_weight_and_first_digit, (a, b))
    scale = max(16 - 4 * (weight - other_weight - (first <= other_first)), fewest)
    return scale, (a / b).quantize(Decimal(1).scaleb(-min(scale, 20)), rounding=ROUND_HALF_UP)


def _decimals(scale: int, seed: int) -> list[Decimal]:
    """Values of every size up to 15 digits, without chance."""
    found = []
    for n in range(1, 400):
        digits = 1 + (n * seed) % 15
        unscaled = pow(seed, n, 10**digits) or 1
        found.append(Decimal(unscaled if n % 3 else -unscaled).scaleb(-scale))
    return found


@pytest.mark.parametrize(("left", "right"), [(2, 2), (0, 0), (4, 3), (0, 6)])
def test_a_quotient_is_exact_and_as_long_as_in_postgresql(engine, left, right):
    pairs = zip(_decimals(left, 7919), _decimals(right, 104_729), strict=True)
    pairs = [(a, b) for a, b in pairs if abs(a / b) < 10**17]
    scale = max(left, right)
    engine.execute(f"CREATE OR REPLACE TABLE pairs (a DECIMAL(38, {left}), b DECIMAL(38, {right}))")
    engine.executemany("INSERT INTO pairs VALUES (?, ?)", pairs)
    rows = engine.execute(
        f"SELECT {_F}.numeric_div_scale(a, b, {scale}), {_F}.numeric_div(a, b, {10**scale}, {scale}) "
        "FROM pairs"
    ).fetchall()
    assert rows == [_quotient(a, b, scale) for a, b in pairs]


def test_a_quotient_of_quotients_is_exact(engine):
    pairs = zip(_decimals(20, 7919), _decimals(20, 104_729), strict=True)
    pairs = [(a, b) for a, b in pairs if abs(a / b) < 10**15]
    engine.execute("CREATE OR REPLACE TABLE pairs (a DECIMAL(38, 20), b DECIMAL(38, 20))")
    engine.executemany("INSERT INTO pairs VALUES (?, ?)", pairs)
    rows = engine.execute(f"SELECT {_F}.numeric_div_wide(a, b, 16) FROM pairs").fetchall()
    assert [value for (value,) in rows] == [_quotient(a, b, 16)[1] for a, b in pairs]


def test_arguments_are_computed_by_rows_groups_and_windows(engine):
    rows = "(VALUES (1, 2.5), (2, 3.5), (2, NULL)) v(g, x)"
    assert engine.execute(
        f"SELECT g, {_F}.numeric_div(sum(x), count(x), 10, 1) FROM {rows} GROUP BY g ORDER BY g"
    ).fetchall() == [(1, Decimal("2.5")), (2, Decimal("3.5"))]
    assert engine.execute(
        f"SELECT {_F}.numeric_div(sum(x) OVER (), count(x) OVER (), 10, 1) FROM {rows} LIMIT 1"
    ).fetchone() == (Decimal(3),)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("numeric_text(1.50, 1)", "1.5"),
        ("numeric_text(1.50, 0)", "1"),
        ("numeric_text(-3, 2)", "-3.00"),
        ("numeric_text(0.5::DECIMAL(38, 20), 24)", "0.50000000000000000000"),
        ("numeric_text(NULL::DECIMAL(10, 2), 1)", None),
        ("text_numeric_scale(' 1.50 ')", 2),
        ("text_numeric_scale('1.5e-3')", 4),
        ("text_numeric_scale('1e3')", 0),
        ("float8_numeric(0.1::DOUBLE)", Decimal("0.1")),
        ("float8_numeric(1e15 / 3)", Decimal("333333333333333")),
        ("float4_numeric(0.1::FLOAT)", Decimal("0.1")),
        ("numeric_min_scale(1.50)", 1),
        ("numeric_quotient_scale(123456789)", 8),
    ],
)
def test_a_numeric_is_written_with_its_own_digits(engine, call, text):
    assert engine.execute(f"SELECT {_F}.{call}").fetchone() == (text,)


def test_digits_that_would_be_lost_are_refused(engine):
    with pytest.raises(duckdb.Error, match="0A000"):
        engine.execute(f"SELECT {_F}.text_numeric('0.1234567890123456789')").fetchall()


def test_the_planner_calls_the_catalog_that_engines_have():
    assert build.FUNCTION_CATALOG == FUNCTION_CATALOG
    assert len({macro.name for macro in macros()}) == len(list(macros()))
