"""Times reading a national month of Annex A workbooks into extracts, against a bare read of the same cells.

python -m benchmarks.annex_a [workbooks] [processes]

The workbooks are made up at England's levels (2,700 to 7,000 episodes each, with half a year of history). Writing takes
longer than reading, so only a few different workbooks are written, and read repeatedly up to the number asked for.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl
from python_calamine import load_workbook

from features.councils import Council
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.reading.table import Limits
from flows.sample_region import as_sent, generate, region
from flows.sample_region.annex_a import WINDOW_MONTHS, annex_a_workbook

LAST = Month(2026, 10)
DIFFERENT = 6
KEY = b"a key of thirty-two bytes or more"


def write(folder: Path, councils: int) -> list[Path]:
    """Write one workbook for each of a few made-up councils."""
    made = region(councils, WINDOW_MONTHS, 11, LAST)
    sent: dict[str, list[pl.DataFrame]] = {c.la_code: [] for c in made.councils}
    for frames in generate(made):
        cases = as_sent(frames.frames[Kind.CASELOAD], Kind.CASELOAD)
        for code, own in sent.items():
            own.append(cases.filter(pl.col("la_code") == code))
    paths = []
    for number, own in enumerate(sent.values()):
        paths.append(folder / f"{number}.xlsx")
        paths[-1].write_bytes(annex_a_workbook(own, LAST))
    return paths


def read(path: Path) -> int:
    """Read a workbook as the caseload extract. Returns the number of episodes."""
    council = Council("370", "Barnsley", Month(2015, 1))
    asked = Asked("annex_a.xlsx", Kind.CASELOAD, council, LAST, KEY, datetime(2026, 11, 5, tzinfo=UTC), Limits())
    return read_form(Form.ANNEX_A, path.read_bytes(), asked).frame.height


def bare(path: Path) -> int:
    """Read every cell of the workbook with Calamine and do nothing else. Returns the number of cells."""
    workbook = load_workbook(io.BytesIO(path.read_bytes()))
    sheets = [workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in workbook.sheet_names]
    return sum(len(row) for rows in sheets for row in rows)


def with_cpu(work: Callable[[Path], int], path: Path) -> tuple[int, float]:
    """The result and the processor time, which other load on the machine affects least."""
    began = process_time()
    return work(path), process_time() - began


def timed(pool: ProcessPoolExecutor, work: Callable[[Path], int], paths: list[Path]) -> tuple[float, int, float]:
    """Seconds by the clock, the sum of the results, and processor seconds per workbook."""
    began = perf_counter()
    done = list(pool.map(partial(with_cpu, work), paths))
    return perf_counter() - began, sum(n for n, _ in done), sum(cpu for _, cpu in done) / len(done)


def main(workbooks: int = 153, processes: int = 2) -> None:
    """Write the workbooks, time the reads, print the results."""
    with tempfile.TemporaryDirectory() as folder:
        different = write(Path(folder), min(DIFFERENT, workbooks))
        size = sum(p.stat().st_size for p in different) / len(different) / 1e6
        paths = (different * (workbooks // len(different) + 1))[:workbooks]
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            timed(pool, read, paths[: 2 * processes])
            load = os.getloadavg()[0]
            seconds, episodes, cpu = timed(pool, read, paths)
            floor, cells, floor_cpu = timed(pool, bare, paths)
        read(paths[-1])  # warm up: do what a process does only once
        began = perf_counter()
        read(paths[0])
        one = perf_counter() - began
    sys.stdout.write(
        f"{workbooks} workbooks of {size:.1f} MB, {cells:,} cells -> {episodes:,} episodes, {processes} processes, "
        f"load {load:.1f} before\n"
        f"read as extracts:   {seconds:6.1f} s, {workbooks / seconds:5.1f} workbooks a second, "
        f"{cpu:.2f} s of processor each\n"
        f"bare Calamine read: {floor:6.1f} s, {workbooks / floor:5.1f} workbooks a second, {floor_cpu:.2f} s each; "
        f"ratio {seconds / floor:.1f}\n"
        f"one council's month, one process: {one:.2f} s\n"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
