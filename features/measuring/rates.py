"""Computes measures from inputs by the registry's formulas and nothing else.

A rate travels with its numerator and denominator, and a missing one with its reason. No symbol, gap or suppressed cell
ever becomes a number. Sums are of whole numbers and are divided once, by NumPy, which rounds division correctly. Polars
multiplies by the reciprocal when the divisor is the same in every row, so the last bit of a rate would depend on which
councils are computed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import lcm
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.frames import INPUTS, MEASURES_SCHEMA, REASONS, conform
from features.registry import COUNTS, INPUT_PARTS, MEASURES, POPULATION_INPUT, Measure, Missing, Term, input_names

_KEY = ["la_code", "month"]
_Floats = NDArray[np.float64]
_Whole = NDArray[np.int64]
_Codes = NDArray[np.int32]


def compute_measures(
    inputs: pl.DataFrame, reasons: pl.DataFrame, measures: Sequence[Measure] = MEASURES
) -> pl.DataFrame:
    """MEASURES_SCHEMA: every measure of every row of inputs, sorted by council, month and measure.

    A value is null for one of three reasons: an input is missing (the reason is that of the first missing input, in the
    order of the formula); there is nothing to divide by; or a part is larger than its whole.
    """
    ordered = sorted(measures, key=lambda m: m.name)
    wide = conform(inputs, INPUTS, "inputs").sort(_KEY)
    amounts = _Amounts.of(wide, INPUT_PARTS)
    texts, why = _why_missing(wide, conform(reasons, REASONS, "reasons"), amounts)
    rates = [_rate(m, amounts, why, multiplier_in(m, wide)) for m in ordered]
    numerators, denominators = (_long([getattr(r, part) for r in rates]) for part in ("numerator", "denominator"))
    with np.errstate(invalid="ignore", divide="ignore"):
        quotients = numerators / denominators * _long([r.multiplier for r in rates])
    codes = _long([r.reason for r in rates])
    numbers = {
        "value": np.where(codes > 0, np.nan, quotients),
        "numerator": numerators,
        "denominator": denominators,
    }
    reason = pl.Series("reason", texts, dtype=pl.String).gather(codes)
    long = _keys(wide, [m.name for m in ordered]).with_columns(
        reason, *(pl.lit(pl.Series(name, values)).fill_nan(None) for name, values in numbers.items())
    )
    return conform(long, MEASURES_SCHEMA, "measures")


def monthly_points(inputs: pl.DataFrame) -> pl.DataFrame:
    """`la_code, month, measure, point`: chart points of measures that sum over a window, from the month's own flows.

    Where only the numerator is a flow (leavers over workers in post), the month's figure is scaled to the measure's
    window (12 times the month), so that it is in the measure's unit. The points of rolling sums are not used: they
    share eleven twelfths of their content, and control rules expect independent points. Sorted by key.
    """
    summed = sorted((m for m in MEASURES if window_of(m) is not None), key=lambda m: m.name)
    wide = conform(inputs, INPUTS, "inputs").sort(_KEY)
    amounts = _Amounts.of(wide, {t.input for m in summed for side in _sides_of_one_month(m) for t in side})
    points = []
    for measure in summed:
        over = _window(measure.numerator)
        months = over if over is not None and per_year(measure) else 1
        numerator, denominator = _sides_of_one_month(measure)
        divisor = amounts.natural(denominator)
        with np.errstate(invalid="ignore", divide="ignore"):
            point = amounts.natural(numerator) / divisor * (multiplier_in(measure, wide) * months)
        points.append(np.where(divisor > 0, point, np.nan))
    long = _keys(wide, [m.name for m in summed]).drop("known_from")
    return long.with_columns(pl.Series("point", _long(points), dtype=pl.Float64).fill_nan(None))


def confirmed_breaks(count_reasons: pl.DataFrame) -> pl.DataFrame:
    """`la_code, month, measure, here`: where a measure begins anew, because the council confirmed new references.

    `count_reasons`: REASONS of counts. Found are the measures of the counts that were withheld for that reason.
    """
    uses = [
        (count.name, measure.name)
        for measure in MEASURES
        for count in COUNTS
        if {t.input for t in (*measure.numerator, *measure.denominator)} & set(input_names(count))
    ]
    by_input = pl.DataFrame(uses, schema={"input": pl.String(), "measure": pl.String()}, orient="row")
    confirmed = count_reasons.filter(pl.col("reason") == str(Missing.NEW_REFERENCES))
    return confirmed.join(by_input, on="input").select(*_KEY, "measure", here=pl.lit(1.0)).unique(maintain_order=True)


def window_of(measure: Measure) -> int | None:
    """The number of trailing months over which a measure's flows are summed; None if it consists of stocks only."""
    windows = [w for w in (_window(measure.numerator), _window(measure.denominator)) if w is not None]
    return max(windows, default=None)


def per_year(measure: Measure) -> bool:
    """Whether one month's figure is scaled to the measure's window: its flows are summed, what they are part of not."""
    return _window(measure.numerator) is not None and _window(measure.denominator) is None


def multiplier_in(measure: Measure, frame: pl.DataFrame) -> _Floats:
    """The formula's constant in each row; by the frame's `month` if it differs in leap years."""
    constant: _Floats = np.full(frame.height, measure.multiplier)
    if measure.leap_year_multiplier is not None:
        # The year of the last February: counted in months from January 1970, less one.
        years = (frame.get_column("month").to_numpy().astype("M8[M]").astype(np.int64) - 1) // 12 + 1970
        constant[(years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))] = measure.leap_year_multiplier
    return constant


def _by_name(frame: pl.DataFrame) -> dict[str, Any]:
    return {column.name: column.to_numpy() for column in frame.get_columns()}


@dataclass(frozen=True)
class _Amounts:
    """The inputs as whole numbers of parts, and which of them are known."""

    parts: dict[str, _Whole]
    known: dict[str, NDArray[np.bool_]]

    @classmethod
    def of(cls, wide: pl.DataFrame, names: Iterable[str]) -> _Amounts:
        inputs = pl.col(list(names))
        return cls(_by_name(wide.select(inputs.fill_null(0))), _by_name(wide.select(inputs.is_not_null())))

    def natural(self, terms: Sequence[Term]) -> _Floats:
        """The weighted sum in natural units (FTE, days, people); NaN where a term is missing."""
        parts = reduce(lcm, (INPUT_PARTS[t.input] for t in terms))
        total = sum(self.parts[t.input] * (t.weight * (parts // INPUT_PARTS[t.input])) for t in terms)
        known = reduce(np.logical_and, (self.known[t.input] for t in terms))
        return np.where(known, total / np.float64(parts), np.nan)


@dataclass(frozen=True)
class _Rate:
    numerator: _Floats
    denominator: _Floats
    multiplier: _Floats
    reason: _Codes


def _rate(measure: Measure, amounts: _Amounts, why: dict[str, _Codes], multiplier: _Floats) -> _Rate:
    numerator, denominator = amounts.natural(measure.numerator), amounts.natural(measure.denominator)
    contradiction = (numerator > denominator) | (numerator < 0) if measure.bounded else np.zeros(len(numerator), bool)
    zero_denominator, contradicted = (_OWN_REASONS[reason] for reason in _FOUND_BY_DIVIDING)
    reason = np.where(denominator <= 0, zero_denominator, np.where(contradiction, contradicted, 0))
    for name in reversed(measure.inputs):
        reason = np.where(why[name] > 0, why[name], reason)
    return _Rate(numerator, denominator, multiplier, reason.astype(np.int32))


#: Codes of the reasons that are found here; 0 means none.
_FOUND_BY_DIVIDING = (Missing.ZERO_DENOMINATOR, Missing.CONTRADICTION)
_OWN_REASONS = {r: n for n, r in enumerate((*_FOUND_BY_DIVIDING, Missing.NOT_REPORTED, Missing.NO_POPULATION), start=1)}


def _why_missing(
    wide: pl.DataFrame, reasons: pl.DataFrame, amounts: _Amounts
) -> tuple[list[str | None], dict[str, _Codes]]:
    """The reasons as texts by code; and each input's code of its reason in each row, 0 where it has a value."""
    given = reasons.get_column("reason").unique().drop_nulls().sort()
    texts: list[str | None] = [None, *(str(r) for r in _OWN_REASONS), *given]
    names = list(amounts.known)
    missing = ~np.stack([amounts.known[name] for name in names])
    why = missing * np.int32(_OWN_REASONS[Missing.NOT_REPORTED])
    population = names.index(POPULATION_INPUT)
    why[population] = missing[population] * _OWN_REASONS[Missing.NO_POPULATION]
    placed = (
        reasons.drop_nulls("reason")
        .join(wide.select(*_KEY).with_row_index("row"), on=_KEY, how="inner", validate="m:1")
        .select("row", _codes("input", names), _codes("reason", given.to_list()))
        .drop_nulls("input")
    )
    row, which, code = (placed.get_column(name).to_numpy() for name in ("row", "input", "reason"))
    why[which, row] = np.where(missing[which, row], code + len(_OWN_REASONS) + 1, why[which, row])
    return texts, dict(zip(names, why, strict=True))


def _codes(column: str, names: list[str]) -> pl.Expr:
    """The position of each text among the names; null if it is not one of them."""
    return pl.col(column).cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int32)


def _window(terms: tuple[Term, ...]) -> int | None:
    for term in terms:
        stem, _, window = term.input.rpartition("_")
        if stem and window.endswith("m") and window[:-1].isdigit():
            return int(window[:-1])
    return None


def _sides_of_one_month(measure: Measure) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    return _of_one_month(measure.numerator), _of_one_month(measure.denominator)


def _of_one_month(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    if _window(terms) is None:
        return terms
    return tuple(Term(f"{t.input.rpartition('_')[0]}_1m", t.weight) for t in terms)


def _long(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Row 1 of every measure, then row 2 of every measure: this is the order of the key, without sorting text."""
    return np.column_stack(columns).ravel()


def _keys(wide: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    row = np.repeat(np.arange(wide.height, dtype=np.uint32), len(names))
    kind = np.tile(np.arange(len(names), dtype=np.uint32), wide.height)
    measure = pl.Series("measure", names, dtype=pl.String).gather(kind)
    return wide.select("la_code", "month", "known_from")[row].insert_column(2, measure)
