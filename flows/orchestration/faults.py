"""Runs a step for each council as a task run: a fault is reported for that council, and the others go on.

A task run ends Failed, with a sentence, when its council needs a person. It still passes on its result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import httpx
from prefect.client.schemas.objects import State
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from features.councils import Council
from features.errors import HoldfastError
from flows.month.apart import fault_in_words, fault_sentence
from flows.store.progress import step

T = TypeVar("T")


@dataclass(frozen=True)
class CouncilUnit(Generic[T]):
    """One council's part of a step that is running."""

    council: Council
    what: str
    """What is being done, as part of a sentence: “reading 2026-10”."""
    future: PrefectFuture[Any] | State[Any]
    otherwise: Callable[[str], T | None]
    """Makes the result to use if the step failed, from the sentence about the fault; None means no result."""


class UnexpectedFault(HoldfastError):
    """The step failed for every council, so the fault is Holdfast's own and the run could do nothing."""

    exit_code = 23


def needs_a_person(value: T, sentence: str) -> T:
    """Return the value, and end the task run Failed with this sentence. With an empty sentence it does not fail."""
    failed: State[Any] = Failed(message=sentence, data=value)
    return cast(T, failed) if sentence else value


def tried_again(value: T, sentence: str) -> T:
    """Return the value, and complete the task run with this sentence, because the run will try again."""
    waiting: State[Any] = Completed(name="To be tried again", message=sentence, data=value)
    return cast(T, waiting)


class Faults:
    """Unexpected faults at single councils in a run, as sentences."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def results(self, units: Sequence[CouncilUnit[T]], *, all_may_fail: bool = False) -> list[T | None]:
        """The results of one step, in order. For a failed council the result is what its unit says.

        Raises HoldfastError if the step failed for every council, as the fault is then not a council's.
        """
        results: list[T | None] = []
        failed: list[Exception] = []
        for unit in units:
            value = unit.future.result(raise_on_failure=False)
            if isinstance(value, (httpx.TransportError, ConcurrencySlotAcquisitionError)):
                raise value  # the Prefect server went away: no council's fault, and the run is restarted
            if isinstance(value, Exception):
                sentence = fault_sentence(unit.council, unit.what, value)
                failed.append(value)
                self.found.append(sentence)
                step("%s", sentence)
                value = unit.otherwise(sentence)
            results.append(value)
        if failed and len(failed) == len(units) and not all_may_fail:
            first = failed[0]
            if isinstance(first, HoldfastError):
                raise first
            raise UnexpectedFault(
                f"{units[0].what[:1].upper()}{units[0].what[1:]} failed at every council: {fault_in_words(first)}"
            ) from first
        return results
