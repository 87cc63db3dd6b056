"""What a fitted model says, from its numbers alone: nothing here needs scikit-learn, which takes long to import."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.learning.level import Floats, Level, LevelRule, served


class Scorer(ABC):
    """Classes in their order, and a level. Everything that people are told comes from the `edges` between classes."""

    good: int
    level_sd: float
    level_half_life: float
    feature_names_in_: NDArray[Any]
    classes_: NDArray[Any]
    centre_: Floats
    """The typical figure of each column."""
    scale_: Floats
    level_: Floats

    @abstractmethod
    def edges(self, X: Any) -> list[Floats]:
        """For each class but the worst: every row's log-odds of a worse one, without the level."""

    @abstractmethod
    def deviation(self, X: Any) -> Floats:
        """Standard deviation of each row's log-odds of below good, leaving out the level's own uncertainty."""

    def contributions(self, X: Any) -> Floats | None:
        """Rows by features: what each feature adds to the log-odds, exactly. None if that has no answer: no reasons."""
        return None

    def predict_proba(self, X: Any) -> Floats:
        """P(class) of each row at the present level, in the order of `classes_`."""
        return self.probabilities(self.edges(X), self.level_[0], self.level_[1])

    def probabilities(self, edges: list[Floats], mean: float | Floats, variance: float | Floats) -> Floats:
        """P(class) from edges, each row at its own level."""
        worse = [served(edge, mean, variance) for edge in edges]
        whole = np.column_stack([np.ones(len(edges[0])), *worse, np.zeros(len(edges[0]))])
        return np.asarray(whole[:, :-1] - whole[:, 1:])

    def below_good(self, X: Any) -> Floats:
        """P(class > good): the number that people are told."""
        return np.asarray(self.predict_proba(X)[:, self._good_edge() + 1 :].sum(axis=1))

    def inadequate(self, X: Any) -> Floats:
        """P(the worst class)."""
        return np.asarray(self.predict_proba(X)[:, -1])

    def log_odds(self, X: Any) -> Floats:
        """Log-odds of below good without the level; councils are ranked by these."""
        return self.edges(X)[self._good_edge()]

    def interval(self, X: Any, level: float = 0.8) -> tuple[Floats, Floats]:
        """Low and high of P(below good), given what is uncertain in the model, missing figures and the level."""
        from scipy.special import expit, ndtri  # takes a seventh of a second that an export can save

        deviation = np.sqrt(self.deviation(X) ** 2 + self.level_[1])
        reach = float(ndtri(0.5 + level / 2)) * deviation
        middle = self.log_odds(X) + self.level_[0]
        return np.asarray(expit(middle - reach)), np.asarray(expit(middle + reach))

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

    def _good_edge(self) -> int:
        """The edge between good and below good; the middle one if the classes are not grades."""
        below = [k for k, c in enumerate(self.classes_[:-1]) if np.issubdtype(type(c), np.number) and c <= self.good]
        return below[-1] if below else (len(self.classes_) - 2) // 2

    def _read(self, X: Any) -> Floats:
        """The figures of a frame with this model's columns, in their order, gaps as NaN."""
        if list(X.columns) != list(self.feature_names_in_):
            raise ValueError(f"The model reads {list(self.feature_names_in_)}, not {list(X.columns)}.")
        x = np.asarray(X.to_numpy(), dtype=np.float64)
        if np.isinf(x).any():
            raise ValueError("A figure is infinite.")
        return x


class OrdinalScorer(Scorer):
    """P(class > k) = expit(x·coef − cut_k + level), with the numbers that `BelowGoodClassifier` has learned."""

    clip: float
    coef_: Floats
    coef_covariance_: Floats
    cuts_: Floats

    def edges(self, X: Any) -> list[Floats]:
        """For each class but the worst: every row's log-odds of a worse one, without the level."""
        eta = self._linear(X)
        return [eta - cut for cut in self.cuts_]

    def contributions(self, X: Any) -> Floats:
        """Rows by features: what each feature adds to the log-odds of a council with typical figures; a gap adds 0."""
        return np.asarray(self._checked(X) * self.coef_)

    def typical_log_odds(self) -> float:
        """Log-odds of below good for a council with typical figures at this level; contributions add to it."""
        return float(self.level_[0] - self.cuts_[self._good_edge()])

    def deviation(self, X: Any) -> Floats:
        """Standard deviation of each row's log-odds, leaving out the level's own uncertainty.

        A missing figure could be any that a council has, so it adds the square of its coefficient to the variance.
        """
        given = self._read(X)
        x, missing = self._scaled(given), np.isnan(given)
        variance = np.einsum("ij,jk,ik->i", x, self.coef_covariance_, x) + missing @ self.coef_**2
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def _scaled(self, X: Floats) -> Floats:
        scaled = np.nan_to_num((X - self.centre_) / self.scale_, nan=0.0)
        return np.asarray(np.clip(scaled, -self.clip, self.clip))

    def _checked(self, X: Any) -> Floats:
        return self._scaled(self._read(X))

    def _linear(self, X: Any) -> Floats:
        """x·coef of each row: higher is worse; 0 for a council with typical figures."""
        # Row by row rather than as a matrix product, so that a row's number does not depend on the other rows.
        return np.asarray((self._checked(X) * self.coef_).sum(axis=1))


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
