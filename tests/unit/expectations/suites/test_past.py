"""A council against its own past, each limit met and just missed."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from expectations.batch import PROFILE, CheckHistory
from expectations.suites import plausible
from expectations.suites.plausible import comparisons, jumps, with_past
from features.months import Month
from features.registry import COUNTS, Kind
from tests.unit.expectations.examples import LAST, OCTOBER, counts

JANUARY = Month(2027, 1)
PAST = [OCTOBER.plus(-back) for back in range(6, 0, -1)]


def _now(kind: Kind, month: Month = OCTOBER) -> pl.DataFrame:
    return pl.DataFrame({"la_code": ["901"], "month": [month.last_day], "extract": [str(kind)]})


def _profile(month: Month, column: str, rows: int, filled: int, content: int = 0) -> pl.DataFrame:
    row = ("901", month.last_day, "workforce", column, rows, filled, content)
    return pl.DataFrame([row], schema=PROFILE, orient="row")


def _compared(family: str, past: list[pl.DataFrame], now: pl.DataFrame) -> list[dict[str, object]]:
    found = comparisons([LAST], now, CheckHistory(profiles=pl.concat(past)))
    return found.filter(family=family).to_dicts()


def test_the_past_is_the_twelve_months_before_across_the_turn_of_the_year() -> None:
    """Middle value of 10, 12 and 20: 12; they are 2, 0 and 8 away from it."""
    values = {1: 10.0, 6: None, 11: 12.0, 12: 20.0, 13: 900.0, 0: 15.0, -1: 900.0}
    series = pl.DataFrame(
        {"month": [JANUARY.plus(-back).last_day for back in values], "value": list(values.values())}
    ).with_columns(la_code=pl.lit("901"), of=pl.lit("a"))
    (row,) = with_past(_now(Kind.WORKFORCE, JANUARY), series, ["of"]).to_dicts()
    assert (row["value"], row["median"], row["months"]) == (15.0, 12.0, 3)
    assert row["spread"] == pytest.approx(2 * 1.4826)


#: Count -> the share of a large number, and the number, by which it may move within a month.
MAY_MOVE = {
    "inpost_fte": (0.15, 8),
    "agency_worker_fte": (0.5, 8),
    "leavers_headcount": (2.0, 8),
    "starters_headcount": (2.0, 10),
    "cases": (0.25, 100),
    "working_days_lost": (0.7, 60),
    "managers_headcount": (0.4, 6),
    "vacancy_fte": (0.5, 8),
    "agency_fte": (0.5, 8),
    "open_cases": (0.2, 100),
    "unallocated_cases": (1.0, 50),
    "referrals": (0.6, 40),
    "closures": (0.8, 60),
    "assessments_completed": (0.7, 50),
    "section_47s": (0.8, 25),
    "cp_plans_open": (0.3, 25),
    "visits_overdue": (1.0, 60),
}


def _jump(count: str, usual: float, now: float) -> float:
    (of,) = [c for c in COUNTS if c.name == count]
    values = {m: {count: round(usual * of.parts)} for m in PAST} | {OCTOBER: {count: round(now * of.parts)}}
    found = jumps(_now(of.extract), CheckHistory({of.extract: counts(of.extract, values)}))
    (excess,) = found.filter(column=count)["excess"].to_list()
    return float(excess)


@pytest.mark.parametrize("count", list(MAY_MOVE))
def test_a_count_may_move_by_a_share_or_by_a_number_whichever_is_more(count: str) -> None:
    share, number = MAY_MOVE[count]
    assert _jump(count, 1_000, 1_000 * (1 + share)) == pytest.approx(1.0)
    assert _jump(count, 2, 2 + number) == pytest.approx(1.0)


def test_every_watched_count_may_move() -> None:
    assert [w.count for w in plausible.WATCHED] == list(MAY_MOVE)


def test_a_count_that_swings_may_move_by_four_spreads() -> None:
    """The six months lie 100 from their middle value, 1,000."""
    swings = [900, 1_100, 900, 1_100, 900, 1_100]
    values = {m: {"open_cases": v} for m, v in zip(PAST, swings, strict=True)} | {OCTOBER: {"open_cases": 1_300}}
    found = jumps(_now(Kind.CASELOAD), CheckHistory({Kind.CASELOAD: counts(Kind.CASELOAD, values)}))
    (row,) = found.filter(column="open_cases").to_dicts()
    assert row["excess"] == pytest.approx(300 / (4 * 1.4826 * 100))
    assert row["rows"] == 0


@pytest.mark.parametrize(
    ("usual", "now", "excess"),
    [(100, 50, 1.0), (100, 75, 0.5), (100, 100, 0.0), (100, 150, 0.5), (100, 200, 1.0), (20, 10, 1.0), (19, 1, None)],
)
def test_a_file_of_half_or_twice_its_rows(usual: int, now: int, excess: float | None) -> None:
    past = [_profile(m, "team", usual, 0) for m in PAST]
    found = _compared(plausible.SIZE, past, _profile(OCTOBER, "team", now, 0))
    assert [row["excess"] for row in found] == ([] if excess is None else [pytest.approx(excess)])


@pytest.mark.parametrize(
    ("column", "filled", "excess", "severity"),
    [
        ("fte", 100, 0.0, "query"),
        ("fte", 80, 1.0, "query"),
        ("fte", 51, 2.45, "query"),
        ("fte", 50, 2.5, "error"),
        ("team", 50, 2.5, "query"),
    ],
)
def test_a_column_that_lost_half_of_its_cells_is_withheld_if_a_figure_needs_it(
    column: str, filled: int, excess: float, severity: str
) -> None:
    past = [_profile(m, column, 100, 100) for m in PAST]
    (row,) = _compared(plausible.EMPTY, past, _profile(OCTOBER, column, 100, filled))
    assert (row["excess"], row["severity"]) == (pytest.approx(excess), severity)


def test_a_column_that_is_fuller_than_before_is_not_asked_about() -> None:
    past = [_profile(m, "fte", 100, 20) for m in PAST]
    (row,) = _compared(plausible.EMPTY, past, _profile(OCTOBER, "fte", 100, 90))
    assert row["excess"] == 0.0


@pytest.mark.parametrize(
    ("rows", "back", "excess"),
    [(10, 1, [2.0]), (9, 1, []), (10, 12, [2.0]), (10, 13, [])],
)
def test_ten_rows_are_the_same_as_a_year_ago_or_later(rows: int, back: int, excess: list[float]) -> None:
    past = [_profile(OCTOBER.plus(-back), "fte", rows, rows, content=7)]
    found = _compared(plausible.REPEAT, past, _profile(OCTOBER, "fte", rows, rows, content=7))
    assert [row["excess"] for row in found] == excess


def test_of_several_earlier_months_the_last_that_is_the_same_is_named() -> None:
    contents = {4: 7, 3: 7, 2: 8, 1: 9}
    past = [_profile(OCTOBER.plus(-back), "fte", 10, 10, content) for back, content in contents.items()]
    (row,) = _compared(plausible.REPEAT, past, _profile(OCTOBER, "fte", 10, 10, content=7))
    assert (row["excess"], row["other_month"]) == (2.0, date(2026, 7, 31))
    (row,) = _compared(plausible.REPEAT, past, _profile(OCTOBER, "fte", 10, 10, content=1))
    assert (row["excess"], row["other_month"]) == (0.0, date(2026, 9, 30))


def _posts(values: list[int | None], count: str = "vacancy_fte", months: list[int] | None = None) -> float | None:
    """How long the establishment's figures have been the same: 2 where it is mentioned."""
    back = months or list(range(len(values) - 1, -1, -1))
    given = {OCTOBER.plus(-b): {} if v is None else {count: v} for b, v in zip(back, values, strict=True)}
    history = CheckHistory({Kind.ESTABLISHMENT: counts(Kind.ESTABLISHMENT, given)})
    now = pl.DataFrame([("901", LAST, "establishment", "vacancy_fte", 1, 1, 0)], schema=PROFILE, orient="row")
    (excess,) = comparisons([LAST], now, history).filter(family=plausible.UNCHANGED)["excess"].to_list()
    return None if excess is None else float(excess)


@pytest.mark.parametrize(
    ("values", "excess"),
    [
        ([5] * 6, 2.0),
        ([5] * 5, 0.0),
        ([4, *[5] * 6], 2.0),
        ([4, *[5] * 5], 0.0),
        ([5, 5, 5, 5, 6, 5], 0.0),
        ([1] * 6, 2.0),
        ([0] * 6, 0.0),
        ([None] * 6, 0.0),
    ],
)
def test_six_months_of_the_same_posts_are_mentioned(values: list[int | None], excess: float) -> None:
    assert _posts(values) == excess


def test_a_head_is_enough_and_a_month_that_is_not_there_breaks_the_row() -> None:
    assert _posts([1] * 6, "agency_headcount") == 2.0
    assert _posts([5] * 6, months=[6, 4, 3, 2, 1, 0]) == 0.0
