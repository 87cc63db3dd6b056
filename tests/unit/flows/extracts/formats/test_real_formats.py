"""Whole files as they occur: the made-up region's, and the sector's own samples."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from features.councils import Council, read_register
from features.errors import ExtractError, PersonalDataRefused, UnreadableExtract, WrongCouncilOrMonth
from features.months import Month
from features.registry import Kind
from flows.extracts.landing import list_month
from flows.extracts.receive import receive_file
from flows.sample_region.landing import sample_extracts
from flows.store import LocalStore

from ..conftest import KEY, OCTOBER, ingest


def test_every_file_of_the_made_up_region_is_read_but_for_the_planted_troubles(tmp_path: Path) -> None:
    sample_extracts(tmp_path / "landing", 12, 1, 11, OCTOBER)
    landing = LocalStore(tmp_path / "landing")
    register = read_register(landing.read("register.csv").decode(), "register.csv")
    found = list_month(landing, OCTOBER, register)
    assert found.unrecognised == ()
    refused: list[ExtractError] = []
    for file in found.every_file:
        received = receive_file(landing, file, key=KEY)
        if received.error is not None:
            refused.append(received.error)
        elif received.extract is not None:
            assert received.extract.problems.is_empty(), file.name
            assert received.extract.frame["la_code"].unique().to_list() == [file.council.la_code]
    assert {type(r) for r in refused} == {UnreadableExtract, PersonalDataRefused}
    assert len(refused) == 2


def test_annex_a_is_no_extract_and_says_why(samples: Path) -> None:
    with pytest.raises(ExtractError, match="visible sheets"):
        ingest((samples / "Annex_A.xlsx").read_bytes(), kind=Kind.CASELOAD, filename="caseload.xlsx")


def test_the_census_xml_is_no_extract_and_is_not_quoted(samples: Path) -> None:
    content = (samples / "csww_return_2022.xml").read_bytes()
    with pytest.raises(ExtractError) as refused:
        ingest(content, filename="workforce.csv")
    assert "<" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "year", "column"),
    [
        ("csww_indicators_2017_to_2023.csv", 2023, "inpost_fte"),
        ("csww_headline_measures_2017_to_2022.csv", 2022, "social_worker_fte"),
    ],
)
def test_a_published_file_in_a_councils_folder_gives_its_row_of_that_september(
    public_data: Path, name: str, year: int, column: str
) -> None:
    content = (public_data / name).read_bytes()
    extract = ingest(content, kind=Kind.RETURN, month=Month(year, 9))
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    own = next(r for r in rows if r["old_la_code"] == "370" and r["time_period"] == str(year))
    assert extract.frame["inpost_fte"].to_list() == [round(float(own[column]) * 100)]
    assert extract.frame["la_code"].to_list() == ["370"]
    assert "open_cases" in extract.absent_columns
    with pytest.raises(WrongCouncilOrMonth, match="no row of council 370 for October 2026"):
        ingest(content, kind=Kind.RETURN)
    with pytest.raises(WrongCouncilOrMonth, match="no row of council 999"):
        ingest(content, kind=Kind.RETURN, month=Month(year, 9), council=Council("999", "Nowhere", Month(2015, 1)))
