"""Names, birth dates, gender and ethnicity go no further than the reader."""

from __future__ import annotations

import io
import zipfile

import pytest

from features.errors import ExtractError
from features.registry import Kind
from flows.extracts.formats.asked import Form
from flows.extracts.formats.known import read_form
from flows.sample_region import as_sent, generate, region

from .examples import OCTOBER, Sheets, asked, book, small
from .marked import MARKERS, found_in, marked_workbook


@pytest.fixture(scope="module")
def marked() -> bytes:
    (frames,) = generate(region(1, 1, 7, OCTOBER))
    return marked_workbook([as_sent(frames.frames[Kind.CASELOAD].head(300), Kind.CASELOAD)], OCTOBER)


def test_the_markers_are_in_the_workbook(marked: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(marked)) as archive:
        parts = b"\n".join(archive.read(name) for name in archive.namelist())
    # Dates are day numbers in a workbook.
    assert set(MARKERS) - set(found_in(parts)) == {"2011-11-11", "11/11/2011"}


def test_nothing_that_comes_out_of_the_reader_carries_a_marker(marked: bytes) -> None:
    extract = read_form(Form.ANNEX_A, marked, asked())
    assert extract.frame.height == 300
    assert extract.problems.height >= 1
    out = [extract.frame.write_json(), extract.problems.write_json(), extract.reasons.write_json(), repr(extract)]
    assert [found_in(text.encode()) for text in out] == [[]] * 4
    assert any("Hidden and not read" in note for note in extract.notes)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s | {"Zebedee": s["List 6"]},
        lambda s: s | {"List 6": [["Zebedee", "Zebedee", "Zebedee"], *s["List 6"][1:]]},
        lambda s: s | {"List 6": s["List 6"] + [["Zebedee", "x", "y", "z", "c", "t", "Zebedee"]] * 9},
        lambda s: {"Zebedee": [["Zebedee", "a", "b"], ["Zebedee", 1, 2]]},
        lambda s: s | {"List 6": [[*s["List 6"][0], "Date closed", "Closure date"], *s["List 6"][1:]]},
    ],
)
def test_no_refusal_quotes_a_cell_or_a_sheet_that_is_no_lists(spoil: object) -> None:
    assert callable(spoil)
    sheets: Sheets = spoil(small())
    try:
        said = str(read_form(Form.ANNEX_A, book(sheets), asked()).notes)
    except ExtractError as refused:
        said = str(refused)
    assert "Zebedee" not in said
