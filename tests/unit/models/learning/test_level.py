"""The level filter: what it does to one judgement, and six scenarios on a calendar of inspections."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.evidence.levels import InspectionCalendar, _known_by, methods, scenarios, simulate_levels
from models.learning.level import Judged, Level, LevelRule, followed, served, unknown
from models.learning.serving import level_shift
from tests.unit.models.golden import differences

RULE = LevelRule()
DAY = date(2024, 1, 1)


def test_a_surprise_moves_the_level_and_a_known_outcome_hardly() -> None:
    surprised = followed(unknown(RULE), RULE, [Judged(DAY, -3.0, True)])
    expected = followed(unknown(RULE), RULE, [Judged(DAY, 3.0, True)])
    assert surprised.mean > 0.3 > 0.05 > expected.mean > 0
    assert surprised.judgements == 1 and surprised.to == DAY


def test_the_step_is_the_mode_of_the_posterior() -> None:
    grid = np.linspace(-4, 4, 80_001)
    log_posterior = np.log(expit(-1.0 + grid)) - grid**2 / (2 * RULE.sd**2)
    found = followed(unknown(RULE), RULE, [Judged(DAY, -1.0, True)])
    assert found.mean == pytest.approx(grid[np.argmax(log_posterior)], abs=2e-3)


def test_between_judgements_it_reverts_and_grows_uncertain() -> None:
    level = Level(-1.0, 0.05, 100, DAY)
    later = followed(level, RULE, [Judged(DAY + timedelta(days=730), 0.0, True, weight=1e-9)])
    assert later.mean == pytest.approx(-0.5, abs=0.01)
    assert later.variance == pytest.approx(0.25 * 0.05 + 0.75 * 0.49, abs=0.01)
    assert followed(level, RULE, []) == level


def test_in_four_years_three_quarters_are_gone_and_a_late_judgement_takes_nothing_away() -> None:
    level, nothing = Level(-1.0, 0.05, 100, DAY), Judged(DAY, 0.0, True, weight=1e-12)
    later = followed(level, RULE, [replace(nothing, published=DAY + timedelta(days=1461))])
    assert later.mean == pytest.approx(-0.25, abs=1e-9)
    assert later.variance == pytest.approx(0.0625 * 0.05 + 0.9375 * 0.49, abs=1e-9)
    late = followed(level, RULE, [replace(nothing, published=DAY - timedelta(days=1461))])
    assert (late.mean, late.to) == (pytest.approx(-1.0), DAY)
    first = followed(Level(-1.0, 0.05), RULE, [nothing])
    assert (first.mean, first.to) == (pytest.approx(-1.0), DAY), "without a day it has not aged"


def test_judgements_count_by_their_weight() -> None:
    three = followed(
        unknown(RULE), RULE, [Judged(DAY, 0.0, True, 0.75), Judged(DAY, 0.0, True, 0.75), Judged(DAY, 1.0, False)]
    )
    assert three.judgements == 2 and LevelRule(0.7, 2.0) == RULE


def test_a_weighted_shift_forgets_by_half_each_half_life_and_holds_to_no_shift_by_its_cases() -> None:
    day = date(2024, 1, 1).toordinal()
    judged = [Judged(date.fromordinal(day), 0.5, True), Judged(date.fromordinal(day - 731), -0.5, False)]
    odds, bad = np.array([0.5, -0.5]), np.array([True, False])
    for name, half_life, cases in (
        ("weighted shift, half-life 2 years, 20 cases", 2.0, 20.0),
        ("weighted shift, half-life 0.5 years, 10 cases", 0.5, 10.0),
    ):
        weight = np.array([1.0, 0.5 ** (731 / 365.25 / half_life)])
        found = methods()[name](judged, float(day))
        assert found == Level(level_shift(odds, bad, weight, cases)) and found.mean > 0
        assert methods()[name]([], float(day)) == Level()
    assert methods()["none"](judged, float(day)) == Level()


def test_a_shift_makes_forecasts_sum_to_what_was_seen_and_goes_no_further_than_six() -> None:
    odds, weight = np.array([0.0, 1.0]), np.array([1.0, 2.0])
    assert level_shift(odds, np.array([True, True]), weight) == 6.0
    assert level_shift(odds, np.array([False, False]), weight) == -6.0
    shift = level_shift(odds, np.array([True, False]), weight)
    assert float(weight @ expit(odds + shift)) == pytest.approx(1.0)
    held = level_shift(odds, np.array([True, True]), weight, cases=8.0)
    assert float(weight @ (1 - expit(odds + held))) == pytest.approx(2.0 * held)


def test_a_rule_without_spread_follows_nothing() -> None:
    assert followed(Level(), LevelRule(sd=0.0), [Judged(DAY, 0.0, True)]) == Level()


@given(
    st.lists(st.tuples(st.integers(0, 900), st.floats(-3, 3), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 11),
)
def test_fed_in_parts_or_at_once_it_is_the_same(rows: list[tuple[int, float, bool]], cut: int) -> None:
    judged = [Judged(DAY + timedelta(days=d), o, b) for d, o, b in sorted(rows)]
    at_once = followed(unknown(RULE), RULE, judged)
    in_parts = followed(followed(unknown(RULE), RULE, judged[:cut]), RULE, judged[cut:])
    assert in_parts == at_once
    assert followed(unknown(RULE), RULE, judged[::-1]) == at_once, "the order in which they are given is not told"


@given(st.floats(-4, 4), st.floats(-2, 2), st.floats(0.0, 0.6))
def test_what_is_served_is_the_mean_over_the_level(log_odds: float, mean: float, variance: float) -> None:
    draws = mean + np.sqrt(variance) * np.random.default_rng(3).normal(size=40_000)
    assert served(np.array([log_odds]), mean, variance)[0] == pytest.approx(expit(log_odds + draws).mean(), abs=0.01)


@pytest.fixture(scope="module")
def calendar() -> InspectionCalendar:
    """Twenty-five inspections a year for six years, published 60 days after they began."""
    started = np.sort(np.random.default_rng(5).integers(0, 6 * 365, 150)) + date(2018, 1, 1).toordinal()
    return InspectionCalendar(started.astype(float), started + 60.0)


FALL = {2014: 0.0, 2015: 0.4, 2016: -0.1, 2017: -1.3}


def test_a_years_cut_point_is_fitted_to_what_was_published_before_its_first_day() -> None:
    days = [*(date(2019, 12, n) for n in range(1, 21)), date(2020, 1, 1), date(2020, 1, 10), date(2020, 3, 31)]
    published = np.array([d.toordinal() for d in days], dtype=np.float64)
    asked = np.array([0.0] * 22 + [date(2020, 1, 15).toordinal()]) + np.r_[published[:22] - 30, 0.0]
    odds, bad = np.linspace(-1, 1, 23), np.arange(23) % 2 == 0
    ((at, judged, shift),) = _known_by(InspectionCalendar(asked, published), odds, bad, np.array([22]))
    assert (at, len(judged)) == (22, 22), "what came out in January is known on its 15th"
    assert shift == level_shift(odds[:20], bad[:20], np.ones(20))


@pytest.mark.parametrize("name", list(scenarios(InspectionCalendar(np.array([1.0]), np.array([2.0])), FALL)))
def test_in_each_scenario_following_loses_little_or_gains_much(name: str, calendar: InspectionCalendar) -> None:
    tried = {n: m for n, m in methods().items() if n in ("none", "filter, SD 0.7, half-life 2 years")}
    found = simulate_levels(calendar, scenarios(calendar, FALL)[name], tried, replicates=3)
    kept = {method: asdict(result) for method, result in found.items()}
    assert differences(kept, Path(__file__).with_name(f"scenario-{name.replace(' ', '-')}.json")) == []
    none, followed_level = found["none"], found["filter, SD 0.7, half-life 2 years"]
    if name == "stable" or name == "dip and back":
        assert followed_level.regret - none.regret < 0.015
    else:
        assert followed_level.regret < none.regret
    if name == "step down":
        assert 1.0 < followed_level.later < none.later
