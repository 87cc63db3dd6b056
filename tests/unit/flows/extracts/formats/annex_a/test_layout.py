"""How sheets and columns may be called, and that no name means two things."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest

from flows.extracts.formats.annex_a.layout import LISTS, columns_of_list, forms_of, is_dropped, lists_named
from flows.sample_region.annex_a import HEADERS


@pytest.mark.parametrize(
    ("name", "lists"),
    [
        ("List 6", (6,)),
        ("list_06", (6,)),
        ("L6", (6,)),
        ("6", (6,)),
        ("6 - CIN", (6,)),
        ("CIN", (6,)),
        ("Child in Need", (6,)),
        ("6. Children in Need", (6,)),
        ("AA_6_children_in_need", (6,)),
        ("CIN Plans", (6,)),
        ("S47s and ICPCs", (5,)),
        ("List 5 s47", (5,)),
        ("CP", (7,)),
        ("7 CP Plans", (7,)),
        ("CLA", (8,)),
        ("LAC", (8,)),
        ("Annex A List 8", (8,)),
        ("Contacts", (1,)),
        ("Early Help Assessments", (2,)),
        ("Assessments", (4,)),
        ("3_Referrals", (3,)),
        ("10. Adoption", (10,)),
        ("list 11", (11,)),
        ("Care Leavers", (9,)),
        ("List 6 - Referrals", (3, 6)),
        ("Sheet6", ()),
        ("Sheet 6", ()),
        ("Guidance", ()),
        ("2026", ()),
        ("12 months", ()),
    ],
)
def test_a_sheet_is_named_by_its_number_its_title_or_both(name: str, lists: tuple[int, ...]) -> None:
    assert lists_named(name) == lists


def test_every_official_header_means_its_column_and_no_other() -> None:
    for one in LISTS:
        for column in one.columns:
            assert columns_of_list(one.number, column.header) == (column.name,)
            fitting = [c.name for c in one.columns if any(re.fullmatch(c.pattern, f) for f in forms_of(column.header))]
            assert fitting == [column.name], column.header
        for header in one.dropped:
            assert columns_of_list(one.number, header) == (), header
            assert is_dropped(one.number, header)


@pytest.mark.parametrize(
    ("number", "header", "column"),
    [
        (3, "ReferralDate", "referred"),
        (3, "Date referral received", "referred"),
        (3, "ReferralNFA", "no_further_action"),
        (3, "No Further Action?", "no_further_action"),
        (3, "ReferralsLast12Months", "earlier"),
        (3, "Number of referrals in the last twelve months", "earlier"),
        (4, "ContinuousAssessmentStart", "started"),
        (4, "Assessment start date", "started"),
        (4, "ContinuousAssessmentAuthDate", "authorised"),
        (4, "Date of authorization", "authorised"),
        (5, "StratDiscussionDate", "strategy"),
        (5, "Section 47 Start Date", "strategy"),
        (5, "ICPC date", "conference"),
        (5, "InitialCPConfDate", "conference"),
        (6, "CIN Start Date (dd/mm/yyyy)", "began"),
        (6, "Date Child Last Seen", "seen"),
        (6, "Closure date", "closed"),
        (6, "Status", "status"),
        (6, "LCS ID", "child"),
        (6, "Child ID", "child"),
        (6, "Allocated Social Worker", "worker"),
        (7, "CP Plan Start Date", "plan"),
        (7, "CPP end date", "ended"),
        (7, "Date of last review conference", "review"),
        (7, "No. of previous CP plans", "previous"),
        (7, "DateOfLastStatutoryVisit", "visit"),
        (8, "Date Started to be LAC", "entered"),
        (8, "LoookedAfterStartDate", "entered"),
        (8, "Date ceased to be looked after?", "left"),
        (8, "Last social worker visit date", "visit"),
    ],
)
def test_headers_drift(number: int, header: str, column: str) -> None:
    assert columns_of_list(number, header) == (column,)


@pytest.mark.parametrize(
    "header", ["NHS Number", "UPN", "Date of Birth", "Childs name", "Ethnicity", "Age", "Postcode"]
)
def test_no_personal_column_is_ever_taken(header: str) -> None:
    assert all(columns_of_list(one.number, header) == () for one in LISTS)


def test_the_made_up_workbook_uses_ofsteds_headers() -> None:
    for number, headers in enumerate(HEADERS.values(), start=1):
        assert all(columns_of_list(number, h) or is_dropped(number, h) for h in headers)


def test_the_layout_is_ofsteds() -> None:
    shared = Path(os.environ.get("HOLDFAST_SHARED", Path(__file__).parents[7] / "shared"))
    file = shared / "reference" / "annex_a_columns.csv"
    if not file.is_file():
        pytest.skip("the list of Annex A's columns is not on this machine; set HOLDFAST_SHARED to its folder")
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    for one in LISTS:
        official = {r["column"] for r in rows if int(r["list"]) == one.number}
        assert official == {c.header for c in one.columns} | set(one.dropped)
        assert {r["title"] for r in rows if int(r["list"]) == one.number} == {one.title}
