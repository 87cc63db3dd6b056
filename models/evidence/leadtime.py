"""When a flag would have come, how often in vain, and why inspectors' timing is kept apart.

Every quarter all councils are scored by the model of that year, on what was known that day; a council is
flagged while it is among the riskiest fifth (or tenth). Lead time runs from the first flag after the previous
judgement to the publication of a judgement below good. A flag before a good judgement is a false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from models.judgements.design import Design, setting_of, wide_as_known
from models.judgements.labels import history
from models.learning.candidates import BY_CANDIDATE
from models.learning.estimators import Floats
from models.learning.fitting import fit
from models.learning.metrics import auc
from models.learning.walkforward import WalkForward
from models.record import PublicRecord
from models.record.identity import EXISTED
from models.record.judgements import ILACS

QUARTER_MONTHS = (1, 4, 7, 10)
DAYS_PER_MONTH = 30.4375
#: A flag more than so many months before an inspection began is not counted for it.
LOOK_BACK_MONTHS = 36


@dataclass(frozen=True, slots=True)
class LeadTime:
    """Flags at one share of councils."""

    share: float
    poor_judgements: int
    flagged_at_start: int
    flagged_before: int
    """Flagged at some quarter in the LOOK_BACK_MONTHS before the inspection began, after the judgement before it."""
    median_months: float | None
    quartiles_months: tuple[float, float] | None
    months: tuple[float, ...]
    council_years: float
    """Council-years scored whose next judgement is known."""
    false_alarms_per_council_year: float
    """Flags raised (a council entering the flagged share) before a good judgement, per council-year."""
    false_share: float
    """Share of flagged council-quarters whose next judgement was good or better."""
    unresolved_flags: int
    """Flagged council-quarters whose next judgement is not yet known: counted neither way."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How time since the last judgement predicts *when* inspectors come, which is not what a score is for."""

    council_years: int
    inspected_within_12_months: int
    auc_time_alone: float | None
    """Of an inspection within 12 months, by years since the last judgement alone."""
    auc_score_for_timing: float | None
    """Of the same, by the score: near 0.5 if the score does not pretend to know."""
    auc_bad_within_12_months_by_time: float | None
    """Of “judged below good within 12 months”, by time alone: the trap."""
    auc_bad_given_inspection_by_time: float | None
    """Of “below good” among those inspected, by time alone: what is left of the trap given an inspection."""


def quarterly_scores(record: PublicRecord, design: Design, walked: WalkForward) -> pl.DataFrame:
    """`la_code, as_of, p, years_since`: every council of the first day of each quarter, scored as known then."""
    days = _quarters(walked)
    wide = wide_as_known(record, design.variant, days, design.national)
    known = history(record.judgements, record.lineage).sort("known_from", "la_code")
    rows = (
        wide.filter(_existed())
        .sort("as_of", "la_code")
        .join_asof(known, left_on="as_of", right_on="known_from", by="la_code", coalesce=False, check_sortedness=False)
        .filter(pl.col("known_from").is_not_null())
        .with_columns(
            previous_judgement="grade",
            previous_sub_mean="sub_mean",
            years_since=(pl.col("as_of") - pl.col("known_from")).dt.total_days() / 365.25,
            **setting_of(record),
        )
    )
    scored = []
    for split in walked.splits:
        of_year = rows.filter(pl.col("as_of").dt.year() == split.cut.year)
        if of_year.height:
            model = fit(BY_CANDIDATE[split.chosen], design.frame.filter(pl.col("published") < split.cut))
            scored.append(
                of_year.select("la_code", "as_of", "years_since", p=pl.Series(model.forecast(of_year).below_good))
            )
    return pl.concat(scored).sort("as_of", "la_code")


def lead_time(scores: pl.DataFrame, inspections: pl.DataFrame, share: float) -> LeadTime:
    """Lead times and false alarms when the riskiest `share` of councils is flagged each quarter."""
    flags = scores.with_columns(
        flagged=pl.col("p").rank("ordinal", descending=True).over("as_of")
        <= (pl.len().over("as_of") * share).round().clip(1)
    ).sort("la_code", "as_of")
    flags = flags.with_columns(entered=pl.col("flagged") & ~pl.col("flagged").shift(1).over("la_code").fill_null(False))
    ilacs = inspections.filter(pl.col("framework") == ILACS).select(
        "la_code", "started", "published", "below_good", "previous_published"
    )
    following = flags.sort("as_of").join_asof(
        ilacs.sort("started"),
        left_on="as_of",
        right_on="started",
        by="la_code",
        strategy="forward",
        coalesce=False,
        check_sortedness=False,
    )
    resolved = following.filter(pl.col("below_good").is_not_null())
    poor = ilacs.filter("below_good", pl.col("started") >= scores["as_of"].min())
    months, at_start, before = _first_flags(poor, flags)
    flagged = resolved.filter("flagged")
    council_years = resolved.height / len(QUARTER_MONTHS)
    false_entries = resolved.filter(pl.col("entered") & ~pl.col("below_good")).height
    return LeadTime(
        share=share,
        poor_judgements=poor.height,
        flagged_at_start=at_start,
        flagged_before=before,
        median_months=float(np.median(months)) if months else None,
        quartiles_months=(float(np.quantile(months, 0.25)), float(np.quantile(months, 0.75))) if months else None,
        months=tuple(round(m, 1) for m in sorted(months)),
        council_years=council_years,
        false_alarms_per_council_year=false_entries / council_years if council_years else 0.0,
        false_share=1 - float(flagged["below_good"].to_numpy().mean()) if flagged.height else 0.0,
        unresolved_flags=following.filter(pl.col("flagged") & pl.col("below_good").is_null()).height,
    )


def _first_flags(poor: pl.DataFrame, flags: pl.DataFrame) -> tuple[list[float], int, int]:
    """Months from first flag to publication of each poor judgement that was flagged; flagged at its start; before."""
    by_council = {k[0]: v for k, v in flags.partition_by("la_code", as_dict=True).items()}
    months: list[float] = []
    at_start = before = 0
    for row in poor.iter_rows(named=True):
        mine = by_council.get(row["la_code"])
        if mine is None:
            continue
        earliest = max(row["previous_published"] or date.min, _months_before(row["started"], LOOK_BACK_MONTHS))
        window = mine.filter(pl.col("as_of") > earliest, pl.col("as_of") <= row["started"])
        hits = window.filter("flagged")["as_of"]
        if len(hits):
            before += 1
            first = hits.min()
            assert isinstance(first, date)
            months.append((row["published"] - first).days / DAYS_PER_MONTH)
        at_start += bool(window.height and window["flagged"][-1])
    return months, at_start, before


def timing(scores: pl.DataFrame, inspections: pl.DataFrame, until: date) -> Timing:
    """What time since the last judgement says of when, and of how, councils are judged; scored each 1 January."""
    ilacs = inspections.filter(pl.col("framework") == ILACS).select("la_code", "started", "below_good")
    yearly = scores.filter(pl.col("as_of").dt.month() == 1, pl.col("as_of").dt.offset_by("12mo") <= until).join_asof(
        ilacs.sort("started"),
        left_on="as_of",
        right_on="started",
        by="la_code",
        strategy="forward",
        tolerance="365d",
        coalesce=False,
        check_sortedness=False,
    )
    inspected = yearly["started"].is_not_null().to_numpy()
    bad = yearly["below_good"].fill_null(False).to_numpy()
    years: Floats = yearly["years_since"].to_numpy()
    p: Floats = yearly["p"].to_numpy()
    return Timing(
        yearly.height,
        int(inspected.sum()),
        auc(inspected, years),
        auc(inspected, p),
        auc(bad, years),
        auc(bad[inspected], years[inspected]) if inspected.any() else None,
    )


def _quarters(walked: WalkForward) -> Sequence[date]:
    last = walked.rows["published"].max()
    assert isinstance(last, date)
    years = [s.cut.year for s in walked.splits]
    return [d for y in range(min(years), max(years) + 1) for m in QUARTER_MONTHS if (d := date(y, m, 1)) <= last]


def _existed() -> pl.Expr:
    first = pl.col("la_code").replace_strict({c: a for c, (a, _) in EXISTED.items()}, default=date.min)
    last = pl.col("la_code").replace_strict({c: b for c, (_, b) in EXISTED.items()}, default=date.max)
    return (first <= pl.col("as_of")) & (pl.col("as_of") <= last)


def _months_before(day: date, months: int) -> date:
    return date.fromordinal(day.toordinal() - round(months * DAYS_PER_MONTH))
