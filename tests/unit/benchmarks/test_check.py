"""What counts as slower than before."""

import pytest

from benchmarks.check import compare_results


def _result(median: float, low: float, high: float) -> dict[str, object]:
    ratio = {"median": median, "low": low, "high": high, "count": 3}
    found = {"above": "embedded", "below": "postgres", "metric": "rows_per_s", "ratio": ratio}
    return {"cases": {"text": {"title": "lineitem", "ratios": [found]}}, "means": [found]}


@pytest.mark.parametrize(
    ("after", "is_regression"),
    [
        ((1.2, 1.1, 1.3), True),  # apart from what was measured before
        ((1.6, 1.5, 1.9), False),  # as before
        ((1.2, 1.1, 2.1), False),  # one reading as good as the median before: noise
        ((1.55, 1.5, 1.6), False),  # within the earlier readings
        ((3.0, 2.9, 3.1), False),
    ],
)
def test_a_ratio_is_a_regression_only_beyond_the_noise_of_both_runs(after, is_regression):
    changes = list(compare_results(_result(1.7, 1.5, 2.0), _result(*after)))
    assert len(changes) == 2
    assert [change.is_regression for change in changes] == [is_regression] * 2


def test_only_ratios_that_both_have_are_compared():
    before, after = _result(1.7, 1.5, 2.0), _result(1.7, 1.5, 2.0)
    after["cases"] = {}
    assert [change.name for change in compare_results(before, after)] == [
        "geometric mean: embedded / postgres, rows_per_s"
    ]


def test_a_ratio_of_two_metrics_of_one_target_is_named_by_both():
    before, after = _result(0.6, 0.5, 0.7), _result(0.3, 0.2, 0.4)
    for result in (before, after):
        found = result["cases"]["text"]["ratios"][0]
        found |= {"above": "remote", "below": "remote", "below_metric": "flooded"}
        result["means"] = []
    (change,) = compare_results(before, after)
    assert change.name == "lineitem: remote / remote, rows_per_s / flooded"
    assert change.is_regression
