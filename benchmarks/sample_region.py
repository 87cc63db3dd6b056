"""Prints how close the made-up region is to England, and how long it takes to make.

python -m benchmarks.sample_region [councils] [months] [seed]
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from time import perf_counter

import polars as pl

from features.months import Month
from flows.sample_region import MonthFrames, generate, region
from flows.sample_region.realised import beside_anchors, yearly_figures


def main(councils: int = 153, months: int = 36, seed: int = 1) -> None:
    """Make the region, compare it with England, print the results."""
    begin = perf_counter()
    rows = 0

    def counted() -> Iterator[MonthFrames]:
        nonlocal rows
        for frames in generate(region(councils, months, seed, Month(2026, 10))):
            rows += sum(f.height for f in frames.frames.values())
            yield frames

    figures = yearly_figures(counted())
    seconds = perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with pl.Config(tbl_cols=-1, tbl_width_chars=200, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        sys.stdout.write(f"{beside_anchors(figures)}\n")
    sys.stdout.write(
        f"{councils} councils, {months} months, {rows:,} rows in {seconds:.1f} s, peak memory {peak:.0f} MiB\n"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
