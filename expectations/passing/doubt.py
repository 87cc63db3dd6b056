"""Is this a bad month, or a broken file? Large jumps and contradictions of one council weighed together.

One figure that jumps may be true, and is asked about as a query. Several at once, each far outside what the council's
own past allows, are hardly ever a council's month: they are an inverted column, a lost half of the rows, an exchanged
pair. Then nobody is told anything before the council has said that it is true.

The score: every figure of the month that fails a comparison has one point for each whole limit it lies away, three at
most, however many comparisons it fails. The month is doubted from `POINTS` points on, spread over `FIGURES` figures
at least. `python -m benchmarks.doubted` says how often the made-up region and the published record would be.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import polars as pl

from expectations.batch import Effect, Severity
from expectations.findings import Finding
from expectations.suites import between, continuity, contradictions, plausible
from features.registry import Kind

#: What speaks for a broken file; that a file was sent twice or is too small is an error of its own.
WEIGHED = frozenset(
    {
        plausible.JUMP,
        plausible.EMPTY,
        between.FAMILY,
        continuity.IDENTITY,
        continuity.GONE,
        continuity.ELSEWHERE,
        contradictions.SHARE,
    }
)
#: One figure counts for no more than this, however far it lies.
MOST_POINTS = 3
POINTS, FIGURES = 8, 3

DOUBTED = "figures.doubted"


def weigh(failed: pl.DataFrame) -> pl.DataFrame:
    """`la_code, month, extract, column, points` of COMPARISONS that failed: one row per figure, most points first."""
    points = pl.min_horizontal(pl.col("excess").floor(), pl.lit(float(MOST_POINTS)))
    return (
        failed.filter(pl.col("family").is_in(sorted(WEIGHED)))
        .with_columns(points.cast(pl.Int64).alias("points"))
        .group_by("la_code", "month", "extract", "column")
        .agg(pl.col("points").max())
        .sort("la_code", "month", "points", "extract", "column", descending=[False, False, True, False, False])
    )


def find_doubt(failed: pl.DataFrame, not_used: Collection[tuple[date, str, Kind]]) -> list[Finding]:
    """One finding for every council and month that is doubted; files that are not used anyway weigh nothing."""
    out = {(month, la_code, str(kind)) for month, la_code, kind in not_used}
    findings: list[Finding] = []
    for (la_code, month), figures in weigh(failed).group_by("la_code", "month", maintain_order=True):
        used = [r for r in figures.iter_rows(named=True) if (month, la_code, r["extract"]) not in out]
        if sum(r["points"] for r in used) < POINTS or len(used) < FIGURES:
            continue
        named = ", ".join(f"{r['column']} ({r['extract']})" for r in used)
        kind = Kind(used[0]["extract"])
        findings.append(
            Finding(
                f"{kind}.{DOUBTED}",
                Severity.QUERY,
                str(la_code),
                month,
                kind,
                None,
                f"{len(used)} figures lie far from this council's past, or contradict each other, at once: {named}. "
                "Is this true? Until somebody has answered, no message about the month goes to the director. If it "
                "is true, tell the data team, who let the message go; if not, send the extract again.",
                effect=Effect.HELD,
            )
        )
    return findings
