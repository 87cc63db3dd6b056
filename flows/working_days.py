"""Schedules on the n-th working day of a month in England, in a form Prefect keeps and shows.

A recurrence rule cannot know bank holidays, so the days are worked out here and given to Prefect one by one
(RDATE); its page then shows the true next runs. Behind the last of them stands a rule for the n-th weekday:
a list nobody renews for ten years goes on a day or two early, and never falls silent.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from prefect.schedules import Schedule

from features.months import Month, nth_working_day

LONDON = ZoneInfo("Europe/London")

#: How far ahead the days are listed. Prefect takes 6,500 characters, which are 30 years.
YEARS_LISTED = 10


def working_days(first_year: int, nth: int, years: int = YEARS_LISTED) -> list[date]:
    """The n-th working day of every month, from January of a year on."""
    january = Month(first_year, 1)
    return [nth_working_day(january.plus(i), nth) for i in range(12 * years)]


def on_working_day(nth: int, at: time, first_year: int) -> Schedule:
    """Monthly on the n-th working day at `at`, London time, listed from January of `first_year` on."""
    days = working_days(first_year, nth)
    afterwards = days[-1] + timedelta(days=1)
    rule = (
        f"DTSTART:{afterwards:%Y%m%d}T{at:%H%M}00\n"
        f"RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={nth};BYHOUR={at.hour};BYMINUTE={at.minute};BYSECOND=0\n"
        f"RDATE:{','.join(f'{day:%Y%m%d}T{at:%H%M}00' for day in days)}"
    )
    return Schedule(rrule=rule, timezone=LONDON.key)


def next_working_day_run(nth: int, at: time, now: datetime) -> datetime:
    """When the schedule of `on_working_day` runs next after `now` (timezone-aware), for texts."""
    month = Month.of(now.astimezone(LONDON).date())
    found = (datetime.combine(nth_working_day(month.plus(i), nth), at, LONDON) for i in range(3))
    return next(start for start in found if start > now)
