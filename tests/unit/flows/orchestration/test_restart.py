"""Runs whose process died: when that is known, and what takes their place. Literal runs and claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.months import Month
from flows.orchestration.keeper import keep_once
from flows.orchestration.restart import begin_again, is_cut_off, meant, repair, repair_in_words, tags_again, times_begun
from flows.orchestration.server_view import SERVER_WENT, SeenDeployment, SeenRun
from flows.settings.settings import ClaimSettings, Settings
from flows.store import LocalStore
from flows.store.claims import Claim, Owner, take_claim
from flows.store.processes import Process, this_process

SEVEN = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
RULES = ClaimSettings()
HERE = Process("ash", "boot-1/pid-1", 99, "1")
THERE = Process("birch", "boot-9/pid-1", 12, "77")
RUN = SeenRun(
    id="run-1",
    name="last complete month",
    flow="monthly",
    deployment_id="deployment-1",
    state="RUNNING",
    since=SEVEN,
    expected=SEVEN,
    parameters={"request": {"send": "yes"}},
    tags=("holdfast",),
)


def claim(process: Process, heartbeat: datetime, run_id: str = "run-1", since: datetime = SEVEN) -> Claim:
    return Claim("2026-10", 1, Owner("monthly “2026-10”", run_id, process), since, heartbeat)


@dataclass
class Server:
    """A server that knows some runs and remembers what it was asked."""

    running: list[SeenRun] = field(default_factory=list)
    dead: list[SeenRun] = field(default_factory=list)
    begun: dict[str, tuple[Mapping[str, Any], Sequence[str]]] = field(default_factory=dict)
    ended: dict[str, Sequence[str]] = field(default_factory=dict)

    def deployments(self) -> list[SeenDeployment]:
        return []

    def unfinished(self) -> list[SeenRun]:
        return self.running

    def crashed(self, since: datetime) -> list[SeenRun]:
        return [run for run in self.dead if run.since >= since]

    def late(self, before: datetime) -> list[SeenRun]:
        return []

    def begun_late(self, since: datetime, by: timedelta) -> list[SeenRun]:
        return [r for r in self.running if r.began and r.began >= since and r.began - r.expected > by]

    def begin_again(self, run: SeenRun, parameters: Mapping[str, Any], tags: Sequence[str]) -> str:
        self.begun.setdefault(run.id, (parameters, tags))
        return f"again-{run.id}"

    def end(self, run: SeenRun, *, message: str, tags: Sequence[str]) -> None:
        self.ended[run.id] = tags


@pytest.mark.parametrize(
    ("run", "claims", "now", "cut_off"),
    [
        pytest.param(RUN, [claim(replace(HERE, pid=5, began="9"), SEVEN)], SEVEN, True, id="its process is gone"),
        pytest.param(RUN, [claim(HERE, SEVEN)], NOON, False, id="its process lives, however silent"),
        pytest.param(RUN, [claim(THERE, NOON)], NOON, False, id="heard of from another machine"),
        pytest.param(RUN, [claim(THERE, SEVEN)], NOON, True, id="silent on another machine"),
        pytest.param(RUN, [claim(THERE, NOON)], NOON + timedelta(seconds=119), False, id="four renewals are lost"),
        pytest.param(RUN, [claim(THERE, NOON)], NOON + timedelta(minutes=2), True, id="its claim has lapsed"),
        pytest.param(
            replace(RUN, last_event=NOON),
            [claim(THERE, SEVEN)],
            NOON + timedelta(seconds=90),
            False,
            id="it cannot reach the store, but the server hears of it",
        ),
        pytest.param(
            RUN,
            [replace(claim(THERE, NOON), released=True)],
            NOON + timedelta(minutes=9),
            False,
            id="it has given its claim back and is ending",
        ),
        pytest.param(RUN, [], NOON, True, id="silent before it claimed anything"),
        pytest.param(RUN, [], SEVEN + timedelta(minutes=9), False, id="it has only begun"),
        pytest.param(replace(RUN, since=NOON), [], SEVEN, False, id="it began while the look was under way"),
        pytest.param(replace(RUN, last_event=NOON), [], NOON, False, id="the server heard of it just now"),
        pytest.param(RUN, [claim(HERE, NOON, run_id="run-2")], NOON, True, id="the claim is another run's"),
        pytest.param(
            replace(RUN, since=NOON),
            [claim(replace(HERE, pid=5, began="9"), SEVEN)],
            NOON,
            False,
            id="the process that is gone was of its first attempt",
        ),
        pytest.param(replace(RUN, state="PENDING"), [], NOON, True, id="nobody began it after all"),
        pytest.param(
            replace(RUN, state="CANCELLING", since=NOON),
            [claim(replace(HERE, pid=5, began="9"), SEVEN)],
            NOON,
            True,
            id="its process is gone while it is cancelled",
        ),
    ],
)
def test_when_a_run_has_lost_its_process(run: SeenRun, claims: list[Claim], now: datetime, cut_off: bool) -> None:
    processes = {99: "1"}
    assert is_cut_off(run, claims, now, RULES, HERE, processes.get) is cut_off


def test_a_run_without_a_month_is_begun_again_for_the_month_that_was_meant() -> None:
    assert meant(RUN) == {"request": {"send": "yes", "month": "2026-10"}}
    assert meant(replace(RUN, parameters={})) == {"request": {"month": "2026-10"}}
    assert meant(replace(RUN, parameters={"request": {"month": "2026-08"}})) == {"request": {"month": "2026-08"}}
    backfill = replace(RUN, flow="backfill", parameters={"request": {"first": "2026-01"}})
    assert meant(backfill) == {"request": {"first": "2026-01"}}


def test_the_month_is_that_of_londons_day() -> None:
    midnight_in_summer = datetime(2026, 5, 31, 23, 30, tzinfo=UTC)
    assert meant(replace(RUN, expected=midnight_in_summer))["request"]["month"] == "2026-05"


def test_tags_count_how_often_the_work_was_begun() -> None:
    assert times_begun(("holdfast",)) == 1
    assert tags_again(("holdfast", "seen-to")) == ["holdfast", "begun-2-times"]
    assert tags_again(("holdfast", "begun-2-times")) == ["holdfast", "begun-3-times"]


def test_a_dead_run_is_ended_and_its_work_begun_again() -> None:
    server = Server()
    died = begin_again(server, RUN, attempts=3)
    assert died.again == "again-run-1"
    assert server.begun["run-1"] == ({"request": {"send": "yes", "month": "2026-10"}}, ["holdfast", "begun-2-times"])
    assert server.ended["run-1"] == ["holdfast", "seen-to"]
    assert "begun again" in repair_in_words(died)["title"]


def test_a_run_that_lost_its_server_is_not_said_to_have_been_killed() -> None:
    died = begin_again(Server(), replace(RUN, state="FAILED"), attempts=3)
    assert repair_in_words(died)["what"].startswith("It could not reach the Prefect server any more.")


@pytest.mark.parametrize(
    ("message", "went"),
    [
        ("Flow run encountered an exception: ConnectError: [Errno 111] Connection refused", True),
        ("Flow run encountered an exception: ReadTimeout: ", True),
        ("Flow run encountered an exception: ConcurrencySlotAcquisitionError: Unable to acquire slots", True),
        ("Flow run encountered an exception: PrefectHTTPStatusError: Server error '503 Service Unavailable'", True),
        ("Flow run encountered an exception: PrefectHTTPStatusError: Client error '404 Not Found'", False),
        ("Flow run encountered an exception: ValueError: no", False),
        ("There is no bucket of that name.", False),
    ],
)
def test_how_a_failure_for_want_of_the_server_is_known(message: str, went: bool) -> None:
    assert bool(SERVER_WENT.search(message)) is went


@pytest.mark.parametrize(
    ("run", "words"),
    [
        pytest.param(replace(RUN, state="CANCELLING"), "It was being cancelled and is now.", id="cancelled"),
        pytest.param(replace(RUN, tags=("begun-3-times",)), "It was begun 3 times and is not", id="too often"),
        pytest.param(replace(RUN, flow="watchdog"), "It was begun once and is not", id="the watchdog"),
    ],
)
def test_what_is_not_begun_again_is_ended_all_the_same(run: SeenRun, words: str) -> None:
    server = Server()
    died = begin_again(server, run, attempts=3)
    assert died.again == ""
    assert server.begun == {}
    assert list(server.ended) == ["run-1"]
    assert words in repair_in_words(died)["what"]


def _settings(folder: Path) -> Settings:
    return Settings(store=str(folder / "store"), mail={"outbox": str(folder / "outbox")})  # type: ignore[arg-type]


def test_runs_seen_to_die_are_begun_again_once_and_old_ones_left(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    fresh = replace(RUN, state="CRASHED")
    server = Server(
        dead=[
            fresh,
            replace(fresh, id="run-2", tags=("seen-to",)),
            replace(fresh, id="run-3", since=NOON - timedelta(days=4)),
        ]
    )
    died = repair(server, store, _settings(tmp_path), NOON)
    assert [d.run.id for d in died] == ["run-1"]


def test_the_run_that_looks_is_not_looked_at(tmp_path: Path) -> None:
    server = Server(running=[replace(RUN, id="me", flow="watchdog")])
    assert repair(server, LocalStore(tmp_path), _settings(tmp_path), NOON, but="me") == []


def test_a_serving_process_begins_again_what_its_predecessor_left_and_tells_the_team(tmp_path: Path) -> None:
    settings, store = _settings(tmp_path), LocalStore(tmp_path / "store")
    gone = replace(this_process(), began="another moment")
    take_claim(store, Month(2026, 10), Owner("monthly “2026-10”", "run-1", gone), SEVEN, RULES)
    server = Server(running=[RUN])
    (tmp_path / "store").mkdir(exist_ok=True)

    died = keep_once(settings, server, SEVEN + timedelta(minutes=1))

    assert [d.again for d in died] == ["again-run-1"]
    (mail,) = (tmp_path / "outbox").rglob("*.eml")
    assert b"died and was begun again" in mail.read_bytes()
