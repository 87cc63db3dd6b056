"""The official rates that the return will produce, by the formulas of `features/registry/measures.py`.

The return cannot give one rate that DfE publishes, turnover in FTE: in it a leaver's FTE must be 0, and no source we
could obtain says how DfE finds the FTE that leavers held. Turnover of people is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from expectations.passing.effects import CELLS_SHARE
from features.measuring.rates import compute_measures
from features.measuring.returns import inputs_from_returns
from features.registry import BY_NAME, RETURN, Missing
from flows.extracts.formats.csww.totals import Totals

#: The five rates of the release, turnover and agency in both ways of counting.
OFFICIAL = (
    "vacancy_rate_fte",
    "agency_rate_fte",
    "turnover_rate_fte",
    "turnover_rate_headcount",
    "caseload_fte",
    "absence_rate_fte",
)

NO_LEAVERS_FTE = "the return gives a leaver's FTE as 0"
_MILLIONTHS_PER_HUNDREDTH = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """One official rate of a return."""

    measure: str
    value: float | None
    reason: str | None
    """Why there is no rate."""
    estimate: float | None = None
    """If there is no rate: what it would be if leavers had worked the same hours as those in post."""

    @property
    def label(self) -> str:
        return BY_NAME[self.measure].label


@lru_cache(maxsize=8)
def rates_of_return(totals: Totals) -> tuple[Rate, ...]:
    """The rates in the order of OFFICIAL; a value is left out if too many records leave it open."""
    row = figures(totals)
    frame = pl.DataFrame(
        {"la_code": ["-"], "reference_date": [totals.reference_date], **{n: [v] for n, v in row.items()}},
        schema_overrides=RETURN.schema,
    )
    frame = frame.with_columns(
        pl.lit(None, dtype).alias(n) for n, dtype in RETURN.schema.items() if n not in frame.columns
    )
    known = pl.DataFrame({"la_code": ["-"], "known_from": [totals.reference_date]})
    population = pl.DataFrame(schema={"la_code": pl.String(), "population_0_17": pl.Int64()})
    inputs, reasons = inputs_from_returns(frame.select(list(RETURN.schema)), known, population)
    made = compute_measures(inputs, reasons, [BY_NAME[m] for m in OFFICIAL])
    values = {r["measure"]: (r["value"], r["reason"]) for r in made.iter_rows(named=True)}
    found = []
    for name in OFFICIAL:
        value, reason = values[name]
        if name == "turnover_rate_fte":
            people = values["turnover_rate_headcount"][0]
            found.append(Rate(name, None, NO_LEAVERS_FTE, people))
        else:
            found.append(Rate(name, value, None if value is not None else _in_words(reason)))
    return tuple(found)


def figures(totals: Totals) -> dict[str, int | None]:
    """Fields of a `return` extract in their parts, null where more than a few records leave the figure open."""
    s = totals.sums
    no_post = s.no_end + s.no_agency
    inpost_open = _too_many(s.no_fte + no_post, s.in_post)
    return {
        "inpost_fte": None if inpost_open else hundredths(s.inpost_fte),
        "inpost_headcount": None if _too_many(no_post, s.in_post) else totals.inpost_headcount,
        "agency_fte": totals.agency_fte,
        "agency_headcount": totals.agency_headcount,
        "vacancy_fte": totals.vacancy_fte,
        "case_holders_fte": None if inpost_open or _too_many(s.no_cases, s.in_post) else hundredths(s.case_holders_fte),
        "cases": None if inpost_open or _too_many(s.no_cases, s.in_post) else s.cases,
        **flows_of_the_year(totals),
    }


#: Yearly flows that a return of 30 September gives as a `return` extract.
YEARS_FLOWS = ("starters_headcount", "leavers_headcount", "working_days_lost_fte")


def flows_of_the_year(totals: Totals) -> dict[str, int | None]:
    """YEARS_FLOWS of the 12 months, which only the return has: starters, leavers, days lost (tenths)."""
    s = totals.sums
    return {
        "starters_headcount": None
        if _too_many(s.no_start + s.no_agency, totals.starters_headcount)
        else totals.starters_headcount,
        "leavers_headcount": None
        if _too_many(s.no_end + s.no_agency, totals.leavers_headcount)
        else totals.leavers_headcount,
        "working_days_lost_fte": None if _too_many(s.no_days + s.no_agency, s.direct) else half_even(s.days_lost, 10),
    }


def hundredths(millionths: int) -> int:
    """FTE as the rest of Holdfast holds it, rounded once, after adding up."""
    return half_even(millionths, _MILLIONTHS_PER_HUNDREDTH)


def half_even(amount: int, per: int) -> int:
    """Division to the nearest whole number, halves to the even one."""
    whole, rest = divmod(amount, per)
    return whole + (2 * rest > per or (2 * rest == per and whole % 2 == 1))


def _too_many(open_records: int, of: int) -> bool:
    """Whether there are more wrong cells than validation leaves out one by one (`expectations/passing/effects.py`)."""
    return open_records > CELLS_SHARE * of


def _in_words(reason: str) -> str:
    if reason == Missing.NOT_REPORTED:
        return "too many records leave it open; see the errors"
    return reason


def is_full_year(day: date) -> bool:
    """Whether the return's flows cover the 12 months that end with its reference date."""
    return (day.month, day.day) == (9, 30)
