"""What the rules need beside the rows: repeats, working days, the workers of cases, columns that are not there."""

from __future__ import annotations

from datetime import date

import pytest

from expectations.passing.static_pass import RULES
from expectations.suites import rows as made
from expectations.suites.rows import Prepared, prepare, with_workers
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import LAST, OCTOBER, Row, batch_of, case, check_batch, checks_of, worker


def _prepared(kind: Kind, rows: list[Row], month: Month = OCTOBER) -> Prepared:
    prepared = prepare(kind, [batch_of({"901": {kind: rows}}, month)])
    assert prepared is not None
    return prepared


def test_every_row_but_the_first_of_its_key_is_a_repeat_and_rows_without_a_key_are_none() -> None:
    refs = [None, None, 1, 2, 2, 3, 4, 4, 4]
    rows = _prepared(Kind.CASELOAD, [case(ref, None, "d") for ref in refs]).rows  # type: ignore[arg-type]
    again = [False, False, False, False, True, False, False, True, True]
    assert rows.select("case_ref", "repeat").rows() == list(zip(refs, again, strict=True))


@pytest.mark.parametrize(
    ("month", "days"), [(Month(2026, 10), 22), (Month(2026, 12), 21), (Month(2027, 5), 19), (Month(2027, 1), 20)]
)
def test_working_days_are_weekdays_without_bank_holidays(month: Month, days: int) -> None:
    prepared = _prepared(Kind.WORKFORCE, [worker(1, "5", 100, 0)], month)
    assert prepared.rows["working_days"].to_list() == [days]


def test_who_ends_on_the_last_day_is_known_and_no_longer_in_post() -> None:
    workforce = _prepared(
        Kind.WORKFORCE,
        [
            worker(1, "5", 100, 0, role_end_date=LAST),
            worker(2, "5", 100, 0, role_end_date=date(2026, 11, 1)),
            worker(3, "5", 100, 0),
        ],
    )
    cases = _prepared(Kind.CASELOAD, [case(ref, by, "c") for ref, by in enumerate([1, 2, 3, 4, None], start=1)])
    found = with_workers(cases, workforce).rows.select("worker_known", "worker_in_post").rows()
    assert found == [(True, False), (True, True), (True, True), (False, None), (None, None)]


def test_a_column_that_one_file_does_not_have_is_not_empty_in_it() -> None:
    rows = [worker(1, "5", 100, 0, agency_worker=None)]
    september = batch_of({"901": {Kind.WORKFORCE: rows}}, OCTOBER.plus(-1))
    prepared = prepare(Kind.WORKFORCE, [september, batch_of({la: {Kind.WORKFORCE: rows} for la in ("901", "902")})])
    assert prepared is not None
    absent = frozenset({("901", LAST.isoformat(), "agency_worker"), ("901", LAST.isoformat(), "team")})
    table = made.tested_columns(prepared, RULES[Kind.WORKFORCE], absent)
    assert table["agency_worker"].to_list() == [None, 0.0, None]
    assert table["worker_ref"].to_list() == [0.0, 1.0, 2.0]


def _found(rows: list[Row]) -> set[str]:
    return checks_of(check_batch(batch_of({"901": {Kind.WORKFORCE: rows}})).failures, "901")


def _with_total(workers: list[Row]) -> list[Row]:
    fte, cases = (sum(w[name] or 0 for w in workers) for name in ("fte", "cases"))
    return [*workers, worker(99, "5", fte, cases)]


@pytest.mark.parametrize(
    ("workers", "total"),
    [
        ([worker(ref, "5", 20, 3) for ref in range(1, 6)], True),
        ([worker(ref, "5", 20, 3) for ref in range(1, 5)], False),  # with its sum, five rows
        ([worker(ref, "5", 20, int(ref == 1)) for ref in range(1, 6)], True),
        (
            [*(worker(ref, "5", 20, 3) for ref in range(1, 6)), worker(6, "6", 1, 0) | {"fte": None, "cases": None}],
            True,
        ),
        ([worker(ref, "5", 0, 0) for ref in range(1, 6)], False),
    ],
)
def test_a_row_that_is_the_sum_of_five_others_is_a_total(workers: list[Row], total: bool) -> None:
    assert ("workforce.fte.total" in _found(_with_total(workers))) is total


@pytest.mark.parametrize(
    ("hours", "told"),
    [([0, 0, 0, 0, 0], True), ([0, 0, 0, 0], False), ([0, 0, 0, 0, 1], False)],
)
def test_five_in_post_cannot_all_have_no_hours(hours: list[int], told: bool) -> None:
    rows = [worker(ref, "6", fte, 0) for ref, fte in enumerate(hours, start=1)]
    assert ("workforce.fte.all_zero" in _found(rows)) is told
