"""Turns measures into features: how each moved, and how it compares with its past, its neighbours and England.

Everything looks backward. A feature of month m reads measures of m and earlier only. With `as_of` it also reads only
what was known by that day, so a feature computed years later is the one that could have been computed then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.comparing.cube import MEASURE_AXIS, Cube, Floats, Ints
from features.comparing.national import with_percentile
from features.comparing.shrinkage import shrink, shrinkable
from features.comparing.xmr import SIGNALS, charts, toward
from features.councils import members_of
from features.frames import FEATURES_SCHEMA, MEASURES_SCHEMA, conform
from features.measuring.rates import multiplier_in, window_of
from features.months import Month
from features.registry import BY_NAME, Measure

CHANGE_MONTHS = (3, 6, 12, 24)
#: A council's own past is the 24 months before; at least 12 of them must be known. A series with one month a year
#: (DfE's return) cannot reach that: its past is the same month of the 5 years before; at least 3 must be known.
OWN_MONTHS, OWN_MIN_MONTHS = 24, 12
OWN_YEARS, OWN_MIN_YEARS = 5, 3
#: With fewer neighbours than this in the month, the reason given is “too few reported”.
MIN_NEIGHBOURS = 3
#: If a past hardly moved, any move would look infinitely unusual. So its standard deviation is never taken as less than
#: the move of one person, case or day, nor as less than this share of the mean.
SD_FLOOR_SHARE = 0.01

_KEY = ["la_code", "month", "measure"]


def as_of(measures: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    """The measures as known on a day: for each council, month and measure, the last version known by then.

    A row without `known_from` (nothing was received, so nothing became known) stays if its month is over.
    """
    known = measures.filter(pl.col("month") <= cutoff, pl.col("known_from").fill_null(pl.col("month")) <= cutoff)
    return known.sort("known_from", maintain_order=True).unique(_KEY, keep="last").sort(_KEY)


def compute_features(
    measures: pl.DataFrame,
    neighbours: pl.DataFrame,
    national: pl.DataFrame,
    months: Collection[Month] | None = None,
    as_of_day: date | None = None,
    points: pl.DataFrame | None = None,
    breaks: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """FEATURES_SCHEMA of the requested months (None: all in `measures`), sorted by council, month and measure.

    `measures`: MEASURES_SCHEMA, one row per key, with all available history (24 months for the changes, more for annual
    series and charts).
    `neighbours`: `la_code, neighbour` from the register; a code that is part of a joint return (“314” of “314 / 318”)
    stands for that return.
    `national`: NATIONAL.
    `as_of_day`: read only what was known by then; without it, each row uses the national distribution that was known
    when the row itself was.
    `points`: `measures.monthly_points`, the chart points of measures that sum over a window; without them such measures
    have no chart.
    `breaks`: `measures.confirmed_breaks`, from which months on a measure is compared with nothing before them.
    """
    measures = conform(measures, MEASURES_SCHEMA, "measures")
    if as_of_day is not None:
        measures = as_of(measures, as_of_day)
    if months is not None:
        measures = measures.filter(pl.col("month") <= max((m.last_day for m in months), default=date.min))
    if measures.is_empty():
        return pl.DataFrame(schema=FEATURES_SCHEMA)
    cube = Cube.of(measures)
    wanted = set(cube.months) if months is None else {m.last_day for m in months}
    columns = np.array([i for i, day in enumerate(cube.months) if day in wanted], dtype=np.intp)
    asked = [cube.months[i] for i in columns]
    order, (la, measure, month) = _in_key_order(cube, columns)
    if order.size == 0:
        return pl.DataFrame(schema=FEATURES_SCHEMA)
    rows = measures[order]
    now = _Asked.of(cube, columns, la, measure, month)
    known_on = pl.lit(as_of_day) if as_of_day is not None else pl.coalesce("known_from", "month")
    values = cube.fill(measures.get_column("value"))
    multipliers = _multipliers(cube, asked)
    broken = None if breaks is None or breaks.is_empty() else ~np.isnan(cube.fill_from(breaks, "here"))
    past = _Past(cube, values, columns, None if broken is None else _since(broken))
    # NumPy lets go of Python while it works on a large block, so what takes few large ones is made beside the rest.
    with ThreadPoolExecutor(1) as beside:
        apart = [
            beside.submit(_against_neighbours, cube, values, columns, neighbours),
            beside.submit(_changes, past),
            beside.submit(_own_past, past, now.block(rows.get_column("denominator")), multipliers),
        ]
        rows = with_percentile(rows.with_columns(known_on.alias("known_on")), national)
        blocks = _charts(cube, values, columns, points, broken)
        blocks["shrunk"] = _shrunk(now, rows, multipliers)
        for part in apart:
            blocks |= part.result()
    return _with_columns(rows.drop("known_on"), {name: now.read(block) for name, block in blocks.items()}, measure)


def _with_columns(rows: pl.DataFrame, found: dict[str, Floats], measure: Ints) -> pl.DataFrame:
    """FEATURES_SCHEMA: the rows with what was found for each; `measure` is each row's place on the measure axis."""
    declared = [BY_NAME[name] for name in MEASURE_AXIS]
    others = {
        "neighbours_reported": pl.Series(found["neighbours_reported"]).cast(pl.UInt32),
        "xmr_signal": pl.Series(SIGNALS, dtype=pl.String).gather(found["xmr_signal"].astype(np.intp)),
        "xmr_toward": _toward(found["xmr_toward"], measure, declared),
        "xmr_level": _toward(found["xmr_level"], measure, declared),
        "small_base": rows.get_column("denominator") < pl.Series([m.small_base for m in declared]).gather(measure),
    }
    numbers = [pl.Series(name, values) for name, values in found.items() if name not in others]
    features = rows.with_columns(*numbers, **others).with_columns(
        pl.col([n.name for n in numbers]).fill_nan(None),
        pl.when(pl.col("value").is_not_null()).then("national_percentile"),
    )
    return conform(features, FEATURES_SCHEMA, "features")


def _in_key_order(cube: Cube, columns: Ints) -> tuple[Ints, tuple[Ints, Ints, Ints]]:
    """The row numbers of the requested months in the order of the key; and each row's council, measure and month.

    The axes are sorted, so a cell's place on them sorts like the key itself, without comparing text.
    """
    la, measure, month = cube.places
    there = np.nonzero(np.isin(month, columns))[0]
    councils, measures, months = cube.shape
    key = np.ravel_multi_index((la[there], month[there], measure[there]), (councils, months, measures))
    # Stable sorting is quick where nothing is out of order, as nearly always here.
    order = there[np.argsort(key, kind="stable")]
    return order, (la[order], measure[order], month[order])


@dataclass(frozen=True)
class _Asked:
    """The requested months of a cube as blocks `[council, measure, requested month]`, and each row's cell in them."""

    cube: Cube
    shape: tuple[int, int, int]
    cells: Ints

    @classmethod
    def of(cls, cube: Cube, columns: Ints, la: Ints, measure: Ints, month: Ints) -> _Asked:
        """The blocks of these months, and the cells of these rows; `month` counts in the cube."""
        shape = (*cube.shape[:2], columns.size)
        return cls(cube, shape, np.ravel_multi_index((la, measure, np.searchsorted(columns, month)), shape))

    def block(self, values: pl.Series) -> Floats:
        """A column of the rows as a block; NaN where there is no value."""
        block = np.full(self.shape, np.nan)
        block.reshape(-1)[self.cells] = values.cast(pl.Float64).to_numpy()
        return block

    def read(self, block: Floats) -> Floats:
        """Each row's value in a block."""
        return block.reshape(-1).take(self.cells)


@dataclass(frozen=True)
class _Past:
    """The values that the requested months look back on."""

    cube: Cube
    values: Floats
    columns: Ints
    since: Ints | None
    """For each cell, the last month up to it at which its series began anew; 0 if it never did."""

    @property
    def now(self) -> Floats:
        return self.values[:, :, self.columns]

    def ago(self, months: int) -> Floats:
        """The values that many months earlier; NaN where there are none, or where the series began anew since."""
        return self.cube.lag(self.values, months, self.columns, self.since)


def _since(broken: NDArray[np.bool_]) -> Ints:
    found: Ints = np.maximum.accumulate(np.where(broken, np.arange(broken.shape[2]), 0), axis=2)
    return found


def _changes(past: _Past) -> dict[str, Floats]:
    return {f"change_{k}m": past.now - past.ago(k) for k in CHANGE_MONTHS}


def _own_past(past: _Past, denominator: Floats, multipliers: Floats) -> dict[str, Floats]:
    """The mean of the council's own past, and how many standard deviations the value is away from it."""
    monthly = _moments(past, range(1, OWN_MONTHS + 1), OWN_MIN_MONTHS)
    yearly = _moments(past, range(12, 12 * OWN_YEARS + 1, 12), OWN_MIN_YEARS)
    mean = np.where(np.isnan(monthly[0]), yearly[0], monthly[0])
    deviation = np.where(np.isnan(monthly[0]), yearly[1], monthly[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        one_unit = np.where(denominator > 0, multipliers / denominator, 0.0)
        floor = np.fmax(one_unit, SD_FLOOR_SHARE * np.abs(mean))
        z = (past.now - mean) / np.fmax(deviation, floor)
    return {"own_mean": mean, "own_z": np.where(np.isfinite(z), z, np.nan)}


def _moments(past: _Past, months_ago: Sequence[int], at_least: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation (n - 1) of the known values; NaN where there are fewer than the minimum.

    Months come first here, so that looking back moves whole blocks of memory, and each sum is added to in place.
    """
    by_month = np.ascontiguousarray(np.moveaxis(past.values, 2, 0))
    seen = ~np.isnan(by_month)
    value, one = np.where(seen, by_month, 0.0), seen.astype(np.float64)
    since = None if past.since is None else np.moveaxis(past.since[:, :, past.columns], 2, 0)
    looks = [(there, source) for k in months_ago for there, source in [past.cube.found(k, past.columns)] if source.size]
    known, total, squares = (np.zeros((past.columns.size, *by_month.shape[1:])) for _ in range(3))

    def earlier() -> Iterator[tuple[slice | Ints, Floats, Floats]]:
        """Where to add; the values, 0 for unknown ones; and 1 for known ones."""
        for at, months in looks:
            there, source = _span(at), _span(months)
            if since is None:
                yield there, value[source], one[source]
            else:
                reached = months[:, None, None] >= since[there]
                yield there, value[source] * reached, one[source] * reached

    for there, values, ones in earlier():
        known[there] += ones
        total[there] += values
    enough = known >= at_least
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(enough, total / known, 0.0)
        for there, values, ones in earlier():
            away = values - mean[there]
            away *= away
            away *= ones
            squares[there] += away
        deviation = np.sqrt(squares / (known - 1))
    mean, deviation = (np.where(enough, found, np.nan) for found in (mean, deviation))
    return np.moveaxis(mean, 0, 2), np.moveaxis(deviation, 0, 2)


def _span(places: Ints) -> slice | Ints:
    """Consecutive places as a slice, which NumPy reads and adds to without a copy."""
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if last - first == places.size - 1 else places


def _against_neighbours(cube: Cube, values: Floats, columns: Ints, neighbours: pl.DataFrame) -> dict[str, Floats]:
    """The median of the statistical neighbours that reported the month, and the council's distance from it."""
    whose = _neighbour_index(cube, neighbours)
    now = values[:, :, columns]
    with_nobody = np.concatenate([now, np.full((1, *now.shape[1:]), np.nan)])
    by_month = np.ascontiguousarray(with_nobody.T)
    median, reported = np.full(now.shape, np.nan), np.zeros(now.shape)
    for month in range(len(columns)):
        ordered = by_month[month].take(whose, axis=1)
        # NaN sorts last, so the known values come first and their count gives the position of the middle one.
        ordered.sort(axis=2)
        n = (~np.isnan(ordered)).sum(axis=2, keepdims=True)
        middle = np.maximum(n - 1, 0)
        low, high = (np.take_along_axis(ordered, m // 2, axis=2) for m in (middle, middle + 1))
        median[:, :, month] = np.where(n >= MIN_NEIGHBOURS, (low + high) / 2, np.nan)[:, :, 0].T
        reported[:, :, month] = n[:, :, 0].T
    return {"neighbours_median": median, "neighbours_reported": reported, "vs_neighbours": now - median}


def _neighbour_index(cube: Cube, neighbours: pl.DataFrame) -> Ints:
    """The row numbers of each council's neighbours; -1 for a neighbour that is not in the frame, and as padding."""
    row = {code: i for i, code in enumerate(cube.councils)}
    for code in cube.councils:
        for member in members_of(code):
            row.setdefault(member, row[code])
    found: list[list[int]] = [[] for _ in cube.councils]
    for la_code, neighbour in neighbours.select("la_code", "neighbour").iter_rows():
        council, other = row.get(la_code), row.get(neighbour)
        if council is not None and other is not None and other != council and other not in found[council]:
            found[council].append(other)
    most = max(1, *(len(theirs) for theirs in found))
    return np.array([theirs + [-1] * (most - len(theirs)) for theirs in found], dtype=np.intp)


def _charts(
    cube: Cube, values: Floats, columns: Ints, points: pl.DataFrame | None, broken: NDArray[np.bool_] | None
) -> dict[str, Floats]:
    """Process-behaviour charts over all months, read at the requested months."""
    charted = values.copy()
    windowed = [i for i, name in enumerate(cube.measures) if window_of(BY_NAME[name]) is not None]
    if windowed:
        months_own = cube.fill_from(points, "point") if points is not None else np.full(values.shape, np.nan)
        charted[:, windowed] = months_own[:, windowed]
    anew = None if broken is None else broken.reshape(-1, broken.shape[2])
    flat = charts(charted.reshape(-1, charted.shape[2]), columns, anew)

    def block(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Floats:
        return array.reshape(*charted.shape[:2], len(columns)).astype(np.float64)

    lower, upper = block(flat.lower), block(flat.upper)
    for i, name in enumerate(cube.measures):
        measure = BY_NAME[name]
        if shrinkable(measure):
            lower[:, i] = np.maximum(lower[:, i], 0.0)
        if measure.bounded:
            upper[:, i] = np.minimum(upper[:, i], 1.0)
    return {
        "xmr_value": charted[:, :, columns],
        "xmr_mean": block(flat.mean),
        "xmr_lower": lower,
        "xmr_upper": upper,
        "xmr_signal": block(flat.signal),
        "xmr_toward": block(flat.side),
        "xmr_level": block(flat.level),
        "xmr_mean_before": block(flat.before),
    }


def _shrunk(now: _Asked, rows: pl.DataFrame, multipliers: Floats) -> Floats:
    unknown = rows.get_column("value").is_null()
    numerator, denominator = (now.block(rows.get_column(n).set(unknown, None)) for n in ("numerator", "denominator"))
    of_england = [np.fmax.reduce(now.block(rows.get_column(n))) for n in ("national_mean", "national_variance")]
    shrunk = np.full(numerator.shape, np.nan)
    for i, name in enumerate(now.cube.measures):
        measure = BY_NAME[name]
        if shrinkable(measure):
            national = (part[i] for part in of_england)
            shrunk[:, i] = shrink(numerator[:, i], denominator[:, i], measure, multipliers[i], *national)
    return shrunk


def _multipliers(cube: Cube, asked: list[date]) -> Floats:
    """Each measure's constant in each requested month, `[measure, month]`."""
    months = pl.DataFrame({"month": asked}, schema={"month": pl.Date()})
    return np.stack([multiplier_in(BY_NAME[name], months) for name in cube.measures])


def _toward(side: Floats, measure: Ints, declared: Sequence[Measure]) -> pl.Series:
    """Whether a signal or level on that side is concern or improvement, by the measure's direction."""
    texts = [str(toward(s, m.direction)) if s else None for m in declared for s in (-1, 0, 1)]
    return pl.Series(texts, dtype=pl.String).gather(3 * measure + side.astype(np.intp) + 1)
