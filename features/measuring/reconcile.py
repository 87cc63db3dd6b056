"""Compares our rates with DfE's published ones: which differ by more than rounding can explain.

The tolerance is derived, not chosen. DfE publishes rounded inputs, so each stands for an interval, and so does a rate
computed from them. A ratio of sums is monotone in each input, so its extremes are at the corners. A published rate,
itself rounded, is explained if the two intervals overlap or touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import polars as pl

from features.measuring.rates import compute_measures, multiplier_in
from features.registry import BY_NAME, INPUT_PARTS, RETURN, RETURN_INPUTS, FieldType, Measure

#: A rate as published, in our unit (fractions, not per cent), and half of its last published digit.
PUBLISHED = pl.Schema(
    {
        "la_code": pl.String(),
        "month": pl.Date(),
        "measure": pl.String(),
        "published": pl.Float64(),
        "half_width": pl.Float64(),
    }
)

RECONCILED = pl.Schema(
    {
        "la_code": pl.String(),
        "month": pl.Date(),
        "measure": pl.String(),
        "value": pl.Float64(),
        "published": pl.Float64(),
        "difference": pl.Float64(),
        "lowest": pl.Float64(),
        "highest": pl.Float64(),
        "explained": pl.Boolean(),
        "reason": pl.String(),
    }
)

#: Half of the last digit of DfE's published inputs, in parts: FTE and days are published to one decimal,
#: people and cases are whole and exact. Source: the CSWW file itself (data standards of the release).
PUBLISHED_HALF_WIDTHS: dict[str, float] = {
    name: 0.05 * INPUT_PARTS[name] if RETURN.field(field).type is FieldType.DECIMAL else 0.0
    for field, name in RETURN_INPUTS.items()
}


def reconcile(inputs: pl.DataFrame, reasons: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """RECONCILED: a row for each published rate, and for each rate of ours that is not published, sorted by key.

    `inputs`, `reasons`: what the measures are made from.
    `published`: PUBLISHED. `difference` is ours minus theirs. `lowest` and `highest` bound what the unrounded inputs
    could give. `explained` is whether rounding can account for the whole difference; null where one of the two is
    missing. `reason` says why ours is missing.
    """
    names = published.get_column("measure").unique().sort().to_list()
    measures = [BY_NAME[n] for n in names]
    ours = compute_measures(inputs, reasons, measures).select("la_code", "month", "measure", "value", "reason")
    bounds = _bounds(inputs, measures)
    key = ["la_code", "month", "measure"]
    beside = (
        ours.join(bounds, on=key, how="left", validate="1:1")
        .join(published.select(list(PUBLISHED)), on=key, how="full", coalesce=True, validate="1:1")
        .with_columns((pl.col("value") - pl.col("published")).alias("difference"))
    )
    slack = 1e-12
    explained = (pl.col("lowest") <= pl.col("published") + pl.col("half_width") + slack) & (
        pl.col("highest") >= pl.col("published") - pl.col("half_width") - slack
    )
    return (
        beside.with_columns(pl.when(pl.col("difference").is_not_null()).then(explained).alias("explained"))
        .select(list(RECONCILED))
        .sort(key)
    )


def unexplained(reconciled: pl.DataFrame) -> pl.DataFrame:
    """The rows that differ by more than rounding explains, largest difference first."""
    off = reconciled.filter(pl.col("explained").not_())
    return off.sort(pl.col("difference").abs(), "la_code", "month", "measure", descending=[True, False, False, False])


def largest_differences(reconciled: pl.DataFrame) -> pl.DataFrame:
    """Per measure: rows compared, rows rounding does not explain, largest difference, rows missing on a side."""
    return (
        reconciled.group_by("measure")
        .agg(
            pl.col("difference").is_not_null().sum().alias("compared"),
            pl.col("explained").not_().sum().alias("unexplained"),
            pl.col("difference").abs().max().alias("largest_difference"),
            (pl.col("value").is_null() & pl.col("published").is_not_null()).sum().alias("only_published"),
            (pl.col("value").is_not_null() & pl.col("published").is_null()).sum().alias("only_ours"),
        )
        .sort("measure")
    )


def _bounds(inputs: pl.DataFrame, measures: Sequence[Measure]) -> pl.DataFrame:
    frames = []
    for measure in measures:
        corners = []
        constant = pl.lit(pl.Series(multiplier_in(measure, inputs)))
        for signs in product((-1, 1), repeat=len(measure.inputs)):
            at = {
                n: (pl.col(n) + s * PUBLISHED_HALF_WIDTHS.get(n, 0.0)).clip(0) / INPUT_PARTS[n]
                for n, s in zip(measure.inputs, signs, strict=True)
            }
            over = sum((at[t.input] * t.weight for t in measure.numerator), pl.lit(0.0))
            under = sum((at[t.input] * t.weight for t in measure.denominator), pl.lit(0.0))
            corners.append(over / under * constant)
        frames.append(
            inputs.select(
                "la_code",
                "month",
                pl.lit(measure.name).alias("measure"),
                pl.min_horizontal(corners).alias("lowest"),
                pl.max_horizontal(corners).alias("highest"),
            )
        )
    return pl.concat(frames)
