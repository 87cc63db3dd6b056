"""A year is last year plus differences: what a difference does, and what is said where none is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from features.errors import HoldfastError
from flows.extracts.formats.csww.rules.years import BASE, BASE_YEAR, DIFFERENCES, Difference, rules_for

ONE, TWO, *_ = BASE
NEW = replace(ONE, code="CSWW-W999", says="a new rule")
OTHER = replace(TWO, says="in another form")


def codes(day: date, *differences: Difference) -> list[str]:
    return [r.code for r in rules_for(day, (ONE, TWO), differences).rules]


def test_the_base_year_has_its_rules_and_nothing_to_say() -> None:
    found = rules_for(date(BASE_YEAR, 9, 30))
    assert found.rules == BASE and found.note is None


def test_differences_add_drop_and_replace_from_their_year_on() -> None:
    changes = (
        Difference(2023, "a source", adds=(NEW,), drops=(ONE.code,)),
        Difference(2024, "a source", replaces=(OTHER,)),
    )
    assert codes(date(2022, 9, 30), *changes) == [ONE.code, TWO.code]
    assert codes(date(2023, 9, 30), *changes) == [TWO.code, NEW.code]
    later = rules_for(date(2024, 9, 30), (ONE, TWO), tuple(reversed(changes)))
    assert later.rules == (OTHER, NEW) and later.note is None


@pytest.mark.parametrize(("year", "says"), [(2019, "after the return"), (2026, "since")])
def test_a_year_without_rules_of_its_own_is_held_to_the_nearest_and_told_so(year: int, says: str) -> None:
    found = rules_for(date(year, 9, 30))
    assert found.rules == BASE
    assert found.note is not None and f"of {year}" in found.note and f"{BASE_YEAR} collection" in found.note
    assert says in found.note


@pytest.mark.parametrize(
    "wrong",
    [
        Difference(2022, "a source", adds=(ONE,)),
        Difference(2022, "a source", drops=("CSWW-W999",)),
        Difference(2022, "a source", replaces=(NEW,)),
    ],
)
def test_a_difference_that_does_not_fit_is_refused(wrong: Difference) -> None:
    with pytest.raises(HoldfastError, match="differences of 2022 do not fit"):
        codes(date(2022, 9, 30), wrong)


def test_every_code_is_there_once_and_every_difference_has_a_source() -> None:
    assert len({r.code for r in BASE}) == len(BASE)
    assert all(d.source for d in DIFFERENCES)
    rules_for(date(2199, 9, 30))
