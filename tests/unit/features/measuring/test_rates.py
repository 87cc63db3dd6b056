"""Each measure from inputs chosen so that the answer can be worked out in the head."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from features.frames import INPUTS, MEASURES_SCHEMA, REASONS
from features.measuring.rates import compute_measures, monthly_points, window_of
from features.registry import BY_NAME, INPUT_PARTS, MEASURES, Missing

SEPTEMBER = date(2026, 9, 30)

#: Inputs in natural units, and what each measure must make of them.
NATURAL: dict[str, float] = {
    "inpost_fte": 200,
    "inpost_headcount": 250,
    "starters_fte_12m": 30,
    "leavers_fte_12m": 40,
    "leavers_fte_3m": 8,
    "leavers_headcount_12m": 50,
    "agency_fte": 50,
    "agency_headcount": 50,
    "agency_cover_fte": 40,
    "vacancy_fte": 25,
    "case_holders_fte": 150,
    "cases": 2400,
    "working_days_lost_12m": 1518,
    "new_in_post_headcount": 50,
    "absent_headcount": 10,
    "managers_headcount": 40,
    "managers_agency_headcount": 4,
    "managers_leavers_headcount_12m": 10,
    "senior_managers_headcount": 8,
    "senior_managers_leavers_headcount_12m": 2,
    "first_line_managers_headcount": 30,
    "practitioners_headcount": 210,
    "open_cases": 3000,
    "unallocated_cases": 60,
    "assessments_completed_12m": 2000,
    "assessments_in_time_12m": 1500,
    "assessments_open": 400,
    "assessments_overdue": 100,
    "icpcs_12m": 200,
    "icpcs_in_time_12m": 150,
    "cp_reviews_due": 300,
    "cp_reviews_in_time": 285,
    "visits_due": 1000,
    "visits_overdue": 250,
    "closures_3m": 900,
    "referrals_3m": 1000,
    "cases_seen_twice": 2500,
    "cases_worker_changed": 125,
    "cases_with_history": 2000,
    "cases_three_workers": 400,
    "referrals_12m": 4000,
    "re_referrals_12m": 800,
    "section_47s_12m": 1200,
    "cp_plans_started_12m": 250,
    "repeat_cp_plans_12m": 50,
    "population_0_17": 80_000,
}
EXPECTED: dict[str, float] = {
    "vacancy_rate_fte": 25 / 225,
    "agency_rate_fte": 0.2,
    "agency_rate_headcount": 50 / 300,
    "turnover_rate_fte": 0.2,
    "turnover_rate_headcount": 0.2,
    "caseload_fte": 16.0,
    "absence_rate_fte": 0.03,
    "agency_cover_rate_fte": 0.8,
    "vacancy_agency_cover_rate_fte": 1.6,
    "turnover_rate_3m_annualised": 0.16,
    "starters_rate_fte": 0.15,
    "net_change_rate_fte": -0.05,
    "new_in_post_share_headcount": 0.2,
    "absent_share_headcount": 0.04,
    "manager_turnover_rate_headcount": 0.25,
    "senior_manager_turnover_rate_headcount": 0.25,
    "manager_agency_rate_headcount": 0.1,
    "practitioners_per_manager": 7.0,
    "unallocated_rate": 0.02,
    "assessments_in_time_rate": 0.75,
    "assessments_overdue_rate": 0.25,
    "icpc_in_time_rate": 0.75,
    "cp_reviews_in_time_rate": 0.95,
    "visits_overdue_rate": 0.25,
    "closure_ratio_3m": 0.9,
    "worker_change_rate": 0.05,
    "three_workers_rate": 0.2,
    "referral_rate_per_10k": 500.0,
    "re_referral_rate": 0.2,
    "open_cases_per_10k": 375.0,
    "section_47_rate_per_10k": 150.0,
    "repeat_cp_plan_rate": 0.2,
}


def inputs(month: date = SEPTEMBER, **changed: float | None) -> pl.DataFrame:
    given = {**NATURAL, **changed}
    row = {n: None if v is None else round(v * INPUT_PARTS[n]) for n, v in given.items()}
    return pl.DataFrame([{"la_code": "201", "month": month, "known_from": date(2026, 10, 8), **row}], schema=INPUTS)


def measured(frame: pl.DataFrame, name: str, reasons: pl.DataFrame | None = None) -> dict[str, object]:
    found = compute_measures(frame, REASONS.to_frame() if reasons is None else reasons)
    return found.filter(pl.col("measure") == name).row(0, named=True)


def test_every_measure_has_a_worked_example() -> None:
    assert set(EXPECTED) == {m.name for m in MEASURES}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_formula(name: str) -> None:
    assert measured(inputs(), name)["value"] == pytest.approx(EXPECTED[name], rel=1e-12)


def test_the_numbers_behind_a_rate_travel_with_it() -> None:
    row = measured(inputs(), "agency_rate_fte")
    assert (row["numerator"], row["denominator"], row["reason"]) == (50.0, 250.0, None)
    assert (row["la_code"], row["month"], row["known_from"]) == ("201", SEPTEMBER, date(2026, 10, 8))


def test_the_reason_is_that_of_the_first_missing_input_of_the_formula() -> None:
    frame = inputs(agency_fte=None, inpost_fte=None)
    given = pl.DataFrame(
        [
            ("201", SEPTEMBER, "inpost_fte", str(Missing.LATE)),
            ("201", SEPTEMBER, "agency_fte", str(Missing.CONFIDENTIAL)),
        ],
        schema=REASONS,
        orient="row",
    )
    row = measured(frame, "agency_rate_fte", given)
    assert (row["value"], row["reason"]) == (None, str(Missing.CONFIDENTIAL))
    assert measured(frame, "turnover_rate_fte", given)["reason"] == str(Missing.LATE)
    assert measured(frame, "caseload_fte", given)["reason"] is None


def test_a_missing_input_without_a_reason_was_not_reported() -> None:
    assert measured(inputs(cases=None), "caseload_fte")["reason"] == str(Missing.NOT_REPORTED)
    assert measured(inputs(population_0_17=None), "open_cases_per_10k")["reason"] == str(Missing.NO_POPULATION)


def test_nothing_to_divide_by() -> None:
    row = measured(inputs(icpcs_12m=0, icpcs_in_time_12m=0), "icpc_in_time_rate")
    assert (row["value"], row["reason"]) == (None, str(Missing.ZERO_DENOMINATOR))


def test_a_part_larger_than_its_whole_is_no_rate() -> None:
    row = measured(inputs(unallocated_cases=3001), "unallocated_rate")
    assert (row["value"], row["reason"]) == (None, str(Missing.CONTRADICTION))
    assert measured(inputs(unallocated_cases=3000), "unallocated_rate")["value"] == 1.0
    assert measured(inputs(agency_cover_fte=60), "agency_cover_rate_fte")["value"] == 1.2, "not a part by definition"


@pytest.mark.parametrize(
    ("month", "days"),
    [
        (date(2020, 9, 30), 254),
        (date(2021, 1, 31), 254),
        (date(2021, 2, 28), 253),
        (date(2020, 2, 29), 254),
        (date(2020, 1, 31), 253),
        (date(2023, 9, 30), 253),
    ],
)
def test_absence_is_divided_by_254_days_where_the_year_has_a_29_february(month: date, days: int) -> None:
    assert measured(inputs(month), "absence_rate_fte")["value"] == pytest.approx(1518 / (200 * days), rel=1e-12)


def test_long_frame_is_complete_and_sorted_by_key() -> None:
    two = pl.concat([inputs(), inputs(date(2026, 8, 31)), inputs().with_columns(la_code=pl.lit("200"))])
    long = compute_measures(two, REASONS.to_frame())
    assert long.schema == MEASURES_SCHEMA
    assert long.height == 3 * len(MEASURES)
    key = ["la_code", "month", "measure"]
    assert long.select(key).equals(long.select(key).sort(key))


def test_windows_are_read_off_the_formula() -> None:
    assert window_of(BY_NAME["turnover_rate_fte"]) == 12
    assert window_of(BY_NAME["closure_ratio_3m"]) == 3
    assert window_of(BY_NAME["vacancy_rate_fte"]) is None


def test_points_of_a_chart_are_the_months_own_in_the_measures_unit() -> None:
    frame = inputs(
        leavers_fte_1m=4, referrals_1m=300, re_referrals_1m=90, closures_1m=330, working_days_lost_1m=253, agency_fte=50
    )
    points = dict(monthly_points(frame).select("measure", "point").rows())
    assert points["turnover_rate_fte"] == pytest.approx(12 * 4 / 200)
    assert points["turnover_rate_3m_annualised"] == pytest.approx(12 * 4 / 200)
    assert points["referral_rate_per_10k"] == pytest.approx(12 * 300 / 8)
    assert points["re_referral_rate"] == pytest.approx(0.3)
    assert points["closure_ratio_3m"] == pytest.approx(1.1)
    assert points["absence_rate_fte"] == pytest.approx(12 * 253 / (200 * 253))
    assert "agency_rate_fte" not in points, "a stock is its own point"
    assert points["icpc_in_time_rate"] is None
