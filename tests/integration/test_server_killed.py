"""Worker, flow and server are killed in the middle of a month; started again, the month completes by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from time import sleep

import pytest

from features.councils import Council
from features.months import Month
from flows.store import LocalStore
from flows.store.claims import INTAKE, claims_since, latest_claim, wall_clock
from flows.store.ledger import Ledger, Status
from tests.integration import small_region
from tests.integration.served import REPOSITORY, Served, served, until
from tests.integration.small_region import AS_OF, LAST
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running
from tests.warm import run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

BEFORE = LAST.plus(-1)


@dataclass
class Room:
    """The data team's room: server, serving process, store, mail server."""

    served: Served
    store: LocalStore
    mailbox: Mailbox
    councils: list[Council]

    def begin(self, month: Month) -> str:
        return self.served.begin("monthly", {"month": str(month), "as_of": AS_OF, "reason": "killed"})

    def wait_for(self, name: str) -> None:
        until(f"{name} in the store", lambda: next(iter(self.store.list(name)), None), every=0.1)

    def kill_flow(self, month: Month) -> int:
        """SIGKILL for the process that has claimed the month; the claim's number."""
        claim = latest_claim(self.store, month)
        assert claim is not None
        assert not claim.released
        with suppress(ProcessLookupError):
            os.kill(claim.owner.process.pid, signal.SIGKILL)
        return claim.number

    def wait_for_the_next_claim(self, month: Month, number: int) -> None:
        until("a claim of the next run", lambda: (c := latest_claim(self.store, month)) and c.number > number)

    def wait_until_done(self, month: Month) -> None:
        self.wait_for(f"runs/{month}/success.json")
        at_work = {"RUNNING", "PENDING", "SCHEDULED"}
        until("the end of every run", lambda: not at_work & set(self.served.states("monthly")))

    def mails_to_directors(self, month: Month) -> Counter[tuple[str, str]]:
        """How often each director got which message of a month."""
        return self.mails_to({address for c in self.councils for address in c.recipients}, month)

    def mails_to(self, addresses: set[str], month: Month) -> Counter[tuple[str, str]]:
        """How often each of these got which message of a month."""
        found: Counter[tuple[str, str]] = Counter()
        for to, content in self.mailbox.mail:
            identity = str(message_from_bytes(content)["Message-ID"])
            found.update((a, identity) for a in to if a in addresses and f".{month}." in identity)
        return found

    def subjects_to_the_team(self) -> list[str]:
        parsed = [(to, message_from_bytes(content)) for to, content in self.mailbox.mail]
        return [" ".join(str(m["Subject"]).split()) for to, m in parsed if to == ["data-team@alliance.example"]]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room")
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
        ) | {"HOLDFAST_WATCHDOG__KEEP_SECONDS": "5"}
        (folder / "store").mkdir()
        with served(folder / "prefect", environment) as both:
            yield Room(both, LocalStore(folder / "store"), mailbox, councils)


@pytest.mark.soak
def test_a_machine_that_goes_down_in_the_middle_of_a_month_finishes_it_when_it_is_back(room: Room) -> None:
    room.begin(BEFORE)
    room.wait_for(f"alerts/{BEFORE}/")
    room.kill_flow(BEFORE)
    for name in ("serving", "server"):
        room.served.kill(name)
    assert room.store.info(f"runs/{BEFORE}/success.json") is None, "it was killed too late"

    room.served.start_server()
    room.served.start_serving()

    room.wait_until_done(BEFORE)
    assert sorted(room.served.states("monthly")) == ["COMPLETED", "CRASHED"]
    told = room.mails_to_directors(BEFORE)
    assert {address for address, _ in told} == {a for c in room.councils for a in c.recipients}
    assert max(told.values()) <= 2, "only what was under way when the machine went down may come again"
    assert len(told) == len({address for address, _ in told}), "one message each"
    assert {e.status for e in Ledger(room.store).month(BEFORE)} == {Status.SENT}
    assert any("died and was begun again" in s for s in room.subjects_to_the_team())
    until("free places", lambda: room.served.slots_taken() == 0)


def test_a_flow_that_is_killed_is_begun_again_and_outlives_the_server(room: Room) -> None:
    before = Counter(room.served.states("monthly"))
    room.begin(LAST)
    room.wait_for(f"alerts/{LAST}/")
    number = room.kill_flow(LAST)
    room.wait_for_the_next_claim(LAST, number)
    room.served.kill("server")
    room.served.start_server()

    room.wait_until_done(LAST)
    ended = Counter(room.served.states("monthly")) - before
    assert ended["COMPLETED"] == 1
    assert ended["CRASHED"] >= 1
    told = room.mails_to_directors(LAST)
    if room.store.info(f"runs/{BEFORE}/success.json"):
        assert not told, "no score again: nothing has changed since the month before"
    else:
        assert {address for address, _ in told} == {a for c in room.councils for a in c.recipients}
        assert len(told) == len({address for address, _ in told}), "one message each"
    officers = room.mails_to({c.data_officer for c in room.councils}, LAST)
    assert {address for address, _ in officers} == {c.data_officer for c in room.councils}
    assert len(officers) == len(room.councils), "one report each"
    assert {e.status for e in Ledger(room.store).month(LAST)} == {Status.SENT}
    assert any("crashed" in s for s in room.subjects_to_the_team())
    until("free places", lambda: room.served.slots_taken() == 0)


@pytest.mark.soak
def test_a_run_from_the_command_line_outlives_a_server_that_is_away_for_twenty_seconds(room: Room) -> None:
    command = [sys.executable, "-m", "flows.cli.app", "run", "--month", str(LAST), "--as-of", AS_OF, "--no-send"]
    claim = latest_claim(room.store, LAST)
    environment = dict(room.served.environment)
    with (room.served.home / "run.log").open("wb") as said:
        run = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=said, stderr=subprocess.STDOUT)
        room.wait_for_the_next_claim(LAST, claim.number if claim is not None else 0)
        room.served.kill("server")
        sleep(20)
        room.served.start_server()
        assert run.wait(timeout=600) == 0, room.served.said("run")
    assert "Traceback" not in room.served.said("run")


@pytest.mark.soak
def test_a_backfill_goes_oldest_first_shows_its_progress_and_mails_nobody(room: Room) -> None:
    before = len(room.mailbox.mail)
    began = wall_clock()
    run = room.served.begin("backfill", {"first": str(LAST.plus(-2)), "last": str(LAST), "reason": "corrected files"})
    until("the end of the backfill", lambda: room.served.states("backfill") == ["COMPLETED"])
    assert len(room.mailbox.mail) == before
    assert sorted(o.name.split("/")[1] for o in room.store.list("alerts/") if o.name.endswith("/Z01.json")) == [
        str(LAST.plus(-2)),
        str(LAST.plus(-1)),
        str(LAST),
    ]
    claims = [c for c in claims_since(room.store, began) if c.of != INTAKE]
    # While a month is decided, the month before is held as well.
    first_held = list(dict.fromkeys(c.of for c in sorted(claims, key=lambda c: c.since)))
    assert [m for m in first_held if m >= str(LAST.plus(-2))] == [str(LAST.plus(n)) for n in (-2, -1, 0)]
    assert all(c.released and c.owner.run_id == run for c in claims)
    assert room.served.progress(run) == 100


@pytest.mark.soak
def test_the_watchdog_on_the_server_finds_every_deployment_served(room: Room) -> None:
    room.served.begin("watchdog", {})
    until("the end of the watchdog", lambda: room.served.states("watchdog") == ["COMPLETED"])
    (run,) = room.served.runs("watchdog")
    assert "deployment" not in run["state"]["message"]
    assert "schedule" not in run["state"]["message"]


def test_the_watchdog_outside_tells_that_the_server_is_gone(room: Room) -> None:
    room.served.kill("server")
    code, said = run("flows.cli.app", "watchdog", env=room.served.environment, timeout=120)
    assert code == 21, said
    assert "the Prefect server is not there" in said
    assert f"{room.served.api} does not answer" in said
    assert any("the Prefect server is not there" in s for s in room.subjects_to_the_team())
