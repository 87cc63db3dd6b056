"""Files are recognised by what is in them: renamed, cut, extended and mixed releases read the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features.errors import ReferenceDataError
from models.record import layouts, read_record
from models.record.figures import counts
from models.record.judgements import report_rows
from models.record.tables import read_tables

PLACE = (
    "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,old_la_code,"
    "new_la_code,la_name"
)
NEW = "inpost_fte,leavers_fte,agency_fte,vacancy_fte,case_holders_fte,cases,working_days_lost_fte"
OLD = "social_worker_fte,leaver_fte,agency_fte,vacancy_fte,case_holders_fte,cases,working_days_lost_fte"
REPORTS = (
    "urn,local_authority,publication_date,inspection_framework,inspection_start_date,overall_effectiveness_grade,"
    "impact_of_leaders_grade,help_and_protection_grade,in_care_grade,care_leavers_grade"
)


def _row(year: int, code: str, name: str, *values: object) -> str:
    place = f"{year},Reporting year,Local authority,E92000001,England,E12000001,North East,{code},E0{code},{name}"
    return ",".join([place, *(str(v) for v in values)])


def _write(folder: Path, name: str, header: str, *rows: str, bom: bool = False) -> None:
    text = "\n".join([header, *rows]) + "\n"
    (folder / name).write_text(text, encoding="utf-8-sig" if bom else "utf-8")


def test_both_header_generations_are_read_whatever_the_files_are_called(tmp_path: Path) -> None:
    _write(tmp_path, "b.csv", f"{PLACE},{OLD}", _row(2022, "841", "Darlington", 90, 9, 8, 7, 60, 900, 500), bom=True)
    _write(tmp_path, "a.csv", f"{PLACE},{NEW}", _row(2023, "841", "Darlington", 95, 10, "c", 7, 60, 900, 500))
    frame, notes = counts(read_tables(tmp_path)[0])
    inpost = frame.filter(pl.col("count") == "inpost_fte").sort("period_end")
    assert inpost["value"].to_list() == [90.0, 95.0]
    assert inpost["period_end"].to_list() == [date(2022, 9, 30), date(2023, 9, 30)]
    agency = frame.filter(pl.col("count") == "agency_fte", pl.col("period_end") == date(2023, 9, 30))
    assert agency["value"].to_list() == [None]
    assert agency["reason"].to_list() == ["c: confidential in the published file"]
    assert notes == []


def test_the_newest_release_with_a_number_wins(tmp_path: Path) -> None:
    _write(tmp_path, "old.csv", f"{PLACE},{NEW}", _row(2022, "841", "Darlington", 90, 9, 8, 7, 60, 900, 500))
    _write(
        tmp_path,
        "new.csv",
        f"extra,{PLACE},{NEW}",
        "?," + _row(2022, "841", "Darlington", 91, "x", 8, 7, 60, 900, 500),
        "?," + _row(2024, "841", "Darlington", 99, 9, 8, 7, 60, 900, 500),
    )
    frame, _ = counts(read_tables(tmp_path)[0])
    of_2022 = frame.filter(pl.col("period_end") == date(2022, 9, 30))
    assert of_2022.filter(pl.col("count") == "inpost_fte")["value"].to_list() == [91.0]
    assert of_2022.filter(pl.col("count") == "leavers_fte")["value"].to_list() == [9.0]


def test_an_unknown_symbol_is_missing_and_told(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", f"{PLACE},{NEW}", _row(2023, "841", "Darlington", "~", 10, 5, 7, 60, 900, 500))
    frame, notes = counts(read_tables(tmp_path)[0])
    assert frame.filter(pl.col("count") == "inpost_fte")["value"].to_list() == [None]
    assert notes == ["a.csv: unknown symbol “~” read as missing"]


def test_a_changed_layout_names_file_and_column(tmp_path: Path) -> None:
    changed = NEW.replace("vacancy_fte", "vacant_posts_fte")
    _write(tmp_path, "a.csv", f"{PLACE},{changed}", _row(2023, "841", "Darlington", 95, 10, 5, 7, 60, 900, 500))
    with pytest.raises(ReferenceDataError, match=r"a\.csv.*layout has changed.*“vacancy_fte”"):
        counts(read_tables(tmp_path)[0])


def test_a_changed_mark_points_at_the_closest_file(tmp_path: Path) -> None:
    changed = NEW.replace("inpost_fte", "in_post")
    _write(tmp_path, "a.csv", f"{PLACE},{changed}", _row(2023, "841", "Darlington", 95, 10, 5, 7, 60, 900, 500))
    with pytest.raises(ReferenceDataError, match=r"closest is a\.csv, which lacks the column “inpost_fte”"):
        read_record(tmp_path)


def test_a_folder_without_judgements_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", f"{PLACE},{NEW}", _row(2023, "841", "Darlington", 95, 10, 5, 7, 60, 900, 500))
    with pytest.raises(ReferenceDataError, match="inspection judgements"):
        read_record(tmp_path)


def test_report_history_reads_two_date_forms_and_later_vocabulary(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", f"{PLACE},{NEW}", _row(2023, "841", "Darlington", 95, 10, 5, 7, 60, 900, 500))
    _write(
        tmp_path,
        "history.csv",
        REPORTS,
        "1,darlington,19/11/21,standard,27/09/2021,good,outstanding,requires improvement,good,"
        "inspection_pre_dates_judgement",
        "1,darlington,02/06/26,standard,27/04/2026,nan,requires improvement,good,good,good",
        "1,darlington,01/02/19,short,,not_reported_post_reform,data_unreadable,nan,nan,nan",
        "9,atlantis,01/02/19,short,,good,good,good,good,good",
    )
    record = read_record(tmp_path)
    assert record.judgements.select("published", "started", "overall", "leaders", "help").rows() == [
        (date(2021, 11, 19), date(2021, 9, 27), 2, 1, 3),
        (date(2026, 6, 2), date(2026, 4, 27), None, 3, 2),
    ]
    assert "history.csv: no council “atlantis”" in record.notes


def test_the_published_files_are_all_used(public_data: Path) -> None:
    record = read_record(public_data)
    assert [f.name for f in record.files if not f.layouts] == []
    assert record.notes == ()
    ilacs = record.judgements.filter(pl.col("framework") == "ILACS")
    assert ilacs.height == 201
    assert ilacs["leaders"].null_count() == 0
    # Ofsted's 2023 sheet gives Nottingham's report of 5 September 2022 as published on 5 November.
    nottingham = record.disagreements.filter(pl.col("la_code") == "892", pl.col("field") == "published")
    assert nottingham.select("kept", "other").rows() == [("2022-09-05", "2022-11-05")]


def test_a_report_without_type_and_start_is_a_single_inspection_until_the_first_ilacs_report() -> None:
    """Begun as usual before its publication, one of February 2018 would fall under ILACS, which had no report yet."""

    def framework(published: str, kind: str | None = None, started: str | None = None) -> str | None:
        row = {
            "la_name": "Kent",
            "published": published,
            "inspection_type": kind,
            "started": started,
            "leaders": "Good",
        }
        (read,) = report_rows(layouts.REPORTS, pl.DataFrame([row], schema=dict.fromkeys(row, pl.String())))
        return read.framework and read.framework.name

    assert framework("28/02/2018") == "SIF"
    assert framework("01/03/2018") == "ILACS"
    assert framework("28/02/2018", started="10/01/2018") == "ILACS"


def test_tables_that_no_file_holds_are_named_and_those_that_are_there_are_not(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", f"{PLACE},{NEW}", _row(2023, "841", "Darlington", 95, 10, 8, 7, 60, 900, 500))
    _write(tmp_path, "r.csv", REPORTS, "1,Darlington,2019-03-01,,,Good,Good,Good,Good,Good")
    absent = [n for n in read_record(tmp_path).notes if n.startswith("No file holds")]
    _write(tmp_path, "sn.csv", "old_la_code," + ",".join(f"sn{i}" for i in range(1, 11)), "841," + "840," * 9 + "840")
    still = [n for n in read_record(tmp_path).notes if n.startswith("No file holds")]
    assert len(absent) == len(
        [*layouts.CHILDREN, layouts.POPULATION, layouts.LAIT, layouts.DEPRIVATION, layouts.NEIGHBOURS]
    )
    assert [n for n in absent if n not in still] == [
        f"No file holds {layouts.NEIGHBOURS.name}; features that need it are left out."
    ]
