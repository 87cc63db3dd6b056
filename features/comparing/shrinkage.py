"""Shrinks rates for ranking: a rate based on few people is pulled toward the group's; one based on many hardly moves.

This is the global empirical-Bayes estimator of Marshall (1991, *Applied Statistics* 40, 283–294). The real spread
between councils is the observed spread less what chance alone would produce. Each rate is weighted by the real spread's
share of its variance. Chance is binomial where the numerator is part of the denominator and Poisson otherwise. Shrunken
rates are used for ranking and by the model; people are shown the rate itself, with its counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.registry import Measure

Floats = NDArray[np.float64]

#: With fewer councils than this in a month their spread cannot be estimated, and the national one is used.
MIN_GROUP = 8


def shrinkable(measure: Measure) -> bool:
    """Whether a measure can be shrunk: no if it is a difference of counts, whose value does not tell its variance."""
    return all(term.weight > 0 for term in measure.numerator)


def shrink(
    numerator: Floats,
    denominator: Floats,
    measure: Measure,
    multiplier: Floats,
    national_mean: Floats,
    national_variance: Floats,
) -> Floats:
    """Shrunken values `[council, month]` in the measure's unit; NaN where the rate is NaN or no spread is known.

    `multiplier` `[month]` converts numerator over denominator to the unit. `national_mean` and `national_variance`
    `[month]` are used where too few councils reported; NaN if there is none.
    """
    known = ~np.isnan(numerator) & (denominator > 0)
    over, under = np.where(known, numerator, 0.0), np.where(known, denominator, 0.0)
    size = known.sum(axis=0)
    total = _sum_of_councils(under)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(known, numerator / denominator, np.nan)
        mean = _sum_of_councils(over) / total
        spread = _sum_of_councils(under * np.where(known, (rate - mean) ** 2, 0.0)) / total
        between = np.maximum(0.0, spread - _chance(mean, measure) * size / total)
        few = size < MIN_GROUP
        mean = np.where(few, national_mean / multiplier, mean)
        between = np.where(few, national_variance / multiplier**2, between)
        chance = _chance(mean, measure) / denominator
        own_share = np.where(between + chance > 0, between / (between + chance), 0.0)
        shrunk: Floats = (mean + own_share * (rate - mean)) * multiplier
    return shrunk


def _sum_of_councils(block: Floats) -> Floats:
    """Sum over councils, per month. Each month is made contiguous first: NumPy's rounding depends on memory layout."""
    total: Floats = np.ascontiguousarray(block.T).sum(axis=1)
    return total


def _chance(rate: Floats, measure: Measure) -> Floats:
    """The variance that chance alone gives one unit of the denominator."""
    return np.clip(rate * (1 - rate), 0.0, None) if measure.bounded else np.abs(rate)
