"""A fault at one council: named, without what it stumbled over, and no hindrance to the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from prefect.futures import PrefectFuture

from features.errors import StoreError
from flows.month.apart import fault_in_words
from flows.orchestration.faults import CouncilUnit, Faults, UnexpectedFault, needs_a_person
from tests.unit.flows.alerts.examples import ASHCOMBE

OTHER = replace(ASHCOMBE, la_code="992", name="Byreglen")


class Done:
    """A future that has ended."""

    def __init__(self, result: object) -> None:
        self._result = result

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> object:
        return self._result


def raised() -> Exception:
    try:
        raise ValueError("Jane Doe")
    except ValueError as error:
        return error


def unit(result: object, council: Any = ASHCOMBE) -> CouncilUnit[str]:
    return CouncilUnit(council, "publishing", cast("PrefectFuture[Any]", Done(result)), lambda why: f"instead: {why}")


def test_one_fault_is_named_and_the_others_go_on() -> None:
    faults = Faults()
    first, second = faults.results([unit(raised()), unit("done", OTHER)])
    assert second == "done"
    (said,) = faults.found
    assert first == f"instead: {said}"
    assert said.startswith("Ashcombe (991): publishing failed: a fault in Holdfast (ValueError in test_faults.py")
    assert "Jane" not in said


def test_an_error_of_ours_is_its_own_sentence() -> None:
    assert fault_in_words(StoreError("The store does not answer.")) == "The store does not answer."


def test_a_step_that_fails_everywhere_fails_the_run() -> None:
    with pytest.raises(StoreError, match="away"):
        Faults().results([unit(StoreError("away")), unit(StoreError("away"), OTHER)])
    with pytest.raises(UnexpectedFault, match="Publishing failed at every council") as failed:
        Faults().results([unit(raised())])
    assert "Jane" not in str(failed.value)
    faults = Faults()
    faults.results([unit(raised())], all_may_fail=True)
    assert len(faults.found) == 1


def test_a_server_that_went_away_is_no_councils_fault() -> None:
    with pytest.raises(httpx.ConnectError):
        Faults().results([unit("fine"), unit(httpx.ConnectError("refused"))])


def test_a_result_that_needs_a_person_ends_its_task_run_failed() -> None:
    assert needs_a_person([1], "") == [1]
    state = cast(Any, needs_a_person([1], "The file cannot be read."))
    assert state.is_failed()
    assert state.message == "The file cannot be read."
