"""How much faster a catch-up would be with more workers, worked out from measured times of its tasks.

    python -m benchmarks.workers [--councils 12] [--months 6] [--seed 1] [--workers 2 4 8]

Every task is run once, one after the other, and its processor seconds are noted: reading a council's month, and
checking, counting and storing a month. Then they are scheduled as on Dask: a free worker takes the next council;
the run itself checks a month when it has been read and the month before has been checked. The last line has as many
workers as there are tasks: what is left is the chain of tasks that wait for each other. That the bytes are the same is
tested in `tests/integration/test_dask.py`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heapreplace
from pathlib import Path
from time import process_time
from typing import TypeVar

from features.months import Month
from flows.month import inputs
from flows.sample_region import sample_extracts
from flows.settings.settings import Settings
from flows.store.context import begin

T = TypeVar("T")

LAST = Month(2026, 10)


@dataclass(frozen=True)
class MonthTasks:
    """Processor seconds of a month's tasks."""

    reads: tuple[float, ...]
    """By council."""
    check: float
    """Checking, counting and storing the month."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, schedule, print. Always returns 0, as it only measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, default=12)
    parser.add_argument("--months", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tasks = measured(Path(folder), options.councils, options.months, options.seed)
    reading, checking = sum(sum(m.reads) for m in tasks), sum(m.check for m in tasks)
    alone = reading + checking
    print(f"{options.councils} councils, {options.months} months, processor seconds of the tasks:")  # noqa: T201
    print(f"  reading {reading:.2f}, checking and storing {checking:.2f}, together {alone:.2f}")  # noqa: T201
    for workers in options.workers:
        seconds = finished(tasks, workers)
        print(f"  {workers} workers: {seconds:.2f} s, {alone / seconds:.1f} times as fast as one process")  # noqa: T201
    least = finished(tasks, sum(len(m.reads) for m in tasks))
    print(f"  any number: {least:.2f} s, {alone / least:.1f} times; months are checked in order")  # noqa: T201
    return 0


def measured(folder: Path, councils: int, months: int, seed: int) -> list[MonthTasks]:
    """Take in every month of a made-up region, task by task."""
    sample_extracts(folder / "landing", councils, months, seed, LAST)
    settings = Settings.load(
        landing=str(folder / "landing"), store=str(folder / "store"), mail={"outbox": str(folder / "outbox")}
    )
    context = begin(settings, LAST, now=datetime.now(UTC), as_of=None)
    read = inputs.reader(context)
    tasks: list[MonthTasks] = []
    for due in inputs.due_in_history(context, LAST.plus(1 - months), LAST):
        found = [timed(lambda files=files: read(files)) for files in due.by_council()]  # type: ignore[misc]
        reads = [one for one, _ in found]
        _, check = timed(
            lambda due=due, reads=reads: inputs.check_months_of(  # type: ignore[misc]
                context, [due], [[r for one in reads for r in one]], reports=False
            )
        )
        tasks.append(MonthTasks(tuple(seconds for _, seconds in found), check))
    return tasks


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """A task's result and its processor seconds."""
    began = process_time()
    return work(), process_time() - began


def finished(tasks: Sequence[MonthTasks], workers: int) -> float:
    """When the last month is stored, if so many workers read in order and the run checks month after month."""
    free = [0.0] * workers
    checked = 0.0
    for month in tasks:
        read = 0.0
        for seconds in month.reads:
            ends = free[0] + seconds
            heapreplace(free, ends)
            read = max(read, ends)
        checked = max(checked, read) + month.check
    return checked


if __name__ == "__main__":
    raise SystemExit(main())
