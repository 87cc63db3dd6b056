"""England's working days as arithmetic on day numbers, fast enough for millions of dates."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.months import Month, bank_holidays

Ints = NDArray[np.int32]
_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1 January 1970, as Polars and NumPy count them."""
    return (day - _EPOCH).days


class Calendar:
    """The working days from one year to another; `add` moves days forward by working days with two look-ups."""

    def __init__(self, first_year: int, last_year: int) -> None:
        self._origin = day_number(date(first_year, 1, 1))
        days = np.arange(self._origin, day_number(date(last_year + 1, 1, 1)), dtype=np.int32)
        closed = np.array([day_number(d) for d in bank_holidays(first_year, last_year)], dtype=np.int32)
        open_days = ((days + 3) % 7 < 5) & ~np.isin(days, closed)  # 1 January 1970 was a Thursday
        self._working = days[open_days]
        # The number of working days before each day, so that counting from a Saturday starts on Monday.
        self._index: Ints = (np.cumsum(open_days) - open_days).astype(np.int32)

    def add(self, days: Ints, working_days: NDArray[np.int64]) -> Ints:
        """The day this many working days after each day (0: the day itself or the next working day)."""
        later: Ints = self._working[self._index[days - self._origin] + working_days]
        return later

    def days_between(self, first: int, end: int) -> Ints:
        """Working days from `first` up to, not including, `end`."""
        return self._working[(self._working >= first) & (self._working < end)]

    def of(self, month: Month) -> Ints:
        """The working days of a month."""
        return self.days_between(day_number(month.first_day), day_number(month.plus(1).first_day))

    def first_of_next_month(self, days: Ints) -> int:
        """The first day of the month after the month of these days."""
        last = np.datetime64(int(days[-1]), "D").astype("datetime64[M]") + 1
        return int(last.astype("datetime64[D]").astype(np.int64))
