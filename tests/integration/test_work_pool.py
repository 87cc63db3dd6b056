"""The second way to run: `prefect deploy --all` from prefect.yaml, a process work pool, a worker that gets killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from email import message_from_bytes
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

from features.months import Month
from flows.cli.prefect_file import prefect_file
from flows.settings.settings import ScheduleSettings
from flows.store import LocalStore
from flows.store.claims import latest_claim
from flows.store.ledger import Ledger, Status
from tests.conftest import REPOSITORY
from tests.integration import small_region
from tests.integration.local_server import clean_environment
from tests.integration.served import until
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_the_file_in_the_repository_is_the_list(tmp_path: Path) -> None:
    kept = (REPOSITORY / "prefect.yaml").read_text()
    listed = yaml.safe_load(kept)["deployments"][0]["schedules"][0]["rrule"]
    first_year = int(listed.partition("DTSTART:")[2][:4])
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


@contextmanager
def worker(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the pool; killed at the end, if it is still there, without a word and without its runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "--no-prompt", "worker", "start", "--pool", "holdfast", "--type", "process"],
        cwd=REPOSITORY,
        env=dict(environment),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def ended(run_id: UUID) -> FlowRun | None:
    """The run once it has ended."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
    return run if run.state is not None and run.state.is_final() else None


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[tuple[Mailbox, dict[str, str]]]:
    """A mail server that is running, and the settings that reach it."""
    mailbox, authority = Mailbox(), Authority(tmp_path, "127.0.0.1")
    with running(mailbox, authority) as port:
        yield mailbox, {"port": str(port), "user": USER, "password": PASSWORD, "ca_file": authority.file}


@pytest.mark.soak
def test_a_worker_of_a_process_pool_is_killed_and_every_month_is_run_to_its_end_once(
    prefect_api: str, tmp_path: Path, mailbox: tuple[Mailbox, dict[str, str]]
) -> None:
    landing, store = tmp_path / "landing", LocalStore(tmp_path / "store")
    councils = small_region.make(landing)
    received, reached = mailbox
    environment = clean_environment(
        PREFECT_API_URL=prefect_api,
        PREFECT_HOME=str(tmp_path / "home"),
        PREFECT_WORKER_QUERY_SECONDS="1",
        DO_NOT_TRACK="1",
        **small_region.settings(landing, str(tmp_path / "store"), councils, **reached),
    )
    prefect(environment, "work-pool", "create", "holdfast", "--type", "process")
    prefect(environment, "deploy", "--all")

    def begin(month: Month) -> FlowRun:
        asked = {"month": str(month), "as_of": small_region.AS_OF, "reason": "in a worker"}
        return run_deployment("monthly/monthly", parameters={"request": asked}, timeout=0, as_subflow=False)

    def in_the_middle(month: Month) -> int:
        """The process that runs the month, when the month has its first alert."""
        until("the first alert", lambda: next(iter(store.list(f"alerts/{month}/")), None))
        claim = latest_claim(store, month)
        assert claim is not None
        assert not claim.released
        return claim.owner.process.pid

    def watched(month: Month) -> str:
        """What the watchdog says, which is asked until it has found the dead run, once the month is done."""
        said = ""

        def found() -> bool:
            nonlocal said
            command = [sys.executable, "-m", "flows.cli.app", "watchdog"]
            said += subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True).stdout
            return "begun again" in said

        until("the dead run found", found)
        until("the end of the month", lambda: store.info(f"runs/{month}/success.json"))
        until("the claim given back", lambda: (c := latest_claim(store, month)) and c.released)
        return said

    # The worker alone: nobody reads any more what the run prints, and it ends. Then the worker together with its run.
    for month, alone in ((small_region.LAST.plus(-1), True), (small_region.LAST, False)):
        with worker(environment) as first:
            died = begin(month)
            runs_it = in_the_middle(month)
            first.send_signal(signal.SIGKILL)
            if not alone:
                os.kill(runs_it, signal.SIGKILL)
            first.wait(30)
        assert store.info(f"runs/{month}/success.json") is None, "it was killed too late"
        with worker(environment):
            assert "died and was begun again" in watched(month)
        state = until("the end of the dead run", lambda died=died: ended(died.id)).state
        assert state is not None
        assert state.is_crashed(), state.message

    about_files = {c.data_officer for c in councils}
    told = Counter(
        (address, str(message_from_bytes(content)["Message-ID"]))
        for to, content in received.mail
        for address in to
        if address in about_files or address in {a for c in councils for a in c.recipients}
    )

    def about(identity: str) -> tuple[str, ...]:
        """Month and council, or the officer's files."""
        return tuple(identity.partition("@")[0].split(".")[1:3])

    assert {address for address, _ in told} == about_files | {a for c in councils for a in c.recipients}
    assert len(told) == len({(a, about(identity)) for a, identity in told}), "one message each of a month"
    assert max(told.values()) <= 2, "only what was under way when a worker died may come again"
    for each in (small_region.LAST.plus(-1), small_region.LAST):
        assert len([o for o in store.list(f"alerts/{each}/") if o.name.endswith(".json")]) == len(councils)
        assert {e.status for e in Ledger(store).month(each)} == {Status.SENT}
