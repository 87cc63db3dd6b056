"""Months in portions: how they are grouped, what is read while what is checked, and whose a fault is."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from features.councils import Council
from features.errors import StoreError
from features.months import Month
from features.registry import Kind
from flows.extracts.landing import LandedFile
from flows.month.portions import in_portions, read_portion, take_in_portions
from flows.month.take_in import Due, Read

JANUARY = Month(2026, 1)
BOTH = (Council("370", "Barnsley", Month(2020, 1)), Council("371", "Doncaster", Month(2020, 1)))


def due(number: int, rows: int = 1, councils: Sequence[Council] = BOTH[:1]) -> Due:
    month = JANUARY.plus(number)
    files = tuple(
        LandedFile(
            f"{month}/{c.la_code}/workforce.csv", month, c, Kind.WORKFORCE, 90 * rows, datetime(2026, 2, 1, tzinfo=UTC)
        )
        for c in councils
    )
    return Due(month, date(2026, 12, 1), files, (), "x", None)


def test_a_portion_is_full_when_the_next_month_does_not_fit() -> None:
    months = [due(0, 200_000), due(1, 100_000), due(2, 1), due(3, 400_000), due(4, 1)]
    assert in_portions(months) == [months[:2], months[2:3], months[3:4], months[4:]]
    assert in_portions([]) == []


@dataclass
class Ready:
    """A reading that is done."""

    reads: list[list[Read]]

    def result(self) -> list[list[Read]]:
        return self.reads


def test_each_portion_is_read_while_the_one_before_is_checked() -> None:
    done: list[str] = []

    def start(name: str, portion: list[Due]) -> Ready:
        done.append(f"read {name}")
        return Ready([[] for _ in portion])

    portions = [[due(0), due(1)], [due(2)], [due(3)]]
    take_in_portions(
        portions, start, lambda name, *_: done.append(f"check {name}"), prepare=lambda: done.append("prepare")
    )
    assert done == [
        "read 2026-01 to 2026-02",
        "prepare",
        "read 2026-03 to 2026-03",
        "check 2026-01 to 2026-02",
        "read 2026-04 to 2026-04",
        "check 2026-03 to 2026-03",
        "check 2026-04 to 2026-04",
    ]
    take_in_portions([], start, lambda *_: None, prepare=lambda: pytest.fail("nothing to prepare for"))


def test_a_fault_at_one_council_is_its_own_and_one_of_the_store_is_everybodys() -> None:
    def broken(files: Sequence[LandedFile]) -> list[Read]:
        if files[0].council.la_code == "371":
            raise ZeroDivisionError
        return []

    def away(files: Sequence[LandedFile]) -> list[Read]:
        raise StoreError("The store does not answer.")

    with ThreadPoolExecutor(1) as pool:
        (first, second) = read_portion([due(0), due(1, councils=BOTH)], pool, broken)
        assert first == []
        assert [(r.file.council.la_code, "reading 2026-02 failed" in str(r.submission.reason)) for r in second] == [
            ("371", True)
        ]
        with pytest.raises(StoreError):
            read_portion([due(0)], pool, away)
