"""What records add up to: DfE's counting of people, whole-number sums, and the official rates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from features.registry import BY_NAME
from flows.extracts.formats.csww.rates import OFFICIAL, figures, half_even, rates_of_return
from flows.extracts.formats.csww.stream import Stream
from flows.extracts.formats.csww.totals import Tally, Totals
from flows.extracts.formats.csww.typed import typed, year_before
from tests.unit.flows.extracts.formats.csww.made_up import AGENCY, DAY, LEFT, Worker, csww, worker


def totals(*workers: Worker, chunk: int = 10_000) -> Totals:
    stream, tally = Stream(csww(*workers), "return.xml", chunk), Tally(DAY)
    for part in stream.chunks():
        tally.add(typed(part))
    return tally.totals(stream.outline)


def test_who_is_counted() -> None:
    found = totals(
        worker(),
        worker(SWENo="SW2", RoleStartDate="2021-10-01"),
        worker(LEFT),
        worker(LEFT, SWENo="SW3", RoleStartDate="2021-11-01"),
        worker(LEFT, SWENo="SW4", RoleEndDate="2022-09-30"),
        worker(LEFT, SWENo="SW5", RoleEndDate="2021-09-30"),
        worker(LEFT, SWENo="SW6", RoleEndDate="2022-10-01", FTE="0.8", FTE30="0.8"),
        worker(AGENCY),
        worker(AGENCY, RoleEndDate="2022-05-01"),
    )
    assert found.inpost_headcount == 3, "the end of a role after the day is no end yet"
    assert found.starters_headcount == 2, "who started and left in the year is a starter too"
    assert found.leavers_headcount == 3, "the day itself is the last of the year; the year before is not in it"
    assert (found.sums.inpost_fte, found.sums.agency_fte, found.sums.agency_records) == (2_400_000, 1_000_000, 1)
    assert (found.sums.cases, found.sums.case_holders_fte) == (16 + 16 + 20, 800_000 * 2 + 1_000_000)
    assert found.sums.days_lost == 450 * 7, "of everybody paid directly, whoever left included"


def test_one_person_with_two_posts_is_counted_once_and_their_fte_twice() -> None:
    found = totals(worker(FTE="0.5", FTE30="0.5"), worker(FTE="0.4", FTE30="0.4", OrgRole="3"), worker(SWENo="SW2"))
    assert found.inpost_headcount == 2 and found.sums.inpost_fte == 1_700_000
    assert found.repeats.second_posts == (2,) and found.repeats.over_full_time == ()
    both = totals(worker(), worker(OrgRole="3"))
    assert both.repeats.over_full_time == (2,)


@pytest.mark.parametrize("element", ["PersonBirthDate", "GenderCurrent", "Ethnicity"])
def test_a_person_is_number_birth_date_gender_and_ethnicity(element: str) -> None:
    other = {"PersonBirthDate": "1985-03-05", "GenderCurrent": "1", "Ethnicity": "OOTH"}[element]
    found = totals(worker(), worker(**{element: other}), worker(SWENo="sw1234567"))
    assert found.inpost_headcount == 2
    assert found.repeats.second_posts == (3,), "capitals make no other number"
    assert found.repeats.same_number_other_person == (1, 2, 3)


def test_agency_workers_are_a_person_each() -> None:
    found = totals(worker(AGENCY), worker(AGENCY), worker())
    assert found.sums.agency_records == 2
    assert found.repeats.second_posts == () and found.repeats.same_record == (2,)


def test_starters_and_leavers_need_the_same_date_to_be_one() -> None:
    again = worker(LEFT, RoleStartDate="2022-05-01", RoleEndDate="2022-08-31")
    found = totals(worker(LEFT), again, worker(LEFT, OrgRole="4"), worker(SWENo="SW9"))
    assert found.leavers_headcount == 2, "who left twice is two leavers, one leaving in two records is one"


def test_without_a_number_nobody_is_anybody_else() -> None:
    found = totals(worker(SWENo=None), worker(SWENo=None, OrgRole="3"), worker(SWENo="x"))
    assert found.inpost_headcount == 3


def test_the_chunk_makes_no_difference() -> None:
    workers = [worker(SWENo=f"SW{n % 7}", OrgRole=str(1 + n % 6)) for n in range(40)]
    assert totals(*workers, chunk=1) == totals(*workers)


def test_what_cannot_be_read_is_counted_as_open() -> None:
    found = totals(
        worker(FTE=None, FTE30="most"),
        worker(FTE="0"),
        worker(Cases30=None),
        worker(WorkingDaysLost=None),
        worker(RoleEndDate="soon"),
        worker(RoleStartDate="once"),
        worker(AgencyWorker="?"),
    ).sums
    assert (found.no_fte, found.no_cases, found.no_days) == (2, 1, 1)
    assert (found.no_end, found.no_start, found.no_agency) == (1, 1, 1)


def value(found: Totals, measure: str) -> float | None:
    return {r.measure: r.value for r in rates_of_return(found)}[measure]


def test_rates_by_hand() -> None:
    """Ten in post at 0.8, one agency worker at 1 FTE, 3.5 vacancies; the header speaks of 1 FTE of agency."""
    found = totals(*(worker(SWENo=f"SW{n}") for n in range(10)), worker(AGENCY), worker(LEFT))
    assert value(found, "vacancy_rate_fte") == pytest.approx(3.5 / (3.5 + 8))
    assert value(found, "agency_rate_fte") == pytest.approx(1 / (1 + 8))
    assert value(found, "turnover_rate_headcount") == pytest.approx(1 / 10)
    assert value(found, "caseload_fte") == pytest.approx(180 / 9)
    assert value(found, "absence_rate_fte") == pytest.approx(11 * 4.5 / (8 * 253))
    assert value(found, "turnover_rate_fte") is None


def test_turnover_in_fte_is_said_to_be_impossible_and_estimated_by_people() -> None:
    found = totals(worker(), worker(LEFT))
    rate = next(r for r in rates_of_return(found) if r.measure == "turnover_rate_fte")
    assert rate.value is None and "as 0" in (rate.reason or "")
    assert rate.estimate == value(found, "turnover_rate_headcount") == 1.0


def test_a_leap_year_has_one_working_day_more() -> None:
    stream, tally = Stream(csww(worker(), ReferenceDate="2020-09-30"), "return.xml"), Tally(date(2020, 9, 30))
    for part in stream.chunks():
        tally.add(typed(part))
    assert value(tally.totals(stream.outline), "absence_rate_fte") == pytest.approx(4.5 / (0.8 * 254))


def test_a_figure_too_many_records_leave_open_is_not_given() -> None:
    good = [worker(SWENo=f"SW{n}") for n in range(98)]
    few = totals(*good, worker(FTE30=None, FTE=None), worker(LEFT))
    assert figures(few)["inpost_fte"] == 7_840
    many = totals(*good[:40], worker(FTE30=None, FTE=None), worker(FTE="0"), worker(LEFT))
    assert figures(many)["inpost_fte"] is None and figures(many)["inpost_headcount"] == 41, "two of them share a number"
    assert value(many, "vacancy_rate_fte") is None
    unclear = totals(*good, worker(LEFT, RoleEndDate="in March"))
    assert figures(unclear)["leavers_headcount"] is None, "one leaver more or less would matter"
    assert all(r.value is not None or r.reason for r in rates_of_return(unclear))


def test_no_vacancies_no_vacancy_rate() -> None:
    assert value(replace(totals(worker()), vacancy_fte=None), "vacancy_rate_fte") is None


@pytest.mark.parametrize(("amount", "rounded"), [(15, 2), (25, 2), (26, 3), (24, 2), (0, 0)])
def test_halves_go_to_the_even_one(amount: int, rounded: int) -> None:
    assert half_even(amount, 10) == rounded


@pytest.mark.parametrize(
    ("last", "first"),
    [
        (date(2022, 9, 30), date(2021, 10, 1)),
        (date(2024, 2, 29), date(2023, 3, 1)),
        (date(2025, 2, 28), date(2024, 2, 29)),
    ],
)
def test_the_year_before(last: date, first: date) -> None:
    assert year_before(last) == (first, last)


def test_the_official_rates_are_dfes() -> None:
    assert all(BY_NAME[m].official for m in OFFICIAL)
