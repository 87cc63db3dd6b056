"""Schedules on the n-th working day of a month in England, in a form that Prefect can store and show.

A recurrence rule cannot know bank holidays, so the days are worked out here and given to Prefect one by one
(RDATE). The Prefect UI then shows the true next runs. Every start of `holdfast serve` and every deploy renews the
list. After its last date, a rule for the n-th weekday takes over. So a list that nobody renews does not stop: its
runs come a day or two early.
"""

from __future__ import annotations

from datetime import date, time, timedelta

from prefect.schedules import Schedule

from features.months import LONDON, Month, nth_working_day

#: How many years are listed: this one and the next two. Prefect would accept thirty, but would show them all.
YEARS_LISTED = 3


def working_days(first_year: int, nth: int, years: int = YEARS_LISTED) -> list[date]:
    """The n-th working day of every month of `years` years, from January of `first_year` on."""
    january = Month(first_year, 1)
    return [nth_working_day(january.plus(i), nth) for i in range(12 * years)]


def on_working_day(nth: int, at: time, first_year: int) -> Schedule:
    """A monthly schedule on the n-th working day at `at`, London time, listed from January of `first_year` on."""
    days = working_days(first_year, nth)
    afterwards = days[-1] + timedelta(days=1)
    years = sorted({day.year for day in days})
    lines = [
        f"DTSTART:{afterwards:%Y%m%d}T{at:%H%M}00",
        f"RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={nth};BYHOUR={at.hour};BYMINUTE={at.minute};BYSECOND=0",
        *(f"RDATE:{','.join(f'{d:%Y%m%d}T{at:%H%M}00' for d in days if d.year == year)}" for year in years),
    ]
    rule = "\n".join(lines)
    return Schedule(rrule=rule, timezone=LONDON.key)
