"""Mangled workbooks: a right answer or a sentence, never a wrong number in silence.

Every mangling has one of two fates that are known beforehand: it changes nothing that matters (the rows
are the same), or what it hides is refused, withheld by name, or a problem of a cell.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from features.errors import ExtractError
from features.registry import CASELOAD
from flows.extracts.formats.annex_a.layout import BY_NUMBER, ColumnContent, columns_of_list, is_dropped
from flows.extracts.ingest import IngestedExtract

from .examples import Sheets, book, d, read, small

_RIGHT = read(small())
_FIELDS = [f.name for f in CASELOAD.fields]
_SAYINGS = (
    "has no column",
    "left out",
    "could not be read",
    "repeat another",
    "Hidden and not read",
    "Not read",
    "is not in the workbook",
)


def _same(extract: IngestedExtract) -> bool:
    return extract.frame.select(_FIELDS).equals(_RIGHT.frame.select(_FIELDS)) and extract.problems.is_empty()


def _right_or_said(content: bytes) -> None:
    """The rows are right, or a sentence says what is not: a refusal, an absent field, a problem, a note."""
    try:
        extract = read(content)
    except ExtractError as refused:
        assert "Barnsley (370), October 2026, annex_a.xlsx" in str(refused)
        return
    if _same(extract):
        return
    absent = set(extract.absent_columns) - set(_RIGHT.absent_columns)
    told = set(extract.problems["column"].to_list())
    noted = [n for n in extract.notes if n not in _RIGHT.notes and any(s in n for s in _SAYINGS)]
    assert absent or told or noted, extract.notes
    if extract.frame.height == _RIGHT.frame.height and not noted:
        # Whatever is neither absent nor a problem is right.
        for name in set(_FIELDS) - absent - told:
            assert extract.frame[name].equals(_RIGHT.frame[name]), name


_case = st.sampled_from((str.upper, str.lower, str.title, str))
_around = st.sampled_from(("", " ", "\u00a0", "\n", "  "))
_tail = st.sampled_from(("", ":", "*", " (dd/mm/yyyy)", "?", " "))
_between = st.sampled_from((" ", "  ", "_", "\n", "-", "\u00a0"))


@st.composite
def _drifted(draw: st.DrawFn) -> Sheets:
    """Headers in any case, spacing and punctuation; columns in any order; columns nobody asked for."""
    sheets: Sheets = {}
    for name, rows in small().items():
        header = [
            draw(_around) + draw(_case)(str(h)).replace(" ", draw(_between)) + draw(_tail) + draw(_around)
            for h in rows[0]
        ]
        order = draw(st.permutations(range(len(header))))
        more = draw(
            st.lists(
                st.sampled_from(("Gender", "Ethnicity", "Date of Birth", "NHS Number", "")), max_size=2, unique=True
            )
        )
        sheets[name] = [
            [*(row[i] for i in order), *(m if n == 0 else "x" for m in more)]
            for n, row in enumerate([header, *rows[1:]])
        ]
    return sheets


@given(_drifted())
def test_drifted_headers_change_nothing(sheets: Sheets) -> None:
    assert _same(read(sheets))


@given(st.text(max_size=40), st.sampled_from(list(small())), st.integers(0, 7))
def test_any_other_header_is_right_or_said(text: str, sheet: str, column: int) -> None:
    sheets = small()
    column %= len(sheets[sheet][0])
    was = str(sheets[sheet][0][column])
    sheets[sheet][0][column] = text
    number = int(sheet.removeprefix("List "))
    meant = columns_of_list(number, text) if text.strip() else ()
    if meant and meant != columns_of_list(number, was) or is_dropped(number, text):
        return
    _right_or_said(book(sheets))


def _written(day: date, how: int) -> Any:
    return (
        day,
        datetime.combine(day, time(9, 30)),
        day.isoformat(),
        day.strftime("%d/%m/%Y"),
        f"{day.day} {day:%B %Y}",
        (day - date(1899, 12, 30)).days,
        str((day - date(1899, 12, 30)).days),
        f" {day:%d.%m.%Y} ",
    )[how]


@given(st.data())
def test_dates_of_mixed_kinds_in_one_column_change_nothing(data: st.DataObject) -> None:
    sheets = small()
    for rows in sheets.values():
        for row in rows[1:]:
            for i, cell in enumerate(row):
                if isinstance(cell, date):
                    row[i] = _written(cell, data.draw(st.integers(0, 7)))
    assert _same(read(sheets))


@given(st.data())
def test_any_cell_overwritten_with_anything_is_right_or_said(data: st.DataObject) -> None:
    sheets = small()
    name = data.draw(st.sampled_from(list(sheets)))
    number = int(name.removeprefix("List "))
    row = data.draw(st.integers(1, len(sheets[name]) - 1))
    column = data.draw(st.integers(0, len(sheets[name][0]) - 1))
    (meant,) = columns_of_list(number, str(sheets[name][0][column]))
    holds = BY_NUMBER[number].column(meant).holds
    junk: dict[ColumnContent, st.SearchStrategy[Any]] = {
        ColumnContent.DATE: st.sampled_from(
            ("soon", "31/02/2026", "2026-13-01", "10/9/26", "n/a", "#REF!", 7, -3.5, True, ("=A1", "#N/A"))
        ),
        ColumnContent.STATUS: st.sampled_from(("z", "unknown", "a) Closed episode", 4, ("=A1", "#N/A"))),
        ColumnContent.NUMBER: st.sampled_from(("two", "1.5", "x", ("=A1", "#DIV/0!"))),
        ColumnContent.WORKER: st.sampled_from(("#N/A", "#REF!", ("=A1", "#N/A"))),
        ColumnContent.CHILD: st.sampled_from(("", "Total", "n/a", "no id", 1e17, ("=A1", "#N/A"))),
    }
    if holds in junk:
        sheets[name][row][column] = data.draw(junk[holds])
        _right_or_said(book(sheets))


@given(st.data())
def test_blank_rows_titles_and_totals_change_nothing(data: st.DataObject) -> None:
    sheets = small()
    for name, rows in sheets.items():
        titles = data.draw(st.lists(st.sampled_from(([], ["Annex A"], ["List", "of", None], [None, "x"])), max_size=4))
        body = [rows[0]]
        for row in rows[1:]:
            body += [[None] * data.draw(st.integers(0, 3)) for _ in range(data.draw(st.integers(0, 2)))] + [row]
        foot = data.draw(
            st.sampled_from(
                ([], [[], ["Total", 5]], [["Grand Total", None, 12]], [[], ["Source: case system, 3 November"]])
            )
        )
        sheets[name] = [*titles, *body, *copy.deepcopy(foot)]
    extract = read(sheets)
    assert _same(extract)


@given(
    st.sampled_from(list(small())),
    st.booleans(),
    st.sampled_from(("Copy", "CIN", "Sheet9", "List 6 (2)", "6", "CP", "old")),
)
def test_a_doubled_sheet_is_refused_or_hidden(name: str, hidden: bool, other: str) -> None:
    sheets = small()
    sheets[other] = copy.deepcopy(sheets[name])
    sheets[other][1:] = [
        [cell if i else 900 + n for i, cell in enumerate(row)] for n, row in enumerate(sheets[other][1:])
    ]
    content = book(sheets, hidden=[other] if hidden else [])
    if hidden:
        assert _same(read(content))
        assert any(note.startswith("Hidden and not read: sheet 7.") for note in read(content).notes)
    else:
        _refused(lambda: read(content))


def _refused(call: Callable[[], object]) -> None:
    try:
        call()
    except ExtractError:
        return
    raise AssertionError("a guess was made")


@given(st.sampled_from(list(small())), st.integers(0, 6), st.integers(0, 6), st.integers(1, 3), st.integers(1, 3))
def test_merged_cells_are_refused_or_harmless(name: str, top: int, left: int, height: int, width: int) -> None:
    if height * width == 1:
        return
    sheets = small()
    first = [chr(65 + left), str(top + 1)]
    last = [chr(65 + left + width - 1), str(top + height)]
    _right_or_said(book(sheets, merged={name: [f"{''.join(first)}:{''.join(last)}"]}))


@given(st.lists(st.sampled_from(list(small())), unique=True, max_size=5), st.booleans())
def test_any_lists_hidden_or_gone_are_said_by_name(gone: list[str], hide: bool) -> None:
    sheets = small()
    content = book(sheets, hidden=gone) if hide else book({n: r for n, r in sheets.items() if n not in gone})
    try:
        extract = read(content)
    except ExtractError as refused:
        assert "annex_a.xlsx" in str(refused)
        return
    said = " ".join(extract.absent_because.values())
    for name in gone:
        assert f"Annex A list {name.removeprefix('List ')} (" in said


@given(st.binary(max_size=300), st.integers(0, 20_000))
def test_damaged_bytes_end_in_a_sentence(junk: bytes, at: int) -> None:
    whole = book(small())
    at %= len(whole)
    _right_or_said(whole[:at] + junk + whole[at + len(junk) :])
    _right_or_said(junk)


def test_the_example_is_what_the_properties_think_it_is() -> None:
    assert _same(read(small()))
    assert d(10, 9) in _RIGHT.frame["closed_date"].to_list()
