"""Measures against scikit-learn's, with ties, and resampling one by one against all at once."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.learning.metrics import (
    CalibrationBin,
    auc,
    average_precision,
    calibration_curve,
    ends,
    log_losses,
    measure_forecasts,
    resample_counts,
    resampled,
    resamples,
    top_share,
)

CASES = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=4, max_size=40).filter(
    lambda rows: 0 < sum(y for y, _ in rows) < len(rows)
)


@given(CASES)
def test_ranking_measures_are_those_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    y = np.array([r[0] for r in rows])
    p = np.array([r[1] / 10 for r in rows])
    assert auc(y, p) == pytest.approx(roc_auc_score(y, p))
    assert average_precision(y, p) == pytest.approx(average_precision_score(y, p))


@given(CASES)
def test_all_resamples_at_once_equal_one_by_one(rows: list[tuple[bool, int]]) -> None:
    y = np.array([r[0] for r in rows])
    p = np.array([r[1] / 10 for r in rows])
    councils = np.array([str(i % 5) for i in range(len(rows))])
    at_once = resampled(y, p, resample_counts(councils, draws=6, seed=1))
    for i, sample in enumerate(resamples(councils, draws=6, seed=1)):
        ys, ps = y[sample], p[sample]
        if ys.all() or not ys.any():
            assert np.isnan(at_once["auc"][i])
            continue
        assert at_once["auc"][i] == pytest.approx(auc(ys, ps))
        assert at_once["average_precision"][i] == pytest.approx(average_precision(ys, ps))
        assert at_once["precision_tenth"][i] == pytest.approx(top_share(ys, ps, 0.1).precision)
        assert at_once["precision_fifth"][i] == pytest.approx(top_share(ys, ps, 0.2).precision)
        assert at_once["brier_skill"][i] == pytest.approx(measure_forecasts(ys, ps).brier_skill)


def test_ties_at_the_edge_are_averaged_and_told() -> None:
    top = top_share(np.array([True, False, True, False]), np.array([0.9, 0.5, 0.5, 0.1]), 0.5)
    assert (top.flagged, top.precision, top.tied) == (2, 0.75, 2)
    assert top.recall == 0.75


def test_a_perfect_and_a_useless_forecast() -> None:
    y = np.array([True, False, True, False])
    assert measure_forecasts(y, y.astype(float)).brier_skill == 1.0
    assert measure_forecasts(y, np.full(4, 0.5)).brier_skill == 0.0
    assert measure_forecasts(y, np.full(4, 0.5)).auc == 0.5
    assert measure_forecasts(np.array([True, True]), np.array([0.5, 0.6])).auc is None


def test_no_inspections_are_refused() -> None:
    with pytest.raises(ValueError, match="no inspections"):
        measure_forecasts(np.array([], dtype=bool), np.array([]))


def test_calibration_groups_are_in_order_of_forecast() -> None:
    bins = calibration_curve(np.array([False, True, False, True]), np.array([0.8, 0.9, 0.1, 0.2]), bins=2)
    assert [(b.n, round(b.forecast, 2), b.observed) for b in bins] == [(2, 0.15, 0.5), (2, 0.85, 0.5)]


def test_an_interval_is_withheld_where_a_measure_is_mostly_undefined() -> None:
    assert ends(np.array([0.1, np.nan, np.nan])) is None
    assert ends(np.array([0.1, 0.1, np.nan])) == (0.1, 0.1)
    assert ends(np.array([0.1, np.nan])) is None, "half is not most"
    assert ends(np.arange(101.0)) == pytest.approx((2.5, 97.5))
    assert ends(np.arange(101.0), 0.5) == pytest.approx((25.0, 75.0))


def test_a_certainty_that_fails_costs_as_much_as_one_in_a_million() -> None:
    y, p = np.array([True, False, True, False]), np.array([0.0, 1.0, 1.0, 0.25])
    high = -np.log(1e-6)
    assert log_losses(y, p) == pytest.approx([high, high, 1e-6, -np.log(0.75)], rel=1e-4)


def test_at_least_one_inspection_is_the_riskiest_share() -> None:
    y, p = np.array([True, False, False, True]), np.array([0.9, 0.5, 0.4, 0.3])
    assert [top_share(y, p, share).flagged for share in (0.1, 0.25, 0.5, 1.0)] == [1, 1, 2, 4]
    assert top_share(np.zeros(4, dtype=bool), p, 0.5).recall == 0.0
    found = measure_forecasts(y, p)
    assert (found.expected, found.base_rate) == (pytest.approx(2.1), 0.5)
    assert found.brier == pytest.approx((0.01 + 0.25 + 0.16 + 0.49) / 4)
    ten = np.arange(10) < 1
    whole = measure_forecasts(ten, np.linspace(0.9, 0.1, 10))
    assert (whole.tenth.flagged, whole.fifth.flagged, whole.fifth.precision) == (1, 2, 0.5)


def test_a_thousand_resamples_are_the_same_every_time() -> None:
    councils = np.array(["a", "a", "b", "c"])
    counts = resample_counts(councils)
    assert counts.shape == (1000, 4) and np.array_equal(counts, resample_counts(councils))
    assert np.array_equal(counts[:, 0], counts[:, 1]) and set(counts[:, 1:].sum(axis=1)) == {3.0}


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from((0.1, 0.2, 0.2, 0.5, 0.9))), min_size=1, max_size=40),
    st.randoms(),
)
def test_the_calibration_curve_does_not_depend_on_the_order_of_rows(
    rows: list[tuple[bool, float]], shuffle: random.Random
) -> None:
    def curve(pairs: list[tuple[bool, float]]) -> tuple[CalibrationBin, ...]:
        return calibration_curve(np.array([y for y, _ in pairs]), np.array([p for _, p in pairs]))

    other = list(rows)
    shuffle.shuffle(other)
    assert curve(rows) == curve(other)
    assert sum(b.observed * b.n for b in curve(rows)) == pytest.approx(sum(y for y, _ in rows))
