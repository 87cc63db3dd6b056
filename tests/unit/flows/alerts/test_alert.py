from __future__ import annotations

from features.comparing.xmr import XmrRule
from flows.alerts.alert import strongest_reasons
from flows.alerts.facts import CouncilFacts, MeasureFact
from flows.alerts.letter.wording import BAND_MEANING, BAND_WORDS, HELPS, RULE_WORDS, STAGE_TITLES
from flows.alerts.state import Change
from tests.unit.flows.alerts.examples import MONTH, alert, facts, score


def only(**measures: MeasureFact) -> CouncilFacts:
    return CouncilFacts(la_code="991", month=MONTH, measures=measures, series={}, signals=())


def fact(measure: str, value: float | None, year_ago: float, near: float, toward: str | None = None) -> MeasureFact:
    return MeasureFact(
        measure=measure, value=value, year_ago=year_ago, neighbours_median=near, neighbours_reported=9, toward=toward
    )


def names(own: CouncilFacts, change: Change = Change.NEW, better: bool = False) -> list[str]:
    shown = alert(score(0.6, better=better)).score
    return [f.measure for f in strongest_reasons(shown, own, change)]


def test_reasons_are_the_strongest_shares_first_and_never_context() -> None:
    assert names(facts()) == ["unallocated_rate", "agency_rate_fte", "assessments_in_time_rate"]


def test_a_reason_its_own_figure_shows_comes_before_one_it_does_not() -> None:
    own = only(
        unallocated_rate=fact("unallocated_rate", 0.020, 0.021, 0.020),
        agency_rate_fte=fact("agency_rate_fte", 0.24, 0.18, 0.13),
        assessments_in_time_rate=fact("assessments_in_time_rate", 0.60, 0.80, 0.85),
    )
    assert names(own) == ["agency_rate_fte", "assessments_in_time_rate", "unallocated_rate"]


def test_a_signal_for_the_better_does_not_show_a_concern() -> None:
    own = only(
        unallocated_rate=fact("unallocated_rate", 0.09, 0.02, 0.02, "improvement"),
        agency_rate_fte=fact("agency_rate_fte", 0.13, 0.13, 0.13, "concern"),
    )
    assert names(own) == ["agency_rate_fte", "unallocated_rate"]


def test_after_an_alert_is_resolved_the_improvements_lead() -> None:
    assert names(facts(better=True), Change.RESOLVED, better=True)[0] == "unallocated_rate"
    assert names(facts(better=True), Change.RESOLVED) == list(facts(better=True).series)


def test_a_measure_without_a_value_is_no_reason() -> None:
    own = only(unallocated_rate=fact("unallocated_rate", None, 0.02, 0.02))
    assert names(own) == []


def test_signals_fill_what_the_score_leaves_open() -> None:
    shown = alert(score(0.6)).score.model_copy(update={"reasons": ()})
    assert len(strongest_reasons(shown, facts(), Change.NEW)) == 3


def test_every_band_stage_and_rule_has_its_words() -> None:
    assert set(RULE_WORDS) == set(XmrRule)
    assert set(HELPS) == set(STAGE_TITLES) == set(range(5))
    assert set(BAND_WORDS) == set(BAND_MEANING)
