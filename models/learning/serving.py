"""What is served of a classifier: its level, the numbers at that level, an interval, and exact reasons if it has any.

Training knows a `ServedClassifier` and nothing else, scoring its `Scorer` alone. `BelowGoodClassifier` is one;
`WithLevel` makes one of any other classifier of scikit-learn, so that a line in the list of candidates is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, has_fit_parameter, validate_data

from models.learning.level import Floats, Judged, Level, followed, unknown
from models.scorer import Scorer

#: The number of inspections that must have set the level before they move the cut-points: with 100, a share near 0.4 is
#: known to within about 5 points (one standard error).
LEVEL_FROM = 100
_TINY = 1e-12
_FURTHEST = 6.0


class ServedClassifier(ClassifierMixin, BaseEstimator, Scorer):  # type: ignore[misc]  # scikit-learn carries no types
    """A classifier of ordered classes with its level inside. Everything that people are told comes from its `edges`.

    Classes are taken in their sorted order; grades are 1 (outstanding) to 4 (inadequate), and those above `good` are
    below good. `level_sd` and `level_half_life` say how the level is followed (`models.learning.level`); with an SD of
    0 it stays as it is.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    def called(self) -> tuple[str, dict[str, Any]]:
        """Name and settings, for the record."""
        return type(self).__name__, self.get_params()

    @property
    def figures(self) -> Mapping[str, Floats]:
        """What the record says of each column."""
        return {"typical": self.centre_, "scale": self.scale_}

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each row."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[np.argmax(probabilities, axis=1)])

    def _follow(self, log_odds: Floats, y: NDArray[Any], weight: Floats, published: Floats) -> None:
        """Follow the level over the rows that set it (those with a day of publication)."""
        sets = np.isfinite(published)
        rows = zip(published[sets], log_odds[sets], y[sets] > self.good, weight[sets], strict=True)
        judged = [Judged(date.fromordinal(int(d)), float(o), bool(b), float(w)) for d, o, b, w in rows]
        self._set_level(followed(unknown(self.rule), self.rule, judged))

    def _given(self, X: Any, y: Any, sample_weight: Any) -> tuple[Floats, NDArray[Any], Floats, NDArray[np.bool_]]:
        """Rows, classes and weights to learn from, checked, and which of the given rows they are (weight above 0)."""
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        used = weight > 0
        self.classes_ = np.unique(np.asarray(y)[used])
        if len(self.classes_) < 2:
            raise ValueError("Only one class was given; a classifier needs two or more to tell apart.")
        return X[used], np.asarray(y)[used], weight[used], used

    def _read(self, X: Any) -> Floats:
        """Rows to forecast, as floats with gaps as NaN."""
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False))

    def _scale(self, X: Floats, weight: Floats) -> None:
        """Remember the typical figure and the spread of each column."""
        there = np.isfinite(X)
        mass = np.where(there, weight[:, None], 0.0)
        total = np.maximum(mass.sum(axis=0), _TINY)
        filled = np.where(there, X, 0.0)
        self.centre_ = (mass * filled).sum(axis=0) / total
        spread = np.sqrt((mass * (filled - self.centre_) ** 2).sum(axis=0) / total)
        self.scale_ = np.where(spread > 1e-9, spread, 1.0)


class WithLevel(ServedClassifier):
    """Any classifier of scikit-learn, served as the model is: at a level that is followed, with an interval.

    Reasons are refused (`contributions` is None): what one figure adds has no exact answer here. An estimator with
    an answer of its own is a `ServedClassifier` itself. A gap is handed on if the estimator takes gaps; if not, it is
    replaced by the typical figure. Weights are handed on if it takes weights.

    copies: the interval rests on so many copies, each learned without a share of the councils; 0 gives no interval.
    """

    def __init__(
        self, estimator: Any, good: int = 2, copies: int = 10, level_sd: float = 0.7, level_half_life: float = 2.0
    ) -> None:
        self.estimator = estimator
        self.good = good
        self.copies = copies
        self.level_sd = level_sd
        self.level_half_life = level_half_life

    def fit(self, X: Any, y: Any, sample_weight: Any = None, published: Any = None, groups: Any = None) -> Self:
        """Learn the estimator, then the level if `published` is given; the rows are as for `BelowGoodClassifier`."""
        X, y, weight, used = self._given(X, y, sample_weight)
        self._scale(X, weight)
        self.estimator_, self.shift_ = self._learned(X, y, weight), 0.0
        self.could_be_ = np.array([_fifths(column) for column in X.T])
        clusters = np.arange(len(X)) if groups is None else np.unique(np.asarray(groups)[used], return_inverse=True)[1]
        self.spread_ = self._spread(X, y, weight, clusters)
        self._set_level(Level())
        if published is not None:
            days = np.asarray(published, dtype=np.float64)[used]
            sets, odds = np.isfinite(days), self._edges(self.estimator_, X)[self._good_edge()]
            if weight[sets].sum() >= LEVEL_FROM:
                # One shift for all classes, so that each row's probabilities still add up.
                self.shift_ = level_shift(odds[sets], y[sets] > self.good, weight[sets])
            self._follow(odds + self.shift_, y, weight, days)
        return self

    @property
    def called(self) -> tuple[str, dict[str, Any]]:
        """Name of the estimator, with its settings and those of the level."""
        own = {name: value for name, value in self.get_params(deep=False).items() if name != "estimator"}
        return type(self.estimator).__name__, {**self.estimator.get_params(), **own}

    def edges(self, X: Any) -> list[Floats]:
        """For each class but the worst: every row's log-odds of a worse one, without the level."""
        x = self._read(X)
        return [edge + self.shift_ for edge in self._edges(self.estimator_, x)]

    def deviation(self, X: Any) -> Floats:
        """The copies' spread, one for all rows; and for each missing figure that of the figures it could be."""
        x = self._read(X)
        variance = np.full(len(x), self.spread_**2)
        for column in np.flatnonzero(np.isnan(x).any(axis=0)):
            gaps = np.isnan(x[:, column])
            tried = []
            for figure in self.could_be_[column]:
                filled = x[gaps].copy()
                filled[:, column] = figure
                tried.append(self._edges(self.estimator_, filled)[self._good_edge()])
            variance[gaps] += np.var(tried, axis=0)
        return np.asarray(np.sqrt(variance))

    def _learned(self, X: Floats, y: NDArray[Any], weight: Floats) -> Any:
        given = {"sample_weight": weight} if has_fit_parameter(self.estimator, "sample_weight") else {}
        x = self._filled(X)
        # A column that is all gaps can tell no rows apart, and trees refuse it.
        x = np.where(np.isnan(x).all(axis=0), 0.0, x)
        return clone(self.estimator).fit(x, y, **given)

    def _edges(self, estimator: Any, X: Floats) -> list[Floats]:
        p = estimator.predict_proba(self._filled(X))
        worse = [np.clip(p[:, estimator.classes_ > c].sum(axis=1), 0.0, 1.0) for c in self.classes_[:-1]]
        return [np.clip(logit(one), -_FURTHEST, _FURTHEST) for one in worse]

    def _filled(self, X: Floats) -> Floats:
        return X if get_tags(self.estimator).input_tags.allow_nan else np.where(np.isnan(X), self.centre_, X)

    def _spread(self, X: Floats, y: NDArray[Any], weight: Floats, clusters: NDArray[np.intp]) -> float:
        """The jackknife's standard deviation of log-odds, as root mean square over rows; NaN without copies."""
        folds = [clusters % self.copies != k for k in range(min(self.copies, int(clusters.max()) + 1))]
        kept = [fold for fold in folds if len(np.unique(y[fold])) == len(self.classes_)]
        if len(kept) < 2:
            return float("nan")
        copies = [self._learned(X[fold], y[fold], weight[fold]) for fold in kept]
        odds = np.array([self._edges(one, X)[self._good_edge()] for one in copies])
        return float(np.sqrt((len(kept) - 1) * np.var(odds, axis=0).mean()))


def _fifths(column: Floats) -> Floats:
    """Five figures that stand for a column's; of a column of gaps, zeros."""
    there = column[np.isfinite(column)]
    return np.asarray(np.quantile(there, [0.1, 0.3, 0.5, 0.7, 0.9]) if len(there) else np.zeros(5))


def level_shift(log_odds: Floats, worse: NDArray[np.bool_], weight: Floats, cases: float = 0.0) -> float:
    """The shift of log-odds at which forecasts sum to the observed number; `cases` count in favour of no shift."""

    def excess(shift: float) -> float:
        return float(weight @ (worse - expit(log_odds + shift))) - cases * 0.25 * shift

    if excess(-_FURTHEST) <= 0:
        return -_FURTHEST
    if excess(_FURTHEST) >= 0:
        return _FURTHEST
    return float(brentq(excess, -_FURTHEST, _FURTHEST, xtol=1e-12))
