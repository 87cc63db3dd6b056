"""Inspections with the outcome to be predicted and the earlier judgements known when they began.

The label (DESIGN, section 7) is the judgement of the impact of leaders; the overall judgement where there is none; the
sub-judgements where there is no longer an overall judgement either. Inspections under the single inspection framework
(2013 to 2017) are marked: they may be used for training, but are never evaluated as if they were ILACS.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from features.frameworks import GOOD, INADEQUATE

#: Days from the start of an inspection to publication where no source gives the start: SIF visits lasted four weeks and
#: reports followed about two months later. The value is on the long side, so that nothing known only after the start is
#: read.
ASSUMED_DAYS_TO_PUBLICATION = 100

BELOW_GOOD_FROM = 2.5

SUB_JUDGEMENTS = ("leaders", "help", "care", "care_leavers")

#: One row per inspection and time of asking. `grade` is the label's ordinal (1 to 4) and `basis` what it was taken
#: from. `previous_*` is what had been published on the day of asking, `as_of`. For a merged council it is the mean of
#: its predecessors' judgements, weighted by children, so `previous_grade` is not always a whole number. The weights of
#: one inspection's rows, asked about at several months before it, add up to one.
INSPECTIONS = pl.Schema(
    {
        "la_code": pl.String(),
        "framework": pl.String(),
        "inspection_type": pl.String(),
        "started": pl.Date(),
        "start_assumed": pl.Boolean(),
        "published": pl.Date(),
        "grade": pl.Int8(),
        "basis": pl.String(),
        "sub_mean": pl.Float64(),
        "overall": pl.Int8(),
        "help": pl.Int8(),
        "care": pl.Int8(),
        "care_leavers": pl.Int8(),
        "below_good": pl.Boolean(),
        "inadequate": pl.Boolean(),
        "previous_grade": pl.Float64(),
        "previous_sub_mean": pl.Float64(),
        "previous_overall": pl.Float64(),
        "previous_published": pl.Date(),
        "previous_framework": pl.String(),
        "years_since_previous": pl.Float64(),
        "good_before": pl.Boolean(),
        "as_of": pl.Date(),
        "months_before": pl.Int64(),
        "weight": pl.Float64(),
    }
)
#: An alert can be sent at any time before an inspection, so a model is taught at these months before its first day.
MONTHS_BEFORE = (0, 6, 12)

#: What had been judged of a council by a day: the context that a score reads.
HISTORY = pl.Schema(
    {
        "la_code": pl.String(),
        "known_from": pl.Date(),
        "framework": pl.String(),
        "grade": pl.Float64(),
        "sub_mean": pl.Float64(),
        "overall": pl.Float64(),
    }
)


def graded(judgements: pl.DataFrame) -> pl.DataFrame:
    """Judgements with their label: adds `grade`, `basis`, `sub_mean`, `started` filled and `start_assumed`.

    Rows without any grade are dropped.
    """
    present = [pl.col(s).cast(pl.Float64()) for s in SUB_JUDGEMENTS]
    sub_mean = pl.mean_horizontal(*present)
    assumed = pl.col("published") - timedelta(days=ASSUMED_DAYS_TO_PUBLICATION)
    by_subs = (sub_mean >= BELOW_GOOD_FROM).cast(pl.Int8()) + GOOD
    worst = pl.max_horizontal(*(pl.col(s) for s in SUB_JUDGEMENTS))
    return (
        judgements.with_columns(
            grade=pl.coalesce("leaders", "overall", pl.when(worst == INADEQUATE).then(worst).otherwise(by_subs)),
            basis=pl.when(pl.col("leaders").is_not_null())
            .then(pl.lit("impact of leaders"))
            .when(pl.col("overall").is_not_null())
            .then(pl.lit("overall effectiveness"))
            .otherwise(pl.lit("sub-judgements")),
            sub_mean=pl.coalesce(sub_mean, pl.col("overall").cast(pl.Float64())),
            start_assumed=pl.col("started").is_null(),
            started=pl.coalesce("started", assumed),
        )
        .filter(pl.col("grade").is_not_null())
        .sort("la_code", "published")
    )


def history(judgements: pl.DataFrame, lineage: pl.DataFrame) -> pl.DataFrame:
    """HISTORY: every judgement a council carries, including its predecessors', from the day it was public.

    At a boundary change the predecessors' latest judgements are averaged, weighted by the successor's children.
    """
    marked = graded(judgements)
    own = marked.select(
        "la_code",
        known_from="published",
        framework="framework",
        grade=pl.col("grade").cast(pl.Float64()),
        sub_mean="sub_mean",
        overall=pl.col("overall").cast(pl.Float64()),
    )
    latest = (
        own.join(lineage, left_on="la_code", right_on="predecessor", how="inner")
        .filter(pl.col("known_from") < pl.col("on"), pl.col("of_successor") > 0)
        .sort("known_from")
        .group_by("successor", "la_code", maintain_order=True)
        .last()
    )
    weight = pl.col("of_successor")

    def weighted(name: str) -> pl.Expr:
        there = pl.col(name).is_not_null()
        return (pl.col(name) * weight).filter(there).sum() / weight.filter(there).sum()

    inherited = (
        latest.group_by("successor")
        .agg(
            known_from=pl.col("known_from").max(),
            framework=pl.col("framework").sort_by("known_from").last(),
            grade=weighted("grade"),
            sub_mean=weighted("sub_mean"),
            overall=weighted("overall"),
        )
        .rename({"successor": "la_code"})
        .select(list(HISTORY))
    )
    return pl.concat([own.select(list(HISTORY)), inherited]).sort("la_code", "known_from")


def inspections(judgements: pl.DataFrame, lineage: pl.DataFrame, months_before: tuple[int, ...] = (0,)) -> pl.DataFrame:
    """INSPECTIONS: each judgement, asked about at these months before its inspection began, with what was known then.

    A row is left out if the question would come before the previous judgement: this judgement was not the next one
    then.
    """
    marked = graded(judgements)
    at = [
        marked.with_columns(
            months_before=pl.lit(months, pl.Int64()), as_of=pl.col("started").dt.offset_by(f"-{months}mo")
        )
        for months in months_before
    ]
    asked = with_previous(pl.concat(at), judgements, lineage)
    at_start = with_previous(marked.with_columns(as_of="started"), judgements, lineage).select(
        "la_code", "published", between="previous_published"
    )
    key = ["la_code", "published"]
    kept = asked.join(at_start, on=key, how="left", validate="m:1").filter(
        pl.col("between").is_null() | (pl.col("between") <= pl.col("as_of"))
    )
    return (
        kept.with_columns(
            below_good=pl.col("grade") > GOOD,
            inadequate=pl.col("grade") == INADEQUATE,
            years_since_previous=(pl.col("as_of") - pl.col("previous_published")).dt.total_days() / 365.25,
            good_before=pl.col("previous_grade") < BELOW_GOOD_FROM,
            weight=1 / pl.len().over(key),
        )
        .select([pl.col(n).cast(t) for n, t in INSPECTIONS.items()])
        .sort("published", "la_code", "months_before")
    )


def with_previous(asked: pl.DataFrame, judgements: pl.DataFrame, lineage: pl.DataFrame) -> pl.DataFrame:
    """Add `previous_*` to rows of `la_code, as_of`: the latest judgement published by that day."""
    before = (
        history(judgements, lineage)
        .sort("known_from", "la_code")
        .rename(
            {
                "known_from": "previous_published",
                "framework": "previous_framework",
                "grade": "previous_grade",
                "sub_mean": "previous_sub_mean",
                "overall": "previous_overall",
            }
        )
    )
    return asked.sort("as_of", "la_code").join_asof(
        before,
        left_on="as_of",
        right_on="previous_published",
        by="la_code",
        strategy="backward",
        check_sortedness=False,
    )
