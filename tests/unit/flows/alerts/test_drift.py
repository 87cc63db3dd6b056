"""What moved by the rules: the rank under one model within its window, and the groups that signal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.alerts.drift import drift_of, drift_words
from flows.alerts.state import AlertState, ScorePoint
from tests.unit.flows.alerts.examples import MONTH, RULES, rank_of, score, signal, told


def _before(back: int, rank: float | None, version: str = "baseline/3") -> AlertState:
    point = ScorePoint(month=MONTH.plus(-back), probability=0.4, model_version=version, rank=rank)
    return told(0.4, MONTH.plus(-1)).model_copy(update={"recent": (point,)})


@pytest.mark.parametrize(
    ("back", "rise", "change", "rising"),
    [
        (1, 0.15, 0.15, True),
        (6, 0.15, 0.15, True),
        (7, 0.15, None, False),
        (0, 0.15, None, False),
        (6, 0.14, 0.14, False),
    ],
)
def test_a_rise_of_the_rank_within_six_months(back: int, rise: float, change: float | None, rising: bool) -> None:
    drift = drift_of(score(0.6), (), _before(back, rank_of(0.6) - rise), RULES)
    assert drift.score_change == pytest.approx(change)
    assert drift.score_rising is rising
    assert drift.score_change_months == (0 if change is None else back)
    month = "1 month " if back == 1 else f"{back} months "
    assert [month in words for words in drift_words(drift)] == [True] * rising


def test_a_rank_of_another_model_or_none_is_not_compared() -> None:
    for previous in (None, _before(1, 0.2, "baseline/2"), _before(1, None)):
        assert drift_of(score(0.6), (), previous, RULES).score_change is None
    assert drift_of(score(None), (), _before(1, 0.2), RULES).score_change is None


def test_a_group_moves_with_two_measures_toward_concern_and_sight_with_one() -> None:
    one, two = signal("agency_rate_fte"), signal("vacancy_rate_fte")
    assert drift_of(score(0.6), (one,), None, RULES).groups == ()
    assert drift_of(score(0.6), (one, signal("vacancy_rate_fte", False)), None, RULES).groups == ()
    drift = drift_of(score(0.6), (one, two), None, RULES)
    assert [g.measures for g in drift.groups] == [("agency_rate_fte", "vacancy_rate_fte")]
    assert drift_words(drift)[0].endswith("agency_rate_fte, vacancy_rate_fte signal toward concern")
    assert len(drift_of(score(0.6), (signal("extracts_late_rate"),), None, RULES).groups) == 1


@pytest.mark.parametrize(("more", "moves"), [(0, True), (-1, False)])
def test_months_without_a_score_are_a_sign_of_sight(more: int, moves: bool) -> None:
    months = RULES.timing.not_scored_months_as_signal + more
    previous = _before(1, None).model_copy(update={"months_not_scored": months})
    assert bool(drift_of(score(None), (), previous, RULES).groups) is moves


def test_a_rise_is_kept_to_six_places() -> None:
    now = replace(score(0.6), rank=0.5)
    assert drift_of(now, (), _before(1, 0.5 - 0.1234567), RULES).score_change == 0.123457


def test_a_rise_is_counted_from_the_oldest_month_of_the_window() -> None:
    points = [ScorePoint(month=MONTH.plus(-n), probability=0.4, model_version="baseline/3", rank=r) for n, r in
              ((7, 0.1), (6, 0.3), (2, 0.2))]  # fmt: skip
    previous = told(0.4, MONTH.plus(-1)).model_copy(update={"recent": tuple(points)})
    drift = drift_of(replace(score(0.6), rank=0.5), (), previous, RULES)
    assert (drift.score_change, drift.score_change_months) == (0.2, 6)
