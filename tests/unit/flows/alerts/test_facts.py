from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from expectations.fates import Fate, FileFate
from features.frames import FEATURES_SCHEMA
from features.months import Month
from features.registry import BY_NAME, Kind, Missing
from flows.alerts.facts import (
    CHART_MONTHS,
    CouncilFacts,
    MeasureFact,
    SubmissionFact,
    ValidationFacts,
    ValidationNote,
    facts_by_council,
)
from tests.unit.flows.alerts.examples import MONTH, facts

BLANK = dict.fromkeys(FEATURES_SCHEMA)


def row(measure: str, month: Month = MONTH, la_code: str = "991", **given: object) -> dict[str, object]:
    return {
        **BLANK,
        "la_code": la_code,
        "month": month.last_day,
        "measure": measure,
        "known_from": date(2026, 11, 5),
        "neighbours_reported": 8,
        "small_base": False,
        **given,
    }


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=FEATURES_SCHEMA, orient="row")


def facts_of(features: pl.DataFrame, la_code: str, month: Month, *, chart_months: int = CHART_MONTHS) -> CouncilFacts:
    return facts_by_council(features, (la_code,), month, chart_months=chart_months)[la_code]


def test_a_measure_comes_with_its_past_neighbours_and_signal() -> None:
    facts = facts_of(
        frame(
            row(
                "unallocated_rate",
                value=0.08,
                change_12m=0.03,
                neighbours_median=0.02,
                xmr_lower=-0.01,
                xmr_upper=0.05,
                xmr_signal="point",
                xmr_toward="concern",
            )
        ),
        "991",
        MONTH,
    )
    fact = facts.measures["unallocated_rate"]
    assert (fact.value, fact.year_ago, fact.neighbours_median) == (0.08, 0.05, 0.02)
    assert fact.usual_low == 0.0
    (signal,) = facts.signals
    assert (signal.measure, signal.rule, signal.toward_concern) == ("unallocated_rate", "point", True)


def test_a_signal_that_means_neither_is_no_signal() -> None:
    facts = facts_of(
        frame(row("agency_cover_rate_fte", value=0.5, xmr_signal="shift", xmr_toward="neither")), "991", MONTH
    )
    assert facts.signals == ()


def test_other_councils_and_later_months_do_not_enter() -> None:
    own = row("agency_rate_fte", value=0.2)
    other = row("agency_rate_fte", la_code="992", value=0.9)
    later = row("agency_rate_fte", MONTH.plus(1), value=0.8)
    assert facts_of(frame(own, other, later), "991", MONTH) == facts_of(frame(own), "991", MONTH)


def test_a_median_of_few_neighbours_is_left_out_of_fact_and_chart() -> None:
    facts = facts_of(
        frame(row("agency_rate_fte", value=0.2, neighbours_median=0.1, neighbours_reported=2)), "991", MONTH
    )
    assert facts.measures["agency_rate_fte"].neighbours_median is None
    assert facts.series["agency_rate_fte"].neighbours[-1] is None


def test_a_missing_month_is_a_gap_in_the_series() -> None:
    facts = facts_of(
        frame(row("agency_rate_fte", MONTH.plus(-2), value=0.1), row("agency_rate_fte", value=0.2)),
        "991",
        MONTH,
        chart_months=3,
    )
    assert facts.series["agency_rate_fte"].values == (0.1, None, 0.2)


def test_a_rate_on_few_people_is_known_to_be_one() -> None:
    facts = facts_of(
        frame(row("unallocated_rate", value=0.01, numerator=3.0, denominator=300.0, small_base=False)), "991", MONTH
    )
    assert facts.measures["unallocated_rate"].rests_on_few


def test_many_councils_at_once_are_the_same_as_one_by_one() -> None:
    rows = frame(*(row(m, la_code=c, value=0.1) for c in ("991", "992") for m in list(BY_NAME)[:4]))
    together = facts_by_council(rows, ("991", "992", "993"), MONTH)
    assert together["992"] == facts_of(rows, "992", MONTH)
    assert together["993"].measures == {}


def test_a_chart_shows_the_months_own_figures_where_the_measure_is_a_sum_over_months() -> None:
    month = Month(2026, 10)
    row = {
        **BLANK,
        "la_code": "Z01",
        "month": month.last_day,
        "measure": "turnover_rate_fte",
        "value": 0.15,
        "xmr_value": 0.36,
        "small_base": False,
    }
    facts = facts_of(pl.DataFrame([row], schema=FEATURES_SCHEMA, orient="row"), "Z01", month)
    assert facts.series["turnover_rate_fte"].values[-1] == 0.36
    assert facts.measures["turnover_rate_fte"].value == 0.15


def test_months_in_a_row_are_those_with_a_figure_of_its_own_up_to_this_one() -> None:
    own = facts()
    values = (*(None,) * 20, 0.1, None, 0.1, 0.2)
    short = {m: s.model_copy(update={"values": values}) for m, s in own.series.items()}
    assert own.months_in_a_row == 24
    assert own.model_copy(update={"series": short}).months_in_a_row == 2
    assert own.model_copy(update={"series": {}}).months_in_a_row == 0


@pytest.mark.parametrize(
    "file",
    [
        FileFate(Kind.RETURN, Fate.MISSING),
        FileFate(
            Kind.WORKFORCE,
            Fate.IN_PART,
            errors=2,
            queries=3,
            withheld=("fte",),
            reason="Why.",
            received=date(2026, 11, 4),
            late=True,
            restated=True,
        ),
    ],
)
def test_an_alert_keeps_what_became_of_a_file(file: FileFate) -> None:
    assert SubmissionFact.of(file, "abc").fate == file
    assert SubmissionFact(extract=str(file.kind), outcome="missing").fate == FileFate(file.kind, Fate.MISSING)


def test_failures_are_counted_by_severity_in_one_extract_or_in_all() -> None:
    notes = [("workforce", "error", 2), ("caseload", "error", 3), ("workforce", "query", 5)]
    kept = ValidationFacts(
        notes=tuple(ValidationNote(extract=e, severity=s, check="x", count=n, message="") for e, s, n in notes)
    )
    assert (kept.count("error"), kept.count("error", "workforce"), kept.count("query", "caseload")) == (5, 2, 0)


@pytest.mark.parametrize(
    ("toward", "level", "settled"),
    [(None, "concern", 0.05), ("concern", "concern", None), ("improvement", "concern", None), (None, None, None)],
)
def test_the_mean_before_is_shown_where_a_measure_is_worse_and_no_longer_moves(
    toward: str | None, level: str | None, settled: float | None
) -> None:
    now = row("unallocated_rate", value=0.08, xmr_toward=toward, xmr_level=level, xmr_mean_before=0.05)
    assert facts_of(frame(now), "991", MONTH).series["unallocated_rate"].settled == settled


def test_a_settled_level_needs_a_figure_of_this_month() -> None:
    before = row("unallocated_rate", MONTH.plus(-1), value=0.08, xmr_level="concern", xmr_mean_before=0.05)
    assert facts_of(frame(before), "991", MONTH).series["unallocated_rate"].settled is None


def test_a_share_is_between_nought_and_one_and_a_month_of_new_references_is_known() -> None:
    early = row("unallocated_rate", MONTH.plus(-2), reason=Missing.NEW_REFERENCES)
    facts = facts_of(frame(early, row("unallocated_rate", value=0.9, xmr_lower=0.7, xmr_upper=1.2)), "991", MONTH)
    assert facts.measures["unallocated_rate"].usual_low == 0.7
    assert facts.measures["unallocated_rate"].usual_high == 1.0
    assert facts.series["unallocated_rate"].begun_anew == (MONTH.plus(-2),)


def test_figures_are_kept_to_nine_places() -> None:
    now = row("unallocated_rate", value=0.1234567891, change_12m=0.0234567894, neighbours_median=0.9876543216)
    fact = facts_of(frame(now), "991", MONTH).measures["unallocated_rate"]
    assert (fact.value, fact.year_ago, fact.neighbours_median) == (0.123456789, 0.1, 0.987654322)


@pytest.mark.parametrize(
    ("measure", "low", "high"),
    [("unallocated_rate", 0.0, 1.0), ("caseload_fte", 0.0, 1.5), ("net_change_rate_fte", -0.5, 1.5)],
)
def test_limits_stay_where_a_measure_can_be(measure: str, low: float, high: float) -> None:
    fact = facts_of(frame(row(measure, value=0.5, xmr_lower=-0.5, xmr_upper=1.5)), "991", MONTH).measures[measure]
    assert (fact.usual_low, fact.usual_high) == (low, high)


def test_a_median_of_four_neighbours_is_kept_and_an_empty_word_is_none() -> None:
    now = row("agency_rate_fte", value=0.2, neighbours_median=0.1, neighbours_reported=4, reason="", xmr_signal="")
    fact = facts_of(frame(now), "991", MONTH).measures["agency_rate_fte"]
    assert (fact.neighbours_median, fact.neighbours_reported, fact.reason, fact.rule) == (0.1, 4, None, None)


def test_a_measure_that_was_last_known_earlier_has_a_chart_and_no_fact() -> None:
    facts = facts_of(frame(row("agency_rate_fte", MONTH.plus(-23), value=0.2)), "991", MONTH)
    assert facts.measures == {} and facts.series["agency_rate_fte"].values == (0.2, *(None,) * 23)
    assert facts_of(frame(row("agency_rate_fte", MONTH.plus(-24), value=0.2)), "991", MONTH).series == {}


@pytest.mark.parametrize(
    ("given", "worse", "settled"),
    [
        ({"toward": "concern"}, True, False),
        ({"level": "concern"}, True, True),
        ({"level": "concern", "toward": "neither"}, True, True),
        ({"level": "concern", "toward": "improvement"}, False, False),
        ({"level": "improvement"}, False, False),
        ({"level": "concern", "value": None}, False, False),
        ({"toward": "concern", "value": None}, False, False),
    ],
)
def test_worse_is_what_moves_or_has_settled(given: dict[str, object], worse: bool, settled: bool) -> None:
    fact = MeasureFact.model_validate({"measure": "agency_rate_fte", "value": 0.2, **given})
    assert (fact.worse, fact.settled_worse) == (worse, settled)


def test_a_fact_says_nothing_that_it_was_not_given() -> None:
    said = MeasureFact(measure="agency_rate_fte", value=0.2).model_dump(exclude={"measure", "value"})
    assert not any(said.values())
