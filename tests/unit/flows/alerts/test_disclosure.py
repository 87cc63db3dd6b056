"""Which counts are shown, which rates rest on few people, and who may see them."""

from __future__ import annotations

import pytest

from features.registry import BY_NAME, Direction, Unit
from flows.alerts.disclosure import base_mark, is_small, may_show_neighbours, may_show_rate_to_region, shown_count


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (1, "5 or fewer"),
        (0.4, "5 or fewer"),
        (5, "5 or fewer"),
        (5.9, "5 or fewer"),
        (6, "5"),
        (7.4, "5"),
        (7.5, "10"),
        (12, "10"),
        (1_512, "1,510"),
        (1_513, "1,515"),
    ],
)
def test_a_count_is_withheld_or_rounded_to_five(count: float, shown: str) -> None:
    assert shown_count(count) == shown


def test_a_negative_count_is_a_fault() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        shown_count(-1)


@pytest.mark.parametrize(
    ("numerator", "denominator", "bounded", "small"),
    [
        (None, 100.0, True, False),
        (0.0, 100.0, True, False),
        (0.5, 100.0, True, True),
        (5.9, 100.0, False, True),
        (6.0, 100.0, True, False),
        (94.0, 100.0, True, False),
        (95.0, 100.0, True, True),  # five are not among them
        (95.0, 100.0, False, False),
        (100.0, 100.0, True, False),
        (99.5, 100.0, True, True),
        (101.0, 100.0, True, False),
        (95.0, None, True, False),
    ],
)
def test_a_rate_rests_on_few_if_those_counted_or_the_others_are_few(
    numerator: float | None, denominator: float | None, bounded: bool, small: bool
) -> None:
    assert is_small(numerator, denominator, bounded) is small


def test_the_region_sees_official_rates_and_others_unless_they_rest_on_few() -> None:
    official = next(m for m in BY_NAME.values() if m.official and m.unit is Unit.FRACTION)
    own = next(
        m
        for m in BY_NAME.values()
        if not m.official and m.unit is Unit.FRACTION and m.bounded and m.direction is not Direction.NONE
    )
    open_ended = next(m for m in BY_NAME.values() if not m.official and m.unit not in (Unit.FRACTION, Unit.PER_10K))
    assert may_show_rate_to_region(official, 3.0, 100.0)
    assert may_show_rate_to_region(own, 30.0, 100.0)
    assert not may_show_rate_to_region(own, 3.0, 100.0)
    assert not may_show_rate_to_region(own, 97.0, 100.0)
    assert may_show_rate_to_region(open_ended, 3.0, 100.0)
    assert may_show_rate_to_region(BY_NAME["agency_rate_fte"], 3, 400)
    assert not may_show_rate_to_region(BY_NAME["unallocated_rate"], 3, 400)
    undirected = [m for m in BY_NAME.values() if not m.official and m.direction is Direction.NONE]
    assert all(may_show_rate_to_region(m, 3.0, 100.0) for m in undirected)


def test_a_median_needs_four_neighbours() -> None:
    assert [may_show_neighbours(n) for n in (None, 0, 3, 4)] == [False, False, False, True]


def test_a_rate_of_few_people_is_marked() -> None:
    assert (base_mark(True), base_mark(False)) == ("small numbers", "")
