"""Each count of October 2026 on the last day that counts and on the first that does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from features.counting.month_before import CasesBefore, worker_changes
from features.counting.records import CASE_STATE, count_caseload, count_side_by_side, count_workforce
from features.counting.tally import Rows as CouncilRows
from features.months import Month
from features.registry import Kind

Rows = Callable[..., pl.DataFrame]
SEP30, OCT1, OCT31, NOV1 = date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1)

WORKFORCE: list[tuple[str, dict[str, Any], int]] = [
    ("inpost_headcount", {"role_end_date": NOV1}, 1),
    ("inpost_headcount", {"role_end_date": OCT31}, 0),
    ("leavers_headcount", {"role_end_date": OCT31}, 1),
    ("leavers_headcount", {"role_end_date": OCT1}, 1),
    ("leavers_headcount", {"role_end_date": SEP30}, 0),
    ("leavers_headcount", {"role_end_date": NOV1}, 0),
    ("leavers_headcount", {"role_end_date": OCT1, "agency_worker": True}, 0),
    ("moved_within_headcount", {"role_end_date": OCT1, "reason_leave": "7"}, 1),
    ("moved_within_headcount", {"role_end_date": OCT1, "reason_leave": "1"}, 0),
    ("moved_within_headcount", {"role_end_date": OCT1, "reason_leave": None}, 0),
    ("starters_headcount", {"role_start_date": OCT1}, 1),
    ("starters_headcount", {"role_start_date": OCT31}, 1),
    ("starters_headcount", {"role_start_date": SEP30}, 0),
    ("starters_headcount", {"role_start_date": NOV1}, 0),
    ("new_in_post_headcount", {"role_start_date": date(2025, 11, 1)}, 1),
    ("new_in_post_headcount", {"role_start_date": date(2025, 10, 31)}, 0),
    ("case_holders_fte", {"cases": 1, "fte": 50}, 50),
    ("case_holders_fte", {"cases": 0, "fte": 50}, 0),
    ("case_holders_fte", {"cases": None, "fte": 50}, 0),
    ("cases", {"cases": 3, "fte": 1}, 3),
    ("cases", {"cases": 3, "fte": 0}, 0),
    ("cases", {"cases": 3, "fte": 50, "role_end_date": OCT31}, 0),
    ("working_days_lost", {"working_days_lost": 15, "role_end_date": SEP30}, 15),
    ("working_days_lost", {"working_days_lost": 15, "agency_worker": True}, 0),
    ("absent_headcount", {"absent_at_reference_date": True}, 1),
    ("absent_headcount", {"absent_at_reference_date": True, "role_end_date": OCT31}, 0),
    ("absent_headcount", {"absent_at_reference_date": True, "agency_worker": True}, 0),
    ("agency_worker_fte", {"agency_worker": True, "fte": 40}, 40),
    ("agency_worker_fte", {"agency_worker": True, "fte": 40, "role_end_date": OCT31}, 0),
    ("managers_agency_headcount", {"agency_worker": True, "org_role": "3"}, 1),
    ("managers_agency_headcount", {"org_role": "3"}, 0),
    *(("managers_headcount", {"org_role": role}, int(role in "123")) for role in "123456"),
    *(("senior_managers_headcount", {"org_role": role}, int(role in "12")) for role in "123"),
    *(("first_line_managers_headcount", {"org_role": role}, int(role == "3")) for role in "234"),
    *(("practitioners_headcount", {"org_role": role}, int(role in "456")) for role in "3456"),
    ("managers_leavers_headcount", {"org_role": "3", "role_end_date": OCT31}, 1),
    ("managers_leavers_headcount", {"org_role": "3", "role_end_date": NOV1}, 0),
    ("senior_managers_leavers_headcount", {"org_role": "2", "role_end_date": OCT1}, 1),
    ("senior_managers_leavers_headcount", {"org_role": "3", "role_end_date": OCT1}, 0),
]

PLAN = {"case_status": "b", "cp_plan_start_date": date(2026, 5, 1)}
CASELOAD: list[tuple[str, dict[str, Any], int]] = [
    ("open_cases", {"closed_date": NOV1}, 1),
    ("open_cases", {"closed_date": OCT31}, 0),
    ("closures", {"closed_date": OCT31}, 1),
    ("closures", {"closed_date": OCT1}, 1),
    ("closures", {"closed_date": SEP30}, 0),
    ("closures", {"closed_date": NOV1}, 0),
    ("unallocated_cases", {"allocated_worker_ref": None, "closed_date": OCT31}, 0),
    ("assessments_open", {"assessment_start_date": OCT31}, 1),
    ("assessments_open", {"assessment_start_date": NOV1}, 0),
    ("assessments_open", {"assessment_start_date": OCT1, "assessment_authorised_date": NOV1}, 1),
    ("assessments_open", {"assessment_start_date": OCT1, "assessment_authorised_date": OCT31}, 0),
    ("assessments_open", {"assessment_start_date": OCT1, "closed_date": OCT31}, 0),
    # 45 working days up to Friday 30 October began on 28 August: the 31st was a bank holiday.
    ("assessments_overdue", {"assessment_start_date": date(2026, 8, 28)}, 0),
    ("assessments_overdue", {"assessment_start_date": date(2026, 8, 27)}, 1),
    ("assessments_completed", {"assessment_start_date": OCT1, "assessment_authorised_date": OCT1}, 1),
    ("assessments_completed", {"assessment_start_date": OCT1, "assessment_authorised_date": OCT31}, 1),
    ("assessments_completed", {"assessment_start_date": OCT1, "assessment_authorised_date": NOV1}, 0),
    ("assessments_completed", {"assessment_start_date": OCT1, "assessment_authorised_date": SEP30}, 0),
    ("section_47s", {"section_47_start_date": OCT1}, 1),
    ("section_47s", {"section_47_start_date": OCT31}, 1),
    ("section_47s", {"section_47_start_date": NOV1}, 0),
    ("section_47s", {"section_47_start_date": SEP30}, 0),
    ("icpcs", {"section_47_start_date": OCT1, "icpc_date": OCT31}, 1),
    ("icpcs", {"section_47_start_date": OCT1, "icpc_date": NOV1}, 0),
    # 15 working days: Thursday 1 October is in time for a conference on Thursday 22 October and no later.
    ("icpcs_in_time", {"section_47_start_date": OCT1, "icpc_date": date(2026, 10, 22)}, 1),
    ("icpcs_in_time", {"section_47_start_date": OCT1, "icpc_date": date(2026, 10, 23)}, 0),
    ("cp_plans_open", {"cp_plan_start_date": OCT31}, 1),
    ("cp_plans_open", {"cp_plan_start_date": NOV1}, 0),
    ("cp_plans_open", {"cp_plan_start_date": OCT1, "closed_date": OCT31}, 0),
    ("cp_plans_started", {"cp_plan_start_date": OCT1}, 1),
    ("cp_plans_started", {"cp_plan_start_date": SEP30}, 0),
    ("cp_plans_started", {"cp_plan_start_date": NOV1}, 0),
    ("repeat_cp_plans", {"cp_plan_start_date": OCT1, "previous_cp_plans": 1}, 1),
    ("repeat_cp_plans", {"cp_plan_start_date": OCT1, "previous_cp_plans": 0}, 0),
    ("repeat_cp_plans", {"cp_plan_start_date": SEP30, "previous_cp_plans": 1}, 0),
    ("cp_reviews_due", PLAN | {"cp_review_due_date": NOV1}, 1),
    ("cp_reviews_due", PLAN, 0),
    ("cp_reviews_due", {"cp_review_due_date": NOV1}, 0),
    ("cp_reviews_in_time", PLAN | {"cp_review_due_date": OCT31}, 1),
    ("cp_reviews_in_time", PLAN | {"cp_review_due_date": date(2026, 10, 30)}, 0),
    *(("visits_due", {"case_status": status}, int(status in "abc")) for status in "abcde"),
    # 30 working days up to 30 October began on Monday 21 September; a visit on the weekend before is as recent.
    ("visits_overdue", PLAN | {"last_visit_date": date(2026, 9, 19)}, 0),
    ("visits_overdue", PLAN | {"last_visit_date": date(2026, 9, 18)}, 1),
    ("visits_overdue", PLAN | {"last_visit_date": None}, 1),
    ("referrals", {"referral_date": OCT1}, 1),
    ("referrals", {"referral_date": OCT31}, 1),
    ("referrals", {"referral_date": SEP30}, 0),
    ("referrals", {"referral_date": NOV1}, 0),
    ("re_referrals", {"referral_date": OCT1, "re_referral": True}, 1),
    ("re_referrals", {"referral_date": SEP30, "re_referral": True}, 0),
    ("cases_with_history", {"worker_changes_12m": 0}, 1),
    ("cases_with_history", {"worker_changes_12m": 0, "closed_date": OCT31}, 0),
    ("cases_three_workers", {"worker_changes_12m": 2}, 1),
    ("cases_three_workers", {"worker_changes_12m": 1}, 0),
]


@pytest.mark.parametrize(("name", "row", "counted"), WORKFORCE)
def test_a_worker(workers: Rows, received: Rows, october: Month, name: str, row: dict[str, Any], counted: int) -> None:
    assert count_workforce(workers(row), october, None, received()).counts[name].to_list() == [counted]


@pytest.mark.parametrize(("name", "row", "counted"), CASELOAD)
def test_a_case(cases: Rows, received: Rows, october: Month, name: str, row: dict[str, Any], counted: int) -> None:
    assert count_caseload(cases(row), october, None, received()).counts[name].to_list() == [counted]


def test_kinds_counted_side_by_side_are_those_counted_alone(
    workers: Rows, cases: Rows, received: Rows, october: Month
) -> None:
    frames = {Kind.WORKFORCE: workers({}, {}), Kind.CASELOAD: cases({}, {}, {})}
    both = count_side_by_side(frames, october, {}, {kind: received() for kind in frames})
    assert list(both) == list(frames)
    assert both[Kind.WORKFORCE].counts.equals(count_workforce(workers({}, {}), october, None, received()).counts)
    assert both[Kind.CASELOAD].counts.equals(count_caseload(cases({}, {}, {}), october, None, received()).counts)


def state(*rows: tuple[str, int, int]) -> pl.DataFrame:
    return pl.DataFrame([(SEP30, *row) for row in rows], schema=CASE_STATE, orient="row")


@pytest.mark.parametrize("far", [0, 2**63])
def test_changes_of_worker_are_the_same_for_references_that_are_near_each_other_and_far_apart(far: int) -> None:
    """Near ones share their leading bits, so that they are told apart one by one."""
    before = state(("201", 1, 11), ("201", 2 + far, 12), ("202", 1, 13), ("204", 1, 14))
    now = state(("201", 1, 11), ("201", 2 + far, 99), ("201", 3 + far, 15), ("203", 1, 13))
    counts, unknown = worker_changes(CouncilRows.of(now), CasesBefore.of(before, Month(2026, 10)))
    assert counts.select("la_code", "cases_seen_twice", "cases_worker_changed").rows() == [("201", 2, 1)]
    assert unknown == {"203"}


def test_a_council_whose_rows_are_all_left_out_has_no_sum_and_does_not_take_its_neighbours() -> None:
    frame = pl.DataFrame({"la_code": ["201", "202", "202", "203"], "n": [5, 7, 8, 9]})
    rows = CouncilRows.of(frame)
    left = rows.where(pl.Series([False, True, True, True]), "la_code", "n")
    assert left.lengths.to_list() == [0, 2, 1]
    assert left.sums(left.marks({"many": pl.col("n") > 7}, {"n": pl.col("n")})).rows() == [
        ("201", 0, 0),
        ("202", 1, 15),
        ("203", 1, 9),
    ]
    there = left.where_council(left.lengths > 0)
    assert there.councils.to_list() == ["202", "203"] and there.lengths.to_list() == [2, 1]
    assert left.where_council(pl.Series([True, False, True])).frame.get_column("n").to_list() == [9]
    nobody = rows.where(pl.Series([True, True, True, False]), "la_code", "n")
    assert nobody.sums(nobody.marks({}, {"n": pl.col("n")})).rows() == [("201", 5), ("202", 15), ("203", 0)]
