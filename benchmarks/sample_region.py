"""Prints how close the made-up region is to England, and how long it takes to make.

Levels, spread and persistence of the official rates are computed directly from the generator's frames, by DfE's
formulas but independently of `features/`, so that neither can hide a fault in the other.

python -m benchmarks.sample_region [councils] [months] [seed]
"""

from __future__ import annotations

import resource
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter

import polars as pl

from features.months import Month
from features.registry import WORKING_DAYS_PER_YEAR, Kind
from flows.sample_region import MonthFrames, generate, region


@dataclass(frozen=True, slots=True)
class Anchor:
    """What DfE published for one figure: councils in 2025; persistence from one year to the next, 2017 to 2025."""

    p5: float
    median: float
    p95: float
    correlation: float | None = None
    sd_of_change: float | None = None


#: Data-standards, section 10. Rates in per cent, caseload in cases, the last one in FTE.
ANCHORS: Mapping[str, Anchor] = {
    "vacancy": Anchor(2.2, 14.4, 31.8, 0.81, 7.4),
    "agency": Anchor(1.3, 12.8, 30.6, 0.85, 6.6),
    "turnover": Anchor(6.8, 11.8, 23.0, 0.25, 8.6),
    "caseload": Anchor(11.5, 15.2, 19.2, 0.68, 2.15),
    "absence": Anchor(1.5, 3.6, 5.7, 0.49, 1.44),
    "inpost_fte": Anchor(95.0, 201.0, 508.0),
}


def yearly_figures(months: Iterable[MonthFrames]) -> pl.DataFrame:
    """One row per council and twelfth month: `la_code, year` and a column per anchor, in the anchors' units."""
    window: deque[pl.DataFrame] = deque(maxlen=12)
    years: list[pl.DataFrame] = []
    for number, frames in enumerate(months, start=1):
        window.append(_flows(frames.frames[Kind.WORKFORCE]))
        if number % 12 == 0:
            year = pl.concat(list(window)).group_by("la_code").agg(pl.all().sum())
            years.append(_figures(frames, year).with_columns(year=pl.lit(frames.month.year)))
    return pl.concat(years)


def _flows(workforce: pl.DataFrame) -> pl.DataFrame:
    direct = workforce.filter(pl.col("agency_worker") == 0)
    left = pl.col("role_end_date").is_not_null()
    return direct.group_by("la_code").agg(
        # A census-style leaver has FTE 0; the mean of the others replaces it, which is near enough here.
        leavers=left.sum() * pl.col("fte").filter(pl.col("fte") > 0).mean(),
        days=pl.col("working_days_lost").sum(),
    )


def _figures(frames: MonthFrames, year: pl.DataFrame) -> pl.DataFrame:
    stock = frames.frames[Kind.WORKFORCE].filter(pl.col("role_end_date").is_null())
    holds = (pl.col("fte") > 0) & (pl.col("cases") > 0)
    here = stock.group_by("la_code").agg(
        inpost=pl.col("fte").filter(pl.col("agency_worker") == 0).sum(),
        cases=pl.col("cases").filter(holds).sum(),
        holders=pl.col("fte").filter(holds).sum(),
    )
    joined = (
        here.join(year, on="la_code", validate="1:1")
        .join(frames.frames[Kind.ESTABLISHMENT], on="la_code", validate="1:1")
        .sort("la_code")
    )
    vacancy, agency, inpost = pl.col("vacancy_fte"), pl.col("agency_fte"), pl.col("inpost")
    return joined.select(
        "la_code",
        vacancy=100 * vacancy / (vacancy + inpost),
        agency=100 * agency / (agency + inpost),
        turnover=100 * pl.col("leavers") / inpost,
        caseload=100 * pl.col("cases") / pl.col("holders"),
        absence=100 * (pl.col("days") / 10) / (inpost / 100 * WORKING_DAYS_PER_YEAR),
        inpost_fte=inpost / 100,
    )


def beside_anchors(figures: pl.DataFrame) -> pl.DataFrame:
    """For each figure the anchor and the result: 5th, 50th and 95th percentile, correlation and change year on year."""
    before = figures.with_columns(year=pl.col("year") + 1)
    pairs = figures.join(before, on=["la_code", "year"], suffix="_before", validate="1:1")
    rows = []
    for name, anchor in ANCHORS.items():
        values = figures[name]
        change = pairs.select(
            pl.corr(name, f"{name}_before").alias("correlation"),
            (pl.col(name) - pl.col(f"{name}_before")).std().alias("sd"),
        ).row(0)
        rows.append(
            {
                "figure": name,
                "p5": values.quantile(0.05),
                "p5_England": anchor.p5,
                "median": values.median(),
                "median_England": anchor.median,
                "p95": values.quantile(0.95),
                "p95_England": anchor.p95,
                "correlation": change[0],
                "correlation_England": anchor.correlation,
                "sd_of_change": change[1],
                "sd_of_change_England": anchor.sd_of_change,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(pl.Float64).round(2))


def main(councils: int = 153, months: int = 36, seed: int = 1) -> None:
    """Make the region, compare it with England, print the results."""
    begin = perf_counter()
    rows = 0

    def counted() -> Iterator[MonthFrames]:
        nonlocal rows
        for frames in generate(region(councils, months, seed, Month(2026, 10))):
            rows += sum(f.height for f in frames.frames.values())
            yield frames

    figures = yearly_figures(counted())
    seconds = perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with pl.Config(tbl_cols=-1, tbl_width_chars=200, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        sys.stdout.write(f"{beside_anchors(figures)}\n")
    sys.stdout.write(
        f"{councils} councils, {months} months, {rows:,} rows in {seconds:.1f} s, peak memory {peak:.0f} MiB\n"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
