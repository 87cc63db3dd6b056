"""A share turned round, hours alike for everybody, vacancies in another unit: each limit, met and just missed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest

from expectations.batch import CheckHistory, Severity
from expectations.suites import between, contradictions
from features.registry import Kind
from tests.unit.expectations.examples import LAST, OCTOBER, counts

PAST = [OCTOBER.plus(-back) for back in (3, 2, 1)]


def _compared(family: str, usual: Mapping[Kind, dict[str, int]], now: Mapping[Kind, dict[str, int]]) -> pl.DataFrame:
    """A family's comparisons of October with three months that were alike."""
    history = CheckHistory({k: counts(k, {**dict.fromkeys(PAST, usual[k]), OCTOBER: now[k]}) for k in usual})
    files = pl.DataFrame({"la_code": ["901"] * len(now), "month": [LAST] * len(now), "extract": [str(k) for k in now]})
    return contradictions.comparisons(files, history).filter(pl.col("family") == family)


def _staff(agency: int, directly: int) -> dict[Kind, dict[str, int]]:
    return {Kind.WORKFORCE: {"agency_worker_headcount": agency, "inpost_headcount": directly}}


@pytest.mark.parametrize(
    ("usual", "now", "excess", "severity"),
    [
        ((80, 320), (120, 280), 0.1 / 0.15, Severity.QUERY),
        ((20, 80), (28, 72), 0.08 / 0.16, Severity.QUERY),  # four standard errors of a share of a hundred people
        ((80, 320), (256, 144), 0.44 / 0.15, Severity.QUERY),
        ((0, 100), (45, 55), 3.0, Severity.ERROR),
        ((80, 320), (264, 136), 0.46 / 0.15, Severity.ERROR),
    ],
)
def test_a_share_moves_by_fifteen_points_or_chance_and_is_withheld_at_three_times_that(
    usual: tuple[int, int], now: tuple[int, int], excess: float, severity: Severity
) -> None:
    (row,) = _compared(contradictions.SHARE, _staff(*usual), _staff(*now)).iter_rows(named=True)
    assert row["excess"] == pytest.approx(excess)
    assert row["severity"] == severity


@pytest.mark.parametrize(("people", "judged"), [(20, 1), (19, 0)])
def test_few_people_have_neither_a_share_nor_hours_alike(people: int, judged: int) -> None:
    staff = _staff(5, people - 5)
    hours = {Kind.WORKFORCE: {"inpost_headcount": people, "inpost_fte": 90 * people}}
    assert _compared(contradictions.SHARE, staff, staff).height == judged
    assert _compared(contradictions.WHOLE_HOURS, hours, hours).height == judged


def test_a_share_of_a_whole_of_which_a_part_is_not_known_is_not_judged() -> None:
    known, part = _staff(50, 50), {Kind.WORKFORCE: {"agency_worker_headcount": 50}}
    assert _compared(contradictions.SHARE, known, part).height == 0


def test_a_share_that_swings_may_move_by_four_spreads() -> None:
    """The three months lie 0.1 from each other, so that the middle distance from the middle share is 0.1."""
    agency = {3: 40, 2: 50, 1: 60, 0: 90}
    history = CheckHistory(
        {
            Kind.WORKFORCE: counts(
                Kind.WORKFORCE,
                {
                    OCTOBER.plus(-b): {"agency_worker_headcount": n, "inpost_headcount": 100 - n}
                    for b, n in agency.items()
                },
            )
        }
    )
    files = pl.DataFrame({"la_code": ["901"], "month": [LAST], "extract": ["workforce"]})
    found = contradictions.comparisons(files, history).filter(family=contradictions.SHARE)
    assert found["excess"].to_list() == pytest.approx([0.4 / (4 * 1.4826 * 0.1)])


@pytest.mark.parametrize(("usual", "now", "fails"), [(98, 100, True), (99, 100, False), (98, 99, False)])
def test_hours_that_varied_and_are_one_for_everybody(usual: int, now: int, fails: bool) -> None:
    hours = [{Kind.WORKFORCE: {"inpost_headcount": 100, "inpost_fte": 100 * fte}} for fte in (usual, now)]
    (row,) = _compared(contradictions.WHOLE_HOURS, *hours).iter_rows(named=True)
    assert row["excess"] == (2.0 if fails else 0.0)


def _posts(filled: int, vacant: float, agency: float) -> dict[Kind, dict[str, int]]:
    return {
        Kind.ESTABLISHMENT: {"vacancy_fte": round(100 * vacant), "agency_fte": round(100 * agency)},
        Kind.WORKFORCE: {"inpost_fte": 100 * filled},
    }


@pytest.mark.parametrize(
    ("filled", "usual", "now", "excess"),
    [(1000, 10, 150, 0.75), (100, 10, 120, 0.8), (1000, 0.5, 15, 0.75)],
)
def test_vacancies_of_twenty_times_the_usual_or_more_than_the_posts_allow(
    filled: int, usual: float, now: float, excess: float
) -> None:
    rows = _compared(contradictions.UNIT, _posts(filled, usual, 5), _posts(filled, now, 5))
    assert rows["excess"].to_list() == pytest.approx([excess])
    assert rows["expected"].to_list() == pytest.approx([now / excess]), "the most that is possible"


def test_what_is_expected_of_the_others_is_the_usual_number() -> None:
    for family in (contradictions.EXCHANGED, contradictions.PERCENTAGE):
        rows = _compared(family, _posts(380, 20, 5), _posts(380, 10, 5))
        assert rows["expected"].to_list() == [20.0]


@pytest.mark.parametrize(
    ("usual", "now", "swapped"),
    [
        ((10, 30), (30, 10), True),
        ((10, 30), (26, 12), True),
        ((10, 30), (25, 13), False),
        ((10, 30), (20, 20), False),
        ((10, 12), (12, 10), False),
        ((12, 16), (16, 12), True),  # a quarter apart
    ],
)
def test_vacancies_and_agency_workers_changed_places(
    usual: tuple[int, int], now: tuple[int, int], swapped: bool
) -> None:
    rows = _compared(contradictions.EXCHANGED, _posts(190, *usual), _posts(190, *now))
    assert rows["excess"].to_list() == [2.0 if swapped else 0.0]


@pytest.mark.parametrize(
    ("filled", "usual", "now", "rate"),
    [
        (380, 20, 5, True),  # 20 of 400 posts are 5 per cent
        (380, 20, 5.2, True),
        (380, 20, 5.25, True),
        (380, 20, 5.3, False),
        (190, 10, 5, False),  # the number and its percentage are too near each other
        (180, 20, 10, False),
    ],
)
def test_vacancies_that_are_the_usual_rate(filled: int, usual: int, now: float, rate: bool) -> None:
    rows = _compared(contradictions.PERCENTAGE, _posts(filled, usual, 5), _posts(filled, now, 5))
    assert rows["excess"].to_list() == [2.0 if rate else 0.0]


def test_a_percentage_that_changed_places_is_said_once() -> None:
    usual, now = _posts(380, 20, 5), _posts(380, 5, 20)
    assert _compared(contradictions.PERCENTAGE, usual, now)["excess"].to_list() == [0.0]
    assert _compared(contradictions.EXCHANGED, usual, now)["excess"].to_list() == [2.0]


@pytest.mark.parametrize(("excess", "waits"), [(between.CONTRADICTS, True), (1.9, False)])
def test_two_files_far_apart_hold_the_directors_message(excess: float, waits: bool) -> None:
    row = {"check": "workforce.cases.caseload", "value": 43.0, "expected": 5.0, "excess": excess}
    assert ("no message about the month goes to the director" in between.message(row)) is waits


@pytest.mark.parametrize(
    ("family", "column", "says"),
    [
        (
            contradictions.SHARE,
            "agency_worker",
            "64% of the workers in post are agency workers; in this council's last 12 months the middle value was 20%. "
            "Check that agency_worker still means what it did",
        ),
        (contradictions.WHOLE_HOURS, "fte", "fte is 1 for everybody in post; before, it was 0.2 a head. This looks"),
        (contradictions.PERCENTAGE, "vacancy_fte", "vacancy_fte is 0.64, usually 0.2, and equals the usual vacancy"),
        (contradictions.EXCHANGED, "vacancy_fte", "vacancy_fte is 0.64, usually 0.2, and agency_fte is what vacancies"),
        (contradictions.UNIT, "vacancy_fte", "vacancy_fte is 0.64, but at most 0.2 is possible: it looks like hours"),
    ],
)
def test_each_contradiction_is_told_with_its_figures(family: str, column: str, says: str) -> None:
    row: dict[str, object] = {"extract": "workforce", "column": column, "value": 0.64, "expected": 0.2}
    assert contradictions.message(family, row).startswith(says)
    unknown = contradictions.message(family, row | {"value": None, "expected": None})
    assert "an unknown share" in unknown if family == contradictions.SHARE else "unknown" in unknown


def test_figures_are_told_without_noughts_that_say_nothing() -> None:
    row: dict[str, object] = {"extract": "establishment", "column": "vacancy_fte", "value": 12_500.0, "expected": 20.5}
    assert contradictions.message(contradictions.UNIT, row).startswith("vacancy_fte is 12,500, but at most 20.5 is")
