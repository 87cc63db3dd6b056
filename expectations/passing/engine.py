"""The one place that runs Great Expectations.

By default Great Expectations shows values: in results, in its pages and in its log. Every run here asks only for counts
and row numbers. Finding the failing rows takes most of its time. So a table is counted first, and rows are looked up
only for rules that failed, on their own columns.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import polars as pl

from expectations.batch import CheckBroken, Severity, SuiteResult
from expectations.passing import hooks
from expectations.passing.deferred import defer
from expectations.suites.rules import Asserts
from features.months import Month

Rows = np.ndarray[tuple[int], np.dtype[np.int64]]

#: Counts only: no sample of failing values, no query text.
COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
#: Counts and the positions of failing rows. The frame's index is the position, so no index column is named. The list is
#: then one of plain numbers and costs a hundredth of one dictionary per row.
WITH_ROWS = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}

#: Great Expectations copies every column of the table for each rule that skips empty cells. From this number of rows,
#: it is cheaper to pass the table in parts with this many columns.
ROWS_TO_PART, COLUMNS_PER_PART = 100_000, 6
#: The most failing rows that one run returns. It limits memory if every row fails (36 bytes each).
FAILING_ROWS_PER_RUN = 1_000_000

#: Our severities in its words.
GX_SEVERITY = {Severity.ERROR: "critical", Severity.QUERY: "warning", Severity.INFORMATION: "info"}

#: Great Expectations keeps its context in a global, so only one run can be made at a time.
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
    """Run every check on the table.

    Raises CheckBroken if an expectation could not be evaluated, because silence would be taken for success.
    """
    with _ONE_AT_A_TIME:
        return _run(name, first, last, table, checks)


def _run(name: str, first: Month, last: Month, table: pl.DataFrame, checks: Sequence[Check]) -> Ran:
    gx = load_great_expectations()
    whole = _whole_frames()

    def validate(title: str, columns: pl.DataFrame, asked: Sequence[Check], result_format: dict[str, Any]) -> Any:
        batch = whole.get_batch({"dataframe": _to_pandas(columns)})
        suite = gx.ExpectationSuite(name=title, expectations=_expectations(asked))
        found = batch.validate(suite, result_format=result_format)
        _raise_if_broken(found)
        return found

    results = []
    passes = 0
    for part in _parts(table, checks):
        results += validate(name, _columns_of(table, part), part, COUNTS_ONLY).results
        passes += 1
    counts = {_code(one): int(one.result["unexpected_count"]) for one in results if not one.success}
    failing: dict[str, Rows] = {}
    for group in _groups([c for c in checks if c.code in counts], counts):
        failing |= _rows(validate(f"{name}, rows", _columns_of(table, group), group, WITH_ROWS))
        passes += 1
    return Ran(SuiteResult(name, first, last, table.height, tuple(results)), failing, passes)


def load_great_expectations() -> Any:
    """Import Great Expectations with its analytics off. Importing takes seconds, so call this only if it is needed."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # These two are needed only by expectations that we do not use, and take a third of the import time.
    defer("altair", "scipy.stats")
    import great_expectations

    return great_expectations


@cache
def _whole_frames() -> Any:
    """Great Expectations' batch definition, which turns a frame into a batch. It holds no data."""
    gx = load_great_expectations()
    # Otherwise it would hash every cell, twice in each run, to name a frame that nobody looks up by name.
    setattr(importlib.import_module(hooks.HASH_THRESHOLD.module), hooks.HASH_THRESHOLD.name, 0)
    context = gx.get_context(
        mode="ephemeral",
        project_config=hooks.CONTEXT_CONFIG.get()(
            # No folder for its pages: ours are made in `data_docs.py`.
            store_backend_defaults=hooks.IN_MEMORY.get()(init_temp_docs_sites=False),
            progress_bars=hooks.PROGRESS_BARS.get()(globally=False),
            analytics_enabled=False,
        ),
    )
    asset = context.data_sources.add_pandas("extracts").add_dataframe_asset("all councils")
    return asset.add_batch_definition_whole_dataframe("whole table")


@cache
def _expectation_types() -> dict[Asserts, Any]:
    """Great Expectations' own expectations, with their configuration cached.

    Stock expectations rebuild it about a hundred times each per run, which is half the cost of a run on a few councils.
    The classes keep their names, so suites and pages look the same.
    """
    gx = load_great_expectations()
    private = hooks.PRIVATE_ATTRIBUTE.get()

    def remembering(stock: Any) -> Any:
        def configuration(self: Any) -> Any:
            if self._remembered is None:
                self._remembered = stock.configuration.fget(self)
            return self._remembered

        def forget_and_set(self: Any, name: str, value: Any) -> None:
            if name != "_remembered":
                object.__setattr__(self, "_remembered", None)
            stock.__setattr__(self, name, value)

        return type(stock)(
            stock.__name__,
            (stock,),
            {
                "__module__": __name__,
                "__doc__": stock.__doc__,
                "_remembered": private(None),
                "configuration": property(configuration),
                "__setattr__": forget_and_set,
            },
        )

    # Replacing the stock classes in the registry is intended; without this it would log 80 warnings.
    registry: logging.Logger = hooks.REGISTRY_LOG.get()
    level = registry.level
    registry.setLevel(logging.ERROR)
    try:
        return {
            Asserts.NOT_NULL: remembering(gx.expectations.ExpectColumnValuesToNotBeNull),
            Asserts.IN_SET: remembering(gx.expectations.ExpectColumnValuesToBeInSet),
            Asserts.BETWEEN: remembering(gx.expectations.ExpectColumnValuesToBeBetween),
            Asserts.UNIQUE: remembering(gx.expectations.ExpectColumnValuesToBeUnique),
        }
    finally:
        registry.setLevel(level)


def _expectations(checks: Iterable[Check]) -> list[Any]:
    kinds = _expectation_types()
    return [
        kinds[check.asserts](
            column=check.column,
            **check.arguments,
            severity=GX_SEVERITY[check.severity],
            description=check.description,
            meta={"check": check.code},
        )
        for check in checks
    ]


def _to_pandas(table: pl.DataFrame) -> Any:
    """Plain NumPy columns with null as NaN, the only kind that takes Great Expectations' fast paths."""
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


def _rows(result: Any) -> dict[str, Rows]:
    return {
        _code(one): np.sort(np.asarray(one.result["unexpected_index_list"], dtype=np.int64))
        for one in result.results
        if not one.success
    }


def _columns_of(table: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    return table.select(list(dict.fromkeys(c.column for c in checks)))


def _parts(table: pl.DataFrame, checks: Sequence[Check]) -> list[list[Check]]:
    if table.height < ROWS_TO_PART:
        return [list(checks)]
    columns = list(dict.fromkeys(c.column for c in checks))
    part_of = {name: index // COLUMNS_PER_PART for index, name in enumerate(columns)}
    parts: dict[int, list[Check]] = {}
    for check in checks:
        parts.setdefault(part_of[check.column], []).append(check)
    return list(parts.values())


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
