"""Takes in many months as tasks: on this machine month by month, on a cluster by groups of councils."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextvars import copy_context
from copy import deepcopy
from typing import Any, cast

from prefect import task
from prefect.futures import PrefectFuture

from flows.extracts.submissions import Packed
from flows.month import inputs
from flows.month.count import ReadyMonth
from flows.month.edition import TakenIn
from flows.month.groups import AHEAD, CouncilGroup, GroupDone, groups_of, spans_of
from flows.month.portions import Portion, begin_reading, take_in_portions, what_is_there_stays
from flows.month.take_in import Due, Read
from flows.month.workers import reading_process
from flows.orchestration.task_runner import Parcel, workers
from flows.orchestration.tasks import PATIENT_STEP, check_and_count, whole
from flows.store.context import RunContext
from flows.store.progress import step


@task(task_run_name="Read {month}", **PATIENT_STEP)
def read_together(context: RunContext, month: str, due: Due, pool: ProcessPoolExecutor) -> list[Read]:
    """Read what every council sent for a month, in the process for reading."""
    with context.clock.stage("read"):
        return begin_reading(due, pool, inputs.reader(context))()


@task(task_run_name="Read, check and count {councils}, {months}", **PATIENT_STEP)
def take_in_group_task(
    context: RunContext, councils: str, months: str, due: Sequence[Due], before: GroupDone | None
) -> GroupDone:
    """Read, check and count some months of a group of councils, after those that it did before."""
    # In a parcel, or Prefect would search the result for tasks to wait for.
    return cast(GroupDone, Parcel(inputs.take_in_group_of(context, due, before)))


@task(task_run_name="Pack what came for {month}", **PATIENT_STEP)
def pack_received_task(context: RunContext, month: str, due: Due, groups: Sequence[ReadyMonth]) -> Packed:
    """Make the tables of what all groups read of a month, as they are kept. They are written when it is stored."""
    return inputs.pack_received_of(context, due, groups)


@task(task_run_name="Store {month}", **PATIENT_STEP)
def store_month_task(
    context: RunContext, month: str, due: Due, groups: Sequence[ReadyMonth], packed: Packed
) -> list[TakenIn]:
    """Put a month together from what the groups made of it, and store it."""
    return inputs.store_month_of(context, due, groups, packed)


def take_in(context: RunContext, due: Sequence[Due]) -> None:
    """Take in these months, oldest first, where the run's tasks are done."""
    if (at_once := workers()) is not None:
        _by_groups(context, due, groups_of(due, at_once))
        return
    with reading_process() as pool:
        take_in_portions(
            due,
            lambda one: read_together.submit(whole(context), str(one.month), whole(one), whole(pool)).result,
            lambda portion: check_and_count(
                whole(context), portion.name, whole(portion.retried()), whole(portion.reads), reports=False
            ),
        )


@what_is_there_stays()
def _by_groups(context: RunContext, due: Sequence[Due], groups: Sequence[CouncilGroup]) -> None:
    """Let groups of councils be taken in on the cluster, some months at a time, and store each month when all are done.

    Until its month is stored, a group's work is in memory alone: a run that is cut off leaves nothing half done, and
    the next one takes in whatever is not stored. A thread fetches and packs while months are stored.
    """
    # As the store is now: what is stored meanwhile is nothing to the groups, and would go with every task.
    at_first = deepcopy(context)
    last: list[Any] = [None] * len(groups)
    begun: deque[list[tuple[Due, Future[tuple[Sequence[ReadyMonth], Packed]]]]] = deque()
    waiting = deque(spans_of(due))
    beside = ThreadPoolExecutor(1)
    try:
        while waiting or begun:
            while waiting and len(begun) <= AHEAD:
                span = waiting.popleft()
                name = Portion(span).name
                step("Reading, checking and counting %s", name)
                last = [
                    take_in_group_task.submit(whole(at_first), group.name, name, whole(group.of(span)), before)
                    for group, before in zip(groups, last, strict=True)
                ]
                begun.append(
                    [
                        (one, beside.submit(copy_context().run, _fetched, context, one, place, last))
                        for place, one in enumerate(span)
                    ]
                )
            for one, fetched in begun.popleft():
                ready, packed = fetched.result()
                store_month_task(whole(context), str(one.month), whole(one), whole(ready), whole(packed))
                del fetched, ready, packed
                gc.collect()  # rows that something holds in a circle of references
    finally:
        beside.shutdown(wait=False, cancel_futures=True)


def _fetched(
    context: RunContext, due: Due, place: int, groups: Sequence[PrefectFuture[Any]]
) -> tuple[Sequence[ReadyMonth], Packed]:
    """A month as every group made it, at this place of its span, and what there is to record of it."""
    ready = [group.result().unquote().months[place] for group in groups]
    return ready, pack_received_task(whole(context), str(due.month), whole(due), whole(ready))
