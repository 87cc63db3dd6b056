"""A trained model: the classifier that is served, where England's councils stand in it, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.learning.level import Floats, Judged, followed, served, unknown
from models.score import LevelKnown, ModelRef, OfTen, TrackRecord
from models.scorer import Scorer, inputs

#: A score is given only if at least this share of the measures the model reads is present.
ENOUGH_MEASURES = 0.5
#: A score's track record is taken from back-test forecasts within this distance of it, and from at least this many.
_TRACK_WITHIN = 0.1
TRACK_AT_LEAST = 20


@dataclass(frozen=True)
class Outlook:
    """Forecasts for some rows, in their order."""

    below_good: Floats
    low: Floats
    high: Floats
    inadequate: Floats
    rank: Floats
    """Share of England's councils with a lower number."""
    shares: Floats | None
    """Rows by columns: what each feature adds to the log-odds of a council with typical figures, exactly. None if the
    estimator cannot say it exactly; then no reason is given."""
    missing: NDArray[np.bool_]
    """Rows by columns: whether a feature is missing; its share is then 0 and the interval is wider."""


@dataclass(frozen=True)
class TrainedModel:
    """Everything a score needs. `run` is the record of the training; the card is written from it."""

    ref: ModelRef
    estimator: Scorer
    standing: Mapping[str, float]
    """Log-odds, without a level, of every council in England, from the figures of the newest published year."""
    track_forecast: Floats
    """Back-test forecasts of P(below good), each made before its inspection by a model that had not seen it."""
    track_outcome: NDArray[np.bool_]
    track_basis: str
    reference: pl.DataFrame
    """NATIONAL: the published distributions that percentiles are read from."""
    run: Mapping[str, Any] = field(repr=False)
    framework: str = "ILACS"
    """The framework that its level and track record belong to."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the model reads."""
        return tuple(self.estimator.feature_names_in_)

    @property
    def typical(self) -> Mapping[str, float]:
        """The typical figure of each column."""
        return dict(zip(self.columns, self.estimator.centre_.tolist(), strict=True))

    def outlook(self, frame: pl.DataFrame) -> Outlook:
        """Forecasts, intervals, ranks and shares for each row; absent columns count as missing figures."""
        x = inputs(frame, self.columns)
        low, high = self.estimator.interval(x)
        return Outlook(
            below_good=self.estimator.below_good(x),
            low=low,
            high=high,
            inadequate=self.estimator.inadequate(x),
            rank=self.rank(self.estimator.log_odds(x)),
            shares=self.estimator.contributions(x),
            missing=~np.isfinite(x.to_numpy()),
        )

    def rank(self, log_odds: Floats) -> Floats:
        """The share of England's councils with a lower number; those with the same number count half."""
        standing = np.sort(np.array(list(self.standing.values())))
        below, up_to = (np.searchsorted(standing, log_odds, side) for side in ("left", "right"))
        return np.asarray((below + up_to) / (2 * len(standing)))

    def of_ten(self, probability: float) -> OfTen:
        """The served number as “of ten councils with figures like this”, and the same for any ten in England."""
        level = self.estimator.level
        standing = np.array(list(self.standing.values()))
        return OfTen(round(10 * probability), round(10 * float(served(standing, level.mean, level.variance).mean())))

    def level_known(self) -> LevelKnown | None:
        """What the level rests on; None for a model that does not follow one."""
        level = self.estimator.level
        return None if level.to is None else LevelKnown(level.judgements, level.to, self.framework)

    def following(self, judgements: list[tuple[str, Judged]], framework: str) -> TrainedModel:
        """The same model, with its level moved by judgements (`la_code`, judgement) published since it was trained.

        If they make up the level of another framework than the model's, that level begins unknown. A judgement's
        log-odds are always its council's `standing` in the model; the value it brings along is not used.
        """
        start = self.estimator.level if framework == self.framework else unknown(self.estimator.rule)
        last = start.to
        news = [
            replace(judged, log_odds=self.standing[code])
            for code, judged in judgements
            if code in self.standing and (last is None or judged.published > last)
        ]
        level = followed(start, self.estimator.rule, news)
        return replace(self, estimator=self.estimator.at_level(level), framework=framework)

    def track_record(self, probability: float) -> TrackRecord | None:
        """How often councils with similar back-test forecasts were judged below good; None if there are too few."""
        if len(self.track_forecast) < TRACK_AT_LEAST:
            return None
        distance = np.abs(self.track_forecast - probability)
        near = distance <= max(_TRACK_WITHIN, float(np.sort(distance)[TRACK_AT_LEAST - 1]))
        flagged, bad = int(near.sum()), int(self.track_outcome[near].sum())
        return TrackRecord(flagged, bad, round(10 * bad / flagged), self.track_basis)
