"""Takes in past months portion by portion: some months are read, counted, kept and forgotten before the next ones.

How many months make a portion is decided by the rows that were read. The size of a file says little: a row takes 90
bytes as CSV and 10 as Parquet. So the memory that a catch-up needs does not depend on how many months it has.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from flows.extracts.landing import LandedFile
from flows.month.apart import concerns_whole_run, fault_sentence
from flows.month.take_in import Due, Read, load_checks, to_be_tried_again, unread
from flows.store.progress import step

#: Rows in a portion: some months of a small region, or one month of England. With larger portions, more memory is
#: needed. With smaller ones, what each check costs whatever it holds is paid too often.
ROWS_AT_ONCE = 300_000
#: How many months may be read before they are needed, however small they are.
_MOST_AHEAD = 12

#: A function that reads what one council sent for one month.
ReadOne = Callable[[Sequence[LandedFile]], list[Read]]
#: A month that is being read: waits until it has been.
Reading = Callable[[], list[Read]]


@dataclass
class Portion:
    """Some months that are checked and counted together, with what was read of them."""

    due: list[Due] = field(default_factory=list)
    reads: list[list[Read]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The months, to show."""
        first, last = self.due[0].month, self.due[-1].month
        return str(first) if first == last else f"{first} to {last}"

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return sum(map(_rows, self.reads))

    def retried(self) -> list[Due]:
        """The months, where those with something unread are marked to be tried again."""
        return [to_be_tried_again(one, read) for one, read in zip(self.due, self.reads, strict=True)]

    def forget(self) -> None:
        """Let go of the rows, whoever still holds the portion."""
        self.reads.clear()


def _rows(month: Sequence[Read]) -> int:
    return sum(read.extract.frame.height for read in month if read.extract is not None)


def begin_reading(one: Due, pool: Executor, read_one: ReadOne) -> Reading:
    """Begin to read what every council sent for a month, in the pool.

    `read_one` reads one council's files of a month; it must pickle.
    """
    found = pool.map(partial(read_or_fault, read_one), one.by_council(), chunksize=_COUNCILS_AT_ONCE)
    return lambda: [read for reads in found for read in reads]


_COUNCILS_AT_ONCE = 8


def read_or_fault(read: ReadOne, files: Sequence[LandedFile]) -> list[Read]:
    """Read what one council sent. A fault is returned as a result, so that it does not stop other councils."""
    try:
        return read(files)
    except Exception as error:
        if concerns_whole_run(error):
            raise
        return unread(files, fault_sentence(files[0].council, f"reading {files[0].month}", error))


@contextmanager
def what_is_there_stays() -> Iterator[None]:
    """Leave what is there already out of every search for garbage, which would take longest over it."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@what_is_there_stays()
def take_in_portions(
    due: Sequence[Due],
    begin: Callable[[Due], Reading],
    keep: Callable[[Portion], object],
    prepare: Callable[[], None] = load_checks,
) -> None:
    """Read the months one by one, and keep each portion before it is forgotten. More months are read ahead meanwhile.

    `keep` checks, counts and stores a portion. `prepare` runs while the first months are being read.
    """
    portion, waiting, ahead, largest = Portion(), deque(due), deque[tuple[Due, Reading]](), 0

    def read_ahead() -> None:
        """As many months as make a portion if each is as large as the largest so far; two until one is known."""
        most = min(_MOST_AHEAD, ROWS_AT_ONCE // largest) if largest else 2
        while waiting and len(ahead) < max(1, most):
            one = waiting.popleft()
            ahead.append((one, begin(one)))

    read_ahead()
    prepare()
    while ahead:
        one, reading = ahead.popleft()
        portion.due.append(one)
        portion.reads.append(reading())
        largest = max(largest, _rows(portion.reads[-1]))
        read_ahead()
        # The next month is probably as large as these.
        if not ahead or portion.rows * (1 + 1 / len(portion.due)) > ROWS_AT_ONCE:
            step("Checking and counting %s", portion.name)
            keep(portion)
            portion.forget()
            if ahead:
                gc.collect()  # rows that something holds in a circle of references
            portion = Portion()
