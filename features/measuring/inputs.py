"""Turns stored counts of many months into the inputs of the formulas: a grid without gaps and its trailing sums.

The as-of rule is applied here and only here: for each council, month and extract, the last version known by the cut-off
is read, and nothing later. A sum over a window exists only if every month of the window does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.councils import Register
from features.frames import INPUTS, REASONS, conform, counts_schema
from features.months import Month, month_range
from features.registry import COUNTS, INPUT_PARTS, POPULATION_INPUT, WINDOWS, Accrual, Count, Kind, Missing, input_names

#: Why a whole extract is missing (late, quarantined, not reported): one row per council, month and extract.
UNREPORTED = pl.Schema({"la_code": pl.String(), "month": pl.Date(), "extract": pl.String(), "reason": pl.String()})

_KEY = ["la_code", "month"]
#: The number of a row among its council's.
_PLACE = "place"
_Codes = NDArray[np.int32]
_LONGEST_WINDOW = max(WINDOWS)
_COUNTED_KINDS = tuple(dict.fromkeys(c.extract for c in COUNTS))


def _last_known(frame: pl.LazyFrame, cutoff: date | None) -> pl.LazyFrame:
    if cutoff is not None:
        frame = frame.filter(pl.col("known_from") <= cutoff)
    return frame.sort("known_from", maintain_order=True).unique(_KEY, keep="last", maintain_order=True)


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

    `counts`: by kind (`counts_schema(kind)`), with any number of months and versions. Months before `first` are not
    read, so `first` should be 11 months before the first month that matters.
    `count_reasons`: REASONS whose `input` is a count, as counting and withholding give them.
    `unreported`: UNREPORTED, why an extract is missing; an extract without a row here was not reported. `known_from` of
    a row of inputs is the last day on which anything it rests on became known, over all extracts of its trailing 12
    months.
    """
    wide = _grid(register, first, last).lazy()
    for kind in _COUNTED_KINDS:
        frame = counts[kind] if kind in counts else pl.DataFrame(schema=counts_schema(kind))
        known = _last_known(conform(frame, counts_schema(kind), f"{kind} counts").lazy(), cutoff)
        known = known.drop("extract_sha256").rename({"known_from": _known(kind)})
        wide = wide.join(known, on=_KEY, how="left", validate="1:1")
    names = [(c, w) for c in COUNTS if c.accrual is Accrual.FLOW for w in WINDOWS]
    grid = (
        wide.sort(_KEY)
        .with_columns(pl.int_range(pl.len()).over("la_code").alias(_PLACE))
        .with_columns(
            *(_trailing(c, w).alias(f"{c.name}_{w}m") for c, w in names),
            pl.max_horizontal(_known(k) for k in _COUNTED_KINDS)
            .rolling_max(_LONGEST_WINDOW, min_samples=1)
            .over("la_code")
            .alias("known_from"),
        )
        .collect(engine="in-memory")
    )
    return conform(grid, INPUTS, "inputs"), _reasons(grid, count_reasons, unreported)


def combine(
    one: tuple[pl.DataFrame, pl.DataFrame], other: tuple[pl.DataFrame, pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """INPUTS and REASONS of two sources as one: gaps in the first are filled from the second.

    For councils that send records and, once a year, a return: the records come first. Where neither has a value, the
    reason of the first is kept.
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
    days = [m.last_day for m in month_range(first, last)]
    codes: list[str] = []
    months: list[date] = []
    population: list[int | None] = []
    for council in register.councils:
        begin = max(council.valid_from.minus(first), 0)
        end = len(days) if council.valid_to is None else max(council.valid_to.minus(first) + 1, 0)
        existing = days[begin:end]
        months += existing
        codes += [council.la_code] * len(existing)
        population += [council.population_0_17] * len(existing)
    schema = {"la_code": pl.String(), "month": pl.Date(), POPULATION_INPUT: pl.Int64()}
    return pl.DataFrame([codes, months, population], schema=schema, orient="col")


def _trailing(count: Count, window: int) -> pl.Expr:
    """Sum over the window; null unless every month of the window has a value (the grid has no gaps).

    The sums run over all councils' rows, and those that reach into another council's are left out: half the time of
    grouping again for every sum.
    """
    if window == 1:
        return pl.col(count.name)
    within = pl.col(_PLACE) >= window - 1
    return pl.when(within).then(pl.col(count.name).rolling_sum(window, min_samples=window))


def _reasons(grid: pl.DataFrame, count_reasons: pl.DataFrame | None, unreported: pl.DataFrame | None) -> pl.DataFrame:
    """REASONS for every null in the grid, worked out as codes: a reason for each row and input, 0 if it has a value."""
    texts: list[str] = ["", *(str(r) for r in Missing)]
    of_counts = _said(grid, count_reasons, "input", texts)
    of_extracts = _said(grid, unreported, "extract", texts)
    names = sorted(INPUT_PARTS)
    null = dict(zip(grid.columns, grid.select(pl.all().is_null()).to_numpy().T, strict=True))
    why = np.zeros((len(names), grid.height), dtype=np.int32)
    code = {r: texts.index(str(r)) for r in Missing}
    why[names.index(POPULATION_INPUT)] = null[POPULATION_INPUT] * code[Missing.NO_POPULATION]
    for count in COUNTS:
        here = np.where(
            null[_known(count.extract)],
            _or(of_extracts.get(count.extract), code[Missing.NOT_REPORTED]),
            _or(of_counts.get(count.name), code[Missing.NOT_COUNTED]),
        )
        for name in input_names(count):
            incomplete = null[name] * code[Missing.WINDOW_INCOMPLETE]
            why[names.index(name)] = np.where(null[count.name], here, incomplete)
    # In order of row, then of name: this is the order of the key, without sorting text.
    by_row = why.T.ravel()
    there = np.flatnonzero(by_row)
    row, which = np.divmod(there, len(names))
    long = grid.select(_KEY)[row].with_columns(
        pl.Series("input", names).gather(which), pl.Series("reason", texts).gather(by_row[there])
    )
    return conform(long, REASONS, "reasons")


def _or(said: _Codes | None, default: int) -> _Codes | int:
    """The reason given, or the default where none is given."""
    return default if said is None else np.where(said > 0, said, np.int32(default))


def _said(grid: pl.DataFrame, reasons: pl.DataFrame | None, by: str, texts: list[str]) -> dict[str, _Codes]:
    """The reasons given, one column of codes per count or extract, 0 where there is none; new texts get a new code."""
    if reasons is None or reasons.is_empty():
        return {}
    given = reasons.unique([*_KEY, by], keep="first", maintain_order=True).drop_nulls("reason")
    texts += sorted(set(given.get_column("reason").unique()) - set(texts))
    numbers = {text: code for code, text in enumerate(texts)}
    placed = given.with_columns(pl.col("reason").replace_strict(numbers, return_dtype=pl.Int32).alias("code")).join(
        grid.select(_KEY).with_row_index("row"), on=_KEY, how="inner", validate="m:1"
    )
    found: dict[str, _Codes] = {}
    for (name,), said in placed.partition_by(by, as_dict=True).items():
        found[str(name)] = np.zeros(grid.height, dtype=np.int32)
        found[str(name)][said.get_column("row").to_numpy()] = said.get_column("code").to_numpy()
    return found
