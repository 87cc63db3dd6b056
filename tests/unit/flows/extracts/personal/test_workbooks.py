"""Every place of a workbook is looked at, and what anybody's workbook holds refuses nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from time import perf_counter

import pytest
import xlsxwriter
from xlsxwriter import Workbook

from features.errors import PersonalDataRefused, UnreadableExtract
from features.registry import Kind
from flows.extracts.personal.headers import personal_header
from flows.extracts.personal.workbooks import personal_in_rows, personal_in_workbook
from flows.papers.templates import example_rows, workbook

from ..conftest import WHERE, ingest, rows_of

Spoil = Callable[[Workbook], object]


def _book(spoil: Spoil) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("workforce")
    for number, row in enumerate(rows_of()):
        sheet.write_row(number, 0, row)
    spoil(book)
    book.close()
    return out.getvalue()


def _read(book: Workbook) -> xlsxwriter.worksheet.Worksheet:
    return book.worksheets()[0]


def _other(book: Workbook, *rows: Sequence[object], hide: str = "") -> None:
    sheet = book.add_worksheet("Other")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    if hide:
        getattr(sheet, hide)()


def _comment(book: Workbook, text: str) -> None:
    _read(book).write_comment("B2", f"Hannah Officer:\n{text}", {"author": "Hannah Officer"})


SPOILT: dict[str, tuple[Spoil, str]] = {
    "names on row 3 of another sheet": (
        lambda b: _other(b, ["Some list"], [], ["Jane Smith"], ["Mohammed Khan"]),
        "sheet 2",
    ),
    "a header further down": (lambda b: _other(b, ["Report"], [], ["id", "Surname"], [1, "x"]), "sheet 2"),
    "a hidden sheet": (lambda b: _other(b, ["ref", "NI"], [1, "AB123456C"], hide="hide"), "sheet 2"),
    "a very hidden sheet": (lambda b: _other(b, ["Jane Smith"], hide="very_hidden"), "sheet 2"),
    "a comment": (lambda b: _comment(b, "really Jane Smith"), "a comment"),
    "a number in a comment": (lambda b: _comment(b, "NHS 943 476 5919"), "a comment"),
    "a defined name": (lambda b: b.define_name("Who", '="Jane Smith"'), "a defined name"),
    "a page header": (lambda b: _read(b).set_header("&CCase of Jane Smith"), "a page header"),
    "a page footer": (lambda b: _read(b).set_footer("&LDOB 12/03/2011"), "a page header"),
    "a text box": (lambda b: _read(b).insert_textbox("P3", "Jane Smith is on leave"), "a text box"),
    "a link": (lambda b: _read(b).write_url("P3", "mailto:jane.smith@council.example", string="x"), "a link"),
    "a property": (lambda b: b.set_properties({"title": "Jane Smith's team"}), "a property"),
    "a keyword": (lambda b: b.set_properties({"keywords": "AB 12 34 56 C"}), "a property"),
    "an own property": (lambda b: b.set_custom_property("child", "Jane Smith"), "a property"),
    "a prompt": (
        lambda b: _read(b).data_validation("D2:D9", {"validate": "any", "input_title": "Ask Jane Smith"}),
        "a page header, footer or prompt",
    ),
    "a sheet's name": (lambda b: b.add_worksheet("Jane Smith"), "the name of sheet 2"),
}  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT)
def test_personal_data_in_every_place_of_a_workbook_refuses_it_without_quoting(spoil: str) -> None:
    change, place = SPOILT[spoil]
    with pytest.raises(PersonalDataRefused) as refused:
        ingest(_book(change))
    assert place in str(refused.value)
    for value in ("Jane", "jane", "Smith", "AB123456", "943", "2011", "Khan"):
        assert value not in str(refused.value)


HARMLESS: dict[str, Spoil] = {
    "nothing": lambda b: None,
    "who made it": lambda b: b.set_properties({"author": "Jane Smith", "manager": "Ann Jones", "company": "Barnsley"}),
    "a title": lambda b: b.set_properties({"title": "Workforce extract, October 2026", "comments": "as agreed"}),
    "a comment on a figure": lambda b: _comment(b, "corrected on 3 November, was 0.8"),
    "a page footer": lambda b: _read(b).set_footer("&LPage &P of &N&Rprepared by Jane Smith"),
    "a sheet of codes": lambda b: _other(b, ["Code", "Meaning"], [1, "Senior Manager"], [2, "Middle Manager"]),
    "a sheet of guidance": lambda b: _other(
        b, ["Please do not put in a child's name, date of birth or address."], ["One row a worker, as on the last day."]
    ),
    "a pivot of teams": lambda b: _other(b, ["Team", "FTE"], ["Assessment North", 12.5], ["Victoria House", 3]),
    "a range": lambda b: b.define_name("Rows", "=workforce!$A$1:$N$4"),
    "a chart sheet": lambda b: b.add_chartsheet("Chart").set_chart(b.add_chart({"type": "line"})),
}  # fmt: skip


@pytest.mark.parametrize("change", [h for h in HARMLESS if h != "a chart sheet"])
def test_what_anybodys_workbook_holds_refuses_nothing(change: str) -> None:
    assert ingest(_book(HARMLESS[change])).frame.height == 3


@pytest.mark.parametrize("kind", list(Kind))
def test_our_own_templates_refuse_nothing(kind: Kind) -> None:
    assert personal_in_workbook(workbook(kind, example_rows(kind)), str(kind), WHERE) is None


@pytest.mark.parametrize("part", ["xl/comments1.xml", "docProps/core.xml", "docProps/app.xml"])
@pytest.mark.parametrize(
    "content",
    [b"<a", b"\xff\xfe<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"<" * 200_000],
    ids=["cut off", "another encoding", "an entity", "brackets"],
)
def test_a_damaged_part_beside_the_table_is_a_sentence(part: str, content: bytes) -> None:
    out = io.BytesIO()
    good = io.BytesIO(_book(lambda b: _comment(b, "fine")))
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(out, "w") as spoilt:
        for name in archive.namelist():
            spoilt.writestr(name, content if name == part else archive.read(name))
    with pytest.raises(UnreadableExtract, match="could not be looked through|damaged"):
        ingest(out.getvalue())


def test_a_huge_cell_takes_no_longer_than_it_is_long() -> None:
    for text in ("a" * 300_000 + "@", "(" * 300_000, "A" * 300_000, "1 " * 150_000, "- " * 150_000):
        began = perf_counter()
        personal_in_rows([["x"], [text]])
        personal_header(text)
        assert perf_counter() - began < 5
