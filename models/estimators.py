"""Two small scikit-learn estimators: neutral scaling, and an ordinal model that learns from every sub-judgement.

With 150 to 350 inspections to learn from, what helps is few features, strong shrinkage, and telling the
model which way a measure is a concern: a coefficient of the wrong sign is set to nought.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    def fit(self, X: Floats, Y: Floats, sample_weight: Floats | None = None) -> Self:
        """X: rows by features, no gaps. Y: rows by ratings, grades 1 to 4, NaN where a rating was not given.

        Raises ValueError if a row has no rating or a rating is never given.
        """
        x = np.asarray(X, dtype=np.float64)
        y = np.asarray(Y, dtype=np.float64)
        y = y.reshape(len(y), -1)
        weight = np.ones(len(x)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        given = np.isfinite(y)
        if not given.any(axis=1).all() or not given.any(axis=0).all():
            raise ValueError("every row needs a rating and every rating a row")
        per_rating = weight / given.sum(axis=1)
        cells = [(np.flatnonzero(g), y[g, k].astype(np.intp)) for k, g in enumerate(given.T)]
        cells_w = [(rows, grades, per_rating[rows]) for rows, grades in cells]
        start = np.concatenate([np.zeros(x.shape[1]), *(_start(grades, w) for _, grades, w in cells_w)])
        result = minimize(
            _loss,
            start,
            args=(x, cells_w, self.penalty),
            jac=True,
            method="L-BFGS-B",
            bounds=[*_bounds(self.directions, x.shape[1]), *[(None, None)] * (_LEVELS * y.shape[1])],
            options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-8},
        )
        self.coef_ = result.x[: x.shape[1]]
        raw = result.x[x.shape[1] :].reshape(-1, _LEVELS)
        self.cuts_ = np.stack([_cuts(r) for r in raw])
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


def _start(grades: NDArray[np.intp], weight: Floats) -> Floats:
    """Cut-points that give the base rates, as (first, log of gap, log of gap)."""
    worse = np.array([np.clip(np.average(grades > k, weights=weight), 0.02, 0.98) for k in (1, 2, 3)])
    cuts = np.log((1 - worse) / worse)
    return np.array([cuts[0], *np.log(np.maximum(np.diff(cuts), 0.05))])


def _cuts(raw: Floats) -> Floats:
    return np.array([raw[0], raw[0] + np.exp(raw[1]), raw[0] + np.exp(raw[1]) + np.exp(raw[2])])


def _loss(
    parameters: Floats,
    x: Floats,
    cells: list[tuple[NDArray[np.intp], NDArray[np.intp], Floats]],
    penalty: float,
) -> tuple[float, Floats]:
    """Penalised negative log-likelihood and its gradient.

    With P(grade ≤ k) = F(cut_k − η): dP/dη and dP/dcut are differences of the logistic density.
    """
    features = x.shape[1]
    coef = parameters[:features]
    eta = x @ coef
    loss = 0.5 * penalty * float(coef @ coef)
    slope = np.zeros(len(x))
    gradient = np.zeros_like(parameters)
    for k, (rows, grades, weight) in enumerate(cells):
        at = features + _LEVELS * k
        raw = parameters[at : at + _LEVELS]
        edges = np.concatenate([[-np.inf], _cuts(raw), [np.inf]])
        upper = expit(edges[grades] - eta[rows])
        lower = expit(edges[grades - 1] - eta[rows])
        likelihood = np.maximum(upper - lower, _TINY)
        loss -= float(weight @ np.log(likelihood))
        d_upper = upper * (1 - upper) * weight / likelihood
        d_lower = lower * (1 - lower) * weight / likelihood
        slope[rows] += d_upper - d_lower
        d_cut = [float(d_lower[grades == j + 1].sum() - d_upper[grades == j].sum()) for j in (1, 2, 3)]
        gradient[at : at + _LEVELS] = [
            sum(d_cut),
            np.exp(raw[1]) * (d_cut[1] + d_cut[2]),
            np.exp(raw[2]) * d_cut[2],
        ]
    gradient[:features] = x.T @ slope + penalty * coef
    return loss, gradient
