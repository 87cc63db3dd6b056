"""How much faster workers make a catch-up, worked out from measured times of its tasks.

    python -m benchmarks.workers [--councils 153] [--months 24] [--seed 1] [--workers 2 4 8]

One process takes in every month of a made-up region. In turn with it, so that a busy machine slows both alike, the same
months are cut as on a Dask cluster of so many workers. Every task is run once, and its processor seconds are noted with
those of pickling what it hands on. The stores must be equal, object by object. Then the tasks are scheduled as Dask and
the run would: a worker takes the first task that waits for nothing more; one thread of the run packs what came, another
stores the months. The last
column has as many workers as there are tasks: what is left is the longest chain of tasks that wait for each other.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from time import process_time
from typing import TypeVar

from features.months import Month
from flows.month import inputs
from flows.month.groups import AHEAD, CouncilGroup, GroupDone, groups_of, spans_of
from flows.month.portions import Portion, Reading, take_in_portions
from flows.month.take_in import Due, load_checks
from flows.sample_region import sample_extracts
from flows.settings.settings import Settings
from flows.store import store_at
from flows.store.context import RunContext, begin

T = TypeVar("T")

LAST = Month(2026, 10)
NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)
_NEVER = Month(2199, 12)


class Hands(Enum):
    """Who does a task: a worker, or one of the run's two threads."""

    WORKER = "worker"
    PACKER = "packer"
    STORER = "storer"


@dataclass(frozen=True)
class Timed:
    """A task of the graph: its processor seconds, and the tasks before it, by their places in the graph."""

    seconds: float
    after: tuple[int, ...]
    by: Hands = Hands.WORKER


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, schedule, print. Returns 0 unless the stores differ: times are only printed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, default=153)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8])
    options = parser.parse_args(arguments)
    load_checks()
    with tempfile.TemporaryDirectory() as folder:
        sample_extracts(Path(folder) / "landing", options.councils, options.months, options.seed, LAST)
        graphs: dict[int, list[Timed]] = {workers: [] for workers in options.workers}
        stores, cut = [], []
        for workers, graph in graphs.items():
            context, due = opened(Path(folder), str(workers), options.months)
            stores.append(context)
            cut.append(measured(context, due, groups_of(due, workers), graph))
        context, due = opened(Path(folder), "alone", options.months)
        alone = one_process(context, due, cut)
        print(f"{options.councils} councils, {options.months} months: {alone:.1f} s of processor in one process")  # noqa: T201
        print("workers  tasks  their s  packing  storing  finished  times as fast  with any number")  # noqa: T201
        for workers, graph in graphs.items():
            print(_row(graph, workers, alone))  # noqa: T201
        same = {digest(one) for one in (context, *stores)}
    if len(same) > 1:
        print("The stores differ.")  # noqa: T201
    return len(same) - 1


def _row(graph: Sequence[Timed], workers: int, alone: float) -> str:
    theirs, packing, storing = (sum(t.seconds for t in graph if t.by is by) for by in Hands)
    ends = finished(graph, workers)
    return (
        f"{workers:7}  {len(graph):5}  {theirs:7.1f}  {packing:7.1f}  {storing:7.1f}  {ends:8.1f}  "
        f"{alone / ends:13.1f}  {alone / finished(graph, len(graph)):15.1f}"
    )


def opened(folder: Path, store: str, months: int) -> tuple[RunContext, list[Due]]:
    """A context with an empty store of that name, and the months to take in."""
    settings = Settings.load(
        landing=str(folder / "landing"), store=str(folder / store), mail={"outbox": str(folder / "outbox")}
    )
    context = begin(settings, LAST, now=NOW, as_of=None)
    return context, inputs.due_in_history(context, LAST.plus(1 - months), LAST)


def one_process(context: RunContext, due: Sequence[Due], others: Sequence[Iterator[Month]]) -> float:
    """Take in the months without a second process; seconds. Whenever it has done some, the `others` do the same."""
    read, seconds = inputs.reader(context), 0.0
    done = {other: next(other) for other in others}

    def begin_one(one: Due) -> Reading:
        return lambda: taking(lambda: [r for files in one.by_council() for r in read(files)])

    def taking(work: Callable[[], T]) -> T:
        nonlocal seconds
        result, took = timed(work)
        seconds += took
        return result

    def keep(portion: Portion) -> None:
        taking(lambda: inputs.check_months_of(context, portion.retried(), portion.reads, reports=False))
        for other in others:
            while done[other] <= portion.due[-1].month:
                done[other] = next(other, _NEVER)

    take_in_portions(due, begin_one, keep)
    return seconds


def measured(
    context: RunContext, due: Sequence[Due], groups: Sequence[CouncilGroup], graph: list[Timed]
) -> Iterator[Month]:
    """Take in the months task by task, as `orchestration.catch_up` does; gives each span's last month before it."""
    spans: list[int] = []
    last: list[tuple[GroupDone | None, tuple[int, ...]]] = [(None, ())] * len(groups)
    for number, span in enumerate(spans_of(due)):
        yield span[-1].month
        gate = (spans[number - AHEAD - 1],) if number > AHEAD else ()
        sent: list[bytes] = []
        for place, (group, (before, task)) in enumerate(zip(groups, last, strict=True)):
            done, seconds = timed(partial(inputs.take_in_group_of, context, group.of(span), before))
            parcel, pickling = timed(partial(pickle.dumps, done, protocol=5))
            sent.append(parcel)
            last[place] = (done, (_add(graph, seconds + pickling, *gate, *task),))
        made, seconds = timed(partial(_unpickled, sent))
        fetched = _add(graph, seconds, *(task for _, (task,) in last), by=Hands.PACKER)
        for one, *months in zip(span, *(group.months for group in made), strict=True):
            packed, seconds = timed(partial(inputs.pack_received_of, context, one, months))
            fetched = _add(graph, seconds, fetched, by=Hands.PACKER)
            _, seconds = timed(partial(inputs.store_month_of, context, one, months, packed))
            stored = _add(graph, seconds, fetched, by=Hands.STORER)
        spans.append(stored)


def _unpickled(sent: Sequence[bytes]) -> list[GroupDone]:
    return [pickle.loads(one) for one in sent]


def _add(graph: list[Timed], seconds: float, *after: int, by: Hands = Hands.WORKER) -> int:
    graph.append(Timed(seconds, after, by))
    return len(graph) - 1


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """A task's result and its processor seconds."""
    began = process_time()
    return work(), process_time() - began


def finished(graph: Sequence[Timed], workers: int) -> float:
    """When the last task is done, if always the task that can begin first does, on the worker that is free first."""
    ends: dict[int, float] = {}
    free = {Hands.WORKER: [0.0] * workers, Hands.PACKER: [0.0], Hands.STORER: [0.0]}
    waiting = list(range(len(graph)))

    def begins(task: int) -> float:
        return max([min(free[graph[task].by]), *(ends[before] for before in graph[task].after)])

    while waiting:
        task = min((t for t in waiting if all(before in ends for before in graph[t].after)), key=begins)
        hands, ends[task] = free[graph[task].by], begins(task) + graph[task].seconds
        hands[hands.index(min(hands))] = ends[task]
        waiting.remove(task)
    return max(ends.values())


def digest(context: RunContext) -> str:
    """A hash of every object of the store, by name."""
    store = store_at(context.settings.store)
    found = hashlib.sha256()
    for name in sorted(o.name for o in store.list()):
        found.update(f"{name} {hashlib.sha256(store.read(name)).hexdigest()}\n".encode())
    return found.hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
