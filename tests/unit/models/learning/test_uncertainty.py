"""Checks with power: a level that is wrong fails them, one that is right does not."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from models.learning.promotion import level_holds
from models.learning.uncertainty import by_year, coverage, number_distribution


def _judged(wrong_by: float, doubt: float = 0.02, seed: int = 0, n: int = 300) -> tuple[pl.DataFrame, np.ndarray]:  # type: ignore[type-arg]
    """Inspections over six years, and forecasts whose level is too high by so much."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(-0.6, 0.9, n)
    y = generator.uniform(size=n) < expit(odds)
    started = [date(2018, 1, 1) + timedelta(days=int(d)) for d in np.sort(generator.integers(0, 6 * 365, n))]
    rows = pl.DataFrame(
        {
            "la_code": [str(i % 150) for i in range(n)],
            "started": started,
            "below_good": y,
            "level_variance": np.full(n, doubt),
        }
    )
    return rows, expit(odds + wrong_by)


@pytest.mark.parametrize("seed", range(5))
def test_a_level_wrong_by_six_tenths_fails_and_a_true_one_holds(seed: int) -> None:
    rows, p = _judged(0.6, seed=seed)
    assert coverage(rows, p).p_value < 0.01
    rows, p = _judged(-0.6, seed=seed)
    assert coverage(rows, p).p_value < 0.01
    rows, p = _judged(0.0, seed=seed)
    assert coverage(rows, p).p_value > 0.01


def test_years_of_opposite_sign_do_not_make_each_other_good() -> None:
    rows, p = _judged(0.0)
    years = rows["started"].dt.year().to_numpy()
    odds = np.log(p / (1 - p))
    crooked = expit(odds + np.where(years < 2021, 1.0, -1.0))
    pooled = abs(float(crooked.sum()) - int(rows["below_good"].sum()))
    assert pooled < 15
    assert not level_holds(by_year(rows, crooked)).passed
    assert level_holds(by_year(rows, p)).passed


def test_the_worst_year_is_named() -> None:
    rows = pl.DataFrame(
        {
            "started": [date(2021, 5, 1), date(2021, 6, 1), date(2022, 1, 5)],
            "below_good": [True, False, True],
        }
    )
    found = by_year(rows, np.array([0.5, 0.5, 0.2]))
    assert [(y.year, y.n, y.observed, y.expected) for y in found] == [(2021, 2, 1, 1.0), (2022, 1, 1, 0.2)]
    assert found[0].standard_error == pytest.approx(np.sqrt(0.5))
    assert "worst 2022: 0.2 expected, 1 observed of 1" in level_holds(found).figures


def test_a_year_is_as_uncertain_as_its_inspections_and_its_level() -> None:
    rows = pl.DataFrame(
        {"started": [date(2021, 5, 1)] * 2, "below_good": [False, False], "level_variance": [0.2, 0.4]},
    )
    (year,) = by_year(rows, np.array([0.5, 0.8]))
    assert year.standard_error == pytest.approx(np.sqrt(0.41 + 0.41**2 * 0.3))
    assert year.z == pytest.approx(1.3 / year.standard_error)
    (sure,) = by_year(rows[:1], np.array([1.0]))
    assert (sure.standard_error, sure.z) == (0.0, 0.0)


def test_a_group_is_of_about_ten_inspections_of_one_year() -> None:
    def groups(*years: int) -> int:
        days = [date(year, 1, 1) for year in years]
        rows = pl.DataFrame({"la_code": ["1"] * len(days), "started": days, "below_good": [True] * len(days)})
        return coverage(rows, np.full(len(days), 0.5)).groups

    assert [groups(*[2020] * n) for n in (1, 4, 14, 16, 24, 26)] == [1, 1, 1, 2, 2, 3]
    assert groups(2020, 2021) == 2


def test_an_interval_holds_a_group_in_part() -> None:
    """One inspection at even odds: judged well it lies below 0.5, of which the middle 80% hold four fifths."""
    rows = pl.DataFrame({"la_code": ["1"], "started": [date(2020, 1, 1)], "below_good": [False]})
    found = coverage(rows, np.array([0.5]))
    assert (found.level, found.groups) == (0.8, 1) and found.held == pytest.approx(0.8)
    assert coverage(rows, np.array([0.5]), level=0.5).held == pytest.approx(0.5)
    assert coverage(rows, np.array([0.05])).held == pytest.approx(0.8 / 0.95)
    assert coverage(rows, np.array([0.95])).held == 0.0
    assert found.p_value <= 1.0
    # A forecast of one is taken as all but one in a million.
    assert 1e-8 < coverage(rows, np.array([1.0])).p_value < 1e-4 < coverage(rows, np.array([0.0])).p_value


def test_the_order_in_which_rows_are_given_does_not_matter() -> None:
    rows, p = _judged(0.3, n=60)
    turned = np.arange(60)[::-1]
    assert coverage(rows[turned], p[turned]) == coverage(rows, p)


def test_stated_doubt_about_the_level_belongs_to_the_forecast() -> None:
    rows, p = _judged(0.4, doubt=0.3)
    assert coverage(rows, p).p_value > coverage(rows.drop("level_variance"), p).p_value


def test_the_number_of_successes_is_distributed_as_it_should_be() -> None:
    assert number_distribution(np.array([0.5, 0.5])) == pytest.approx([0.25, 0.5, 0.25])
    assert number_distribution(np.array([1.0, 0.0, 1.0])) == pytest.approx([0, 0, 1, 0])


def test_nothing_to_check_is_said() -> None:
    empty = pl.DataFrame(schema={"la_code": pl.String(), "started": pl.Date(), "below_good": pl.Boolean()})
    assert coverage(empty, np.zeros(0)).groups == 0
    assert not level_holds(by_year(empty, np.zeros(0))).passed
