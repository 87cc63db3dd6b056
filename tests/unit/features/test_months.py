from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import HoldfastError
from features.months import Month, bank_holidays, month_range, nth_working_day

months = st.builds(Month, st.integers(1995, 2190), st.integers(1, 12))


@given(months, st.integers(-60, 60))
def test_plus_and_minus_undo_each_other(month: Month, offset: int) -> None:
    assert month.plus(offset).minus(month) == offset
    assert Month.parse(str(month)) == month


def test_range_includes_both_ends_across_a_year() -> None:
    assert [str(m) for m in month_range(Month(2025, 11), Month(2026, 2))] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]


def test_last_day_knows_leap_years() -> None:
    assert Month(2024, 2).last_day == date(2024, 2, 29)
    assert Month(2026, 2).last_day == date(2026, 2, 28)


@pytest.mark.parametrize("text", ["2026-13", "2026", "26-10", "2026-1", "October 2026"])
def test_what_is_no_month_is_refused_with_the_expected_form(text: str) -> None:
    with pytest.raises(HoldfastError, match="YYYY-MM"):
        Month.parse(text)


def test_new_year_is_no_working_day() -> None:
    # 1 January 2027 is a Friday and a bank holiday; 2 and 3 are a weekend.
    assert nth_working_day(Month(2027, 1), 1) == date(2027, 1, 4)


def test_early_may_bank_holiday_is_english() -> None:
    assert date(2026, 5, 4) in bank_holidays(2026, 2026)
    assert date(2026, 3, 17) not in bank_holidays(2026, 2026), "St Patrick's Day is Northern Ireland's"
