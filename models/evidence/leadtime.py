"""What flags would have been worth: poor judgements flagged in advance and false alarms, beside a baseline and chance.

Every quarter the riskiest share of all councils is flagged. How long a flag stood before a judgement says nothing,
because a random fifth stands longer. So two things are counted: whether a council that was judged poorly had been
flagged a given number of months before its inspection began, and how many flags were followed by a good judgement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from models.evidence.document import Grid
from models.learning.fitting import Forecast
from models.learning.metrics import auc

SHARES = (0.2, 0.1)
MONTHS_AHEAD = (0, 6, 12)
BY_CHANCE = "flagged at random"


@dataclass(frozen=True, slots=True)
class Flags:
    """The results of flagging one share of councils by one forecast."""

    forecast: str
    share: float
    poor: Mapping[int, int]
    """Months ahead -> poor judgements whose council had a score at that time."""
    found: Mapping[int, float]
    """Months ahead -> how many of those were flagged at that time."""
    wrong_share: float
    """Share of flagged council-quarters whose next judgement was good or better."""
    raised_per_council_year: float
    """How often per council-year a council entered the flagged share and was then judged good."""


def flags(every: pl.DataFrame, forecasts: Mapping[str, Forecast], judged: pl.DataFrame, share: float) -> list[Flags]:
    """The results for each forecast, then for flags by chance.

    `every`: councils by quarter;
    `judged`: inspections on their first day.
    """
    found = [_flags(name, every, f.below_good, judged, share) for name, f in forecasts.items()]
    if not found:
        return []
    base = every["below_good"].drop_nulls()
    wrong = 1 - float(base.to_numpy().mean()) if len(base) else 0.0
    poor = found[0].poor
    chance = Flags(BY_CHANCE, share, poor, {m: share * n for m, n in poor.items()}, wrong, float("nan"))
    return [*found, chance]


def _flags(name: str, every: pl.DataFrame, p: np.ndarray, judged: pl.DataFrame, share: float) -> Flags:
    flagged = (
        every.select("la_code", "as_of", "below_good", p=pl.Series(p))
        .with_columns(
            flagged=pl.col("p").rank("ordinal", descending=True).over("as_of")
            <= (pl.len().over("as_of") * share).round().clip(1)
        )
        .sort("la_code", "as_of")
        .with_columns(
            entered=pl.col("flagged") & ~pl.col("flagged").shift(1).over("la_code").fill_null(False),
        )
    )
    known = flagged.filter(pl.col("below_good").is_not_null())
    raised = known.filter(pl.col("flagged"))
    poor_rows = judged.filter("below_good")
    poor, found = {}, {}
    for months in MONTHS_AHEAD:
        at = poor_rows.select("la_code", as_of=pl.col("started").dt.offset_by(f"-{months}mo")).sort("as_of")
        seen = at.join_asof(
            flagged.select("la_code", "as_of", "flagged").sort("as_of"),
            on="as_of",
            by="la_code",
            tolerance="100d",
            check_sortedness=False,
        ).filter(pl.col("flagged").is_not_null())
        poor[months], found[months] = seen.height, float(seen["flagged"].sum())
    wrong = 1 - float(raised["below_good"].to_numpy().mean()) if raised.height else 0.0
    vain = known.filter(pl.col("entered") & ~pl.col("below_good")).height
    years = known.height / 4
    return Flags(name, share, poor, found, wrong, vain / years if years else 0.0)


def flags_grid(rows: list[Flags]) -> Grid:
    """The flags as a table for readers."""
    head = (
        "Riskiest share by",
        *(
            f"poor judgements flagged {m} months before" if m else "poor judgements flagged at the start"
            for m in MONTHS_AHEAD
        ),
        "flags in vain",
        "raised in vain per council-year",
    )
    return Grid(
        head,
        tuple(
            (
                f"{r.forecast}, {r.share:.0%}",
                *(f"{r.found[m]:.0f} of {r.poor[m]}" for m in MONTHS_AHEAD),
                f"{r.wrong_share:.0%}",
                f"{r.raised_per_council_year:.2f}" if np.isfinite(r.raised_per_council_year) else "–",
            )
            for r in rows
        ),
    )


@dataclass(frozen=True, slots=True)
class Timing:
    """How time since the last judgement predicts *when* inspectors come, which a score is not meant to predict."""

    council_years: int
    inspected_within_12_months: int
    auc_time_alone: float | None
    """AUC for “inspected within 12 months”, by years since the last judgement alone."""
    auc_score_for_timing: float | None
    """AUC for the same, by the score: near 0.5 if the score does not merely predict inspections."""
    auc_bad_within_12_months_by_time: float | None
    """AUC for “judged below good within 12 months”, by time alone: the trap."""
    auc_bad_given_inspection_by_time: float | None
    """AUC for “below good” among those inspected, by time alone: what remains of the trap given an inspection."""


def timing(every: pl.DataFrame, p: np.ndarray) -> Timing:
    """How well time since the last judgement predicts when and how councils are judged; asked each 1 January."""
    until = every["published"].max()
    yearly = every.with_columns(p=pl.Series(p)).filter(
        pl.col("as_of").dt.month() == 1, pl.col("as_of").dt.offset_by("12mo") <= until
    )
    within = pl.col("started") <= pl.col("as_of").dt.offset_by("12mo")
    inspected = yearly.select(within.fill_null(False)).to_series().to_numpy()
    bad = yearly["below_good"].fill_null(False).to_numpy() & inspected
    years, score = yearly["years_since_previous"].to_numpy(), yearly["p"].to_numpy()
    return Timing(
        yearly.height,
        int(inspected.sum()),
        auc(inspected, years),
        auc(inspected, score),
        auc(bad, years),
        auc(bad[inspected], years[inspected]) if inspected.any() else None,
    )


def timing_text(found: Timing) -> str:
    """The timing results in two sentences."""

    def two(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    return (
        f"When inspectors come is another question: time since the last judgement alone ranks inspections within 12 "
        f"months with AUC {two(found.auc_time_alone)}, the score with {two(found.auc_score_for_timing)} "
        f"({found.inspected_within_12_months} of {found.council_years} council-years). “Below good within 12 months” "
        f"by time alone reaches {two(found.auc_bad_within_12_months_by_time)}; given an inspection, "
        f"{two(found.auc_bad_given_inspection_by_time)}."
    )
