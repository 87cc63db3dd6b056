"""The table of results at its edges, and figures as readers see them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from models.evidence.table import build_table, figure, rounded, slope
from models.learning.candidates import BASELINE_TO_BEAT
from models.learning.fitting import Forecast

P = np.array([0.3, 0.6])


@pytest.mark.parametrize(
    ("bad", "there"), [([True], False), ([True, False], True), ([True, True], False), ([False, False], False)]
)
def test_a_table_needs_two_judgements_of_two_kinds(bad: list[bool], there: bool) -> None:
    rows = pl.DataFrame({"la_code": ["1", "2"][: len(bad)], "below_good": bad})
    found = build_table("q", rows, {"x": Forecast(P[: len(bad)], P[: len(bad)])})
    assert (found is not None) is there


def test_a_forecast_is_named_by_its_group_and_compared_with_the_baseline() -> None:
    rows = pl.DataFrame({"la_code": list("abcd"), "inadequate": [True, False, True, False]})
    low, high = np.array([0.4, 0.1, 0.3, 0.2]), np.full(4, 0.9)
    found = build_table("q", rows, {"x": Forecast(high, low), BASELINE_TO_BEAT: Forecast(high, low / 2)}, "inadequate")
    assert found is not None and (found.n, found.positives) == (4, 2)
    mine, base = found.row("x"), found.row(BASELINE_TO_BEAT)
    assert (mine.group, mine.baseline, base.baseline) == ("", False, True) and base.group
    assert mine.metrics.auc == 1.0 and mine.metrics.expected == pytest.approx(1.0)
    assert mine.auc_gain is not None and mine.auc_gain[0] == 0.0 and base.auc_gain is base.loss_gain is None
    assert mine.loss_gain is not None and mine.loss_gain[0] < 0
    alone = build_table("q", rows, {"x": Forecast(high, low)}, "inadequate")
    assert alone is not None and alone.rows[0].auc_gain is alone.rows[0].loss_gain is None


def test_the_slope_of_forecasts_is_one_over_how_far_they_are_spread_too_widely() -> None:
    y = np.array([True] * 6 + [False] * 4 + [True] * 4 + [False] * 6)
    odds = np.where(np.arange(20) < 10, 1.0, -1.0) * np.log(1.5)
    for times in (1.0, 2.0):
        assert slope(y, 1 / (1 + np.exp(-odds * times))) == pytest.approx(1 / times, abs=1e-3)
    assert slope(y, np.full(20, 0.4)) is None
    assert np.isfinite(slope(y, np.where(y, 1.0, 0.0)) or np.nan), "forecasts of 0 and 1 have log-odds too"


def test_floats_are_kept_to_six_places_and_what_is_no_number_is_null() -> None:
    given = {1: (1.23456789, [float("nan")]), "b": (True, "x", float("inf"), 7)}
    assert rounded(given) == {"1": [1.234568, [None]], "b": [True, "x", None, 7]}
    assert (figure(None), figure(0.126), figure(0.126, 1)) == ("–", "0.13", "0.1")
