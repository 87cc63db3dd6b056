"""One council's step as a task run: a fault in it is that council's, named, and the others go on.

A task run ends Failed, with a sentence, when its council needs a person; it still hands over its result.
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
    """One council's part of a step, under way."""

    council: Council
    what: str
    """“reading 2026-10”, for a sentence."""
    future: PrefectFuture[Any] | State[Any]
    otherwise: Callable[[str], T | None]
    """What stands for the result when the step failed, given the sentence that says so; None leaves it out."""


class UnexpectedFault(HoldfastError):
    """Something of Holdfast's own failed at every council, so that the run could do nothing."""

    exit_code = 23


def needs_a_person(value: T, sentence: str) -> T:
    """The value as the result of a task run that ends Failed with this sentence; the value itself if it is empty."""
    failed: State[Any] = Failed(message=sentence, data=value)
    return cast(T, failed) if sentence else value


def tried_again(value: T, sentence: str) -> T:
    """The value as the result of a task run that completes with this sentence, because the run tries it again."""
    waiting: State[Any] = Completed(name="To be tried again", message=sentence, data=value)
    return cast(T, waiting)


class Faults:
    """What went wrong unexpectedly at single councils in a run, as sentences."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def results(self, units: Sequence[CouncilUnit[T]], *, all_may_fail: bool = False) -> list[T | None]:
        """The results of one step, in order; what stands for a failed one comes from the unit.

        Raises HoldfastError if the step failed everywhere: that is no council's problem.
        """
        results: list[T | None] = []
        failed: list[Exception] = []
        for unit in units:
            value = unit.future.result(raise_on_failure=False)
            if isinstance(value, (httpx.TransportError, ConcurrencySlotAcquisitionError)):
                raise value  # the Prefect server went away: no council's fault, and the run is begun again
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
