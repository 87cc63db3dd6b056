"""Careless hands at a workbook or a folder of tables: a right answer or a sentence, never a wrong number in silence."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ExtractError
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.mapping import HeaderMapping
from flows.extracts.reading.table import Limits
from tests.unit.flows.extracts.formats.ssd.test_reader import tables_of_three_children

from .conftest import BARNSLEY, KEY, OCTOBER, RECEIVED, WORKFORCE, ingest, rows_of, workbook

_EPOCH = date(1899, 12, 30)
_FIELDS = EXTRACTS[Kind.WORKFORCE].fields
_NAMES = [f.name for f in _FIELDS]
_EXPECTED = ingest(WORKFORCE).frame.sort("worker_ref")


def _date_cell(draw: st.DrawFn, text: str) -> Any:
    """One day as Excel users hold it: a date, a text, or a day number."""
    day = date.fromisoformat(text)
    how = draw(st.sampled_from(["date", "iso", "uk", "words", "number", "with time"]))
    if how == "date":
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if how == "with time":
        return datetime(day.year, day.month, day.day, 13, 30, tzinfo=UTC)
    if how == "number":
        return float((day - _EPOCH).days)
    return {"iso": text, "uk": day.strftime("%d/%m/%Y"), "words": day.strftime("%d %b %Y")}[how]


def _cell(draw: st.DrawFn, text: str, field: Any) -> Any:
    if not text:
        return draw(st.sampled_from([None, "", " ", "NULL"]))
    if field.type is FieldType.DATE:
        value = _date_cell(draw, text)
    elif field.type in (FieldType.INTEGER, FieldType.DECIMAL):
        value = draw(st.sampled_from([float(text), text, f" {text} "]))
    elif field.type is FieldType.FLAG:
        value = draw(st.sampled_from([float(text), text, {"0": "No", "1": "Yes"}[text], text == "1"]))
    else:
        value = draw(st.sampled_from([text, f"{text} "]))
    formula = draw(st.integers(0, 11)) if field.name not in ("la_code", "reference_date", "worker_ref") else 9
    if formula == 0 and isinstance(value, str | float):
        return ("=A1", value)
    if formula == 1:
        return ("=VLOOKUP(1,A:B,2)", "#N/A")
    return value


@st.composite
def _books(draw: st.DrawFn) -> bytes:
    """The three workers of the sample file, mangled."""
    plain = rows_of()
    order = draw(st.permutations(range(len(_NAMES))))
    spelt = [draw(st.sampled_from((f.name, *f.synonyms))) for f in _FIELDS]
    header = [draw(st.sampled_from([h, h.upper(), h.replace("_", " ").title(), f" {h} "])) for h in spelt]
    body = [[_cell(draw, row[i], _FIELDS[i]) for i in range(len(_NAMES))] for row in plain[1:]]
    rows: list[list[Any]] = [[header[i] for i in order]]
    for row in body:
        rows += [[None] * len(order)] * draw(st.integers(0, 2))
        rows.append([row[i] for i in order])
    if draw(st.booleans()):
        rows += [[None] * len(order), ["Total", *[None] * (len(order) - 2), ("=SUM(A1:A9)", 15.0)]]
    if draw(st.integers(0, 9)) == 0:
        rows.insert(0, ["Children’s social workers at month end"])
    sheets: dict[str, list[list[Any]]] = {draw(st.sampled_from(["Sheet1", "workforce", "Workforce "])): rows}
    hidden = []
    for name in draw(st.lists(st.sampled_from(["Notes", "Workforce (2)", "Lookups", "old"]), max_size=2, unique=True)):
        other = [[header[i] for i in order], *[["X"] * len(order)] * 2] if "2" in name else [["read me"], ["x"]]
        sheets = {name: other, **sheets} if draw(st.booleans()) else {**sheets, name: other}
        if draw(st.booleans()):
            hidden.append(name)
    merged = ""
    if draw(st.integers(0, 5)) == 0:
        top, left = draw(st.integers(0, len(rows))), draw(st.integers(0, 10))
        merged = f"{chr(65 + left)}{top + 1}:{chr(66 + left)}{top + 1 + draw(st.integers(0, 2))}"
    return _book(sheets, hidden, merged, from_1904=draw(st.integers(0, 7)) == 0)


def _book(sheets: dict[str, list[list[Any]]], hidden: list[str], merged: str, *, from_1904: bool) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "default_date_format": "dd/mm/yyyy", "remove_timezone": True, "date_1904": from_1904}
    book = xlsxwriter.Workbook(out, options)
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if name in hidden and len(hidden) < len(sheets):
            sheet.hide()
        else:
            sheet.activate()
        is_data = len(rows) > 3
        if merged and is_data:
            sheet.merge_range(merged, "")
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, tuple):
                    sheet.write_formula(r, c, value[0], None, value[1])
                elif value is not None:
                    sheet.write(r, c, value)
    book.close()
    return out.getvalue()


def _right_or_said(read: Callable[[], IngestedExtract], expected: pl.DataFrame, key: str) -> IngestedExtract | None:
    """The frame is the expected one but for cells that are null and told of; or a sentence that says where."""
    try:
        extract = read()
    except ExtractError as refused:
        assert str(refused).startswith("Barnsley (370), October 2026, ")
        return None
    got = extract.frame.sort(key)
    assert got[key].equals(expected[key])
    told = set(extract.problems.select("file_row", "column").rows())
    for name in expected.columns:
        if name in (key, "file_row", *extract.absent_columns):
            continue
        for row, ours, theirs in zip(got["file_row"], got[name], expected[name], strict=True):
            assert ours == theirs or (ours is None and (row, name) in told), (row, name, ours, theirs)
    return extract


@given(_books())
def test_a_mangled_workbook_is_right_or_said(content: bytes) -> None:
    _right_or_said(lambda: ingest(content), _EXPECTED, "worker_ref")


def test_merged_cells_in_the_table_are_refused_with_their_rows() -> None:
    rows = [[c or None for c in row] for row in rows_of()]
    leaving_date = _book({"workforce": rows}, [], "H3:H4", from_1904=False)
    with pytest.raises(ExtractError, match=r"merged cells \(rows 3 and 4\)"):
        ingest(leaving_date)
    header = _book({"workforce": rows}, [], "A1:B1", from_1904=False)
    with pytest.raises(ExtractError, match=r"merged cells \(row 1\)"):
        ingest(header)


def test_bare_day_numbers_of_an_old_mac_are_problems_and_its_dates_are_right() -> None:
    rows: list[list[Any]] = [[c or None for c in row] for row in rows_of()]
    start = _NAMES.index("role_start_date")
    rows[1][start] = datetime(2020, 1, 6, tzinfo=UTC)
    rows[2][start] = 45719.0
    extract = ingest(_book({"workforce": rows}, [], "", from_1904=True))
    frame = extract.frame.sort("file_row")
    assert frame["role_start_date"].to_list()[:2] == [date(2020, 1, 6), None]
    assert extract.problems.select("file_row", "column", "problem").rows() == [(3, "role_start_date", "not_a_date")]


def test_two_sheets_that_are_both_named_as_the_extract_are_refused() -> None:
    rows = [[c or None for c in row] for row in rows_of()]
    with pytest.raises(ExtractError, match="none of them is named|visible sheets"):
        ingest(workbook({"workforce ": rows, "Workforce": rows}))


_HOME_MADE_HEADERS = [
    "Payroll",
    "Engagement",
    "Post",
    "Contract",
    "Joined",
    "Left",
    "Why left",
    "Destination of leaver",
    "Held",
    "Sick days",
    "Away",
    "Place",
]
_HOME_MADE = HeaderMapping(
    "370",
    Kind.WORKFORCE,
    OCTOBER,
    dict(zip(_NAMES[2:], _HOME_MADE_HEADERS, strict=True)),
    {"agency_worker": {"Agency": "1", "Permanent": "0"}, "org_role": {"SW": "5", "TM": "3", "Senior": "4"}},
    by_folder=("la_code", "reference_date"),
    name="mappings/370/workforce.2026-10.toml",
)


@st.composite
def _home_made_files(draw: st.DrawFn) -> bytes:
    """The three workers as HR lists them, with headers and words that may have changed since they were mapped."""
    words = {3: {"1": "Agency", "0": "Permanent"}, 4: {"5": "SW", "3": "TM", "4": "Senior"}}
    rows = [[words.get(c, {}).get(cell, cell) for c, cell in enumerate(row)][2:] for row in rows_of()[1:]]
    header = list(_HOME_MADE_HEADERS)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(1, len(header) - 1))
        match draw(st.sampled_from(["renamed", "documented", "twice", "a new word", "a new column", "total"])):
            case "renamed":
                header[at] = draw(st.sampled_from(["Something", "Payroll No", ""]))
            case "documented":
                header[at] = draw(st.sampled_from(["FTE", "Staff ID", "Cases", "Role", "Leaving date"]))
            case "twice":
                header[at] = header[at - 1]
            case "a new word":
                rows[draw(st.integers(0, 2))][draw(st.sampled_from([1, 2]))] = "Secondment"
            case "a new column":
                header.append(draw(st.sampled_from(["Colour", "WTE", "Agency flag"])))
                rows = [[*row, "1"] for row in rows]
            case "total":
                rows.append(["Total", *[""] * (len(header) - 1)])
    order = draw(st.permutations(range(len(header))))
    width = len(header)
    lines = [[row[i] if i < len(row) else "" for i in order] for row in [header, *rows] if width]
    return "\n".join(",".join(line) for line in lines).encode() + b"\n"


@given(_home_made_files())
def test_a_home_made_file_that_drifted_from_its_mapping_is_right_or_said(content: bytes) -> None:
    """A header that took another field's documented name is another column, and is told by the header used."""

    def read() -> IngestedExtract:
        asked = Asked("hr.csv", Kind.WORKFORCE, BARNSLEY, OCTOBER, KEY, RECEIVED, Limits(), _HOME_MADE)
        return read_form(Form.NATIVE, content, asked)

    try:
        extract = read()
    except ExtractError as refused:
        assert str(refused).startswith("Barnsley (370), October 2026, hr.csv")
        return
    header = content.decode().split("\n")[0].split(",")
    got = extract.frame.sort("worker_ref")
    assert got["worker_ref"].equals(_EXPECTED["worker_ref"])
    told = set(extract.problems.select("file_row", "column").rows())
    for name, mapped in _HOME_MADE.columns.items():
        if name == "worker_ref" or mapped not in header:
            continue  # gone: refused, absent and said, or read from a documented name and said
        for row, ours, theirs in zip(got["file_row"], got[name], _EXPECTED[name], strict=True):
            assert ours == theirs or (ours is None and (row, name) in told), (row, name, ours, theirs)
    gone = [name for name, mapped in _HOME_MADE.columns.items() if mapped not in header]
    for name in gone:
        assert any(name in note for note in extract.notes), name


@st.composite
def _folders(draw: st.DrawFn) -> dict[str, bytes]:
    """The SSD tables of three children, mangled: tables missing, doubled, cut, reordered, in other notations."""
    content = tables_of_three_children()
    for name in draw(st.lists(st.sampled_from(sorted(content)), max_size=3, unique=True)):
        lines = content[name].decode().splitlines()
        match draw(
            st.sampled_from(["gone", "blank lines", "semicolons", "windows", "reversed", "cut", "damaged", "dates"])
        ):
            case "gone":
                del content[name]
                continue
            case "blank lines":
                lines = [part for line in lines for part in (line, "")]
            case "semicolons":
                lines = [line.replace(",", ";") for line in lines]
            case "windows":
                content[name] = "\r\n".join(["Ünused," + lines[0], *("é," + line for line in lines[1:])]).encode(
                    "cp1252"
                )
                continue
            case "reversed":
                lines = [lines[0], *reversed(lines[1:])]
            case "cut":
                cut = draw(st.integers(0, len(content[name])))
                content[name] = content[name][:cut]
                continue
            case "damaged":
                at = draw(st.integers(0, len(content[name])))
                content[name] = content[name][:at] + draw(st.binary(max_size=4)) + content[name][at + 2 :]
                content[f"{name}.bak.csv"] = content.pop(name) if draw(st.booleans()) else b""
                continue
            case "dates":
                lines = [line.replace("2026-03-20", "20/03/2026 00:00") for line in lines]
        content[name] = ("\n".join(lines) + "\n").encode()
    return content


@given(_folders())
def test_a_mangled_folder_of_tables_is_read_or_said(content: dict[str, bytes]) -> None:
    asked = Asked("ssd", Kind.CASELOAD, BARNSLEY, OCTOBER, KEY, RECEIVED, Limits())
    try:
        extract = read_form(Form.SSD, content, asked)
    except ExtractError as refused:
        assert str(refused).startswith("Barnsley (370), October 2026, ssd")
        return
    assert extract.frame.schema == EXTRACTS[Kind.CASELOAD].schema
    for name in extract.absent_columns:
        assert name in extract.absent_because
        assert any("Not given" in note and name in note for note in extract.notes)


@given(
    st.sampled_from(["blank lines", "semicolons", "reversed", "dates"]),
    st.sampled_from(sorted(tables_of_three_children())),
)
def test_tables_in_another_notation_say_the_same(how: str, name: str) -> None:
    asked = Asked("ssd", Kind.CASELOAD, BARNSLEY, OCTOBER, KEY, RECEIVED, Limits())
    content = tables_of_three_children()
    plain = read_form(Form.SSD, content, asked).frame.drop("file_row")
    lines = content[name].decode().splitlines()
    lines = {
        "blank lines": [part for line in lines for part in (line, "")],
        "semicolons": [line.replace(",", ";") for line in lines],
        "reversed": [lines[0], *reversed(lines[1:])],
        "dates": [line.replace("2026-03-20", "20/03/2026 00:00") for line in lines],
    }[how]
    content[name] = ("\n".join(lines) + "\n").encode()
    assert read_form(Form.SSD, content, asked).frame.drop("file_row").equals(plain)
