"""`holdfast map` on home-made files: few questions, right figures or a named reason, and nothing silently wrong.

The figures were worked out by hand from the tables in this file.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from features.errors import HeaderMismatch, UnreadableExtract
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Asked
from flows.extracts.formats.own.reader import read
from flows.extracts.ingest import IngestedExtract
from flows.extracts.mapping import HeaderMapping, read_mapping
from flows.extracts.propose.asking import Answers, Back, Question, WrongAnswer
from flows.extracts.propose.look import look_at
from flows.extracts.propose.session import run_session
from flows.extracts.propose.try_out import read_with
from flows.extracts.reading.table import Limits
from tests.conftest import SHARED

from ..conftest import BARNSLEY, KEY, OCTOBER, RECEIVED, WHERE

_HOME_MADE = SHARED / "cases" / "home-made"
_Rows = list[list[Any]]
_HEADER = ["Employee No", "Post Title", "Contracted Hours", "Contract", "Start Dt", "Leave Dt", "Leaving Reason",
           "Sickness Days", "Open Cases"]  # fmt: skip
_STAFF: _Rows = [
    [100200, "Senior Social Worker", 18.5, "Fixed Term", "07/06/2023", None, None, 0, 17],
    [100207, "Social Worker", 37, "Permanent", "11-Jan-25", None, None, 2, 17],
    [100208, "Social Worker", 37, "Permanent", "13/02/2024", None, None, 0, 10],
    [100214, "Team Manager", 30, "Permanent", "12-May-86", "28/10/2026", "Retirement", 0, None],
]
_AGENCY: _Rows = [
    ["Ref", "Role", "Agency", "Hours", "Start", "Weekly Rate", "Cases"],
    ["AG1", "Social Worker (Locum)", "Reed", 37, "10-Mar-25", 1480, 11],
    ["AG2", "Social Worker (Locum)", "Reed", 18.5, "22-Dec-24", 1480, 12],
]


@dataclass
class _Person:
    """Somebody at a terminal: for each question, the answer whose key it holds; else Enter."""

    says: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, question: Question[Any]) -> str:
        self.asked.append(question.text)
        answer = next((a for part, a in self.says.items() if part in question.text), "")
        if answer:
            self.says = {part: a for part, a in self.says.items() if a != answer}
        if answer == "b":
            raise Back
        question.read(answer)
        return answer


def _write(folder: Path, name: str, *sheets: tuple[str, _Rows], merged: Sequence[str] = ()) -> Path:
    path = folder / name
    if path.suffix == ".csv":
        rows = sheets[0][1]
        width = max(len(r) for r in rows)
        lines = [[*("" if c is None else str(c) for c in row), *[""] * (width - len(row))] for row in rows]
        path.write_text("".join(",".join(line) + "\n" for line in lines))
        return path
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    into = io.BytesIO()
    book.save(into)
    path.write_bytes(into.getvalue())
    return path


def _map(
    paths: Sequence[Path], person: _Person | None, *, kind: Kind = Kind.WORKFORCE, said: HeaderMapping | None = None
) -> tuple[HeaderMapping, tuple[str, ...]]:
    looked = look_at(paths, kind, WHERE)
    settled = run_session(looked.tables, BARNSLEY, OCTOBER, said=said, answers=Answers("", person))
    return read_mapping(settled.mapping.to_toml(), "m.toml"), settled.open


def _read(paths: Sequence[Path], mapping: HeaderMapping, month: Month = OCTOBER) -> IngestedExtract:
    asked = Asked(paths[0].name, mapping.kind, BARNSLEY, month, KEY, RECEIVED, Limits(), mapping)
    content = {p.name: p.read_bytes() for p in paths}
    return read(content if len(paths) > 1 else paths[0].read_bytes(), asked)


def _fte(extract: IngestedExtract) -> list[int]:
    return extract.frame.sort("file_row")["fte"].to_list()


_TITLED: _Rows = [["Barnsley - staff in post at 31/10/2026"], [], _HEADER, *_STAFF, [],
                  ["TOTAL", None, 122.5, None, None, None, None, 2, 44]]  # fmt: skip


def test_staff_and_agency_on_two_sheets_with_enter_throughout(tmp_path: Path) -> None:
    path = _write(tmp_path, "hr.xlsx", ("Establishment list", _TITLED), ("Agency", _AGENCY), ("Codes", [["a", 1]]))
    person = _Person()
    mapping, still_open = _map([path], person)
    assert still_open == ()
    assert len(person.asked) == 8
    extract = _read([path], mapping)
    assert _fte(extract) == [50, 100, 100, 81, 100, 50]
    frame = extract.frame.sort("file_row")
    assert frame["agency_worker"].to_list() == [False] * 4 + [True] * 2
    assert frame["org_role"].to_list() == ["4", "5", "5", "3", "5", "5"]
    assert frame["role_start_date"].to_list()[:4] == [
        date(2023, 6, 7), date(2025, 1, 11), date(2024, 2, 13), date(1986, 5, 12)
    ]  # fmt: skip
    assert frame["cases"].sum() == 17 + 17 + 10 + 11 + 12
    assert frame["reason_leave"].to_list()[3] == "5"
    assert extract.problems.is_empty()
    said = read_with([path], mapping, BARNSLEY, OCTOBER)
    assert "the council's own staff: 4, FTE 3.31, 44 cases, 1 with an end date" in said
    assert "agency workers: 2, FTE 1.50, 23 cases, 0 with an end date" in said
    # What it printed is an answers file: with it nobody is asked, and the mapping is the same.
    again, still_open = _map([path], None, said=mapping)
    assert (again.to_toml(), still_open) == (mapping.to_toml(), ())
    # The month after, in the same layout, is read without a question; in another one it is refused, by name.
    november = _write(tmp_path, "nov.xlsx", ("Establishment list", [_HEADER, _STAFF[1]]), ("Agency", _AGENCY[:2]))
    assert _fte(_read([november], mapping, Month(2026, 11))) == [100, 100]
    header = ["Staff" if h == "Employee No" else h for h in _HEADER]
    changed = _write(tmp_path, "dec.xlsx", ("Establishment list", [header, _STAFF[1]]), ("Agency", _AGENCY))
    with pytest.raises(HeaderMismatch, match="reads worker_ref from “Employee No”, and the file has no such header"):
        _read([changed], mapping)


def test_agency_staff_in_a_second_file_with_start_and_end_dates(tmp_path: Path) -> None:
    staff = _write(tmp_path, "staff.csv", ("", _TITLED))
    supplier = _write(tmp_path, "agency return Q3.csv", ("", [
        ["Candidate", "Job Role", "Hours per week", "Assignment Start", "Assignment End", "Supplier"],
        ["X1", "Social Worker", 35, "01/04/2026", "31/03/2027", "Reed"],
        ["X2", "Social Worker", 35, "01/04/2026", "30/09/2026", "Reed"],
        ["X3", "Team Manager", 35, "14/11/2026", "", "Liquid"],
    ]))  # fmt: skip
    person = _Person({"holds numbers up to 35": "35"})
    mapping, _ = _map([staff, supplier], person)
    assert any("1 row ended before October 2026, and 1 row began after it" in text for text in person.asked)
    assert any("“Supplier” of agency return Q3.csv seems to hold names of agencies" in text for text in person.asked)
    extract = _read([staff, supplier], mapping)
    assert _fte(extract) == [50, 100, 100, 81, 100]
    assert extract.frame["agency_worker"].sum() == 1
    assert [one.file for one in mapping.tables] == ["staff.csv", "agency return Q3.csv"]


def test_any_column_for_any_field_back_and_what_is_lacking(tmp_path: Path) -> None:
    rows = [[*row[:5], row[8]] for row in [_HEADER, *_STAFF]]
    path = _write(tmp_path, "staff.csv", ("", rows))
    person = _Person({"Is each field read": "14=B", "what does each word mean for agency_worker": "b"})
    mapping, _ = _map([path], person)
    assert mapping.columns["team"] == "Post Title"  # role and team may not share it, the team took it
    assert "org_role" not in mapping.columns
    assert mapping.lacks == ("org_role", "role_end_date", "reason_leave", "working_days_lost")
    full_week = [text for text in person.asked if "full-time post" in text]
    assert len(full_week) == 2  # asked again after going back
    assert {"role_end_date", "working_days_lost"} <= set(_read([path], mapping).absent_columns)
    at = _Person({"Is each field read": "3=Q"})
    with pytest.raises(WrongAnswer, match="There is no column Q. It has A, B"):
        _map([path], at)


def test_without_a_person_nothing_is_guessed_and_what_would_be_taken_is_shown(tmp_path: Path) -> None:
    path = _write(tmp_path, "hr.xlsx", ("Staff", _TITLED), ("Agency", _AGENCY))
    _, still_open = _map([path], None)
    said = "\n".join(still_open)
    for part in ("Which tables hold the rows? Probably 1,2", "is worker_ref, needed", "by_folder", "full-time post",
                 "codes.agency_worker", "“Contract” says “Permanent” in 3 rows"):  # fmt: skip
        assert part in said
    with pytest.raises(HeaderMismatch, match="The answers say that fte is “Wochenstunden”"):
        _map([path], None, said=HeaderMapping("370", Kind.WORKFORCE, OCTOBER, {"fte": "Wochenstunden"}))


@pytest.mark.parametrize(
    ("cells", "says", "expected", "asks"),
    [
        (["36", "18", "36", "36"], {}, [100, 50, 100, 100], "most often 36"),
        (["37.5", "37.5", "30", "18.75"], {}, [100, 100, 80, 50], "most often 37.5"),
        (["100", "50", "80", "100"], {}, [100, 50, 80, 100], "[100]"),
        (["100%", "50%", "80%", "100%"], {}, [100, 50, 80, 100], "[100]"),
        (["1", "0.5", "0.81", "1"], {}, [100, 50, 81, 100], ""),
        (["35", "35", "17.5", "35"], {"full-time post": "35"}, [100, 100, 50, 100], "most often 35"),
    ],
)
def test_hours_and_per_cent(
    tmp_path: Path, cells: list[str], says: dict[str, str], expected: list[int], asks: str
) -> None:
    rows = [[*row[:2], hours, *row[3:]] for row, hours in zip(_STAFF, cells, strict=True)]
    header = ["FTE" if h == "Contracted Hours" else h for h in _HEADER]
    path = _write(tmp_path, "staff.csv", ("", [header, *rows]))
    person = _Person(says)
    mapping, _ = _map([path], person)
    assert _fte(_read([path], mapping)) == expected
    asked = " ".join(person.asked)
    assert ("full-time post" in asked) == bool(asks)
    assert asks.strip("[]") in asked or asks == "[100]"


@pytest.mark.parametrize(
    ("starts", "says", "expected"),
    [
        # Only the month-first order fits: asked, Enter takes it.
        (["12/31/2023", "01/05/2024", "02/13/2020", "03/04/2021"], {},
         ["2023-12-31", "2024-01-05", "2020-02-13", "2021-03-04"]),
        # Nothing tells: asked, Enter takes the day first.
        (["05/06/23", "01/05/24", "02/03/20", "03/04/21"], {},
         ["2023-06-05", "2024-05-01", "2020-03-02", "2021-04-03"]),
        (["05/06/23", "01/05/24", "02/03/20", "03/04/21"], {"month first": "y"},
         ["2023-05-06", "2024-01-05", "2020-02-03", "2021-03-04"]),
        # Text, a spreadsheet's day number, and ISO, mixed.
        (["13 June 2023", "45000", "2024-02-13", "1st March 2021"], {},
         ["2023-06-13", "2023-03-15", "2024-02-13", "2021-03-01"]),
    ],
)  # fmt: skip
def test_dates(tmp_path: Path, starts: list[str], says: dict[str, str], expected: list[str]) -> None:
    rows = [[*row[:4], start, None, None, *row[7:]] for row, start in zip(_STAFF, starts, strict=True)]
    path = _write(tmp_path, "staff.csv", ("", [_HEADER, *rows]))
    person = _Person(says)
    mapping, _ = _map([path], person)
    assert [str(d) for d in _read([path], mapping).frame.sort("file_row")["role_start_date"]] == expected
    assert any("Is the month first" in text for text in person.asked) == ("/" in starts[0])


def test_a_cell_that_cannot_be_read_is_named_by_column_reason_and_row_and_never_by_value(tmp_path: Path) -> None:
    rows = [list(row) for row in _STAFF]
    rows[1][4], rows[2][2] = "start of term", "full time"
    path = _write(tmp_path, "staff.csv", ("", [_HEADER, *rows]))
    said = read_with([path], _map([path], _Person())[0], BARNSLEY, OCTOBER)
    assert "2 cells could not be read:" in said
    assert "“Contracted Hours” (fte), row 4: the cell is no number" in said
    assert "“Start Dt” (role_start_date), row 3: the cell is no date" in said
    assert "start of term" not in said
    assert "full time" not in said


def test_titles_of_several_cells_totals_in_other_words_and_one_list_with_an_agency_column(tmp_path: Path) -> None:
    header = [*_HEADER[:3], "Agency", *_HEADER[4:]]
    rows: _Rows = [[*row[:3], "Reed" if i == 1 else None, *row[4:]] for i, row in enumerate(_STAFF)]
    titled = [["Council", "Barnsley"], ["Run date", "01/11/2026", "Page", 1], header, *rows,
              ["Headcount", None, 122.5, "x", None, None, None, 2, 44]]  # fmt: skip
    path = _write(tmp_path, "staff.xlsx", ("Sheet1", titled))
    person = _Person()
    mapping, _ = _map([path], person)
    assert any("has “Headcount” where the others have a reference" in text for text in person.asked) == (
        mapping.totals is not None
    )
    extract = _read([path], mapping)
    assert extract.frame.sort("file_row")["agency_worker"].to_list() == [False, True, False, False]
    assert _fte(extract) == [50, 100, 100, 81]


def test_a_header_on_two_rows_with_merged_cells(tmp_path: Path) -> None:
    upper = ["Employee", None, "Contract", None, None, None, None, "Absence", "Open"]
    lower = ["No", "Post Title", "Hours", "Type", "Start Date", "End Date", "Leaving Reason", "Sickness Days", "Cases"]
    path = _write(tmp_path, "staff.xlsx", ("List", [["Staff"], upper, lower, *_STAFF]), merged=["A2:B2", "C2:G2"])
    mapping, _ = _map([path], _Person())
    assert mapping.header_rows in (1, 2)
    assert _fte(_read([path], mapping)) == [50, 100, 100, 81]
    merged = _write(tmp_path, "merged.xlsx", ("List", [_HEADER, *_STAFF]), merged=["B2:B3"])
    with pytest.raises(UnreadableExtract, match="merged cells .rows 2 and 3."):
        _map([merged], _Person())


def test_a_case_list_with_names_of_its_own(tmp_path: Path) -> None:
    path = _write(tmp_path, "cases.csv", ("", [
        ["Mosaic Episode ID", "Allocated To (Employee No)", "Primary Category", "Referral Date", "Date Closed",
         "C&F Start"],
        *[[f"P{i}", f"10020{i % 3}", ("CP", "CIN", "Closed")[i % 3], "22/11/2025",
           "23/10/2026" if i % 3 == 2 else "", "23/11/2025"] for i in range(9)],
    ]))  # fmt: skip
    person = _Person()
    mapping, _ = _map([path], person, kind=Kind.CASELOAD)
    assert len(person.asked) == 2  # the columns, and the words of the category
    frame = _read([path], mapping).frame
    assert frame["case_status"].value_counts().sort("case_status").rows() == [("b", 3), ("c", 3), ("e", 3)]
    assert frame["allocated_worker_ref"].null_count() == 0
    assert frame["assessment_start_date"].unique().to_list() == [date(2025, 11, 23)]


@pytest.mark.skipif(not _HOME_MADE.is_dir(), reason="the files of a first day are not there")
@pytest.mark.parametrize(
    ("council", "name", "own", "agency", "questions"),
    # Worked out by hand in a spreadsheet: people, FTE, cases.
    [
        ("901", "hr_export.xlsx", (112, 94.0, 1280), (14, 14.0, 205), 8),
        ("901", "staff.csv", (112, 94.0, 1280), (14, 14.0, 205), 5),
        ("902", "hr_export.xlsx", (79, 68.4, 662), (20, 20.0, 241), 8),
        ("902", "staff_fte.csv", (79, 68.4, 662), (20, 20.0, 241), 4),
    ],
)
def test_the_files_of_a_first_day(
    council: str, name: str, own: tuple[float, ...], agency: tuple[float, ...], questions: int
) -> None:
    path = _HOME_MADE / f"{council}-{name}"
    person = _Person()
    mapping, _ = _map([path], person)
    assert len(person.asked) <= questions
    extract = _read([path], mapping)
    assert extract.problems.is_empty()
    sums = [
        (part.height, round(part["fte"].sum() / 100, 2), part["cases"].sum())
        for part in (extract.frame.filter(~pl.col("agency_worker")), extract.frame.filter(pl.col("agency_worker")))
    ]
    assert sums == [own, agency]
