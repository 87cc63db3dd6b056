"""Fits a candidate to training rows and forecasts P(below good) and P(inadequate) of each row, at a level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from features.frameworks import GOOD, INADEQUATE, newest_level, sharing
from models.learning.candidates import Candidate
from models.learning.classifier import BelowGoodClassifier
from models.learning.level import Floats, Level


@dataclass(frozen=True)
class Forecast:
    """Two probabilities per row, each given an inspection."""

    below_good: Floats
    inadequate: Floats


@dataclass(frozen=True)
class Fitted:
    """A candidate after training."""

    candidate: Candidate
    estimator: Any
    level_of: str
    """The framework whose level it has learned: the newest one among its rows that counts."""

    def forecast(self, frame: pl.DataFrame, level: Level | None = None) -> Forecast:
        """Forecasts for the frame's rows, in its order, at the level of its training or another."""
        x = inputs(frame, self.candidate.columns)
        model = self.estimator
        if level is not None and isinstance(model, BelowGoodClassifier):
            model = model.at_level(level)
        return forecast_of(model, x)


def forecast_of(model: Any, x: pl.DataFrame) -> Forecast:
    """Forecasts by any classifier of grades: sums the probabilities of the grades below good."""
    if isinstance(model, BelowGoodClassifier):
        return Forecast(model.below_good(x), model.inadequate(x))
    with threadpool_limits(limits=1):
        p = model.predict_proba(x)
    return Forecast(p[:, model.classes_ > GOOD].sum(axis=1), p[:, model.classes_ == INADEQUATE].sum(axis=1))


def inputs(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The columns as a classifier reads them: Float64, gaps as NaN; an absent column is all gaps.

    For a candidate without columns this is one column of zeros, since scikit-learn does not accept an empty matrix.
    """
    if not columns:
        return pl.DataFrame({"nothing": np.zeros(frame.height)})
    return frame.select(
        (pl.col(c).cast(pl.Float64()) if c in frame.columns else pl.lit(None, pl.Float64()))
        .fill_null(float("nan"))
        .alias(c)
        for c in columns
    )


def fit(candidate: Candidate, training: pl.DataFrame) -> Fitted:
    """Train a candidate on rows of a design.

    Judgements under an earlier framework teach what goes with a poor judgement. How common one is today is learned only
    from those that make up the newest level (`published`), by estimators that have a level.
    """
    level_of = newest_level(training["framework"])
    estimator = candidate.make(candidate.columns)
    days = training["published"].to_physical().cast(pl.Float64()) + _EPOCH
    counts = training["framework"].is_in(sharing(level_of))
    given: dict[str, Any] = {
        "sample_weight": training["weight"].to_numpy(),
        "published": pl.select(pl.when(counts).then(days)).to_series().fill_null(float("nan")).to_numpy(),
        "groups": training["la_code"].to_numpy(),
    }
    known = {name: value for name, value in given.items() if has_fit_parameter(estimator, name)}
    x = inputs(training, candidate.columns)
    if not isinstance(estimator, BelowGoodClassifier):
        # A figure that nobody had yet is set to 0: it cannot split rows, and trees refuse a column of gaps.
        x = x.with_columns(pl.when(pl.col(c).is_nan().all()).then(0.0).otherwise(c).alias(c) for c in x.columns)
    with threadpool_limits(limits=1):
        estimator.fit(x, training["grade"].to_numpy().astype(np.int64), **known)
    return Fitted(candidate, estimator, level_of)


#: Polars counts days from 1970, Python's ordinals from the year 1.
_EPOCH = 719163
