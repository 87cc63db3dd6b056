"""What Holdfast's own loggers say during a run is in the run's log on a real server, with council and step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

#: A run that holds a month's claim while the store takes no more writes, and has one council without a score.
_RUN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from flows.orchestration import embedded
embedded.configure()
from prefect import flow, runtime
from features.errors import StoreError
from features.months import Month
from flows.alerts.state import Band
from flows.orchestration.tasks import not_scored
from flows.settings.settings import ClaimSettings
from flows.store import LocalStore
from flows.store.claims import Owner, claimed
from flows.store.processes import this_process
from flows.store.progress import step

class Full(LocalStore):
    def replace(self, *given, **named):
        tried.set()
        raise StoreError("The store is full.")

from threading import Event
tried = Event()

@flow
def month():
    print(runtime.flow_run.id, flush=True)
    store = Full(Path(sys.argv[1]))
    rules = ClaimSettings(heartbeat_seconds=1)
    owner = Owner("a run", "", this_process())
    with claimed(store, Month(2026, 10), owner, rules=rules, clock=lambda: datetime.now(UTC)):
        step("Measuring and scoring %s", "2026-10")
        not_scored("Ashcombe 100%", Band.NOT_SCORED, "No workforce file came.")
        assert tried.wait(30)

month()
"""


def test_warnings_and_steps_are_in_the_log_of_the_run(prefect_api: str, tmp_path: Path) -> None:
    given = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    ran = subprocess.run(
        [sys.executable, "-c", _RUN, str(tmp_path / "store")],
        env=given | {"PREFECT_API_URL": prefect_api, "PREFECT_HOME": str(tmp_path / "prefect")},
        stdout=subprocess.PIPE,
        text=True,
        timeout=240,
        check=True,
    )
    asked = {"logs": {"flow_run_id": {"any_": [ran.stdout.split()[0]]}}, "limit": 200}
    lines: list[dict[str, Any]] = httpx.post(f"{prefect_api}/logs/filter", json=asked, timeout=60).json()
    said = {(line["name"], line["level"], line["message"]) for line in lines}
    assert ("holdfast.progress", 20, "Measuring and scoring 2026-10") in said
    for failed in ("renewed", "given back and will lapse"):
        assert ("holdfast.claim", 30, f"The claim of 2026-10 could not be {failed}: The store is full.") in said
    (about,) = [line for line in lines if line["task_run_id"]]
    assert about["message"].startswith("Score Ashcombe 100%: ")
    assert "No workforce file came." in about["message"]
