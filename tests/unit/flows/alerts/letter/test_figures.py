from __future__ import annotations

import pytest

from features.registry import BY_NAME
from features.words import count_words, listed, lower_first
from flows.alerts.disclosure import (
    SUPPRESSED_UP_TO,
    is_small,
    may_show_neighbours,
    may_show_rate_to_region,
    shown_count,
)
from flows.alerts.letter.figures import value_text


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        ("agency_rate_fte", 0.2432, "24%"),
        ("agency_rate_fte", 0.0341, "3.4%"),
        ("agency_rate_fte", 0.0996, "10%"),
        ("agency_rate_fte", 0.0, "0%"),
        ("net_change_rate_fte", -0.052, "−5.2%"),
        ("net_change_rate_fte", -0.0001, "0.0%"),
        ("caseload_fte", 17.23, "17.2"),
        ("referral_rate_per_10k", 1512.4, "1,512"),
        ("closure_ratio_3m", 0.834, "0.83"),
        ("practitioners_per_manager", 6.04, "6.0"),
    ],
)
def test_values_read_in_their_own_units(measure: str, value: float, text: str) -> None:
    assert value_text(BY_NAME[measure], value) == text


def test_words() -> None:
    assert listed(("a",)) == "a"
    assert listed(("a", "b", "c")) == "a, b and c"
    assert lower_first("Agency rate") == "agency rate"
    assert lower_first("CP plans") == "CP plans"
    assert (count_words(1, "month", "months"), count_words(1200, "month", "months")) == ("1 month", "1,200 months")


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (1, "5 or fewer"), (5, "5 or fewer"), (6, "5"), (7, "5"), (8, "10"), (1234, "1,235")]
)
def test_small_counts_are_withheld_and_others_rounded(count: int, text: str) -> None:
    assert shown_count(count) == text


def test_a_negative_count_is_no_count() -> None:
    with pytest.raises(ValueError, match="negative"):
        shown_count(-1)


def test_a_small_numerator_or_complement_is_small() -> None:
    assert is_small(3, 400, bounded=True)
    assert is_small(398, 400, bounded=True)
    assert not is_small(398, 400, bounded=False)
    assert not is_small(0, 400, bounded=True)
    assert not is_small(None, 400, bounded=True)
    assert not is_small(SUPPRESSED_UP_TO + 1, 400, bounded=True)


def test_the_region_reads_published_rates_and_no_small_case_counts() -> None:
    assert may_show_rate_to_region(BY_NAME["agency_rate_fte"], 3, 400)
    assert not may_show_rate_to_region(BY_NAME["unallocated_rate"], 3, 400)
    assert may_show_rate_to_region(BY_NAME["unallocated_rate"], 30, 400)


def test_a_median_of_few_neighbours_is_not_shown() -> None:
    assert [may_show_neighbours(n) for n in (None, 0, 3, 4, 10)] == [False, False, False, True, True]
