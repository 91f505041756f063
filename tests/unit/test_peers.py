"""The list of what upstream suites find here: counts by reason, and what has none."""

from tests.peers.__main__ import Outcome, summary, unexplained

OUTCOMES = {
    "asyncpg": [
        Outcome("a.one", "passed"),
        Outcome("a.two", "failed", "DROP of this kind"),
        Outcome("a.three", "skipped"),
    ],
    "psycopg": [
        Outcome("p.one", "failed", 'type "int4range" does not exist'),
        Outcome("p.two", "failed", "lines\nof a surprise"),
        Outcome("p.three", "failed", 'type "int4range" does not exist'),
    ],
}


def test_failures_are_counted_by_reason_and_the_unexplained_come_last() -> None:
    lines = summary(OUTCOMES).splitlines()
    assert lines[2:4] == ["| asyncpg | 1 | 1 | 1 |", "| psycopg | 0 | 3 | 0 |"]
    assert lines[-3] == "| no range types |  | 2 |"
    assert lines[-1] == "| not looked into |  | 1 |"


def test_what_has_no_reason_is_told_with_its_last_line() -> None:
    assert unexplained(OUTCOMES) == ["psycopg: p.two: of a surprise"]
