"""The position of a value in the latest national distribution that had been published at the time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.frames import NATIONAL, conform

_EDITION = ["measure", "known_from"]


def latest_editions(national: pl.DataFrame) -> pl.DataFrame:
    """For each measure and release, its newest period: the councils' values, their number, mean and variance.

    Columns: `measure, known_from, period_end, values, mean, variance, distribution` (the values, lowest first), sorted
    by measure and release. A release may repeat earlier years, as DfE's do; only its last year is used.
    """
    held = conform(national, NATIONAL, "national distribution").lazy().drop_nulls("value")
    newest = held.filter(pl.col("period_end") == pl.col("period_end").max().over(_EDITION))
    return (
        newest.sort(*_EDITION, "value")
        .group_by(_EDITION, maintain_order=True)
        .agg(
            pl.col("period_end").first(),
            pl.len().alias("values"),
            pl.col("value").mean().alias("mean"),
            pl.col("value").var().alias("variance"),
            pl.col("value").alias("distribution"),
        )
        .collect(engine="in-memory")
    )


def with_percentile(rows: pl.DataFrame, national: pl.DataFrame) -> pl.DataFrame:
    """Add `national_percentile` (0 to 1), and the mean and variance of the distribution it was read from.

    `rows` needs `measure`, `value` and `known_on`, the day whose knowledge may be used. The percentile is the share of
    published councils with a lower value. Ties count half, so a value shared by all councils is at 0.5. Adds
    `national_mean` and `national_variance`. All are null where nothing had been published by then. Row order is kept.
    """
    editions: dict[str, list[dict[str, Any]]] = {}
    for edition in latest_editions(national).iter_rows(named=True):
        editions.setdefault(edition["measure"], []).append(edition)
    values = rows.get_column("value").to_numpy()
    known_on = rows.get_column("known_on").to_physical().fill_null(np.iinfo(np.int32).min).to_numpy()
    percentile, mean, variance = (np.full(rows.height, np.nan) for _ in range(3))
    for of_measure, mine in _rows_of(rows.get_column("measure"), list(editions)):
        releases = editions[of_measure]
        days = np.array([e["known_from"] for e in releases], dtype="datetime64[D]").astype(np.int32)
        # The last release known on the row's day; -1 if there was none.
        latest = np.searchsorted(days, known_on[mine], side="right") - 1
        for number, release in enumerate(releases):
            here = mine[latest == number]
            mean[here], variance[here] = release["mean"], np.nan if release["variance"] is None else release["variance"]
            published = np.array(release["distribution"])
            below = np.searchsorted(published, values[here])
            # Only what is equal to a published value is searched for again.
            up_to, equal = below.copy(), published.take(below, mode="clip") == values[here]
            up_to[equal] = np.searchsorted(published, values[here][equal], side="right")
            percentile[here] = np.where(np.isnan(values[here]), np.nan, (below + up_to) / (2 * published.size))
    added = {"national_mean": mean, "national_variance": variance, "national_percentile": percentile}
    return rows.with_columns(pl.Series(n, column) for n, column in added.items()).with_columns(
        pl.col(list(added)).fill_nan(None)
    )


def _rows_of(column: pl.Series, measures: list[str]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """The row numbers of each measure."""
    code = column.cast(pl.Enum(measures), strict=False).to_physical().cast(pl.Int16).fill_null(-1).to_numpy()
    order = np.argsort(code, kind="stable")
    ends = np.searchsorted(code[order], np.arange(len(measures) + 1))
    for i, name in enumerate(measures):
        yield name, order[ends[i] : ends[i + 1]]
