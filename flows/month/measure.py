"""From the remembered months to the features of one month, as known by the cut-off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.comparing.panel import compute_features
from features.councils import Register
from features.frames import INPUTS, REASONS, counts_schema
from features.measuring.inputs import build_inputs, combine
from features.measuring.rates import compute_measures, monthly_points
from features.measuring.returns import CELL_REASONS, inputs_from_returns
from features.measuring.sight import EXTRACT_LOG, compute_sight
from features.months import Month, month_range
from features.registry import RETURN, Kind
from flows.month.take_in import RECORD_KINDS, unreported
from flows.store.editions import MISSING, History, Manifest

#: Months of features that are kept with a run: what charts show, and a margin for reading back.
FEATURE_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Measured:
    """The region's measures and features up to a month."""

    month: Month
    measures: pl.DataFrame
    """MEASURES_SCHEMA, all months that were read."""
    features: pl.DataFrame
    """FEATURES_SCHEMA of the last months, for scores and charts."""
    manifests: tuple[Manifest, ...]
    """The editions read, oldest first."""


def measure(
    history: History,
    register: Register,
    month: Month,
    cutoff: date,
    national: pl.DataFrame,
    *,
    history_months: int,
    usual_cutoff: Callable[[Month], date],
    feature_months: int = FEATURE_MONTHS,
    beside: pl.DataFrame | None = None,
) -> Measured:
    """Read the stored counts of the months up to `month`, as known by `cutoff`, and compute everything from them.

    `national`: NATIONAL, the published distribution percentiles are read from. Months before the first
    one the group ever reported are not counted as missing. `usual_cutoff`: the day on which an ordinary
    run of an earlier month looked, which decides what was late or missing then. `beside`: MEASURES_SCHEMA
    rows from elsewhere (the published record), of measures that nobody's extracts give.
    """
    manifests = known_editions(history, month, cutoff, history_months)
    if not manifests:
        empty = compute_measures(INPUTS.to_frame(), REASONS.to_frame())
        return Measured(month, empty, compute_features(empty, register.neighbours_frame(), national), ())
    first = manifests[0].month
    recorded = build_inputs(
        {k: history.tables(manifests, f"counts-{k}", counts_schema(k)) for k in RECORD_KINDS},
        register,
        first,
        month,
        cutoff,
        count_reasons=history.tables(manifests, "reasons", REASONS),
        unreported=unreported(manifests),
    )
    inputs, reasons = _with_returns(history, manifests, register, recorded)
    sight = compute_sight(
        extract_log(manifests, register),
        {m: min(cutoff, usual_cutoff(m)) if m < month else cutoff for m in month_range(first, month)},
    )
    parts = [compute_measures(inputs, reasons), sight]
    if beside is not None:
        parts = [without(part, beside) for part in parts] + [beside]
    measures = pl.concat(parts).sort("la_code", "month", "measure")
    earliest = max(first, month.plus(1 - feature_months))
    features = compute_features(
        measures,
        register.neighbours_frame(),
        national,
        months=list(month_range(earliest, month)),
        as_of_day=cutoff,
        points=monthly_points(inputs),
    )
    return Measured(month, measures, features, tuple(manifests))


def without(measures: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The measures less those rows that others give: an absent figure must not hide a published one."""
    return measures.join(others, on=["la_code", "month", "measure"], how="anti", maintain_order="left")


def known_editions(history: History, month: Month, cutoff: date, months: int) -> list[Manifest]:
    """The edition of each of the last `months` months that was known by the cut-off, oldest first."""
    wanted = month_range(month.plus(1 - months), month)
    return [m for each in wanted if (m := history.as_of(each, cutoff)) is not None]


def extract_log(manifests: Sequence[Manifest], register: Register) -> pl.DataFrame:
    """EXTRACT_LOG of the months: what was expected of whom, when it came, what became of it.

    What comes without being owed (the year's `return` out of a workforce return) is neither in time nor late.
    """
    owed = {(c.la_code, kind) for c in register.councils for kind in c.expects}
    rows = [
        (
            e.la_code,
            m.month.last_day,
            str(e.kind),
            e.due,
            e.first_received or e.received,
            e.outcome,
            e.received if e.restates else None,
        )
        for m in manifests
        for e in m.extracts
        if (e.la_code, e.kind) in owed
    ]
    return pl.DataFrame(rows, schema=EXTRACT_LOG, orient="row")


def _with_returns(
    history: History,
    manifests: Sequence[Manifest],
    register: Register,
    recorded: tuple[pl.DataFrame, pl.DataFrame],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Inputs of councils that send one aggregate row, beside those counted from records."""
    with_returns = [m for m in manifests if any(e.kind is Kind.RETURN and e.outcome != MISSING for e in m.extracts)]
    if not with_returns:
        return recorded
    rows = history.tables(with_returns, str(Kind.RETURN), RETURN.schema)
    known = pl.DataFrame(
        [
            (e.la_code, m.month.last_day, e.received)
            for m in with_returns
            for e in m.extracts
            if e.kind is Kind.RETURN and e.received is not None
        ],
        schema={"la_code": pl.String(), "month": pl.Date(), "known_from": pl.Date()},
        orient="row",
    )
    population = register.context_frame().select("la_code", "population_0_17")
    cell_reasons = history.tables(with_returns, "cell-reasons", CELL_REASONS)
    return combine(recorded, inputs_from_returns(rows, known, population, cell_reasons))
