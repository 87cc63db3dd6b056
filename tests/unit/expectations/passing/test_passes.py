"""However a check is split into passes, parts and orders, it finds the same; and what Great Expectations
finds is what the rule says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from expectations.batch import FAILURES, NOT_RUN, PROFILE, SET_ASIDE, Batch, CheckHistory, Outcome, Statistics
from expectations.passing import check
from expectations.passing.effects import usable
from expectations.passing.together import outcomes_together
from features.errors import HoldfastError
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import OCTOBER, Row, batch_of, check_batch, dated, large_rows, record_rows

SEPTEMBER = Month(2026, 9)


def _facts(outcome: Outcome) -> list[object]:
    return [outcome.failures.rows(), outcome.withheld, outcome.quarantined, outcome.set_aside.rows()]


def _spoiled(days_lost: int = 5) -> dict[Kind, list[Row]]:
    """A council with faults; months differ in `days_lost`, and in who holds the first case."""
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][:40]:
        worker["working_days_lost"] = days_lost
    for case in rows[Kind.CASELOAD][:40]:
        case["worker_changes_12m"] = days_lost
    rows[Kind.CASELOAD][0]["allocated_worker_ref"] = days_lost % 2 + 2
    for worker in rows[Kind.WORKFORCE][10:15]:
        worker["fte"] = 3700
    for case in rows[Kind.CASELOAD][20:90]:
        case["case_status"] = "z"
    rows[Kind.CASELOAD][3]["allocated_worker_ref"] = 77_000
    return rows


def test_months_checked_together_are_found_like_months_checked_alone() -> None:
    months = [batch_of({"901": _spoiled(days), "902": record_rows()}, m) for days, m in ((4, SEPTEMBER), (5, OCTOBER))]
    both = check.check_batches(months)
    alone = [check_batch(m) for m in months]
    assert [_facts(o) for o in both] == [_facts(o) for o in alone]
    assert both[0].failures["month"].unique().to_list() == [SEPTEMBER.last_day]


def _month(month: Month, lost: int, repeated: bool) -> Batch:
    """Three councils: 901 sends one file of workers twice, 902 has wrong cells and rows, 903 loses people and cases."""
    rows = {la_code: dated(large_rows(), month) for la_code in ("901", "902", "903")}
    for number, worker in enumerate(rows["901"][Kind.WORKFORCE]):
        worker["working_days_lost"] = 7 if repeated else number % month.number
    rows["902"] = dated(_spoiled(month.number), month)
    rows["902"][Kind.WORKFORCE][-1]["reference_date"] = None
    rows["903"] = {kind: of[: len(of) - lost] for kind, of in rows["903"].items()}
    return batch_of(rows, month)


def test_months_checked_together_are_found_like_month_after_month() -> None:
    """Each is compared with what may be used of those before: not with a file that was sent again, nor wrong cells."""
    said = ((8, 1, False), (9, 2, True), (10, 0, True), (11, 40, False), (12, 0, False))
    months = [_month(Month(2026, number), lost, repeated) for number, lost, repeated in said]
    known, alone = CheckHistory(), []
    for month in months:
        (outcome,) = check.check_batches([month], known)
        alone.append(outcome)
        known = replace(known, profiles=pl.concat([known.profiles, outcome.profile]))
        known = known.with_records(usable(month, outcome))
    at_once = check.check_batches(months)
    assert ("901", Kind.WORKFORCE) in at_once[2].quarantined, "October is September's file"
    for one, other in zip(alone, at_once, strict=True):
        assert _facts(one) == _facts(other)
        assert_frame_equal(one.profile, other.profile)
        assert_frame_equal(one.not_run, other.not_run)
        assert (one.checked, one.reissued) == (other.checked, other.reissued)
        assert (one.statistics.rows, one.statistics.checks_run) == (other.statistics.rows, other.statistics.checks_run)
    assert _results(at_once[0]) == {
        check: tuple(sum(each) for each in zip(*(_results(one).get(check, (0, 0)) for one in alone), strict=True))
        for check in _results(at_once[0])
    }


def _results(outcome: Outcome) -> dict[str, tuple[int, int]]:
    """By check: how many cells were not empty, and how many failed."""
    found = [(one["expectation_config"]["meta"]["check"], one["result"]) for s in outcome.suites for one in s.results]
    return {
        check: (result["element_count"] - result.get("missing_count", 0), result["unexpected_count"])
        for check, result in found
    }


def test_councils_checked_apart_are_found_like_all_at_once() -> None:
    """Groups of councils add up: every table, in its order, and every figure of every suite."""
    months = [_month(Month(2026, number), number % 3, False) for number in (9, 10)]
    groups = [[m.of_councils({"902"}), m.of_councils({"902"}, without=True)] for m in months]
    for whole, first, others in zip(
        check.check_batches(months), *map(check.check_batches, zip(*groups, strict=True)), strict=True
    ):
        added = outcomes_together([first, others])
        assert replace(added, **_NOT_COMPARED) == replace(whole, **_NOT_COMPARED)
        for name in ("failures", "set_aside", "not_run", "profile"):
            assert_frame_equal(getattr(added, name), getattr(whole, name))


#: Frames are compared apart, and seconds not at all.
_NOT_COMPARED: dict[str, Any] = {
    **dict.fromkeys(("failures", "set_aside", "not_run", "profile")),
    "statistics": Statistics(0, 0, 0.0),
}


@pytest.fixture(scope="module")
def in_order() -> Outcome:
    return check_batch(batch_of({"901": _spoiled(), "902": record_rows()}))


@settings(max_examples=3)
@given(seed=st.integers(0, 2**16))
def test_the_order_of_rows_does_not_matter(in_order: Outcome, seed: int) -> None:
    batch = batch_of({"901": _spoiled(), "902": record_rows()})
    shuffled = {k: f.sample(fraction=1, shuffle=True, seed=seed) for k, f in batch.frames.items()}
    assert _facts(check_batch(replace(batch, frames=shuffled))) == _facts(in_order)


def test_a_frame_of_another_shape_is_refused() -> None:
    batch = batch_of({"901": record_rows()})
    frames = {Kind.WORKFORCE: batch.frames[Kind.WORKFORCE].with_columns(pl.col("fte").cast(pl.Float64))}
    with pytest.raises(HoldfastError, match="columns of another type: fte"):
        check_batch(batch_of({"901": record_rows()}, frames=frames))


def test_importing_the_checks_does_not_import_great_expectations() -> None:
    modules = "expectations.passing.check, expectations.report.data_docs"
    code = f"import sys, {modules}; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_frames_have_their_schemas_even_when_empty() -> None:
    outcome = check_batch(batch_of({"901": {}}))
    assert outcome.failures.schema == FAILURES
    assert outcome.not_run.schema == NOT_RUN
    assert outcome.profile.schema == PROFILE
    assert_frame_equal(outcome.set_aside, SET_ASIDE.to_frame())
