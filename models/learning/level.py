"""Follows the level of judgements: how much harder or softer they are today than when the model was trained.

Base rates move (0.45 to 0.2 within two years). The model's ranking of councils survives that; its probabilities do not.
The state is a shift b in log-odds, normally distributed, that reverts to 0 with a half-life. Each published judgement
moves it by how far it differs from the log-odds the model gave that council before. What is served is the mean over b.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import exp

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DAYS_A_YEAR = 365.25
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True)
class LevelRule:
    """How far the level may move, and how fast it returns to 0."""

    sd: float = 0.7
    """Standard deviation of the level between years far apart, in log-odds; 0 means that the level is not followed."""
    half_life_years: float = 2.0


@dataclass(frozen=True, slots=True)
class Level:
    """The level after the last judgement it has followed."""

    mean: float = 0.0
    variance: float = 0.0
    judgements: int = 0
    to: date | None = None
    """The day of the last publication followed; None if there was none."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One published judgement, and the log-odds of below good that the model gave before it, without a level."""

    published: date
    log_odds: float
    below_good: bool
    weight: float = 1.0


def unknown(rule: LevelRule) -> Level:
    """The level before any judgement: mean 0, with the uncertainty that the rule gives."""
    return Level(variance=rule.sd**2)


def followed(level: Level, rule: LevelRule, judged: list[Judged]) -> Level:
    """The level after these judgements, in order of publication. The caller leaves out those up to `level.to`.

    Between judgements the level reverts to 0 and becomes less certain. After the last one it stays, so that a number
    does not change in a month in which nothing was published.
    """
    if rule.sd == 0 or not judged:
        return level
    mean, variance, to, count = level.mean, level.variance, level.to, float(level.judgements)
    for one in sorted(judged, key=lambda j: (j.published, j.log_odds, j.below_good, j.weight)):
        if to is not None:
            kept = 0.5 ** (max(0, (one.published - to).days) / _DAYS_A_YEAR / rule.half_life_years)
            mean, variance = kept * mean, kept**2 * variance + (1 - kept**2) * rule.sd**2
        mean, variance = _updated(mean, variance, one)
        to = one.published if to is None else max(to, one.published)
        count += one.weight
    return Level(mean, variance, round(count), to)


def _updated(mean: float, variance: float, one: Judged) -> tuple[float, float]:
    """One step of the filter: the normal that best fits the posterior at its mode, found in two Newton steps."""
    mode = mean
    for _ in range(2):
        p = _chance(one.log_odds + mode)
        slope = one.weight * (float(one.below_good) - p) - (mode - mean) / variance
        curve = one.weight * p * (1 - p) + 1 / variance
        mode += slope / curve
    p = _chance(one.log_odds + mode)
    return mode, 1 / (one.weight * p * (1 - p) + 1 / variance)


def _chance(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds)) if log_odds >= 0 else exp(log_odds) / (1 + exp(log_odds))


def served(log_odds: Floats, mean: float | Floats, variance: float | Floats) -> Floats:
    """The mean of expit(log_odds + b) over b: the number that people are told. Rows do not affect each other."""
    from scipy.special import expit  # takes a seventh of a second that an export can save

    nodes = np.asarray(mean)[..., None] + np.sqrt(np.asarray(variance))[..., None] * _NODES
    return np.asarray((expit(np.asarray(log_odds)[..., None] + nodes) * _WEIGHTS).sum(axis=-1))
