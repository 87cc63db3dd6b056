"""Many at once want one month: one gets it, on a local store and on a real S3 server. Whole runs: test_run_killed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Lock
from time import sleep

import pytest

from features.months import Month
from flows.settings.settings import ClaimSettings
from flows.store import LocalStore, Store
from flows.store.claims import Claim, Owner, claimed, latest_claim, take_claim
from flows.store.processes import Process
from flows.store.s3 import S3Store

MONTH = Month(2026, 10)
EIGHT = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
RULES = ClaimSettings()
RUNS = 16

MakeStore = Callable[[], Store]


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.integration)])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Opens the same, at first empty, store again and again, as separate processes would."""
    if request.param == "local":
        return lambda: LocalStore(tmp_path / "store")
    s3_store: Callable[[], S3Store] = request.getfixturevalue("s3_store")
    return s3_store


def owner(number: int) -> Owner:
    return Owner(f"run {number}", f"run-{number}", Process(f"machine {number}", "", number, ""))


def attempt(store: Store, number: int, now: datetime) -> tuple[Claim, bool]:
    return take_claim(store, MONTH, owner(number), now, RULES)


def all_at_once(make_store: MakeStore, now: datetime) -> list[tuple[Claim, bool]]:
    store, together = make_store(), Barrier(RUNS)

    def one(number: int) -> tuple[Claim, bool]:
        together.wait()
        return attempt(store, number, now)

    with ThreadPoolExecutor(RUNS) as pool:
        return list(pool.map(one, range(RUNS)))


def test_of_sixteen_at_once_one_gets_the_month_and_all_see_the_same_one(make_store: MakeStore) -> None:
    outcomes = all_at_once(make_store, EIGHT)
    assert [mine for _, mine in outcomes].count(True) == 1
    assert {claim.owner for claim, _ in outcomes} == {owner([mine for _, mine in outcomes].index(True))}
    assert len(list(make_store().list(f"claims/{MONTH}/"))) == 1


def test_of_sixteen_who_find_a_dead_claim_one_takes_it_over(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt(make_store(), 99, EIGHT)
    assert not any(mine for _, mine in all_at_once(make_store, EIGHT))
    later = latest_claim(make_store(), MONTH)
    assert later is not None
    monkeypatch.setattr("flows.store.claims.store_time", lambda store: later.lapses(RULES))
    sleep(1)  # The server's times are whole seconds: a new claim of the same second would look dead too.
    outcomes = all_at_once(make_store, EIGHT)
    assert [mine for _, mine in outcomes].count(True) == 1
    assert {claim.number for claim, _ in outcomes} == {2}


def test_runs_that_wait_work_one_after_another(make_store: MakeStore) -> None:
    inside, most, done = [0], [0], []
    counting = Lock()

    store = make_store()

    def run(number: int) -> None:
        with claimed(store, MONTH, owner(number), rules=RULES, clock=lambda: EIGHT, pause=lambda _: sleep(0.02)):
            with counting:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            done.append(number)
            with counting:
                inside[0] -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    assert most[0] == 1
    assert sorted(done) == list(range(6))
    last = latest_claim(make_store(), MONTH)
    assert last is not None
    assert (last.number, last.released) == (6, True)
