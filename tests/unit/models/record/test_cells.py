"""Published cells: numbers, symbols, days; joint returns and successors."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from features.registry import Missing
from models.record.cells import day, missing_reason, number, unknown_symbols
from models.record.identity import JOINT_RETURNS
from models.record.units import hand_down, split_joint


def _read(cell: str | None, by: pl.Expr) -> object:
    return pl.DataFrame({"x": [cell]}, schema={"x": pl.String}).select(by).item()


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,234.5", 1234.5), (" 12% ", 12.0), ("z", None), ("", None), (None, None), ("inf", None), ("NaN", None)],
)
def test_a_number_or_nothing(cell: str | None, value: float | None) -> None:
    assert _read(cell, number("x")) == value
    assert (_read(cell, missing_reason("x")) is None) is (value is not None)


def test_a_symbol_is_a_reason_and_an_unknown_one_is_reported() -> None:
    assert _read(" Z ", missing_reason("x")) == str(Missing.NOT_APPLICABLE)
    assert _read("odd", missing_reason("x")) == _read(None, missing_reason("x")) == "not reported"
    assert unknown_symbols(pl.DataFrame({"x": ["1", " Odd", "z", None]}), ["x"]) == ["odd"]


@pytest.mark.parametrize(
    "cell", ["2021-11-19", "2021-11-19T00:00:00", "19/11/2021", "19/11/21", "19-11-2021", "19 November 2021"]
)
def test_a_day_in_every_publishers_form(cell: str) -> None:
    assert _read(cell, day("x")) == date(2021, 11, 19)
    assert _read(f" {cell} ", day("x")) == date(2021, 11, 19)
    assert _read(f"{cell[:4]}x", day("x")) is _read(f"x{cell}", day("x")) is None


def _figures(*rows: tuple[str, float | None, str | None], period: date = date(2020, 9, 30)) -> pl.DataFrame:
    full = [(code, period, "cases", value, reason, "x") for code, value, reason in rows]
    return pl.DataFrame(
        full,
        schema={
            "la_code": pl.String,
            "period_end": pl.Date,
            "count": pl.String,
            "value": pl.Float64,
            "reason": pl.String,
            "source": pl.String,
        },
        orient="row",
    )


def test_both_members_of_a_joint_return_get_its_figures() -> None:
    one, other = JOINT_RETURNS[0]
    both = [(one, 7.0), (other, 7.0)]
    for given in (
        _figures((f"{one} / {other}", 7.0, None)),
        _figures((one, 7.0, None), (other, None, str(Missing.NOT_APPLICABLE))),
    ):
        assert sorted(split_joint(given).select("la_code", "value").iter_rows()) == sorted(both)
    apart = _figures((one, 7.0, None), (other, None, str(Missing.NOT_REPORTED)))
    assert split_joint(apart).filter(pl.col("la_code") == other)["value"].to_list() == [None]


def _lineage(*rows: tuple[str, float]) -> pl.DataFrame:
    full = [(code, "new", date(2021, 4, 1), share, share) for code, share in rows]
    return pl.DataFrame(full, schema=["predecessor", "successor", "on", "of_predecessor", "of_successor"], orient="row")


@pytest.mark.parametrize(
    ("second", "share", "value"), [(20.0, 0.5, 20.0), (None, 0.5, None), (None, 0.0, 10.0), (20.0, 1.0, 30.0)]
)
def test_a_successor_gets_its_predecessors_figures_by_their_shares(
    second: float | None, share: float, value: float | None
) -> None:
    figures = _figures(("a", 10.0, None), ("b", second, None if second else "not reported"))
    down = hand_down(figures, _lineage(("a", 1.0), ("b", share)), "count").filter(pl.col("la_code") == "new")
    assert down["value"].to_list() == [value]
    assert down["reason"].to_list() == [None if value is not None else "not reported"]


def test_a_successors_own_figure_stands_and_later_ones_are_not_handed_down() -> None:
    own = _figures(("a", 10.0, None), ("new", 3.0, None))
    assert hand_down(own, _lineage(("a", 1.0)), "count").filter(pl.col("la_code") == "new")["value"].to_list() == [3.0]
    later = _figures(("a", 10.0, None), period=date(2021, 4, 1))
    assert hand_down(later, _lineage(("a", 1.0)), "count").filter(pl.col("la_code") == "new").is_empty()
