"""Fits a candidate to training rows and forecasts P(below good) and P(inadequate) of each row, at a level."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from threadpoolctl import ThreadpoolController

from features.frameworks import frameworks_sharing_level, newest_level
from models.learning.candidates import Candidate
from models.learning.level import Floats, Level
from models.learning.serving import ServedClassifier, WithLevel
from models.scorer import inputs


@dataclass(frozen=True)
class Forecast:
    """Two probabilities per row, each given an inspection."""

    below_good: Floats
    inadequate: Floats


@dataclass(frozen=True)
class Fitted:
    """A candidate after training."""

    candidate: Candidate
    estimator: ServedClassifier
    level_of: str
    """The framework whose level it has learned: the newest one among its rows that counts."""

    def forecast(self, frame: pl.DataFrame, level: Level | None = None) -> Forecast:
        """Forecasts for the frame's rows, in its order, at the level of its training or another."""
        x = inputs(frame, self.candidate.columns)
        model = self.estimator if level is None else self.estimator.at_level(level)
        return Forecast(model.below_good(x), model.inadequate(x))


def fit(candidate: Candidate, training: pl.DataFrame, *, to_serve: bool = True) -> Fitted:
    """Train a candidate on rows of a design; an estimator without a level gets one (`WithLevel`).

    Judgements under an earlier framework teach what goes with a poor judgement. How common one is today is learned only
    from those that make up the newest level (`published`). Without `to_serve` an estimator whose interval needs copies
    of it gets none, since a back-test asks for numbers alone.
    """
    level_of = newest_level(training["framework"])
    estimator = candidate.make(candidate.columns)
    if not isinstance(estimator, ServedClassifier):
        estimator = WithLevel(estimator) if to_serve else WithLevel(estimator, copies=0)
    days = training["published"].to_physical().cast(pl.Float64()) + _EPOCH
    counts = training["framework"].is_in(frameworks_sharing_level(level_of))
    with _threads(len(sys.modules)).limit(limits=1):
        estimator.fit(
            inputs(training, candidate.columns),
            training["grade"].to_numpy().astype(np.int64),
            sample_weight=training["weight"].to_numpy(),
            published=pl.select(pl.when(counts).then(days)).to_series().fill_null(float("nan")).to_numpy(),
            groups=training["la_code"].to_numpy(),
        )
    return Fitted(candidate, estimator, level_of)


@cache
def _threads(_modules: int) -> ThreadpoolController:
    """What limits the threads of the libraries loaded now; they are looked for again when more has been imported."""
    return ThreadpoolController()


#: Polars counts days from 1970, Python's ordinals from the year 1.
_EPOCH = 719163
