"""The schemas of the frames that pass between rooms, and the function that checks a frame against them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from features.errors import HoldfastError
from features.registry import ALL_MEASURES, INPUT_PARTS, Kind, counts_of

MEASURE_NAMES = tuple(m.name for m in ALL_MEASURES)

#: Counts of one kind of extract: one row per council and month. `known_from` is the day the extract was received, so
#: that a later run can tell what was known when. A count that was withheld or could not be made is null.
COUNTS_KEY = {"la_code": pl.String(), "month": pl.Date(), "known_from": pl.Date(), "extract_sha256": pl.String()}


def counts_schema(extract: Kind) -> pl.Schema:
    """Council, month, day known, fingerprint, then every count of that extract as Int64 parts."""
    return pl.Schema({**COUNTS_KEY, **{c.name: pl.Int64() for c in counts_of(extract)}})


#: Every input of every formula, wide: one row per council and month; Int64 parts (`INPUT_PARTS`).
INPUTS = pl.Schema(
    {"la_code": pl.String(), "month": pl.Date(), "known_from": pl.Date(), **{n: pl.Int64() for n in INPUT_PARTS}}
)

#: Why an input is null: one row for each council, month and input with a reason.
REASONS = pl.Schema({"la_code": pl.String(), "month": pl.Date(), "input": pl.String(), "reason": pl.String()})

#: Measures, long: one row per council, month and measure. `numerator` and `denominator` are in natural units (FTE,
#: days, people) and travel with every rate. `reason` says why `value` is null; otherwise it is null itself.
MEASURES_SCHEMA = pl.Schema(
    {
        "la_code": pl.String(),
        "month": pl.Date(),
        "measure": pl.String(),
        "value": pl.Float64(),
        "numerator": pl.Float64(),
        "denominator": pl.Float64(),
        "reason": pl.String(),
        "known_from": pl.Date(),
    }
)

#: Features, long: one row per council, month and measure. Distances and changes are in the measure's own unit; positive
#: means higher, whatever the direction of concern. `xmr_value` is the point on the process-behaviour chart. It is the
#: value itself or, for a measure summed over a window, that month's own figure in the measure's unit: points of
#: overlapping windows would make every chart signal. `xmr_level` is set once limits have been redrawn and the new mean
#: is outside those of the first baseline: worse (`concern`) or better than before, and no longer moving.
#: `xmr_mean_before` is the mean of the first baseline.
FEATURES_SCHEMA = pl.Schema(
    {
        **MEASURES_SCHEMA,
        "change_3m": pl.Float64(),
        "change_6m": pl.Float64(),
        "change_12m": pl.Float64(),
        "change_24m": pl.Float64(),
        "own_mean": pl.Float64(),
        "own_z": pl.Float64(),
        "neighbours_median": pl.Float64(),
        "neighbours_reported": pl.UInt32(),
        "vs_neighbours": pl.Float64(),
        "national_percentile": pl.Float64(),
        "shrunk": pl.Float64(),
        "xmr_value": pl.Float64(),
        "xmr_mean": pl.Float64(),
        "xmr_lower": pl.Float64(),
        "xmr_upper": pl.Float64(),
        "xmr_signal": pl.String(),
        "xmr_toward": pl.String(),
        "xmr_level": pl.String(),
        "xmr_mean_before": pl.Float64(),
        "small_base": pl.Boolean(),
    }
)

#: Columns of FEATURES_SCHEMA that, pivoted to `<measure>__<column>`, a model may read.
FEATURE_COLUMNS = (
    "change_3m",
    "change_6m",
    "change_12m",
    "change_24m",
    "own_z",
    "vs_neighbours",
    "national_percentile",
    "shrunk",
)

#: The published national distribution: one row per measure, published year and council (or quantile).
NATIONAL = pl.Schema({"measure": pl.String(), "period_end": pl.Date(), "known_from": pl.Date(), "value": pl.Float64()})


def conform(frame: pl.DataFrame, schema: pl.Schema, what: str) -> pl.DataFrame:
    """The frame with exactly the schema's columns, in its order; the types must already agree.

    Raises HoldfastError naming the frame and the columns. A frame of another shape is a fault of the program or of a
    stored file, and its meaning must not be guessed.
    """
    found = frame.schema
    absent = [n for n in schema if n not in found]
    wrong = [n for n in schema if n in found and found[n] != schema[n]]
    if absent or wrong:
        raise HoldfastError(
            f"The {what} table has another shape than this version of Holdfast writes"
            + (f"; missing columns: {', '.join(absent)}" if absent else "")
            + (f"; columns of another type: {', '.join(wrong)}" if wrong else "")
            + ". Re-run the month that wrote it, or restore the file."
        )
    return frame if frame.columns == list(schema) else frame[list(schema)]


def in_order(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The rows sorted by these columns, ties as they stand. Rows that are in order already are not copied."""
    places = rows.select(pl.arg_sort_by(*columns, maintain_order=True)).to_series()
    return rows if places.is_sorted() else rows[places]
