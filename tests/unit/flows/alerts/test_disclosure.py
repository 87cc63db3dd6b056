"""Which rates rest on few people, and which medians may be seen."""

from __future__ import annotations

import pytest

from flows.alerts.disclosure import is_small, may_show_neighbours


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


def test_a_median_needs_four_neighbours() -> None:
    assert [may_show_neighbours(n) for n in (None, 0, 3, 4)] == [False, False, False, True]
