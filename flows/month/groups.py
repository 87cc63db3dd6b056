"""Cuts a catch-up by councils: each group of councils is read, checked and counted apart, some months at a time.

Months depend on the months before, but councils do not depend on each other. So groups can be taken in side by side,
and the run only puts their months together and stores them, oldest first, while the groups go on with the next ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from expectations.accepted import Accepted
from features.errors import HoldfastError
from features.months import Month
from flows.extracts.submissions import Packed
from flows.month.count import Ahead, ReadyMonth, as_one, months_counted
from flows.month.portions import Portion, Reading, ReadOne, read_or_fault, take_in_portions
from flows.month.take_in import Due
from flows.store.editions import History

#: How many months a group takes in at a time. With more, the first is stored later. With fewer, what a check costs
#: whatever it holds is paid too often.
_MONTHS_AT_A_TIME = 3
#: How many such spans the groups may be ahead of the one that is stored: enough that no worker waits for the run.
AHEAD = 2


@dataclass(frozen=True, slots=True)
class CouncilGroup:
    """Some councils, all of whose months are taken in together."""

    councils: Mapping[str, str]
    """la_code -> name, in order of la_code."""

    @property
    def name(self) -> str:
        """The first and the last council, to show."""
        names = list(self.councils.values()) or ["no council"]
        return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"

    def of(self, months: Sequence[Due]) -> list[Due]:
        """The months with this group's files alone."""
        return [replace(one, files=tuple(f for f in one.files if f.council.la_code in self.councils)) for one in months]


@dataclass(frozen=True, slots=True)
class GroupDone:
    """Some months of a group, ready to be stored with those of the others, and what its next months need besides."""

    months: tuple[ReadyMonth, ...]
    """Without their batches, whose rows are in what was read; `as_one` makes them again."""
    earlier: Mapping[Month, Mapping[str, pl.DataFrame]]


def groups_of(due: Sequence[Due], wanted: int) -> list[CouncilGroup]:
    """The councils that sent anything, in so many groups of about as much work, in order of la_code.

    Work is counted in bytes. Each file counts as many again as files have on average, for its header and checks. There
    is at least one group, which has no council if nobody sent anything that could be recognised.
    """
    files = [f for one in due for f in one.files]
    names = {f.council.la_code: f.council.name for f in files}
    usual = sum(f.size for f in files) / max(len(files), 1)
    work = dict.fromkeys(sorted(names), 0.0)
    for file in files:
        work[file.council.la_code] += file.size + usual
    groups: list[list[str]] = [[]]
    before, share = 0.0, sum(work.values()) / max(wanted, 1)
    for la_code, own in work.items():
        # A council goes where the middle of its work lies.
        if groups[-1] and before + own / 2 >= share * len(groups):
            groups.append([])
        groups[-1].append(la_code)
        before += own
    return [CouncilGroup({code: names[code] for code in codes}) for codes in groups]


def spans_of(due: Sequence[Due]) -> list[list[Due]]:
    """The months in the lists that a group takes in at a time. The first and the last are short.

    The run waits for the first with nothing to do, and the workers for it at the last.
    """
    months, spans = list(due), [list(due[:1])]
    while left := months[sum(map(len, spans)) :]:
        spans.append(left[: max(1, min(_MONTHS_AT_A_TIME, len(left) // 2))])
    return spans if due else []


def take_in_group(
    history: History, due: Sequence[Due], read_one: ReadOne, accepted: Sequence[Accepted], before: GroupDone | None
) -> GroupDone:
    """Read, check and count some months of a group. `before`: the months that it did before these."""
    ahead = Ahead(history, before.earlier if before else None)
    if before is not None:
        ahead.hold(as_one(before.months[-1].checked.due, before.months[-1:]))
    done: list[ReadyMonth] = []

    def begin(one: Due) -> Reading:
        return lambda: [read for files in one.by_council() for read in read_or_fault(read_one, files)]

    def keep(portion: Portion) -> None:
        done.extend(months_counted(ahead, portion.retried(), portion.reads, accepted, all_may_fail=True))

    take_in_portions(due, begin, keep)
    last = done[-1].checked.due.month
    return GroupDone(
        tuple(one.without_batch() for one in done),
        {month: tables for month, tables in ahead.ready.items() if month != last},
    )


def put_together(due: Due, groups: Sequence[ReadyMonth], packed: Packed) -> ReadyMonth:
    """A month of all councils, from that of every group.

    Raises HoldfastError if something failed at every council, as the fault is then not a council's.
    """
    month = as_one(due, groups, packed)
    if month.failed and month.failed.keys() >= {read.file.council.la_code for read in month.checked.reads}:
        raise HoldfastError(next(iter(month.failed.values())))
    return month
