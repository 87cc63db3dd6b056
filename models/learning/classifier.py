"""The model: an ordinal classifier of grades that includes its level, in a single scikit-learn estimator.

With 150 to 400 inspections to learn from, three things help: few features, strong shrinkage, and telling the model in
which direction a measure is a concern (a coefficient of the wrong sign is set to 0). All classes share one set of
coefficients and have their own cut-points, so “inadequate” comes from the same model as “below good”.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from models.learning.level import Floats, Level
from models.learning.serving import LEVEL_FROM, ServedClassifier, level_shift
from models.scorer import OrdinalScorer, Scorer

#: A scaled figure more than this many standard deviations from the typical council is clipped to this many.
CLIP = 3.0
_TINY = 1e-12


class BelowGoodClassifier(ServedClassifier, OrdinalScorer):
    """Cumulative-logit regression of ordered classes: P(class > k) = expit(x·coef − cut_k + level).

    Classes are taken in their sorted order; grades are 1 (outstanding) to 4 (inadequate). A missing figure (NaN) is
    replaced by that of a typical council: it says nothing either way, and widens the interval.

    penalty: ridge penalty on the coefficients (cut-points are free).
    directions: +1 if more is a concern, −1 if less is, 0 if either; coefficients of the other sign are held at 0.
    good: the highest class that is not below good.
    level_sd, level_half_life: how the level is followed (`models.learning.level`); with an SD of 0 it stays as it is.
    """

    def __init__(
        self,
        penalty: float = 8.0,
        directions: Sequence[int] | None = None,
        good: int = 2,
        clip: float = CLIP,
        level_sd: float = 0.7,
        level_half_life: float = 2.0,
    ) -> None:
        self.penalty = penalty
        self.directions = directions
        self.good = good
        self.clip = clip
        self.level_sd = level_sd
        self.level_half_life = level_half_life

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Classes must be ordered along one line, which scikit-learn's test data (blobs) are not.
        tags.classifier_tags.poor_score = True
        return tags

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        published: Any = None,
        groups: Any = None,
    ) -> Self:
        """Learn scale, coefficients and cut-points, and the level too if `published` is given.

        published: for each row the day of publication as an ordinal; NaN for rows that are learned from but do not set
        the level (an earlier framework). groups: for each row its council; the interval then allows for the likeness of
        rows of one council.
        """
        X, y, weight, used = self._given(X, y, sample_weight)
        grade = np.searchsorted(self.classes_, y)
        if self.directions is not None and len(self.directions) != X.shape[1]:
            raise ValueError(f"{len(self.directions)} directions were given for {X.shape[1]} features.")
        self._scale(X, weight)
        x = self._scaled(X)
        parameters = self._minimised(x, grade, weight)
        self.coef_ = parameters[: x.shape[1]]
        self.cuts_ = _cuts(parameters[x.shape[1] :])
        clusters = np.arange(len(x)) if groups is None else np.unique(np.asarray(groups)[used], return_inverse=True)[1]
        self.coef_covariance_ = self._covariance(parameters, x, grade, weight, clusters)
        self._set_level(Level())
        if published is not None:
            self._learn_level(x, y, weight, np.asarray(published, dtype=np.float64)[used])
        return self

    @property
    def called(self) -> tuple[str, dict[str, Any]]:
        """Name and settings, for the record; directions follow from the columns."""
        name, settings = super().called
        return name, {k: v for k, v in settings.items() if k != "directions"}

    @property
    def figures(self) -> Mapping[str, Floats]:
        """What the record says of each column."""
        return {**super().figures, "coefficients": self.coef_}

    def _learn_level(self, x: Floats, y: NDArray[Any], weight: Floats, published: Floats) -> None:
        """Move the cut-points to fit the rows that set the level, if there are enough; then follow the level."""
        sets = np.isfinite(published)
        eta = x @ self.coef_
        if weight[sets].sum() >= LEVEL_FROM:
            moved = [
                cut - level_shift(eta[sets] - cut, y[sets] > self.classes_[k], weight[sets])
                for k, cut in enumerate(self.cuts_)
            ]
            self.cuts_ = np.maximum.accumulate(np.array(moved))
        self._follow(eta - self.cuts_[self._good_edge()], y, weight, published)

    def _minimised(self, x: Floats, grade: NDArray[np.intp], weight: Floats) -> Floats:
        levels = len(self.classes_) - 1
        bounds: list[tuple[float | None, float | None]] = [(None, None)] * x.shape[1]
        if self.directions is not None:
            bounds = [(0.0, None) if d > 0 else (None, 0.0) if d < 0 else (None, None) for d in self.directions]
        result = minimize(
            _loss,
            np.concatenate([np.zeros(x.shape[1]), _start(grade, weight, levels)]),
            args=(x, grade, weight, self.penalty),
            jac=True,
            method="L-BFGS-B",
            bounds=[*bounds, *[(None, None)] * levels],
            options={"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-8},
        )
        return np.asarray(result.x)

    def _covariance(
        self, parameters: Floats, x: Floats, grade: NDArray[np.intp], weight: Floats, clusters: NDArray[np.intp]
    ) -> Floats:
        """Covariance of the coefficients, allowing for likeness within clusters; 0 for those held at 0."""
        features = x.shape[1]
        free = np.flatnonzero(np.append(parameters[:features] != 0, np.ones(len(parameters) - features, dtype=bool)))
        step = 1e-4
        curve = np.empty((len(free), len(free)))
        for j, at in enumerate(free):
            up, down = parameters.copy(), parameters.copy()
            up[at] += step
            down[at] -= step
            difference = _loss(up, x, grade, weight, self.penalty)[1] - _loss(down, x, grade, weight, self.penalty)[1]
            curve[:, j] = difference[free] / (2 * step)
        slopes = _row_slopes(parameters, x, grade, weight)[:, free]
        summed = np.zeros((int(clusters.max()) + 1, len(free)))
        np.add.at(summed, clusters, slopes)
        inverse = np.linalg.pinv((curve + curve.T) / 2)
        found = inverse @ (summed.T @ summed) @ inverse
        covariance = np.zeros((features, features))
        kept = free[free < features]
        covariance[np.ix_(kept, kept)] = found[: len(kept), : len(kept)]
        return covariance


def to_store(scorer: Scorer) -> Scorer:
    """The estimator as it is stored: one that was read for its numbers alone becomes the classifier again."""
    if type(scorer) is not OrdinalScorer:
        return scorer
    whole = BelowGoodClassifier.__new__(BelowGoodClassifier)
    whole.__dict__.update(scorer.__dict__)
    return whole


def _start(grade: NDArray[np.intp], weight: Floats, levels: int) -> Floats:
    """Cut-points that reproduce the base rates, as (first, log of gap, log of gap, …)."""
    worse = np.array([np.clip(np.average(grade > k, weights=weight), 0.02, 0.98) for k in range(levels)])
    cuts = np.log((1 - worse) / worse)
    return np.array([cuts[0], *np.log(np.maximum(np.diff(cuts), 0.05))])


def _cuts(raw: Floats) -> Floats:
    """Cut-points from parameters; each is above the one before, whatever the parameters are."""
    return np.cumsum(np.concatenate([raw[:1], np.exp(raw[1:])]))


def _parts(parameters: Floats, x: Floats, grade: NDArray[np.intp], weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Likelihood of each row, and the weighted derivatives of its logarithm by the upper and the lower edge."""
    edges = np.concatenate([[-np.inf], _cuts(parameters[x.shape[1] :]), [np.inf]])
    eta = x @ parameters[: x.shape[1]]
    upper, lower = expit(edges[grade + 1] - eta), expit(edges[grade] - eta)
    likelihood = np.maximum(upper - lower, _TINY)
    return (
        likelihood,
        upper * (1 - upper) * weight / likelihood,
        lower * (1 - lower) * weight / likelihood,
    )


def _row_slopes(parameters: Floats, x: Floats, grade: NDArray[np.intp], weight: Floats) -> Floats:
    """Rows by parameters: the gradient of each row's negative log-likelihood."""
    levels = len(parameters) - x.shape[1]
    _, d_upper, d_lower = _parts(parameters, x, grade, weight)
    d_cut = np.zeros((len(x), levels + 2))
    rows = np.arange(len(x))
    d_cut[rows, grade + 1] -= d_upper
    d_cut[rows, grade] += d_lower
    inner = d_cut[:, 1:-1]
    from_here = np.cumsum(inner[:, ::-1], axis=1)[:, ::-1]
    gaps = np.exp(parameters[x.shape[1] + 1 :])
    d_raw = np.column_stack([from_here[:, :1], from_here[:, 1:] * gaps])
    return np.hstack([x * (d_upper - d_lower)[:, None], d_raw])


def _loss(
    parameters: Floats, x: Floats, grade: NDArray[np.intp], weight: Floats, penalty: float
) -> tuple[float, Floats]:
    """Penalised negative log-likelihood and its gradient."""
    coef = parameters[: x.shape[1]]
    likelihood, _, _ = _parts(parameters, x, grade, weight)
    slope = _row_slopes(parameters, x, grade, weight).sum(axis=0)
    slope[: x.shape[1]] += penalty * coef
    return 0.5 * penalty * float(coef @ coef) - float(weight @ np.log(likelihood)), slope
