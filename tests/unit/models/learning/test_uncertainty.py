"""Intervals widen with what is missing, and their coverage is counted in groups of ten."""

from __future__ import annotations

import numpy as np
import pytest

from models.judgements.design import Design
from models.learning.candidates import BY_CANDIDATE, DEFAULT
from models.learning.fitting import fit
from models.learning.uncertainty import Spread, _count_distribution, band, coverage, interval_of, resampled, widening


def test_what_is_missing_widens_the_interval(design: Design) -> None:
    fitted = fit(BY_CANDIDATE[DEFAULT], design.frame)
    spread = resampled(fitted.candidate, fitted.scaler, design.frame, draws=8)
    rows = design.frame.tail(1)
    emptied = rows.with_columns(**{c: None for c in fitted.candidate.columns[:5]})
    low, high = interval_of(fitted, spread, rows)
    low_emptied, high_emptied = interval_of(fitted, spread, emptied)
    assert 0 < low[0] < fitted.forecast(rows).below_good[0] < high[0] < 1
    assert np.log(high_emptied / (1 - high_emptied)) - np.log(low_emptied / (1 - low_emptied)) > np.log(
        high / (1 - high)
    ) - np.log(low / (1 - low))


def test_the_deviation_is_of_resamples_and_of_gaps() -> None:
    spread = Spread(np.array([[1.0], [3.0]]), np.array([0.0, 0.0]), widening=2.0)
    there = spread.deviation(np.array([[1.0]]), np.array([[0.0]]), np.array([2.0]))
    gone = spread.deviation(np.array([[0.0]]), np.array([[1.0]]), np.array([2.0]))
    assert there[0] == pytest.approx(2.0)
    assert gone[0] == pytest.approx(4.0)


def test_the_number_of_successes_has_the_right_distribution() -> None:
    assert _count_distribution(np.array([0.5, 0.5])) == pytest.approx([0.25, 0.5, 0.25])
    assert _count_distribution(np.array([1.0, 0.0, 1.0])) == pytest.approx([0.0, 0.0, 1.0, 0.0])


def test_coverage_sees_a_forecast_that_is_too_sure() -> None:
    y = np.tile([1.0] * 5 + [0.0] * 5, 4)
    assert coverage(y, np.full(40, 0.5), np.zeros(40)) == (1.0, 4)
    assert coverage(y, np.full(40, 0.02), np.zeros(40)) == (0.0, 4)
    assert widening(y, np.full(40, 0.2), np.full(40, 0.5)) > 1.0


def test_a_band_lies_around_its_forecast() -> None:
    low, high = band(np.array([0.3]), np.array([0.0]))
    assert low[0] == pytest.approx(0.3) == high[0]
