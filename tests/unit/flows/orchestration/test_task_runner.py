"""Which task runner a run gets, and how its arguments travel."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from features.errors import SettingsError
from flows.orchestration.task_runner import ByTheSettings, Parcel
from flows.orchestration.tasks import not_scored
from flows.settings.settings import Settings


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_CONFIG", "")


def test_threads_unless_the_settings_name_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(ByTheSettings().duplicate()) is ByTheSettings
    monkeypatch.setenv("HOLDFAST_TASK_RUNNER", "dask")
    monkeypatch.setenv("HOLDFAST_DASK_ADDRESS", "tcp://127.0.0.1:1")
    chosen = ByTheSettings().duplicate()
    assert not isinstance(chosen, ThreadPoolTaskRunner)
    assert getattr(chosen, "address", None) == "tcp://127.0.0.1:1"


def test_settings_that_cannot_be_used_are_left_for_the_run_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_TASK_RUNNER", "dask")
    assert isinstance(ByTheSettings().duplicate(), ThreadPoolTaskRunner)
    with pytest.raises(SettingsError, match="dask_address"):
        Settings.load()


def test_what_is_sent_by_way_of_a_scheduler_arrives_as_it_was() -> None:
    arrived = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps({"files": Parcel([1, 2])}))))
    assert isinstance(arrived["files"], quote)
    assert arrived["files"].unquote() == [1, 2]


def test_parameters_travel_in_one_piece_and_futures_beside_it() -> None:
    from prefect_dask.task_runners import PrefectDaskFuture

    from flows.orchestration.cluster import OnTheCluster

    runner: Any = OnTheCluster(address="tcp://127.0.0.1:1")
    sent: dict[str, Any] = {}
    runner._client = SimpleNamespace(submit=lambda *given, key: sent.update(given=given, key=key))
    before: Any = PrefectDaskFuture(wrapped_future="Dask's own", task_run_id=uuid4())  # type: ignore[type-var]
    future = runner.submit(not_scored, {"files": quote([1, 2]), "council": "Ashcombe", "before": before})
    _, _, work, later, _ = sent["given"]
    arrived = pickle.loads(work)
    assert (later, sent["key"]) == ({"before": "Dask's own"}, f"not_scored-{future.task_run_id}")
    assert arrived["parameters"]["files"].unquote() == [1, 2]
    assert arrived["parameters"]["council"] == "Ashcombe"
    assert [one.id for one in arrived["dependencies"]["before"]] == [before.task_run_id]
