"""Taking in months that have gone by: portions of them are checked and counted while the next is being read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Protocol

from flows.extracts.landing import LandedFile
from flows.month.apart import fault_sentence, of_the_run
from flows.month.take_in import Due, Read, load_checks, to_be_tried_again, unread
from flows.store.progress import step

#: Rows read and checked together: some months of a small region, one month of England. With more, the last portion
#: is checked while nothing is left to read; with fewer, Great Expectations begins more often than it pays.
_ROWS_AT_ONCE = 300_000
_BYTES_PER_ROW = 90
#: Processes that read files.
READERS = 2


#: Reads what one council sent for one month.
ReadOne = Callable[[Sequence[LandedFile]], list[Read]]


class Reading(Protocol):
    """A portion that is being read: Prefect's future or Python's."""

    def result(self) -> list[list[Read]]: ...


def in_portions(due: Sequence[Due]) -> list[list[Due]]:
    """Consecutive months whose files together hold about as many rows as fit one pass."""
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
    """What every council sent for some months, months and councils side by side in the pool's processes.

    `read_one` reads one council's files of a month; it must pickle.
    """
    work = [(i, files) for i, one in enumerate(due) for files in one.by_council()]
    read = list(pool.map(partial(_read_or_fault, read_one), [files for _, files in work], chunksize=8))
    reads: list[list[Read]] = [[] for _ in due]
    for (i, _), found in zip(work, read, strict=True):
        reads[i] += found
    return reads


def _read_or_fault(read: ReadOne, files: Sequence[LandedFile]) -> list[Read]:
    """What one council sent, or the fault in its place: it ends no other council's month."""
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
    """Check and count each portion while the next one is being read. Both are given the portion's name for people.

    `prepare` is done while the first is being read.
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
    """The months, those marked to be tried again in which something could not be read."""
    return [to_be_tried_again(one, read) for one, read in zip(due, reads, strict=True)]


def take_in_plainly(
    due: Sequence[Due],
    read: Callable[[list[Due]], list[list[Read]]],
    check: Callable[[list[Due], list[list[Read]]], object],
    prepare: Callable[[], None] = load_checks,
) -> None:
    """The same without Prefect, for months before there is anybody to watch them: the demo's history."""
    with ThreadPoolExecutor(1) as reader:
        take_in_portions(
            in_portions(due),
            lambda _, portion: reader.submit(read, portion),
            lambda _, portion, reads: check(retried(portion, reads), reads),
            prepare,
        )
