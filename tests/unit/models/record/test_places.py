"""Regions and types of councils by DfE's number ranges."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from models.record.identity import EXISTED, SUCCESSIONS
from models.record.places import _existed, region_of, type_of


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
