"""From inputs to measures, by the registry's formulas and nothing else.

A rate travels with its numerator and denominator, and a missing one with its reason; no symbol, gap or
suppressed cell ever becomes a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import lcm

import polars as pl

from features.frames import INPUTS, MEASURES_SCHEMA, REASONS, conform
from features.registry import INPUT_PARTS, MEASURES, POPULATION_INPUT, Measure, Missing, Term

_KEY = ["la_code", "month"]


def compute_measures(
    inputs: pl.DataFrame, reasons: pl.DataFrame, measures: Sequence[Measure] = MEASURES
) -> pl.DataFrame:
    """MEASURES_SCHEMA: every measure of every row of inputs, sorted by council, month and measure.

    A value is null, with the reason of the first input that is missing, in the order of the formula;
    or because there is nothing to divide by; or because a part is larger than its whole. The sums are
    of whole numbers and divided once, so a rate does not depend on how the counting was split.
    """
    wide = _with_reasons(conform(inputs, INPUTS, "inputs"), conform(reasons, REASONS, "reasons"), measures)
    ordered = sorted(measures, key=lambda m: m.name)
    frames = [wide.select("la_code", "month", *_columns(m), "known_from") for m in ordered]
    return conform(_interleaved(frames), MEASURES_SCHEMA, "measures")


def monthly_points(inputs: pl.DataFrame, measures: Sequence[Measure] = MEASURES) -> pl.DataFrame:
    """`la_code, month, measure, point`: measures that sum over a window, from the month's own flows; for charts.

    Where only the numerator is a flow (leavers over workers in post) the month's figure is brought to the
    measure's window (12 times the month), so that it is in the measure's unit. Points of rolling sums share
    eleven twelfths of their content; control rules take points to be independent. Sorted by key.
    """
    wide = inputs.sort(_KEY)
    frames = []
    for measure in sorted((m for m in measures if window_of(m) is not None), key=lambda m: m.name):
        over, under = _window(measure.numerator), _window(measure.denominator)
        scale = multiplier_of(measure) * (over if under is None and over is not None else 1)
        numerator, denominator = _of_one_month(measure.numerator), _of_one_month(measure.denominator)
        value = _natural(numerator) / _natural(denominator) * scale
        frames.append(
            wide.select(
                "la_code",
                "month",
                pl.lit(measure.name).alias("measure"),
                pl.when(_sum(denominator) > 0).then(value).alias("point"),
            )
        )
    return _interleaved(frames)


def _interleaved(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Row 1 of every frame, then row 2 of every frame: in order of the key without sorting text."""
    rows, kinds = frames[0].height, len(frames)
    number = pl.int_range(rows * kinds, dtype=pl.UInt32, eager=True)
    return pl.concat(frames)[number % kinds * rows + number // kinds]


def multiplier_of(measure: Measure) -> pl.Expr:
    """The formula's constant, by the frame's `month` where a leap year has another one."""
    if measure.leap_year_multiplier is None:
        return pl.lit(measure.multiplier)
    month = pl.col("month")
    year_of_february = month.dt.year() - (month.dt.month() < 2).cast(pl.Int32)
    leap = pl.date(year_of_february, 2, 1).dt.is_leap_year()
    return pl.when(leap).then(measure.leap_year_multiplier).otherwise(measure.multiplier)


def window_of(measure: Measure) -> int | None:
    """The trailing months a measure's flows are summed over; None if it is made of stocks only."""
    windows = [w for w in (_window(measure.numerator), _window(measure.denominator)) if w is not None]
    return max(windows, default=None)


def _window(terms: tuple[Term, ...]) -> int | None:
    for term in terms:
        stem, _, window = term.input.rpartition("_")
        if stem and window.endswith("m") and window[:-1].isdigit():
            return int(window[:-1])
    return None


def _of_one_month(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    if _window(terms) is None:
        return terms
    return tuple(Term(f"{t.input.rpartition('_')[0]}_1m", t.weight) for t in terms)


def _parts(terms: tuple[Term, ...]) -> int:
    return reduce(lcm, (INPUT_PARTS[t.input] for t in terms))


def _sum(terms: tuple[Term, ...]) -> pl.Expr:
    """The weighted sum as a whole number of the terms' common parts."""
    parts = _parts(terms)
    return reduce(lambda a, b: a + b, (pl.col(t.input) * (t.weight * (parts // INPUT_PARTS[t.input])) for t in terms))


def _natural(terms: tuple[Term, ...]) -> pl.Expr:
    return _sum(terms) / _parts(terms)


def _columns(measure: Measure) -> list[pl.Expr]:
    numerator, denominator = _natural(measure.numerator), _natural(measure.denominator)
    part_exceeds_whole = pl.lit(measure.bounded) & ((numerator > denominator) | (numerator < 0))
    missing = pl.coalesce(pl.when(pl.col(name).is_null()).then(pl.col(f"{name}__reason")) for name in measure.inputs)
    return [
        pl.lit(measure.name).alias("measure"),
        pl.when((denominator > 0) & part_exceeds_whole.not_())
        .then(numerator / denominator * multiplier_of(measure))
        .alias("value"),
        numerator.alias("numerator"),
        denominator.alias("denominator"),
        pl.when(missing.is_not_null())
        .then(missing)
        .when(denominator <= 0)
        .then(pl.lit(str(Missing.ZERO_DENOMINATOR)))
        .when(part_exceeds_whole)
        .then(pl.lit(str(Missing.CONTRADICTION)))
        .alias("reason"),
    ]


def _with_reasons(inputs: pl.DataFrame, reasons: pl.DataFrame, measures: Sequence[Measure]) -> pl.DataFrame:
    """Inputs with a column `<input>__reason` for each input of the measures, never null where the input is."""
    wide = inputs.sort(_KEY)
    if reasons.height:
        pivoted = reasons.pivot("input", index=_KEY, values="reason")
        pivoted = pivoted.rename({n: f"{n}__reason" for n in pivoted.columns if n not in _KEY})
        wide = wide.join(pivoted, on=_KEY, how="left", validate="1:1").sort(_KEY)
    needed = dict.fromkeys(name for m in measures for name in m.inputs)
    filled = []
    for name in needed:
        default = pl.lit(str(Missing.NO_POPULATION if name == POPULATION_INPUT else Missing.NOT_REPORTED))
        given = f"{name}__reason"
        filled.append((pl.coalesce(given, default) if given in wide.columns else default).alias(given))
    return wide.with_columns(filled)
