"""Takes in past months in portions: each portion is checked and counted while the next one is being read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Protocol

from flows.extracts.landing import LandedFile
from flows.month.apart import fault_sentence, of_the_run
from flows.month.take_in import Due, Read, load_checks, to_be_tried_again, unread
from flows.store.progress import step

#: Rows in a portion: some months of a small region, or one month of England. With larger portions, more checking is
#: left when nothing remains to be read. With smaller ones, Great Expectations starts too often.
_ROWS_AT_ONCE = 300_000
_BYTES_PER_ROW = 90
#: The number of processes that read files.
READERS = 2


#: A function that reads what one council sent for one month.
ReadOne = Callable[[Sequence[LandedFile]], list[Read]]


class Reading(Protocol):
    """A portion that is being read: a future of Prefect's or of Python's."""

    def result(self) -> list[list[Read]]: ...


def in_portions(due: Sequence[Due]) -> list[list[Due]]:
    """Group consecutive months so that each group's files have about as many rows as fit in one pass."""
    portions: list[list[Due]] = []
    room = 0
    for one in due:
        size = sum(f.size for f in one.files) // _BYTES_PER_ROW
        if not portions or size > room:
            portions.append([])
            room = _ROWS_AT_ONCE
        portions[-1].append(one)
        room -= size
    return portions


def read_portion(due: Sequence[Due], pool: Executor, read_one: ReadOne) -> list[list[Read]]:
    """Read what every council sent for some months, in parallel in the pool's processes.

    `read_one` reads one council's files of a month; it must pickle.
    """
    work = [(i, files) for i, one in enumerate(due) for files in one.by_council()]
    read = list(pool.map(partial(_read_or_fault, read_one), [files for _, files in work], chunksize=8))
    reads: list[list[Read]] = [[] for _ in due]
    for (i, _), found in zip(work, read, strict=True):
        reads[i] += found
    return reads


def _read_or_fault(read: ReadOne, files: Sequence[LandedFile]) -> list[Read]:
    """Read what one council sent. A fault is returned as a result, so that it does not stop other councils."""
    try:
        return read(files)
    except Exception as error:
        if of_the_run(error):
            raise
        return unread(files, fault_sentence(files[0].council, f"reading {files[0].month}", error))


def take_in_portions(
    portions: Sequence[list[Due]],
    start_reading: Callable[[str, list[Due]], Reading],
    check: Callable[[str, list[Due], list[list[Read]]], object],
    prepare: Callable[[], None] = load_checks,
) -> None:
    """Check and count each portion while the next one is being read. Both functions get the portion's name to show.

    `prepare` runs while the first portion is being read.
    """
    if not portions:
        return
    names = [f"{p[0].month} to {p[-1].month}" for p in portions]
    ahead = start_reading(names[0], portions[0])
    prepare()
    for i, portion in enumerate(portions):
        reads = ahead.result()
        if i + 1 < len(portions):
            ahead = start_reading(names[i + 1], portions[i + 1])
        step("Checking and counting %s", names[i])
        check(names[i], portion, reads)


def retried(due: Sequence[Due], reads: Sequence[Sequence[Read]]) -> list[Due]:
    """The months, where those with something unread are marked to be tried again."""
    return [to_be_tried_again(one, read) for one, read in zip(due, reads, strict=True)]


def take_in_plainly(
    due: Sequence[Due],
    read: Callable[[list[Due]], list[list[Read]]],
    check: Callable[[list[Due], list[list[Read]]], object],
    prepare: Callable[[], None] = load_checks,
) -> None:
    """The same without Prefect, for the demo's history, as nobody watches those months in the UI."""
    with ThreadPoolExecutor(1) as reader:
        take_in_portions(
            in_portions(due),
            lambda _, portion: reader.submit(read, portion),
            lambda _, portion, reads: check(retried(portion, reads), reads),
            prepare,
        )
