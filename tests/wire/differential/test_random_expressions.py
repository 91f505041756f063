"""Random expressions have PostgreSQL's values through the gateway, or are refused: never another value."""

import random
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from tests.gateway import ADMIN, create_database, start_gateway
from tests.wire.differential.compare import Outcome, on_gateway, on_postgres, with_parameters
from tests.wire.differential.expressions import ROWS, TABLE, random_query, random_query_of_parameters

NUMERIC, FLOAT8 = 1700, 701
FEW, MANY = 150, 5_000
REFUSALS = frozenset({"0A000", "22003", "22012"})
"""What may be refused where PostgreSQL answers: the engine has no way or no room, or computes sooner."""


@pytest.fixture(scope="module")
def both(
    postgres: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    folder = tmp_path_factory.mktemp("expressions")
    create_database(folder / "test.duckdb")
    with start_gateway(folder) as running, psycopg.connect(running.dsn(ADMIN), autocommit=True) as gateway:
        postgres.execute("drop table if exists randoms")
        for connection in (postgres, gateway):
            connection.execute(TABLE)
            for row in ROWS:
                connection.execute(f"insert into randoms values {row}")
            connection.execute("set timezone = 'Europe/Berlin'")
        yield postgres, gateway
        postgres.execute("reset timezone")


def check(both: tuple[psycopg.Connection, psycopg.Connection], seed: int, count: int) -> None:
    source = random.Random(seed)
    answered = 0
    wrong = []
    for _ in range(count):
        query = random_query(source)
        theirs, ours = on_postgres(both[0], query), on_gateway(both[1], query)
        if ours.error in REFUSALS or (theirs.error and ours.error):
            continue
        if theirs.error is None:
            answered += 1
            if ours.error or values(theirs) != values(ours):
                wrong.append((query, theirs, ours))
    assert not wrong, f"seed {seed}"
    assert answered > count * 0.8


def values(outcome: Outcome) -> tuple[object, ...]:
    """The values; of a numeric without its scale, which PostgreSQL has of each row, and to 13 digits."""
    kind = outcome.oids[0][0] if outcome.oids else 0
    cells = [row[0] for row in outcome.rows]
    if kind not in (NUMERIC, FLOAT8):
        return kind, *cells
    return kind, *(None if cell is None else _plain(Decimal(cell)) for cell in cells)


def _plain(number: Decimal) -> str:
    near = number if number.adjusted() > 12 else round(number, 15)
    return f"{near:.12e}" if near else "0"


def test_random_expressions_have_postgresqls_values(both):
    check(both, 7, FEW)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_random_expressions_have_postgresqls_values(both):
    check(both, random.SystemRandom().randrange(2**32), MANY)


def check_parameters(both: tuple[psycopg.Connection, psycopg.Connection], seed: int, count: int) -> None:
    """PostgreSQL may refuse what is allowed here: a parameter that nothing says the type of is text."""
    source = random.Random(seed)
    answered = 0
    wrong = []
    for number in range(count):
        query, oids, given = random_query_of_parameters(source)
        declared = oids if number % 3 == 0 else []
        theirs, ours = (with_parameters(connection, query, given, declared) for connection in both)
        if theirs.error is not None or ours.error in REFUSALS:
            continue
        answered += 1
        if ours.error or ours.parameters != theirs.parameters or values(ours) != values(theirs):
            wrong.append((query, given, theirs, ours))
    assert not wrong, f"seed {seed}"
    assert answered > count * 0.5


def test_parameters_have_postgresqls_types_and_results_its_values(both):
    check_parameters(both, 11, 2 * FEW)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_parameters_have_postgresqls_types(both):
    check_parameters(both, random.SystemRandom().randrange(2**32), MANY)
