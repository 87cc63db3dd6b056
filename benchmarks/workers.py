"""How much faster a catch-up would be with more workers, worked out from measured times of its tasks.

    python -m benchmarks.workers [--councils 12] [--months 6] [--seed 1] [--workers 2 4 8]

Every task is run once, one after the other, and its processor seconds are noted: reading a council's month, and
checking, counting and storing a month. Then they are scheduled as on Dask: a free worker takes the next council;
the run itself checks a month when it has been read and the month before has been checked. The last line of a table has
as many workers as there are tasks: what is left is the chain of tasks that wait for each other. That the bytes are the
same is tested in `tests/integration/test_dask.py`.

The second table is of a graph that does not exist: workers would also do whatever of checking needs no other month, and
only comparing with earlier months and counting from the state of the month before would be done in order. It says what
cutting by months could bring at most.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heapreplace
from pathlib import Path
from time import process_time
from types import ModuleType
from typing import TypeVar

from expectations.passing import check
from features.months import Month
from flows.month import edition, inputs
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
    in_order: float
    """The part of it that needs the month before: comparing with earlier months, and counting from a state."""


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
    for title, of in (("months are checked in order", tasks), ("only what needs them is", [cut(m) for m in tasks])):
        print(f"  {title}: {sum(m.check for m in of):.2f} s in order")  # noqa: T201
        for workers in [*options.workers, sum(len(m.reads) for m in of)]:
            seconds = finished(of, workers)
            print(f"  {workers:4} workers: {seconds:.2f} s, {alone / seconds:.1f} times as fast as one process")  # noqa: T201
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
        with noted(check, "run_dynamic") as compared, noted(edition, "count_usable") as counted:
            _, whole = timed(
                lambda due=due, reads=reads: inputs.check_months_of(  # type: ignore[misc]
                    context, [due], [[r for one in reads for r in one]], reports=False
                )
            )
        tasks.append(MonthTasks(tuple(seconds for _, seconds in found), whole, sum(compared) + sum(counted)))
    return tasks


@contextmanager
def noted(module: ModuleType, name: str) -> Iterator[list[float]]:
    """The processor seconds of each call of a module's function."""
    function, seconds = getattr(module, name), []

    def noting(*given: object, **named: object) -> object:
        result, took = timed(lambda: function(*given, **named))
        seconds.append(took)
        return result

    setattr(module, name, noting)
    try:
        yield seconds
    finally:
        setattr(module, name, function)


def cut(month: MonthTasks) -> MonthTasks:
    """The same month, if workers did whatever of its check needs no other month, as one more task after the reading."""
    own = month.check - month.in_order
    return MonthTasks((*month.reads, own), month.in_order, month.in_order)


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
