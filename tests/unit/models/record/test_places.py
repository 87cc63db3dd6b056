"""Regions and types of councils by DfE's number ranges."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from features.errors import ReferenceDataError
from models.record.identity import EXISTED, SUCCESSIONS
from models.record.places import Places, _existed, deprivation, neighbours, places, plain_name, region_of, type_of
from models.record.tables import RecordTable

PLACE = ("time_period", "geographic_level", "old_la_code", "new_la_code", "la_name", "region_name")
CHILDREN = (*PLACE, "at31_episodes", "started_episodes")
LOOKUP = ("urn", "la_code", "la_code_new", "local_authority_ons_name", "also_known_as", "region_code", "region_name",
          "ons_la_type")  # fmt: skip
NEAR = tuple(str(700 + n) for n in range(1, 11))


def _table(headers: tuple[str, ...], *rows: tuple[str | None, ...]) -> RecordTable:
    cells = pl.DataFrame(list(rows), schema=dict.fromkeys(headers, pl.String()), orient="row")
    return RecordTable("a.csv", None, headers, cells)


def _child(year: str, code: str | None, area: str | None, name: str | None, region: str = "North East") -> RecordTable:
    return _table(CHILDREN, (year, "Local authority", code, area, name, region, "1", "1"))


def _deprived(year: int, *rows: tuple[str, str, str]) -> RecordTable:
    tier = "upper tier local authority district"
    headers = (f"{tier} code ({year})", f"{tier} name ({year})", "imd - average score", "imd - average rank")
    return _table(headers, *((*row, "1") for row in rows))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("200", "as given"),
        ("201", "London borough"),
        ("320", "London borough"),
        ("321", "as given"),
        ("329", "as given"),
        ("330", "Metropolitan district"),
        ("394", "Metropolitan district"),
        ("395", "as given"),
        ("419", "as given"),
        ("420", "Unitary authority"),
        ("881", "County"),
        ("998", "Unitary authority"),
        ("999", "as given"),
    ],
)
def test_the_type_of_a_council_is_told_by_its_number(code: str, kind: str) -> None:
    assert type_of(code, "as given") == kind
    assert kind != "as given" or type_of(code, "") == "Other"


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("Inner London", "London"),
        ("outer london", "London"),
        ("East", "East of England"),
        ("East of England", "East of England"),
        ("East Midlands", "East Midlands"),
        ("Yorkshire and  The Humber", "Yorkshire and the Humber"),
    ],
)
def test_a_region_is_one_of_nine(name: str, region: str) -> None:
    assert region_of(name) == region


def test_a_council_exists_from_its_first_day_to_its_last() -> None:
    assert _existed("201", date.min) and _existed("201", date.max), "as far as anybody says"
    for code, (first, last) in EXISTED.items():
        assert _existed(code, first) and _existed(code, last)
        assert first == date.min or not _existed(code, first - timedelta(days=1))
        assert last == date.max or not _existed(code, last + timedelta(days=1))


def test_councils_change_on_the_first_of_april_and_their_predecessors_end_the_day_before() -> None:
    assert [s.on for s in SUCCESSIONS] == [date(2019, 4, 1), date(2021, 4, 1), date(2023, 4, 1)]
    for change in SUCCESSIONS:
        assert all(EXISTED[old][1] == change.on - timedelta(days=1) for old in change.predecessors)
        assert all(EXISTED[new][0] == change.on for new in change.successors)


@pytest.mark.parametrize(
    ("boundaries", "edition"),
    [
        (2026, 2025),
        (2025, 2025),
        (2024, 2025),
        (2023, 2019),
        (2019, 2019),
        (2018, 2019),
        (2017, 2015),
        (2014, 2015),
        (2013, 2013),
    ],
)
def test_an_edition_of_deprivation_is_told_by_the_year_of_its_boundaries(boundaries: int, edition: int) -> None:
    where = Places({"E1": "841"}, {}, {}, pl.DataFrame({"la_code": ["841"]}))
    found = deprivation(
        [_child("2023", "841", "E1", "Darlington"), _deprived(boundaries, ("E1", "Darlington", "23.5"))], where
    )
    assert found.rows() == [("841", edition, 23.5)]


def test_deprivation_is_of_councils_that_are_known_and_scored_as_they_were_at_the_end_of_that_year() -> None:
    where = Places({}, {}, {"dorset": ("835", "838")}, pl.DataFrame({"la_code": ["835", "838"]}))
    for year, code in ((2018, "835"), (2019, "838")):
        rows = [("E2", "Dorset", "20.5"), ("E3", "Nowhere", "21"), ("E4", "Dorset", "99"), ("E5", "Dorset", "x")]
        assert deprivation([_deprived(year, *rows)], where).rows() == [(code, 2019, 20.5)]
    assert deprivation([], where).is_empty()


@pytest.mark.parametrize(("style", "edition"), [("sn_", date(2025, 5, 1)), ("sn", date(2021, 4, 1))])
def test_ten_neighbours_nearest_first_of_either_edition(style: str, edition: date) -> None:
    table = _table(
        ("la num", *(f"{style}{n}" for n in range(1, 11))),
        (" 841 ", *NEAR),
        ("841", *reversed(NEAR)),
        ("Mean", *NEAR),
        ("840", "701", *(None,) * 9),
    )
    found = neighbours([_child("2023", "841", "E1", "Darlington"), table])
    assert found.rows() == [
        ("840", "701", 1, edition),
        *(("841", code, rank, edition) for rank, code in enumerate(NEAR, start=1)),
    ]
    assert neighbours([]).is_empty()


def test_a_council_is_called_as_the_look_up_says_and_else_as_in_the_newest_year() -> None:
    look_up = _table(LOOKUP, ("7 ", "841", "E9", "Darlington Borough", "[Darlo, The Quakers]", "NE", "", "Odd type"))
    old = _child("2020", "840", "E1", "Old Durham", "South West")
    new = _table(
        CHILDREN,
        ("2020", "Local authority", "842", "E3", "Old name", "North East", "1", "1"),
        ("2023", "Local authority", "842", "E4", "New name", "London", "1", "1"),
        ("2023", "Local authority", "841", "E6", "Another name", "North East", "1", "1"),
        ("2023", "Local authority", "314 / 318", "E5", "Joint", "London", "1", "1"),
        ("2023", "Regional", None, "E12", None, "London", "1", "1"),
        ("2023", "Local authority", "843", "E7 / E8", "Two areas", "London", "1", "1"),
        ("2023", "Local authority", "844", None, "No area", "London", "1", "1"),
    )
    where = places([new, old, look_up])
    assert where.councils.rows() == [
        ("840", "Old Durham", "South West", "Unitary authority"),
        ("841", "Darlington Borough", "North East", "Unitary authority"),
        ("842", "New name", "London", "Unitary authority"),
        ("843", "Two areas", "London", "Unitary authority"),
        ("844", "No area", "London", "Unitary authority"),
    ]
    assert where.by_area_code == {"E9": "841", "E6": "841", "E4": "842", "E3": "842", "E1": "840"}
    assert where.by_urn == {"7": "841"}
    assert {name: codes for name, codes in where.by_name.items() if "841" in codes} == {
        "darlington": ("841",),
        "darlo": ("841",),
        "quakers": ("841",),
        "another name": ("841",),
    }
    with pytest.raises(ReferenceDataError, match="No file names the councils"):
        places([])


def test_the_most_reliable_of_what_is_given_tells_the_council() -> None:
    where = Places(
        {"E1": "301"}, {"7": "302"}, {"dorset": ("835", "838"), "hull": ("810",)},
        pl.DataFrame({"la_code": ["300", "301", "302", "835", "838", "810"]}),
    )  # fmt: skip
    assert where.find(la_code=" 300 ", area_code="E1", urn="7", name="Hull") == "300"
    assert where.find(la_code="999", area_code=" E1 ", urn="7", name="Hull") == "301"
    assert where.find(la_code=" ", area_code="E9", urn=" 7 ", name="Hull") == "302"
    assert where.find(area_code="", urn="8", name="Hull Council") == "810"
    assert where.find(name="Dorset") == "838", "the newest, where no day is given"
    assert where.find(name="Dorset", on=date(2019, 3, 31)) == "835"
    assert where.find(name="Hull", on=date(1900, 1, 1)) == "810"
    assert where.find(la_code="999") is None and where.find() is None and where.find(name="Nowhere") is None
    alike = Places({}, {}, {"new": ("838", "839")}, pl.DataFrame({"la_code": ["838", "839"]}))
    assert alike.find(name="New", on=date(2010, 1, 1)) == "839", "a day on which none existed decides nothing"


def test_a_plain_name_has_no_filler_and_no_marks() -> None:
    assert (
        plain_name("Royal Borough of Kingston-upon-Thames (the) & St. Helens") == "kingston upon thames and st helens"
    )
