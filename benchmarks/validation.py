"""Times validation against the same rules as bare Polars expressions, on a national month of a made-up England.

    python -m benchmarks.validation [--councils 153] [--stock]

The Polars side is one pass over the same table: the least that any engine could do. With `--stock` the month is checked
once more by Great Expectations' own engine for pandas, and whole results are compared.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import Any
from unittest import mock

import polars as pl

from benchmarks.monthly_run import LAST, prepared, take_in
from expectations.passing import engine
from expectations.suites.rules import Asserts
from features.months import Month
from flows.sample_region import region


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one month of every council, print the times. Exit code 1 if a result differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, default=153)
    parser.add_argument("--stock", action="store_true")
    options = parser.parse_args(arguments)
    took = {"bare Polars": 0.0}
    differ: list[str] = []
    rows = checked = 0
    run = engine.run

    @contextmanager
    def timed(title: str) -> Iterator[None]:
        began = process_time()
        yield
        took[title] = took.get(title, 0.0) + process_time() - began

    def each(name: str, first: Month, last: Month, table: pl.DataFrame, checks: Sequence[engine.Check]) -> engine.Ran:
        nonlocal rows, checked
        rows, checked = rows + table.height, checked + len(checks)
        with timed("Holdfast"):
            ran = run(name, first, last, table, checks)
        with timed("bare Polars"):
            raw = table.select(_failing(check).alias(check.code) for check in checks).row(0, named=True)
        found = {one["expectation_config"]["meta"]["check"]: one["result"] for one in ran.suite.results}
        differ.extend(code for code, count in raw.items() if found[code]["unexpected_count"] != count)
        if options.stock:
            with timed("Great Expectations on pandas"):
                stock = stock_results(table, checks)
            differ.extend(code for code, one in stock.items() if one != (found[code], positions(ran, code)))
        return ran

    with tempfile.TemporaryDirectory() as folder:
        context = prepared(Path(folder), region(options.councils, 2, 1, LAST))
        with mock.patch.object(engine, "run", each):
            take_in(context)
    print(f"{options.councils} councils, {rows:,} rows in all tables, {checked} rules")  # noqa: T201
    for title, work in took.items():
        times = work / took["bare Polars"]
        print(f"  {title:30}{work:8.2f} s of processor, {times:.1f} times bare Polars")  # noqa: T201
    print("all results equal" if not differ else f"RESULTS DIFFER: {', '.join(differ)}")  # noqa: T201
    return 1 if differ else 0


def stock_results(table: pl.DataFrame, checks: Sequence[engine.Check]) -> dict[str, tuple[dict[str, Any], list[int]]]:
    """What Great Expectations' own engine for pandas finds: result and failing positions by check."""
    gx = engine.load_great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    kinds = {
        Asserts.NOT_NULL: gx.expectations.ExpectColumnValuesToNotBeNull,
        Asserts.IN_SET: gx.expectations.ExpectColumnValuesToBeInSet,
        Asserts.BETWEEN: gx.expectations.ExpectColumnValuesToBeBetween,
        Asserts.UNIQUE: gx.expectations.ExpectColumnValuesToBeUnique,
    }
    suite = gx.ExpectationSuite(
        name="stock",
        expectations=[kinds[c.asserts](column=c.column, meta={"check": c.code}, **c.arguments) for c in checks],
    )
    frame = table.to_pandas()
    source = context.data_sources.add_pandas("pandas").add_dataframe_asset("table")
    batch = source.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    options = {
        "result_format": "COMPLETE",
        "partial_unexpected_count": 0,
        "exclude_unexpected_values": True,
        "return_unexpected_index_query": False,
    }
    found = [one.to_json_dict() for one in batch.validate(suite, result_format=options).results]
    return {
        one["expectation_config"]["meta"]["check"]: (
            one["result"],
            sorted(one["result"].pop("unexpected_index_list", [])),
        )
        for one in found
    }


def positions(ran: engine.Ran, code: str) -> list[int]:
    """Where a check failed."""
    return list(ran.failing[code].tolist()) if code in ran.failing else []


def _failing(check: engine.Check) -> pl.Expr:
    """The number of rows that fail a check, as Great Expectations counts them: an empty cell fails only `NOT_NULL`."""
    column = pl.col(check.column)
    if check.asserts is Asserts.NOT_NULL:
        return column.is_null().sum()
    if check.asserts is Asserts.IN_SET:
        return (~column.is_in(list(check.arguments["value_set"]))).sum()
    if check.asserts is Asserts.UNIQUE:
        return (column.is_duplicated() & column.is_not_null()).sum()
    low, high = check.arguments.get("min_value"), check.arguments.get("max_value")
    outside = [column < low] if low is not None else []
    outside += [column > high] if high is not None else []
    return pl.any_horizontal(outside).sum()


if __name__ == "__main__":
    raise SystemExit(main())
