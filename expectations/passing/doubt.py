"""Is this an unusual month, or a broken file? Weighs a council's large jumps and contradictions together.

One figure that jumps may be true, and becomes a query. Several at once, each far outside the council's own past, are
almost never a real month: more likely a column is inverted, half of the rows are lost, or two columns are exchanged. In
that case nobody is told anything until the council has said that the figures are true.

The score: every figure of the month that fails a comparison has one point for each whole limit by which it differs. It
has three points at most, however many comparisons it fails. The month is doubted if it has at least `POINTS` points,
spread over at least `FIGURES` figures. `python -m benchmarks.doubted` says how often this would happen in the made-up
region and in the published record.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import polars as pl

from expectations.batch import Effect, Severity
from expectations.findings import Finding
from expectations.suites import between, continuity, contradictions, plausible
from features.registry import Kind

#: The families that suggest a broken file. A file that was sent twice or is too small is an error of its own.
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
#: The most points for one figure, however far it differs.
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
        .sort("points", "extract", "column", descending=[True, False, False])
    )


def find_doubt(failed: pl.DataFrame, not_used: Collection[tuple[date, str, Kind]]) -> list[Finding]:
    """One finding for each council and month in doubt; files that are not used anyway have no weight."""
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
