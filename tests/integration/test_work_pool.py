"""The second way to run: `prefect deploy --all` from prefect.yaml, a process work pool, a worker; one month in it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment

from flows.prefect_file import prefect_file
from flows.settings import ScheduleSettings
from flows.storage import open_store
from tests.conftest import REPOSITORY
from tests.integration import small_region
from tests.integration.local_server import clean_environment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_the_file_in_the_repository_is_the_list(tmp_path: Path) -> None:
    kept = (REPOSITORY / "prefect.yaml").read_text()
    listed = yaml.safe_load(kept)["deployments"][0]["schedules"][0]["rrule"]
    first_year = int(listed.partition("RDATE:")[2][:4])
    made = prefect_file(ScheduleSettings(), date(first_year, 6, 1))
    assert kept == made, "write it again: holdfast deployments --write prefect.yaml"


def prefect(environment: dict[str, str], *arguments: str) -> str:
    """Run one of Prefect's commands in the repository, without prompts; its output."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_worker_of_a_process_pool_runs_a_month_to_its_end(prefect_api: str, tmp_path: Path) -> None:
    landing, store = tmp_path / "landing", tmp_path / "store"
    councils = small_region.make(landing)
    settings = small_region.settings(landing, str(store), councils) | {
        "HOLDFAST_MAIL__TRANSPORT": "outbox",
        "HOLDFAST_MAIL__OUTBOX": str(tmp_path / "outbox"),
    }
    environment = clean_environment(
        PREFECT_API_URL=prefect_api, PREFECT_HOME=str(tmp_path / "home"), DO_NOT_TRACK="1", **settings
    )
    prefect(environment, "work-pool", "create", "holdfast", "--type", "process")
    prefect(environment, "deploy", "--all")
    asked = {"month": str(small_region.LAST), "as_of": small_region.AS_OF, "reason": "in a worker"}
    run = run_deployment("monthly/monthly", parameters={"request": asked}, timeout=0, as_subflow=False)

    prefect(environment, "worker", "start", "--pool", "holdfast", "--type", "process", "--run-once")

    made = open_store(str(store))
    assert made.info(f"runs/{small_region.LAST}/success.json") is not None
    assert len(list(made.list(f"alerts/{small_region.LAST}/"))) >= len(councils)
    with get_client(sync_client=True) as client:
        ended = client.read_flow_run(run.id)
    assert ended.state is not None
    assert ended.state.is_completed(), ended.state.message
    assert ended.deployment_id == run.deployment_id
