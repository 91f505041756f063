"""Statistics of repeated measurements."""

import pytest

from benchmarks.harness import rotated
from benchmarks.spread import Spread, fit_power, mean_ratio_of, percentile_ratio, ratio_of, spread_of


def test_a_spread_is_median_least_and_greatest() -> None:
    assert spread_of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0, 3)


def test_the_median_of_an_even_number_is_between_the_middle_two() -> None:
    assert spread_of([1.0, 2.0, 4.0, 9.0]).median == 3.0


def test_nothing_measured_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        spread_of([])


def test_a_ratio_pairs_the_readings_of_one_repetition() -> None:
    # Both sides are slow in the second repetition: the ratio does not see it.
    assert ratio_of([20.0, 10.0, 22.0], [10.0, 5.0, 10.0]) == Spread(2.0, 2.0, 2.2, 3)


def test_a_repetition_that_one_side_lacks_is_left_out_of_the_ratio() -> None:
    assert ratio_of([4.0, 6.0], [2.0]) == Spread(2.0, 2.0, 2.0, 1)


def test_a_ratio_to_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="ratio to nothing"):
        ratio_of([1.0], [0.0])


def test_every_target_begins_in_turn() -> None:
    assert [rotated("abc", by) for by in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]
    assert rotated([], 3) == []


def test_a_mean_ratio_is_geometric_over_cases_and_spread_over_repetitions():
    pairs = [([2.0, 4.0], [1.0, 1.0]), ([8.0, 4.0], [1.0, 1.0])]
    assert mean_ratio_of(pairs) == Spread(4.0, 4.0, 4.0, 2)
    with pytest.raises(ValueError, match="nothing"):
        mean_ratio_of([([1.0], [0.0])])


def test_a_power_is_fitted_by_the_logarithms():
    assert fit_power([(1, 3), (10, 30), (100, 300)]) == pytest.approx(1.0)
    assert fit_power([(1, 5), (4, 10), (16, 20)]) == pytest.approx(0.5)
    for points in ([(1, 1)], [(2, 1), (2, 3)], [(1, 0), (2, 1)]):
        with pytest.raises(ValueError, match="no power"):
            fit_power(points)


def test_a_ratio_of_percentiles_is_of_all_readings_and_its_interval_of_pairs() -> None:
    steady = [([1.03 * value for value in range(1, 101)], [float(value) for value in range(1, 101)])] * 5
    found = percentile_ratio(steady, 95)
    assert [round(value, 6) for value in (found.median, found.low, found.high)] == [1.03, 1.03, 1.03]
    unsteady = percentile_ratio([*steady, ([300.0] * 100, [float(value) for value in range(1, 101)])], 95)
    assert unsteady.low < 1.1 < unsteady.high
    with pytest.raises(ValueError, match="nothing"):
        percentile_ratio([], 95)
