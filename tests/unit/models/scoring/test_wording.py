"""Each figure in its own unit, each movement in words."""

from __future__ import annotations

import pytest

from features.registry import BY_NAME
from models.scoring.wording import amount, context_sentence, judgement_sentence, measure_sentence, movement


@pytest.mark.parametrize(
    ("measure", "value", "words"),
    [
        ("agency_rate_fte", 0.24, "24%"),
        ("agency_rate_fte", 0.034, "3.4%"),
        ("agency_rate_fte", 0.0996, "10%"),
        ("agency_rate_fte", 0.104, "10%"),
        ("agency_rate_fte", -0.034, "-3.4%"),
        ("caseload_fte", 17.23, "17.2 cases"),
        ("referral_rate_per_10k", 1612.4, "1,612"),
        ("practitioners_per_manager", 6.0, "6"),
    ],
)
def test_an_amount_in_its_unit(measure: str, value: float, words: str) -> None:
    assert amount(value, BY_NAME[measure]).removesuffix(" per 10,000 children") == words


@pytest.mark.parametrize(
    ("measure", "change", "words"),
    [
        ("agency_rate_fte", 0.06, "up 6 points in 12 months"),
        ("agency_rate_fte", -0.01, "down 1 point in 12 months"),
        ("agency_rate_fte", 0.0004, "unchanged in 12 months"),
        ("agency_rate_fte", 0.001, "up 0.1 points in 12 months"),
        ("agency_rate_fte", 0.0006, "up 0.1 points in 12 months"),
        ("caseload_fte", 1.0, "up 1 in 12 months"),
        ("caseload_fte", -1.5, "down 1.5 in 12 months"),
    ],
)
def test_a_movement_in_words(measure: str, change: float, words: str) -> None:
    assert movement(change, BY_NAME[measure]) == words


def test_unknown_parts_of_a_sentence_are_left_out() -> None:
    row = {"measure": "agency_rate_fte", "value": 0.24, "neighbours_median": 0.13, "change_12m": 0.06}
    label = BY_NAME["agency_rate_fte"].label
    assert measure_sentence(row) == f"{label} 24%; neighbours 13%; up 6 points in 12 months"
    assert measure_sentence(row | {"neighbours_median": None, "change_12m": None}) == f"{label} 24%"
    assert measure_sentence(row | {"small_base": True}).endswith("12 months; small numbers")


def test_context_in_words() -> None:
    assert judgement_sentence("Good", 14) == "Previous judgement of leaders: good, 14 months ago"
    assert judgement_sentence("Good", None) == "Previous judgement of leaders: good"
    assert context_sentence("imd_score", 31.4, 22.6) == "Deprivation score 31; a typical council 23"
    assert context_sentence("other_thing", 1, 2) == "Other thing score 1; a typical council 2"
