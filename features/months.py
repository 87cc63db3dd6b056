"""Months as values. A month is written `YYYY-MM` in files and on screen, and is its last day inside a frame.

The last day is used because every stock is counted "at month end", as DfE counts at 30 September.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from features.errors import HoldfastError

LONDON = ZoneInfo("Europe/London")

_WRITTEN = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """One calendar month, ordered, written `2026-10`."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (1990 <= self.year <= 2199 and 1 <= self.number <= 12):
            raise HoldfastError(
                f"“{self.year}-{self.number:02d}” is not a month. Write it as YYYY-MM, for example 2026-10."
            )

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `YYYY-MM`; raises HoldfastError with the expected form otherwise."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise HoldfastError(f"“{text}” is not a month. Write it as YYYY-MM, for example 2026-10.")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that contains a day."""
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.number, monthrange(self.year, self.number)[1])

    def plus(self, months: int) -> Month:
        """The month `months` later (earlier if negative)."""
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    def minus(self, other: Month) -> int:
        """The number of months from `other` to this one; negative if `other` is later."""
        return (self.year - other.year) * 12 + self.number - other.number

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def in_words(self) -> str:
        """`October 2026`, for people."""
        return f"{self.first_day:%B} {self.year}"


def month_range(first: Month, last: Month) -> Iterator[Month]:
    """Every month from `first` to `last`, both included, oldest first."""
    for offset in range(last.minus(first) + 1):
        yield first.plus(offset)


@lru_cache(maxsize=8)
def bank_holidays(first_year: int, last_year: int) -> tuple[date, ...]:
    """Bank holidays of England, sorted. Timeliness limits and due dates are in working days."""
    import holidays  # takes a tenth of a second that most commands can save

    found = holidays.country_holidays("GB", subdiv="ENG", years=range(first_year, last_year + 1))
    return tuple(sorted(found))


def nth_working_day(month: Month, n: int) -> date:
    """The n-th working day of a month in England, counted from 1. Used for due dates and the job's day."""
    closed = set(bank_holidays(month.year, month.year))
    day = month.first_day - timedelta(days=1)
    while n > 0:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in closed:
            n -= 1
    return day


def london_day(moment: datetime) -> date:
    """The calendar day of a moment in England, where due dates are counted."""
    return moment.astimezone(LONDON).date()


def day_words(day: date) -> str:
    """`20 November 2026`, for people."""
    return f"{day.day} {day:%B %Y}"
