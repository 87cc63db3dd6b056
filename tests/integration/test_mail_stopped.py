"""A run suspended or cancelled in the Prefect UI stops mailing; begun late, it runs the month that was meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import flow, runtime
from prefect.exceptions import Pause

from features.councils import Council
from features.months import Month
from flows.orchestration.send import MailStopped, RunAsked
from flows.store import LocalStore
from flows.store.ledger import Ledger, Status
from tests.integration import small_region
from tests.integration.served import Served, served, until
from tests.integration.small_region import LAST
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@dataclass
class Desk:
    """The server, the process that serves, the store and the mail server of a group that mails."""

    served: Served
    store: LocalStore
    mailbox: Mailbox
    councils: list[Council]

    def scheduled(self, day: str) -> str:
        """A monthly run that was due on a day, at seven, and begins only now."""
        deployment = self.served.deployment("monthly")
        asked = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": f"{day}T07:00:00+00:00"}}}
        made = self.post(f"deployments/{deployment}/create_flow_run", {**asked, "idempotency_key": day})
        return str(made["id"])

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the server answers; it is asked again while its database is busy (503)."""

        def answered() -> dict[str, Any] | None:
            answer = httpx.post(f"{self.served.api}/{path}", json=body, timeout=20)
            return answer.json() if answer.is_success else None

        return until(f"an answer to {path}", answered)

    def set_state(self, run: str, state: dict[str, Any]) -> None:
        answer = self.post(f"flow_runs/{run}/set_state", {"state": state})
        assert answer["status"] == "ACCEPT", answer

    def state(self, run: str) -> str:
        return str(httpx.get(f"{self.served.api}/flow_runs/{run}", timeout=20).json()["state"]["type"])

    def stop_at_the_first_message(self, stop: Callable[[], None]) -> None:
        """Stop the run while the server takes its first message."""

        def once() -> None:
            self.mailbox.on_recipient = lambda: None
            stop()

        self.mailbox.on_recipient = once

    def told(self, month: Month) -> Counter[str]:
        """How often each director has their message of a month."""
        directors = {a for c in self.councils for a in c.recipients}
        return Counter(
            address
            for to, content in self.mailbox.mail
            for address in to
            if address in directors and f".{month}." in str(message_from_bytes(content)["Message-ID"])
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("desk")
    councils = small_region.make(folder / "landing")
    mailbox, authority = Mailbox(), Authority(folder, "127.0.0.1")
    with running(mailbox, authority) as port:
        environment = small_region.settings(
            folder / "landing",
            str(folder / "store"),
            councils,
            port=str(port),
            user=USER,
            password=PASSWORD,
            ca_file=authority.file,
        )
        (folder / "store").mkdir()
        with served(folder / "prefect", environment | {"HOLDFAST_WATCHDOG__KEEP_SECONDS": "3600"}) as both:
            yield Desk(both, LocalStore(folder / "store"), mailbox, councils)


@pytest.mark.parametrize(
    ("stopped", "word", "ends"), [("PAUSED", "suspended", "PAUSED"), ("CANCELLING", "cancelled", "CANCELLED")]
)
def test_a_run_asks_the_server_before_each_message_and_ends_as_it_was_told(
    prefect_api: str, stopped: str, word: str, ends: str
) -> None:
    answers, runs = [], []

    @flow
    def sends() -> Any:
        asked = RunAsked()
        runs.append(runtime.flow_run.id)
        answers.append(asked())
        # Only a run of a deployment can be suspended; one that is paused is the same to a run that asks.
        answer = httpx.post(
            f"{prefect_api}/flow_runs/{runs[0]}/set_state", json={"state": {"type": stopped}}, timeout=20
        )
        assert answer.json()["status"] == "ACCEPT", answer.text
        answers.append(asked())
        try:
            asked.check()
        except MailStopped as said:
            return said.end()

    with suppress(Pause):
        sends(return_state=True)
    assert answers == ["", f"Not sent: the run was {word} in the Prefect UI."]
    assert httpx.get(f"{prefect_api}/flow_runs/{runs[0]}", timeout=20).json()["state"]["type"] == ends


@pytest.mark.soak
def test_a_suspended_run_mails_nobody_until_it_is_resumed_and_then_the_rest(desk: Desk) -> None:
    run = desk.scheduled("2026-11-16")
    suspended = {"type": "PAUSED", "name": "Suspended", "state_details": {"pause_reschedule": True}}
    desk.stop_at_the_first_message(lambda: desk.set_state(run, suspended))
    until("the first message", lambda: desk.told(LAST))
    until("the end of its process", lambda: not _claimed(desk, LAST))
    assert desk.state(run) == "PAUSED"
    first = desk.told(LAST)
    assert len(first) == 2, "one message, which was under way, to its two addressees"

    assert desk.post(f"flow_runs/{run}/resume", {})["status"] == "ACCEPT"
    until("the end of the run", lambda: desk.state(run) == "COMPLETED")
    assert desk.told(LAST) == Counter({a: 1 for c in desk.councils for a in c.recipients})
    assert {e.status for e in Ledger(desk.store).month(LAST)} == {Status.SENT}


@pytest.mark.soak
def test_a_run_begun_late_runs_the_month_it_was_meant_for_and_cancelled_it_mails_no_more(desk: Desk) -> None:
    september = LAST.plus(-1)
    run = desk.scheduled("2026-10-15")
    desk.stop_at_the_first_message(lambda: desk.set_state(run, {"type": "CANCELLING", "name": "Cancelling"}))
    until("the first message", lambda: desk.mailbox.on_recipient.__name__ == "<lambda>" and desk.told(september))
    until("the end of the run", lambda: desk.state(run) == "CANCELLED")
    assert sum(desk.told(september).values()) <= 2
    assert not list(desk.store.list(f"runs/{september}/"))


def _claimed(desk: Desk, month: Month) -> bool:
    from flows.store.claims import latest_claim

    claim = latest_claim(desk.store, month)
    return claim is None or not claim.released
