"""Ofsted's workbooks: both layouts, tables below tables, and a sentence that names file, sheet and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from features.errors import ReferenceDataError
from models.record import layouts
from models.record.judgements import read_judgements
from models.record.places import Places, places, plain_name, region_of, type_of
from models.record.tables import RecordTable, claim, read_tables

HISTORY = (
    "Web link",
    "Local authority area code",
    "Local authority name",
    "Local authority status",
    "Ofsted region",
    "Inspection date",
    "Publication date",
    "Inspection type",
    "Overall effectiveness",
    "The impact of leaders on social work practice with children and families",
    "The experiences and progress of children who need help and protection",
    "The experiences and progress of children in care",
    "The experiences and progress of care leavers",
)
WIDE = (
    "Web link",
    "Local authority name",
    "LA region",
    "Single Inspection of LA Children's Services (SIF)  First SIF publication date",
    " First SIF Overall Judgement\n(OE)",
    " First SIF children who need help and protection ",
    " First SIF children looked after and achieving permanence ",
    " First SIF CLA Sub: Experiences and progress of care leavers",
    " First SIF leadership, management and governance",
    "First ILACS framework inspection type",
    "First ILACS framework publication date",
    "First ILACS framework overall effectiveness",
    "First ILACS framework impact of leaders",
    "First ILACS framework experiences and progress of children who need help and protection",
    "First ILACS framework experiences and progress of children in care and care leavers",
)
OLD_WIDE = tuple(h.replace("First ILACS", "ILACS") for h in WIDE)
LOOKUP = "urn,la_code,la_code_new,local_authority_ons_name,also_known_as,region_code,region_name,ons_la_type\n"
RI = "Requires improvement to be good"


def _workbook(folder: Path, name: str, sheets: dict[str, list[tuple[object, ...]]]) -> None:
    book = xlsxwriter.Workbook(str(folder / name), {"default_date_format": "dd/mm/yyyy"})
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(i, j, cell)
                else:
                    sheet.write(i, j, cell)
    book.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lookup.csv").write_text(
        LOOKUP
        + "1,841,E06000005,Darlington,,NE,North East,Unitary Authority\n"
        + "2,838,E06000059,Dorset,,SW,South West,Unitary Authority\n"
        + "3,835,E10000009,Dorset,,SW,South West,County\n"
        + '4,839,E06000058,"Bournemouth, Christchurch and Poole","[BCP, Bournemouth Christchurch & Poole]",SW,,\n',
        encoding="utf-8",
    )
    return tmp_path


def _history(*rows: tuple[object, ...]) -> list[tuple[object, ...]]:
    return [("ILACS inspection history",), ("This worksheet contains one table.",), HISTORY, *rows]


def test_the_layout_of_2025_is_found_below_its_title(folder: Path) -> None:
    row = ("Page", "E06000005", "Darlington", "Current", "North East", date(2022, 10, 3), date(2022, 12, 1))
    _workbook(
        folder,
        "outcomes.xlsx",
        {
            "Cover": [("Published on:", "x")],
            "ILACS_history": _history((*row, "ILACS Short Inspection", RI, "Good", RI, "Good", "")),
        },
    )
    tables, _ = read_tables(folder)
    read = read_judgements(tables, places(tables))
    judged, differs, notes = read.judgements, read.disagreements, read.notes
    assert judged.select("la_code", "framework", "inspection_type", "started", "published").rows() == [
        ("841", "ILACS", "short", date(2022, 10, 3), date(2022, 12, 1))
    ]
    assert judged.select("overall", "leaders", "help", "care", "care_leavers").rows() == [(3, 2, 3, 2, None)]
    assert differs.is_empty() and notes == []


def test_a_missing_column_is_named_with_file_and_sheet(folder: Path) -> None:
    rows = [tuple(c for c in row if c != HISTORY[10]) for row in _history()]
    _workbook(folder, "outcomes.xlsx", {"ILACS_history": rows})
    with pytest.raises(ReferenceDataError, match="outcomes.xlsx, sheet “ILACS_history”.*need help and protection"):
        read_judgements(*_with_places(folder))


def test_the_wide_layout_has_a_second_table_of_councils_that_ended(folder: Path) -> None:
    blank = ("",) * 6
    rows: list[tuple[object, ...]] = [
        ("LA inspections 2009-2023",),
        WIDE,
        (
            "Page",
            "Dorset",
            "South West",
            *blank,
            "ILACS Standard Inspection",
            date(2021, 11, 19),
            "Good",
            "Outstanding",
            "Good",
            "Good",
        ),
        (),
        ("Table 11: councils that existed before the restructure",),
        OLD_WIDE,
        ("Page", "Dorset", "South West", date(2016, 5, 23), RI, RI, "Good", " -", "Inadequate"),
    ]
    _workbook(folder, "wide.xlsx", {"LA_inspections_2009-2023": rows})
    judged = read_judgements(*_with_places(folder)).judgements
    assert judged.select("la_code", "framework", "published", "overall", "leaders", "care_leavers").rows() == [
        ("835", "SIF", date(2016, 5, 23), 3, 4, None),
        ("838", "ILACS", date(2021, 11, 19), 2, 1, None),
    ]


def test_sources_of_one_inspection_are_merged_and_their_differences_listed(folder: Path) -> None:
    start, end = date(2022, 10, 3), date(2022, 12, 1)
    row = ("Page", "E06000005", "Darlington", "Current", "North East", start, end, "ILACS Standard Inspection")
    _workbook(folder, "outcomes.xlsx", {"History": _history((*row, "Good", "Good", "Good", "Good", ""))})
    (folder / "reports.csv").write_text(
        "urn,publication_date,inspection_framework,inspection_start_date,overall_effectiveness_grade,"
        "impact_of_leaders_grade,help_and_protection_grade,in_care_grade,care_leavers_grade\n"
        "1,05/12/22,standard,03/10/2022,good,requires improvement,good,good,good\n",
        encoding="utf-8",
    )
    read = read_judgements(*_with_places(folder))
    judged, differs = read.judgements, read.disagreements
    assert judged.height == 1
    assert judged.select("leaders", "care_leavers", "published").rows() == [(2, 2, date(2022, 12, 1))]
    assert differs.select("field", "kept", "other").rows() == [
        ("leaders", "2", "3"),
        ("published", "2022-12-01", "2022-12-05"),
    ]


def test_two_inspections_of_one_council_stay_two(folder: Path) -> None:
    def row(start: date, end: date, grade: str) -> tuple[object, ...]:
        kind = "ILACS Standard Inspection"
        return ("Page", "E06000005", "Darlington", "Current", "NE", start, end, kind, grade, grade, grade, grade, "")

    _workbook(
        folder,
        "outcomes.xlsx",
        {
            "History": _history(
                row(date(2018, 1, 8), date(2018, 3, 20), RI),
                row(date(2022, 10, 3), date(2022, 12, 1), "Good"),
            )
        },
    )
    judged = read_judgements(*_with_places(folder)).judgements
    assert judged["leaders"].to_list() == [3, 2]


def test_names_regions_and_types_are_told_apart(folder: Path) -> None:
    where = places(read_tables(folder)[0])
    assert where.find(name="Bournemouth Christchurch & Poole") == "839"
    assert where.find(name="Dorset", on=date(2017, 1, 1)) == "835"
    assert where.find(name="Dorset", on=date(2021, 1, 1)) == "838"
    assert where.find(name="Nowhere") is None
    assert plain_name("Kingston upon Hull, City of") == "kingston upon hull"
    assert [region_of(n) for n in ("Inner London", "Yorkshire and The Humber", "East")] == [
        "London",
        "Yorkshire and the Humber",
        "East of England",
    ]
    assert [type_of(c, "") for c in ("301", "370", "886", "841")] == [
        "London borough",
        "Metropolitan district",
        "County",
        "Unitary authority",
    ]


def test_a_workbook_that_is_none_is_refused(folder: Path) -> None:
    (folder / "broken.ods").write_bytes(b"not a zip file")
    with pytest.raises(ReferenceDataError, match="broken.ods: not a readable workbook"):
        read_tables(folder)


def test_deprivation_of_another_edition_is_the_same_layout(tmp_path: Path) -> None:
    header = "Upper Tier Local Authority District code (2024),Upper Tier Local Authority District name (2024),"
    (tmp_path / "x.csv").write_text(
        header + "IMD - Average rank ,IMD - Average score \nE1,Darlington,1,23.5\n", encoding="utf-8"
    )
    (table,) = read_tables(tmp_path)[0]
    frame = claim(layouts.DEPRIVATION, table)
    assert frame is not None and frame["imd_score"].to_list() == ["23.5"]


def _with_places(folder: Path) -> tuple[list[RecordTable], Places]:
    tables, _ = read_tables(folder)
    return tables, places(tables)
