"""Which measures a message shows: what signals, children first; never what only the score likes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact
from flows.alerts.look_first import URGENT, clearly_worse, far_outside, look_first, seen_at_first


@dataclass(frozen=True)
class Share:
    measure: str | None
    share: float
    is_context: bool = False


def fact(measure: str, value: float | None, toward: str | None = None, near: float = 0.1) -> MeasureFact:
    return MeasureFact(
        measure=measure, value=value, year_ago=near, neighbours_median=near, neighbours_reported=9, toward=toward
    )


def shown(
    *facts: MeasureFact, shares: tuple[Share, ...] = (), better: bool = False, behind: tuple[str, ...] = ()
) -> list[str]:
    return [f.measure for f in look_first({f.measure: f for f in facts}, shares, better=better, behind=behind)]


def test_children_not_seen_and_cases_without_a_worker_go_before_the_reasons_of_the_score() -> None:
    names = shown(
        fact("caseload_fte", 20.9, CONCERN),
        fact("absence_rate_fte", 0.046),
        fact("manager_turnover_rate_headcount", 0.88, CONCERN),
        fact("unallocated_rate", 0.15, CONCERN),
        fact("visits_overdue_rate", 0.36, CONCERN),
        shares=(Share("absence_rate_fte", 0.9), Share("caseload_fte", 0.8)),
    )
    assert names == ["visits_overdue_rate", "unallocated_rate", "manager_turnover_rate_headcount", "caseload_fte"]


def test_leadership_far_outside_similar_councils_goes_before_the_reasons_of_the_score() -> None:
    urgent = [fact(m, 0.36, CONCERN) for m in ("visits_overdue_rate", "unallocated_rate", "cp_reviews_in_time_rate")]
    for near, last in ((0.25, "manager_turnover_rate_headcount"), (0.45, "caseload_fte"), (None, "caseload_fte")):
        left = fact("manager_turnover_rate_headcount", 0.88, CONCERN).model_copy(update={"neighbours_median": near})
        names = shown(*urgent, left, fact("caseload_fte", 20.9, CONCERN), shares=(Share("caseload_fte", 0.8),))
        assert names == [*(f.measure for f in urgent), last], near


def test_a_reason_that_does_not_signal_is_not_shown_beside_one_that_does() -> None:
    names = shown(
        fact("absence_rate_fte", 0.2), fact("caseload_fte", 20.0, CONCERN), shares=(Share("absence_rate_fte", 2.0),)
    )
    assert names == ["caseload_fte"]


def test_where_nothing_signals_only_reasons_whose_figures_show_it_are_shown() -> None:
    shares = (Share("agency_rate_fte", 0.5), Share("caseload_fte", 0.4), Share("imd_score", 0.9, is_context=True))
    assert shown(fact("agency_rate_fte", 0.2), fact("caseload_fte", 0.1), shares=shares) == ["agency_rate_fte"]
    assert shown(fact("agency_rate_fte", None), shares=shares) == []


def test_the_same_thing_counted_twice_is_shown_once() -> None:
    names = shown(
        fact("agency_rate_fte", 0.2, CONCERN),
        fact("agency_rate_headcount", 0.2, CONCERN),
        fact("assessments_overdue_rate", 0.2, CONCERN),
        fact("assessments_in_time_rate", 0.2, CONCERN),
    )
    assert names == ["assessments_in_time_rate", "agency_rate_fte"]


def test_when_an_alert_eases_what_improved_goes_first_and_what_is_still_worse_keeps_a_place() -> None:
    better = [
        fact(m, 0.1, IMPROVEMENT) for m in ("agency_rate_fte", "caseload_fte", "vacancy_rate_fte", "re_referral_rate")
    ]
    names = shown(*better, fact("unallocated_rate", 0.2, CONCERN), better=True)
    assert names == ["agency_rate_fte", "caseload_fte", "vacancy_rate_fte", "unallocated_rate"]


def test_a_cause_that_is_known_goes_behind_and_stays() -> None:
    facts = [fact("visits_overdue_rate", 0.3, CONCERN), fact("agency_rate_fte", 0.2, CONCERN)]
    assert shown(*facts, behind=("visits_overdue_rate",)) == ["agency_rate_fte", "visits_overdue_rate"]


def test_an_urgent_measure_far_from_similar_councils_takes_the_last_place_though_its_chart_is_silent() -> None:
    urgent = [fact(m, 0.36, CONCERN) for m in ("visits_overdue_rate", "unallocated_rate", "cp_reviews_in_time_rate")]
    left = fact("manager_turnover_rate_headcount", 0.67, near=0.16)
    names = shown(*urgent, left, fact("caseload_fte", 20.9, CONCERN))
    assert names == [*(f.measure for f in urgent), left.measure]
    near = left.model_copy(update={"value": 0.3})
    few = left.model_copy(update={"small_base": True})
    for other in (near, few, left.model_copy(update={"toward": IMPROVEMENT})):
        assert left.measure not in shown(*urgent, other, fact("caseload_fte", 20.9, CONCERN))
    assert shown(fact("visits_overdue_rate", 0.36, CONCERN), left) == ["visits_overdue_rate", left.measure]
    two = (fact("unallocated_rate", 0.36), fact("cp_reviews_in_time_rate", 0.2, near=0.8))
    assert shown(fact("visits_overdue_rate", 0.36, CONCERN), *two) == ["visits_overdue_rate", "unallocated_rate"]


def near(measure: str, value: float | None, **given: object) -> MeasureFact:
    return MeasureFact.model_validate({"measure": measure, "value": value, **given})


@pytest.mark.parametrize(
    ("measure", "value", "neighbours", "far"),
    [
        ("unallocated_rate", 0.2, 0.1, True),
        ("unallocated_rate", 0.199, 0.1, False),
        ("unallocated_rate", 0.0, 0.0, False),
        ("unallocated_rate", 0.1, 0.0, True),
        ("unallocated_rate", None, 0.1, False),
        ("unallocated_rate", 0.2, None, False),
        ("cp_reviews_in_time_rate", 0.4, 0.8, True),
        ("cp_reviews_in_time_rate", 0.41, 0.8, False),
        ("cp_reviews_in_time_rate", 0.0, 0.0, False),
        ("agency_rate_fte", 0.9, 0.1, False),  # neither urgent nor of leadership
        ("manager_agency_rate_headcount", 0.9, 0.1, True),
    ],
)
def test_far_is_twice_as_bad_as_similar_councils(
    measure: str, value: float | None, neighbours: float | None, far: bool
) -> None:
    assert far_outside(near(measure, value, neighbours_median=neighbours)) is far


@pytest.mark.parametrize(
    ("measure", "value", "beside", "worse"),
    [
        ("agency_rate_fte", 0.23, {"year_ago": 0.2}, True),
        ("agency_rate_fte", 0.21, {"year_ago": 0.2}, False),
        ("agency_rate_fte", 0.216, {"year_ago": 0.2}, False),
        ("agency_rate_fte", 0.17, {"year_ago": 0.2}, False),
        ("agency_rate_fte", 0.21, {"year_ago": 0.2, "neighbours_median": 0.1}, True),
        ("agency_rate_fte", 0.21, {}, False),
        ("agency_rate_fte", None, {"year_ago": 0.2}, False),
        ("assessments_in_time_rate", 0.6, {"year_ago": 0.8}, True),
        ("assessments_in_time_rate", 0.9, {"year_ago": 0.8}, False),
        ("assessments_in_time_rate", 0.74, {"year_ago": 0.8}, False),
        ("agency_cover_rate_fte", 0.9, {"year_ago": 0.1}, False),  # neither way is a concern
    ],
)
def test_clearly_worse_is_a_tenth_than_a_year_ago_or_than_similar_councils(
    measure: str, value: float | None, beside: dict[str, float], worse: bool
) -> None:
    assert clearly_worse(near(measure, value, **beside)) is worse


def test_a_new_council_sees_what_is_worse_and_then_what_is_known() -> None:
    facts = {m: near(m, 0.1) for m in ("caseload_fte", "agency_rate_fte", "vacancy_rate_fte", "re_referral_rate")} | {
        "unallocated_rate": near("unallocated_rate", None),
        "absence_rate_fte": fact("absence_rate_fte", 0.2, CONCERN),
    }
    assert [f.measure for f in seen_at_first(facts)] == [
        "absence_rate_fte",
        "vacancy_rate_fte",
        "agency_rate_fte",
        "caseload_fte",
    ]
    worse = ("visits_overdue_rate", "unallocated_rate", "cp_reviews_in_time_rate", "icpc_in_time_rate", "caseload_fte")
    many = {m: fact(m, 0.2, CONCERN) for m in (*worse, "vacancy_rate_fte", "agency_rate_fte", "turnover_rate_fte")}
    assert len(seen_at_first(many)) == 6


def test_three_urgent_measures_at_most_and_settled_ones_after_those_that_move() -> None:
    settled = near("visits_overdue_rate", 0.3, level=CONCERN, neighbours_median=0.25)
    moving = [fact(m, 0.2, CONCERN, 0.15) for m in ("unallocated_rate", "icpc_in_time_rate")]
    assert shown(settled, *moving)[:3] == ["unallocated_rate", "icpc_in_time_rate", "visits_overdue_rate"]
    urgent = [fact(m, 0.2, CONCERN, 0.15) for m in URGENT[:4]]
    named = shown(*urgent, fact("caseload_fte", 20.0, CONCERN, 19.0), shares=(Share("caseload_fte", 0.9),))
    assert named == [*URGENT[:3], "caseload_fte"]


def test_reasons_that_count_against_the_council_come_in_order_of_their_weight() -> None:
    shares = (
        Share("agency_rate_fte", 0.2),
        Share("vacancy_rate_fte", 0.3),
        Share("vacancy_rate_fte", 0.1),
        Share("re_referral_rate", -0.5),
        Share(None, 0.9),
        Share("caseload_fte", 0.0),
    )
    names = shown(*(fact(s.measure, 0.2) for s in shares if s.measure), shares=shares)
    assert names == ["vacancy_rate_fte", "agency_rate_fte"]
