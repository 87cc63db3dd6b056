"""Schedules on the n-th working day of a month in England, in a form Prefect keeps and shows.

A recurrence rule cannot know bank holidays, so the days are worked out here and given to Prefect one by one
(RDATE); its pages then show the true next runs. Every start of `holdfast serve` and every deploy lists them anew.
Behind the last of them stands a rule for the n-th weekday: a list that nobody renews goes on, a day or two early,
and never falls silent.
"""

from __future__ import annotations

from datetime import date, time, timedelta

from prefect.schedules import Schedule

from features.months import LONDON, Month, nth_working_day

#: How many years are listed: this one and the next two. Prefect would take thirty, and show them all.
YEARS_LISTED = 3


def working_days(first_year: int, nth: int, years: int = YEARS_LISTED) -> list[date]:
    """The n-th working day of every month, from January of a year on."""
    january = Month(first_year, 1)
    return [nth_working_day(january.plus(i), nth) for i in range(12 * years)]


def on_working_day(nth: int, at: time, first_year: int) -> Schedule:
    """Monthly on the n-th working day at `at`, London time, listed from January of `first_year` on."""
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
