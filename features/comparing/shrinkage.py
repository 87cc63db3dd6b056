"""Small numbers, shrunk for ranking: a rate of few people is pulled toward the group's, one of many is left alone.

The global empirical-Bayes estimator of Marshall (1991, *Applied Statistics* 40, 283–294): the spread seen
between councils, less what chance alone would make, is the real spread; each council's rate keeps the share
of real spread in its own variance. Chance is binomial where the numerator is part of the denominator and
Poisson otherwise. It ranks and feeds the model; what people are shown is the rate itself, with its counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.registry import Measure

Floats = NDArray[np.float64]

#: With fewer councils than this in a month the spread between them is not known, and the national one is taken.
MIN_GROUP = 8


def shrinkable(measure: Measure) -> bool:
    """A difference of two counts has no sampling variance that its own value could tell."""
    return all(term.weight > 0 for term in measure.numerator)


def shrink(
    numerator: Floats,
    denominator: Floats,
    measure: Measure,
    multiplier: Floats,
    national_mean: Floats,
    national_variance: Floats,
) -> Floats:
    """Shrunken values `[council, month]` in the measure's unit; NaN where the rate is, or no spread is known.

    `multiplier` `[month]` turns numerator over denominator into the unit; `national_mean` and
    `national_variance` `[month]` stand in where too few councils reported, NaN if there is none.
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
    """Per month. Each month's numbers are laid side by side first: how NumPy rounds a sum depends on how they lie."""
    total: Floats = np.ascontiguousarray(block.T).sum(axis=1)
    return total


def _chance(rate: Floats, measure: Measure) -> Floats:
    """Variance of one unit of the denominator by chance alone."""
    return np.clip(rate * (1 - rate), 0.0, None) if measure.bounded else np.abs(rate)
