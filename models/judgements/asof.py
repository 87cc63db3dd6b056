"""When a published figure was known: to the council at once, to the public at release. These are two named variants.

A back-test reads an inspection's features as of its first day. *Own data at once* is what the monthly job sees:
councils, including the neighbours in the group, report to their group as soon as a period ends, while the national
distribution is the one published by then. *Published lag* is what an outsider could know.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from features.frames import INPUTS, MEASURES_SCHEMA, NATIONAL, conform
from features.measuring.rates import compute_measures
from features.measuring.returns import CELL_REASONS, inputs_from_returns
from features.registry import RETURN, FieldType
from models.record import PublicRecord
from models.record.identity import EXISTED, JOINT_RETURNS
from models.record.units import hand_down, split_joint

#: Days after the end of a period by which a council has sent its own figures to the group.
OWN_DELAY_DAYS = 14


class Variant(StrEnum):
    OWN_DATA_AT_ONCE = "own data at once"
    PUBLISHED_LAG = "published lag"


#: Councils so small that their rates are 0 or 100%. They are left out of the national distribution.
TINY_COUNCILS = ("201", "420")


def known_to_council(period_end: str = "period_end") -> pl.Expr:
    """The day from which the council itself knew a period's figure."""
    return pl.col(period_end).dt.offset_by(f"{OWN_DELAY_DAYS}d")


def known_to_public(period_end: str = "period_end") -> pl.Expr:
    """The first day after DfE's release of a period's figures.

    The workforce (to 30 September) comes out in late February, children in need (to 31 March) in late October of the
    same year.
    """
    end = pl.col(period_end)
    workforce = end.dt.month() == 9
    return pl.when(workforce).then(pl.date(end.dt.year() + 1, 3, 1)).otherwise(pl.date(end.dt.year(), 11, 1))


def known_from(variant: Variant, period_end: str = "period_end") -> pl.Expr:
    """`known_to_council` or `known_to_public`."""
    if variant is Variant.OWN_DATA_AT_ONCE:
        return known_to_council(period_end)
    return known_to_public(period_end)


def record_measures(record: PublicRecord, variant: Variant) -> pl.DataFrame:
    """MEASURES_SCHEMA of every council and published period, by the same functions as in the monthly job.

    Counts become returns, returns become inputs, inputs become measures. Measures that DfE publishes only as a
    percentage (LAIT) fill those that the counts leave empty. Successors carry their predecessors' history, and members
    of a joint return carry its figures.
    """
    counts = hand_down(split_joint(record.counts), record.lineage, "count")
    returns = _returns(counts)
    inputs, reasons = inputs_from_returns(
        returns,
        returns.select("la_code", month="reference_date", known_from=known_from(variant, "reference_date")),
        _population(record, returns),
        counts.filter(pl.col("value").is_null(), pl.col("count").is_in(list(_PARTS)))
        .select("la_code", reference_date="period_end", field="count", reason="reason")
        .cast(dict(CELL_REASONS)),  # type: ignore[arg-type]  # a Schema is a mapping of names to types
    )
    measures = compute_measures(conform(inputs, INPUTS, "inputs"), reasons)
    return _with_rates(measures, hand_down(record.rates, record.lineage, "measure"), variant)


def national_distribution(record: PublicRecord) -> pl.DataFrame:
    """NATIONAL: each published year's values of all councils, known from the release in both variants."""
    measures = record_measures(record, Variant.PUBLISHED_LAG)
    second_members = [other for _, other in JOINT_RETURNS]
    workforce = pl.col("month").dt.month() == 9
    born = {code: first for code, (first, _) in EXISTED.items()}
    first = pl.col("la_code").replace_strict(born, default=None, return_dtype=pl.Date())
    return (
        measures.filter(
            pl.col("value").is_not_null(),
            ~pl.col("la_code").is_in(list(TINY_COUNCILS)),
            first.is_null() | (first <= pl.col("month")),
            ~(workforce & pl.col("la_code").is_in(second_members)),
        )
        .select("measure", pl.col("month").alias("period_end"), "known_from", "value")
        .select(list(NATIONAL))
        .sort("measure", "period_end", "value")
    )


def _returns(counts: pl.DataFrame) -> pl.DataFrame:
    """Canonical rows of the `return` extract, one per council and period end."""
    wide = counts.filter(pl.col("count").is_in(list(_PARTS))).pivot(
        "count", index=["la_code", "period_end"], values="value"
    )
    columns: list[pl.Expr] = []
    for name, dtype in RETURN.schema.items():
        if name == "la_code":
            columns.append(pl.col("la_code"))
        elif name == "reference_date":
            columns.append(pl.col("period_end").alias(name))
        elif name in wide.columns:
            columns.append((pl.col(name) * _PARTS[name]).round().cast(pl.Int64()).alias(name))
        else:
            columns.append(pl.lit(None, dtype=dtype).alias(name))
    return wide.select(columns).sort("la_code", "reference_date")


_PARTS: dict[str, int] = {
    f.name: 10**f.decimals for f in RETURN.fields if f.type in (FieldType.DECIMAL, FieldType.INTEGER)
}


def _population(record: PublicRecord, returns: pl.DataFrame) -> pl.DataFrame:
    """`la_code, month, population_0_17`: the mid-year before the period's end; the first one for earlier periods."""
    known = (
        hand_down(record.population, record.lineage, "count")
        .filter(pl.col("value").is_not_null())
        .select("la_code", mid_year="period_end", population_0_17=pl.col("value").round().cast(pl.Int64()))
        .sort("mid_year", "la_code")
    )
    asked = returns.select("la_code", month="reference_date").sort("month", "la_code")
    before = asked.join_asof(
        known, left_on="month", right_on="mid_year", by="la_code", strategy="backward", check_sortedness=False
    )
    after = asked.join_asof(
        known, left_on="month", right_on="mid_year", by="la_code", strategy="forward", check_sortedness=False
    )
    return before.select(
        "la_code", "month", population_0_17=pl.coalesce(pl.col("population_0_17"), after["population_0_17"])
    ).sort("la_code", "month")


def _with_rates(measures: pl.DataFrame, rates: pl.DataFrame, variant: Variant) -> pl.DataFrame:
    key = ["la_code", "month", "measure"]
    published = rates.select(
        "la_code",
        pl.col("period_end").alias("month"),
        "measure",
        "value",
        pl.lit(None, dtype=pl.Float64()).alias("numerator"),
        pl.lit(None, dtype=pl.Float64()).alias("denominator"),
        "reason",
        known_from(variant).alias("known_from"),
    ).select(list(MEASURES_SCHEMA))
    counted = measures.filter(pl.col("value").is_not_null())
    uncounted = measures.filter(pl.col("value").is_null())
    extra = published.join(counted, on=key, how="anti")
    return conform(
        pl.concat([counted, extra, uncounted.join(extra, on=key, how="anti")]).sort(key), MEASURES_SCHEMA, "measures"
    )
