"""Process-behaviour (XmR) charts by the rules of NHS England's *Making Data Count*.

A chart tells a change from noise. It has the mean of a baseline, limits at 2.66 mean moving ranges on either side
(Shewhart's three sigma, from the average change between neighbouring points), and four rules that a stable process
rarely breaks: a point beyond a limit; seven in a row on one side of the mean; seven in a row rising or falling; two of
three in the outer third, with all three on one side. The limits of a baseline without any spread would mean nothing. So
limits are never closer to the mean than one per cent of it, and where the mean is 0 too, nothing is judged.

The baseline follows a rule, not the eye. It is the first 12 observations of a series, which are not judged themselves.
When 12 consecutive observations lie on one side of its mean, the limits are redrawn from those 12: a level held that
long is the new normal, and limits that never moved would signal for ever. If the new mean lies beyond the limits of the
first baseline, the chart says so in `level`: worse (or better) than before, and no longer moving. A point's limits rest
on earlier points only, so every chart is as-of by construction. Missing months are skipped, not filled.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from features.registry import Direction

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Signs = NDArray[np.int16]

#: 3 / d2 with d2 = 1.128, the mean range of two normal observations (Shewhart; Wheeler, *Understanding Variation*).
MOVING_RANGE_FACTOR = 2.66
BASELINE_POINTS = 12
SHIFT_POINTS = 7
TREND_POINTS = 7
REBASE_POINTS = 12
#: The minimum distance of the limits from the mean, as a share of it: a past without spread must not make every change
#: unusual.
LEAST_REACH = 0.01
#: The mean of equal numbers may differ from them in the last bits; such a difference does not count as a side.
_DUST = 1e-9


class XmrRule(StrEnum):
    """The rule a point breaks; if it breaks several, the first in this order."""

    POINT = "point"
    SHIFT = "shift"
    TREND = "trend"
    NEAR_LIMIT = "near_limit"


class Toward(StrEnum):
    """Whether a signal means concern or improvement, by the measure's direction of concern."""

    CONCERN = "concern"
    IMPROVEMENT = "improvement"
    NEITHER = "neither"


class _Code(IntEnum):
    NONE = 0
    POINT = 1
    SHIFT = 2
    TREND = 3
    NEAR_LIMIT = 4


#: The signal for each code in `Chart.signal`.
SIGNALS: tuple[XmrRule | None, ...] = (None, *XmrRule)


@dataclass(frozen=True)
class Chart:
    """The charts of many series at once; every array is `[series, month]`."""

    mean: Floats
    lower: Floats
    upper: Floats
    signal: NDArray[np.int8]
    """Index into SIGNALS; 0 if no rule is broken or the point cannot be judged."""
    side: NDArray[np.int8]
    """Which way the signal points: 1 up, -1 down, 0 none."""
    level: NDArray[np.int8]
    """Where the mean is since the limits were redrawn: 1 above the limits of the first baseline, -1 below, 0 within."""
    before: Floats
    """The mean of the first baseline, where `level` is not 0."""


def limits(baseline: Floats) -> tuple[Floats, Floats]:
    """The mean of complete baselines `[series, point]`, and the distance of the limits from it."""
    ranges = np.abs(np.diff(baseline, axis=1))
    mean = _row_mean(baseline)
    return mean, np.maximum(MOVING_RANGE_FACTOR * _row_mean(ranges), LEAST_REACH * np.abs(mean))


def toward(side: int, direction: Direction) -> Toward:
    """Whether a signal on that side is a concern."""
    if direction is Direction.NONE:
        return Toward.NEITHER
    return Toward.CONCERN if (side > 0) == (direction is Direction.HIGH) else Toward.IMPROVEMENT


def charts(points: Floats, at: Ints | None = None, breaks: NDArray[np.bool_] | None = None) -> Chart:
    """Chart every row of `[series, month]`, with NaN for a month without an observation; return the months in `at`.

    `at`: column numbers of the months to return; None returns all. `breaks`: where a series begins anew, as if it had
    no past: what it counts cannot be compared across that month. Mean and limits are NaN until a baseline is
    complete. A month without an observation has no signal and shows the limits that the next one will be judged by.
    """
    # Transposed, so that each month's values are contiguous in memory.
    by_month = np.ascontiguousarray(points.T)
    months, series = by_month.shape
    read = {month: place for place, month in enumerate(range(months) if at is None else at.tolist())}
    shape = (len(read), series)
    mean, lower, upper, before = (np.full(shape, np.nan) for _ in range(4))
    signals, sides, levels = (np.zeros(shape, dtype=np.int8) for _ in range(3))
    found = Chart(mean, lower, upper, signals, sides, levels, before)
    state = _State.of(series)
    for month, x in enumerate(by_month[: max(read, default=-1) + 1]):
        seen = ~np.isnan(x)
        if breaks is not None and breaks[:, month].any():
            state.begin_anew(breaks[:, month])
        if month in read:
            place = read[month]
            found.mean[place], found.lower[place], found.upper[place] = state.mean, state.lower, state.upper
            found.level[place] = state.level
            found.before[place] = np.where(state.level != 0, state.first_mean, np.nan)
        signal, side = state.judge(x, seen)
        if month in read:
            found.signal[place], found.side[place] = signal, side
        due = seen & ((np.abs(state.run) >= REBASE_POINTS) | (state.observations == BASELINE_POINTS))
        if due.any():
            state.redraw(due, _last_observed(by_month[: month + 1, due], BASELINE_POINTS))
    return Chart(*(getattr(found, f.name).T for f in fields(found)))


@dataclass
class _State:
    """What is known of each series' chart before its next observation."""

    observations: Signs
    """Number of observations so far."""
    last: Floats
    mean: Floats
    reach: Floats
    """Distance of the limits from the mean."""
    run: Signs
    """Length of the current run on one side of the mean; its sign is the side."""
    climb: Signs
    """Number of consecutive steps in one direction; its sign is the direction."""
    outer: Signs
    """The side on which the last observation was in the outer third."""
    outer_before: Signs
    position: Signs
    """The side of the mean on which the last observation was."""
    position_before: Signs
    first_mean: Floats
    """Mean of the first baseline, and the distance of its limits."""
    first_reach: Floats
    level: Signs
    """The side on which the mean is outside the limits of the first baseline."""

    @classmethod
    def of(cls, series: int) -> _State:
        """The state before the first observation."""
        unknown, nothing = np.full(series, np.nan), np.zeros(series, dtype=np.int16)
        return cls(
            observations=nothing,
            last=unknown,
            mean=unknown,
            reach=unknown,
            run=nothing,
            climb=nothing,
            outer=nothing,
            outer_before=nothing,
            position=nothing,
            position_before=nothing,
            first_mean=unknown,
            first_reach=unknown,
            level=nothing,
        )

    def begin_anew(self, where: NDArray[np.bool_]) -> None:
        """Forget the past of some series."""
        fresh = _State.of(where.size)
        for one in fields(self):
            setattr(self, one.name, np.where(where, getattr(fresh, one.name), getattr(self, one.name)))

    @property
    def lower(self) -> Floats:
        return self.mean - self.reach

    @property
    def upper(self) -> Floats:
        return self.mean + self.reach

    def judge(self, x: Floats, seen: NDArray[np.bool_]) -> tuple[Signs, Signs]:
        """The rule each observation breaks (`_Code`), and on which side; a missing observation changes nothing."""
        step = (x > self.last).astype(np.int16) - (x < self.last)
        self.climb = np.where(seen, _extend(self.climb, step), self.climb)
        self.last = np.where(seen, x, self.last)
        self.observations = self.observations + seen
        if np.isnan(self.mean).all():
            nothing: Signs = np.zeros(x.size, dtype=np.int16)
            return nothing, nothing
        distance = x - self.mean
        far = np.abs(distance)
        position = np.where(far > _DUST * np.abs(self.mean), np.sign(distance), 0).astype(np.int16)
        self.run = np.where(seen, _extend(self.run, position), self.run)
        outer = np.where(3 * far > 2 * self.reach, position, 0)
        one_side = (position == self.position) & (position == self.position_before)
        judged = seen & (self.reach > 0)
        rules = {
            _Code.POINT: (far > self.reach) & (position != 0),
            _Code.SHIFT: np.abs(self.run) >= SHIFT_POINTS,
            _Code.TREND: (np.abs(self.climb) >= TREND_POINTS - 1) & ~np.isnan(self.mean),
            _Code.NEAR_LIMIT: (outer != 0) & one_side & ((outer == self.outer) | (outer == self.outer_before)),
        }
        self.position_before = np.where(seen, self.position, self.position_before)
        self.position = np.where(seen, position, self.position)
        self.outer_before = np.where(seen, self.outer, self.outer_before)
        self.outer = np.where(seen, outer, self.outer)
        code: Signs = np.zeros(x.size, dtype=np.int16)
        for rule, broken in reversed(rules.items()):
            code[broken & judged] = rule
        return code, np.where(code == _Code.TREND, np.sign(self.climb), np.where(code > 0, position, 0))

    def redraw(self, due: NDArray[np.bool_], baseline: Floats) -> None:
        """Redraw some charts from their new baselines `[point, series]`; runs relative to the mean start again."""
        self.mean, self.reach = self.mean.copy(), self.reach.copy()
        self.mean[due], self.reach[due] = limits(baseline.T)
        first = due & np.isnan(self.first_mean)
        self.first_mean = np.where(first, self.mean, self.first_mean)
        self.first_reach = np.where(first, self.reach, self.first_reach)
        moved = np.nan_to_num(self.mean - self.first_mean)
        level = np.where(np.abs(moved) > np.nan_to_num(self.first_reach), np.sign(moved), 0).astype(np.int16)
        self.level = np.where(due, level, self.level)
        # Points of the two-of-three rule may belong to the baseline, so their sides are kept.
        self.position, self.position_before = self.position.copy(), self.position_before.copy()
        for positions, last in ((self.position, baseline[-1]), (self.position_before, baseline[-2])):
            distance = last - self.mean[due]
            beyond = np.abs(distance) > _DUST * np.abs(self.mean[due])
            positions[due] = np.where(beyond, np.sign(distance), 0)
        self.run, self.outer, self.outer_before = (
            np.where(due, 0, counted) for counted in (self.run, self.outer, self.outer_before)
        )


def _last_observed(by_month: Floats, count: int) -> Floats:
    """The last `count` observations of each series of `[month, series]`, without the gaps."""
    order = np.argsort(~np.isnan(by_month), axis=0, kind="stable")
    return np.take_along_axis(by_month, order, axis=0)[-count:]


def _extend(run: Signs, step: Signs) -> Signs:
    """Lengthen a signed run when the sign is the same, restart it when the sign changes, end it at 0."""
    return np.where(run * step > 0, run, 0) + step


def _row_mean(block: Floats) -> Floats:
    """The mean of each row, added from the left, so that it does not depend on the number of rows."""
    total: Floats = np.zeros(block.shape[0])
    for column in range(block.shape[1]):
        total += block[:, column]
    total /= block.shape[1]
    return total
