"""Turns long features into the rows a model reads: one per council and month, with columns in one fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from features.frames import FEATURE_COLUMNS, MEASURE_NAMES
from features.months import Month


def wide_columns() -> tuple[str, ...]:
    """`<measure>`, then `<measure>__<column>` for each feature column; measures in the registry's order."""
    return tuple(n for m in MEASURE_NAMES for n in (m, *(f"{m}__{c}" for c in FEATURE_COLUMNS)))


def latest_known(features: pl.DataFrame, day: date, max_age_months: int) -> pl.DataFrame:
    """For each council and measure, the newest value known by a day and at most `max_age_months` months old.

    For series with one month a year: in March the latest figure is September's, once it is published. Rows keep their
    own `month`, so that their age can be seen. Rows without a value are skipped.
    """
    oldest = Month.of(day).plus(-max_age_months).last_day
    known = features.filter(
        pl.col("value").is_not_null(),
        pl.col("known_from").fill_null(pl.col("month")) <= day,
        pl.col("month") <= day,
        pl.col("month") >= oldest,
    )
    newest = known.sort("month", "known_from", maintain_order=True)
    return newest.unique(["la_code", "measure"], keep="last", maintain_order=True).sort("la_code", "measure")


def wide_latest(features: pl.DataFrame, days: Sequence[date], max_age_months: int) -> pl.DataFrame:
    """`la_code, as_of`, then the columns of `wide_columns`, each from its measure's latest month known by that day."""
    newest = [latest_known(features, day, max_age_months).with_columns(pl.lit(day).alias("as_of")) for day in days]
    known, key, names = pl.concat(newest), ["la_code", "as_of"], ("value", *FEATURE_COLUMNS)
    keys = known.select(key).unique().sort(key)
    asked = known.filter(pl.col("measure").is_in(list(MEASURE_NAMES)))
    if asked.is_empty():
        return keys.with_columns(pl.lit(None, pl.Float64()).alias(n) for n in wide_columns())
    pivoted = asked.pivot("measure", index=key, values=names, separator="\x1f")
    renamed = {
        f"{name}\x1f{m}": m if name == "value" else f"{m}__{name}"
        for m in asked.get_column("measure").unique()
        for name in names
    }
    found = keys.join(pivoted.rename(renamed), on=key, how="left", validate="1:1").sort(key)
    return found.select(
        *key,
        *(pl.col(n) if n in found.columns else pl.lit(None, pl.Float64()).alias(n) for n in wide_columns()),
    )
