"""Turns aggregate returns into inputs, so that DfE's published file and a council's own records use the same formulas.

A return already holds the totals that have to be counted from records, with flows of the year that ends with its month.
Nothing is added up here. A figure that a return does not hold is null and has a reason.
"""

from __future__ import annotations

import polars as pl

from features.errors import HoldfastError
from features.frames import INPUTS, REASONS, conform
from features.registry import INPUT_PARTS, POPULATION_INPUT, RETURN_INPUTS, Kind, Missing

#: Why a cell of a return is null, where the file says so: DfE's symbols, by the field they were found in.
CELL_REASONS = pl.Schema(
    {"la_code": pl.String(), "reference_date": pl.Date(), "field": pl.String(), "reason": pl.String()}
)


def inputs_from_returns(
    rows: pl.DataFrame,
    known: pl.DataFrame,
    population: pl.DataFrame,
    cell_reasons: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """INPUTS and REASONS of canonical return rows (`RETURN.schema`), one row per council and reference date.

    `known`: `la_code, known_from` (for all rows of a council), or with `month` as well (a day for each row).
    `population`: `la_code, population_0_17`, or with `month` as well; councils may be missing from it.
    `cell_reasons`: CELL_REASONS, the meaning of the symbols in the file. A null cell without a symbol was not reported;
    an input for which a return has no column is absent.
    Raises HoldfastError if a council has two rows for one month, because choosing one would be a guess.
    """
    month = pl.col("reference_date").dt.month_end()
    frame = rows.select(
        "la_code",
        month.alias("month"),
        *(pl.col(field).cast(pl.Int64).alias(name) for field, name in RETURN_INPUTS.items()),
    )
    _refuse_doubles(frame)
    frame = _beside(frame, known, "known_from")
    frame = _beside(frame, population.rename({"population_0_17": POPULATION_INPUT}), POPULATION_INPUT)
    unknown = [n for n in INPUT_PARTS if n not in frame.columns]
    inputs = frame.with_columns(pl.lit(None, pl.Int64()).alias(n) for n in unknown)
    inputs = conform(inputs, INPUTS, "inputs").sort("la_code", "month")
    return inputs, _reasons(inputs, cell_reasons)


def _refuse_doubles(frame: pl.DataFrame) -> None:
    doubled = frame.filter(pl.struct("la_code", "month").is_duplicated())
    if doubled.height:
        la_code, month = doubled.select("la_code", pl.col("month").dt.strftime("%Y-%m")).row(0)
        raise HoldfastError(
            f"Council {la_code} has two {Kind.RETURN} rows for {month}. Send one row per council and month."
        )


def _beside(frame: pl.DataFrame, other: pl.DataFrame, column: str) -> pl.DataFrame:
    keys = ["la_code", "month"] if "month" in other.columns else ["la_code"]
    return frame.join(other.select(*keys, column), on=keys, how="left", validate="m:1")


def _reasons(inputs: pl.DataFrame, cell_reasons: pl.DataFrame | None) -> pl.DataFrame:
    by_default = {
        name: Missing.NOT_REPORTED if name in RETURN_INPUTS.values() else Missing.COLUMN_ABSENT for name in INPUT_PARTS
    } | {POPULATION_INPUT: Missing.NO_POPULATION}
    missing = (
        inputs.unpivot(list(INPUT_PARTS), index=["la_code", "month"], variable_name="input")
        .filter(pl.col("value").is_null())
        .with_columns(
            pl.col("input").replace_strict({n: str(r) for n, r in by_default.items()}).alias("reason"),
        )
    )
    if cell_reasons is not None:
        said = cell_reasons.filter(pl.col("field").is_in(list(RETURN_INPUTS))).select(
            "la_code",
            pl.col("reference_date").dt.month_end().alias("month"),
            pl.col("field").replace_strict(RETURN_INPUTS, return_dtype=pl.String).alias("input"),
            pl.col("reason").alias("said"),
        )
        missing = missing.join(said, on=["la_code", "month", "input"], how="left", validate="1:1").with_columns(
            pl.coalesce("said", "reason").alias("reason")
        )
    return conform(missing, REASONS, "reasons").sort("la_code", "month", "input")
