"""The array that all look-backs use: where a row is, what lies so many months before, and exact quotients."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from features.comparing.cube import MEASURE_AXIS, Cube, quotient

JAN, FEB, APR = date(2026, 1, 31), date(2026, 2, 28), date(2026, 4, 30)
RATE = "agency_rate_fte"


def frame(*rows: tuple[str, date, float | None], measure: str = RATE) -> pl.DataFrame:
    given = [(la, measure, month, value) for la, month, value in rows]
    schema = {"la_code": pl.String, "measure": pl.String, "month": pl.Date, "value": pl.Float64}
    return pl.DataFrame(given, schema=schema, orient="row")


ROWS = frame(("202", APR, 4.0), ("201", JAN, 1.0), ("201", FEB, 2.0), ("202", JAN, None))
CUBE = Cube.of(ROWS)
AT = MEASURE_AXIS.index(RATE)


def values(block: np.ndarray) -> list[list[float | None]]:
    return [[None if np.isnan(v) else float(v) for v in row] for row in block[:, AT]]


def test_axes_are_sorted_and_months_need_not_follow_each_other() -> None:
    assert (CUBE.councils, CUBE.months) == (("201", "202"), (JAN, FEB, APR))
    assert CUBE.shape == (2, len(MEASURE_AXIS), 3)
    assert values(CUBE.fill(ROWS["value"])) == [[1.0, 2.0, None], [None, None, 4.0]]


def test_rows_outside_the_axes_are_left_out() -> None:
    other = frame(
        ("201", FEB, 7.0), ("203", FEB, 8.0), ("201", date(2026, 3, 31), 9.0), ("201", date(2026, 5, 31), 9.0)
    )
    unknown = frame(("201", FEB, 9.0), measure="no_such")
    filled = CUBE.fill_from(pl.concat([other, unknown]), "value")
    assert values(filled) == [[None, 7.0, None], [None, None, None]]
    assert np.nansum(filled) == 7.0


@pytest.mark.parametrize(
    ("months", "ago"),
    [
        (0, [[1.0, 2.0, None], [None, None, 4.0]]),
        (1, [[None, 1.0, None], [None, None, None]]),  # there is no March to look at from April
        (2, [[None, None, 2.0], [None, None, None]]),
        (3, [[None, None, 1.0], [None, None, None]]),
        (4, [[None, None, None], [None, None, None]]),
    ],
)
def test_a_look_back_goes_by_calendar_months(months: int, ago: list[list[float | None]]) -> None:
    block, every = CUBE.fill(ROWS["value"]), np.arange(3)
    assert values(CUBE.lag(block, months, every)) == ago
    some = CUBE.lag(block, months, np.array([2]))
    assert values(some) == [[row[2]] for row in ago]


def test_a_look_back_stops_where_a_series_began_anew() -> None:
    block, every = CUBE.fill(ROWS["value"]), np.arange(3)
    for since, seen in ((0, 1.0), (1, None)):
        began = np.full(CUBE.shape, since)
        assert values(CUBE.lag(block, 1, every, began))[0][1] == seen


def test_a_year_has_twelve_months_for_a_look_back() -> None:
    rows = frame(("201", date(2025, 12, 31), 5.0), ("201", JAN, 1.0))
    cube = Cube.of(rows)
    assert values(cube.lag(cube.fill(rows["value"]), 1, np.arange(2))) == [[None, 5.0]]


@pytest.mark.parametrize(
    ("over", "under", "found"),
    [(6.0, 3.0, 2.0), (1.0, 1.0, 1.0), (0.0, 5.0, 0.0), (5.0, 0.0, None), (0.0, 0.0, None), (-3.0, 2.0, -1.5)],
)
def test_a_quotient_is_exact_or_unknown(over: float, under: float, found: float | None) -> None:
    assert quotient(pl.Series([over]), pl.Series([under])).to_list() == [found]


def test_what_is_unknown_has_no_quotient_and_whole_numbers_have() -> None:
    assert quotient(pl.Series([None, 1, 7]), pl.Series([2, None, 2])).to_list() == [None, None, 3.5]
    thirds = quotient(pl.Series([1.0, 2.0, 5.0]), pl.Series([49.0] * 3)).to_list()
    assert thirds == [1 / 49, 2 / 49, 5 / 49], "not multiplied by a reciprocal"
