"""However a check is split into passes, parts and orders, it finds the same; and what Great Expectations
finds is what the rule says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from expectations.batch import FAILURES, NOT_RUN, PROFILE, SET_ASIDE, Batch, Outcome
from expectations.passing import check
from features.errors import HoldfastError
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import OCTOBER, Row, batch_of, large_rows, record_rows

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
    together = check.check_batches(months)
    alone = [check.check_batch(m) for m in months]
    assert [_facts(o) for o in together] == [_facts(o) for o in alone]
    assert together[0].failures["month"].unique().to_list() == [SEPTEMBER.last_day]


def test_more_rows_than_a_pass_holds_are_taken_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    months = [batch_of({"901": _spoiled(days)}, m) for days, m in ((4, SEPTEMBER), (5, OCTOBER))]
    expected = [_facts(o) for o in check.check_batches(months)]
    monkeypatch.setattr(check, "ROWS_PER_PASS", 10)
    split = check.check_batches(months)
    assert [_facts(o) for o in split] == expected
    assert {s.last for o in split for s in o.suites} == {SEPTEMBER, OCTOBER}


@pytest.mark.parametrize(
    ("heights", "passes"),
    [
        ([4, 6, 1, 10, 11, 2], [[4, 6], [1], [10], [11], [2]]),
        ([6, 4, 6, 4], [[6, 4], [6, 4]]),
        ([12], [[12]]),
        ([], []),
    ],
)
def test_a_pass_takes_months_until_the_next_would_be_too_many(
    heights: list[int], passes: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "ROWS_PER_PASS", 10)
    batches = [Batch(OCTOBER, {Kind.RETURN: pl.DataFrame({"n": range(height)})}) for height in heights]
    assert [[b.frames[Kind.RETURN].height for b in one] for one in check._passes(batches)] == passes


@pytest.fixture(scope="module")
def in_order() -> Outcome:
    return check.check_batch(batch_of({"901": _spoiled(), "902": record_rows()}))


@settings(max_examples=3)
@given(seed=st.integers(0, 2**16))
def test_the_order_of_rows_does_not_matter(in_order: Outcome, seed: int) -> None:
    batch = batch_of({"901": _spoiled(), "902": record_rows()})
    shuffled = {k: f.sample(fraction=1, shuffle=True, seed=seed) for k, f in batch.frames.items()}
    assert _facts(check.check_batch(replace(batch, frames=shuffled))) == _facts(in_order)


def test_a_frame_of_another_shape_is_refused() -> None:
    batch = batch_of({"901": record_rows()})
    frames = {Kind.WORKFORCE: batch.frames[Kind.WORKFORCE].with_columns(pl.col("fte").cast(pl.Float64))}
    with pytest.raises(HoldfastError, match="columns of another type: fte"):
        check.check_batch(batch_of({"901": record_rows()}, frames=frames))


def test_importing_the_checks_does_not_import_great_expectations() -> None:
    modules = "expectations.passing.check, expectations.report.data_docs"
    code = f"import sys, {modules}; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_frames_have_their_schemas_even_when_empty() -> None:
    outcome = check.check_batch(batch_of({"901": {}}))
    assert outcome.failures.schema == FAILURES
    assert outcome.not_run.schema == NOT_RUN
    assert outcome.profile.schema == PROFILE
    assert_frame_equal(outcome.set_aside, SET_ASIDE.to_frame())
