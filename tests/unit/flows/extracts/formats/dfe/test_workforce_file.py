"""DfE's published file of either generation as returns; a changed layout is refused by name."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features.councils import Council
from features.errors import ReferenceDataError, UnreadableExtract
from features.measuring.reconcile import PUBLISHED, reconcile
from features.measuring.returns import CELL_REASONS, inputs_from_returns
from features.months import Month
from features.registry import BY_NAME, DFE_SYMBOLS, RETURN, Kind, Missing
from flows.extracts.formats.dfe.register import register_from_published
from flows.extracts.formats.dfe.workforce_file import (
    PUBLISHED_REASONS,
    PublishedWorkforce,
    is_published,
    read_published,
)
from models.record.read import read_record

from ...conftest import ingest

SINCE_2023 = "csww_indicators_2017_to_2023.csv"
TO_2022 = "csww_headline_measures_2017_to_2022.csv"

_HEADER = (
    "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,old_la_code,"
    "new_la_code,la_name,inpost_fte,inpost_headcount,starters_fte,starters_headcount,leavers_fte,leavers_headcount,"
    "turnover_rate_fte,turnover_rate_headcount,agency_fte,agency_headcount,agency_rate_fte,agency_rate_headcount,"
    "agency_cover_fte,agency_cover_rate_fte,vacancy_fte,vacancy_rate_fte,vacancy_agency_cover_rate_fte,"
    "case_holders_fte,cases,caseload_fte,working_days_lost_fte,absence_rate_fte"
)
_ENGLAND = "2023,Reporting year,National,E92000001,England,,,,,," + ",".join(["1"] * 22)
_JOINT = (
    "2023,Reporting year,Local authority,E92000001,England,E13,Outer London,314 / 318,E09000021 / E09000027,"
    "Kingston / Richmond,137.4,144,20,21,15.5,17,11.3,11.8,40,41,22.5,22.2,z,z,30.5,18.2,c,88.6,1481,16.7,1000.5,2.9"
)
_SMALL = (
    "2022,Reporting year,Local authority,E92000001,England,E12,South West,420,E06000053,Isles of Scilly,"
    "low,0,u,x,:,0,x,x,1.8,2,100,100,0,0,0,0,z,2.8,9,3.2,0,x"
)
FILE = "\n".join([_HEADER, _ENGLAND, _JOINT, _SMALL, ""])


def _read(text: str = FILE) -> PublishedWorkforce:
    return read_published(text.encode(), filename="csww.csv")


def test_councils_become_returns_with_their_codes_as_text() -> None:
    published = _read()
    assert published.returns.schema == RETURN.schema
    assert published.returns.select("la_code", "reference_date", "inpost_fte", "cases", "file_row").rows() == [
        ("314 / 318", date(2023, 9, 30), 13740, 1481, 3),
        ("420", date(2022, 9, 30), None, 9, 4),
    ]
    assert published.months == (Month(2022, 9), Month(2023, 9))


def test_no_symbol_becomes_a_number() -> None:
    published = _read()
    assert published.reasons.schema == CELL_REASONS
    assert published.reasons.select("la_code", "field", "reason").rows() == [
        ("314 / 318", "agency_cover_fte", str(Missing.NOT_APPLICABLE)),
        ("420", "inpost_fte", str(Missing.ROUNDS_TO_ZERO)),
        ("420", "leavers_fte", str(Missing.NOT_AVAILABLE)),
        ("420", "starters_fte", str(Missing.LOW_RELIABILITY)),
        ("420", "starters_headcount", str(Missing.NOT_AVAILABLE)),
    ]
    for row in published.reasons.iter_rows(named=True):
        cell = published.returns.filter(la_code=row["la_code"], reference_date=row["reference_date"])
        assert cell[row["field"]].to_list() == [None]


def test_published_rates_are_fractions_and_caseload_is_a_ratio() -> None:
    published = _read().of(Month(2023, 9))
    assert published.published.schema == PUBLISHED
    rates = dict(published.published.select("measure", "published").rows())
    assert rates["vacancy_rate_fte"] == 0.182
    assert rates["caseload_fte"] == 16.7
    half = dict(published.published.select("measure", "half_width").rows())
    assert (half["vacancy_rate_fte"], half["caseload_fte"]) == (0.0005, 0.05)
    assert published.published_reasons.schema == PUBLISHED_REASONS
    assert published.published_reasons.select("measure", "reason").rows() == [
        ("agency_cover_rate_fte", str(Missing.NOT_APPLICABLE)),
        ("vacancy_agency_cover_rate_fte", str(Missing.CONFIDENTIAL)),
    ]


def test_a_month_without_figures_is_refused_with_those_there_are() -> None:
    with pytest.raises(ReferenceDataError, match=r"no figures for October 2023.*2022, 2023"):
        _read().of(Month(2023, 10))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda t: t.replace("inpost_fte", "staff_fte"), "known layout"),
        (lambda t: t.replace("vacancy_rate_fte,", "vacancy_rate,"), "the column vacancy_rate_fte"),
        (lambda t: t.replace(",cases,", ",case_count,"), "the column cases"),
        (lambda t: t.replace("old_la_code", "la_code"), "the column old_la_code"),
        (lambda t: t.replace(",1481,", ",1481.5,"), "row 3: the column cases"),
        (lambda t: t.replace(",z,z,", ",q,z,"), "row 3: the column agency_cover_fte"),
        (lambda t: t.replace("2022,Reporting", "202122,Reporting"), "time_period"),
        (lambda t: t + _SMALL + "\n", "council 420 stands twice in 2022"),
        (lambda t: t.replace(",cases,", ",agency_fte,"), "a column stands twice"),
        (lambda t: t.replace("Local authority", "Council"), "geographic_level"),
        (lambda t: _HEADER + "\n", "no rows"),
        (lambda t: t + "2022,Reporting year\n", "row 5 has another number of cells"),
    ],
)
def test_a_changed_layout_is_refused_by_file_and_column(edit: object, says: str) -> None:
    assert callable(edit)
    with pytest.raises(ReferenceDataError, match=says) as refused:
        _read(edit(FILE))
    assert str(refused.value).startswith("csww.csv")


def test_a_new_release_is_known_by_its_layout() -> None:
    """Another year, columns in another order and some more: nothing of it needs a new version of Holdfast."""
    rows = [line.replace("2023,Rep", "2026,Rep").split(",") for line in FILE.splitlines()[:3]]
    more = [[*reversed(row), "new_indicator" if i == 0 else "5"] for i, row in enumerate(rows)]
    published = _read("\n".join(",".join(row) for row in more))
    assert published.release == "since 2023"
    assert published.months == (Month(2026, 9),)
    assert published.returns["inpost_fte"].to_list() == [13740]


def test_a_councils_row_of_a_landed_file_and_a_layout_nobody_knows() -> None:
    joint = Council("314 / 318", "Kingston and Richmond", Month(2015, 1))
    extract = ingest(FILE, kind=Kind.RETURN, month=Month(2023, 9), council=joint)
    assert extract.frame.select("la_code", "inpost_fte", "vacancy_fte").rows() == [("314 / 318", 13740, 3050)]
    assert extract.reasons.select("field", "reason").rows() == [("agency_cover_fte", str(Missing.NOT_APPLICABLE))]
    assert extract.notes == ("The council's row of DfE's published file, releases since 2023.",)
    with pytest.raises(UnreadableExtract, match="the layout has changed.*vacancy_fte"):
        ingest(FILE.replace("vacancy_fte", "vacant_fte"), kind=Kind.RETURN, month=Month(2023, 9), council=joint)
    own = "la_code,reference_date,social_worker_fte,leaver_fte,agency_fte,vacancy_fte,case_holders_fte,cases,"
    own += "working_days_lost_fte\n370,2026-10-31,200.5,2,20,c,150,2300,1500\n"
    plain = ingest(own, kind=Kind.RETURN)
    assert plain.frame["inpost_fte"].to_list() == [20050]
    assert plain.reasons["field"].to_list() == ["vacancy_fte"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_file_that_a_spreadsheet_saved_again_is_still_dfes(encoding: str, delimiter: str) -> None:
    content = FILE.replace(",", delimiter).encode(encoding)
    assert is_published(content[:4_000])
    assert read_published(content, filename="csww.csv").returns.equals(_read().returns)


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(ReferenceDataError, match="no CSV"):
        read_published(b"\xff\xfe\x00", filename="csww.csv")


def test_a_register_from_the_file_alone() -> None:
    register = register_from_published(_read())
    joint, scilly = register.by_code["314 / 318"], register.by_code["420"]
    assert (joint.folder, joint.region, joint.expects) == ("314-318", "London", (Kind.RETURN,))
    assert (joint.valid_from, joint.valid_to) == (Month(2022, 10), None)
    assert (scilly.valid_from, scilly.valid_to) == (Month(2021, 10), Month(2022, 9))
    assert [c.la_code for c in register.valid_in(Month(2023, 9))] == ["314 / 318"]


def _official(folder: Path, name: str) -> PublishedWorkforce:
    return read_published((folder / name).read_bytes(), filename=name)


@pytest.mark.parametrize(("name", "release", "rows"), [(SINCE_2023, "since 2023", 1053), (TO_2022, "to 2022", 906)])
def test_the_real_files(public_data: Path, name: str, release: str, rows: int) -> None:
    published = _official(public_data, name)
    assert published.release == release
    assert published.returns.height == rows
    # Every cell of the file is a number, a symbol with its reason, or blank: counted against the raw text.
    text = list(csv.DictReader(io.StringIO((public_data / name).read_text("utf-8-sig"))))
    councils = [r for r in text if r["geographic_level"] == "Local authority"]
    old = {"inpost_fte": "social_worker_fte", "leavers_fte": "leaver_fte"} if release == "to 2022" else {}
    for field in ("inpost_fte", "leavers_fte", "agency_fte", "vacancy_fte", "cases", "working_days_lost_fte"):
        raw = [r[old.get(field, field)] for r in councils]
        symbols = sum(v.lower() in DFE_SYMBOLS for v in raw)
        assert published.returns[field].null_count() == symbols + sum(not v for v in raw)
        assert published.reasons.filter(field=field).height == symbols
        parts = 10 ** RETURN.field(field).decimals
        total = sum(round(float(v) * parts) for v in raw if v and v.lower() not in DFE_SYMBOLS)
        assert published.returns[field].sum() == total


@pytest.mark.parametrize("name", [SINCE_2023, TO_2022])
def test_our_rates_equal_dfes_within_rounding_for_every_council_and_year(public_data: Path, name: str) -> None:
    published = _official(public_data, name)
    known = published.returns.select("la_code", known_from=pl.col("reference_date")).unique("la_code")
    nobody = pl.DataFrame(schema={"la_code": pl.String(), "population_0_17": pl.Int64()})
    inputs, reasons = inputs_from_returns(published.returns, known, nobody, published.reasons)
    compared = reconcile(inputs, reasons, published.published)
    assert compared["explained"].drop_nulls().all()
    assert compared["explained"].drop_nulls().len() > 7900
    assert set(compared["measure"]) == {m for m in BY_NAME if BY_NAME[m].official}


def test_the_two_releases_agree_where_they_describe_the_same_councils(public_data: Path) -> None:
    new, old = _official(public_data, SINCE_2023).returns, _official(public_data, TO_2022).returns
    both = new.join(old, on=["la_code", "reference_date"], how="inner", validate="1:1", suffix="_old")
    assert both.height == 894
    # DfE revised 40 figures of 2017 to 2020 in the later release; no other differs.
    revised = both.filter(~pl.col("inpost_fte").eq_missing(pl.col("inpost_fte_old")))
    assert revised.height == 40
    assert revised["reference_date"].max() == date(2020, 9, 30)


def test_a_register_with_the_public_record(public_data: Path) -> None:
    published = _official(public_data, SINCE_2023)
    record = read_record(public_data)
    register = register_from_published(published, record)
    assert len(register.valid_in(Month(2023, 9))) == 151
    joint, cumberland = register.by_code["314 / 318"], register.by_code["942"]
    assert len(joint.neighbours) == 10
    assert "314" not in joint.neighbours
    assert cumberland.predecessors == ("909",)
    assert cumberland.valid_from == Month(2022, 10)
    assert register.by_code["909"].valid_to == Month(2022, 9)
    assert all(n in register.by_code for c in register.councils for n in c.neighbours)
    # Two neighbours that report jointly are one.
    assert all(len(c.neighbours) in (9, 10) and c.imd_score for c in register.valid_in(Month(2023, 9)))
    earlier = register_from_published(published, record, known_by=date(2019, 9, 30))
    assert all(j.published <= date(2019, 9, 30) for c in earlier.councils for j in c.judgements)
