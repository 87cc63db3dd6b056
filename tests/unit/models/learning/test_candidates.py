"""The list of models: which are baselines, and what a line makes."""

from __future__ import annotations

from models.learning.candidates import BASELINE_TO_BEAT, BASELINES, CANDIDATES, RECIPE, UNFOLLOWED, ordinal
from models.learning.level import LevelRule


def test_the_baselines_and_no_others_are_marked() -> None:
    assert [c for c in CANDIDATES if c.baseline] == list(BASELINES) and len(BASELINES) == 5
    assert BASELINE_TO_BEAT in {c.name for c in BASELINES} and CANDIDATES[0] is RECIPE


def test_a_line_makes_a_classifier_that_knows_the_side_of_concern() -> None:
    made = ordinal(3.0)(("agency_rate_fte", "assessments_in_time_rate", "years_since_judgement"))
    assert (made.penalty, made.directions, made.rule) == (3.0, [1, -1, 0], LevelRule())
    still = UNFOLLOWED.make(UNFOLLOWED.columns)
    assert (still.level_sd, still.penalty) == (0.0, RECIPE.make(RECIPE.columns).penalty)
