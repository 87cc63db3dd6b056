"""The order of months: a month is decided from the state that the run of the month before leaves."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from unittest import mock

from features.months import Month
from flows.orchestration import stages
from flows.orchestration.faults import Faults
from flows.settings.settings import Settings
from flows.store import LocalStore, claims
from flows.store.claims import Owner, claimed, wall_clock
from flows.store.context import Stopwatch
from flows.store.processes import this_process

MONTH = Month(2026, 10)


def test_a_month_is_decided_after_the_month_before_has_published(tmp_path: Path) -> None:
    said: list[str] = []
    measured = Event()
    settings = Settings(landing=str(tmp_path), store=str(tmp_path))
    context: Any = SimpleNamespace(
        store=LocalStore(tmp_path / "store"), month=MONTH, clock=Stopwatch(), settings=settings
    )

    def decide(*_: object) -> Any:
        said.append("decided")
        return SimpleNamespace(faults=[], decided=[])

    steps = {"measure_month": lambda *_: measured.set(), "score_month_task": mock.Mock(), "decide_month_task": decide}
    before = Owner("the run of the month before", "1", this_process())
    run = Thread(target=stages.score_and_decide, args=(context, mock.Mock(), [], Faults()))
    with mock.patch.multiple(stages, **steps), mock.patch.object(claims, "_LOOK_AGAIN_SECONDS", 0.05):
        with claimed(context.store, MONTH.plus(-1), before, rules=settings.claims, clock=wall_clock):
            run.start()
            assert measured.wait(10)
            run.join(0.5)
            said.append("the month before has published")
        run.join(20)
    assert said == ["the month before has published", "decided"]
