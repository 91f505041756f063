"""Digests, computed by DuckDB itself: equal for equal answers, different for any other."""

import duckdb
import pytest

from pgproxy.rollout.digest import Digest, digest_sql, parse_digest
from pgwire.types import ResultColumn

ROWS = "(VALUES (1, 'a', 0.1::DOUBLE), (2, 'b', 0.2), (2, 'c', 1e10), (NULL, NULL, NULL)) AS t(n, s, f)"


def digest(sql: str) -> Digest:
    with duckdb.connect() as connection:
        described = connection.execute(f"DESCRIBE {sql}").fetchall()
        columns = [ResultColumn(name, 0, -1, kind) for name, kind, *_ in described]
        row = connection.execute(digest_sql(sql, columns)).fetchone()
    assert row is not None
    return parse_digest(row)


NUMBERS = f"SELECT n FROM {ROWS} ORDER BY 1"
BASE = f"SELECT n, s, f FROM {ROWS}"


TURNED = f"(SELECT * FROM {ROWS} ORDER BY s DESC) AS t"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (BASE, f"SELECT n, s, f FROM {TURNED}"),
        (BASE, f"SELECT n AS x, s, f * 3 / 3 AS f FROM {ROWS}"),
        (f"{BASE} ORDER BY n", f"SELECT n, s, f FROM {TURNED} ORDER BY n"),  # equal keys, in another order
        (f"{BASE} ORDER BY f + 1", f"{BASE} ORDER BY f + 1 DESC"),  # keys that no output shows
        (f"SELECT n, s FROM {ROWS} ORDER BY n LIMIT 2", f"SELECT n, s FROM {TURNED} ORDER BY n LIMIT 2"),
        ("SELECT 'nan'::DOUBLE AS f", "SELECT 'nan'::DOUBLE AS f"),
        ("SELECT [0.1::DOUBLE] AS a", "SELECT [0.2::DOUBLE] AS a"),  # only counted
    ],
)
def test_equal_answers_have_equal_digests(one: str, other: str) -> None:
    assert not digest(one).difference(digest(other))


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (BASE, f"{BASE} WHERE n = 1", "row count"),
        (BASE, BASE.replace("s, f FROM", "upper(s), f FROM"), "content"),
        (f"SELECT n, n + 1 FROM {ROWS}", f"SELECT n + 1, n FROM {ROWS}", "content"),
        (f"{BASE} ORDER BY n", f"{BASE} ORDER BY n DESC", "order"),
        (f"SELECT s FROM {ROWS} ORDER BY 1", f"SELECT s FROM {ROWS} ORDER BY 1 DESC", "order"),
        (BASE, BASE.replace("s, f FROM", "s, f * 1.001 FROM"), "floating-point sums"),
        ("SELECT NULL::DOUBLE AS f", "SELECT 0::DOUBLE AS f", "floating-point sums"),
        (f"{NUMBERS} LIMIT 2", f"{NUMBERS} DESC LIMIT 2", "order"),
    ],
)  # fmt: skip
def test_other_answers_have_other_digests(one: str, other: str, what: str) -> None:
    assert digest(one).difference(digest(other)) == what


def test_an_answer_that_is_no_digest_is_refused() -> None:
    for fields in ([], ["1", "2"], ["1", "2", "3", "4"], ["x", "2", "3"]):
        with pytest.raises(ValueError, match=r"digest|invalid literal"):
            parse_digest(fields)
