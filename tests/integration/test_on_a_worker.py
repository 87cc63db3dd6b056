"""What a task finds on a worker of a cluster."""

from __future__ import annotations

import pickle
from typing import Any
from uuid import uuid4

import cloudpickle
import pytest
from prefect import get_client, task
from prefect.context import SettingsContext
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.orchestration.cluster import run_task_there

pytestmark = pytest.mark.integration


@task(persist_result=False)
def seen(there: list[object]) -> str:
    with get_client(sync_client=True) as client:
        there.append(client)
        return str(client.api_url).rstrip("/")


def test_tasks_of_a_run_find_its_settings_and_one_open_client(prefect_api: str) -> None:
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        run: Any = SettingsContext.get()
        settings = pickle.dumps(run.serialize())
    there: list[object] = []
    for _ in range(2):
        work = {"task": seen, "task_run_id": uuid4(), "parameters": {}, "dependencies": {}, "context": {}}
        assert run_task_there(settings, cloudpickle.dumps(work), {"there": there}, None).result() == prefect_api
    assert there[0] is there[1]
