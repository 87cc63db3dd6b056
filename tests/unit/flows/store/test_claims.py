"""Who may work on a month: literal claims, a clock that the test moves, no waiting."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import StoreError
from features.months import Month
from flows.settings.settings import ClaimSettings
from flows.store import AlreadyThere, LocalStore
from flows.store.claims import (
    INTAKE,
    ClaimLost,
    HeldClaim,
    MonthClaimed,
    Owner,
    claimed,
    damaged_claims,
    free,
    held_claims,
    latest_claim,
    take_claim,
)
from flows.store.processes import Process, is_gone, process_began, this_process
from tests.unit.flows.store.clocked import ClockedStore

OCTOBER = Month(2026, 10)
EIGHT = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
RULES = ClaimSettings(stale_minutes=10, wait_minutes=15, heartbeat_seconds=200)
ASH, BIRCH = Process("ash", "boot-1/pid-1", 4711, "900"), Process("birch", "boot-2/pid-1", 12, "77")
FIRST, SECOND = Owner("monthly “2026-10”", "run-1", ASH), Owner("monthly “2026-10: resent”", "run-2", BIRCH)


class Clock:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = EIGHT
        self.while_waiting: Callable[[], None] = lambda: None

    def __call__(self) -> datetime:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.while_waiting()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> LocalStore:
    return ClockedStore(tmp_path, clock)


def hold(store: LocalStore, clock: Clock, owner: Owner, of: Month | str = OCTOBER) -> ExitStack:
    """The claim held by `owner` until the returned stack is closed."""
    stack = ExitStack()
    stack.enter_context(claimed(store, of, owner, rules=RULES, clock=clock, pause=clock.pause))
    return stack


def test_a_claim_says_who_since_when_and_is_given_back(store: LocalStore, clock: Clock) -> None:
    with claimed(store, OCTOBER, FIRST, rules=RULES, clock=clock) as held:
        there = latest_claim(store, OCTOBER)
        assert there == held.claim
        assert (there.owner, there.since, there.released) == (FIRST, EIGHT, False)
        assert [c.of for c in held_claims(store)] == ["2026-10"]
    after = latest_claim(store, OCTOBER)
    assert after is not None
    assert after.released
    assert held_claims(store) == []


def test_it_is_given_back_when_the_run_fails_or_is_interrupted(store: LocalStore, clock: Clock) -> None:
    for error in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error), claimed(store, OCTOBER, FIRST, rules=RULES, clock=clock):
            raise error
        assert held_claims(store) == []


def test_a_second_run_waits_and_goes_on_when_the_first_has_ended(store: LocalStore, clock: Clock) -> None:
    first = hold(store, clock, FIRST)
    clock.while_waiting = lambda: first.close() if clock.now >= EIGHT + timedelta(minutes=2) else None
    with hold(store, clock, SECOND):
        now = latest_claim(store, OCTOBER)
        assert now is not None
        assert (now.owner, now.number) == (SECOND, 2)
    assert clock.now == EIGHT + timedelta(minutes=2)


def test_a_second_run_that_waited_in_vain_ends_with_who_since_when_and_what_to_do(
    store: LocalStore, clock: Clock
) -> None:
    with claimed(store, OCTOBER, FIRST, rules=RULES, clock=clock) as held:
        clock.while_waiting = held.beat
        with pytest.raises(MonthClaimed) as refused:
            hold(store, clock, SECOND)
    assert str(refused.value) == (
        "October 2026 is held by monthly “2026-10” (process 4711 on ash) since 16 November 2026 08:00:00 UTC, last "
        "heard of at 16 November 2026 08:15:00 UTC. Wait until it ends and run again; if it is dead, its claim lapses "
        "at 16 November 2026 08:25:00 UTC and the next run goes on from where it stopped."
    )


def test_a_claim_whose_heartbeat_stopped_is_taken_over_after_ten_minutes(store: LocalStore, clock: Clock) -> None:
    take_claim(store, OCTOBER, FIRST, EIGHT, RULES)  # and the run is killed on another machine
    with hold(store, clock, SECOND):
        assert clock.now == EIGHT + timedelta(minutes=10)


def test_a_heartbeat_keeps_it(store: LocalStore, clock: Clock) -> None:
    with claimed(store, OCTOBER, FIRST, rules=RULES, clock=clock) as held:
        clock.now += timedelta(minutes=9)
        held.beat()
        clock.now += timedelta(minutes=9)
        assert take_claim(store, OCTOBER, SECOND, clock.now, RULES) == (held.claim, False)


def test_a_dead_process_of_the_same_machine_is_taken_over_at_once(store: LocalStore) -> None:
    here = this_process()
    killed = Owner("monthly “2026-10”", "run-1", Process(here.host, here.space, here.pid, "another moment"))
    take_claim(store, OCTOBER, killed, EIGHT, RULES)
    claim, mine = take_claim(store, OCTOBER, Owner("holdfast", "", here), EIGHT, RULES)
    assert mine
    assert claim.number == 2


@pytest.mark.parametrize(
    ("there", "began", "gone"),
    [
        pytest.param(ASH, {4711: "900"}, False, id="it lives"),
        pytest.param(ASH, {}, True, id="no such process"),
        pytest.param(ASH, {4711: "950"}, True, id="its number was given out again"),
        pytest.param(BIRCH, {12: "77"}, None, id="another machine"),
        pytest.param(Process("ash", "boot-1/pid-2", 4711, "900"), {}, None, id="another container of the machine"),
        pytest.param(Process("ash", "boot-0/pid-1", 4711, "900"), {}, None, id="before the machine was restarted"),
        pytest.param(Process("ash", "", 4711, ""), {}, None, id="a system that does not tell"),
    ],
)
def test_what_can_be_known_of_a_process(there: Process, began: dict[int, str], gone: bool | None) -> None:
    here = Process("ash", "boot-1/pid-1", 5000, "990")
    assert is_gone(there, here, began.get) is gone


def test_this_process_lives_and_an_impossible_one_does_not() -> None:
    here = this_process()
    assert process_began(here.pid) == here.began
    assert process_began(2**22 + 1) is None


def test_a_run_that_was_taken_over_stops_and_leaves_the_other_its_claim(store: LocalStore, clock: Clock) -> None:
    with claimed(store, OCTOBER, FIRST, rules=RULES, clock=clock) as held:
        held.check()
        clock.now += timedelta(minutes=11)  # the machine slept
        taken, mine = take_claim(store, OCTOBER, SECOND, clock.now, RULES)
        assert mine
        with pytest.raises(ClaimLost, match="held by monthly “2026-10: resent”"):
            held.check()
        held.beat()  # its thread may still do so
        assert latest_claim(store, OCTOBER) == taken
    assert latest_claim(store, OCTOBER) == taken, "what it gives back at its end is its own claim"


def test_months_and_the_intake_do_not_hinder_each_other(store: LocalStore, clock: Clock) -> None:
    with hold(store, clock, FIRST), hold(store, clock, SECOND, Month(2026, 9)), hold(store, clock, SECOND, INTAKE):
        assert [c.of for c in held_claims(store)] == ["2026-09", "2026-10", "intake"]
    assert clock.now == EIGHT


def test_a_person_can_free_a_month(store: LocalStore, clock: Clock) -> None:
    take_claim(store, OCTOBER, FIRST, EIGHT, RULES)
    ended = free(store, OCTOBER, Owner("ada: the machine is gone", "", BIRCH), EIGHT)
    assert ended == "October 2026 is no longer held by monthly “2026-10” (process 4711 on ash)."
    assert held_claims(store) == []
    assert free(store, OCTOBER, SECOND, EIGHT) == ""
    with hold(store, clock, SECOND):
        assert clock.now == EIGHT


def test_an_object_that_is_no_claim_is_named(store: LocalStore) -> None:
    store.create("claims/2026-10/000001.json", json.dumps({"who": "?"}).encode())
    for ask in (lambda: latest_claim(store, OCTOBER), lambda: take_claim(store, OCTOBER, FIRST, EIGHT, RULES)):
        with pytest.raises(StoreError, match=r"claims/2026-10/000001\.json.*holdfast claims --free 2026-10"):
            ask()
    assert held_claims(store) == []
    (said,) = damaged_claims(store)
    assert "000001.json" in said


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"who": "?"}'])
def test_a_person_can_free_a_claim_that_cannot_be_read(store: LocalStore, clock: Clock, content: bytes) -> None:
    store.create("claims/2026-10/000003.json", content)
    assert "000003.json" in free(store, OCTOBER, Owner("ada: it is damaged", "", BIRCH), EIGHT)
    assert damaged_claims(store) == []
    with hold(store, clock, SECOND):
        claim = latest_claim(store, OCTOBER)
    assert claim is not None and claim.number == 5


def test_clocks_apart_take_nothing_from_the_living(store: LocalStore, clock: Clock) -> None:
    """Whatever the claiming machines' clocks say, it is the store's that counts."""
    for of, hours in (("2026-08", -1), ("2026-09", 1), ("2026-10", 10_000)):
        wrong = timedelta(hours=hours)
        take_claim(store, of, FIRST, clock.now + wrong, RULES)
        clock.now += timedelta(minutes=9)
        assert not take_claim(store, of, SECOND, clock.now + 2 * wrong, RULES)[1]
        clock.now += timedelta(minutes=1)
        assert take_claim(store, of, SECOND, clock.now - 2 * wrong, RULES)[1]


def test_by_default_a_month_waits_less_than_three_minutes_for_a_machine_that_died(
    store: LocalStore, clock: Clock
) -> None:
    rules = ClaimSettings()
    take_claim(store, OCTOBER, FIRST, EIGHT, rules)
    with claimed(store, OCTOBER, SECOND, rules=rules, clock=clock, pause=clock.pause):
        assert clock.now - EIGHT <= timedelta(minutes=3)


def test_a_lost_race_is_looked_at_again(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    create = LocalStore.create

    def beaten(self: LocalStore, name: str, content: bytes, **more: str) -> None:
        monkeypatch.setattr(LocalStore, "create", create)
        take_claim(self, OCTOBER, FIRST, EIGHT, RULES)
        raise AlreadyThere(name)

    monkeypatch.setattr(LocalStore, "create", beaten)
    claim, mine = take_claim(store, OCTOBER, SECOND, EIGHT, RULES)
    assert not mine
    assert claim.owner == FIRST


@given(
    moves=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["take", "beat", "release", "die"]), st.integers(0, 400)),
        max_size=30,
    )
)
def test_whatever_happens_no_two_live_runs_hold_a_month(
    moves: list[tuple[int, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Runs that renew in time: at every moment at most one of them holds the month, and numbers only grow."""
    clock = Clock()
    store = ClockedStore(tmp_path_factory.mktemp("claims"), clock)
    owners = [Owner(f"run {n}", f"run-{n}", Process(f"machine {n}", "", n, "")) for n in range(4)]
    now, highest = EIGHT, 0
    holds: dict[int, datetime] = {}  # who holds, and when it last renewed
    for who, move, seconds in moves:
        now += timedelta(seconds=seconds)
        clock.now = now
        last = latest_claim(store, OCTOBER)
        if move == "take":
            before = dict(holds)
            claim, mine = take_claim(store, OCTOBER, owners[who], now, RULES)
            assert claim.number >= highest
            highest = claim.number
            live = [n for n, beat in before.items() if now < beat + timedelta(minutes=10)]
            assert mine is (not live)
            holds = {who: now} if mine else holds
        elif who in holds and last is not None and move != "die":
            held = HeldClaim(store, last, RULES, lambda at=now: at)  # type: ignore[misc]
            if move == "beat":
                held.beat()
                holds[who] = now
            else:
                held.release()
                holds = {}
        assert len([c for c in held_claims(store) if now < c.lapses(RULES)]) <= 1
