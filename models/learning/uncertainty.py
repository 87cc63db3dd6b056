"""Whether the level was true: expected and observed by year, and intervals that must hold so often and no oftener.

A forecast whose level is wrong can look well calibrated when years are pooled, or when intervals are wide. So each
year counts by itself, and coverage is read from randomised intervals: given the forecast's own distribution of the
number below good, the place of the number seen is uniform if the forecast is right, whatever its width.
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
    """Inspections begun in a year: how many were expected and seen below good."""

    year: int
    n: int
    expected: float
    observed: int
    standard_error: float
    """Of the expected number: by chance, and by the doubt about the level that was stated."""

    @property
    def z(self) -> float:
        """Standard errors by which more (or fewer) were expected than came."""
        return (self.expected - self.observed) / self.standard_error if self.standard_error else 0.0


def by_year(rows: pl.DataFrame, p: Floats) -> tuple[YearSeen, ...]:
    """A row per year in which inspections began. `level_variance`, if it is there, is the level's stated doubt."""
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
    """How often groups of inspections fell within the interval stated for their number."""

    level: float
    held: float
    """Share of groups of neighbours in time; a group on the edge counts in part."""
    groups: int
    p_value: float
    """Chance of places as uneven as these if the forecasts are right: small says that level or width is wrong."""


def coverage(rows: pl.DataFrame, p: Floats, level: float = 0.8, doubt: bool = True) -> Coverage:
    """Randomised intervals over groups of ten inspections that began one after the other, within a year.

    The place of the number seen in its forecast distribution is drawn within the chance of that very number, a
    thousand times, and averaged. `doubt`: whether the level's stated doubt belongs to the forecast.
    """
    places = _places(rows.sort("started", "la_code"), p[_order(rows)], doubt)
    if not len(places):
        return Coverage(level, float("nan"), 0, float("nan"))
    low, high = (1 - level) / 2, (1 + level) / 2
    held = np.clip(np.minimum(high, places[:, 1]) - np.maximum(low, places[:, 0]), 0, None)
    share = float(np.mean(held / np.maximum(places[:, 1] - places[:, 0], 1e-12)))
    draws = np.random.default_rng(_SEED).uniform(size=(1000, len(places)))
    drawn = places[:, 0] + draws * (places[:, 1] - places[:, 0])
    # Fisher, both ways: a level too high puts the places near 0, too low near 1.
    degrees = 2 * len(places)
    too_high = np.median(chi2.sf(-2 * np.log(np.clip(drawn, 1e-12, 1)).sum(axis=1), degrees))
    too_low = np.median(chi2.sf(-2 * np.log(np.clip(1 - drawn, 1e-12, 1)).sum(axis=1), degrees))
    return Coverage(level, share, len(places), min(1.0, 2 * float(min(too_high, too_low))))


def _order(rows: pl.DataFrame) -> NDArray[np.intp]:
    return rows.with_row_index("at").sort("started", "la_code")["at"].to_numpy()


def _places(rows: pl.DataFrame, p: Floats, doubt: bool) -> Floats:
    """Per group: the forecast's probability of fewer than were seen, and of no more."""
    years = rows["started"].dt.year().to_numpy()
    y = rows["below_good"].to_numpy()
    variance = rows["level_variance"].to_numpy() if doubt and "level_variance" in rows.columns else np.zeros(len(y))
    nodes = _standard_nodes()
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


def _standard_nodes() -> Floats:
    return np.asarray(norm.ppf((np.arange(_QUANTILES) + 0.5) / _QUANTILES))


def number_distribution(p: Floats) -> Floats:
    """Distribution of the number of successes among independent chances (Poisson binomial)."""
    distribution = np.array([1.0])
    for chance in p:
        distribution = np.convolve(distribution, [1 - chance, chance])
    return distribution
