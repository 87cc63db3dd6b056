"""Runs a step over all councils at once, so that a fault at one council does not stop the others.

One pass over all councils is many times faster than one pass for each, but one council's rows can then make the
step fail for all. So the step is first tried with every council. If it fails, the councils at fault are found by
halving the list, and left out. The step may run several times, so it must not change anything.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from features.councils import Council
from features.errors import HoldfastError, SettingsError, StoreError
from flows.store import DamagedObject

T = TypeVar("T")


def concerns_whole_run(error: Exception) -> bool:
    """Whether the fault is the run's and not one council's: the store is away, or a setting is wrong."""
    return isinstance(error, (StoreError, SettingsError, MemoryError)) and not isinstance(error, DamagedObject)


@dataclass(frozen=True)
class StepResult(Generic[T]):
    """A step's result for the councils at which it worked, and what went wrong at the others."""

    result: T
    faults: Mapping[str, Exception]
    """la_code -> why it was left out."""


def run_by_council(
    councils: Sequence[str], step: Callable[[Sequence[str]], T], *, all_may_fail: bool = False
) -> StepResult[T]:
    """Run the step for all councils except those at which it fails.

    Raises the step's own error if it is a fault of the run, if no single council is at fault, or if the step fails at
    every council, unless there are others (`all_may_fail`).
    """
    try:
        return StepResult(step(councils), {})
    except Exception as error:
        if concerns_whole_run(error):
            raise
        faults = _faults(councils, step) if len(councils) > 1 else dict.fromkeys(councils, error)
        if not faults or len(faults) == len(councils) and not all_may_fail:
            raise
    return StepResult(step([c for c in councils if c not in faults]), faults)


def _faults(councils: Sequence[str], step: Callable[[Sequence[str]], T]) -> dict[str, Exception]:
    """The councils at which the step fails by themselves, out of a list at which it is known to fail as a whole."""
    found: dict[str, Exception] = {}
    middle = len(councils) // 2
    for half in (councils[:middle], councils[middle:]):
        try:
            step(half)
        except Exception as error:
            if concerns_whole_run(error):
                raise
            found |= {half[0]: error} if len(half) == 1 else _faults(half, step)
    return found


def fault_sentence(council: Council, what: str, error: Exception) -> str:
    """A sentence on what failed at a council: “Barnsley (370): counting failed: …”."""
    return f"{council.name} ({council.la_code}): {what} failed: {fault_in_words(error)}"


def fault_in_words(error: Exception) -> str:
    """The text of an error of ours. For any other error its type and place, as its text could contain a value."""
    if isinstance(error, HoldfastError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return (
        f"a fault in Holdfast ({type(error).__name__}{where}), not in what the council sent. "
        "Nothing needs to be sent again: the next run of the month tries it again; if it stays, report this line."
    )
