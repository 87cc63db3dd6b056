"""Measures how often a council's whole month would be doubted, in the made-up region and in the published record.

    python -m benchmarks.doubted [--councils 12] [--months 36] [--seed 7] [--record ../shared/public-data]

The score and its threshold are in `expectations/passing/doubt.py`. The region is taken month by month as its councils
would send it, including crises. In the published record, every September is compared with the council's earlier
Septembers, as if they were the months before. A year's change is thus judged by the limits for a month's change, so
the printed rate is higher than the rate in real runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from expectations.batch import Batch, CheckHistory
from expectations.passing.doubt import FIGURES, POINTS, weigh
from expectations.suites import between, continuity, contradictions, plausible
from expectations.suites.profile import profile
from expectations.suites.rows import prepare, with_workers
from features.counting.records import RECEIVED, count_side_by_side
from features.frames import counts_schema
from features.months import Month
from features.registry import Kind, counts_of
from flows.extracts.formats.dfe.workforce_file import read_published
from flows.sample_region import as_canonical, generate, region

LAST = Month(2026, 10)
KINDS = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both rates. Always returns 0, as it only measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, default=12)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--record", type=Path, default=Path("../shared/public-data"))
    options = parser.parse_args(arguments)
    _print("made-up region, council-months", made_up(options.councils, options.months, options.seed))
    files = sorted(options.record.glob("csww_indicators_*.csv")) if options.record.is_dir() else []
    for file in files:
        _print(f"{file.name}, Septembers", of_the_record(file))
    if not files:
        print(f"no published record in {options.record}")  # noqa: T201
    return 0


def _print(what: str, points: pl.DataFrame) -> None:
    print(f"{what}: {doubtful(points)} of {points.height} would be doubted")  # noqa: T201
    print(f"  (from {POINTS} points on {FIGURES} figures; highest scores: {_highest(points)})")  # noqa: T201


def doubtful(points: pl.DataFrame) -> int:
    """The number of these council-months that would be doubted."""
    return points.filter(pl.col("points") >= POINTS, pl.col("figures") >= FIGURES).height


def _highest(points: pl.DataFrame) -> str:
    return ", ".join(str(p) for p in points["points"].sort(descending=True).head(8).to_list())


def made_up(councils: int, months: int, seed: int) -> pl.DataFrame:
    """`la_code, month, points, figures` of every council and month of a made-up region that has earlier months."""
    history = CheckHistory()
    before: dict[Kind, pl.DataFrame] = {}
    states: dict[Kind, pl.DataFrame] = {}
    found: list[pl.DataFrame] = []
    for made in generate(region(councils, months, seed, LAST)):
        frames = {kind: as_canonical(made.frames[kind], kind) for kind in KINDS}
        received = {
            k: pl.DataFrame(
                [(c, made.month.last_day, "") for c in f["la_code"].unique().sort()], schema=RECEIVED, orient="row"
            )
            for k, f in frames.items()
        }
        counted = count_side_by_side(frames, made.month, states, received)
        states = {k: one.state for k, one in counted.items() if one.state is not None}
        batch = Batch(made.month, frames)
        prepared = {kind: p for kind in KINDS if (p := prepare(kind, [batch])) is not None}
        prepared[Kind.CASELOAD] = with_workers(prepared[Kind.CASELOAD], prepared[Kind.WORKFORCE])
        profiles = pl.concat([profile(p) for p in prepared.values()])
        history = history.with_counts([{k: one.counts for k, one in counted.items()}])
        table = pl.concat(
            [
                plausible.comparisons([made.month.last_day], profiles, history),
                between.comparisons(prepared, between.first_months(profiles, history)),
                continuity.comparisons(prepared, before),
                contradictions.comparisons(profiles.select("la_code", "month", "extract").unique(), history),
            ]
        )
        history = CheckHistory(history.counts, pl.concat([history.profiles, profiles]))
        before = frames
        everyone = frames[Kind.WORKFORCE].select("la_code", pl.lit(made.month.last_day).alias("month")).unique()
        found.append(_points(table, everyone))
    return pl.concat(found[plausible.MONTHS_NEEDED :])


def _points(table: pl.DataFrame, everyone: pl.DataFrame) -> pl.DataFrame:
    figures = weigh(table.filter(pl.col("excess") > 1))
    summed = figures.group_by("la_code", "month").agg(pl.col("points").sum(), pl.len().alias("figures"))
    return everyone.join(summed, on=["la_code", "month"], how="left").with_columns(
        pl.col("points", "figures").fill_null(0)
    )


#: The published figure that is used in place of each count from the extracts.
PUBLISHED = {
    "inpost_fte": "inpost_fte",
    "inpost_headcount": "inpost_headcount",
    "leavers_headcount": "leavers_headcount",
    "starters_headcount": "starters_headcount",
    "agency_worker_fte": "agency_fte",
    "agency_worker_headcount": "agency_headcount",
    "cases": "cases",
    "working_days_lost": "working_days_lost_fte",
    "vacancy_fte": "vacancy_fte",
    "agency_fte": "agency_fte",
    "agency_headcount": "agency_headcount",
}


def of_the_record(file: Path) -> pl.DataFrame:
    """`la_code, month, points, figures` of every published September that has three earlier ones."""
    returns = read_published(file.read_bytes(), filename=file.name).returns
    years = sorted(set(returns["reference_date"].dt.year().to_list()))
    place = {year: Month(2000, 1).plus(i).last_day for i, year in enumerate(years)}
    rows = returns.with_columns(
        pl.col("reference_date").dt.year().replace_strict(place, return_dtype=pl.Date()).alias("month"),
        pl.lit(date(2000, 1, 1)).alias("known_from"),
        pl.lit("").alias("extract_sha256"),
    )
    counts = {}
    for kind in KINDS:
        names = [c.name for c in counts_of(kind)]
        filled = [pl.col(PUBLISHED[n]).alias(n) if n in PUBLISHED else pl.lit(None, pl.Int64).alias(n) for n in names]
        counts[kind] = rows.with_columns(filled).select(list(counts_schema(kind))).cast(counts_schema(kind))
    judged = rows.select("la_code", "month").filter(pl.col("month") >= place[years[plausible.MONTHS_NEEDED]])
    files = judged.join(pl.DataFrame({"extract": [str(k) for k in KINDS]}), how="cross")
    history = CheckHistory(counts)
    table = pl.concat([plausible.jumps(files, history), contradictions.comparisons(files, history)])
    return _points(table, judged)


if __name__ == "__main__":
    raise SystemExit(main())
