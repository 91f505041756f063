"""When a case holds: rows in any order, numbers by value, errors by SQLSTATE."""

from typing import Any

import pytest

from pgproxy.control.yaml_lines import PolicyFileError
from pgproxy.trial.cases import Case, parse_cases
from pgproxy.trial.judging import Outcome, judge

TWO = Outcome(("id", "name"), (("1", "ann"), ("2.50", None)))


def case(**expected: Any) -> Case:
    return Case.model_validate({"as": "ann", "query": "SELECT 1", **expected})


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        ({"rows": [[2.5, None], [1, "ann"]]}, TWO),
        ({"rows": [["1", "ann"], ["2.50", None]], "ordered": True, "columns": ["id", "name"]}, TWO),
        ({"rows": []}, Outcome(("id",))),
        ({"rows": [[True, False]]}, Outcome(("a", "b"), (("t", "f"),))),
        ({"count": 2}, TWO),
        ({"affected": 3}, Outcome(affected=3)),
        ({"error": "42501"}, Outcome(error="42501", message="permission denied")),
    ],
)
def test_what_is_as_expected_is_no_problem(expected: dict[str, Any], outcome: Outcome) -> None:
    assert judge(case(**expected), outcome) is None


@pytest.mark.parametrize(
    ("expected", "outcome", "problem"),
    [
        ({"rows": [[1, "ann"]]}, TWO, "not expected (2.50, NULL)"),
        ({"rows": [["2.5", None], [1, "ann"]]}, TWO, "missing (2.5, NULL)\nnot expected (2.50, NULL)"),
        (
            {"rows": [[2.5, None], [1, "ann"]], "ordered": True},
            TWO,
            "row 1: expected (2.5, NULL), got (1, ann)",
        ),
        (
            {"rows": [[1, "ann"]] * 9},
            TWO,
            "missing (1, ann)\n" * 5 + "not expected (2.50, NULL)\nand 3 more rows",
        ),
        ({"rows": [["t"]]}, Outcome(("a",), ()), "missing (t)"),
        ({"rows": [[1, "ann"]], "columns": ["id"]}, TWO, "expected the columns id, got id, name"),
        ({"count": 3}, TWO, "expected 3 rows, got 2"),
        ({"affected": 3}, Outcome(affected=4), "expected 3 rows changed, got 4 rows changed"),
        ({"error": "42501"}, TWO, "expected error 42501, got 2 rows"),
        (
            {"error": "42501"},
            Outcome(error="42P01", message="no"),
            "expected error 42501, got error 42P01: no",
        ),
        ({"count": 1}, Outcome(error="42P01", message="no"), "expected 1 rows, got error 42P01: no"),
    ],
)
def test_what_is_not_is_told(expected: dict[str, Any], outcome: Outcome, problem: str) -> None:
    assert judge(case(**expected), outcome) == problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: []", "line 1: cases: List should have at least 1 item"),
        ("cases:\n- {as: a, query: q}", "line 2: cases.0: give one of rows, count, affected and error"),
        ("cases:\n- {as: a, query: q, count: 1, error: '42501'}", "line 2: cases.0: give one of rows"),
        (
            "cases:\n- as: a\n  query: q\n  error: 42501",
            "line 4: cases.0.error: Input should be a valid string",
        ),
        ("cases:\n- as: a\n  query: q\n  rows: [[{}]]", "line 4: cases.0.rows.0.0: Input should be"),
        ("cases:\n- {user: a, query: q, count: 1}", "line 2: cases.0.as: Field required"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(PolicyFileError) as caught:
        parse_cases(text)
    assert caught.value.problems[0].startswith(said)
