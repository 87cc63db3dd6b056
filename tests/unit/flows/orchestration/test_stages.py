"""The order of months: a month is decided from the state that the run of the month before leaves.

And what the task of one council is given: nothing of other councils, however many there are.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from unittest import mock

from prefect import Task

from features.councils import Council
from features.registry import Kind
from flows.alerts.council import Decided, Versions, alert_of
from flows.alerts.decide import Storm
from flows.alerts.together import Standing
from flows.month.steps import Alerting
from flows.orchestration import stages
from flows.orchestration.faults import Faults
from flows.settings.settings import Settings
from flows.store import LocalStore, claims
from flows.store.claims import Owner, claimed, wall_clock
from flows.store.context import Stopwatch
from flows.store.processes import this_process
from tests.unit.flows.alerts.examples import alert, facts, score
from tests.unit.flows.month.examples import failure, failures, landed, manifest, record
from tests.unit.flows.orchestration.examples import MONTH, context_of


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


def alerting_of(every: Sequence[Council]) -> Alerting:
    """The same decision of each of these councils, each with a file and a failure of its own."""
    one, decision = score(0.6), alert(score(0.6)).decision
    return Alerting(
        tuple(Decided(c, one, facts(), decision) for c in every),
        Storm(held=False, alerting=0, decided=0, reason=""),
        {c.la_code: facts() for c in every},
        manifest=manifest(*(record(c.la_code) for c in every)),
        failures=failures(*(failure(c.la_code, "error") for c in every)),
        versions=Versions("", "", "", "", {c.la_code: f"2026-11-{9 + n % 20:02}" for n, c in enumerate(every)}),
    )


def given_to_first_council(store: LocalStore, councils: int) -> dict[str, int]:
    """By task: the bytes that the first of so many councils' task is given, in reading and in publishing."""
    context = context_of(store, councils)
    every = context.register.councils
    alerting = alerting_of(every)
    found: dict[str, int] = {}

    def submit(task: Task[Any, Any], *given: Any) -> Any:
        found.setdefault(task.fn.__name__, len(pickle.dumps(given)))
        return SimpleNamespace(result=lambda **_: None)

    there = {c.folder: Standing(None, frozenset()) for c in every}
    with (
        mock.patch.object(Task, "submit", submit),
        mock.patch.object(stages, "find_published", lambda *_: there),
    ):
        for council in every:
            stages._reading(context, str(MONTH), [landed(council, Kind.WORKFORCE)])
        stages.publish_all(context, alerting, Faults())
    return found


def test_what_the_task_of_one_council_is_given_does_not_grow_with_the_councils(tmp_path: Path) -> None:
    of_two = given_to_first_council(LocalStore(tmp_path), 2)
    assert set(of_two) == {"read_council_task", "publish_council"}
    assert given_to_first_council(LocalStore(tmp_path), 60) == of_two


def test_an_alert_made_from_what_its_task_is_given_is_the_one_made_from_the_whole_month(tmp_path: Path) -> None:
    alerting = alerting_of(context_of(LocalStore(tmp_path), 3).register.councils)
    made = [pickle.loads(pickle.dumps(alerting.alert_maker(d)))() for d in alerting.decided]
    assert made == [alert_of(d, alerting.manifest, alerting.failures, alerting.versions) for d in alerting.decided]
    assert [len(one.validation.notes) for one in made] == [1, 1, 1]
    assert len({one.provenance.known_by for one in made}) == 3
