"""Our answers are Great Expectations' own, to the last digit: counts, percentages, positions of rows, documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.validation import positions, stock_results
from expectations.batch import CheckBroken, Severity
from expectations.passing import engine
from expectations.passing.static_pass import RULES, check_of
from expectations.suites import rows
from expectations.suites.rules import Asserts
from features.registry import Kind
from tests.unit.expectations.examples import OCTOBER, batch_of, large_rows, record_rows


def _check(asserts: Asserts, column: str, **arguments: object) -> engine.Check:
    return engine.Check(f"x.{column}.{asserts.name}", column, asserts, arguments, Severity.ERROR, "A check.")


CHECKS: Sequence[engine.Check] = (
    _check(Asserts.NOT_NULL, "number"),
    _check(Asserts.BETWEEN, "number", min_value=-2, max_value=3),
    _check(Asserts.BETWEEN, "excess", max_value=1.0),
    _check(Asserts.BETWEEN, "days", min_value=0),
    _check(Asserts.UNIQUE, "number"),
    _check(Asserts.UNIQUE, "days"),
    _check(Asserts.IN_SET, "code", value_set=["a", "b"]),
    _check(Asserts.IN_SET, "truth", value_set=[1.0]),
    _check(Asserts.NOT_NULL, "code"),
)
_SCHEMA = {"number": pl.Float64, "excess": pl.Float64, "days": pl.Float64, "code": pl.String, "truth": pl.Float32}
_NUMBERS = st.none() | st.integers(-5, 5).map(float)
_ANY = st.none() | st.floats(width=64)
_CODES = st.none() | st.sampled_from(["a", "b", "c", "", "A"])
_TRUTHS = st.none() | st.sampled_from([0.0, 1.0])


def _same(table: pl.DataFrame, checks: Sequence[engine.Check]) -> None:
    ran = engine.run("rows", OCTOBER, OCTOBER, table, checks)
    ours = {
        one["expectation_config"]["meta"]["check"]: (
            one["result"],
            positions(ran, one["expectation_config"]["meta"]["check"]),
        )
        for one in ran.suite.results
    }
    assert ours == stock_results(table, checks)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(_NUMBERS, _ANY, _NUMBERS, _CODES, _TRUTHS), max_size=25))
def test_results_are_those_of_its_own_engine(cells: list[tuple[Any, ...]]) -> None:
    _same(pl.DataFrame(cells, schema=_SCHEMA, orient="row"), CHECKS)


@settings(max_examples=2, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("kind", [Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD])
def test_so_are_those_of_every_suite(kind: Kind, data: st.DataObject) -> None:
    """Each suite over a file of many workers and cases in which any cells were emptied or exchanged with others."""
    batch = batch_of({"901": large_rows(), "902": record_rows()})
    frame = batch.frames[kind]
    names = [name for name in frame.columns if name not in ("la_code", "file_row")]
    for name in data.draw(st.lists(st.sampled_from(names), max_size=6)):
        by = data.draw(st.integers(0, 50))
        moved = pl.col(name).shift(by)
        frame = frame.with_columns(moved if data.draw(st.booleans()) else pl.when(pl.col("file_row") > by).then(moved))
    prepared = rows.prepare(kind, [batch_of({}, frames={kind: frame})])
    assert prepared is not None
    if kind is Kind.CASELOAD:
        prepared = rows.with_workers(prepared, None)
    table = rows.tested_columns(prepared, RULES[kind], frozenset())
    _same(table, [check_of(rule) for rule in RULES[kind]])


def test_a_result_is_the_whole_document_that_it_writes() -> None:
    gx = engine.load_great_expectations()
    table = pl.DataFrame({"number": [1.0, None, 9.0]})
    (ours,) = engine.run("rows", OCTOBER, OCTOBER, table, [CHECKS[1]]).suite.results
    stock = gx.expectations.ExpectColumnValuesToBeBetween(
        column="number", min_value=-2, max_value=3, meta={"check": CHECKS[1].code}, description="A check.",
        severity="critical",
    )  # fmt: skip
    source = gx.get_context(mode="ephemeral").data_sources.add_pandas("p").add_dataframe_asset("a")
    batch = source.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": table.to_pandas()})
    asked = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
    theirs = batch.validate(stock, result_format=asked).to_json_dict()
    del theirs["expectation_config"]["kwargs"]["batch_id"]
    assert ours == theirs


def test_a_check_that_cannot_run_is_no_pass() -> None:
    table = pl.DataFrame({"code": ["a"], "number": [1.0]})
    for broken in (_check(Asserts.BETWEEN, "code", max_value=1), _check(Asserts.NOT_NULL, "gone")):
        with pytest.raises(CheckBroken, match=f"The check {broken.code} could not be run"):
            engine.run("rows", OCTOBER, OCTOBER, table, [_check(Asserts.NOT_NULL, "number"), broken])


@pytest.mark.parametrize(
    ("check", "failing"),
    [
        (_check(Asserts.BETWEEN, "number", min_value=-2, max_value=3), [0, 3]),
        (_check(Asserts.BETWEEN, "number", min_value=-2), [0]),
        (_check(Asserts.BETWEEN, "number", max_value=3), [3]),
        (_check(Asserts.NOT_NULL, "number"), [4]),
        (_check(Asserts.UNIQUE, "number"), [1, 5]),
        (_check(Asserts.IN_SET, "code", value_set=["a", "b"]), [2]),
        (_check(Asserts.IN_SET, "code", value_set=["a", "b", "c"]), []),
    ],
)
def test_the_rows_that_fail(check: engine.Check, failing: list[int]) -> None:
    table = pl.DataFrame({"number": [-3.0, -2.0, 3.0, 4.0, None, -2.0], "code": ["a", "b", "c", None, "a", "b"]})
    ran = engine.run("rows", OCTOBER, OCTOBER, table, [check])
    assert positions(ran, check.code) == failing
    (result,) = ran.suite.results
    assert result["success"] is (not failing)
    assert result["result"]["unexpected_count"] == len(failing)
