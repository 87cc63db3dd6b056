"""Two small scikit-learn estimators: neutral scaling, and an ordinal model that learns from every sub-judgement.

With 150 to 350 inspections to learn from, what helps is few features, strong shrinkage, and telling the
model which way a measure is a concern: a coefficient of the wrong sign is set to nought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]

#: A scaled figure further from the typical council than this many standard deviations counts as this far.
CLIP = 3.0
_LEVELS = 3
_TINY = 1e-9


class NeutralScaler(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """Brings each feature to mean 0 and standard deviation 1 of the training rows; a missing figure is 0.

    So a missing figure says nothing either way, and a linear model's share of a feature is its distance
    from a council with typical figures. `centre_` and `scale_` are kept for the model card.
    """

    def __init__(self, clip: float = CLIP) -> None:
        self.clip = clip

    def fit(self, X: Floats, y: Any = None) -> Self:
        """Learn means and deviations of the figures that are there; a feature nobody has stays 0."""
        values = np.asarray(X, dtype=np.float64)
        there = np.isfinite(values)
        count = np.maximum(there.sum(axis=0), 1)
        filled = np.where(there, values, 0.0)
        self.centre_ = filled.sum(axis=0) / count
        spread = np.sqrt((np.where(there, values - self.centre_, 0.0) ** 2).sum(axis=0) / count)
        self.scale_ = np.where(spread > _TINY, spread, 1.0)
        return self

    def transform(self, X: Floats) -> Floats:
        """Scaled, clipped, gaps at 0."""
        check_is_fitted(self)
        scaled = (np.asarray(X, dtype=np.float64) - self.centre_) / self.scale_
        filled = np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(np.clip(filled, -self.clip, self.clip))


class OrdinalRatings(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """Cumulative-logit regression of several grades of one inspection on the same features.

    Each inspection is graded on up to four sub-judgements. All of them share one set of coefficients and
    have their own cut-points, so the finer picture trains the model while the first rating (the impact of
    leaders) stays what is predicted: P(grade > k) = expit(x·coef − cut_k). An inspection weighs the same
    however many of its sub-judgements are known.

    penalty: ridge penalty on the coefficients (cut-points are free).
    directions: +1 if more is a concern, −1 if less is, 0 if either; coefficients of the other sign are held at 0.
    """

    def __init__(self, penalty: float = 8.0, directions: Sequence[int] | None = None) -> None:
        self.penalty = penalty
        self.directions = directions

    def fit(self, X: Floats, Y: Floats, sample_weight: Floats | None = None, start: Floats | None = None) -> Self:
        """X: rows by features, no gaps. Y: rows by ratings, grades 1 to 4, NaN where a rating was not given.

        `start`: `parameters_` of an earlier fit to the same features and ratings, to begin from; it saves
        time and changes the result by less than the optimiser's tolerance.
        Raises ValueError if a row has no rating or a rating is never given.
        """
        x = np.asarray(X, dtype=np.float64)
        y = np.asarray(Y, dtype=np.float64)
        y = y.reshape(len(y), -1)
        weight = np.ones(len(x)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        given = np.isfinite(y)
        if not given.any(axis=1).all() or not given.any(axis=0).all():
            raise ValueError("every row needs a rating and every rating a row")
        rows, ratings = np.nonzero(given)
        cells = _Cells(rows, ratings, y[rows, ratings].astype(np.intp), (weight / given.sum(axis=1))[rows])
        if start is None:
            cuts = [_start(y[given[:, k], k], weight[given[:, k]]) for k in range(y.shape[1])]
            start = np.concatenate([np.zeros(x.shape[1]), *cuts])
        result = minimize(
            _loss,
            start,
            args=(x, cells, self.penalty),
            jac=True,
            method="L-BFGS-B",
            bounds=[*_bounds(self.directions, x.shape[1]), *[(None, None)] * (_LEVELS * y.shape[1])],
            options={"maxiter": 1000, "ftol": 1e-11, "gtol": 1e-7},
        )
        self.parameters_ = np.asarray(result.x)
        self.coef_ = self.parameters_[: x.shape[1]]
        self.cuts_ = _cuts(self.parameters_[x.shape[1] :].reshape(-1, _LEVELS))
        self.n_features_in_ = x.shape[1]
        return self

    def decision_function(self, X: Floats) -> Floats:
        """x·coef: higher is worse; 0 for a council with typical figures."""
        check_is_fitted(self)
        return np.asarray(np.asarray(X, dtype=np.float64) @ self.coef_)

    def worse_than(self, X: Floats, grade: int, rating: int = 0) -> Floats:
        """P(rating is worse than `grade`): 2 for below good, 3 for inadequate."""
        return np.asarray(expit(self.decision_function(X) - self.cuts_[rating, grade - 1]))


def _bounds(directions: Sequence[int] | None, features: int) -> list[tuple[float | None, float | None]]:
    if directions is None:
        return [(None, None)] * features
    return [(0.0, None) if d > 0 else (None, 0.0) if d < 0 else (None, None) for d in directions]


@dataclass(frozen=True, slots=True)
class _Cells:
    """The ratings that were given, one per cell: its row, its rating, the grade, its weight."""

    rows: NDArray[np.intp]
    ratings: NDArray[np.intp]
    grades: NDArray[np.intp]
    weight: Floats


def _start(grades: Floats, weight: Floats) -> Floats:
    """Cut-points that give the base rates, as (first, log of gap, log of gap)."""
    worse = np.array([np.clip(np.average(grades > k, weights=weight), 0.02, 0.98) for k in (1, 2, 3)])
    cuts = np.log((1 - worse) / worse)
    return np.array([cuts[0], *np.log(np.maximum(np.diff(cuts), 0.05))])


def _cuts(raw: Floats) -> Floats:
    """Ratings by levels: each cut-point above the one before, whatever the parameters."""
    return np.cumsum(np.column_stack([raw[:, 0], np.exp(raw[:, 1:])]), axis=1)


def _loss(parameters: Floats, x: Floats, cells: _Cells, penalty: float) -> tuple[float, Floats]:
    """Penalised negative log-likelihood and its gradient.

    With P(grade ≤ k) = F(cut_k − η): dP/dη and dP/dcut are differences of the logistic density.
    """
    features = x.shape[1]
    coef = parameters[:features]
    raw = parameters[features:].reshape(-1, _LEVELS)
    ends = np.full((len(raw), 1), np.inf)
    edges = np.hstack([-ends, _cuts(raw), ends])
    eta = (x @ coef)[cells.rows]
    upper = expit(edges[cells.ratings, cells.grades] - eta)
    lower = expit(edges[cells.ratings, cells.grades - 1] - eta)
    likelihood = np.maximum(upper - lower, _TINY)
    loss = 0.5 * penalty * float(coef @ coef) - float(cells.weight @ np.log(likelihood))
    d_upper = upper * (1 - upper) * cells.weight / likelihood
    d_lower = lower * (1 - lower) * cells.weight / likelihood
    slope = np.bincount(cells.rows, d_upper - d_lower, minlength=len(x))
    # An edge is the upper bound of its grade and the lower bound of the next.
    at = cells.ratings * (_LEVELS + 2) + cells.grades
    size = len(raw) * (_LEVELS + 2)
    d_edge = np.bincount(at - 1, d_lower, minlength=size) - np.bincount(at, d_upper, minlength=size)
    d_cut = d_edge.reshape(-1, _LEVELS + 2)[:, 1:-1]
    from_here = np.cumsum(d_cut[:, ::-1], axis=1)[:, ::-1]
    d_raw = np.column_stack([from_here[:, 0], np.exp(raw[:, 1:]) * from_here[:, 1:]])
    return loss, np.concatenate([x.T @ slope + penalty * coef, d_raw.ravel()])
