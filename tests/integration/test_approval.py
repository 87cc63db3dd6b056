"""Approval for real: a run is suspended, its worker or its server is killed, a person answers, and mail goes once.

The answers go through the server's own address for them, as the form in its UI does.
"""

from __future__ import annotations

import email
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from flows.cli.demo import settings_for
from flows.store.local import LocalStore
from tests.integration import small_region
from tests.integration.served import free_port, served
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running
from tests.prefect_homes import new_home

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

MONTH = small_region.LAST
_PATIENCE_SECONDS = 240

_SERVE = """
from datetime import date
from prefect import serve
from flows.deployments import DEPLOYMENTS
from flows.settings.settings import ScheduleSettings
monthly = next(d for d in DEPLOYMENTS if d.name == "monthly")
serve(monthly.build(ScheduleSettings(), date(2026, 11, 20), schedules=None), print_starting_message=False)
"""

#: A run that asks and dies at the moment the server has suspended it, before Prefect does anything more.
_ASKS_AND_DIES = """
import os, signal, sys
from datetime import UTC, date, datetime
import prefect.flow_runs
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from features.months import Month
from flows.mail.approval_form import Pending
from flows.orchestration.ask import ask

waits = Pending(month=Month(2026, 10), number=1, cutoff=date(2026, 11, 20), since=datetime(2026, 11, 20, tzinfo=UTC),
                flow_run_id="", reason="", messages=())
propose = prefect.flow_runs.propose_state_sync

def suspended_and_dead(*given, **named):
    propose(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

@flow
def asks():
    ask(waits, 0, "")

prefect.flow_runs.propose_state_sync = suspended_and_dead
with get_client(sync_client=True) as client:
    run = client.create_flow_run_from_deployment(client.create_deployment(client.create_flow(asks), name="asks"))
print(run.id, flush=True)
run_flow(asks, flow_run=run)
"""


def until(what: str, found: Callable[[], Any]) -> Any:
    """What `found` returns once it is truthy; fails the test if it never is."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        if here := found():
            return here
        time.sleep(0.5)
    pytest.fail(f"{what} did not happen within {_PATIENCE_SECONDS} s")


class Server:
    """A Prefect server as a client sees it."""

    def __init__(self, api: str) -> None:
        self.http = httpx.Client(base_url=f"{api}/", timeout=60)

    def post(self, path: str, **content: Any) -> Any:
        """The answer; asked again when the server's database is busy, as a person would press again."""

        def answered() -> httpx.Response | None:
            response = self.http.post(path, json=content)
            return None if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else response

        response: httpx.Response = until(f"an answer to {path}", answered)
        return response.raise_for_status().json()

    def run(self, run_id: str) -> dict[str, Any]:
        return dict(self.post("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})[0])

    def start(self, request: dict[str, Any]) -> str:
        deployment = until("the deployment", self._deployment)
        made = self.post(f"deployments/{deployment}/create_flow_run", parameters={"request": request})
        return str(made["id"])

    def _deployment(self) -> str | None:
        found = self.http.get("deployments/name/monthly/monthly")
        return str(found.json()["id"]) if found.is_success else None

    def until_state(self, run_id: str, *names: str, since: str = "") -> dict[str, Any]:
        def there() -> dict[str, Any] | None:
            try:
                run = self.run(run_id)
            except httpx.TransportError:  # a server just started again may take its time; it is asked again
                return None
            settled = run["state"]["name"] in names and run["state"]["id"] != since
            assert settled or run["state"]["type"] not in ("FAILED", "CRASHED"), run["state"]["message"]
            return run if settled else None

        found: dict[str, Any] = until(f"state {' or '.join(names)}", there)
        return found

    def answer(self, run_id: str, **given: Any) -> str:
        return str(self.post(f"flow_runs/{run_id}/resume", run_input=given)["status"])

    def question(self, run_id: str) -> tuple[dict[str, Any], str]:
        """The form's fields and the words above it."""
        keys = self.run(run_id)["state"]["state_details"]["run_input_keyset"]
        schema, words = (
            self.http.get(f"flow_runs/{run_id}/input/{keys[k]}").raise_for_status() for k in ("schema", "description")
        )
        return schema.json()["properties"], words.text

    def artifacts(self, run_id: str) -> dict[str, str]:
        """The newest of each key: a run that waited shows its artifacts again when it goes on."""
        found = self.post("artifacts/filter", artifacts={"flow_run_id": {"any_": [run_id]}})
        found.sort(key=lambda a: a["created"])
        return {a["key"]: a["data"] if isinstance(a["data"], str) else json.dumps(a["data"]) for a in found}

    def tasks_in(self, run_id: str, state: str) -> dict[str, str]:
        """The run's tasks in this state, each with its message."""
        found = self.post(
            "task_runs/filter",
            flow_runs={"id": {"any_": [run_id]}},
            task_runs={"state": {"name": {"any_": [state]}}},
        )
        return {t["name"]: t["state"]["message"] for t in found}


@contextmanager
def serving(api: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The monthly deployment served by a process of its own; killed at the end, with the runs it started."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_"))}
    environment = (
        given
        | settings_for(folder)
        | {
            "PREFECT_API_URL": api,
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "HOLDFAST_CLAIMS__WAIT_MINUTES": "1",
        }
    )
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


def mailed(folder: Path) -> list[tuple[str, str]]:
    """Message-ID and addressees of every message in the outbox, but the data team's own."""
    found = [email.message_from_bytes(p.read_bytes(), policy=default) for p in (folder / "outbox").glob("*.eml")]
    return sorted((str(m["Message-ID"]), str(m["To"])) for m in found if "data-team@" not in str(m["To"]))


def approve(api: str, folder: Path) -> int:
    """`holdfast approve` in a process of its own, which also lets the run go on."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_"))}
    words = ["approve", "--month", str(MONTH), "--decision", "send all", "--by", "J. Marsh"]
    return subprocess.run(
        [sys.executable, "-m", "flows.cli.app", *words],
        env=given | settings_for(folder) | {"PREFECT_API_URL": api, "PREFECT_HOME": str(folder / "prefect")},
        timeout=_PATIENCE_SECONDS,
    ).returncode


@pytest.mark.soak
def test_a_held_month_waits_through_a_killed_worker_and_goes_by_a_persons_word_once(
    prefect_api: str, tmp_path: Path
) -> None:
    small_region.make(tmp_path / "landing")
    server, store = Server(prefect_api), LocalStore(tmp_path / "store")
    asked = {"month": str(MONTH), "as_of": "2026-11-20", "send": "hold for approval", "reason": "first look"}

    with serving(prefect_api, tmp_path):
        run = server.start(asked)
        suspended = server.until_state(run, "Suspended")
    # The worker is dead; the question stands in the server and in the store.
    assert suspended["name"] == "2026-10: first look"
    assert {"2026-10", "first look"} <= set(suspended["tags"])
    shown = server.artifacts(run)
    names = ("summary", "councils", "validation", "timing", "messages", "progress")
    assert {f"month-2026-10-{name}" for name in names} <= set(shown)
    assert shown["month-2026-10-messages"].count("2 registered recipients") == 4
    # Of addresses only the data team's own, below each message.
    assert set(re.findall(r"[\w.-]+@", "".join(shown.values()))) == {"data-team@"}
    fields, _ = server.question(run)
    assert [f["title"] for f in fields.values()] == ["Decision", "Councils to hold", "Reason", "Your name"]
    assert store.info("approvals/2026-10/1/pending.json")
    assert mailed(tmp_path) == []
    assert server.answer(run, decision="send all") == "REJECT", "who decides must be said"

    with serving(prefect_api, tmp_path):
        assert server.answer(run, decision="hold some", reason="to be checked", by="J. Marsh") == "ACCEPT"
        again = server.until_state(run, "Suspended", since=suspended["state"]["id"])
        assert "needs the codes of the councils to hold" in server.question(run)[1]
        assert mailed(tmp_path) == []

        answer = {"decision": "hold some", "councils": ["Z02"], "reason": "to be checked", "by": "J. Marsh"}
        assert server.answer(run, **answer) == "ACCEPT"
        done = server.until_state(run, "Completed", since=again["state"]["id"])

    assert done["state"]["message"] == "October 2026: 0 of 4 councils scored; 4 councils in the first months"
    assert done["name"] == "2026-10: first look"
    ids = [identity for identity, _ in mailed(tmp_path) if "first_months" in identity]
    assert len(ids) == len(set(ids)) == 3
    assert not any(".Z02." in identity for identity in ids)
    decision = json.loads(store.read("approvals/2026-10/1/decision.json"))
    assert (decision["by"], decision["decision"], decision["held"]) == ("J. Marsh", "hold some", ["Z02"])
    unscored = server.tasks_in(run, "First months")
    assert set(unscored) == {f"Score {c}" for c in ("Sorrelmere", "Quarrenmere", "Fennickmere", "Haskermere")}
    assert "All 9 measures behind the score are not known" in unscored["Score Sorrelmere"]
    assert server.tasks_in(run, "Failed") == {}
    assert "J. Marsh decided" in server.artifacts(run)["month-2026-10-summary"]
    assert str(UUID(run)) in "".join(o.name for o in store.list("approvals/2026-10/1/runs/"))

    # What was held is asked about anew by a run that holds, and may be decided on the command line.
    with serving(prefect_api, tmp_path):
        second = server.start(asked | {"steps": "from sending", "councils": ["Z02"], "reason": "checked"})
        server.until_state(second, "Suspended")
        assert approve(prefect_api, tmp_path) == 0
        ended = server.until_state(second, "Completed")
    assert ended["name"] == "2026-10, Z02, from sending: checked"
    told = [identity for identity, _ in mailed(tmp_path) if "first_months" in identity]
    assert len(told) == len(set(told)) == 4
    assert json.loads(store.read("approvals/2026-10/2/decision.json"))["through"] == "the command line"


@contextmanager
def signed_on(home: Path) -> Iterator[str]:
    """Prefect's server as it runs behind a sign-on proxy; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/api"
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.orchestration.signed_on", str(port)],
        env={k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        | {"PREFECT_HOME": str(new_home(home)), "DO_NOT_TRACK": "1"},
    )
    try:
        until("the server", lambda: _answers(address))
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/ready", timeout=5).is_success
    except httpx.TransportError:
        return False


@pytest.mark.soak
def test_behind_a_sign_on_proxy_who_signed_on_has_decided(tmp_path: Path) -> None:
    small_region.make(tmp_path / "landing")
    with signed_on(tmp_path / "server") as api, serving(api, tmp_path):
        server = Server(api)
        run = server.start({"month": str(MONTH), "as_of": "2026-11-20", "send": "hold for approval", "reason": "look"})
        server.until_state(run, "Suspended")
        # What a proxy adds to the request of the form.
        server.http.headers["X-Forwarded-Email"] = "a.bell@group.example"
        assert server.answer(run, decision="send all", by="Somebody Else") == "ACCEPT"
        server.until_state(run, "Completed")
    decision = json.loads(LocalStore(tmp_path / "store").read("approvals/2026-10/1/decision.json"))
    assert (decision["by"], decision["decision"]) == ("a.bell@group.example", "send all")
    assert mailed(tmp_path)


def test_a_run_killed_in_the_moment_it_is_suspended_has_asked_its_question(prefect_api: str, tmp_path: Path) -> None:
    given = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    died = subprocess.run(
        [sys.executable, "-c", _ASKS_AND_DIES],
        env=given | {"PREFECT_API_URL": prefect_api, "PREFECT_HOME": str(tmp_path / "prefect")},
        stdout=subprocess.PIPE,
        text=True,
        timeout=_PATIENCE_SECONDS,
    )
    assert died.returncode == -signal.SIGKILL
    server, run = Server(prefect_api), died.stdout.split()[0]
    assert server.run(run)["state"]["name"] == "Suspended"
    fields, words = server.question(run)
    assert [f["title"] for f in fields.values()] == ["Decision", "Councils to hold", "Reason", "Your name"]
    assert "wait" in words
    server.http.headers["X-Forwarded-Email"] = "a.bell@group.example"
    response = server.run(run)["state"]["state_details"]["run_input_keyset"]["response"]
    assert server.answer(run, decision="cancel", by="J. Marsh", reason="tried") == "ACCEPT"
    given_back = server.http.get(f"flow_runs/{run}/input/{response}").raise_for_status().json()
    assert given_back["by"] == "a.bell@group.example", "who has signed on has decided, whoever the form names"


@pytest.mark.soak
def test_the_question_outlives_the_server_and_its_machine(tmp_path: Path) -> None:
    landing, store = tmp_path / "landing", LocalStore(tmp_path / "store")
    councils = small_region.make(landing)
    asked = {"month": str(MONTH), "as_of": small_region.AS_OF, "send": "hold for approval", "reason": "first look"}
    mailbox, authority = Mailbox(), Authority(tmp_path, "127.0.0.1")

    def told() -> Counter[str]:
        """How often each director got a message."""
        addresses = {address for council in councils for address in council.recipients}
        return Counter(address for to, _ in mailbox.mail for address in to if address in addresses)

    with running(mailbox, authority) as port:
        mail = {"port": str(port), "user": USER, "password": PASSWORD, "ca_file": authority.file}
        environment = small_region.settings(landing, str(tmp_path / "store"), councils, **mail)
        with served(tmp_path / "prefect", environment) as both:
            server = Server(both.api)
            run = both.begin("monthly", asked)
            suspended = server.until_state(run, "Suspended")
            question = server.question(run)

            both.kill("server")
            both.start_server()
            assert server.run(run)["state"]["id"] == suspended["state"]["id"]
            assert server.question(run) == question
            both.kill("serving")
            both.kill("server")
            both.start_server()
            both.start_serving()
            assert not told()

            assert server.answer(run, decision="send all", by="J. Marsh") == "ACCEPT"
            server.until_state(run, "Completed")
            assert both.states("monthly") == ["COMPLETED"], "nothing took the waiting run for dead"
    assert told() == Counter(address for council in councils for address in council.recipients)
    decision = json.loads(store.read(f"approvals/{MONTH}/1/decision.json"))
    assert (decision["by"], decision["decision"], decision["through"]) == ("J. Marsh", "send all", "the Prefect UI")
