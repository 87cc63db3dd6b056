"""The one place that runs Great Expectations.

Great Expectations tells values by default: in results, in its pages, in its log. Every run here asks
for counts and row numbers only. It also spends most of its time finding the failing rows, so a large
table is first only counted, and rows are looked up for the rules that failed, on their own columns.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import polars as pl

from expectations.batch import CheckBroken, Severity, SuiteResult
from expectations.rules import Asserts
from features.months import Month

Rows = np.ndarray[tuple[int], np.dtype[np.int64]]

#: Counts only: no sample of failing values, no query text.
COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
#: Counts and the positions of failing rows. The frame's index is the position, so no index column is
#: named: that list is then plain numbers and costs a hundredth of one dictionary per row.
WITH_ROWS = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}

#: Up to this many rows, looking up failing rows at once is cheaper than a second run.
ROWS_LOOKED_UP_AT_ONCE = 60_000
#: Failing rows that one run may return: bounds memory when every row fails (36 bytes each).
FAILING_ROWS_PER_RUN = 1_000_000

_GX_SEVERITY = {Severity.ERROR: "critical", Severity.QUERY: "warning", Severity.INFORMATION: "info"}

#: Great Expectations keeps its context in a global; one run at a time.
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class Check:
    """One expectation of a suite: a rule without its Polars half."""

    code: str
    column: str
    asserts: Asserts
    arguments: Mapping[str, Any]
    severity: Severity
    description: str


@dataclass(frozen=True)
class Ran:
    """What a suite found: positions of failing rows by check, in ascending order."""

    suite: SuiteResult
    failing: Mapping[str, Rows]
    passes: int


def run(name: str, first: Month, last: Month, table: pl.DataFrame, checks: Sequence[Check]) -> Ran:
    """Ask every check of the table.

    Raises CheckBroken if an expectation could not be evaluated: silence would pass for success.
    """
    with _ONE_AT_A_TIME:
        return _run(name, first, last, table, checks)


def _run(name: str, first: Month, last: Month, table: pl.DataFrame, checks: Sequence[Check]) -> Ran:
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_pandas("extracts")
    whole = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all councils")
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=_expectations(gx, checks)))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=whole, suite=suite))

    small = table.height <= ROWS_LOOKED_UP_AT_ONCE
    result = definition.run(
        batch_parameters={"dataframe": _to_pandas(table)}, result_format=WITH_ROWS if small else COUNTS_ONLY
    )
    _raise_if_broken(result)
    failing = _take_rows(result) if small else {}
    passes = 1
    if not small:
        counts = {_code(r): int(r.result["unexpected_count"]) for r in result.results if not r.success}
        for group in _groups([c for c in checks if c.code in counts], counts):
            columns = list(dict.fromkeys(c.column for c in group))
            narrow = whole.get_batch({"dataframe": _to_pandas(table.select(columns))})
            found = narrow.validate(
                gx.ExpectationSuite(name=f"{name}, rows", expectations=_expectations(gx, group)),
                result_format=WITH_ROWS,
            )
            _raise_if_broken(found)
            failing |= _take_rows(found)
            passes += 1
    return Ran(SuiteResult(name, first, last, table.height, result), failing, passes)


def _great_expectations() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    return great_expectations


def _expectations(gx: Any, checks: Iterable[Check]) -> list[Any]:
    kinds = {
        Asserts.NOT_NULL: gx.expectations.ExpectColumnValuesToNotBeNull,
        Asserts.IN_SET: gx.expectations.ExpectColumnValuesToBeInSet,
        Asserts.BETWEEN: gx.expectations.ExpectColumnValuesToBeBetween,
        Asserts.UNIQUE: gx.expectations.ExpectColumnValuesToBeUnique,
    }
    return [
        kinds[check.asserts](
            column=check.column,
            **check.arguments,
            severity=_GX_SEVERITY[check.severity],
            description=check.description,
            meta={"check": check.code},
        )
        for check in checks
    ]


def _to_pandas(table: pl.DataFrame) -> Any:
    """Plain numpy columns, null as NaN: only those take Great Expectations' fast paths."""
    import pandas

    columns = {series.name: series.to_pandas() if series.dtype == pl.String else series.to_numpy() for series in table}
    return pandas.DataFrame(columns, copy=False)


def _code(result: Any) -> str:
    return str(result.expectation_config.meta["check"])


def _raise_if_broken(result: Any) -> None:
    for one in result.results:
        info = one.exception_info or {}
        if info.get("raised_exception", True) or one.result.get("unexpected_count") is None:
            raise CheckBroken(
                f"The check {_code(one)} could not be run, so nothing can be said of the month. "
                "This is a fault of Holdfast, not of a council's file; report it with the versions in use."
            )


def _take_rows(result: Any) -> dict[str, Rows]:
    """Positions by check; they are taken out of the result, which is kept for the Data Docs."""
    failing = {}
    for one in result.results:
        rows = one.result.pop("unexpected_index_list", None)
        if not one.success:
            failing[_code(one)] = np.sort(np.asarray(rows, dtype=np.int64))
    return failing


def _groups(checks: Sequence[Check], counts: Mapping[str, int]) -> list[list[Check]]:
    groups: list[list[Check]] = []
    returned = FAILING_ROWS_PER_RUN
    for check in checks:
        if returned + counts[check.code] > FAILING_ROWS_PER_RUN:
            groups.append([])
            returned = 0
        groups[-1].append(check)
        returned += counts[check.code]
    return groups
