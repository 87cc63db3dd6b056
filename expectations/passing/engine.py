"""Answers every expectation of a suite in one pass of Polars, with the results that Great Expectations would give.

The declarations are Great Expectations' own: a type of expectation, its arguments, a severity. So are the results. Its
engine for pandas gives the same ones (a property test compares whole documents), but it copies the table for each
expectation, which takes eighty times as long. By default it also shows values, in results, pages and log; here nothing
but counts and row numbers is ever asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from expectations.batch import CheckBroken, Severity, SuiteResult
from expectations.passing.deferred import defer
from expectations.suites.rules import Asserts
from features.months import Month

RowNumbers = np.ndarray[tuple[int], np.dtype[np.int64]]

#: Our severities in its words.
GX_SEVERITY = {Severity.ERROR: "critical", Severity.QUERY: "warning", Severity.INFORMATION: "info"}


@dataclass(frozen=True)
class Check:
    """One expectation of a suite: a rule without its Polars half."""

    code: str
    column: str
    asserts: Asserts
    arguments: Mapping[str, Any]
    severity: Severity
    description: str

    def document(self) -> dict[str, Any]:
        """The expectation's configuration as Great Expectations writes it."""
        return {
            "type": str(self.asserts),
            "kwargs": {"column": self.column, **self.arguments},
            "meta": {"check": self.code},
            "description": self.description,
            "severity": GX_SEVERITY[self.severity],
        }


@dataclass(frozen=True)
class Ran:
    """What a suite found: positions of failing rows by check, in ascending order."""

    suite: SuiteResult
    failing: Mapping[str, RowNumbers]


def run(name: str, first: Month, last: Month, table: pl.DataFrame, checks: Sequence[Check]) -> Ran:
    """Run every check on the table.

    Raises CheckBroken if an expectation could not be evaluated, because silence would be taken for success.
    """
    # In pandas, “not a number” is an empty cell.
    known = table.lazy().with_columns(cs.float().fill_nan(None))
    try:
        # A column of truths takes a bit for each row.
        broken = known.select(_breaks(check).alias(check.code) for check in checks).collect()
    except pl.exceptions.PolarsError as error:
        raise _not_run(known, checks) from error
    empty = known.select(pl.col({check.column for check in checks}).null_count()).collect().row(0, named=True)
    results, failing = [], {}
    for check in checks:
        rows = broken[check.code]
        count = int(rows.sum())
        results.append(_result(check.document(), table.height, empty[check.column], count))
        if count:
            failing[check.code] = rows.arg_true().cast(pl.Int64).to_numpy()
    return Ran(SuiteResult(name, first, last, table.height, tuple(results)), failing)


def _breaks(check: Check) -> pl.Expr:
    """True where a row fails the check; false or null elsewhere. An empty cell fails only `NOT_NULL`."""
    column, asked = pl.col(check.column), check.arguments
    if check.asserts is Asserts.NOT_NULL:
        return column.is_null()
    if check.asserts is Asserts.IN_SET:
        return column.is_in(list(asked["value_set"])).not_()
    if check.asserts is Asserts.UNIQUE:
        return column.is_duplicated() & column.is_not_null()
    low, high = asked.get("min_value"), asked.get("max_value")
    outside = [column < low] if low is not None else []
    outside += [column > high] if high is not None else []
    return pl.any_horizontal(outside)


def _result(document: Mapping[str, Any], rows: int, empty: int, unexpected: int) -> dict[str, Any]:
    """The result of one expectation in Great Expectations' own format: counts alone."""
    found: dict[str, Any] = {"element_count": rows, "unexpected_count": unexpected}
    if document["type"] == Asserts.NOT_NULL:
        found["unexpected_percent"] = _percent(unexpected, rows)
    else:
        of_filled = _percent(unexpected, rows - empty)
        found |= {
            "unexpected_percent": of_filled,
            "missing_count": empty,
            "missing_percent": _percent(empty, rows),
            "unexpected_percent_total": _percent(unexpected, rows),
            "unexpected_percent_nonmissing": of_filled,
        }
    return {
        "success": unexpected == 0,
        "expectation_config": document,
        "result": found,
        "meta": {},
        "exception_info": {"raised_exception": False, "exception_traceback": None, "exception_message": None},
    }


def added(parts: Sequence[SuiteResult], order: Sequence[str]) -> SuiteResult:
    """One suite's results on the rows of all parts. A part that lacks a check has nothing in that check's column.

    `order`: the codes of checks that a part may lack, as a suite lists them.
    """
    by_part = [{one["expectation_config"]["meta"]["check"]: one for one in part.results} for part in parts]
    documents = {code: one["expectation_config"] for results in by_part for code, one in results.items()}
    rows = sum(part.rows for part in parts)
    results = []
    for code in [*(c for c in order if c in documents), *(c for c in documents if c not in order)]:
        empty = unexpected = 0
        for part, own in zip(parts, by_part, strict=True):
            found = own[code]["result"] if code in own else {"missing_count": part.rows, "unexpected_count": 0}
            empty, unexpected = empty + found.get("missing_count", 0), unexpected + found["unexpected_count"]
        results.append(_result(documents[code], rows, empty, unexpected))
    return SuiteResult(parts[0].name, min(p.first for p in parts), max(p.last for p in parts), rows, tuple(results))


def _percent(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None


def _not_run(table: pl.LazyFrame, checks: Sequence[Check]) -> CheckBroken:
    """The error that names the first check which Polars could not evaluate."""
    code = "of this suite"
    for check in checks:
        try:
            table.select(_breaks(check)).collect()
        except pl.exceptions.PolarsError:
            code = check.code
            break
    return CheckBroken(
        f"The check {code} could not be run, so nothing can be said of the month. "
        "This is a fault of Holdfast, not of a council's file; report it with the versions in use."
    )


def load_great_expectations() -> Any:
    """Import Great Expectations with its analytics off. Importing takes seconds, so call this only if it is needed."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # These two are needed only by expectations that we do not use, and take a third of the import time.
    defer("altair", "scipy.stats")
    import great_expectations

    return great_expectations
