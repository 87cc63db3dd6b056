from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.months import bank_holidays
from features.workdays import earliest_start_within

days = st.dates(date(2015, 1, 1), date(2035, 12, 31))


def took(start: date, end: date) -> int:
    """Working days from start to end by Polars' own calendar arithmetic, an independent count."""
    holidays = bank_holidays(start.year, end.year)
    return int(pl.select(pl.business_day_count(start, end, holidays=holidays)).item())


@given(days, st.integers(0, 60))
def test_the_earliest_start_is_within_the_limit_and_the_day_before_it_is_not(end: date, limit: int) -> None:
    earliest = earliest_start_within(limit, end)
    assert took(earliest, end) <= limit
    assert took(earliest - timedelta(days=1), end) == limit + 1


def test_monday_to_tuesday_took_one_day_and_a_bank_holiday_does_not_count() -> None:
    assert earliest_start_within(1, date(2026, 10, 27)) == date(2026, 10, 24)
    # Friday 28 August to Tuesday 1 September 2026: the Monday between is the summer bank holiday.
    assert earliest_start_within(1, date(2026, 9, 1)) == date(2026, 8, 28)
