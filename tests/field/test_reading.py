"""Field cases, parts C and D, about reading: read where nothing is ambiguous, else refused for the true cause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from expectations.batch import Severity
from features.registry import Kind
from tests.conftest import SHARED
from tests.field.sent import (
    MARKER,
    as_csv,
    as_parquet,
    as_xlsx,
    caseload,
    establishment,
    made,
    refusal,
    truth,
    workforce,
)

Cells = list[list[str]]


@pytest.fixture(scope="module")
def right() -> pl.DataFrame:
    return truth(Kind.WORKFORCE)


def test_the_truth_is_what_the_rows_say(right: pl.DataFrame) -> None:
    """The frame that all others are compared with, worked out cell by cell without the reader."""
    rows = sorted(workforce()[1:], key=lambda r: int(r[2][1:]))
    assert right.height == 60
    by_start = {date.fromisoformat(r[6]): r for r in rows}
    for row in right.iter_rows(named=True):
        given = by_start[row["role_start_date"]]
        assert (row["agency_worker"], row["org_role"]) == (given[3] == "1", given[4])
        assert (row["fte"], row["cases"]) == (round(float(given[5]) * 100), int(given[10]))
        assert row["role_end_date"] == (date.fromisoformat(given[7]) if given[7] else None)
        assert row["reference_date"] == date(2026, 10, 31)
    assert right["worker_ref"].n_unique() == 60


def _column(rows: Cells, name: str, change: Callable[[str], str]) -> Cells:
    at = rows[0].index(name)
    return [rows[0], *([*r[:at], change(r[at]) if r[at] else "", *r[at + 1 :]] for r in rows[1:])]


DATES = ("reference_date", "role_start_date", "role_end_date")
_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def _written(how: Callable[[date], str]) -> Cells:
    rows = workforce()
    for name in DATES:
        rows = _column(rows, name, lambda text: how(date.fromisoformat(text)))
    return rows


NOTATIONS: dict[str, Callable[[date], str]] = {
    "Sept": lambda d: f"{d.day:02} {'Sept' if d.month == 9 else _NAMES[d.month - 1][:3]} {d.year}",
    "four letters": lambda d: f"{d.day}-{_NAMES[d.month - 1][:4]}-{d.year}",
    "full": lambda d: f"{d.day} {_NAMES[d.month - 1]} {d.year}",
    "upper": lambda d: f"{d.day:02}-{_NAMES[d.month - 1][:3].upper()}-{d.year}",
    "with a point": lambda d: f"{d.day}. {_NAMES[d.month - 1][:3]}. {d.year}",
    "weekday": lambda d: f"{d:%A}, {d.day} {_NAMES[d.month - 1]} {d.year}",
    "name first": lambda d: f"{_NAMES[d.month - 1][:3]} {d.day}, {d.year}",
    "SQL Server 100": lambda d: f"{_NAMES[d.month - 1][:3]} {d.day:2} {d.year} 12:00AM",
    "datetimeoffset": lambda d: f"{d} 00:00:00 +00:00",
    "datetimeoffset 7": lambda d: f"{d} 00:00:00.0000000 +01:00",
    "ISO Z": lambda d: f"{d}T00:00:00.000Z",
    "midnight AM": lambda d: f"{d:%d/%m/%Y} 12:00:00 AM",
    "locale": lambda d: f"{d:%d/%m/%Y}, 00:00:00",
    "Oracle": lambda d: f"{d.day:02}-{_NAMES[d.month - 1][:3].upper()}-{d.year} 00:00:00",
    "UTC of London's midnight": lambda d: _utc(d).strftime("%Y-%m-%dT%H:%M:%SZ"),
}


def _utc(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/London")).astimezone(ZoneInfo("UTC"))


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_date_is_read_however_a_system_writes_it(right: pl.DataFrame, notation: str) -> None:
    file = made(as_csv(_written(NOTATIONS[notation])))
    assert file.values.equals(right)
    assert not file.extract.problems.height


def test_midnights_in_utc_without_a_zone_are_noticed_and_said(right: pl.DataFrame) -> None:
    file = made(as_csv(_written(lambda d: _utc(d).strftime("%Y-%m-%d %H:%M:%S"))))
    assert file.values.equals(right)
    assert "role_start_date: " in file.notes and "midnight in UTC" in file.notes


def test_single_times_at_23_00_are_said_and_left_as_they_are() -> None:
    rows = _column(
        workforce(), "role_start_date", lambda text: f"{text} {'23:00:00' if text[-1] in '0123' else '09:15'}"
    )
    file = made(as_csv(rows))
    assert "If they are midnight in UTC" in file.notes
    assert file.values["role_start_date"].sort().to_list() == sorted(date.fromisoformat(r[6]) for r in workforce()[1:])


# What stands around the table. Each gives bytes that hold the same sixty rows.

WIDTH = 14
FOOTERS = (
    "(60 rows affected)",
    "(60 row(s) affected)",
    "60 rows selected.",
    "60 record(s)",
    f"Applied filters: Team is not {MARKER}",
    "No filters applied",
    "Filters: Service = Children and Families",
    f"Report run by {MARKER} on 02/11/2026 09:14",
    "Generated on 02/11/2026",
    "Data as at 31 October 2026",
    "Page 1 of 1",
    "Row count: 60",
    "Completion time: 2026-11-02T09:14:22.1234567+00:00",
    "*** End of report ***",
    "End of report",
    "Source: HR system",
    "Warning: Null value is eliminated by an aggregate or other SET operation.",
    f"Please send questions to {MARKER} in the data team",
    "OFFICIAL - SENSITIVE",
    "© Somebody Ltd",
    "Rows returned 60",
    "-- 60 rows --",
    "<end>",
    "#EOF",
    "1 of 1",
    "Note 1. See guidance",
)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("footer", FOOTERS)
def test_a_footer_is_nobodys_row(right: pl.DataFrame, footer: str, padded: bool) -> None:
    line = [footer, *[""] * (WIDTH - 1)] if padded else [footer]
    for rows in (
        [*workforce(), line],
        [*workforce(), [], line],
        [*workforce(), [""] * WIDTH, line, [], ["Page 1 of 1"]],
    ):
        file = made(as_csv(rows))
        assert file.values.equals(right)
        assert "footers of a report" in file.notes
        assert MARKER not in file.notes
    assert made(as_xlsx([*workforce(), [""], [footer]])).values.equals(right)


def test_a_row_that_breaks_off_is_no_footer() -> None:
    whole = as_csv(workforce()).decode()
    last = whole.rstrip("\n").rpartition("\n")[2]
    for length in range(1, last.rindex(",")):
        cut = whole[: len(whole) - 1 - len(last)] + last[:length]
        if last[:length].count(",") < WIDTH - 1:
            assert "breaks off" in refusal(cut.encode()), last[:length]


@pytest.mark.parametrize("footer", ["(75 rows affected)", "Row count: 75", "75 record(s)", "Number of records: 75"])
def test_a_file_with_fewer_rows_than_its_footer_counts_is_refused(footer: str) -> None:
    assert "has 75 rows, and 60 are there" in refusal(as_csv([*workforce(), [footer]]))
    assert "has 75 rows, and 60 are there" in refusal(as_xlsx([*workforce(), [], [footer]]))


@pytest.mark.parametrize("word", ["England", "All teams", "Barnsley MBC", "Overall", "Headcount"])
def test_a_row_without_code_key_and_month_is_nobodys(right: pl.DataFrame, word: str) -> None:
    row = [word, "", "", "", "", "47.2", "", "", "", "", "570", "90.0", "0", ""]
    file = made(as_csv([*workforce(), row]))
    assert file.values.equals(right) and "Left out as totals: row 62" in file.notes


def test_a_word_among_keys_is_nobody_and_said(right: pl.DataFrame) -> None:
    row = ["370", "2026-10-31", "All workers", "", "", "47.2", "", "", "", "", "570", "90.0", "0", ""]
    file = made(as_csv([*workforce(), row]))
    assert "workforce.worker_ref.unknown_reference" in file.checks


def test_the_councils_own_name_is_its_code_and_no_code_is_told_as_such(right: pl.DataFrame) -> None:
    assert made(as_csv(_column(workforce(), "la_code", lambda _: "BARNSLEY"))).values.equals(right)
    units = [workforce()[0], ["code", *["text"] * 13], *workforce()[1:]]
    assert "something else than a council's code as la_code (row 2)" in refusal(as_csv(units))
    assert "another council's la_code" in refusal(as_csv(_column(workforce(), "la_code", lambda _: "371")))


def test_a_comma_that_can_only_be_a_decimal_mark_is_one(right: pl.DataFrame) -> None:
    commas = _column(workforce(), "fte", lambda text: text.replace(".", ","))
    assert made(as_csv(commas, ";")).values.equals(right)
    assert made(as_csv(commas)).values.equals(right)
    commas[7][5] = "1,234"
    assert "fte" in made(as_csv(commas)).withheld


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html><body><table><tr><td>la_code</td></tr></table>", "a web page or XML"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><a/>', "a web page or XML"),
        (b'[{"la_code": "370"}]', "JSON"),
    ],
)
def test_what_is_no_table_is_named(content: bytes, says: str) -> None:
    assert says in refusal(content)


@pytest.mark.parametrize("remark", ["see note", "Duty", "TBC", "-1", "12/2026", "???"])
@pytest.mark.parametrize("every", [99, 4])
def test_a_remark_among_references_refers_to_nobody(remark: str, every: int) -> None:
    rows = [r if i % every else [*r[:3], remark, *r[4:]] for i, r in enumerate(caseload())]
    rows[0] = caseload()[0]
    rows[5][3] = remark
    file = made(as_csv(rows), Kind.CASELOAD)
    assert any(c.startswith("caseload.allocated_worker_ref.") for c in file.checks)
    assert ("allocated_worker_ref" in file.withheld) == (every == 4)


def test_a_file_cut_within_its_last_cell_is_said(right: pl.DataFrame) -> None:
    file = made(as_csv(workforce())[:-4])
    assert not file.values.equals(right)
    assert "ends without a line end" in file.notes and "row 61" in file.notes


def test_lines_titles_ends_and_empty_parts_are_left_out(right: pl.DataFrame) -> None:
    rows, plain = workforce(), as_csv(workforce())
    rule = ["-" * len(h) for h in rows[0]]
    blank = [[*r, *[""] * 250] for r in rows]
    for content in (
        as_csv([rows[0], rule, *rows[1:]]),
        as_csv([rule, rows[0], rule, *rows[1:], rule]),
        as_csv([rows[0], ["=" * 80], *rows[1:]]),
        as_csv([["Workforce extract October 2026"], [f"Run on 02/11/2026 by {MARKER}"], [], *rows]),
        as_csv([["Workforce", "", "October 2026", *[""] * 11], *rows]),
        plain + b"\x1a",
        plain + b"\x1a\r\n",
        plain + b"\x00" * 512,
        plain + b"\r\n" * 40,
        plain + b"," * 13 + b"\n" + b"," * 13 + b"\n",
        as_csv(blank),
        as_csv([*rows[:30], rows[0], *rows[30:]]),
        b"\xef\xbb\xbf" + plain,
        *(f"sep={d}\r\n".encode() + as_csv(rows, d, end="\r\n") for d in (",", ";", "\t", "|", "^", "~")),
        b'"sep=;"\n' + as_csv(rows, ";", quote_all=True),
        as_csv(rows, "|"),
        as_csv(rows, ";", end="\r\n"),
    ):
        file = made(content)
        assert file.values.equals(right), content[:80]
        assert MARKER not in file.notes


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_is_read_in_the_encodings_that_councils_tools_write(encoding: str) -> None:
    """SQL Server and Excel write “Unicode text”: 16 bits, with tabs."""
    rows = _column(workforce(), "team", lambda text: f"Süd {text}")
    sound = as_csv(rows, "\t", end="\r\n")
    read, expected = made(sound.decode().encode(encoding)), made(sound)
    assert read.values.equals(expected.values) and not read.extract.problems.height
    assert (encoding == "utf-8-sig") != ("is safer" in read.notes)


def test_rows_are_counted_as_a_person_sees_them() -> None:
    rows = _column(workforce(), "role_start_date", lambda text: text)
    rows[10][6] = "yesterday"
    file = made(as_csv([["A title"], [], *rows]))
    assert file.extract.problems["file_row"].to_list() == [13]


@pytest.mark.parametrize(
    "header",
    ["role_start\n_date", "Role start\r\ndate", "role\xa0start\xa0date", " Role Start Date: ", "ROLE-START-DATE*"],
)
def test_a_header_cell_with_a_line_break_is_the_column(right: pl.DataFrame, header: str) -> None:
    rows = workforce()
    named = [[header if h == "role_start_date" else h for h in rows[0]], *rows[1:]]
    assert made(as_csv(named)).values.equals(right)
    assert made(as_xlsx(named)).values.equals(right)
    assert made(as_parquet(named)).values.equals(right)


def test_cells_that_are_marked_as_text_are_their_text(right: pl.DataFrame) -> None:
    rows = workforce()
    formulas = [[f'="{c}"' for c in row] for row in rows]
    assert made(as_csv(_column(rows, "worker_ref", lambda t: f'="{t}"'))).values.equals(right)
    assert made("\n".join(",".join(row) for row in formulas).encode() + b"\n").values.equals(right)
    assert made(as_csv(formulas)).values.equals(right)
    assert made(as_csv(_column(rows, "worker_ref", lambda t: f"'{t}"))).values.equals(right)
    assert made(as_csv(_column(rows, "worker_ref", lambda t: f"'{t}'"))).values.equals(right)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.23457E+11", "kept 15 digits"),
        ("1,23E+11", "kept 15 digits"),
        ("12.3E+10", "kept 15 digits"),
        ("2026-03-01", "date that a spreadsheet made of a reference"),
        ("01-Mar", "date that a spreadsheet made of a reference"),
        ("Mar-26", "date that a spreadsheet made of a reference"),
        ("01/03/2026", "date that a spreadsheet made of a reference"),
    ],
)
def test_references_that_a_spreadsheet_changed_weigh_as_empty_ones_and_are_told(text: str, words: str) -> None:
    file = made(as_csv(_column(workforce(), "worker_ref", lambda _: text)))
    assert file.not_used
    assert words in file.messages
    one = workforce()
    one[5][2] = text
    file = made(as_csv(one))
    assert not file.not_used and words in file.messages


def test_zeros_that_a_number_format_shows_belong_to_the_reference() -> None:
    rows = _column(workforce(), "worker_ref", lambda t: t[1:])
    shown = made(as_csv(_column(rows, "worker_ref", lambda t: t.zfill(7)))).values
    prefixed = made(as_csv(_column(rows, "worker_ref", lambda t: f"W{t}"))).values

    def formatted(code: str) -> Callable[[Any, Any], None]:
        def touch(sheet: Any, book: Any) -> None:
            for i, row in enumerate(rows[1:], start=1):
                sheet.write_number(i, 2, int(row[2]), book.add_format({"num_format": code}))

        return touch

    assert made(as_xlsx(rows, touch=formatted("0000000"))).values.equals(shown)
    assert made(as_xlsx(rows, touch=formatted('"W"0000'))).values.equals(prefixed)


def test_hidden_and_filtered_rows_are_read_and_said(right: pl.DataFrame) -> None:
    def hide(sheet: Any, book: Any) -> None:
        sheet.autofilter(0, 0, 60, WIDTH - 1)
        for row in range(3, 40):
            sheet.set_row(row, options={"hidden": True})
        sheet.set_column(5, 5, options={"hidden": True})

    file = made(as_xlsx(workforce(), touch=hide))
    assert file.values.equals(right)
    assert "37 rows are hidden by a filter and were read all the same" in file.notes
    assert "Hidden columns were read all the same: F" in file.notes


def test_a_hidden_sheet_is_read_and_said_unless_it_beats_a_visible_one(right: pl.DataFrame) -> None:
    cover = {"Cover": [["About this file"]]}
    file = made(as_xlsx(workforce(), more=cover, hidden=["workforce"]))
    assert file.values.equals(right) and "hidden and was read" in file.notes
    older = {"Sheet2": workforce()[:20]}
    assert "would be a guess" in refusal(as_xlsx(workforce(), more=older, hidden=["workforce"]))


def test_of_several_sheets_the_one_with_the_columns_is_read(right: pl.DataFrame) -> None:
    other = {"Notes": [["What", "Who", "When", "Why"], ["a", "b", "c", "d"]]}
    file = made(as_xlsx(workforce(), name="Export", more=other))
    assert file.values.equals(right) and "number 1 was read" in file.notes
    assert "would be a guess" in refusal(as_xlsx(workforce(), name="A", more={"B": workforce()[:9]}))


def test_coloured_empty_cells_and_blank_columns_hold_nothing(right: pl.DataFrame) -> None:
    def colour(sheet: Any, book: Any) -> None:
        yellow = book.add_format({"bg_color": "yellow"})
        sheet.write_blank(1_048_575, 0, None, yellow)
        sheet.write_blank(5, 16_383, None, yellow)
        for column in range(WIDTH, WIDTH + 300):
            sheet.write_blank(0, column, None, yellow)

    assert made(as_xlsx(workforce(), touch=colour)).values.equals(right)


def test_tables_beside_are_left_out_and_tables_below_are_refused(right: pl.DataFrame) -> None:
    rows = workforce()
    beside = [[*r, "", *(["Service", "Heads"] if i == 0 else [f"{MARKER} {i}", str(i)])] for i, r in enumerate(rows)]
    longer = [*beside, *([*[""] * (WIDTH + 1), "Team 9", "3"] for _ in range(5))]
    for content in (as_csv(longer), as_xlsx(longer)):
        file = made(content)
        assert file.values.equals(right)
        assert "beside the table, from column O on" in file.notes and MARKER not in file.notes
    second = [
        *rows,
        [],
        ["worker_ref", "team", "cases", *[""] * 11],
        *([f"W{i}", "T", "3", *[""] * 11] for i in range(9)),
    ]
    for content in (as_csv(second), as_xlsx(second)):
        assert "another table begins in row 63" in refusal(content)


def test_rows_that_an_open_quotation_mark_swallows_are_refused() -> None:
    lines = as_csv(workforce()).decode().split("\n")
    for opened, closed, at in ((11, 51, 13), (2, 60, 2), (30, 31, 7), (5, 8, 1)):
        spoiled = list(lines)
        cells = spoiled[opened].split(",")
        cells[at] = '"' + cells[at]
        spoiled[opened] = ",".join(cells)
        cells = spoiled[closed].split(",")
        cells[at] = cells[at] + '"'
        spoiled[closed] = ",".join(cells)
        said = refusal("\n".join(spoiled).encode())
        assert f"row {opened + 1}" in said and "quotation mark" in said
    one_cell = "\n".join(",".join(r) for r in workforce()[20:40])
    swallowed = [*workforce()[:20], [*workforce()[20][:13], one_cell], *workforce()[40:]]
    assert "holds whole rows" in refusal(as_xlsx(swallowed))


def test_a_note_with_line_breaks_and_commas_is_a_cell(right: pl.DataFrame) -> None:
    rows = [[*r, "cost centre" if i == 0 else "one line,\nand another"] for i, r in enumerate(workforce())]
    assert made(as_csv(rows)).values.equals(right)


@pytest.mark.parametrize("word", ["TOTAL", "Total", "Grand Total", "Sub-total", "370 Total", "Totals:", "Total FTE"])
def test_a_row_of_totals_under_the_councils_own_code_is_nobody(right: pl.DataFrame, word: str) -> None:
    sums = ["", "", "", "47.2", "", "", "", "", "570", "90.0", "0", ""]
    in_key = [*workforce(), ["370", "2026-10-31", word, *sums[1:]]]
    in_team = [*workforce(), ["370", "2026-10-31", "", *sums[1:-1], word]]
    in_code = [*workforce(), [word, "", "", *sums[1:]]]
    for rows in (in_key, in_team, in_code):
        for content in (as_csv(rows), as_xlsx(rows)):
            file = made(content)
            assert file.values.equals(right)
            assert "Left out as totals: row 62" in file.notes


def test_other_kinds_are_read_the_same_way() -> None:
    cases = truth(Kind.CASELOAD)
    footed = [["A title"], *caseload(), [], ["(60 rows affected)"]]
    assert made(as_csv(footed), Kind.CASELOAD).values.equals(cases)
    one = truth(Kind.ESTABLISHMENT)
    rows = establishment()
    content = as_csv([["Establishment, October"], rows[0], ["-"] * 6, rows[1], ["(1 row affected)"]])
    assert made(content, Kind.ESTABLISHMENT).values.equals(one)
    assert "breaks off" in refusal(as_csv(rows)[:-8], Kind.ESTABLISHMENT)


def test_control_characters_within_are_named_by_their_line() -> None:
    content = as_csv(workforce()).replace(b"W1030", b"W1\x0030")
    assert "line 31 holds a control character" in refusal(content)


def test_every_cell_of_a_reference_column_may_not_be_what_it_is() -> None:
    """A column that is lost is an error, and the file is not called in order."""
    rows = _column(caseload(), "allocated_worker_ref", lambda _: "#N/A")
    file = made(as_csv(rows), Kind.CASELOAD)
    assert file.checks["caseload.allocated_worker_ref.formula_error"] is Severity.ERROR
    assert "allocated_worker_ref" in file.withheld


@pytest.mark.parametrize("text", ["W1001", "W 1"])
def test_one_and_the_same_worker_everywhere_is_nobody(text: str) -> None:
    file = made(as_csv(_column(caseload(), "allocated_worker_ref", lambda _: text)), Kind.CASELOAD)
    assert file.checks["caseload.allocated_worker_ref.same_everywhere"] is Severity.ERROR
    assert "allocated_worker_ref" in file.withheld


@pytest.mark.parametrize("text", ["see note", "TBC", "Duty worker"])
def test_one_and_the_same_remark_everywhere_is_nobody(text: str) -> None:
    file = made(as_csv(_column(caseload(), "allocated_worker_ref", lambda _: text)), Kind.CASELOAD)
    assert file.checks["caseload.allocated_worker_ref.unknown_reference"] is Severity.ERROR
    assert "allocated_worker_ref" in file.withheld


@pytest.mark.parametrize(
    "name",
    ["01-sept", "02-ctrl-z", "03-sqlcmd", "04-text-formula", "04-text-formula/every-cell", "05-power-bi-footer",
     "08-hidden-rows", "10-sep-line", "13-last-row-coloured", "25-title-above-header"],
)  # fmt: skip
def test_the_files_from_the_field(name: str) -> None:
    folder = SHARED / "cases" / name
    if not folder.is_dir():
        pytest.skip("the field's files are not on this machine; set HOLDFAST_SHARED to their folder")
    assert _workers(folder) == _workers(SHARED / "cases" / "02-ctrl-z") == (235, 0, 235)


def _workers(folder: Path) -> tuple[int, int, int]:
    """Rows, unreadable cells, different references."""
    from dataclasses import replace

    from features.councils import Council
    from features.months import Month
    from tests.field.sent import asked, read

    path = next(p for p in folder.iterdir() if p.is_file())
    extract = read(path.read_bytes(), replace(asked(Kind.WORKFORCE), council=Council("Z01", "Z", Month(2015, 1))))
    return extract.frame.height, extract.problems.height, extract.frame["worker_ref"].n_unique()


def test_summer_is_told_from_winter() -> None:
    """Every day of two years, written as London's midnight in UTC."""
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(600)]
    rows = [*workforce()[:1]]
    for i, day in enumerate(days):
        rows.append([*workforce()[1][:2], f"W{i}", *workforce()[1][3:6], _utc(day).strftime("%Y-%m-%d %H:%M:%S"),
                     *workforce()[1][7:]])  # fmt: skip
    assert made(as_csv(rows)).values["role_start_date"].sort().to_list() == days
