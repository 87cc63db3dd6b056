"""Templates: what is filled into them is read, and their example passes the checks."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from python_calamine import load_workbook

from expectations.batch import Severity
from features.errors import HoldfastError, UnreadableExtract
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.check_files import CheckedFiles, check_files
from flows.extracts.reading.tables import read_table
from flows.papers.templates import DICTIONARY, dictionary_rows, example_rows, workbook, write_template
from tests.unit.flows.extracts.conftest import BARNSLEY, WHERE, ingest, typed_rows

KINDS = pytest.mark.parametrize("kind", list(Kind))


@KINDS
def test_the_example_passes_the_checks(kind: Kind, tmp_path: Path) -> None:
    for name, as_csv in ((f"{kind}.xlsx", False), (f"{kind}.csv", True)):
        _, example = write_template(kind, tmp_path / name, as_csv=as_csv)
        (found,) = check_files([example])
        assert (found.errors, found.refused) == (0, 0)


def test_the_examples_agree_with_each_other(tmp_path: Path) -> None:
    examples = [
        write_template(kind, tmp_path / f"{kind}.csv", as_csv=True)[1]
        for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)
    ]
    (found,) = check_files(examples)
    assert isinstance(found, CheckedFiles)
    assert [i.message for i in found.report.items if i.severity is not Severity.INFORMATION] == []


@KINDS
def test_both_forms_of_the_example_say_the_same(kind: Kind) -> None:
    rows = example_rows(kind)
    from_excel = read_table(workbook(kind, rows), kind=kind, where=WHERE)
    from_csv = read_table(rows.write_csv().encode(), kind=kind, where=WHERE)
    assert from_excel.headers == from_csv.headers == tuple(f.name for f in EXTRACTS[kind].fields)
    numbers = [str(i) for i, f in enumerate(EXTRACTS[kind].fields) if f.type in (FieldType.DECIMAL, FieldType.DATE)]
    assert from_excel.cells.drop(numbers).equals(from_csv.cells.drop(numbers))


@KINDS
def test_the_empty_template_has_every_column_a_dictionary_and_no_rows(kind: Kind, tmp_path: Path) -> None:
    empty, _ = write_template(kind, tmp_path / f"{kind}.xlsx")
    book = load_workbook(io.BytesIO(empty.read_bytes()))
    assert book.sheet_names == [str(kind), DICTIONARY]
    assert book.get_sheet_by_name(str(kind)).to_python() == [[f.name for f in EXTRACTS[kind].fields]]
    told = book.get_sheet_by_name(DICTIONARY).to_python()
    assert [row[0] for row in told[1 : len(EXTRACTS[kind].fields) + 1]] == [f.name for f in EXTRACTS[kind].fields]
    with pytest.raises(UnreadableExtract, match="a header and no rows"):
        ingest(empty.read_bytes(), kind=kind)


def test_a_template_filled_by_hand_is_taken_although_it_has_a_dictionary() -> None:
    """The dictionary names columns like “date of birth” nowhere in its first row, and is no second table."""
    content = workbook(Kind.WORKFORCE, example_rows(Kind.WORKFORCE).clear())
    assert len(dictionary_rows(Kind.WORKFORCE)) == len(EXTRACTS[Kind.WORKFORCE].fields) + 1
    filled = _with_rows(content)
    extract = ingest(filled)
    assert extract.frame.height == 3
    assert extract.problems.is_empty()
    assert extract.absent_columns == ()
    assert extract.la_code == BARNSLEY.la_code


def _with_rows(template: bytes) -> bytes:
    """The template with three workers typed in, as Excel saves it: cells in line, dates as serials."""
    rows = []
    for number, cells in enumerate(typed_rows()[1:], start=2):
        written = []
        for position, value in enumerate(cells):
            at = f"{chr(ord('A') + position)}{number}"
            if value is None:
                continue
            if hasattr(value, "toordinal"):
                written.append(f'<c r="{at}"><v>{value.toordinal() - 693594}</v></c>')
            elif isinstance(value, float):
                written.append(f'<c r="{at}"><v>{value:g}</v></c>')
            else:
                written.append(f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>')
        rows.append(f'<row r="{number}">{"".join(written)}</row>')
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(template)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert b"<dataValidations" in part
                part = part.replace(b"</sheetData>", "".join(rows).encode() + b"</sheetData>")
            new.writestr(name, part)
    return out.getvalue()


@KINDS
def test_codes_and_ranges_stand_beside_the_cells(kind: Kind) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook(kind, example_rows(kind).clear()))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<dataValidation ") == len(EXTRACTS[kind].fields)
    for field in EXTRACTS[kind].fields:
        if field.codes:
            assert f'"{",".join(field.codes)}"' in sheet


def test_the_same_template_has_the_same_bytes() -> None:
    rows = example_rows(Kind.WORKFORCE)
    assert workbook(Kind.WORKFORCE, rows) == workbook(Kind.WORKFORCE, rows)


def test_a_file_that_may_have_been_filled_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "workforce-example.xlsx").write_bytes(b"filled")
    with pytest.raises(HoldfastError, match="already there"):
        write_template(Kind.WORKFORCE, tmp_path / "workforce.xlsx")
    assert (tmp_path / "workforce-example.xlsx").read_bytes() == b"filled"
    assert not (tmp_path / "workforce.xlsx").exists()
