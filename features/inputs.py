"""From stored counts of many months to the inputs of the formulas: a gap-free grid and its trailing sums.

The as-of rule is applied here, once: of a council's month and extract the version known last by the
cut-off is read, and none that came later. A sum over a window exists only if every month of it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from features.councils import Register
from features.frames import INPUTS, REASONS, conform, counts_schema
from features.months import Month, month_range
from features.registry import COUNTS, INPUT_PARTS, POPULATION_INPUT, WINDOWS, Accrual, Count, Kind, Missing, input_names

#: Why a whole extract is not there (late, quarantined, not reported): one row per council, month and extract.
UNREPORTED = pl.Schema({"la_code": pl.String(), "month": pl.Date(), "extract": pl.String(), "reason": pl.String()})

_KEY = ["la_code", "month"]
_LONGEST_WINDOW = max(WINDOWS)
_COUNTED_KINDS = tuple(dict.fromkeys(c.extract for c in COUNTS))


def as_known(frame: pl.DataFrame, cutoff: date | None, key: list[str] | None = None) -> pl.DataFrame:
    """Of each council and month (or `key`) the row known last by the cut-off; of two on one day, the later row."""
    if cutoff is not None:
        frame = frame.filter(pl.col("known_from") <= cutoff)
    keys = key or _KEY
    return frame.sort("known_from", maintain_order=True).unique(keys, keep="last", maintain_order=True).sort(keys)


def build_inputs(
    counts: Mapping[Kind, pl.DataFrame],
    register: Register,
    first: Month,
    last: Month,
    cutoff: date | None = None,
    count_reasons: pl.DataFrame | None = None,
    unreported: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """INPUTS and REASONS of every council valid in each month from `first` to `last`.

    `counts` per kind (`counts_schema(kind)`), in any number of months and versions; months before
    `first` are not read, so let it lie 11 months before the first month that matters.
    `count_reasons`: REASONS whose `input` is a count, as counting and withholding give them.
    `unreported`: UNREPORTED, why an extract is not there; without a row it was not reported.
    `known_from` is the last day on which anything a row of inputs rests on became known: of all extracts
    of its trailing 12 months.
    """
    grid = _grid(register, first, last)
    for kind in _COUNTED_KINDS:
        frame = counts[kind] if kind in counts else pl.DataFrame(schema=counts_schema(kind))
        frame = as_known(conform(frame, counts_schema(kind), f"{kind} counts"), cutoff).drop("extract_sha256")
        grid = grid.join(frame.rename({"known_from": _known(kind)}), on=_KEY, how="left", validate="1:1")
    grid = grid.sort(_KEY)
    names = [(c, w) for c in COUNTS if c.accrual is Accrual.FLOW for w in WINDOWS]
    grid = grid.with_columns(
        *(_trailing(c, w).alias(f"{c.name}_{w}m") for c, w in names),
        pl.max_horizontal(_known(k) for k in _COUNTED_KINDS)
        .rolling_max(_LONGEST_WINDOW, min_samples=1)
        .over("la_code")
        .alias("known_from"),
    )
    return conform(grid, INPUTS, "inputs"), _reasons(grid, count_reasons, unreported)


def combine(
    one: tuple[pl.DataFrame, pl.DataFrame], other: tuple[pl.DataFrame, pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """INPUTS and REASONS of two sources as one: what the first lacks is taken from the second.

    For councils that send records and, once a year, a return: the records come first. Where neither
    has a value, the first one's reason stands.
    """
    names = list(INPUT_PARTS)
    both = pl.concat([one[0], other[0]])
    merged = (
        both.group_by(_KEY, maintain_order=True)
        .agg(pl.col("known_from").max(), *(pl.col(n).drop_nulls().first() for n in names))
        .sort(_KEY)
    )
    missing = merged.unpivot(names, index=_KEY, variable_name="input").filter(pl.col("value").is_null())
    reasons = pl.concat([one[1], other[1]]).unique([*_KEY, "input"], keep="first", maintain_order=True)
    kept = reasons.join(missing, on=[*_KEY, "input"], how="semi")
    return conform(merged, INPUTS, "inputs"), kept.select(list(REASONS)).sort(*_KEY, "input")


def _known(kind: Kind) -> str:
    return f"{kind}__known_from"


def _grid(register: Register, first: Month, last: Month) -> pl.DataFrame:
    """One row per council and month in which it exists, with its child population."""
    rows = [
        (c.la_code, c.valid_from.last_day, c.valid_to.last_day if c.valid_to else date.max, c.population_0_17)
        for c in register.councils
    ]
    schema = {"la_code": pl.String(), "from": pl.Date(), "to": pl.Date(), POPULATION_INPUT: pl.Int64()}
    months = pl.DataFrame({"month": [m.last_day for m in month_range(first, last)]}, schema={"month": pl.Date()})
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .join(months, how="cross")
        .filter(pl.col("month").is_between(pl.col("from"), pl.col("to")))
        .select(*_KEY, POPULATION_INPUT)
    )


def _trailing(count: Count, window: int) -> pl.Expr:
    """Sum over the window; null unless every month of it is there (the grid has no gaps)."""
    if window == 1:
        return pl.col(count.name)
    return pl.col(count.name).rolling_sum(window, min_samples=window).over("la_code")


def _reasons(grid: pl.DataFrame, count_reasons: pl.DataFrame | None, unreported: pl.DataFrame | None) -> pl.DataFrame:
    of_counts = _wide(count_reasons, "input", {c.name for c in COUNTS})
    of_extracts = _wide(unreported, "extract", {str(k) for k in _COUNTED_KINDS})
    frame = grid.join(of_counts, on=_KEY, how="left", validate="1:1").join(
        of_extracts, on=_KEY, how="left", validate="1:1"
    )
    null = frame.null_count().row(0, named=True)
    no_population = pl.when(pl.col(POPULATION_INPUT).is_null()).then(pl.lit(str(Missing.NO_POPULATION)))
    why = [no_population.alias(f"{POPULATION_INPUT}__why")]
    for count in COUNTS:
        here = _why_count(count, frame.columns)
        incomplete = pl.lit(str(Missing.WINDOW_INCOMPLETE))
        why += [
            pl.when(pl.col(count.name).is_null())
            .then(here)
            .when(pl.col(name).is_null())
            .then(incomplete)
            .alias(f"{name}__why")
            for name in input_names(count)
            if null[name]
        ]
    long = (
        frame.select(*_KEY, *why)
        .unpivot(index=_KEY, variable_name="input", value_name="reason")
        .filter(pl.col("reason").is_not_null())
        .with_columns(pl.col("input").str.strip_suffix("__why"))
    )
    return conform(long, REASONS, "reasons").sort(*_KEY, "input")


def _why_count(count: Count, columns: list[str]) -> pl.Expr:
    """The reason of a null count: the extract's if it is not there, else the count's own."""

    def said_of(name: str, default: Missing) -> pl.Expr:
        fallback = pl.lit(str(default))
        return pl.coalesce(f"{name}__reason", fallback) if f"{name}__reason" in columns else fallback

    return (
        pl.when(pl.col(_known(count.extract)).is_null())
        .then(said_of(count.extract, Missing.NOT_REPORTED))
        .otherwise(said_of(count.name, Missing.WITHHELD))
    )


def _wide(reasons: pl.DataFrame | None, by: str, known: set[str]) -> pl.DataFrame:
    """Reasons with one column per count or extract, named `<name>__reason`."""
    if reasons is None or reasons.is_empty():
        return pl.DataFrame(schema={"la_code": pl.String(), "month": pl.Date()})
    asked = reasons.filter(pl.col(by).is_in(list(known))).unique([*_KEY, by], keep="first", maintain_order=True)
    wide = asked.pivot(by, index=_KEY, values="reason")
    return wide.rename({n: f"{n}__reason" for n in wide.columns if n not in _KEY})
