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

    Runs over the months once, for all series together. Mean and limits are NaN until a baseline is
    complete; a month without observation carries the limits and no signal.
    """
    series, months = points.shape
    result = Chart(
        mean=np.full((series, months), np.nan),
        lower=np.full((series, months), np.nan),
        upper=np.full((series, months), np.nan),
        signal=np.zeros((series, months), dtype=np.int8),
        side=np.zeros((series, months), dtype=np.int8),
    )
    state = _State(series)
    for t in range(months):
        rows = np.flatnonzero(~np.isnan(points[:, t]))
        if rows.size:
            code, side = state.observe(rows, points[rows, t])
            result.signal[rows, t] = code
            result.side[rows, t] = side
        result.mean[:, t] = state.mean
        result.lower[:, t] = state.mean - state.reach
        result.upper[:, t] = state.mean + state.reach
        state.rebase(rows)
    return result


class _State:
    """What the next point is judged by, of every series."""

    def __init__(self, series: int) -> None:
        self.mean: Floats = np.full(series, np.nan)
        self.reach: Floats = np.full(series, np.nan)
        self.latest: Floats = np.full((series, BASELINE_POINTS), np.nan)
        """The latest observations, oldest first."""
        self.seen: Signs = np.zeros(series, dtype=np.int64)
        self.run: Signs = np.zeros(series, dtype=np.int64)
        """Points in a row above (positive) or below the mean since the baseline."""
        self.climb: Signs = np.zeros(series, dtype=np.int64)
        """Steps in a row up (positive) or down."""
        self.zones: Signs = np.zeros((series, 2), dtype=np.int64)
        """Side of the outer third in which the two points before lay; 0 for neither."""

    def observe(self, rows: NDArray[np.intp], x: Floats) -> tuple[Signs, Signs]:
        """Take one new point of each of these series and judge it."""
        step = np.nan_to_num(np.sign(x - self.latest[rows, -1])).astype(np.int64)
        self.climb[rows] = _extend(self.climb[rows], step)
        mean, reach = self.mean[rows], self.reach[rows]
        distance = np.where(np.isclose(x, mean, rtol=_DUST, atol=0.0), 0.0, x - mean)
        judged = ~np.isnan(mean)
        position = np.where(judged, np.sign(np.nan_to_num(distance)), 0).astype(np.int64)
        self.run[rows] = _extend(self.run[rows], position)
        outer = np.where(judged & (3 * np.abs(distance) > 2 * reach), position, 0)
        two_of_three = (outer != 0) & ((self.zones[rows] == outer[:, None]).any(axis=1))
        self.zones[rows] = np.column_stack([self.zones[rows, 1], outer])
        run, climb = self.run[rows], self.climb[rows]
        code = np.select(
            [
                judged & (np.abs(distance) > reach),
                judged & (np.abs(run) >= SHIFT_POINTS),
                judged & (np.abs(climb) >= TREND_POINTS - 1),
                two_of_three,
            ],
            [_Code.POINT, _Code.SHIFT, _Code.TREND, _Code.NEAR_LIMIT],
            _Code.NONE,
        )
        side = np.where(code == _Code.TREND, np.sign(climb), np.where(code > 0, position, 0))
        self.latest[rows] = np.column_stack([self.latest[rows, 1:], x])
        self.seen[rows] += 1
        return code, side

    def rebase(self, rows: NDArray[np.intp]) -> None:
        """Draw the baseline of the series whose first 12 points are complete, or whose level has held for 12."""
        due = (self.seen[rows] == BASELINE_POINTS) | (np.abs(self.run[rows]) >= REBASE_POINTS)
        new = rows[due]
        if new.size:
            self.mean[new], self.reach[new] = limits(self.latest[new])
            self.run[new] = 0
            self.zones[new] = 0


def _extend(run: Signs, sign: Signs) -> Signs:
    """A signed run prolonged by one of the same sign, begun anew by the other, ended by 0."""
    return np.where(sign == 0, 0, np.where(np.sign(run) == sign, run + sign, sign))


def _row_mean(block: Floats) -> Floats:
    """Mean of each row, added up from the left, so that it does not depend on how many rows there are."""
    total: Floats = np.zeros(block.shape[0])
    for column in range(block.shape[1]):
        total += block[:, column]
    total /= block.shape[1]
    return total
