"""Was the level right? Expected and observed by year, and whether intervals hold exactly as often as they should.

A forecast with a wrong level can look well calibrated when years are pooled or intervals are wide. So each year counts
by itself, and coverage is computed from randomised intervals. The forecast gives a distribution of the number below
good. If the forecast is right, the position of the observed number in it is uniform, however wide it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from models.learning.level import Floats

_SEED = 1948
_GROUP = 10
_QUANTILES = 40


@dataclass(frozen=True, slots=True)
class YearSeen:
    """Inspections that began in a year: how many were expected and observed to be below good."""

    year: int
    n: int
    expected: float
    observed: int
    standard_error: float
    """Standard error of the expected number, from chance and from the stated uncertainty of the level."""

    @property
    def z(self) -> float:
        """Standard errors by which the expected number exceeds (or is below) the observed one."""
        return (self.expected - self.observed) / self.standard_error if self.standard_error else 0.0


def by_year(rows: pl.DataFrame, p: Floats) -> tuple[YearSeen, ...]:
    """One row per year in which inspections began. `level_variance`, if present, is the level's stated uncertainty."""
    years = rows["started"].dt.year().to_numpy()
    y = rows["below_good"].to_numpy()
    doubt = rows["level_variance"].to_numpy() if "level_variance" in rows.columns else np.zeros(len(y))
    found = []
    for year in np.unique(years):
        at = years == year
        chance = p[at] * (1 - p[at])
        error = sqrt(float(chance.sum() + (chance.sum() ** 2) * float(doubt[at].mean())))
        found.append(YearSeen(int(year), int(at.sum()), float(p[at].sum()), int(y[at].sum()), error))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the observed number in groups of inspections fell within its stated interval."""

    level: float
    held: float
    """Share of groups, each of inspections close in time; a group on the edge counts in part."""
    groups: int
    p_value: float
    """Chance of positions this uneven if the forecasts are right; if small, the level or the width is wrong."""


def coverage(rows: pl.DataFrame, p: Floats, level: float = 0.8) -> Coverage:
    """Randomised intervals over groups of ten inspections that began one after the other, within a year.

    The observed number has a range of positions in its forecast distribution, as wide as its own probability. A
    position is drawn from that range a thousand times, and the results are combined.
    """
    places = _places(rows.sort("started", "la_code"), p[_order(rows)])
    if not len(places):
        return Coverage(level, float("nan"), 0, float("nan"))
    low, high = (1 - level) / 2, (1 + level) / 2
    held = np.maximum(np.minimum(high, places[:, 1]) - np.maximum(low, places[:, 0]), 0)
    share = float(np.mean(held / np.maximum(places[:, 1] - places[:, 0], 1e-12)))
    draws = np.random.default_rng(_SEED).uniform(size=(1000, len(places)))
    drawn = places[:, 0] + draws * (places[:, 1] - places[:, 0])
    # Fisher's test in both directions: a level too high puts the positions near 0, too low near 1.
    degrees = 2 * len(places)
    too_high = np.median(chi2.sf(-2 * np.log(np.maximum(drawn, 1e-12)).sum(axis=1), degrees))
    too_low = np.median(chi2.sf(-2 * np.log(np.maximum(1 - drawn, 1e-12)).sum(axis=1), degrees))
    return Coverage(level, share, len(places), min(1.0, 2 * float(min(too_high, too_low))))


def _order(rows: pl.DataFrame) -> NDArray[np.intp]:
    return rows.with_row_index("at").sort("started", "la_code")["at"].to_numpy()


def _places(rows: pl.DataFrame, p: Floats) -> Floats:
    """By group: the forecast's probability of fewer than observed, and of no more than observed."""
    years = rows["started"].dt.year().to_numpy()
    y = rows["below_good"].to_numpy()
    variance = rows["level_variance"].to_numpy() if "level_variance" in rows.columns else np.zeros(len(y))
    nodes = norm.ppf((np.arange(_QUANTILES) + 0.5) / _QUANTILES)
    found = []
    for year in np.unique(years):
        at = np.flatnonzero(years == year)
        for group in np.array_split(at, max(1, round(len(at) / _GROUP))):
            odds = logit(np.clip(p[group], 1e-6, 1 - 1e-6))
            spread = sqrt(float(variance[group].mean()))
            mixed = np.zeros(len(group) + 1)
            for node in nodes:
                mixed += number_distribution(np.asarray(expit(odds + node * spread))) / len(nodes)
            seen = int(y[group].sum())
            found.append((mixed[:seen].sum(), mixed[: seen + 1].sum()))
    return np.array(found).reshape(-1, 2)


def number_distribution(p: Floats) -> Floats:
    """The distribution of the number of successes in independent trials with different chances (Poisson binomial)."""
    distribution = np.array([1.0])
    for chance in p:
        distribution = np.convolve(distribution, [1 - chance, chance])
    return distribution
