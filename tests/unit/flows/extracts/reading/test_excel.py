"""Workbooks: the right sheet, the values their author saw, and nothing that explodes."""

from __future__ import annotations

import io
import re
import struct
import time
import zipfile
import zlib
from collections.abc import Callable

import polars as pl
import pytest

from features.errors import PersonalDataRefused, UnreadableExtract
from features.registry import Kind
from flows.extracts.reading.table import Limits, RawTable
from flows.extracts.reading.tables import read_table

from ..conftest import WHERE, WORKFORCE, ingest, typed_rows, workbook


def _read(content: bytes, limits: Limits | None = None) -> RawTable:
    return read_table(content, kind=Kind.WORKFORCE, where=WHERE, limits=limits)


def _refused(content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(UnreadableExtract) as refused:
        _read(content, limits)
    assert str(refused.value).startswith("Barnsley (370), October 2026, workforce.csv")
    return str(refused.value)


def _edited(content: bytes, edit: Callable[[str, bytes], bytes]) -> bytes:
    """The workbook with each part passed through `edit(name, part)`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, edit(name, old.read(name)))
    return out.getvalue()


def _problems(table: RawTable) -> list[tuple[object, ...]]:
    return table.problems.rows()


def test_a_workbook_says_the_same_as_the_csv() -> None:
    from_csv, from_excel = ingest(WORKFORCE), ingest(workbook({"Sheet1": typed_rows()}))
    assert from_excel.frame.equals(from_csv.frame)
    assert from_excel.problems.is_empty()


def test_a_workbook_under_the_name_of_a_csv_is_read_as_what_it_is() -> None:
    assert ingest(workbook({"Sheet1": typed_rows()}), filename="workforce.csv").frame.height == 3


def test_numbers_dates_and_flags_become_what_a_person_would_type() -> None:
    table = _read(workbook({"Sheet1": [["a", "b", "c", "d"], [5.0, 0.8, True, "007"], [1e-7, 46326, False, None]]}))
    assert table.cells.drop("file_row").rows() == [("5", "0.8", "true", "007"), ("0.0000001", "46326", "false", None)]


@pytest.mark.parametrize("name", ["workforce", "Workforce", " WORKFORCE "])
def test_the_sheet_named_like_the_kind_is_taken(name: str) -> None:
    table = _read(workbook({"Notes": [["read me"], ["x"]], name: [["a"], ["right"]]}))
    assert table.headers == ("a",)


def test_the_only_visible_sheet_is_taken() -> None:
    content = workbook({"Data": [["a"], ["right"]], "Lists": [["z"], ["wrong"]]}, hidden=["Lists"])
    assert _read(content).cells["0"].to_list() == ["right"]


def test_a_choice_between_visible_sheets_is_refused() -> None:
    says = _refused(workbook({"One": [["a"], ["1"]], "Two": [["a"], ["2"]]}))
    assert "2 visible sheets" in says
    assert "“workforce”" in says


def test_an_empty_sheet_is_refused() -> None:
    assert "empty" in _refused(workbook({"workforce": []}))


def test_calculated_formulas_are_values() -> None:
    table = _read(workbook({"Sheet1": [["a", "b"], [("=1+1", 2), ("=B9", "x")]]}))
    assert table.cells.drop("file_row").rows() == [("2", "x")]
    assert _problems(table) == []


def test_error_cells_and_uncalculated_formulas_are_problems_and_not_blanks() -> None:
    rows = [["a", "b", "c"], [("=1/0", "#DIV/0!"), ("=A1", 7), "x"], [("=A1", 3), ("=A2", 9), "y"]]

    def never_calculated(name: str, part: bytes) -> bytes:
        return part.replace(b"<v>9</v>", b"<v></v>") if name.endswith("sheet1.xml") else part

    table = _read(_edited(workbook({"Sheet1": rows}), never_calculated))
    assert _problems(table) == [(2, 0, "formula_error"), (3, 1, "formula_without_value")]
    assert table.cells.drop("file_row").rows() == [(None, "7", "x"), ("3", None, "y")]


def test_an_uncalculated_leaving_date_is_reported_and_not_read_as_in_post() -> None:
    rows = typed_rows()
    rows[1][7] = ("=TODAY()", 46300)

    def never_calculated(name: str, part: bytes) -> bytes:
        return re.sub(rb"(</f>)<v>46300</v>", rb"\1", part) if name.endswith("sheet1.xml") else part

    extract = ingest(_edited(workbook({"Sheet1": rows}), never_calculated))
    assert extract.problems.select("file_row", "column", "problem").rows() == [
        (2, "role_end_date", "formula_without_value")
    ]


def test_numbers_longer_than_excel_keeps_are_problems() -> None:
    table = _read(workbook({"Sheet1": [["ref", "n"], [1234567890123456789, 1]]}))
    assert _problems(table) == [(2, 0, "digits_lost_in_excel")]
    assert table.cells["0"].to_list() == [None]


def test_personal_data_on_another_sheet_is_refused() -> None:
    content = workbook({"workforce": typed_rows(), "Lookup": [["id", "Surname"], [1, "Marker"]]}, hidden=["Lookup"])
    with pytest.raises(
        PersonalDataRefused, match=r"“Surname” in column 2 \(B\), row 1 \(a name\) of sheet 2"
    ) as refused:
        ingest(content)
    assert "Marker" not in str(refused.value)


def test_a_zip_bomb_is_not_opened() -> None:
    bomb = _edited(
        workbook({"Sheet1": [["a"], ["x"]]}),
        lambda name, part: part + b" " * 60_000_000 if name.endswith("sharedStrings.xml") else part,
    )
    assert len(bomb) < 200_000
    assert "unpacks to more than 50 MB" in _refused(bomb, Limits(max_unpacked_bytes=50_000_000))


def test_a_bomb_that_lies_about_its_size_is_not_opened() -> None:
    bomb = bytearray(
        _edited(
            workbook({"Sheet1": [["a"], ["x"]]}),
            lambda name, part: part + b" " * 60_000_000 if name.endswith("sharedStrings.xml") else part,
        )
    )
    with zipfile.ZipFile(io.BytesIO(bytes(bomb))) as archive:
        true_size = next(e.file_size for e in archive.infolist() if e.filename.endswith("sharedStrings.xml"))
    told, small = struct.pack("<I", true_size), struct.pack("<I", 100)
    assert bomb.count(told) >= 1
    assert "unpacks to more" in _refused(bytes(bomb).replace(told, small), Limits(max_unpacked_bytes=50_000_000))


def test_two_cells_far_apart_are_not_a_table_of_billions() -> None:
    for far in (b'<c r="XFD2"><v>1</v></c>', b"<c r='XFD2'><v>1</v></c>"):
        content = _edited(
            workbook({"Sheet1": [["a"], ["x"]]}),
            lambda name, part, far=far: part.replace(b"</row></sheetData>", far + b"</row></sheetData>"),  # type: ignore[misc]
        )
        assert "beyond column 200" in _refused(content)
    low = _edited(
        workbook({"Sheet1": [["a"], ["x"]]}),
        lambda name, part: part.replace(
            b"</sheetData>", b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'
        ),
    )
    assert "beyond row 40,000" in _refused(low)


def test_more_rows_than_any_council_has_are_refused() -> None:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(3, 60_000))
    content = _edited(
        workbook({"Sheet1": [["a"], ["x"]]}), lambda name, part: part.replace(b"</sheetData>", rows + b"</sheetData>")
    )
    assert "too far" in _refused(content)


def test_a_zip_that_is_no_workbook_and_a_truncated_workbook_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("hello.txt", "x")
    assert "no Excel workbook" in _refused(out.getvalue())
    whole = workbook({"Sheet1": typed_rows()})
    for part in (30, len(whole) // 2, len(whole) - 10):
        assert "incomplete or damaged" in _refused(whole[:part])


def test_entities_in_a_workbook_are_not_expanded() -> None:
    laughs = (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><workbook>&b;</workbook>'
    )
    content = _edited(
        workbook({"Sheet1": [["a"], ["x"]]}), lambda name, part: laughs if name == "xl/workbook.xml" else part
    )
    assert "damaged" in _refused(content)


def test_damaged_parts_end_in_a_sentence() -> None:
    whole = workbook({"Sheet1": typed_rows()})
    for target in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        for junk in (b"", b"<", b"\x00\x01", b"<worksheet><sheetData><row><c", zlib.compress(b"x")):
            broken = _edited(whole, lambda name, part, t=target, j=junk: j if name == t else part)  # type: ignore[misc]
            try:
                table = _read(broken)
            except UnreadableExtract as refused:
                assert "workforce.csv" in str(refused)
            else:
                assert isinstance(table.cells, pl.DataFrame)


def test_a_sheet_made_to_slow_the_search_for_formulas_down_does_not() -> None:
    comment = b"<!--" + b"<c >" * 100_000 + b"<c " * 100_000 + b"-->"
    slow = _edited(
        workbook({"Sheet1": [["a"], [("=1+1", 2)]]}),
        lambda name, part: part.replace(b"<sheetData>", comment + b"<sheetData>") if "sheet1" in name else part,
    )
    began = time.perf_counter()
    assert _read(slow).cells["0"].to_list() == ["2"]
    assert time.perf_counter() - began < 5
