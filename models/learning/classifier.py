"""The model: an ordinal classifier of grades that includes its level, in a single scikit-learn estimator.

With 150 to 400 inspections to learn from, three things help: few features, strong shrinkage, and telling the model in
which direction a measure is a concern (a coefficient of the wrong sign is set to 0). All classes share one set of
coefficients and have their own cut-points, so “inadequate” comes from the same model as “below good”.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import date
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit
from scipy.stats import norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from models.learning.level import Floats, Judged, Level, LevelRule, followed, served, unknown

#: A scaled figure more than this many standard deviations from the typical council is clipped to this many.
CLIP = 3.0
#: The number of inspections that must have set the level before they move the cut-points: with 100, a share near 0.4 is
#: known to within about 5 points (one standard error).
LEVEL_FROM = 100
_TINY = 1e-12
_FURTHEST = 6.0


class BelowGoodClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
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
        tags.input_tags.allow_nan = True
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
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        used = weight > 0
        X, y, weight = X[used], np.asarray(y)[used], weight[used]
        self.classes_, grade = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("Only one class was given; a classifier needs two or more to tell apart.")
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

    def predict_proba(self, X: Any) -> Floats:
        """P(class) of each row at the model's current level, in the order of `classes_`."""
        return self.probabilities(self.linear(X), self.level_[0], self.level_[1])

    def probabilities(self, eta: Floats, mean: float | Floats, variance: float | Floats) -> Floats:
        """P(class) from linear predictors, each at its own level."""
        worse = [served(eta - cut, mean, variance) for cut in self.cuts_]
        edges = np.column_stack([np.ones(len(eta)), *worse, np.zeros(len(eta))])
        return np.asarray(edges[:, :-1] - edges[:, 1:])

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each row."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[np.argmax(probabilities, axis=1)])

    def below_good(self, X: Any) -> Floats:
        """P(class > good): the number that people are told."""
        return np.asarray(self.predict_proba(X)[:, self._good_cut() + 1 :].sum(axis=1))

    def inadequate(self, X: Any) -> Floats:
        """P(the worst class)."""
        return np.asarray(self.predict_proba(X)[:, -1])

    def log_odds(self, X: Any) -> Floats:
        """Log-odds of below good without the level; councils are ranked by these."""
        return np.asarray(self.linear(X) - self.cuts_[self._good_cut()])

    def contributions(self, X: Any) -> Floats:
        """Rows by features: what each feature adds to the log-odds of a council with typical figures; a gap adds 0."""
        return np.asarray(self._checked(X) * self.coef_)

    def typical_log_odds(self) -> float:
        """Log-odds of below good for a council with typical figures at this level; contributions add to it."""
        return float(self.level_[0] - self.cuts_[self._good_cut()])

    def interval(self, X: Any, level: float = 0.8) -> tuple[Floats, Floats]:
        """Low and high of P(below good), given uncertain coefficients, missing figures and an uncertain level."""
        deviation = np.sqrt(self.deviation(X) ** 2 + self.level_[1])
        reach = float(norm.ppf(0.5 + level / 2)) * deviation
        middle = self.log_odds(X) + self.level_[0]
        return np.asarray(expit(middle - reach)), np.asarray(expit(middle + reach))

    def deviation(self, X: Any) -> Floats:
        """Standard deviation of each row's log-odds, leaving out the level's own uncertainty.

        A missing figure could be any that a council has, so it adds the square of its coefficient to the variance.
        """
        x = self._checked(X)
        missing = ~np.isfinite(validate_data(self, X, dtype=np.float64, ensure_all_finite=False, reset=False))
        variance = np.einsum("ij,jk,ik->i", x, self.coef_covariance_, x) + missing @ self.coef_**2
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    @property
    def rule(self) -> LevelRule:
        """How this model's level is followed."""
        return LevelRule(self.level_sd, self.level_half_life)

    @property
    def level(self) -> Level:
        """The level the model serves."""
        mean, variance, judgements, to = self.level_
        return Level(float(mean), float(variance), int(judgements), date.fromordinal(int(to)) if to else None)

    def at_level(self, level: Level) -> Self:
        """A copy of this model at another level; this one is unchanged."""
        moved = copy.copy(self)
        moved._set_level(level)
        return moved

    def _set_level(self, level: Level) -> None:
        to = 0 if level.to is None else level.to.toordinal()
        self.level_ = np.array([level.mean, level.variance, level.judgements, to], dtype=np.float64)

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
        at = eta - self.cuts_[self._good_cut()]
        rows = zip(published[sets], at[sets], y[sets] > self.good, weight[sets], strict=True)
        judged = [Judged(date.fromordinal(int(d)), float(o), bool(b), float(w)) for d, o, b, w in rows]
        self._set_level(followed(unknown(self.rule), self.rule, judged))

    def _good_cut(self) -> int:
        """The cut-point between good and below good; the middle one if the classes are not grades."""
        below = [k for k, c in enumerate(self.classes_[:-1]) if np.issubdtype(type(c), np.number) and c <= self.good]
        return below[-1] if below else (len(self.cuts_) - 1) // 2

    def _scale(self, X: Floats, weight: Floats) -> None:
        there = np.isfinite(X)
        mass = np.where(there, weight[:, None], 0.0)
        total = np.maximum(mass.sum(axis=0), _TINY)
        filled = np.where(there, X, 0.0)
        self.centre_ = (mass * filled).sum(axis=0) / total
        spread = np.sqrt((mass * (filled - self.centre_) ** 2).sum(axis=0) / total)
        self.scale_ = np.where(spread > 1e-9, spread, 1.0)

    def _scaled(self, X: Floats) -> Floats:
        scaled = np.nan_to_num((X - self.centre_) / self.scale_, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(np.clip(scaled, -self.clip, self.clip))

    def _checked(self, X: Any) -> Floats:
        check_is_fitted(self)
        return self._scaled(validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False))

    def linear(self, X: Any) -> Floats:
        """x·coef of each row: higher is worse; 0 for a council with typical figures."""
        # Row by row rather than as a matrix product, so that a row's number does not depend on the other rows.
        return np.asarray((self._checked(X) * self.coef_).sum(axis=1))

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


def level_shift(log_odds: Floats, worse: NDArray[np.bool_], weight: Floats, cases: float = 0.0) -> float:
    """The shift of log-odds at which forecasts sum to the observed number; `cases` count in favour of no shift."""

    def excess(shift: float) -> float:
        return float(weight @ (worse - expit(log_odds + shift))) - cases * 0.25 * shift

    if excess(-_FURTHEST) <= 0:
        return -_FURTHEST
    if excess(_FURTHEST) >= 0:
        return _FURTHEST
    return float(brentq(excess, -_FURTHEST, _FURTHEST, xtol=1e-12))
