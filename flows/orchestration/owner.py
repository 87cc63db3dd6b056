"""The current run as the owner of a claim."""

from __future__ import annotations

from contextlib import AbstractContextManager

from prefect import runtime

from features.months import Month
from flows.store.claims import HeldClaim, Owner, claimed, wall_clock
from flows.store.context import RunContext
from flows.store.processes import this_process


def this_run() -> Owner:
    """The owner that runs this code: the flow run with its name, or a process outside any flow run."""
    flow, name = runtime.flow_run.flow_name, runtime.flow_run.name
    who = f"{flow} “{name}”" if flow else "holdfast"
    return Owner(who, str(runtime.flow_run.id or ""), this_process())


def holding(context: RunContext, of: Month | str) -> AbstractContextManager[HeldClaim]:
    """`claimed` for the current run, with its settings and the wall clock: only real time shows if a holder lives."""
    return claimed(context.store, of, this_run(), rules=context.settings.claims, clock=wall_clock)
