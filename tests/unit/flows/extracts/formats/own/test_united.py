"""Home-made files read by a mapping: several tables as one extract, computed fields, declared dates, rows left out."""

from __future__ import annotations

import io
import re
import shlex
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

from features.councils import Register
from features.errors import HeaderMismatch, UnreadableExtract
from features.registry import Kind
from flows.extracts.check_files import check_files
from flows.extracts.formats.asked import Asked, Content, Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.landing import list_month
from flows.extracts.mapping import read_mapping
from flows.extracts.reading.table import Limits
from flows.extracts.receive import receive_file
from flows.store import LocalStore

from ...conftest import BARNSLEY, KEY, OCTOBER, RECEIVED

_Rows = list[list[Any]]
_STAFF: _Rows = [
    ["Barnsley - staff in post at 31/10/2026"],
    [],
    ["Employee No", "Post Title", "Contracted Hours", "Contract", "Start Dt", "Leave Dt", "Why", "Sick", "Open"],
    [100200, "Senior Social Worker", 18.5, "Fixed Term", "07/06/2023", None, None, 0, 17],
    [100207, "Social Worker", 37, "Permanent", "11-Jan-25", None, None, 2, 17],
    [100214, "Team Manager", 30, "Permanent", "12-May-86", "28/10/2026", "Retirement", 0, None],
    [],
    ["TOTAL", None, 85.5, None, None, None, None, 2, 34],
    ["Headcount", None, 3, None, None, None, None, 3, 2],
]
_AGENCY: _Rows = [
    ["Ref", "Role", "Agency", "Hours", "Start", "End", "Weekly Rate", "Cases"],
    ["AG1", "Social Worker", "Reed", 37, "10-Mar-25", "31-Mar-27", 1480, 11],
    ["AG2", "Social Worker", "Reed", 18.5, "22-Dec-24", "30-Sep-26", 1480, 12],
    ["AG3", "Social Worker", "Reed", 37, "02-Nov-26", None, 1480, None],
]
_MAPPING = """
kind = "workforce"
by_folder = ["la_code", "reference_date"]
totals = ["Headcount"]
{first}

[columns]
worker_ref = "Employee No"
agency_worker = "Contract"
org_role = "Post Title"
role_start_date = "Start Dt"
role_end_date = "Leave Dt"
reason_leave = "Why"
working_days_lost = "Sick"
cases = "Open"

[computed]
fte = "Contracted Hours / 37"

[dates]
role_start_date = ["dd/mm/yyyy", "dd-Mon-yy"]

[codes.agency_worker]
"Fixed Term" = "0"
"Permanent" = "0"

[codes.org_role]
"Senior Social Worker" = "4"
"Social Worker" = "5"
"Team Manager" = "3"

[codes.reason_leave]
"Retirement" = "5"

[[more]]
{second}
in_post_only = true
left_out = ["Agency", "Weekly Rate"]

[more.columns]
worker_ref = "Ref"
org_role = "Role"
role_start_date = "Start"
role_end_date = "End"
cases = "Cases"

[more.computed]
fte = "Hours / 37"

[more.dates]
role_start_date = ["dd-Mon-yy"]
role_end_date = ["dd-Mon-yy"]

[more.always]
agency_worker = "1"
"""
_SHEETS = _MAPPING.format(first='sheet = "Establishment Oct 26"', second='sheet = "Agency"')
_FILES = _MAPPING.format(first='file = "staff oct.csv"', second='file = "agency oct.csv"')


def _workbook(**sheets: _Rows) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()


def _csv(rows: _Rows) -> bytes:
    width = max(len(r) for r in rows)
    padded = [[*("" if c is None else str(c) for c in row), *[""] * (width - len(row))] for row in rows]
    return "".join(",".join(row) + "\n" for row in padded).encode()


def _read(content: Content, toml: str) -> IngestedExtract:
    mapping = read_mapping(toml.encode(), "mappings/370/workforce.2026-10.toml")
    return read_form(
        Form.NATIVE, content, Asked("hr", Kind.WORKFORCE, BARNSLEY, OCTOBER, KEY, RECEIVED, Limits(), mapping)
    )


def _is_right(extract: IngestedExtract) -> None:
    """Figures worked out by hand from the tables above: FTE in hundredths."""
    frame = extract.frame.sort("file_row")
    assert frame["fte"].to_list() == [50, 100, 81, 100]
    assert frame["agency_worker"].to_list() == [False, False, False, True]
    assert frame["org_role"].to_list() == ["4", "5", "3", "5"]
    assert frame["role_start_date"].to_list() == [
        date(2023, 6, 7), date(2025, 1, 11), date(1986, 5, 12), date(2025, 3, 10)
    ]  # fmt: skip
    assert frame["role_end_date"].to_list() == [None, None, date(2026, 10, 28), date(2027, 3, 31)]
    assert frame["cases"].to_list() == [17, 17, None, 11]
    assert frame["reason_leave"].to_list() == [None, None, "5", None]
    assert frame["file_row"].to_list()[3] == 1_002
    assert extract.problems.is_empty()
    said = " ".join(extract.notes)
    assert "Left out as totals: row 9." in said
    assert "Left out as totals: row 8." in said
    assert "ended before the month: 1 row" in said
    assert "begin after the month: 1 row" in said
    assert "Row 1,001 and those after it are row 1 and those after it of table 2." in said


def test_two_sheets_are_one_extract_whatever_month_their_names_say() -> None:
    _is_right(_read(_workbook(**{"Establishment Oct 26": _STAFF, "Agency": _AGENCY}), _SHEETS))
    _is_right(_read(_workbook(**{"Establishment Nov 26": _STAFF, "Agency": _AGENCY}), _SHEETS))


def test_two_files_are_one_extract_whatever_their_order_and_month() -> None:
    _is_right(_read({"staff oct.csv": _csv(_STAFF), "agency oct.csv": _csv(_AGENCY)}, _FILES))
    _is_right(_read({"agency 2026-11.csv": _csv(_AGENCY), "staff nov.csv": _csv(_STAFF)}, _FILES))


def test_a_table_that_did_not_come_is_not_nobody() -> None:
    with pytest.raises(UnreadableExtract, match="the table with “Ref”, “Role”, “Start” .agency oct.csv. was not found"):
        _read({"staff oct.csv": _csv(_STAFF)}, _FILES)
    with pytest.raises(UnreadableExtract, match="reads the sheet “Agency”, and the workbook has no such sheet"):
        _read(_workbook(**{"Establishment Oct 26": _STAFF}), _SHEETS)
    with pytest.raises(UnreadableExtract, match="two files could be the table"):
        _read({"a.csv": _csv(_STAFF), "b.csv": _csv(_AGENCY), "c.csv": _csv(_AGENCY)}, _FILES.replace("oct", ""))
    header_alone = _read({"staff oct.csv": _csv(_STAFF), "agency oct.csv": _csv(_AGENCY[:1])}, _FILES)
    assert header_alone.frame.height == 3
    assert any("No rows this month: the table with “Ref”" in n for n in header_alone.notes)


def test_a_header_on_two_rows() -> None:
    rows: _Rows = [
        ["Staff list"],
        ["Employee", "", "Contract", "", "", "", "Absence", "Held"],
        ["No", "Post", "Hours", "Start", "End", "Kind", "Days", ""],
        ["W1", "Social Worker", 37, "01/02/2024", "", "Permanent", 1, 12],
    ]
    toml = """
kind = "workforce"
header_rows = 2
by_folder = ["la_code", "reference_date"]
lacks = ["reason_leave"]
[columns]
worker_ref = "Employee No"
org_role = "Employee Post"
role_start_date = "Contract Start"
role_end_date = "Contract End"
agency_worker = "Contract Kind"
working_days_lost = "Absence Days"
cases = "Held"
[computed]
fte = "Contract Hours / 37"
[codes.agency_worker]
Permanent = "0"
"""
    for content in (_csv(rows), _workbook(Staff=rows)):
        extract = _read(content, toml)
        assert extract.frame.select("fte", "cases", "role_start_date").rows() == [(100, 12, date(2024, 2, 1))]
        assert "reason_leave" in extract.absent_columns


def test_what_a_declared_format_does_not_cover_is_a_problem_of_its_cell() -> None:
    rows: _Rows = [list(row) for row in _STAFF]
    rows[3][4], rows[4][4], rows[5][4] = "2023-06-07 00:00:00", "01/11/25", "soon"
    rows[3][2] = "37 hrs"
    extract = _read(_workbook(**{"Establishment Oct 26": rows, "Agency": _AGENCY}), _SHEETS)
    found = extract.problems.select("file_row", "column", "problem").rows()
    assert found == [
        (4, "fte", "not_a_number"), (5, "role_start_date", "other_format"), (6, "role_start_date", "not_a_date")
    ]  # fmt: skip
    assert extract.frame.sort("file_row")["role_start_date"][0] == date(2023, 6, 7)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('computed.fte = "Hours"', "computed.fte must be a field of numbers and read like"),
        ('computed.team = "Hours / 37"', "computed.team must be a field of numbers"),
        ('always.agency_worker = "yes"', "always.agency_worker must be one of 0, 1"),
        ('dates.role_start_date = ["dd/mm/yy", "mm/dd/yy"]', "cannot be told apart"),
        ('dates.role_start_date = ["tt.mm.jj"]', "name some of dd/mm/yyyy"),
        ('dates.fte = ["dd/mm/yy"]', "dates.fte must be a date's field"),
        ('lacks = ["worker_ref"]', "lacks may not name worker_ref"),
        ('columns.fte = "FTE"\ncomputed.fte = "Hours / 37"', "fte stands in two of"),
        ("header_rows = 3", "header_rows"),
        ('[[more]]\nalways.shoe = "1"', "has no field shoe"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(line: str, says: str) -> None:
    with pytest.raises(HeaderMismatch, match=says):
        read_mapping(f'kind = "workforce"\n{line}'.encode(), "m.toml")


def test_a_mapping_with_everything_is_written_and_read_back_equal() -> None:
    once = read_mapping(_SHEETS.encode(), "m.toml")
    again = read_mapping(once.to_toml(), "m.toml")
    assert again.to_toml() == once.to_toml()
    assert again.more[0].always == {"agency_worker": "1"}


def test_a_folder_named_like_the_extract_lands_as_one_submission_and_is_checked_as_one(tmp_path: Path) -> None:
    landing = LocalStore(tmp_path / "landing")
    landing.replace("2026-10/370/workforce/staff oct.csv", _csv(_STAFF))
    landing.replace("2026-10/370/workforce/agency oct.csv", _csv(_AGENCY))
    landing.replace("2026-10/370/workforce/notes.docx", b"x")
    unmapped = list_month(landing, OCTOBER, Register((BARNSLEY,)))
    assert "holdfast map" in str(receive_file(landing, unmapped.files[0], key=KEY).error)
    landing.replace("mappings/370/workforce.2026-10.toml", _FILES.encode())
    landed = list_month(landing, OCTOBER, Register((BARNSLEY,)))
    assert [u.name for u in landed.unrecognised] == ["2026-10/370/workforce/notes.docx"]
    received = receive_file(landing, landed.files[0], key=KEY)
    assert received.extract is not None
    _is_right(received.extract)
    checked = check_files([tmp_path / "landing/2026-10/370/workforce"])
    assert [one.refused for one in checked] == [0]


def test_what_check_says_to_paste_is_one_line_and_a_shell_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "our staff list of October (final).csv"
    path.write_bytes(_csv(_STAFF))
    (checked,) = check_files([path], council="370", month=OCTOBER, kind=Kind.WORKFORCE)
    console = Console(file=io.StringIO(), width=40)
    checked.show(console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    (command,) = re.findall(r"`(holdfast map [^`]*)`", shown)
    assert shlex.split(command)[2:] == [str(path), "--kind", "workforce", "--council", "370", "--month", "2026-10"]
    assert " ".join(shown.split()).count("our staff list of October (final).csv: Row 1 is not") == 1


def test_check_points_to_map_for_a_file_that_nobody_mapped(tmp_path: Path) -> None:
    lists = {"list.csv": _csv(_STAFF), "list.xlsx": _workbook(Staff=_STAFF, Agency=_AGENCY)}
    for name, content in lists.items():
        (tmp_path / name).write_bytes(content)
        said = f"holdfast map {tmp_path / name} --kind workforce --council "
        (checked,) = check_files([tmp_path / name], council="370", month=OCTOBER, kind=Kind.WORKFORCE)
        assert f"{said}370 --month 2026-10" in str(checked.document()), name
        with pytest.raises((HeaderMismatch, UnreadableExtract), match=f"{said}CODE --month YYYY-MM"):
            check_files([tmp_path / name], kind=Kind.WORKFORCE)
    with pytest.raises(UnreadableExtract, match="holdfast map"):
        check_files([tmp_path / "list.csv"])
