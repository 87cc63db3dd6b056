"""A step over all councils at once which a fault at one of them does not stop.

Working on all councils together is many times faster than one by one, and one council's rows can then end the
step for everybody. So the step is tried whole; only if that fails are the councils at fault looked for, by halves,
and left out. A step tried in this way must change nothing: it may be tried several times.
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


def of_the_run(error: Exception) -> bool:
    """Whether it is a fault of the run, whichever council is looked at: the store is away, a setting is wrong."""
    return isinstance(error, (StoreError, SettingsError, MemoryError)) and not isinstance(error, DamagedObject)


@dataclass(frozen=True)
class Apart(Generic[T]):
    """What a step made of the councils it could work on, and what happened at the others."""

    result: T
    faults: Mapping[str, Exception]
    """la_code -> why it was left out."""


def apart(councils: Sequence[str], step: Callable[[Sequence[str]], T]) -> Apart[T]:
    """The step's result for all councils but those at which it fails.

    Raises what the step raises if that is a fault of the run, if it fails at every council, or if no single
    council is at fault.
    """
    try:
        return Apart(step(councils), {})
    except Exception as error:
        if of_the_run(error):
            raise
        faults = _faults(councils, step) if len(councils) > 1 else {}
        if not faults or len(faults) == len(councils):
            raise
    return Apart(step([c for c in councils if c not in faults]), faults)


def _faults(councils: Sequence[str], step: Callable[[Sequence[str]], T]) -> dict[str, Exception]:
    """The councils at which the step fails when it is given them alone; the step is known to fail at them together."""
    found: dict[str, Exception] = {}
    middle = len(councils) // 2
    for half in (councils[:middle], councils[middle:]):
        try:
            step(half)
        except Exception as error:
            if of_the_run(error):
                raise
            found |= {half[0]: error} if len(half) == 1 else _faults(half, step)
    return found


def fault_sentence(council: Council, what: str, error: Exception) -> str:
    """What failed at a council: “Barnsley (370): counting failed: …”."""
    return f"{council.name} ({council.la_code}): {what} failed: {fault_in_words(error)}"


def fault_in_words(error: Exception) -> str:
    """An error of ours as it is; any other by its kind and place, never its text, which could hold a value."""
    if isinstance(error, HoldfastError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return (
        f"a fault in Holdfast ({type(error).__name__}{where}), not in what the council sent. "
        "Nothing needs to be sent again: the next run of the month tries it again; if it stays, report this line."
    )
