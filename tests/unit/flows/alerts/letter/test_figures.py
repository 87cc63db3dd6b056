from __future__ import annotations

import pytest

from features.registry import BY_NAME
from features.words import count_words, listed, lower_first
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
