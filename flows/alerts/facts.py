"""The facts about one council and month, from the features frame and the month's record of files.

Uses only the council's own figures and the median of its neighbours, and no row of another council.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar, cast

import polars as pl

from expectations.fates import Fate, FileFate
from features.comparing.xmr import Toward
from features.frames import FEATURES_SCHEMA, conform
from features.months import Month, month_range
from features.registry import BY_NAME, Group, Kind, Measure, Missing
from flows.alerts.disclosure import is_small, may_show_neighbours
from flows.alerts.state import MonthField, Record, Signal

#: The values of `xmr_toward` that show a signal.
CONCERN, IMPROVEMENT = Toward.CONCERN.value, Toward.IMPROVEMENT.value

T = TypeVar("T")

#: How many months a chart shows.
CHART_MONTHS = 24


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


def council_facts(
    features: pl.DataFrame, la_code: str, month: Month, *, chart_months: int = CHART_MONTHS
) -> CouncilFacts:
    """The facts about one council, from FEATURES_SCHEMA rows. Ignores other councils' rows and later months."""
    return facts_by_council(features, (la_code,), month, chart_months=chart_months)[la_code]


def facts_by_council(
    features: pl.DataFrame, la_codes: tuple[str, ...], month: Month, *, chart_months: int = CHART_MONTHS
) -> dict[str, CouncilFacts]:
    """`council_facts` for many councils. Goes over the frame only once."""
    months = tuple(month_range(month.plus(1 - chart_months), month))
    series = (
        conform(features, FEATURES_SCHEMA, "features")
        .filter(
            pl.col("la_code").is_in(list(la_codes)),
            pl.col("month").is_between(months[0].first_day, month.last_day),
            pl.col("measure").is_in(list(BY_NAME)),
        )
        .sort("la_code", "measure", "month")
        .with_columns(at=_month_number(pl.col("month")) - (months[0].year * 12 + months[0].number))
        .group_by("la_code", "measure", maintain_order=True)
        .agg(pl.exclude("month"))
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
            measures[name] = _fact(declared, {key: values[-1] for key, values in row.items() if key != "measure"})
    return CouncilFacts(la_code=la_code, month=month, measures=measures, series=series, signals=_signals(measures))


def _month_number(day: pl.Expr) -> pl.Expr:
    return day.dt.year() * 12 + day.dt.month().cast(pl.Int32)


def _fact(measure: Measure, row: dict[str, object]) -> MeasureFact:
    value, change = _number(row["value"]), _number(row["change_12m"])
    numerator, denominator = _number(row["numerator"]), _number(row["denominator"])
    reported = row["neighbours_reported"]
    neighbours = int(reported) if isinstance(reported, int) else 0
    return MeasureFact(
        measure=measure.name,
        value=value,
        reason=_text(row["reason"]),
        year_ago=None if value is None or change is None else round(value - change, 9),
        own_mean=_number(row["own_mean"]),
        neighbours_median=_number(row["neighbours_median"]) if may_show_neighbours(neighbours) else None,
        neighbours_reported=neighbours,
        national_percentile=_number(row["national_percentile"]),
        usual_low=_possible(measure, _number(row["xmr_lower"])),
        usual_high=_possible(measure, _number(row["xmr_upper"])),
        rule=_text(row["xmr_signal"]),
        toward=_text(row["xmr_toward"]),
        level=_text(row["xmr_level"]),
        mean_before=_number(row["xmr_mean_before"]),
        small_base=bool(row["small_base"]),
        rests_on_few=is_small(numerator, denominator, measure.bounded),
    )


def _series(measure: Measure, months: tuple[Month, ...], row: dict[str, list[object]]) -> Series:
    """A measure's months, from lists of its values. `at` gives the position in `months` of each value."""

    at = cast(list[int], row["at"])

    def spread(values: Iterable[T]) -> tuple[T | None, ...]:
        if len(at) == len(months):
            return tuple(values)
        placed: list[T | None] = [None] * len(months)
        for position, value in zip(at, values, strict=True):
            placed[position] = value
        return tuple(placed)

    def numbers(key: str) -> list[float | None]:
        return [None if v is None else round(v, 9) for v in cast(list[float | None], row[key])]

    points = numbers("xmr_value")
    return Series(
        measure=measure.name,
        months=months,
        values=spread(points if any(p is not None for p in points) else numbers("value")),
        mean=spread(numbers("xmr_mean")),
        lower=spread(_possible(measure, v) for v in numbers("xmr_lower")),
        upper=spread(_possible(measure, v) for v in numbers("xmr_upper")),
        toward=spread(_text(v) for v in row["xmr_toward"]),
        neighbours=spread(
            median if may_show_neighbours(_whole(reported)) else None
            for median, reported in zip(numbers("neighbours_median"), row["neighbours_reported"], strict=True)
        ),
        settled=_settled(months, row),
        begun_anew=tuple(
            month
            for month, reason in zip(months, spread(row["reason"]), strict=True)
            if reason == Missing.NEW_REFERENCES
        ),
    )


def _settled(months: tuple[Month, ...], row: dict[str, list[object]]) -> float | None:
    """The previous mean, if the last month has a value, its level is worse, and no rule fires."""
    last = cast(list[int], row["at"])[-1] == len(months) - 1
    quiet = _text(row["xmr_toward"][-1]) not in (CONCERN, IMPROVEMENT)
    return _number(row["xmr_mean_before"][-1]) if last and quiet and _text(row["xmr_level"][-1]) == CONCERN else None


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


def _number(value: object) -> float | None:
    """Round to nine places, so that stored facts do not differ in the last bit between machines."""
    return round(float(value), 9) if isinstance(value, int | float) else None


def _possible(measure: Measure, limit: float | None) -> float | None:
    """Limit a process limit to values that the measure can have: no negative rate, and no share above one."""
    if limit is None or any(t.weight < 0 for t in measure.numerator):
        return limit
    return min(max(limit, 0.0), 1.0) if measure.bounded else max(limit, 0.0)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
