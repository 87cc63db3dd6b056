"""How sure a probability is: an interval from resampled training councils, widened by what is missing.

A council whose figures are incomplete has a wider interval: each missing feature could have been anything a
council has, which adds the square of its coefficient to the variance of the log-odds. The interval's coverage
is checked in the back-test, and it is widened by a factor until it holds there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit, logit
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from models.judgements.design import matrix
from models.learning.candidates import Candidate
from models.learning.estimators import Floats, NeutralScaler
from models.learning.fitting import Fitted, train_ordinal
from models.learning.metrics import resamples

#: Stated coverage of the interval shown with a score.
LEVEL = 0.8
RESAMPLES = 60
_SEED = 1948
_GROUP = 10


@dataclass(frozen=True)
class Spread:
    """What the interval needs: coefficients and first cut of each resampled model, and the widening."""

    coef: Floats
    """Resamples by features."""
    cut: Floats
    """Cut-point of below good per resample."""
    widening: float = 1.0

    def deviation(self, scaled: Floats, missing: Floats, coef: Floats) -> Floats:
        """Standard deviation of the log-odds of each row: of the resampled models, and of what is missing."""
        eta = scaled @ self.coef.T - self.cut
        return np.asarray(self.widening * np.sqrt(eta.var(axis=1) + missing @ coef**2))


def resampled(candidate: Candidate, scaler: NeutralScaler, training: pl.DataFrame, draws: int = RESAMPLES) -> Spread:
    """Refit the ordinal regression on resampled councils; the scaling stays."""
    x = scaler.transform(matrix(training, candidate.columns))
    coefs, cuts = [], []
    with threadpool_limits(limits=1):
        whole = train_ordinal(candidate, x, training)
        for rows in resamples(training["la_code"].to_numpy(), draws, _SEED):
            model = train_ordinal(candidate, x[rows], training[rows], whole.parameters_)
            coefs.append(model.coef_)
            cuts.append(model.cuts_[0, 1])
    return Spread(np.array(coefs), np.array(cuts))


def interval_of(fitted: Fitted, spread: Spread, frame: pl.DataFrame) -> tuple[Floats, Floats]:
    """Low and high of P(below good) of each row at LEVEL; raises ValueError for a model without coefficients."""
    if fitted.ordinal is None:
        raise ValueError("only the ordinal regression has intervals")
    values = matrix(frame, fitted.candidate.columns)
    p = fitted.forecast(frame).below_good
    deviation = spread.deviation(
        fitted.scaler.transform(values), (~np.isfinite(values)).astype(np.float64), fitted.ordinal.coef_
    )
    return band(p, deviation)


def band(p: Floats, deviation: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """A central interval on the log-odds scale around `p`."""
    reach = float(norm.ppf(0.5 + level / 2)) * deviation
    odds = logit(np.clip(p, 1e-6, 1 - 1e-6))
    return np.asarray(expit(odds - reach)), np.asarray(expit(odds + reach))


def coverage(y: Floats, p: Floats, deviation: Floats, level: float = LEVEL) -> tuple[float, int]:
    """In how many groups of ten the number judged below good lay in the interval the forecasts allowed.

    A single outcome cannot lie in an interval of probabilities, so neighbours in time are taken ten at a time:
    their log-odds are shifted together by each quantile of the stated uncertainty, and chance is added.
    Returns the share of groups that held, and their number. The last, incomplete group is left out.
    """
    groups = len(p) // _GROUP
    quantiles = norm.ppf((np.arange(40) + 0.5) / 40)
    held = 0
    for g in range(groups):
        rows = slice(g * _GROUP, (g + 1) * _GROUP)
        odds = logit(np.clip(p[rows], 1e-6, 1 - 1e-6))
        mixed = np.zeros(_GROUP + 1)
        for q in quantiles:
            mixed += _count_distribution(np.asarray(expit(odds + q * deviation[rows]))) / len(quantiles)
        cumulative = np.cumsum(mixed)
        low = int(np.searchsorted(cumulative, (1 - level) / 2))
        high = int(np.searchsorted(cumulative, (1 + level) / 2))
        held += low <= int(y[rows].sum()) <= high
    return (held / groups if groups else float("nan")), groups


def _count_distribution(p: Floats) -> Floats:
    """Distribution of the number of successes among independent chances (Poisson binomial)."""
    distribution = np.array([1.0])
    for chance in p:
        distribution = np.convolve(distribution, [1 - chance, chance])
    return distribution


def widening(y: Floats, p: Floats, deviation: Floats) -> float:
    """The smallest factor, from 1 up to 4, with which at least LEVEL of the groups held."""
    for factor in np.arange(1.0, 4.01, 0.25):
        if coverage(y, p, deviation * factor)[0] >= LEVEL:
            return float(factor)
    return 4.0
