"""From a candidate and training rows to forecasts: P(below good) and P(inadequate) of each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge

from models.judgements.design import direction, matrix
from models.learning.candidates import ILACS_LEVEL_FROM, Candidate, CandidateKind
from models.learning.estimators import Floats, NeutralScaler, OrdinalRatings
from models.record.judgements import ILACS

RATINGS = ("grade", "help", "care", "care_leavers")
SEED = 20170930
#: A sub-judgement given fewer times than this has no cut-points worth having.
_RATING_FROM = 20
_EDGE = 1e-4
#: A level never moves further than this on the log-odds scale.
_FURTHEST = 6.0


@dataclass(frozen=True)
class Forecast:
    """Two probabilities per row, each given an inspection."""

    below_good: Floats
    inadequate: Floats


#: A scaled matrix in, a forecast out.
_Predict = Callable[[Floats], Forecast]


@dataclass(frozen=True)
class Fitted:
    """A candidate after training: reads frames, forecasts, knows its level shifts."""

    candidate: Candidate
    scaler: NeutralScaler
    predict_scaled: _Predict
    shift: tuple[float, float]
    """Added to the log-odds of below good and of inadequate, so that ILACS inspections set the level."""
    ordinal: OrdinalRatings | None = None

    def forecast(self, frame: pl.DataFrame) -> Forecast:
        """Forecasts of the frame's rows, in its order."""
        raw = self.predict_scaled(self.scaler.transform(matrix(frame, self.candidate.columns)))
        return _shifted(raw, self.shift)


def fit(candidate: Candidate, training: pl.DataFrame) -> Fitted:
    """Train a candidate on rows of a design; the level is set on ILACS inspections once there are enough.

    SIF and ILACS judgements are not interchangeable: SIF rows help to learn what goes with a poor
    judgement, but with ILACS_LEVEL_FROM ILACS rows they no longer say how common one is.
    """
    scaler = NeutralScaler().fit(matrix(training, candidate.columns))
    x = scaler.transform(matrix(training, candidate.columns))
    predict, ordinal = _TRAINERS[candidate.kind](candidate, x, training)
    ilacs = (training["framework"] == ILACS).to_numpy()
    shift = (0.0, 0.0)
    if ilacs.sum() >= ILACS_LEVEL_FROM:
        raw = predict(x[ilacs])
        rows = training.filter(pl.Series(ilacs))
        shift = (
            level_shift(raw.below_good, rows["below_good"].to_numpy()),
            level_shift(raw.inadequate, rows["inadequate"].to_numpy()),
        )
    return Fitted(candidate, scaler, predict, shift, ordinal)


def level_shift(p: Floats, y: NDArray[np.bool_], weight: Floats | None = None, prior: float = 0.0) -> float:
    """What to add to the log-odds so that the forecasts sum to what happened; `prior` cases speak for no shift."""
    w = np.ones(len(p)) if weight is None else weight
    odds = logit(np.clip(p, _EDGE, 1 - _EDGE))

    def excess(shift: float) -> float:
        return float(w @ (y - expit(odds + shift))) - prior * 0.25 * shift

    if excess(-_FURTHEST) <= 0:
        return -_FURTHEST
    if excess(_FURTHEST) >= 0:
        return _FURTHEST
    return float(brentq(excess, -_FURTHEST, _FURTHEST))


def shifted(p: Floats, shift: float | Floats) -> Floats:
    """Probabilities moved on the log-odds scale."""
    return np.asarray(expit(logit(np.clip(p, _EDGE, 1 - _EDGE)) + shift))


def _shifted(raw: Forecast, shift: tuple[float, float]) -> Forecast:
    below = shifted(raw.below_good, shift[0])
    return Forecast(below, np.minimum(shifted(raw.inadequate, shift[1]), below))


def directions_of(candidate: Candidate) -> tuple[int, ...]:
    """The direction of concern of each of the candidate's columns."""
    return tuple(direction(c) for c in candidate.columns)


def train_ordinal(
    candidate: Candidate, x: Floats, training: pl.DataFrame, start: Floats | None = None
) -> OrdinalRatings:
    """The ordinal regression of a candidate on scaled rows; a rating too rare to learn from is left out."""
    ratings = [r for r in RATINGS if r == RATINGS[0] or training[r].count() >= _RATING_FROM]
    model = OrdinalRatings(candidate.settings["penalty"], directions_of(candidate))
    if start is not None and len(start) != len(candidate.columns) + 3 * len(ratings):
        start = None
    return model.fit(x, matrix(training, ratings), start=start)


def _fit_ordinal(candidate: Candidate, x: Floats, training: pl.DataFrame) -> tuple[_Predict, OrdinalRatings | None]:
    model = train_ordinal(candidate, x, training)
    return lambda z: Forecast(model.worse_than(z, 2), model.worse_than(z, 3)), model


def _fit_base_rate(candidate: Candidate, x: Floats, training: pl.DataFrame) -> tuple[_Predict, OrdinalRatings | None]:
    below, inadequate = (float(np.mean(training[t].to_numpy())) for t in ("below_good", "inadequate"))
    return lambda z: Forecast(np.full(len(z), below), np.full(len(z), inadequate)), None


def _fit_logistic(candidate: Candidate, x: Floats, training: pl.DataFrame) -> tuple[_Predict, OrdinalRatings | None]:
    def one(target: str) -> Callable[[Floats], Floats]:
        y = training[target].to_numpy()
        if y.all() or not y.any():
            return lambda z: np.full(len(z), float(y[0]))
        model = LogisticRegression(C=candidate.settings["C"], max_iter=5000).fit(x, y)
        return lambda z: np.asarray(model.predict_proba(z)[:, 1])

    below, inadequate = one("below_good"), one("inadequate")
    return lambda z: Forecast(below(z), inadequate(z)), None


def _fit_ridge(candidate: Candidate, x: Floats, training: pl.DataFrame) -> tuple[_Predict, OrdinalRatings | None]:
    model = Ridge(alpha=candidate.settings["alpha"]).fit(x, training["sub_mean"].to_numpy())
    score = model.predict(x)[:, None]
    to_below = LogisticRegression(C=100.0, max_iter=5000).fit(score, training["below_good"].to_numpy())
    to_inadequate = LogisticRegression(C=100.0, max_iter=5000).fit(score, training["inadequate"].to_numpy())

    def predict(z: Floats) -> Forecast:
        s = model.predict(z)[:, None]
        return Forecast(to_below.predict_proba(s)[:, 1], to_inadequate.predict_proba(s)[:, 1])

    return predict, None


def _fit_boosting(candidate: Candidate, x: Floats, training: pl.DataFrame) -> tuple[_Predict, OrdinalRatings | None]:
    def one(target: str) -> HistGradientBoostingClassifier:
        model = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=int(candidate.settings["iterations"]),
            max_depth=2,
            min_samples_leaf=15,
            l2_regularization=10.0,
            monotonic_cst=list(directions_of(candidate)),
            early_stopping=False,
            random_state=SEED,
        )
        return model.fit(x, training[target].to_numpy())

    below, inadequate = one("below_good"), one("inadequate")
    return lambda z: Forecast(below.predict_proba(z)[:, 1], inadequate.predict_proba(z)[:, 1]), None


def _fit_average(candidate: Candidate, x: Floats, training: pl.DataFrame) -> tuple[_Predict, OrdinalRatings | None]:
    one, _ = _fit_ordinal(candidate, x, training)
    other, _ = _fit_boosting(candidate, x, training)

    def predict(z: Floats) -> Forecast:
        a, b = one(z), other(z)
        return Forecast((a.below_good + b.below_good) / 2, (a.inadequate + b.inadequate) / 2)

    return predict, None


_TRAINERS: dict[CandidateKind, Callable[[Candidate, Floats, pl.DataFrame], tuple[_Predict, OrdinalRatings | None]]] = {
    CandidateKind.BASE_RATE: _fit_base_rate,
    CandidateKind.ORDINAL: _fit_ordinal,
    CandidateKind.LOGISTIC: _fit_logistic,
    CandidateKind.RIDGE: _fit_ridge,
    CandidateKind.BOOSTING: _fit_boosting,
    CandidateKind.AVERAGE: _fit_average,
}
