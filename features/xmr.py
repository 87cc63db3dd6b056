"""Process-behaviour (XmR) charts by the rules of NHS England's *Making Data Count*.

A chart tells a change from noise: the mean of a baseline, limits at 2.66 mean moving ranges on either side
(Shewhart's three sigma, from the average change between neighbouring points), and four rules that a stable
process rarely breaks: a point beyond a limit, seven in a row on one side of the mean, seven in a row rising
or falling, two of three in the outer third on one side.

The baseline, by rule and not by eye: the first 12 observations of a series, which are themselves not judged.
It is drawn anew once 12 consecutive observations lie on one side of its mean, from those 12: a level held for
so long is the new normal, and a chart that never moved would signal for ever. As-of by construction: a
point's limits rest on earlier points only. Missing months are skipped, not filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.registry import Direction

Floats = NDArray[np.float64]
Signs = NDArray[np.int64]

#: 3 / d2 with d2 = 1.128, the mean range of two normal observations (Shewhart; Wheeler, *Understanding Variation*).
MOVING_RANGE_FACTOR = 2.66
BASELINE_POINTS = 12
SHIFT_POINTS = 7
TREND_POINTS = 7
REBASE_POINTS = 12
#: A mean of equal numbers may differ from them in the last bits; that is not a side of it.
_DUST = 1e-9


class Signal(StrEnum):
    """The rule a point breaks; where it breaks several, the first in this order."""

    POINT = "point"
    SHIFT = "shift"
    TREND = "trend"
    NEAR_LIMIT = "near_limit"


class Toward(StrEnum):
    """What a signal means by the measure's direction of concern."""

    CONCERN = "concern"
    IMPROVEMENT = "improvement"
    NEITHER = "neither"


class _Code(IntEnum):
    NONE = 0
    POINT = 1
    SHIFT = 2
    TREND = 3
    NEAR_LIMIT = 4


#: The Signal of each code in `Chart.signal`.
SIGNALS: tuple[Signal | None, ...] = (None, *Signal)


@dataclass(frozen=True)
class Chart:
    """Charts of many series at once; every array is `[series, month]`."""

    mean: Floats
    lower: Floats
    upper: Floats
    signal: NDArray[np.int8]
    """Index into SIGNALS; 0 where no rule is broken or the point cannot be judged."""
    side: NDArray[np.int8]
    """Which way the signal points: 1 up, -1 down, 0 none."""


def limits(baseline: Floats) -> tuple[Floats, Floats]:
    """Mean, and distance of the limits from it, of complete baselines `[series, point]`."""
    ranges = np.abs(np.diff(baseline, axis=1))
    return _row_mean(baseline), MOVING_RANGE_FACTOR * _row_mean(ranges)


def toward(side: int, direction: Direction) -> Toward:
    """Whether a signal to that side is a concern."""
    if direction is Direction.NONE:
        return Toward.NEITHER
    return Toward.CONCERN if (side > 0) == (direction is Direction.HIGH) else Toward.IMPROVEMENT


def charts(points: Floats) -> Chart:
    """Chart every row of `[series, month]`, NaN where a month has no observation.

    Mean and limits are NaN until a baseline is complete; a month without observation carries the limits
    that await the next one, and no signal.
    """
    observed = ~np.isnan(points)
    # Observations moved up to the left, so that the n-th of every series can be judged at once.
    order = np.argsort(~observed, axis=1, kind="stable")
    judged = _judge(np.take_along_axis(points, order, axis=1), observed.sum(axis=1))
    so_far = np.cumsum(observed, axis=1)
    current = np.maximum(so_far - 1, 0)
    in_force = so_far - observed
    mean = np.take_along_axis(judged.mean, in_force, axis=1)
    reach = np.take_along_axis(judged.reach, in_force, axis=1)
    return Chart(
        mean=mean,
        lower=mean - reach,
        upper=mean + reach,
        signal=np.where(observed, np.take_along_axis(judged.signal, current, axis=1), 0).astype(np.int8),
        side=np.where(observed, np.take_along_axis(judged.side, current, axis=1), 0).astype(np.int8),
    )


@dataclass(frozen=True)
class _Judged:
    """By number of the observation: the limits in force when it came (one more than there are), and its signal."""

    mean: Floats
    reach: Floats
    signal: Signs
    side: Signs


def _judge(observations: Floats, counts: NDArray[np.int64]) -> _Judged:
    """Judge `[series, n]` observations without gaps, `counts` of each series, one after the other."""
    series, most = observations.shape
    result = _Judged(
        mean=np.full((series, most + 1), np.nan),
        reach=np.full((series, most + 1), np.nan),
        signal=np.zeros((series, max(most, 1)), dtype=np.int64),
        side=np.zeros((series, max(most, 1)), dtype=np.int64),
    )
    mean, reach = np.full(series, np.nan), np.full(series, np.nan)
    nothing: Signs = np.zeros(series, dtype=np.int64)
    run, climb, before, before_that = nothing, nothing, nothing, nothing
    for n in range(int(counts.max(initial=0))):
        x = observations[:, n]
        there = counts > n
        if n:
            climb = _extend(climb, np.where(there, np.sign(np.nan_to_num(x - observations[:, n - 1])), 0))
        distance = np.where(np.isclose(x, mean, rtol=_DUST, atol=0.0), 0.0, np.nan_to_num(x - mean))
        position = np.sign(distance).astype(np.int64)
        far = np.abs(distance)
        run = _extend(run, position)
        outer = np.where(3 * far > 2 * reach, position, 0)
        rules = {
            _Code.POINT: far > reach,
            _Code.SHIFT: np.abs(run) >= SHIFT_POINTS,
            _Code.TREND: (np.abs(climb) >= TREND_POINTS - 1) & ~np.isnan(mean),
            _Code.NEAR_LIMIT: (outer != 0) & ((outer == before) | (outer == before_that)),
        }
        code = np.select([broken & there for broken in rules.values()], list(rules), _Code.NONE)
        result.signal[:, n] = code
        result.side[:, n] = np.where(code == _Code.TREND, np.sign(climb), np.where(code > 0, position, 0))
        before, before_that = outer, before
        due = there & ((np.abs(run) >= REBASE_POINTS) | (n + 1 == BASELINE_POINTS))
        if due.any():
            mean, reach = mean.copy(), reach.copy()
            mean[due], reach[due] = limits(observations[due, n + 1 - BASELINE_POINTS : n + 1])
            run, before, before_that = (np.where(due, 0, state) for state in (run, before, before_that))
        result.mean[:, n + 1], result.reach[:, n + 1] = mean, reach
    return result


def _extend(run: Signs, sign: NDArray[Any]) -> Signs:
    """A signed run prolonged by one of the same sign, begun anew by the other, ended by 0."""
    step = sign.astype(np.int64)
    return np.where(np.sign(run) == step, run + step, step)


def _row_mean(block: Floats) -> Floats:
    """Mean of each row, added up from the left, so that it does not depend on how many rows there are."""
    total: Floats = np.zeros(block.shape[0])
    for column in range(block.shape[1]):
        total += block[:, column]
    total /= block.shape[1]
    return total
