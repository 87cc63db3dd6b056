"""What is not there withholds what needs it, by name, and nothing else."""

from __future__ import annotations

import pytest

from expectations.report.council import measures_needing
from features.registry import CASELOAD, COUNTS, Kind
from flows.extracts.formats.annex_a.needs import NEEDS, NOT_CARRIED

from .examples import changed, d, read, small

_ALWAYS = {"cp_review_due_date", "worker_changes_12m"}


@pytest.mark.parametrize(
    ("missing", "fields"),
    [
        ("List 3", {"referral_date", "re_referral"}),
        ("List 4", {"assessment_start_date", "assessment_authorised_date"}),
        ("List 5", {"section_47_start_date", "icpc_date"}),
        ("List 6", {"allocated_worker_ref", "team", "case_status", "last_visit_date", "closed_date"}),
        ("List 7", {"cp_plan_start_date", "last_cp_review_date", "last_visit_date", "previous_cp_plans"}),
        ("List 8", {"last_visit_date"}),
    ],
)
def test_a_missing_list_takes_its_own_fields_only(missing: str, fields: set[str]) -> None:
    sheets = small()
    del sheets[missing]
    extract = read(sheets)
    assert set(extract.absent_columns) == fields | _ALWAYS
    number = missing.removeprefix("List ")
    for field in fields:
        assert f"Annex A list {number} (" in extract.absent_because[field]
        assert extract.absent_because[field].endswith(f"is not in the workbook, so {field} is not known.")
        assert extract.frame[field].null_count() == extract.frame.height


def test_the_note_names_the_measures_that_are_withheld() -> None:
    sheets = small()
    del sheets["List 4"]
    (note,) = [n for n in read(sheets).notes if n.startswith("Annex A list 4 (Assessments) is not in the workbook")]
    assert note.endswith(
        "Withheld: Assessments within 45 working days (12 months); Open assessments past 45 working days."
    )


@pytest.mark.parametrize(
    ("sheet", "header", "field"),
    [
        ("List 3", "Number of Referrals in Last 12 Months", "re_referral"),
        ("List 5", "Date of Initial Child Protection Conference", "icpc_date"),
        ("List 6", "Allocated Worker", "allocated_worker_ref"),
        ("List 7", "Number of Previous Child Protection Plans", "previous_cp_plans"),
        ("List 8", "Date of Last Social Work Visit", "last_visit_date"),
    ],
)
def test_a_missing_column_takes_its_own_field_only(sheet: str, header: str, field: str) -> None:
    sheets = small()
    at = sheets[sheet][0].index(header)
    sheets[sheet] = [[cell for i, cell in enumerate(row) if i != at] for row in sheets[sheet]]
    extract = read(sheets)
    assert set(extract.absent_columns) == {field} | _ALWAYS
    assert f"has no column “{header}”" in extract.absent_because[field]


def test_without_list_8_and_its_status_in_list_6_nobody_knows_who_is_open() -> None:
    sheets = changed(small(), "List 6", 2, "Case Status", "c")
    del sheets["List 8"]
    extract = read(sheets)
    assert {"closed_date", "case_status"} <= set(extract.absent_columns)
    assert "and list 6 gives no open case its status" in extract.absent_because["closed_date"]


def test_a_list_without_the_dates_it_lives_by_is_not_used() -> None:
    sheets = small()
    at = sheets["List 7"][0].index("Child Protection Plan End Date")
    sheets["List 7"] = [[cell for i, cell in enumerate(row) if i != at] for row in sheets["List 7"]]
    because = read(sheets).absent_because["cp_plan_start_date"]
    assert "Annex A list 7 (Child Protection) has no usable column “Child Protection Plan End Date”" in because


def test_a_list_left_over_from_an_earlier_month_is_not_used() -> None:
    sheets = small()
    sheets["List 4"][1:] = [[100 + i, d(8, 1), d(9, 1), "North", "Ben Ash"] for i in range(50)]
    because = read(sheets).absent_because["assessment_start_date"]
    assert because.startswith("No date of Annex A list 4 (Assessments) lies in October 2026; the latest lies in Sep")


def test_a_list_that_was_not_filled_is_not_nought() -> None:
    sheets = small()
    sheets["List 6"] += [[100 + i, d(9, 1), d(10, 1), None, "c", "North", "Ben Ash"] for i in range(50)]
    sheets["List 5"] = sheets["List 5"][:1]
    because = read(sheets).absent_because["section_47_start_date"]
    assert "list 5 (Section 47 Enquiries and ICPCs) has a header and no rows, beside 55 children in list 6" in because


def test_every_field_is_carried_or_said_not_to_be() -> None:
    given = {"la_code", "reference_date", "case_ref"}
    assert {f.name for f in CASELOAD.fields} == given | set(NEEDS) | set(NOT_CARRIED)
    assert all(measures_needing(Kind.CASELOAD, name) for name in NOT_CARRIED)
    assert {n for c in COUNTS if c.extract is Kind.CASELOAD for n in c.needs} <= set(NEEDS) | set(NOT_CARRIED)


def test_whether_a_referral_led_on_is_needed_where_a_child_was_only_referred() -> None:
    sheets = small()
    at = sheets["List 3"][0].index("Referral NFA?")
    sheets["List 3"] = [[cell for i, cell in enumerate(row) if i != at] for row in sheets["List 3"]]
    extract = read(sheets)
    assert set(extract.absent_columns) == {"closed_date", "case_status"} | _ALWAYS
    assert "list 3 (Referrals) has no column “Referral NFA?”" in extract.absent_because["closed_date"]
    sheets["List 3"] = sheets["List 3"][:-1]
    assert set(read(sheets).absent_columns) == _ALWAYS


@pytest.mark.parametrize(
    ("sheet", "header", "child", "columns"),
    [
        ("List 3", "Referral NFA?", 4, {"closed_date"}),
        ("List 7", "Child Protection Plan End Date", 2, {"case_status", "cp_plan_start_date"}),
        ("List 8", "Date Ceased to be Looked After", 2, {"case_status"}),
    ],
)
def test_an_end_that_cannot_be_read_is_a_problem_and_not_no_end(
    sheet: str, header: str, child: int, columns: set[str]
) -> None:
    extract = read(changed(small(), sheet, child, header, "ask"))
    assert set(extract.problems["column"]) == columns
