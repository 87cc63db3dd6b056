"""Whole files as they occur: the made-up region's, and the sector's own samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.councils import read_register
from features.errors import ExtractError, PersonalDataRefused, UnreadableExtract
from features.months import Month
from features.registry import Kind
from flows.extracts.landing import list_month
from flows.extracts.receive import receive_file
from flows.sample_region.landing import sample_extracts
from flows.storage import LocalStore

from .conftest import KEY, OCTOBER, ingest


def test_every_file_of_the_made_up_region_is_read_but_for_the_planted_troubles(tmp_path: Path) -> None:
    sample_extracts(tmp_path / "landing", 12, 1, 11, OCTOBER)
    landing, store = LocalStore(tmp_path / "landing"), LocalStore(tmp_path / "store")
    register = read_register(landing.read("register.csv").decode(), "register.csv")
    found = list_month(landing, OCTOBER, register)
    assert found.unrecognised == ()
    refused: list[ExtractError] = []
    for file in found.every_file:
        received = receive_file(landing, store, file, key=KEY)
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


def test_a_published_file_in_the_landing_is_refused_as_a_councils_return(public_data: Path) -> None:
    content = (public_data / "csww_indicators_2017_to_2023.csv").read_bytes()
    with pytest.raises(ExtractError):
        ingest(content, kind=Kind.RETURN, month=Month(2023, 9))
