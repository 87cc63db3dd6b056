"""A date is read if it can mean one day; otherwise it is a problem, never another day."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.extracts.reading.dates import EARLIEST, LATEST, read_dates


def _read(*texts: str | None) -> tuple[list[date | None], list[str | None]]:
    values, problems = read_dates(pl.Series("d", texts, dtype=pl.String()))
    return values.to_list(), problems.to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-07",
        "2026-10-7",
        "2026/10/07",
        "07/10/2026",
        "7/10/2026",
        "07-10-2026",
        "07.10.2026",
        "2026-10-07T00:00:00",
        "2026-10-07 00:00:00.000",
        "2026-10-07 00:00",
        "07/10/2026 00:00",
        "07/10/2026 14:30:59",
        "2026-10-07T00:00:00Z",
        "2026-10-07T00:00:00+01:00",
        "7 October 2026",
        "07-Oct-2026",
        "07-OCT-2026",
        "20261007",
        "46302",
        "46302.0",
        "46302.75",
    ],
)
def test_one_day_in_the_notations_of_the_field(text: str) -> None:
    assert _read(text) == ([date(2026, 10, 7)], [None])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("30/02/2026", "not_a_date"),
        ("2026-13-01", "not_a_date"),
        ("yesterday", "not_a_date"),
        ("5", "not_a_date"),
        ("-1", "not_a_date"),
        ("12/2026", "month_only"),
        ("October 2026", "month_only"),
        ("Oct-26", "month_only"),
        ("2026-10", "month_only"),
        ("07/10/26", "two_digit_year"),
        ("07-Oct-26", "two_digit_year"),
        ("10/31/2026", "month_before_day"),
        ("01/01/1900", "date_out_of_range"),
        ("2206-10-07", "date_out_of_range"),
        ("99999", "not_a_date"),
        ("٠٧/١٠/٢٠٢٦", "not_a_date"),
        ("٢٠٢٦-١٠-٠٧", "not_a_date"),
    ],
)
def test_what_is_no_date_or_might_be_another(text: str, problem: str) -> None:
    assert _read(text) == ([None], [problem])


def test_blank_is_no_problem_and_forever_is_no_end_date() -> None:
    assert _read(None, "31/12/9999", "9999-12-31") == ([None] * 3, [None] * 3)


def test_mixed_notations_in_one_column() -> None:
    values, problems = _read("2026-10-07", "08/10/2026", "46304", None, "x")
    assert values == [date(2026, 10, 7), date(2026, 10, 8), date(2026, 10, 9), None, None]
    assert problems == [None, None, None, None, "not_a_date"]


def test_a_column_with_months_first_makes_its_doubtful_dates_problems() -> None:
    values, problems = _read("10/31/2026", "01/02/2026", "05/05/2026", "2026-02-01")
    assert values == [None, None, date(2026, 5, 5), date(2026, 2, 1)]
    assert problems == ["month_before_day", "month_before_day", None, None]


def test_one_slip_in_a_column_of_days_first_is_only_itself_a_problem() -> None:
    days_first = [f"{d}/02/2026" for d in range(13, 29)]
    values, problems = _read(*days_first, "02/13/2026", "03/02/2026")
    assert problems == [None] * 16 + ["month_before_day", None]
    assert values[-1] == date(2026, 2, 3)


_days = st.dates(EARLIEST, LATEST)
_formats = st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%dT00:00:00", "%d %B %Y", "%d/%m/%Y %H:%M"])


@given(st.lists(st.tuples(_days, _formats), min_size=1, max_size=12))
def test_every_written_day_is_read_back(written: list[tuple[date, str]]) -> None:
    values, problems = _read(*(day.strftime(form) for day, form in written))
    assert problems == [None] * len(written)
    assert values == [day for day, _ in written]


@given(st.lists(_days.filter(lambda d: d > date(1960, 1, 1)), min_size=1))
def test_serials_are_days_since_excels_epoch(days: list[date]) -> None:
    serials = [str((day - date(1899, 12, 30)).days) for day in days]
    values, _ = _read(*serials)
    assert all(v is None or v == d for v, d in zip(values, days, strict=True))
    assert all(v == d for v, d in zip(values, days, strict=True) if d < date(2099, 1, 1))


@given(st.lists(_days, min_size=1, max_size=8))
def test_american_dates_are_never_read_as_another_day(days: list[date]) -> None:
    evidence = date(2026, 10, 31)
    values, _ = _read(*(d.strftime("%m/%d/%Y") for d in [*days, evidence]))
    assert all(value in (None, day) for value, day in zip(values, days, strict=False))


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_text_is_a_date_or_a_problem(texts: list[str]) -> None:
    values, problems = _read(*texts)
    assert all((v is None) != (p is None) for v, p in zip(values, problems, strict=True))
    assert all(v is None or EARLIEST <= v <= LATEST for v in values)


def test_reading_is_independent_of_the_order_of_rows() -> None:
    texts = ["10/31/2026", "01/02/2026", "2026-02-01", "46304", "x", None]
    forward, backward = _read(*texts), _read(*reversed(texts))
    assert forward[0] == backward[0][::-1]
    assert forward[1] == backward[1][::-1]


def test_a_day_apart_stays_a_day_apart() -> None:
    values, _ = _read("46302", "46303")
    assert values[0] is not None
    assert values[1] is not None
    assert values[1] - values[0] == timedelta(days=1)
