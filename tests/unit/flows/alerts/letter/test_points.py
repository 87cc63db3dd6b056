"""One measure of a message: its figure, its past, its neighbours and its chart's signal."""

from __future__ import annotations

from typing import Any

import pytest

from features.comparing.xmr import XmrRule
from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact
from flows.alerts.letter.points import point
from tests.unit.flows.alerts.examples import series


def _says(toward: str | None = None, **given: Any) -> str:
    """The details of a rate of 20%, whose chart has signalled for five months if it does now."""
    chart = series("absent_share_headcount", 0.1, 0.01, 0.0, 0.13, toward)
    made: dict[str, Any] = {"measure": chart.measure, "value": 0.2, "neighbours_median": 0.13, "toward": toward}
    return point(MeasureFact(**made | given), (chart,)).detail


@pytest.mark.parametrize(
    ("year_ago", "says"),
    [(0.1, "Up from 10% a year ago; "), (0.3, "Down from 30% a year ago; "), (0.2001, "The same as a year ago; ")],
)
def test_a_change_is_said_where_the_two_shown_figures_differ(year_ago: float, says: str) -> None:
    assert _says(year_ago=year_ago).startswith(says)


def test_few_neighbours_are_not_compared_with() -> None:
    assert _says() == "Similar councils 13%."
    assert _says(neighbours_median=None) == "Too few similar councils to compare."


@pytest.mark.parametrize(
    ("share", "says"),
    [(0.004, "Among the lowest in England."), (0.8, "Higher than in 80 of 100"), (1.0, "Higher than in 99 of 100")],
)
def test_the_place_in_england_is_said_of_a_measure_that_is_not_worse(share: float, says: str) -> None:
    assert says in _says(national_percentile=share)
    assert "England" not in _says(CONCERN, rule="shift", national_percentile=share)


@pytest.mark.parametrize(("rule", "range_said"), [(XmrRule.POINT, True), (XmrRule.SHIFT, False)])
def test_the_usual_range_is_said_of_a_point_outside_it(rule: XmrRule, range_said: bool) -> None:
    says = _says(CONCERN, rule=rule, usual_low=0.05, usual_high=0.15)
    assert ("(5.0% to 15%)" in says) is range_said
    assert "(" not in _says(CONCERN, rule=rule, usual_low=0.05)


@pytest.mark.parametrize(("toward", "word"), [(CONCERN, "worse"), (IMPROVEMENT, "better")])
def test_a_run_of_signals_is_said_with_its_first_month(toward: str, word: str) -> None:
    assert f", {word} than usual since June 2026" in _says(toward, rule="near_limit")
    assert "since" not in _says(toward, rule="shift"), "seven months or more are longer than since June"


def test_a_settled_level_is_said_with_the_mean_before() -> None:
    assert "Settled at a worse level than before (12% on average)." in _says(level=CONCERN, mean_before=0.12)
    assert "Settled at a worse level than before." in _says(level=CONCERN)


def test_a_share_of_few_people_is_marked() -> None:
    assert [_says(**few).endswith("Small numbers.") for few in ({"small_base": True}, {"rests_on_few": True}, {})] == [
        True,
        True,
        False,
    ]


def test_a_measure_over_twelve_months_gives_the_months_own_figure_without_a_range() -> None:
    chart = series("turnover_rate_fte", 0.1, 0.01, 0.0, 0.13, CONCERN)
    fact = MeasureFact(
        measure=chart.measure, value=0.2, toward=CONCERN, rule=XmrRule.POINT, usual_low=0.05, usual_high=0.15
    )
    assert "October alone, as a yearly rate, 18%: " in point(fact, (chart,)).detail
    assert "(5.0% to 15%)" in point(fact, (chart,)).detail
    assert "alone" not in point(fact, ()).detail
    assert "(5.0%" not in point(fact, ()).detail


@pytest.mark.parametrize(
    ("months", "since"),
    [(1, ""), (2, " since September 2026"), (23, " since December 2024"), (24, " since November 2024 or earlier")],
)
def test_since_when_a_measure_is_worse(months: int, since: str) -> None:
    chart = series("absent_share_headcount", 0.1, 0.01, 0.0, 0.13, None)
    chart = chart.model_copy(update={"toward": (*(None,) * (24 - months), *(CONCERN,) * months)})
    fact = MeasureFact(measure=chart.measure, value=0.2, toward=CONCERN, rule="near_limit")
    detail = point(fact, (chart,)).detail
    assert (f", worse than usual{since}" in detail) is bool(since)
    assert bool(since) or "than usual since" not in detail
    assert "than usual since" not in point(fact, ()).detail, "without a chart nobody knows"
    other = chart.model_copy(update={"toward": (*chart.toward[:-1], IMPROVEMENT)})
    assert "than usual since" not in point(fact, (other,)).detail
