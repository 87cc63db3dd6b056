"""The facts about one council and month, from the features frame and the month's record of files.

Uses only the council's own figures and the median of its neighbours, and no row of another council.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from expectations.fates import Fate, FileFate
from features.comparing.xmr import Toward
from features.frames import FEATURES_SCHEMA, conform
from features.months import Month, month_range
from features.registry import BY_NAME, Group, Kind, Measure, Missing
from flows.alerts.disclosure import NEIGHBOURS_NEEDED, is_small
from flows.alerts.state import MonthField, Record, Signal

#: The values of `xmr_toward` that show a signal.
CONCERN, IMPROVEMENT = Toward.CONCERN.value, Toward.IMPROVEMENT.value

#: How many months a chart shows.
CHART_MONTHS = 24

#: The columns of the features that a chart shows month by month, and those that are told of the last month.
_CHARTED = (
    "value", "reason", "neighbours_median", "xmr_value", "xmr_mean", "xmr_lower", "xmr_upper", "xmr_toward",
)  # fmt: skip
_TOLD = (
    "value", "reason", "numerator", "denominator", "change_12m", "own_mean", "neighbours_median", "neighbours_reported",
    "national_percentile", "xmr_lower", "xmr_upper", "xmr_signal", "xmr_toward", "xmr_level", "xmr_mean_before",
    "small_base",
)  # fmt: skip


class MeasureFact(Record):
    """One measure of the council in the month, with its own past and its neighbours."""

    measure: str
    value: float | None
    reason: str | None = None
    """Why there is no value."""
    year_ago: float | None = None
    own_mean: float | None = None
    neighbours_median: float | None = None
    """The neighbours' median; None also if too few neighbours reported."""
    neighbours_reported: int = 0
    national_percentile: float | None = None
    usual_low: float | None = None
    usual_high: float | None = None
    """The natural process limits (XmR) from the council's own past."""
    rule: str | None = None
    toward: str | None = None
    level: str | None = None
    """The direction in which the level moved before its limits were redrawn. “concern”: worse, and no longer moving."""
    mean_before: float | None = None
    """The previous mean, in the unit of the chart."""
    small_base: bool = False
    rests_on_few: bool = False
    """Whether the numerator, or its complement, is a count that is not shown."""

    @property
    def declared(self) -> Measure:
        return BY_NAME[self.measure]

    @property
    def settled_worse(self) -> bool:
        """Whether it is worse than it was and no longer moving, so that no chart rule fires although it is not well."""
        return self.value is not None and self.toward not in (CONCERN, IMPROVEMENT) and self.level == CONCERN

    @property
    def worse(self) -> bool:
        """Whether it is worse than it used to be, whether still moving or settled."""
        return self.value is not None and (self.toward == CONCERN or self.settled_worse)


class Series(Record):
    """A measure's own months for a process-behaviour chart, oldest first; gaps are None.

    A measure summed over 12 months is charted by each month's own figure, in the measure's unit: sums that
    share eleven months would move together and signal falsely.
    """

    measure: str
    months: tuple[MonthField, ...]
    values: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    toward: tuple[str | None, ...]
    neighbours: tuple[float | None, ...]
    settled: float | None = None
    """The previous mean, if the last month's level is worse than that and no longer moving."""
    begun_anew: tuple[MonthField, ...] = ()
    """Months at which the council confirmed new references: nothing after them is compared with what was before."""


class CouncilFacts(Record):
    la_code: str
    month: MonthField
    measures: dict[str, MeasureFact]
    series: dict[str, Series]
    signals: tuple[Signal, ...]

    @property
    def months_in_a_row(self) -> int:
        """How many consecutive months, up to this one, have at least one figure of the council's own."""
        own = [s.values for name, s in self.series.items() if BY_NAME[name].group is not Group.SIGHT]
        seen = [any(values[i] is not None for values in own) for i in range(max(map(len, own), default=0))]
        return next((back for back, there in enumerate(reversed(seen)) if not there), len(seen))


class SubmissionFact(Record):
    """A file's fate as an alert keeps it."""

    extract: str
    """The kind of extract: workforce, establishment, caseload, return."""
    outcome: str
    """A value of `Fate`."""
    received: date | None = None
    late: bool = False
    restated: bool = False
    message: str = ""
    """A sentence for the council on why it is not used."""
    sha256: str = ""
    errors: int = 0
    queries: int = 0
    withheld: tuple[str, ...] = ()
    """Columns whose figures are withheld."""

    @classmethod
    def of(cls, file: FileFate, sha256: str = "") -> SubmissionFact:
        """The part of the file's fate that an alert keeps."""
        return cls(
            extract=str(file.kind),
            outcome=str(file.fate),
            received=file.received,
            late=file.late,
            restated=file.restated,
            message=file.reason,
            sha256=sha256,
            errors=file.errors,
            queries=file.queries,
            withheld=file.withheld,
        )

    @property
    def fate(self) -> FileFate:
        """The file's fate, rebuilt for display."""
        return FileFate(
            kind=Kind(self.extract),
            fate=Fate(self.outcome),
            errors=self.errors,
            queries=self.queries,
            withheld=self.withheld,
            reason=self.message,
            received=self.received,
            late=self.late,
            restated=self.restated,
        )


class ValidationNote(Record):
    """One kind of failure in one extract: counts and row numbers, never a person's value."""

    extract: str
    severity: str
    """`error`, `query` or `information`."""
    check: str
    count: int
    message: str
    column: str = ""
    effect: str = ""
    """What it does to the figures, in the words of the validation report (`expectations.batch.Effect`)."""
    rows: tuple[int, ...] = ()
    """The first rows concerned, numbered as a person sees them in the file."""


class ValidationFacts(Record):
    notes: tuple[ValidationNote, ...] = ()
    report: str = ""
    """Where the full report is: the name or address of an object."""

    def count(self, severity: str, extract: str | None = None) -> int:
        """How many cells failed checks of a severity, in one extract or in all."""
        return sum(n.count for n in self.notes if n.severity == severity and (extract is None or n.extract == extract))


def facts_by_council(
    features: pl.DataFrame, la_codes: tuple[str, ...], month: Month, *, chart_months: int = CHART_MONTHS
) -> dict[str, CouncilFacts]:
    """The facts about each of these councils, from FEATURES_SCHEMA rows. Ignores other rows and later months.

    Goes over the frame only once.
    """
    months = tuple(month_range(month.plus(1 - chart_months), month))
    series = (
        conform(features, FEATURES_SCHEMA, "features")
        .filter(
            pl.col("la_code").is_in(list(la_codes)),
            pl.col("month").is_between(months[0].first_day, month.last_day),
            pl.col("measure").is_in(list(BY_NAME)),
        )
        .sort("la_code", "measure", "month")
        .with_columns(*_as_kept())
        .with_columns(at=_month_number(pl.col("month")) - (months[0].year * 12 + months[0].number))
        .group_by("la_code", "measure", maintain_order=True)
        .agg("at", *_CHARTED, now=pl.struct(_TOLD).last())
    )
    rows: dict[str, dict[str, dict[str, Any]]] = {code: {} for code in la_codes}
    for row in series.iter_rows(named=True):
        rows[row.pop("la_code")][row["measure"]] = row
    return {code: _facts(code, months, rows[code]) for code in la_codes}


def _facts(la_code: str, months: tuple[Month, ...], rows: Mapping[str, dict[str, Any]]) -> CouncilFacts:
    """The facts about one council, from the lists of each measure."""
    month = months[-1]
    measures: dict[str, MeasureFact] = {}
    series: dict[str, Series] = {}
    for name, declared in BY_NAME.items():
        row = rows.get(name)
        if row is None:
            continue
        series[name] = _series(declared, months, row)
        if months[row["at"][-1]] == month:
            measures[name] = _fact(declared, row["now"])
    return CouncilFacts(la_code=la_code, month=month, measures=measures, series=series, signals=_signals(measures))


def _month_number(day: pl.Expr) -> pl.Expr:
    return day.dt.year() * 12 + day.dt.month().cast(pl.Int32)


def _as_kept() -> Iterator[pl.Expr]:
    """Values as an alert keeps them.

    Numbers have nine places, so that they do not differ in the last bit between machines. A median of few neighbours is
    left out. Process limits stay within what a measure can be: no negative rate, and no share above one.
    """
    signed = [m.name for m in BY_NAME.values() if any(t.weight < 0 for t in m.numerator)]
    bounded = [m.name for m in BY_NAME.values() if m.bounded]
    measure = pl.col("measure")
    for name in dict.fromkeys((*_CHARTED, *_TOLD)):
        column, dtype = pl.col(name), FEATURES_SCHEMA[name]
        if dtype == pl.String():
            yield pl.when(column != "").then(column)
        if dtype != pl.Float64():
            continue
        number = column.round(9)
        if name in ("xmr_lower", "xmr_upper"):
            possible = pl.when(measure.is_in(bounded)).then(number.clip(0.0, 1.0)).otherwise(number.clip(0.0))
            number = pl.when(measure.is_in(signed)).then(number).otherwise(possible)
        elif name == "neighbours_median":
            number = pl.when(pl.col("neighbours_reported") >= NEIGHBOURS_NEEDED).then(number)
        yield number.alias(name)


def _fact(measure: Measure, row: dict[str, Any]) -> MeasureFact:
    value, change = row["value"], row["change_12m"]
    return MeasureFact(
        measure=measure.name,
        value=value,
        reason=row["reason"],
        year_ago=None if value is None or change is None else round(value - change, 9),
        own_mean=row["own_mean"],
        neighbours_median=row["neighbours_median"],
        neighbours_reported=row["neighbours_reported"] or 0,
        national_percentile=row["national_percentile"],
        usual_low=row["xmr_lower"],
        usual_high=row["xmr_upper"],
        rule=row["xmr_signal"],
        toward=row["xmr_toward"],
        level=row["xmr_level"],
        mean_before=row["xmr_mean_before"],
        small_base=bool(row["small_base"]),
        rests_on_few=is_small(row["numerator"], row["denominator"], measure.bounded),
    )


def _series(measure: Measure, months: tuple[Month, ...], row: dict[str, Any]) -> Series:
    """A measure's months, from lists of its values. `at` gives the position in `months` of each value."""

    at = row["at"]

    def spread(values: list[Any]) -> tuple[Any, ...]:
        if len(at) == len(months):
            return tuple(values)
        placed: list[Any] = [None] * len(months)
        for position, value in zip(at, values, strict=True):
            placed[position] = value
        return tuple(placed)

    points = row["xmr_value"]
    return Series(
        measure=measure.name,
        months=months,
        values=spread(points if any(p is not None for p in points) else row["value"]),
        mean=spread(row["xmr_mean"]),
        lower=spread(row["xmr_lower"]),
        upper=spread(row["xmr_upper"]),
        toward=spread(row["xmr_toward"]),
        neighbours=spread(row["neighbours_median"]),
        settled=_settled(months, row),
        begun_anew=tuple(
            month
            for month, reason in zip(months, spread(row["reason"]), strict=True)
            if reason == Missing.NEW_REFERENCES
        ),
    )


def _settled(months: tuple[Month, ...], row: dict[str, Any]) -> float | None:
    """The previous mean, if the last month has a value, its level is worse, and no rule fires."""
    now = row["now"]
    quiet = now["xmr_toward"] not in (CONCERN, IMPROVEMENT)
    mean: float | None = now["xmr_mean_before"]
    return mean if row["at"][-1] == len(months) - 1 and quiet and now["xmr_level"] == CONCERN else None


def _signals(measures: dict[str, MeasureFact]) -> tuple[Signal, ...]:
    return tuple(
        Signal(
            measure=name,
            label=fact.declared.label,
            group=fact.declared.group,
            rule=fact.rule,
            toward_concern=fact.toward == CONCERN,
        )
        for name, fact in measures.items()
        if fact.rule and fact.toward in (CONCERN, IMPROVEMENT) and fact.declared.group is not Group.CONTEXT
    )
