"""A fault at one council is found and left out; a fault of the run, or of nobody alone, stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ReferenceDataError, SettingsError, StoreError
from flows.month.apart import concerns_whole_run, fault_in_words, fault_sentence, run_by_council
from flows.store import DamagedObject
from tests.unit.flows.month.examples import BARNSLEY

ALL = ["301", "302", "303", "304", "305"]


def failing_at(*bad: str) -> Callable[[Sequence[str]], list[str]]:
    def step(councils: Sequence[str]) -> list[str]:
        for council in councils:
            if council in bad:
                raise ValueError(council)
        return list(councils)

    return step


@given(st.sets(st.sampled_from(ALL), max_size=4))
def test_the_councils_at_fault_are_left_out_and_no_other(bad: set[str]) -> None:
    done = run_by_council(ALL, failing_at(*bad))
    assert done.result == [c for c in ALL if c not in bad]
    assert {c: str(error) for c, error in done.faults.items()} == {c: c for c in bad}


def test_two_councils_of_which_one_is_at_fault() -> None:
    done = run_by_council(["301", "302"], failing_at("302"))
    assert (done.result, list(done.faults)) == (["301"], ["302"])


def test_a_step_that_works_is_run_once() -> None:
    asked: list[Sequence[str]] = []
    run_by_council(ALL, asked.append)
    assert asked == [ALL]


@pytest.mark.parametrize("councils", [["301"], ["301", "302"]])
def test_a_step_that_fails_everywhere_raises_its_own_error(councils: list[str]) -> None:
    with pytest.raises(ValueError, match="301"):
        run_by_council(councils, failing_at("301", "302"))


def test_a_single_council_at_fault_is_not_asked_again() -> None:
    asked: list[Sequence[str]] = []

    def step(councils: Sequence[str]) -> None:
        asked.append(councils)
        raise ValueError

    with pytest.raises(ValueError):
        run_by_council(["301"], step)
    assert asked == [["301"]]


def test_a_step_that_fails_at_no_council_alone_raises_its_own_error() -> None:
    def step(councils: Sequence[str]) -> None:
        if len(councils) > 1:
            raise ValueError("together")

    with pytest.raises(ValueError, match="together"):
        run_by_council(ALL, step)


def test_a_fault_of_the_run_stops_it_even_while_councils_at_fault_are_looked_for() -> None:
    def away(councils: Sequence[str]) -> None:
        raise StoreError("The store does not answer.") if len(councils) < len(ALL) else ValueError

    with pytest.raises(StoreError):
        run_by_council(ALL, away)


def test_what_concerns_the_whole_run() -> None:
    assert concerns_whole_run(StoreError("away")) and concerns_whole_run(SettingsError("wrong"))
    assert concerns_whole_run(MemoryError())
    assert not concerns_whole_run(DamagedObject("It was cut off."))
    assert not concerns_whole_run(ReferenceDataError("wrong")) and not concerns_whole_run(ValueError())


def test_an_error_of_ours_is_told_whole_and_any_other_by_type_and_place() -> None:
    assert fault_sentence(BARNSLEY, "counting", ReferenceDataError("No line 3.")) == (
        "Barnsley (370): counting failed: No line 3."
    )
    assert fault_in_words(ValueError("Ada Lovelace")).startswith("a fault in Holdfast (ValueError), not in what")
    try:
        failing_at("Ada Lovelace")(["Ada Lovelace"])
    except ValueError as error:
        line = error.__traceback__.tb_next.tb_lineno if error.__traceback__ and error.__traceback__.tb_next else 0
        assert fault_in_words(error).startswith(f"a fault in Holdfast (ValueError in test_apart.py, line {line}), not")
        assert "Lovelace" not in fault_in_words(error)
