"""Working days of England: weekdays that are not bank holidays. Statutory limits are counted in them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import cast

import numpy as np

from features.months import bank_holidays


@lru_cache(maxsize=4096)
def earliest_start_within(working_days: int, end: date) -> date:
    """The earliest day from which `end` is at most that many working days away.

    The days counted run from the start (included) to the end (not included), so a step that starts on Monday and ends
    on Tuesday took one. The rule is monotone, so a limit on a duration becomes one comparison with a date.
    """
    closed = bank_holidays(end.year - 1, end.year)
    too_early = np.busday_offset(end, -working_days - 1, roll="forward", holidays=closed)
    return cast(date, (too_early + 1).item())
