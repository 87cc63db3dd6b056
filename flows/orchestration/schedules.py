"""Schedules on the n-th working day of a month in England, in a form that Prefect can store and show.

A recurrence rule cannot know bank holidays, so the days are worked out here: one rule a year names that year's twelve
days. Each is a plain monthly rule, as the Prefect UI can put only those into words (“every month until …”). Every start
of `holdfast serve` and every deploy renews them. After the last year, a rule for the n-th weekday takes over. So days
that nobody renews do not end: the runs come a day or two early.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta

from prefect.schedules import Schedule

from features.months import LONDON, Month, nth_working_day

#: How many years are listed: this one and the next. The Prefect UI shows a badge for each.
YEARS_LISTED = 2


def working_days(first_year: int, nth: int) -> list[date]:
    """The n-th working day of every listed month, from January of `first_year` on."""
    january = Month(first_year, 1)
    return [nth_working_day(january.plus(i), nth) for i in range(12 * YEARS_LISTED)]


def on_working_day(nth: int, at: time, first_year: int) -> list[Schedule]:
    """Monthly schedules on the n-th working day at `at`, London time, listed from January of `first_year` on."""
    days = working_days(first_year, nth)
    rules = [
        (date(year, 1, 1), f"UNTIL={year}1231T235959;BYYEARDAY={','.join(_numbers_in(year, days))}")
        for year in sorted({day.year for day in days})
    ]
    rules.append((days[-1] + timedelta(days=1), f"BYDAY=MO,TU,WE,TH,FR;BYSETPOS={nth}"))
    return [
        Schedule(rrule=f"DTSTART:{start:%Y%m%d}T{at:%H%M}00\nRRULE:FREQ=MONTHLY;{rule}", timezone=LONDON.key)
        for start, rule in rules
    ]


def _numbers_in(year: int, days: Sequence[date]) -> list[str]:
    return [str(day.timetuple().tm_yday) for day in days if day.year == year]
