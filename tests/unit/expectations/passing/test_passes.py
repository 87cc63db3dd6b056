"""However a check is split into passes, parts and orders, it finds the same; and what Great Expectations
finds is what the rule says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from expectations.batch import FAILURES, NOT_RUN, PROFILE, SET_ASIDE, CheckBroken, Outcome, Severity
from expectations.passing import check, engine
from expectations.suites.rules import Asserts
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


def test_large_tables_are_asked_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of({"901": _spoiled(), "902": record_rows()})
    expected = _facts(check.check_batch(batch))
    monkeypatch.setattr(engine, "ROWS_TO_PART", 1)
    monkeypatch.setattr(engine, "FAILING_ROWS_PER_RUN", 5)
    parted = check.check_batch(batch)
    assert _facts(parted) == expected
    assert parted.statistics.passes > 10


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


def _check(asserts: Asserts, column: str, **arguments: object) -> engine.Check:
    return engine.Check(f"x.{column}.{asserts.name}", column, asserts, arguments, Severity.ERROR, "A check.")


CHECKS: Sequence[tuple[engine.Check, pl.Expr]] = (
    (_check(Asserts.NOT_NULL, "number"), pl.col("number").is_null()),
    (_check(Asserts.BETWEEN, "number", min_value=-2, max_value=3), pl.col("number").is_between(-2, 3).not_()),
    (_check(Asserts.UNIQUE, "number"), pl.col("number").is_duplicated() & pl.col("number").is_not_null()),
    (_check(Asserts.IN_SET, "code", value_set=["a", "b"]), pl.col("code").is_in(["a", "b"]).not_()),
)


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.none() | st.integers(-5, 5), st.none() | st.sampled_from(["a", "b", "c", ""])),
        min_size=1,
        max_size=30,
    )
)
def test_great_expectations_finds_the_rows_the_rule_means(rows: list[tuple[int | None, str | None]]) -> None:
    table = pl.DataFrame(rows, schema={"number": pl.Float64, "code": pl.String}, orient="row")
    ran = engine.run("rows", OCTOBER, OCTOBER, table, [c for c, _ in CHECKS])
    for asked, breaks in CHECKS:
        expected = np.flatnonzero(table.select(breaks.fill_null(False)).to_series().to_numpy())
        assert ran.failing.get(asked.code, np.empty(0)).tolist() == expected.tolist()


def test_expectations_that_remember_say_what_stock_ones_say() -> None:
    """Names, arguments, counts: the classes that remember their configuration change nothing but time."""
    gx = engine.load_great_expectations()
    table = pl.DataFrame({"number": [1.0, None, 9.0], "code": ["a", "c", None]})
    ours = engine.run("rows", OCTOBER, OCTOBER, table, [c for c, _ in CHECKS]).suite.results
    stock = [
        gx.expectations.ExpectColumnValuesToNotBeNull(column="number"),
        gx.expectations.ExpectColumnValuesToBeBetween(column="number", min_value=-2, max_value=3),
        gx.expectations.ExpectColumnValuesToBeUnique(column="number"),
        gx.expectations.ExpectColumnValuesToBeInSet(column="code", value_set=["a", "b"]),
    ]
    batch = engine._whole_frames().get_batch({"dataframe": table.to_pandas()})
    theirs = batch.validate(gx.ExpectationSuite(name="stock", expectations=stock), result_format=engine.COUNTS_ONLY)

    def facts(results: Sequence[object]) -> dict[str, object]:
        documents = [r.to_json_dict() for r in results]  # type: ignore[attr-defined]
        return {d["expectation_config"]["type"]: (d["success"], d["result"]) for d in documents}

    assert facts(ours) == facts(theirs.results)


def test_a_check_that_cannot_run_is_no_pass() -> None:
    table = pl.DataFrame({"code": ["a"]})
    with pytest.raises(CheckBroken, match="x.code.BETWEEN could not be run"):
        engine.run("rows", OCTOBER, OCTOBER, table, [_check(Asserts.BETWEEN, "code", max_value=1)])


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
