"""A flow run without a server goes as it does on a real one."""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prefect import flow, runtime, task
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed

from flows.orchestration.embedded import is_embedded, quiet_flows
from tests.prefect_homes import using

pytestmark = pytest.mark.integration

TRIED: list[int] = []


@task(task_run_name="Step", retries=1)
def step() -> int:
    TRIED.append(1)
    if len(TRIED) == 1:
        raise ConnectionError("away")
    return len(TRIED)


def _named() -> str:
    return f"errand: {runtime.flow_run.parameters['ends']}"


@flow(name="errand", flow_run_name=_named, persist_result=False)
def errand(ends: str) -> State[Any]:
    run = runtime.flow_run
    seen = {
        "name": run.name,
        "flow": run.flow_name,
        "count": run.run_count,
        "tags": run.tags,
        "parameters": run.parameters,
        "scheduled": run.scheduled_start_time is not None,
        "deployment": runtime.deployment.id,
        "step": step.submit().result(),
    }
    if ends == "raises":
        raise ValueError("broken")
    return Failed(message="a fault", data=seen) if ends == "fails" else Completed(message="done", data=seen)


def _story(ends: str) -> dict[str, Any]:
    TRIED.clear()
    state = errand(ends, return_state=True)
    told = state.data if isinstance(state.data, dict) else {}
    return {"type": state.type, "name": state.name, "message": state.message, **told}


@pytest.mark.parametrize("ends", ["well", "fails", "raises"])
def test_a_run_without_a_server_sees_and_says_what_it_would_on_one(one_prefect_server: str, ends: str) -> None:
    with quiet_flows():
        assert is_embedded(str(PREFECT_API_URL.value()))
        alone = _story(ends)
    with using(one_prefect_server):
        assert not is_embedded(one_prefect_server)
        assert alone == _story(ends)
    assert alone["name"] == {"well": "Completed", "fails": "Failed", "raises": "Failed"}[ends]
    assert "prefect.server.api.server" not in sys.modules, "Prefect's server is not imported for it"


def test_what_only_a_server_can_do_is_refused_in_words() -> None:
    with quiet_flows():
        address = str(PREFECT_API_URL.value())
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{address}/deployments/", data=b"{}", method="POST"), timeout=30)
    assert refused.value.code == 501
    assert "needs a Prefect server" in json.loads(refused.value.read())["detail"]
