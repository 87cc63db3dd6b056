from __future__ import annotations

import numpy as np
import pytest

from features.comparing.shrinkage import MIN_GROUP, shrink, shrinkable
from features.registry import BY_NAME

RATE = BY_NAME["unallocated_rate"]


def shrunk(
    numerator: list[float], denominator: list[float], *, mean: float = np.nan, variance: float = np.nan
) -> list[float]:
    n, d = np.array(numerator)[:, None], np.array(denominator)[:, None]
    found = shrink(n, d, RATE, np.ones(1), np.array([mean]), np.array([variance]))
    return [float(v) for v in found[:, 0]]


def test_councils_that_differ_by_chance_alone_are_given_the_common_rate() -> None:
    found = shrunk([9, 11, 10, 10, 9, 11, 10, 10], [100] * 8)
    assert found == pytest.approx([0.1] * 8)


def test_a_rate_of_few_is_pulled_further_than_one_of_many() -> None:
    found = shrunk([2, 200, 400, 300, 100, 350, 150, 250], [10] + [1000] * 7)
    mean = 1752 / 7010
    pulled_few = (found[0] - 0.2) / (mean - 0.2)
    pulled_many = (found[1] - 0.2) / (mean - 0.2)
    assert 0 < pulled_many < 0.05 < pulled_few < 1
    assert found[4] == pytest.approx(0.1, abs=0.005)


def test_a_small_group_takes_the_national_spread() -> None:
    few = MIN_GROUP - 1
    assert np.isnan(shrunk([10.0] * few, [100.0] * few)).all()
    found = shrunk([10.0] * few, [100.0] * few, mean=0.2, variance=0.0016)
    # Chance is 0.2 × 0.8 / 100 = 0.0016 as well: half of the way.
    assert found == pytest.approx([0.15] * few)


def test_a_national_spread_is_in_the_measures_unit() -> None:
    few, unit = MIN_GROUP - 1, 1000.0
    n, d = np.full((few, 1), 10.0), np.full((few, 1), 100.0)
    found = shrink(n, d, RATE, np.array([unit]), np.array([0.2 * unit]), np.array([0.0016 * unit**2]))
    assert found[:, 0] == pytest.approx([0.15 * unit] * few)


def test_a_missing_rate_stays_missing_and_does_not_count() -> None:
    found = shrunk([9, 11, 10, 10, 9, 11, 10, 10, np.nan], [100] * 9)
    assert np.isnan(found[8]) and found[:8] == pytest.approx([0.1] * 8)


def test_a_difference_of_two_flows_is_not_shrunk() -> None:
    assert not shrinkable(BY_NAME["net_change_rate_fte"])
    assert shrinkable(BY_NAME["turnover_rate_fte"])


def test_a_month_is_shrunk_alike_to_the_last_bit_whichever_months_are_computed_with_it() -> None:
    rng = np.random.default_rng(1)
    over, under = (rng.integers(1, 100_000, (200, 3)) / 100 for _ in range(2))
    unknown = np.full(3, np.nan)
    together = shrink(over, under, RATE, np.ones(3), unknown, unknown)
    for month in range(3):
        alone = shrink(over[:, [month]], under[:, [month]], RATE, np.ones(1), unknown[:1], unknown[:1])
        np.testing.assert_array_equal(together[:, month], alone[:, 0])
