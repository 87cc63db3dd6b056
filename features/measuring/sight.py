"""Sight: whether the service can see itself. Late, missing, failing and restated extracts are a signal, not noise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from features.comparing.cube import quotient
from features.frames import MEASURES_SCHEMA, conform
from features.months import Month
from features.registry import SIGHT_MEASURES

#: One row per extract that was expected of a council for a month. `received` is the day of the first file, null until
#: one comes. `outcome` is what became of it. `restated` is the day on which another file with different
#: content came for the same month; null if none did.
EXTRACT_LOG = pl.Schema(
    {
        "la_code": pl.String(),
        "month": pl.Date(),
        "extract": pl.String(),
        "due": pl.Date(),
        "received": pl.Date(),
        "outcome": pl.String(),
        "restated": pl.Date(),
    }
)
#: A file that we could not read (“not read”) does not count as a failure of its sender.
_FAILED = ("quarantined", "refused", "personal data")
_WINDOW_MONTHS = 12


def compute_sight(log: pl.DataFrame, cutoffs: Mapping[Month, date]) -> pl.DataFrame:
    """MEASURES_SCHEMA rows of the four sight measures for each month, as seen on that month's cut-off day.

    Each month looks at the extracts expected in its trailing 12 months, or since the council joined if that is later. A
    file that came after the cut-off counts as missing in that month and as late the month after. A council appears in a
    month if an extract was expected of it in that month. Sorted by key.
    """
    log = conform(log, EXTRACT_LOG, "extract log")
    if not cutoffs:
        return pl.DataFrame(schema=MEASURES_SCHEMA)
    months = [_one_month(log.lazy(), month, day) for month, day in cutoffs.items()]
    long = pl.concat(months).sort("la_code", "month", "measure").collect(engine="in-memory")
    share = quotient(long.get_column("numerator"), long.get_column("denominator"))
    return long.with_columns(share.alias("value"))[list(MEASURES_SCHEMA)]


def _one_month(log: pl.LazyFrame, month: Month, cutoff: date) -> pl.LazyFrame:
    """MEASURES_SCHEMA of one month without `value`, in no order."""
    came = pl.col("received").is_not_null() & (pl.col("received") <= cutoff)
    window = log.filter(pl.col("month").is_between(month.plus(1 - _WINDOW_MONTHS).first_day, month.last_day))
    here = window.filter(pl.col("month") == month.last_day).select("la_code").unique()
    counts = (
        window.join(here, on="la_code", how="semi")
        .with_columns(came.alias("came"))
        .group_by("la_code")
        .agg(
            pl.len().alias("expected"),
            pl.col("came").not_().sum().alias("extracts_missing_rate"),
            (pl.col("came") & (pl.col("received") > pl.col("due"))).sum().alias("extracts_late_rate"),
            (pl.col("came") & pl.col("outcome").is_in(_FAILED)).sum().alias("extracts_failed_rate"),
            (pl.col("restated") <= cutoff).fill_null(False).sum().alias("extracts_restated_rate"),
        )
    )
    names = [m.name for m in SIGHT_MEASURES]
    long = counts.unpivot(names, index=["la_code", "expected"], variable_name="measure", value_name="n")
    return long.select(
        "la_code",
        pl.lit(month.last_day).alias("month"),
        "measure",
        pl.col("n").cast(pl.Float64).alias("numerator"),
        pl.col("expected").cast(pl.Float64).alias("denominator"),
        pl.lit(None, pl.String()).alias("reason"),
        pl.lit(cutoff).alias("known_from"),
    )
