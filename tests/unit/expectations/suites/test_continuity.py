"""October beside September: references issued anew, people gone, a file sent again."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from expectations.batch import CheckHistory, Effect
from expectations.suites import continuity
from expectations.suites.rows import prepare, with_workers
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import Row, batch_of, case, check_batch, worker

SEPTEMBER = Month(2026, 9)


def _workers(first: int, last: int, **changes: object) -> list[Row]:
    return [worker(ref, "5", 100, 1) | changes for ref in range(first, last + 1)]


def _cases(first: int, last: int, **changes: object) -> list[Row]:
    return [case(ref, None, "d", **changes) for ref in range(first, last + 1)]


def _compared(kind: Kind, then: list[Row], now: list[Row]) -> dict[str, float]:
    """Family -> how far October is from September."""
    before = batch_of({"901": {kind: [{**r, "reference_date": date(2026, 9, 30)} for r in then]}}, SEPTEMBER)
    prepared = prepare(kind, [batch_of({"901": {kind: now}})])
    assert prepared is not None
    rows = continuity.comparisons({kind: prepared}, {kind: before.frames[kind]})
    return dict(rows.select("family", "excess").iter_rows())


@pytest.mark.parametrize(("again", "excess"), [(60, 0.8), (50, 1.0), (40, 1.2)])
def test_half_of_the_references_occur_again_or_they_are_new_and_nobody_is_gone(again: int, excess: float) -> None:
    compared = _compared(Kind.WORKFORCE, _workers(1, 100), _workers(1, again) + _workers(201, 300 - again))
    assert compared[continuity.IDENTITY] == pytest.approx(excess)
    assert (continuity.GONE in compared) is (excess <= 1)


@pytest.mark.parametrize(("rows", "judged"), [(20, True), (19, False)])
def test_small_files_are_not_judged(rows: int, judged: bool) -> None:
    compared = _compared(Kind.WORKFORCE, _workers(1, rows), _workers(1, rows))
    assert set(compared) == ({continuity.IDENTITY, continuity.GONE, continuity.STALE} if judged else set())


def test_people_gone_are_asked_for_beyond_a_number_or_where_some_left_a_share() -> None:
    then, now = _workers(1, 200), _workers(1, 197)
    left = _workers(197, 197, role_end_date=date(2026, 10, 5))
    assert _compared(Kind.WORKFORCE, then, now)[continuity.GONE] == pytest.approx(3 / 1.5)
    assert _compared(Kind.WORKFORCE, then, now[:-1] + left)[continuity.GONE] == pytest.approx(3 / 4)
    assert _compared(Kind.CASELOAD, _cases(1, 100), _cases(1, 97))[continuity.GONE] == pytest.approx(3 / 5)


def test_who_had_left_by_the_end_of_the_month_before_is_not_missed() -> None:
    then = _workers(1, 30) + _workers(31, 40, role_end_date=date(2026, 9, 30))
    assert _compared(Kind.WORKFORCE, then, _workers(1, 30))[continuity.GONE] == 0


def test_rows_are_the_same_whatever_their_dates() -> None:
    then = _workers(1, 100)
    now = _workers(1, 80, role_start_date=date(2020, 1, 1)) + _workers(81, 100, team="South")
    assert _compared(Kind.WORKFORCE, then, now)[continuity.STALE] == pytest.approx(80 / 90)


def test_a_workforce_file_without_cases_or_days_lost_may_stay_as_it_is() -> None:
    rows = _workers(1, 30, cases=None, working_days_lost=None)
    assert continuity.STALE not in _compared(Kind.WORKFORCE, rows, rows)
    rows = _workers(1, 30, cases=None)
    assert continuity.STALE in _compared(Kind.WORKFORCE, rows, rows)


@pytest.mark.parametrize(("named", "judged"), [(20, True), (19, False)])
def test_workers_on_cases_are_looked_up_in_the_workforce(named: int, judged: bool) -> None:
    cases = [case(ref, ref if ref <= 4 else 900 + ref, "c") for ref in range(1, named + 1)]
    batch = batch_of({"901": {Kind.WORKFORCE: _workers(1, 30), Kind.CASELOAD: cases}})
    workforce, caseload = prepare(Kind.WORKFORCE, [batch]), prepare(Kind.CASELOAD, [batch])
    assert workforce is not None
    assert caseload is not None
    both = {Kind.WORKFORCE: workforce, Kind.CASELOAD: with_workers(caseload, workforce)}
    rows = continuity.comparisons(both, {}).filter(pl.col("family") == continuity.ELSEWHERE)
    assert rows["excess"].to_list() == (pytest.approx([1.0]) if judged else [])


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("worker_ref", ("3 workers who were in post at the end of September 2026", "with their role_end_date")),
        ("case_ref", ("3 cases that were open at the end of September 2026", "with their closed_date")),
    ],
)
def test_who_is_missing_is_said_in_the_words_of_the_extract(column: str, says: tuple[str, str]) -> None:
    row = {"column": column, "other_month": date(2026, 9, 30), "value": 3.0, "expected": 100.0}
    text = continuity.message(continuity.GONE, row)
    assert all(words in text for words in says)


def test_a_file_with_new_references_is_reissued_and_no_other_finding_makes_it_so() -> None:
    """Another council's people are gone, which only asks."""
    september = {"reference_date": date(2026, 9, 30)}
    then = {"901": _workers(1, 100, **september), "902": _workers(1, 100, **september)}
    before = batch_of({la: {Kind.WORKFORCE: rows} for la, rows in then.items()}, SEPTEMBER)
    now = {"901": _workers(201, 300), "902": _workers(1, 60)}
    batch = batch_of({la: {Kind.WORKFORCE: rows} for la, rows in now.items()})
    outcome = check_batch(batch, CheckHistory(records={Kind.WORKFORCE: before.frames[Kind.WORKFORCE]}))
    assert outcome.reissued == {("901", Kind.WORKFORCE)}
    effects = dict(outcome.failures.filter(pl.col("effect") != "").select("la_code", "effect").iter_rows())
    assert effects == {"901": str(Effect.BROKEN_OFF), "902": str(Effect.HELD)}


@pytest.mark.parametrize(
    ("family", "column", "says"),
    [
        (
            continuity.IDENTITY,
            "case_ref",
            "Of the 100 values of case_ref in September 2026 that could occur again, 3 do.",
        ),
        (continuity.ELSEWHERE, "allocated_worker_ref", "Of the 100 cases with a worker, 3 name one who is in the"),
        (continuity.STALE, None, "3 of 100 rows are the same as in September 2026 apart from dates"),
    ],
)
def test_each_comparison_is_told_with_its_figures(family: str, column: str | None, says: str) -> None:
    row = {"column": column, "other_month": date(2026, 9, 30), "value": 3.0, "expected": 100.0}
    assert continuity.message(family, row).startswith(says)
    unknown = continuity.message(family, row | {"other_month": None, "value": None})
    assert "an unknown number" in unknown
    assert family == continuity.ELSEWHERE or "in the month before" in unknown


def test_the_workers_on_cases_are_followed_too_and_in_the_workforce_each_worker_once() -> None:
    held = [case(ref, 500 + ref, "c") for ref in range(1, 31)]
    moved = [case(ref, (500 if ref <= 10 else 900) + ref, "c") for ref in range(1, 31)]

    def reissued(kind: Kind, then: list[Row], now: list[Row]) -> dict[str, float]:
        before = batch_of({"901": {kind: [{**r, "reference_date": date(2026, 9, 30)} for r in then]}}, SEPTEMBER)
        prepared = prepare(kind, [batch_of({"901": {kind: now}})])
        assert prepared is not None
        rows = continuity.comparisons({kind: prepared}, {kind: before.frames[kind]})
        return dict(rows.filter(family=continuity.IDENTITY).select("check", "excess").iter_rows())

    assert reissued(Kind.CASELOAD, held, moved) == {
        "caseload.case_ref.reissued": 0.0,
        "caseload.allocated_worker_ref.reissued": pytest.approx((1 - 10 / 30) / 0.5),
    }
    assert list(reissued(Kind.WORKFORCE, _workers(1, 30), _workers(1, 30))) == ["workforce.worker_ref.reissued"]


def test_references_of_which_none_occurs_again_are_twice_the_limit_and_nobody_is_gone() -> None:
    compared = _compared(Kind.WORKFORCE, _workers(1, 30), _workers(101, 130))
    assert compared == {continuity.IDENTITY: 2.0, continuity.STALE: 0.0}


@pytest.mark.parametrize(("same", "excess"), [(30, 1 / 0.9), (27, 1.0), (0, 0.0)])
def test_cases_of_which_nine_in_ten_are_the_same_are_last_months(same: int, excess: float) -> None:
    now = _cases(1, same, last_visit_date=date(2026, 10, 30)) + _cases(same + 1, 30, team="South")
    assert _compared(Kind.CASELOAD, _cases(1, 30), now)[continuity.STALE] == pytest.approx(excess)


def test_december_comes_before_january_and_a_council_is_not_its_neighbour() -> None:
    """901 has all of its workers again, 902 half of them, 903 has no month before."""
    january, december = Month(2027, 1), Month(2026, 12)
    then = {"901": _workers(1, 40), "902": _workers(1, 40)}
    day = {"reference_date": december.last_day}
    before = batch_of({la: {Kind.WORKFORCE: [{**row, **day} for row in rows]} for la, rows in then.items()}, december)
    now = {"901": _workers(1, 40), "902": _workers(21, 60), "903": _workers(1, 40)}
    prepared = prepare(Kind.WORKFORCE, [batch_of({la: {Kind.WORKFORCE: rows} for la, rows in now.items()}, january)])
    assert prepared is not None
    rows = continuity.comparisons({Kind.WORKFORCE: prepared}, {Kind.WORKFORCE: before.frames[Kind.WORKFORCE]})
    found = rows.filter(family=continuity.IDENTITY)
    assert found.select("la_code", "other_month", "value", "expected", "excess", "rows").rows() == [
        ("901", december.last_day, 40.0, 40.0, 0.0, 0),
        ("902", december.last_day, 20.0, 40.0, 1.0, 0),
    ]


def test_a_file_of_which_no_row_is_the_same_is_not_stale() -> None:
    assert _compared(Kind.WORKFORCE, _workers(1, 30), _workers(1, 30, team="South"))[continuity.STALE] == 0.0
