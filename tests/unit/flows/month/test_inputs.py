"""What each step of a month is given of the run's context."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from features.months import Month
from flows.alerts.decide import Storm
from flows.month import inputs
from flows.month.measure import Measured
from flows.month.steps import Decisions
from tests.unit.flows.month.examples import CUTOFF, OCTOBER


@pytest.fixture
def context() -> Any:
    ingest = SimpleNamespace(history_months=3, max_file_mb=2, due_working_day=5)
    return SimpleNamespace(
        store="store",
        key=b"key",
        landing="landing",
        history="history",
        register="register",
        month=OCTOBER,
        cutoff=CUTOFF,
        usual_cutoff=lambda month: month.plus(1).last_day,
        settings=SimpleNamespace(ingest=ingest, accepted_failures=Path("accepted.toml")),
        clock="clock",
    )


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, date]]:
    """The months that were looked at, each with its cut-off."""
    found: list[tuple[str, date]] = []

    def months_due(*given: Any) -> list[Any]:
        landing, history, register, months, cutoff, accepted, _ = given
        assert (landing, history, register, accepted) == ("landing", "history", "register", ("accepted",))
        found.extend((str(month), cutoff(month)) for month in months)
        return []

    monkeypatch.setattr(inputs, "require_key", lambda *_: None)
    monkeypatch.setattr(inputs, "accepted_failures", lambda _: ("accepted",))
    monkeypatch.setattr(inputs, "months_due", months_due)
    return found


def test_a_run_looks_at_its_history_as_it_is_known_today(context: Any, looked: list[tuple[str, date]]) -> None:
    inputs.due_now(context)
    assert looked == [("2026-08", CUTOFF), ("2026-09", CUTOFF), ("2026-10", CUTOFF)]


def test_a_backfill_looks_at_each_month_as_its_own_run_would_have(context: Any, looked: list[tuple[str, date]]) -> None:
    inputs.due_in_history(context, Month(2026, 9), Month(2026, 10))
    assert looked == [("2026-09", date(2026, 10, 31)), ("2026-10", CUTOFF)]


def test_files_are_read_up_to_the_size_that_the_settings_allow(context: Any) -> None:
    read: Any = inputs.reader(context)
    assert (read.args, read.keywords["limits"].max_bytes) == (("landing",), 2_000_000)


def test_a_month_is_checked_by_the_settings(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "accepted_failures", lambda path: (str(path),))
    monkeypatch.setattr(inputs, "check_and_store", lambda *given: list(given))
    history, _, due, reads, by, clock = inputs.check_months_of(context, ["due"], [["read"]], reports=True)  # type: ignore[list-item]
    assert (history, due, reads, clock) == ("history", ["due"], [["read"]], "clock")
    assert (by.accepted, by.due_working_day, by.reports) == (("accepted.toml",), 5, True)


def test_decisions_are_published_with_what_was_known_of_the_files(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "files_as_known", lambda *given: (given, "failures"))
    monkeypatch.setattr(inputs, "versions_of", lambda *given: given)
    storm = Storm(held=False, alerting=0, decided=0, reason="")
    measured: Any = Measured(OCTOBER, None, None, ())  # type: ignore[arg-type]
    made: Any = inputs.to_publish(context, Decisions((), storm, {"370": "facts"}, ("a fault",)), measured)  # type: ignore[dict-item]
    assert (made.storm, made.facts, made.faults) == (storm, {"370": "facts"}, ("a fault",))
    assert (made.manifest, made.failures) == (("history", OCTOBER, CUTOFF), "failures")
    assert made.versions == (context.settings, measured)
