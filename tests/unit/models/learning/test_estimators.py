"""The ordinal regression: right gradient, right order, right signs; the scaler is neutral about gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from models.learning.estimators import NeutralScaler, OrdinalRatings, _Cells, _loss

RNG = np.random.default_rng(3)
X = RNG.normal(size=(160, 3))
LATENT = X @ [1.0, -0.8, 0.0] + RNG.logistic(size=160)
GRADES = 1.0 + (LATENT > -1.5) + (LATENT > 0) + (LATENT > 1.5)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    ratings = np.column_stack([GRADES, np.where(np.arange(160) % 3, GRADES, np.nan)])
    rows, which = np.nonzero(np.isfinite(ratings))
    cells = _Cells(rows, which, ratings[rows, which].astype(np.intp), RNG.uniform(0.3, 1, len(rows)))
    at = RNG.normal(size=3 + 6) * 0.3
    error = check_grad(lambda v: _loss(v, X, cells, 2.0)[0], lambda v: _loss(v, X, cells, 2.0)[1], at)
    assert error < 1e-4


def test_probabilities_fall_with_the_grade_and_rise_with_the_score() -> None:
    model = OrdinalRatings(1.0).fit(X, GRADES)
    assert np.all(model.worse_than(X, 1) >= model.worse_than(X, 2))
    assert np.all(model.worse_than(X, 2) >= model.worse_than(X, 3))
    order = np.argsort(model.decision_function(X))
    assert np.all(np.diff(model.worse_than(X, 2)[order]) >= 0)


def test_two_grades_are_plain_logistic_regression() -> None:
    y = np.where(LATENT > 0, 3.0, 2.0)
    ours = OrdinalRatings(4.0).fit(X, y)
    theirs = LogisticRegression(C=0.25, max_iter=5000, tol=1e-8).fit(X, y == 3)
    assert ours.coef_ == pytest.approx(theirs.coef_[0], abs=2e-3)


def test_a_coefficient_against_its_direction_is_nought() -> None:
    model = OrdinalRatings(1.0, directions=(-1, -1, 0)).fit(X, GRADES)
    assert model.coef_[0] == 0.0
    assert model.coef_[1] < 0


def test_other_sub_judgements_sharpen_the_first() -> None:
    twin = OrdinalRatings(1.0).fit(X, np.column_stack([GRADES, GRADES]))
    alone = OrdinalRatings(1.0).fit(X, GRADES)
    assert twin.coef_ == pytest.approx(alone.coef_, abs=1e-3)
    assert twin.cuts_[0] == pytest.approx(alone.cuts_[0], abs=1e-3)


def test_a_row_without_any_rating_is_refused() -> None:
    with pytest.raises(ValueError, match="every row needs a rating"):
        OrdinalRatings().fit(X[:2], np.array([[2.0], [np.nan]]))


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=2, max_size=30))
def test_a_gap_is_scaled_to_nought_and_nothing_leaves_the_bounds(values: list[float | None]) -> None:
    column = np.array([[np.nan if v is None else v] for v in values])
    scaled = NeutralScaler().fit(column).transform(column)
    assert np.all(np.abs(scaled) <= 3.0)
    assert np.all(scaled[np.isnan(column)] == 0.0)


def test_a_feature_nobody_has_stays_nought() -> None:
    scaler = NeutralScaler().fit(np.full((3, 1), np.nan))
    assert scaler.transform(np.array([[np.nan], [5.0]]))[0, 0] == 0.0
