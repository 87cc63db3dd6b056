"""Compares the return with what DfE published for the council a year earlier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from features.registry import BY_NAME, Unit


@dataclass(frozen=True, slots=True)
class YearlyChange:
    """A rule: how far a rate usually moves from one return to the next."""

    code: str
    measure: str
    deviation: float
    """Standard deviation over councils of the change in one year, DfE's published file 2017 to 2025."""

    @property
    def says(self) -> str:
        return f"{BY_NAME[self.measure].label.lower()} far from the council's published figure of the year before"


#: Two standard deviations: in an ordinary year about one council in twenty moves further.
DEVIATIONS = 2
REMEDY = "Check the figures the rate is made of; if it is right, note why, as DfE may ask."
WHY = (
    f"More than {DEVIATIONS} standard deviations of councils' changes from year to year in DfE's published file, "
    "2017 to 2025. Several years apart are allowed more, by the root of their number."
)

#: Turnover of people is checked against the deviation of turnover in FTE, the only one available.
CHANGES: tuple[YearlyChange, ...] = (
    YearlyChange("CSWW-P01", "vacancy_rate_fte", 0.074),
    YearlyChange("CSWW-P02", "agency_rate_fte", 0.066),
    YearlyChange("CSWW-P03", "turnover_rate_headcount", 0.086),
    YearlyChange("CSWW-P04", "caseload_fte", 2.15),
    YearlyChange("CSWW-P05", "absence_rate_fte", 0.0144),
)


@dataclass(frozen=True, slots=True)
class PublishedFigures:
    """What DfE published of the council for an earlier September."""

    day: date
    rates: Mapping[str, float]
    filename: str


def unusual_change(change: YearlyChange, now: float | None, day: date, then: PublishedFigures) -> str | None:
    """The sentence if a rate is further from the published one than usual; None if not, or if either is unknown."""
    before = then.rates.get(change.measure)
    if now is None or before is None:
        return None
    years = max(1, day.year - then.day.year)
    if abs(now - before) <= DEVIATIONS * change.deviation * float(years) ** 0.5:
        return None
    return (
        f"{BY_NAME[change.measure].label} comes to {shown_rate(change.measure, now)}; DfE published "
        f"{shown_rate(change.measure, before)} for September {then.day.year}"
    )


def shown_rate(measure: str, value: float | None) -> str:
    """A rate for people: per cent, or cases per worker."""
    if value is None:
        return "not given"
    return f"{value * 100:.1f}%" if BY_NAME[measure].unit is Unit.FRACTION else f"{value:.1f}"
