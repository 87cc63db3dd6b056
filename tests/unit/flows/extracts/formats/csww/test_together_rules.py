"""Rules on records together, on rates, and on the year before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import cast

import pytest

from features.registry import BY_NAME
from flows.extracts.formats.csww.rates import OFFICIAL
from flows.extracts.formats.csww.rules.kinds import Looks, TotalsTest
from flows.extracts.formats.csww.rules.past import CHANGES, PublishedFigures, YearlyChange, unusual_change
from flows.extracts.formats.csww.rules.years import BASE
from flows.extracts.formats.csww.totals import Repeats, Sums, Totals
from tests.unit.flows.extracts.formats.csww.made_up import DAY

RULES = {r.code: r for r in BASE if r.looks is Looks.TOGETHER}

#: A council of 100 FTE with nothing odd about it.
USUAL = Totals(
    reference_date=DAY,
    workers=150,
    sums=Sums(
        inpost_fte=100_000_000,
        agency_fte=15_000_000,
        agency_records=16,
        case_holders_fte=80_000_000,
        cases=1_300,
        days_lost=80_000,
        direct=130,
        in_post=126,
    ),
    inpost_headcount=110,
    starters_headcount=15,
    leavers_headcount=14,
    repeats=Repeats((), (), (), ()),
    vacancy_fte=1_800,
    agency_fte=1_500,
    agency_headcount=16,
)


def _sums(**changes: int) -> Totals:
    return replace(USUAL, sums=replace(USUAL.sums, **changes))


def _repeats(**changes: tuple[int, ...]) -> Totals:
    return replace(USUAL, repeats=replace(USUAL.repeats, **changes))


#: Rule -> (totals that break it, totals that come close and do not, what the sentence says).
CASES: dict[str, tuple[Totals, Totals, str]] = {
    "CSWW-C01": (
        replace(USUAL, agency_fte=1_751),
        replace(USUAL, agency_fte=1_700),
        "NoAgencyFTE is 17.51, and the agency workers in post come to 15.00 FTE",
    ),
    "CSWW-C02": (
        _sums(agency_records=15),
        replace(USUAL, agency_headcount=None),
        "NoAgencyHeadcount is 16, and there are 15 records of agency workers in post",
    ),
    "CSWW-D01": (_repeats(second_posts=(7,)), USUAL, "1 record is a further post of somebody counted already"),
    "CSWW-D02": (_repeats(same_record=(7, 9)), USUAL, "2 records are equal to an earlier one in every element"),
    "CSWW-D03": (
        _repeats(same_number_other_person=(7, 9)),
        USUAL,
        "2 records share a registration number and differ in date of birth, gender or ethnicity",
    ),
    "CSWW-D04": (_repeats(over_full_time=(7,)), USUAL, "1 further post brings the same person above 1 FTE"),
    "CSWW-R01": (replace(USUAL, vacancy_fte=12_000), USUAL, "Vacancy rate comes to 54.5%"),
    "CSWW-R02": (replace(USUAL, agency_fte=12_000), USUAL, "Agency rate comes to 54.5%"),
    "CSWW-R03": (replace(USUAL, leavers_headcount=60), USUAL, "Turnover in 12 months (people) comes to 54.5%"),
    "CSWW-R04": (_sums(cases=2_500), USUAL, "Caseload per worker comes to 31.2"),
    "CSWW-R05": (_sums(days_lost=300_000), USUAL, "Sickness absence in 12 months comes to 11.9%"),
}


@pytest.mark.parametrize("code", CASES)
def test_rule_on_records_together(code: str) -> None:
    wrong, right, says = CASES[code]
    test = cast(TotalsTest, RULES[code].test)
    assert (test(wrong) or "").startswith(says)
    assert test(right) is None


def test_every_rule_on_records_together_has_its_test() -> None:
    assert set(CASES) == set(RULES)


BEFORE = PublishedFigures(
    date(2021, 9, 30), {c.measure: 0.10 for c in CHANGES} | {"caseload_fte": 16.0}, "published.csv"
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c.code)
def test_a_rate_far_from_the_published_one(change: YearlyChange) -> None:
    before = BEFORE.rates[change.measure]
    far, near = before + 2.01 * change.deviation, before - 1.99 * change.deviation
    assert unusual_change(change, near, DAY, BEFORE) is None
    says = unusual_change(change, far, DAY, BEFORE)
    assert says is not None and BY_NAME[change.measure].label in says and "for September 2021" in says


def test_several_years_apart_are_allowed_more() -> None:
    vacancies = CHANGES[0]
    older = replace(BEFORE, day=date(2018, 9, 30))
    moved = 0.10 + 3 * vacancies.deviation
    assert unusual_change(vacancies, moved, DAY, BEFORE) is not None
    assert unusual_change(vacancies, moved, DAY, older) is None


def test_what_is_not_known_is_not_compared() -> None:
    assert unusual_change(CHANGES[0], None, DAY, BEFORE) is None
    assert unusual_change(CHANGES[0], 0.9, DAY, replace(BEFORE, rates={})) is None


def test_the_five_rates_are_compared() -> None:
    """Turnover of people stands for turnover, because the return cannot give the other."""
    assert {c.measure for c in CHANGES} == set(OFFICIAL) - {"turnover_rate_fte"}
