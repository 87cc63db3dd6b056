"""The table models learn from: one row per inspection, with the features of the monthly job as they were known.

Every feature column is made by `features/` and has the same name here, where it comes from published returns, as in the
job, where it comes from monthly extracts. Context columns have the names of `features.comparing.context`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.comparing.panel import compute_features
from features.comparing.wide import wide_columns, wide_latest
from features.frameworks import GOOD, INADEQUATE, counting_frameworks, training_frameworks
from features.months import Month
from features.registry import BY_NAME, Direction, Group
from models.judgements.asof import Variant, national_distribution, record_measures
from models.judgements.labels import (
    BELOW_GOOD_FROM,
    INSPECTIONS,
    MONTHS_BEFORE,
    graded,
    inspections,
    with_previous,
)
from models.record import PublicRecord
from models.record.identity import EXISTED

#: An annual figure older than this is not used: two later releases have been missed by then.
MAX_AGE_MONTHS = 26

#: Context a model may read, with its direction of concern. `previous_judgement` is the grade of the impact of leaders
#: (1 to 4); `previous_sub_mean` is the mean of that judgement's sub-judgements.
CONTEXT_DIRECTIONS: dict[str, int] = {
    "previous_judgement": 1,
    "previous_sub_mean": 1,
    "imd_score": 1,
    "years_since_judgement": 0,
    "log_population": 0,
}

#: Labels and keys in every row of a design, beside features and context.
TARGETS = (
    "la_code",
    "as_of",
    "months_before",
    "weight",
    "framework",
    "started",
    "published",
    "grade",
    "help",
    "care",
    "care_leavers",
    "overall",
    "sub_mean",
    "below_good",
    "inadequate",
    "good_before",
    "region",
    "council_type",
    "population_0_17",
)

QUARTER_MONTHS = (1, 4, 7, 10)

_SIGNS = {Direction.HIGH: 1, Direction.LOW: -1, Direction.NONE: 0}


@dataclass(frozen=True)
class Design:
    """Inspections in order of publication, with features and context as known when the question was asked."""

    frame: pl.DataFrame
    """One row per inspection and time of asking; the weights of one inspection's rows add up to one."""
    variant: Variant
    national: pl.DataFrame
    """NATIONAL: the distributions the percentiles were read from, kept with the model as its reference."""
    councils: pl.DataFrame
    """One row per council and quarter, judged later or not: the same features and context, and what came next."""

    def taught_before(self, day: date) -> pl.DataFrame:
        """The rows published before a day that a model may learn from."""
        return self.frame.filter(pl.col("published") < day, pl.col("framework").is_in(training_frameworks()))

    def asked_before(self, months: int) -> pl.DataFrame:
        """One row per inspection, as it was known that many months before its first day."""
        return self.frame.filter(pl.col("months_before") == months)


def direction(column: str) -> int:
    """+1 if more is a concern, −1 if less is, 0 if neither, for the measure behind a feature or for context.

    Changes and distances have the direction of their measure.
    """
    if column in CONTEXT_DIRECTIONS:
        return CONTEXT_DIRECTIONS[column]
    return _SIGNS[BY_NAME[column.partition("__")[0]].direction]


def group_of(column: str) -> Group:
    """The group of measures that a column belongs to; context for everything that is not a measure."""
    if column in CONTEXT_DIRECTIONS:
        return Group.CONTEXT
    return BY_NAME[column.partition("__")[0]].group


def build_design(record: PublicRecord, variant: Variant) -> Design:
    """Build the design of one variant: every inspection, and every council each quarter, with what was known."""
    national = national_distribution(record)
    asked = inspections(record.judgements, record.lineage, MONTHS_BEFORE)
    quarterly = each_quarter(record)
    both = pl.concat([asked, quarterly], how="diagonal")
    known = rows_as_known(record, variant, both, national)
    columns = dict.fromkeys([*INSPECTIONS, *TARGETS, *CONTEXT_DIRECTIONS, *wide_columns()])
    every = known.select(*columns, "inspection")
    order = ["published", "la_code", "months_before"]
    return Design(
        every.filter("inspection").drop("inspection").sort(order),
        variant,
        national,
        every.filter(~pl.col("inspection")).drop("inspection").sort("as_of", "la_code"),
    )


def rows_as_known(record: PublicRecord, variant: Variant, asked: pl.DataFrame, national: pl.DataFrame) -> pl.DataFrame:
    """Add features and context as known to rows of `la_code, as_of, previous_*`; `inspection`: rows are inspections."""
    wide = wide_as_known(record, variant, asked["as_of"].unique().to_list(), national)
    return (
        asked.with_columns(inspection=pl.col("months_before").is_not_null())
        .join(wide, on=["la_code", "as_of"], how="left", validate="m:1")
        .join(record.councils.select("la_code", "region", "council_type"), on="la_code", how="left", validate="m:1")
        .with_columns(
            previous_judgement=pl.col("previous_grade"),
            years_since_judgement=pl.col("years_since_previous"),
            **setting_of(record),
        )
        .with_columns(log_population=pl.col("population_0_17").log())
    )


def each_quarter(record: PublicRecord) -> pl.DataFrame:
    """Every council that existed on the first day of each quarter, with the next inspection, if there was one."""
    marked = graded(record.judgements).sort("started", "la_code")
    first, last = marked["published"].min(), marked["published"].max()
    if not isinstance(first, date) or not isinstance(last, date):
        return INSPECTIONS.to_frame()
    days = [
        day
        for year in range(first.year + 1, last.year + 2)
        for month in QUARTER_MONTHS
        if (day := date(year, month, 1)) <= date(last.year + 1, 1, 1)
    ]
    codes = record.councils.select(pl.col("la_code").filter(pl.col("la_code").is_in(marked["la_code"].to_list())))
    born = {code: a for code, (a, _) in EXISTED.items()}
    ended = {code: b for code, (_, b) in EXISTED.items()}
    there = (pl.col("la_code").replace_strict(born, default=date.min) <= pl.col("as_of")) & (
        pl.col("as_of") <= pl.col("la_code").replace_strict(ended, default=date.max)
    )
    asked = codes.join(pl.DataFrame({"as_of": days}), how="cross").filter(there)
    known = with_previous(asked, record.judgements, record.lineage).filter(pl.col("previous_grade").is_not_null())
    following = known.sort("as_of", "la_code").join_asof(
        marked.filter(pl.col("framework").is_in(counting_frameworks())).drop("sources"),
        left_on="as_of",
        right_on="started",
        by="la_code",
        strategy="forward",
        check_sortedness=False,
    )
    return following.with_columns(
        below_good=pl.col("grade") > GOOD,
        inadequate=pl.col("grade") == INADEQUATE,
        years_since_previous=(pl.col("as_of") - pl.col("previous_published")).dt.total_days() / 365.25,
        good_before=pl.col("previous_grade") < BELOW_GOOD_FROM,
        months_before=pl.lit(None, pl.Int64()),
        weight=pl.lit(1.0),
    ).select([pl.col(n).cast(t) for n, t in INSPECTIONS.items()])


def wide_as_known(record: PublicRecord, variant: Variant, days: Iterable[date], national: pl.DataFrame) -> pl.DataFrame:
    """`la_code, as_of` and the columns of `features.comparing.wide`: what was known of every council on each day.

    The features are computed once for each state of knowledge, not once for each day. A state ends when a figure or a
    national distribution becomes known.
    """
    measures = record_measures(record, variant)
    there = measures.group_by("measure").agg(pl.col("value").is_not_null().any().alias("any")).filter("any")
    measures = measures.join(there.select("measure"), on="measure", how="semi")
    changes = sorted({*measures["known_from"].unique().drop_nulls(), *national["known_from"].unique()})
    states: dict[date, list[date]] = {}
    for day in sorted(days):
        states.setdefault(max((c for c in changes if c <= day), default=day), []).append(day)
    periods = [Month.of(end) for end in measures["month"].unique()]
    found = []
    for state, of_state in states.items():
        oldest = min(Month.of(day) for day in of_state).plus(-MAX_AGE_MONTHS)
        recent = [m for m in periods if oldest <= m <= Month.of(max(of_state))]
        features = compute_features(measures, neighbours_on(record, state), national, recent, state)
        found.append(wide_latest(features, of_state, MAX_AGE_MONTHS))
    return pl.concat(found)


def neighbours_on(record: PublicRecord, day: date) -> pl.DataFrame:
    """`la_code, neighbour, rank` of the edition in force on a day; the first edition for earlier days."""
    editions = sorted(record.neighbours["edition"].unique())
    if not editions:
        return record.neighbours.drop("edition")
    edition = max((e for e in editions if e <= day), default=editions[0])
    return record.neighbours.filter(pl.col("edition") == edition).drop("edition")


def setting_of(record: PublicRecord) -> dict[str, pl.Expr]:
    """`imd_score` and `population_0_17` by la_code; a missing score is taken from a predecessor or successor."""
    deprivation = dict(record.deprivation.sort("edition").select("la_code", "imd_score").iter_rows())
    there = record.population.filter(pl.col("value").is_not_null()).sort("period_end")
    population = dict(there.select("la_code", "value").iter_rows())
    for row in record.lineage.sort("of_successor").iter_rows(named=True):
        old, new = row["predecessor"], row["successor"]
        if row["of_successor"] > 0:
            if old in deprivation:
                deprivation.setdefault(new, deprivation[old])
            if new in deprivation:
                deprivation.setdefault(old, deprivation[new])
    code = pl.col("la_code")
    return {
        "imd_score": code.replace_strict(deprivation, default=None, return_dtype=pl.Float64()),
        "population_0_17": code.replace_strict(population, default=None, return_dtype=pl.Float64()),
    }
