"""The one place that runs Great Expectations.

Great Expectations tells values by default: in results, in its pages, in its log. Every run here asks
for counts and row numbers only. It also spends most of its time finding the failing rows, so a table
is first only counted, and rows are looked up for the rules that failed, on their own columns.
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
from expectations.passing.deferred import defer
from expectations.suites.rules import Asserts
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

#: Great Expectations copies every column of the table for each rule that skips empty cells. From so many rows
#: on that costs more than handing it the table in parts of so many columns.
ROWS_TO_PART, COLUMNS_PER_PART = 100_000, 6
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
    """Great Expectations, with its analytics off; importing it takes seconds, so only who needs it calls this."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # Two expectations that we do not use bring in a third of what importing costs.
    defer("altair", "scipy.stats")
    import great_expectations

    return great_expectations


@cache
def _whole_frames() -> Any:
    """What Great Expectations calls a batch definition: hand it a frame, get a batch. It holds no data."""
    gx = load_great_expectations()
    settings = importlib.import_module("great_expectations.data_context.types.base")
    # It would hash every cell, twice a run, to name a frame that nobody asks for by name.
    pandas_engine: Any = importlib.import_module("great_expectations.execution_engine.pandas_execution_engine")
    pandas_engine.HASH_THRESHOLD = 0
    context = gx.get_context(
        mode="ephemeral",
        project_config=settings.DataContextConfig(
            # No place for pages: ours are made in `data_docs.py`.
            store_backend_defaults=settings.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=settings.ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )
    asset = context.data_sources.add_pandas("extracts").add_dataframe_asset("all councils")
    return asset.add_batch_definition_whole_dataframe("whole table")


@cache
def _expectation_types() -> dict[Asserts, Any]:
    """Great Expectations' own expectations, which remember their configuration.

    Stock expectations build it anew about a hundred times each per run, which is half of what a run on a
    few councils costs. The classes keep their names, so suites and pages say what they always say.
    """
    gx = load_great_expectations()
    private = importlib.import_module("great_expectations.compatibility.pydantic").PrivateAttr

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

    # Taking the place of the stock classes in the registry is meant; it is warned of 80 times.
    registry = logging.getLogger("great_expectations.expectations.registry")
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
