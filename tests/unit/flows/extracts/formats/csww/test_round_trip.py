"""Made-up region -> workforce returns -> the measures of twelve months of extracts, but for a literal list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from features.councils import Register
from features.counting.records import RECEIVED, count, withhold
from features.measuring.inputs import build_inputs, combine
from features.measuring.rates import compute_measures
from features.measuring.returns import inputs_from_returns
from features.months import Month
from features.registry import EXTRACTS, Group, Kind
from flows.extracts.formats.asked import Form
from flows.extracts.formats.csww.reader import read
from flows.extracts.formats.csww.validate import validate
from flows.extracts.formats.known import BY_FORM
from flows.papers.csww_rules import DIFFERENCES_FROM_EXTRACTS
from flows.sample_region import as_canonical, generate, region
from flows.sample_region.csww_writer import september_returns
from flows.sample_region.simulation import MonthFrames
from tests.unit.flows.extracts.formats.csww.made_up import asked

SEPTEMBER = Month(2025, 9)
KNOWN = date(2025, 10, 3)

#: Measures that the return alone cannot give. Everything else of workforce and leadership must be equal.
NOT_MADE = {
    "turnover_rate_fte",
    "turnover_rate_3m_annualised",
    "net_change_rate_fte",
    "starters_rate_fte",
    "manager_turnover_rate_headcount",
    "senior_manager_turnover_rate_headcount",
    "agency_cover_rate_fte",
    "vacancy_agency_cover_rate_fte",
}


@pytest.fixture(scope="module")
def year() -> list[MonthFrames]:
    return list(generate(region(5, 12, 11, SEPTEMBER)))


@pytest.fixture(scope="module")
def register() -> Register:
    return region(5, 12, 11, SEPTEMBER).register


@pytest.fixture(scope="module")
def returns(year: list[MonthFrames]) -> dict[str, bytes]:
    return dict(september_returns(year))


def received(register: Register) -> pl.DataFrame:
    return pl.DataFrame([(c.la_code, KNOWN, "f") for c in register.councils], schema=RECEIVED, orient="row")


def from_extracts(year: Sequence[MonthFrames], register: Register) -> pl.DataFrame:
    counts: dict[Kind, list[pl.DataFrame]] = {Kind.WORKFORCE: [], Kind.ESTABLISHMENT: []}
    state = None
    for month in year:
        for kind, made in counts.items():
            before = state if kind is Kind.WORKFORCE else None
            counted = count(kind, as_canonical(month.frames[kind], kind), month.month, before, received(register))
            state = counted.state if kind is Kind.WORKFORCE else state
            made.append(counted.counts)
    inputs = build_inputs({k: pl.concat(c) for k, c in counts.items()}, register, year[0].month, SEPTEMBER)
    return compute_measures(*inputs)


def from_returns(returns: dict[str, bytes], register: Register) -> pl.DataFrame:
    councils = {c.la_code: c for c in register.councils}
    extracts = {
        kind: [read(content, asked(kind, councils[la], SEPTEMBER)) for la, content in returns.items()]
        for kind in BY_FORM[Form.CSWW].kinds
    }
    counts, reasons = {}, []
    for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT):
        frame = pl.concat([e.frame for e in extracts[kind]]).sort("la_code", *EXTRACTS[kind].key, "file_row")
        counted = count(kind, frame, SEPTEMBER, None, received(register))
        absent = [(e.la_code, kind, c) for e in extracts[kind] for c in e.absent_columns]
        counts[kind], why = withhold(counted.counts, kind, [], absent)
        reasons += [counted.reasons, why]
    records = build_inputs(counts, register, SEPTEMBER, SEPTEMBER, None, pl.concat(reasons))
    aggregate = inputs_from_returns(
        pl.concat([e.frame for e in extracts[Kind.RETURN]]),
        received(register).select("la_code", "known_from"),
        register.context_frame().select("la_code", "population_0_17"),
        pl.concat([e.reasons for e in extracts[Kind.RETURN]]),
    )
    return compute_measures(*combine(records, aggregate))


@pytest.fixture(scope="module")
def beside(year: list[MonthFrames], register: Register, returns: dict[str, bytes]) -> pl.DataFrame:
    from features.registry import MEASURES

    ours = [m.name for m in MEASURES if m.group in (Group.WORKFORCE, Group.LEADERSHIP)]
    one = from_extracts(year, register).filter(
        pl.col("month") == SEPTEMBER.last_day, pl.col("measure").is_in(ours), pl.col("value").is_not_null()
    )
    other = from_returns(returns, register)
    return one.join(other, on=["la_code", "month", "measure"], how="left", suffix="_return", validate="1:1")


def test_the_same_measures_to_the_last_digit(beside: pl.DataFrame) -> None:
    kept = beside.filter(pl.col("measure").is_in(list(NOT_MADE)).not_())
    assert kept["measure"].n_unique() == 10
    for part in ("value", "numerator", "denominator"):
        assert kept.filter(pl.col(part).eq_missing(pl.col(f"{part}_return")).not_()).is_empty(), part


def test_what_cannot_be_made_is_missing_with_a_reason_and_in_the_list(beside: pl.DataFrame) -> None:
    gone = beside.filter(pl.col("measure").is_in(list(NOT_MADE)))
    assert set(gone["measure"]) == NOT_MADE
    assert gone["value_return"].null_count() == gone.height and gone["reason_return"].null_count() == 0
    assert set(DIFFERENCES_FROM_EXTRACTS) == NOT_MADE


def test_the_made_up_returns_are_good(returns: dict[str, bytes]) -> None:
    """But for their council codes, which are made up too."""
    for content in returns.values():
        assert {f.code for f in validate(content, "csww.xml").findings if f.severity == "error"} == {"CSWW-H07"}


def test_the_report_says_the_rates_that_the_run_makes(returns: dict[str, bytes], register: Register) -> None:
    made = from_returns(returns, register)
    for la_code, content in returns.items():
        own = {r["measure"]: r["value"] for r in made.filter(la_code=la_code).iter_rows(named=True)}
        for rate in validate(content, "csww.xml").rates:
            assert rate.value == own[rate.measure], (la_code, rate.measure)


def test_a_return_is_of_a_year_that_ends_in_september(year: list[MonthFrames]) -> None:
    from features.errors import HoldfastError

    for wrong in (year[:11], year[1:]):
        with pytest.raises(HoldfastError, match="end with a September"):
            list(september_returns(wrong))
