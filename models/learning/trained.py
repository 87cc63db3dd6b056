"""A trained model: what it reads, what it forecasts, how sure it is, and each feature's exact share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from models.judgements.design import matrix
from models.learning.estimators import Floats, NeutralScaler, OrdinalRatings
from models.learning.uncertainty import Spread, band
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
    shares: Floats
    """Rows by columns: what each feature adds to the log-odds against a council with typical figures."""
    missing: NDArray[np.bool_]
    """Rows by columns: a missing feature's share is 0 and the interval is wider for it."""


@dataclass(frozen=True)
class TrainedModel:
    """Everything a score needs. `run` is the record of the training, from which the card is written."""

    ref: ModelRef
    columns: tuple[str, ...]
    scaler: NeutralScaler
    ordinal: OrdinalRatings
    shift: tuple[float, float]
    spread: Spread
    track_forecast: Floats
    """Back-test forecasts of P(below good): each made before its inspection, by a model that had not seen it."""
    track_outcome: NDArray[np.bool_]
    track_basis: str
    reference: pl.DataFrame
    """NATIONAL: the published distributions that percentiles are taken from."""
    run: Mapping[str, Any] = field(repr=False)

    def outlook(self, frame: pl.DataFrame) -> Outlook:
        """Forecasts, intervals and shares of each row; absent columns count as missing figures."""
        values = matrix(frame, self.columns)
        missing = ~np.isfinite(values)
        scaled = self.scaler.transform(values)
        eta = self.ordinal.decision_function(scaled)
        below = np.asarray(expit(eta - self.ordinal.cuts_[0, 1] + self.shift[0]))
        inadequate = np.asarray(expit(eta - self.ordinal.cuts_[0, 2] + self.shift[1]))
        deviation = self.spread.deviation(scaled, missing.astype(np.float64), self.ordinal.coef_)
        low, high = band(below, deviation)
        return Outlook(below, low, high, np.minimum(inadequate, below), scaled * self.ordinal.coef_, missing)

    def typical_log_odds(self) -> float:
        """Log-odds of below good of a council with typical figures; a row's shares are added to it."""
        return float(self.shift[0] - self.ordinal.cuts_[0, 1])

    def track_record(self, probability: float) -> TrackRecord | None:
        """How often councils with a like forecast were judged below good in the back-test; None without one."""
        if len(self.track_forecast) < _TRACK_AT_LEAST:
            return None
        distance = np.abs(self.track_forecast - probability)
        near = distance <= max(_TRACK_WITHIN, float(np.sort(distance)[_TRACK_AT_LEAST - 1]))
        flagged, bad = int(near.sum()), int(self.track_outcome[near].sum())
        return TrackRecord(flagged, bad, round(10 * bad / flagged), self.track_basis)

    def of_ten(self, probability: float) -> OfTen:
        """The served number as "of ten councils with figures like this", beside any ten."""
        return OfTen(round(10 * probability), round(10 * float(self.track_outcome.mean())))

    def level_known(self) -> LevelKnown:
        """What the level rests on."""
        last = date.fromisoformat(self.run["training"]["last_published"])
        return LevelKnown(len(self.track_outcome), last, "ILACS")
