"""Tables of published files: where each begins and ends in a sheet, which columns are kept, which layout is nearest."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from features.errors import ReferenceDataError
from models.record.tables import (
    Layout,
    RecordTable,
    _looks_like_header,
    _sheet_tables,
    _text,
    claim,
    nearest,
    normalise,
    readable,
    tables_of,
)

Row = list[str | None]
HEADER: Row = ["Code", "Name", "Region", "Type", "Rate"]


def table(*headers: str) -> RecordTable:
    return RecordTable("file.csv", None, headers, pl.DataFrame({h: ["x"] for h in headers}))


LAYOUT = Layout(
    name="rates", publisher="DfE", marks=("code",), needs={"rate": "rate.*", "year": "year", "kind": "kind"},
    may_have={"note": "note"},
)  # fmt: skip


def test_a_header_is_told_without_case_breaks_and_repeated_spaces() -> None:
    assert normalise("\ufeff First  Overall\nJudgement ") == "first overall judgement"
    assert (normalise(None), normalise(7)) == ("", "7")


@pytest.mark.parametrize(
    ("row", "is_header"),
    [
        (HEADER, True),
        (HEADER[:4], False),
        ([*HEADER[:4], "2024"], False),
        ([*HEADER[:4], "20.24"], False),
        ([*HEADER[:4], None], False),
        ([*HEADER, "2024", None], True),
    ],
)
def test_a_header_has_five_texts(row: Row, is_header: bool) -> None:
    assert _looks_like_header(row) is is_header


def sheet(*rows: Row) -> list[tuple[tuple[str, ...], list[tuple[str | None, ...]]]]:
    return [(t.headers, t.cells.rows()) for t in _sheet_tables("file.xlsx", "Data", list(rows))]


def test_a_sheet_has_tables_below_each_other_apart_by_an_empty_row() -> None:
    keys = tuple(h.lower() for h in HEADER if h)
    one: Row = ["201", " City ", "London", "", "3"]
    assert sheet(["A title"], HEADER, one, [None] * 5, ["Note"], HEADER, one[:2], [*one, "beyond"]) == [
        (keys, [("201", "City", "London", None, "3")]),
        (keys, [("201", "City", None, None, None), ("201", "City", "London", None, "3")]),
    ]
    assert sheet(HEADER) == [(keys, [])]
    assert sheet(["A title"], one) == [] and sheet() == []


def test_a_header_far_down_is_none() -> None:
    title: Row = ["A title"]
    found = [n for n in range(60) if sheet(*[title] * n, HEADER)]
    assert found == list(range(15))


def test_of_two_columns_with_one_header_the_first_is_kept_and_one_without_is_left_out() -> None:
    (found,) = tables_of("file.csv", b"Code,,code,Rate,Rate\n201,a,b,1,2\n")
    assert (found.headers, found.cells.rows()) == (("code", "rate"), [("201", "1")])


def test_what_a_line_has_beyond_the_header_is_left_out_and_codes_keep_their_noughts() -> None:
    (found,) = tables_of("file.csv", b"Code,Rate\n001,1,surplus\n002\n")
    assert found.cells.rows() == [("001", "1"), ("002", None)]


def test_the_nearest_layout_has_more_than_half_of_what_is_wanted_and_most_of_all() -> None:
    half, three = table("code", "rate now"), table("code", "rate now", "year")
    assert nearest(LAYOUT, [half]) == ""
    closest = " The closest is file.csv, which lacks the column “kind”."
    assert nearest(LAYOUT, [half, three]) == nearest(LAYOUT, [three, half]) == closest
    other = RecordTable("other.csv", None, three.headers, three.cells)
    assert nearest(LAYOUT, [three, other]) == closest, "the first of two that are as near"
    assert nearest(LAYOUT, [three, table("code", "rate", "year", "kind")]) == ""
    assert nearest(LAYOUT, []) == ""


def test_a_table_is_claimed_by_its_marks_and_must_have_what_is_needed() -> None:
    assert claim(LAYOUT, table("rate", "year", "kind")) is None
    found = claim(LAYOUT, table("kind", "year", "rate now", "code"))
    assert found is not None and found.rows(named=True) == [{"rate": "x", "year": "x", "kind": "x", "note": None}]
    noted = claim(LAYOUT, table("kind", "year", "rate now", "code", "note"))
    assert noted is not None and noted["note"].to_list() == ["x"]
    with pytest.raises(
        ReferenceDataError, match=r"file.csv.*DfE's rates, but its layout has changed: no column “kind”"
    ):
        claim(LAYOUT, table("code", "rate", "year"))


def test_a_pattern_is_told_as_a_header() -> None:
    assert readable(r"(?:first )?ilacs \(old\).*grade") == "first ilacs (old)…grade"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, None),
        ("", None),
        (datetime(2024, 3, 1, 12, tzinfo=UTC), "2024-03-01"),
        (date(2024, 3, 1), "2024-03-01"),
        (3.0, "3"),
        (3.5, "3.5"),
        ("x", "x"),
        (7, "7"),
    ],
)
def test_a_cell_of_a_workbook_as_text(cell: object, text: str | None) -> None:
    assert _text(cell) == text


def test_text_in_either_encoding_is_read_and_anything_else_is_refused() -> None:
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        (found,) = tables_of("file.csv", "Name\nYnys Môn\n".encode(encoding))
        assert found.cells.rows() == [("Ynys Môn",)]
    with pytest.raises(ReferenceDataError, match="neither UTF-8 nor Windows-1252"):
        tables_of("file.csv", b"Name\n\x81\x8d\n")
    with pytest.raises(ReferenceDataError, match="not a readable workbook"):
        tables_of("file.xlsx", b"Name")
