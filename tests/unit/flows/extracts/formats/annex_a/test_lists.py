"""Reading cells: dates of every kind, categories, identifiers, and rows that are nobody's."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest

from features.errors import UnreadableExtract

from .examples import Rows, book, by_child, changed, d, read, small, worker


@pytest.mark.parametrize(
    "closed",
    [
        d(10, 9),
        datetime.combine(d(10, 9), time(14, 5)),
        "09/10/2026",
        "9/10/2026 00:00",
        "2026-10-09",
        "9 October 2026",
        46304,
        "46304",
    ],
)
def test_dates_are_read_however_they_are_written(closed: Any) -> None:
    extract = read(changed(small(), "List 6", 6, "CIN Closure Date", closed))
    assert by_child(extract, ["5"])["5"]["closed_date"] == date(2026, 10, 9)
    assert extract.problems.is_empty()


@pytest.mark.parametrize(
    ("closed", "problem"),
    [
        ("10/31/2026", "month_before_day"),
        ("31/09/2026", "not_a_date"),
        ("9/10/26", "two_digit_year"),
        ("ongoing", "not_a_date"),
    ],
)
def test_a_closing_date_that_could_be_two_things_is_a_problem_and_not_an_open_case(closed: str, problem: str) -> None:
    extract = read(changed(small(), "List 6", 6, "CIN Closure Date", closed))
    assert (60_000_006, "closed_date", problem) in extract.problems.select("file_row", "column", "problem").rows()
    assert "Annex A list 6 (Children in Need), “CIN Closure Date”: could not be read in row 6." in extract.notes


@pytest.mark.parametrize(
    "value",
    [
        "a) Looked after child",
        "a",
        "A)",
        "Looked after child",
        "LAC",
        "Child looked-after",
        "a - CLA",
        "(a) Child in care",
    ],
)
def test_case_status_with_letters_and_without(value: str) -> None:
    sheets = small()
    del sheets["List 8"]
    extract = read(changed(sheets, "List 6", 2, "Case Status", value))
    assert by_child(extract, ["1"])["1"]["case_status"] == "a"


@pytest.mark.parametrize("value", ["f) Something", "z", "a) Child in need plan", "Pending"])
def test_a_status_that_is_none_or_contradicts_its_letter_is_a_problem(value: str) -> None:
    extract = read(changed(small(), "List 6", 4, "Case Status", value))
    assert by_child(extract, ["3"])["3"]["case_status"] is None
    assert extract.problems.select("file_row", "column", "problem").rows() == [
        (60_000_004, "case_status", "unknown_code")
    ]
    assert value not in "\n".join(extract.notes)


@pytest.mark.parametrize("written", [4, 4.0, "4", "0004", " 4 ", "4.0"])
def test_an_identifier_is_the_same_child_however_a_list_writes_it(written: Any) -> None:
    sheets = changed(small(), "List 4", 2, "Child Unique ID", written)
    assert by_child(read(sheets), ["4"])["4"]["assessment_start_date"] == date(2026, 10, 5)
    assert read(sheets).frame.height == read(small()).frame.height


def test_one_worker_is_one_whatever_the_case_and_the_spaces() -> None:
    sheets = changed(small(), "List 6", 3, "Allocated Worker", "BEN\u00a0 ash ")
    sheets = changed(sheets, "List 7", 2, "Allocated Worker", None)
    rows = by_child(read(sheets), ["2", "5"])
    assert rows["2"]["allocated_worker_ref"] == rows["5"]["allocated_worker_ref"] == worker("ben ash")


@pytest.mark.parametrize(
    "value", ["Unallocated", "Not allocated", "n/a", "TBC", "-", "Duty Team", "Awaiting allocation"]
)
def test_what_stands_for_nobody_is_nobody(value: str) -> None:
    extract = read(changed(small(), "List 6", 5, "Allocated Worker", value))
    extract = read(
        changed(changed(small(), "List 6", 5, "Allocated Worker", value), "List 4", 2, "Allocated Worker", value)
    )
    assert by_child(extract, ["4"])["4"]["allocated_worker_ref"] is None


def test_a_worker_that_is_an_error_is_a_problem_and_not_an_unallocated_case() -> None:
    extract = read(changed(small(), "List 6", 4, "Allocated Worker", ("=VLOOKUP(1,Z1:Z2,1)", "#N/A")))
    assert extract.problems.select("file_row", "column", "problem").rows() == [
        (60_000_004, "allocated_worker_ref", "formula_error")
    ]


@pytest.mark.parametrize(
    "line",
    [
        ["Total", None, None, None, 5],
        ["Grand total: 5"],
        [None, None, None, 5],
        ["5 children"],
        ["Page 1 of 1"],
        ["Report run on 3 November 2026 by system"],
        [5, 5, 4, 1, None, None, None],
        [5],
    ],
)
def test_totals_and_footers_are_left_out_and_said(line: list[Any]) -> None:
    sheets = small()
    sheets["List 6"] += [[], line]
    extract = read(sheets)
    assert extract.frame.equals(read(small()).frame)
    assert any("left out" in note and note.endswith("row 8.") for note in extract.notes)


def test_many_rows_without_an_identifier_are_refused() -> None:
    sheets = small()
    sheets["List 6"] += [[None, d(9, 1), None, None, "c", "North", "Ben Ash"]] * 4
    with pytest.raises(UnreadableExtract, match=r"4 of 9 rows of Annex A list 6 .* have no Child Unique ID \(rows 7"):
        read(sheets)


def test_a_repeated_row_counts_once() -> None:
    sheets = small()
    sheets["List 6"].append(list(sheets["List 6"][3]))
    extract = read(sheets)
    assert extract.frame.equals(read(small()).frame)
    assert any("repeat another word for word, taken once: 1." in note for note in extract.notes)


def test_calculated_formulas_are_values_and_uncalculated_are_problems() -> None:
    extract = read(changed(small(), "List 6", 6, "CIN Closure Date", ("=DATE(2026,10,9)", 46304)))
    assert by_child(extract, ["5"])["5"]["closed_date"] == date(2026, 10, 9)
    extract = read(changed(small(), "List 6", 6, "CIN Closure Date", ("=DATE(2026,10,9)", "#REF!")))
    assert ("closed_date", "formula_error") in extract.problems.select("column", "problem").rows()


def test_merged_cells_over_children_are_refused_and_over_a_title_are_not() -> None:
    sheets = small()
    sheets["List 3"] += [[6, None, None, None, None, None]]
    with pytest.raises(UnreadableExtract, match=r"list 3 \(Referrals\) has merged cells \(rows 4 and 5 of sheet"):
        read(book(sheets, merged={"List 3": ["B4:B5"]}))
    titled = {name: [[], *rows] for name, rows in small().items()}
    assert read(book(titled, merged={"List 3": ["A1:F1"]})).frame.height == read(small()).frame.height


def test_days_counted_from_1904_are_refused_where_they_are_bare_numbers() -> None:
    sheets = changed(small(), "List 6", 6, "CIN Closure Date", 44842)
    with pytest.raises(UnreadableExtract, match="counts days from 1904"):
        read(book(sheets, options={"date_1904": True}))
    assert read(book(small(), options={"date_1904": True})).frame.equals(read(small()).frame)


def test_a_column_with_many_unreadable_cells_is_not_used() -> None:
    sheets = small()
    rows: Rows = sheets["List 4"]
    rows += [[10 + i, "soon", None, "North", "Ben Ash"] for i in range(3)]
    extract = read(sheets)
    assert "assessment_start_date" in extract.absent_columns
    assert (
        "“Continuous Assessment Start Date” could not be read in 3 rows"
        in extract.absent_because["assessment_start_date"]
    )
