"""Computes measures and features of one month from the stored months, as known by the cut-off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from features.comparing.panel import compute_features
from features.councils import Register
from features.frames import INPUTS, REASONS, counts_schema
from features.measuring.inputs import build_inputs, combine
from features.measuring.rates import compute_measures, confirmed_breaks, monthly_points
from features.measuring.returns import CELL_REASONS, inputs_from_returns
from features.measuring.sight import EXTRACT_LOG, compute_sight
from features.months import Month, month_range
from features.registry import RETURN, Kind
from flows.extracts.checking import RECORD_KINDS
from flows.month.apart import fault_sentence, run_by_council
from flows.month.edition import unreported
from flows.store.editions import History
from flows.store.manifest import Manifest

#: Months of features that a run keeps: those that charts show, and a margin for looking back.
FEATURE_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Measured:
    """The measures and features of the region up to a month."""

    month: Month
    measures: pl.DataFrame
    """MEASURES_SCHEMA, of all months that were read."""
    features: pl.DataFrame
    """FEATURES_SCHEMA, of the last months, for scores and charts."""
    manifests: tuple[Manifest, ...]
    """The editions that were read, oldest first."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """la_code -> what failed because of a fault of ours. Such a council has no features and no score, but this text."""


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

    `national` (NATIONAL) is the published distribution that percentiles are read from. `usual_cutoff` gives the
    cut-off of an ordinary run of an earlier month, which decides what was late or missing then. `beside` has
    MEASURES_SCHEMA rows from elsewhere (the published record), for measures that no extract gives. Months before
    the first that the group ever reported do not count as missing.
    """
    manifests = known_editions(history, month, cutoff, history_months)
    if not manifests:
        empty = compute_measures(INPUTS.to_frame(), REASONS.to_frame())
        return Measured(month, empty, compute_features(empty, register.neighbours_frame(), national), ())
    first = manifests[0].month
    counts = {k: history.tables(manifests, f"counts-{k}", counts_schema(k)) for k in RECORD_KINDS}
    count_reasons = history.tables(manifests, "reasons", REASONS)
    returned = _returned(history, manifests)
    log = extract_log(manifests, register)
    looked = {m: min(cutoff, usual_cutoff(m)) if m < month else cutoff for m in month_range(first, month)}
    earliest = max(first, month.plus(1 - feature_months))

    def compute(councils: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        of = _only(councils, register)
        inputs, reasons = build_inputs(
            {k: of.rows(frame) for k, frame in counts.items()},
            of.register,
            first,
            month,
            cutoff,
            count_reasons=of.rows(count_reasons),
            unreported=unreported(manifests),
        )
        if returned is not None:
            population = of.register.context_frame().select("la_code", "population_0_17")
            rows, known, cell_reasons = (of.rows(frame) for frame in returned)
            inputs, reasons = combine((inputs, reasons), inputs_from_returns(rows, known, population, cell_reasons))
        parts = [compute_measures(inputs, reasons), compute_sight(of.rows(log), looked)]
        if beside is not None:
            own = of.rows(beside)
            parts = [without(part, own) for part in parts] + [own]
        measures = _together(parts)
        features = compute_features(
            measures,
            register.neighbours_frame(),
            national,
            months=list(month_range(earliest, month)),
            as_of_day=cutoff,
            points=monthly_points(inputs),
            breaks=confirmed_breaks(of.rows(count_reasons)),
        )
        return measures, features

    done = run_by_council([c.la_code for c in register.councils], compute)
    faults = {
        la_code: fault_sentence(register.by_code[la_code], "measuring", error) for la_code, error in done.faults.items()
    }
    return Measured(month, *done.result, tuple(manifests), faults)


def _together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).sort("la_code", "month", "measure")


@dataclass(frozen=True)
class _Only:
    """Selects some of the register's councils, and their rows in a table."""

    register: Register
    every: bool

    def rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame if self.every else frame.filter(pl.col("la_code").is_in(list(self.register.by_code)))


def _only(councils: Sequence[str], register: Register) -> _Only:
    if len(councils) == len(register.councils):
        return _Only(register, every=True)
    return _Only(Register(tuple(register.by_code[c] for c in councils)), every=False)


def without(measures: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The measures without the rows that `others` has: a missing figure must not hide a published one."""
    return measures.join(others, on=["la_code", "month", "measure"], how="anti", maintain_order="left")


def known_editions(history: History, month: Month, cutoff: date, months: int) -> list[Manifest]:
    """The editions of the last `months` months as known by the cut-off, oldest first."""
    wanted = month_range(month.plus(1 - months), month)
    return [m for each in wanted if (m := history.as_of(each, cutoff)) is not None]


def extract_log(manifests: Sequence[Manifest], register: Register) -> pl.DataFrame:
    """EXTRACT_LOG of the months: which extract was expected from whom, when it came and what became of it.

    An extract that was not due (the year's `return` taken from a workforce return) is neither on time nor late.
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


def _returned(
    history: History, manifests: Sequence[Manifest]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame] | None:
    """For councils that send one aggregate row: the rows, when each was known, and why cells are missing."""
    with_returns = [m for m in manifests if any(e.kind is Kind.RETURN and e.sha256 for e in m.extracts)]
    if not with_returns:
        return None
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
    rows = history.tables(with_returns, str(Kind.RETURN), RETURN.schema)
    return rows, known, history.tables(with_returns, "cell-reasons", CELL_REASONS)
