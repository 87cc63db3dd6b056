from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.comparing.xmr import BASELINE_POINTS, SIGNALS, Chart, XmrRule, charts, limits, toward
from features.registry import Direction

#: Twelve points around 50 whose mean is 50 and whose moving ranges are all 2: limits 50 ± 5.32.
STEADY = [49.0, 51.0] * 6


def chart(*values: float) -> Chart:
    return charts(np.array([values], dtype=np.float64))


def signals(found: Chart) -> list[XmrRule | None]:
    return [SIGNALS[code] for code in found.signal[0]]


def test_limits_of_a_textbook_series() -> None:
    # Ten points with the mean 13.6, nine moving ranges that add up to 23: limits 13.6 ± 2.66 × 23/9.
    series = np.array([[12.0, 14.0, 10.0, 11.0, 14.0, 19.0, 17.0, 16.0, 12.0, 11.0]])
    assert np.abs(np.diff(series)).tolist() == [[2, 4, 1, 3, 5, 2, 1, 4, 1]]
    mean, reach = limits(series)
    assert mean[0] == pytest.approx(13.6)
    assert reach[0] == pytest.approx(2.66 * 23 / 9)


def test_the_baseline_is_the_first_twelve_observations_which_are_not_judged() -> None:
    found = chart(*STEADY[:6], 90.0, *STEADY[:5], 50.0)
    assert np.isnan(found.mean[0, :12]).all()
    assert found.mean[0, 12] == pytest.approx((6 * 50 + 90 + 5 * 50 - 1) / 12)
    assert signals(found) == [None] * 13
    steady = chart(*STEADY, 50.0)
    assert (steady.mean[0, 12], steady.lower[0, 12], steady.upper[0, 12]) == pytest.approx((50, 44.68, 55.32))


def test_a_point_beyond_a_limit() -> None:
    assert signals(chart(*STEADY, 55.4))[-1] is XmrRule.POINT
    assert signals(chart(*STEADY, 55.3))[-1] is None
    low = chart(*STEADY, 44.6)
    assert (signals(low)[-1], low.side[0, -1]) == (XmrRule.POINT, -1)


def test_seven_in_a_row_on_one_side() -> None:
    above = [50.5, 51.5, 50.5, 51.5, 50.5, 51.5, 50.5]
    found = chart(*STEADY[:-1], 51.0, *above)
    # The twelfth baseline point lies above as well, but what a baseline is made of does not count.
    assert signals(found)[12:] == [None] * 6 + [XmrRule.SHIFT]
    assert found.side[0, -1] == 1
    on_the_mean = [*above[:3], 50.0, *above[3:]]
    assert XmrRule.SHIFT not in signals(chart(*STEADY, *on_the_mean))


def test_seven_in_a_row_rising_or_falling() -> None:
    falling = [51.0, 50.8, 50.6, 50.4, 49.4, 49.2, 49.0]
    found = chart(*STEADY[:-1], 51.0, *falling[1:])
    assert signals(found)[12:] == [None] * 5 + [XmrRule.TREND]
    assert found.side[0, -1] == -1
    flat = [51.0, 50.8, 50.6, 50.6, 49.4, 49.2, 49.0]
    assert XmrRule.TREND not in signals(chart(*STEADY[:-1], 51.0, *flat[1:]))


def test_two_of_three_in_the_outer_third_with_all_three_on_one_side() -> None:
    # Two thirds of the way from 50 to 55.32 is 53.55.
    assert signals(chart(*STEADY, 54.0, 52.0, 54.0))[12:] == [None, None, XmrRule.NEAR_LIMIT]
    # The third of three may belong to the baseline, whose last point lies above the mean.
    assert signals(chart(*STEADY, 54.0, 54.0, 50.0))[12:] == [None, XmrRule.NEAR_LIMIT, None]
    assert signals(chart(*STEADY[1:], 49.0, 54.0, 54.0))[12:] == [None, None]
    # A last point of the baseline that lies on the mean lies on no side.
    assert signals(chart(*STEADY[:-2], 50.0, 50.0, 54.0, 54.0))[12:] == [None, None]
    assert signals(chart(*STEADY[:-2], 50.0, 50.0, 46.0, 46.0))[12:] == [None, None]
    assert signals(chart(*STEADY, 54.0, 50.0, 46.0))[12:] == [None] * 3
    assert signals(chart(*STEADY, 54.0, 49.0, 54.0))[12:] == [None] * 3
    assert signals(chart(*STEADY, 54.0, 52.0, 51.0, 54.0))[12:] == [None] * 4
    # The mean is 10, the limits are 5.4 and 14.6.
    far = 4.6 / 2.66 / 2
    apart = chart(*[10 + far, 10 - far] * 6, 13.4, 8.0, 13.4)
    assert (apart.lower[0, 12], apart.upper[0, 12]) == pytest.approx((5.4, 14.6))
    assert signals(apart)[12:] == [None] * 3


@pytest.mark.parametrize(
    ("sides", "flagged"),
    [
        ([1] * 6, []),
        ([*[1] * 6, -1], []),
        ([*[1] * 8, -1], [6, 7]),
        ([*[-1] * 8, 1], [6, 7]),
        ([-1, *[1] * 8, -1], [7, 8]),
    ],
)
def test_seven_on_one_side_as_nhs_rplotthedots_marks_the_last_of_seven(sides: list[int], flagged: list[int]) -> None:
    """Patterns and answers of the package that NHS England's *Making Data Count* publishes with (MIT licence)."""
    # A hair's breadth from the mean, so that no other rule speaks.
    found = signals(chart(*STEADY, *(50 + 0.5 * side + 0.1 * (i % 2) for i, side in enumerate(sides))))[12:]
    assert [i for i, rule in enumerate(found) if rule is XmrRule.SHIFT] == flagged


@pytest.mark.parametrize(
    ("steps", "flagged"),
    [
        ([1, 2, 3, 3, 4, 5, 6], []),
        ([1, 2, 3, 4, 5, 6, 7], [6]),
        ([2, 1, 2, 3, 4, 5, 6, 7, 3], [7]),
        ([7, 6, 5, 4, 3, 2, 1], [6]),
        ([2, 7, 6, 5, 4, 3, 2, 1, 3], [7]),
    ],
)
def test_seven_in_a_row_as_nhs_rplotthedots_marks_the_last_of_seven(steps: list[int], flagged: list[int]) -> None:
    # Values around the mean of 50, so that no shift is there as well.
    found = signals(chart(*[49.0, 51.0] * 6, *(48.4 + 0.4 * step for step in steps)))[12:]
    assert [i for i, rule in enumerate(found) if rule is XmrRule.TREND] == flagged


@pytest.mark.parametrize("level", [0.0, 0.2, 17.0])
def test_a_baseline_without_spread_makes_no_small_change_unusual(level: float) -> None:
    found = chart(*[level] * 12, *[level + 0.004 * (level or 1)] * 6)
    assert signals(found) == [None] * 18
    if level:
        assert found.upper[0, 12] == pytest.approx(1.01 * level), "the stated minimum width"
        assert signals(chart(*[level] * 12, 1.02 * level))[-1] is XmrRule.POINT


def test_a_new_level_keeps_the_mark_that_it_is_worse_than_before() -> None:
    raised = [62.0, 64.0] * 6
    found = chart(*STEADY, *raised, *[62.0, 64.0] * 3)
    assert signals(found)[24:] == [None] * 6, "it no longer moves"
    assert found.level[0, :24].tolist() == [0] * 24
    assert found.level[0, 24:].tolist() == [1] * 6
    assert found.before[0, 24:].tolist() == [50.0] * 6
    back = chart(*STEADY, *raised, *STEADY, 50.0)
    assert back.level[0, -1] == 0
    assert np.isnan(back.before[0, -1])
    near = chart(*STEADY, *[52.0, 54.0] * 6, 53.0)
    assert near.mean[0, -1] == pytest.approx(53)
    assert near.level[0, -1] == 0, "within the limits that it had"


def test_a_level_that_has_held_for_twelve_points_is_the_new_normal() -> None:
    raised = [52.0, 54.0] * 6
    found = chart(*STEADY, *raised, 53.0, 47.0)
    assert signals(found)[23] is XmrRule.SHIFT
    assert found.mean[0, 23] == pytest.approx(50.0), "the twelfth point itself is judged by the old mean"
    assert found.mean[0, 24] == pytest.approx(53.0)
    assert signals(found)[24] is None
    assert (signals(found)[25], found.side[0, 25]) == (XmrRule.POINT, -1)


def test_missing_months_are_skipped_and_carry_the_limits() -> None:
    gap = float("nan")
    with_gaps = chart(*STEADY[:6], gap, gap, *STEADY[6:], gap, 60.0)
    assert SIGNALS[with_gaps.signal[0, -1]] is XmrRule.POINT
    assert with_gaps.mean[0, 14] == pytest.approx(50.0)
    assert with_gaps.signal[0, 14] == 0


@pytest.mark.parametrize(
    ("side", "direction", "meaning"),
    [
        (1, Direction.HIGH, "concern"),
        (-1, Direction.HIGH, "improvement"),
        (1, Direction.LOW, "improvement"),
        (-1, Direction.LOW, "concern"),
        (1, Direction.NONE, "neither"),
    ],
)
def test_a_signal_means_what_the_direction_of_concern_says(side: int, direction: Direction, meaning: str) -> None:
    assert toward(side, direction) == meaning


values = arrays(np.float64, (3, 40), elements=st.floats(0, 1, width=32) | st.just(float("nan")))


@given(values, st.integers(BASELINE_POINTS, 39))
def test_later_points_change_nothing_and_each_series_stands_alone(block: np.ndarray, until: int) -> None:
    whole, past, alone = charts(block), charts(block[:, :until]), charts(block[1:2])
    for name in ("mean", "lower", "upper", "signal", "side", "level", "before"):
        np.testing.assert_array_equal(getattr(whole, name)[:, :until], getattr(past, name))
        np.testing.assert_array_equal(getattr(whole, name)[1:2], getattr(alone, name))


@given(values, st.lists(st.integers(0, 39), min_size=1, max_size=5, unique=True))
def test_charts_read_at_some_months_are_the_charts_of_all_months(block: np.ndarray, at: list[int]) -> None:
    whole, some = charts(block), charts(block, np.array(at, dtype=np.intp))
    for name in ("mean", "lower", "upper", "signal", "side", "level", "before"):
        np.testing.assert_array_equal(getattr(whole, name)[:, at], getattr(some, name))
