"""The pinned set really schedules: a server is started, the deployments are put on it, and runs appear.

With a newer fastapi the server does not start; with SQLAlchemy 2.1 it looks healthy and schedules nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LONDON = ZoneInfo("Europe/London")
_PATIENCE_SECONDS = 120


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(what: str, ready: Any) -> Any:
    """What `ready` returns once it is truthy; fails the test if it never is."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if found := ready():
                return found
        except httpx.TransportError:
            found = None
        time.sleep(0.5)
    pytest.fail(f"{what} did not happen within {_PATIENCE_SECONDS} s")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prefect server on the loopback address; yields the address of its API."""
    home = tmp_path_factory.mktemp("prefect")
    port = _free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "HOLDFAST_"))} | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    log = (home / "server.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        api = f"http://127.0.0.1:{port}/api"
        _until("the server", lambda: httpx.get(f"{api}/ready", timeout=5).is_success)
        yield api
    finally:
        process.terminate()
        process.wait(30)
        log.close()


_DEPLOY = """
from flows.deployments import DEPLOYMENTS
for deployment in DEPLOYMENTS:
    deployment.build().apply()
"""


def test_the_monthly_run_is_scheduled_in_londons_time(server: str, tmp_path: Path) -> None:
    environment = os.environ | {"PREFECT_API_URL": server, "PREFECT_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", _DEPLOY], env=environment, check=True, timeout=120)

    def scheduled() -> list[dict[str, Any]]:
        answer = httpx.post(
            f"{server}/flow_runs/filter",
            json={"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "sort": "EXPECTED_START_TIME_ASC"},
            timeout=10,
        )
        return list(answer.raise_for_status().json())

    runs = _until("a scheduled run", scheduled)

    for run in runs:
        start = datetime.fromisoformat(run["expected_start_time"]).astimezone(LONDON)
        assert (start.hour, start.minute) == (7, 0), "seven in the morning, summer and winter"
        assert start.weekday() < 5
        weekdays = sum(start.replace(day=d).weekday() < 5 for d in range(1, start.day + 1))
        assert weekdays == 11


def test_the_form_shows_titles_and_holds_no_secret(server: str, tmp_path: Path) -> None:
    environment = os.environ | {"PREFECT_API_URL": server, "PREFECT_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", _DEPLOY], env=environment, check=True, timeout=120)
    found = httpx.post(f"{server}/deployments/filter", json={}, timeout=10).raise_for_status().json()
    monthly = next(d for d in found if d["name"] == "monthly")
    fields = monthly["parameter_openapi_schema"]["definitions"]["RunRequest"]["properties"]
    assert fields["month"]["title"] == "Month"
    names = " ".join(fields)
    assert not any(word in names for word in ("key", "secret", "password", "recipient", "mail"))
