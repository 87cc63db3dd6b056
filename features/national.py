"""Where a value lies in the latest published national distribution that was known at the time."""

from __future__ import annotations

import polars as pl

from features.cube import quotient
from features.frames import NATIONAL, conform

_EDITION = ["measure", "known_from"]


def latest_editions(national: pl.DataFrame) -> pl.DataFrame:
    """`measure, known_from, period_end, values, mean, variance`: per measure and release the newest period in it.

    A release that repeats earlier years (as DfE's does) thereby speaks with its last year only.
    """
    held = (
        conform(national, NATIONAL, "national distribution").drop_nulls("value").sort(*_EDITION, "period_end", "value")
    )
    newest = held.filter(pl.col("period_end") == pl.col("period_end").max().over(_EDITION))
    return (
        newest.group_by(_EDITION, maintain_order=True)
        .agg(
            pl.col("period_end").first(),
            pl.len().alias("values"),
            pl.col("value").mean().alias("mean"),
            pl.col("value").var().alias("variance"),
        )
        .sort("known_from", "measure")
    )


def with_percentile(rows: pl.DataFrame, national: pl.DataFrame) -> pl.DataFrame:
    """Add `national_percentile` (0 to 1), and the mean and variance of the distribution it was read from.

    `rows` needs `measure`, `value` and `known_on`, the day whose knowledge may be used. The percentile is the
    share of published councils below, ties counting half, so that a value all share lies at 0.5.
    Adds `national_mean`, `national_variance`; all null where nothing was published by then. Keeps the order.
    """
    editions = latest_editions(national)
    numbered = rows.with_row_index("__row")
    placed = numbered.sort("known_on", "__row").join_asof(
        editions.rename({"known_from": "__edition", "mean": "national_mean", "variance": "national_variance"}).sort(
            "__edition", "measure"
        ),
        left_on="known_on",
        right_on="__edition",
        by="measure",
        strategy="backward",
        coalesce=False,
        check_sortedness=False,
    )
    values = _ranks(national, editions)
    ranked = (
        placed.drop_nulls(["value", "__edition"])
        .select("__row", "measure", "__edition", "value")
        .sort("value", "__row")
    )
    for exact, name in ((True, "__upto"), (False, "__below")):
        ranked = ranked.join_asof(
            values.select("measure", "__edition", "value", pl.col("rank").alias(name)).sort("value"),
            on="value",
            by=["measure", "__edition"],
            strategy="backward",
            allow_exact_matches=exact,
            coalesce=True,
            check_sortedness=False,
        )
    percentile = ranked.select("__row", pl.col("__upto").fill_null(0) + pl.col("__below").fill_null(0))
    whole = placed.join(percentile, on="__row", how="left", validate="1:1").sort("__row")
    share = quotient(whole.get_column("__upto"), 2 * whole.get_column("values"))
    return whole.with_columns(share.alias("national_percentile")).drop(
        "__row", "__edition", "__upto", "values", "period_end"
    )


def _ranks(national: pl.DataFrame, editions: pl.DataFrame) -> pl.DataFrame:
    """Per edition and distinct value, how many published councils lie at or below it."""
    held = national.drop_nulls("value").join(
        editions.select(*_EDITION, "period_end"), on=[*_EDITION, "period_end"], how="semi"
    )
    return (
        held.group_by(*_EDITION, "value")
        .agg(pl.len().alias("__n"))
        .sort(*_EDITION, "value")
        .with_columns(pl.col("__n").cum_sum().over(_EDITION).alias("rank"))
        .rename({"known_from": "__edition"})
    )
