"""A trained model: the classifier that speaks, where England's councils stand in it, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.learning.classifier import BelowGoodClassifier
from models.learning.fitting import inputs
from models.learning.level import Floats, Judged, followed, served
from models.record.frameworks import ILACS_FRAMEWORK
from models.score import LevelKnown, ModelRef, OfTen, TrackRecord

#: A score is given if at least this share of the measures the model reads is there.
ENOUGH_MEASURES = 0.5
#: The track record of a score is that of back-test forecasts this near to it, and of this many at least.
_TRACK_WITHIN = 0.1
_TRACK_AT_LEAST = 20


@dataclass(frozen=True)
class Outlook:
    """Forecasts of some rows, in their order."""

    below_good: Floats
    low: Floats
    high: Floats
    inadequate: Floats
    rank: Floats
    """Share of England's councils whose number is lower."""
    shares: Floats
    """Rows by columns: what each feature adds to the log-odds against a council with typical figures."""
    missing: NDArray[np.bool_]
    """Rows by columns: a missing feature's share is 0 and the interval is wider for it."""


@dataclass(frozen=True)
class TrainedModel:
    """Everything a score needs. `run` is the record of the training, from which the card is written."""

    ref: ModelRef
    estimator: BelowGoodClassifier
    standing: Mapping[str, float]
    """Log-odds, without a level, of every council in England by the figures of the newest published year."""
    track_forecast: Floats
    """Back-test forecasts of P(below good): each made before its inspection, by a model that had not seen it."""
    track_outcome: NDArray[np.bool_]
    track_basis: str
    reference: pl.DataFrame
    """NATIONAL: the published distributions that percentiles are taken from."""
    run: Mapping[str, Any] = field(repr=False)
    framework: str = ILACS_FRAMEWORK.name
    """Whose level and track record it is."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What the model reads."""
        return tuple(self.estimator.feature_names_in_)

    @property
    def typical(self) -> Mapping[str, float]:
        """The typical figure of each column."""
        return dict(zip(self.columns, self.estimator.centre_.tolist(), strict=True))

    def outlook(self, frame: pl.DataFrame) -> Outlook:
        """Forecasts, intervals, ranks and shares of each row; absent columns count as missing figures."""
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
        """The share of England's councils whose number is lower, those with the same counting half."""
        standing = np.sort(np.array(list(self.standing.values())))
        below, up_to = (np.searchsorted(standing, log_odds, side) for side in ("left", "right"))
        return np.asarray((below + up_to) / (2 * len(standing)))

    def typical_log_odds(self) -> float:
        """Log-odds of below good of a council with typical figures; a row's shares are added to it."""
        return self.estimator.typical_log_odds()

    def of_ten(self, probability: float) -> OfTen:
        """The served number as “of ten councils with figures like this”, beside any ten in England."""
        level = self.estimator.level
        standing = np.array(list(self.standing.values()))
        return OfTen(round(10 * probability), round(10 * float(served(standing, level.mean, level.variance).mean())))

    def level_known(self) -> LevelKnown | None:
        """What the level rests on; None of a model that follows none."""
        level = self.estimator.level
        return None if level.to is None else LevelKnown(level.judgements, level.to, self.framework)

    def following(self, judgements: list[tuple[str, Judged]]) -> TrainedModel:
        """The same model, its level moved by judgements published since it was trained (`la_code`, judgement).

        A judgement's log-odds are those at which its council stands in the model, whatever it carries.
        """
        last = self.estimator.level.to
        news = [
            replace(judged, log_odds=self.standing[code])
            for code, judged in judgements
            if code in self.standing and (last is None or judged.published > last)
        ]
        level = followed(self.estimator.level, self.estimator.rule, news)
        return replace(self, estimator=self.estimator.at_level(level))

    def track_record(self, probability: float) -> TrackRecord | None:
        """How often councils with a like forecast were judged below good in the back-test; None without one."""
        if len(self.track_forecast) < _TRACK_AT_LEAST:
            return None
        distance = np.abs(self.track_forecast - probability)
        near = distance <= max(_TRACK_WITHIN, float(np.sort(distance)[_TRACK_AT_LEAST - 1]))
        flagged, bad = int(near.sum()), int(self.track_outcome[near].sum())
        return TrackRecord(flagged, bad, round(10 * bad / flagged), self.track_basis)
