"""Times Great Expectations against the same rules as bare Polars expressions, on a national month of a made-up England.

    python -m benchmarks.validation [--councils 153]

Great Expectations runs on its own pandas engine. Every count of failing rows is compared first. The Polars side is one
pass over the same table: the least that any engine could do.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from unittest import mock

import polars as pl

from benchmarks.monthly_run import LAST, prepared, take_in
from expectations.passing import engine
from expectations.suites.rules import Asserts
from features.months import Month
from flows.sample_region import region


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one month of every council, print both times. Exit code 1 if a count differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, default=153)
    councils = parser.parse_args(arguments).councils
    seconds, processor = [0.0, 0.0], [0.0, 0.0]
    differ: list[str] = []
    rows = checked = 0
    run = engine.run

    def both(name: str, first: Month, last: Month, table: pl.DataFrame, checks: Sequence[engine.Check]) -> engine.Ran:
        nonlocal rows, checked
        began, worked = perf_counter(), process_time()
        ran = run(name, first, last, table, checks)
        middle, half = perf_counter(), process_time()
        raw = table.select(_failing(check).alias(check.code) for check in checks).row(0, named=True)
        ended, done = perf_counter(), process_time()
        for at, took, work in ((0, middle - began, half - worked), (1, ended - middle, done - half)):
            seconds[at] += took
            processor[at] += work
        found = {one.expectation_config.meta["check"]: one.result["unexpected_count"] for one in ran.suite.results}
        differ.extend(code for code, count in raw.items() if found[code] != count)
        rows, checked = rows + table.height, checked + len(checks)
        return ran

    with tempfile.TemporaryDirectory() as folder:
        context = prepared(Path(folder), region(councils, 2, 1, LAST))
        with mock.patch.object(engine, "run", both):
            take_in(context)
    print(f"{councils} councils, {rows:,} rows in all tables, {checked} rules")  # noqa: T201
    for title, took, work in zip(("Great Expectations", "bare Polars"), seconds, processor, strict=True):
        print(f"  {title:20}{took:8.2f} s{work:8.2f} s of processor")  # noqa: T201
    print(f"Great Expectations takes {processor[0] / processor[1]:.1f} times the processor of bare Polars")  # noqa: T201
    print("all counts equal" if not differ else f"COUNTS DIFFER: {', '.join(differ)}")  # noqa: T201
    return 1 if differ else 0


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
