"""Many worlds in which much goes wrong, and in none of which anybody may be told wrongly, twice, or never."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date
from multiprocessing import get_context
from typing import Any
from unittest import mock

import polars as pl
import pytest

from features.errors import StoreError
from features.months import Month
from flows.month import steps, take_in
from flows.store import ledger
from flows.store.editions import History
from flows.store.manifest import Manifest
from tests.simulation.many import SCENES, failing, worlds, wrong_with
from tests.simulation.month import Scene, Truth, run_month, undisturbed
from tests.simulation.remember import simulated
from tests.simulation.world import START, Fault, Schedule, World

#: Worlds of each scene in `make test`; those of `make soak` come after them.
_EACH_PUSH = 50


@pytest.fixture(scope="module", params=SCENES)
def here(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A new group that nobody can score yet; and one with a past, where a council gets worse."""
    with simulated():
        yield SCENES[request.param]()


@pytest.fixture(scope="module")
def truth(here: Scene) -> Truth:
    return undisturbed(here)


def test_an_undisturbed_month_tells_everybody_once(here: Scene, truth: Truth) -> None:
    kinds = ["not_scored", "worsening"] if here.base else ["first_months", "first_months", "not_scored"]
    assert sorted(m.split(".")[4].partition("@")[0] for _, m in truth.inbox) == kinds
    assert "runs/2026-10/success.json" in truth.objects


@pytest.mark.timeout(1200)
def test_whatever_happens_nobody_is_told_wrongly_twice_or_never(here: Scene, truth: Truth) -> None:
    assert not (said := failing(here, truth, range(_EACH_PUSH))), said


@pytest.mark.soak
@pytest.mark.timeout(50_000)
def test_a_hundred_thousand_worlds(capsys: pytest.CaptureFixture[str]) -> None:
    """Half of them in each scene, in as many processes as there are cores. `SOAK_WORLDS=2000` makes it shorter."""
    each = int(os.environ.get("SOAK_WORLDS", "100000")) // len(SCENES)
    last = _EACH_PUSH + each
    parts = [(name, n, min(n + 500, last)) for n in range(_EACH_PUSH, last, 500) for name in SCENES]
    # What is remembered grows by a tenth of a megabyte a world, so a process ends after some thousand of them.
    # Python's own executor can wait for ever when such processes end at once.
    with get_context("spawn").Pool(os.cpu_count(), maxtasksperchild=10) as pool:
        found = pool.starmap(worlds, parts, chunksize=1)
    assert not (said := [one for one, _ in found if one]), said[0]
    with capsys.disabled():
        spent = sum(seconds for _, seconds in found)
        done = each * len(SCENES)
        print(  # noqa: T201
            f"\n{done:,} simulated worlds, {spent:,.0f} s of processor ({1000 * spent / done:.0f} ms each): "
            "lost 0, told wrongly 0, stuck 0"
        )


@pytest.mark.parametrize("kind", ["crash before", "crash after", "lost", "late", "pause", "refused"])
def test_each_step_of_a_month_may_be_the_one_at_which_it_happens(here: Scene, truth: Truth, kind: str) -> None:
    """Every twenty-fifth step, others for each kind; the soak tries every step with every kind."""
    for at in range(len(kind) % 25, truth.steps, 25):
        assert not (said := wrong_with(here, truth, Schedule(((Fault(at, kind),),)))), said


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["crash before", "crash after", "lost", "late", "pause", "refused", "denied", "torn"])
def test_every_step_of_a_month_may_be_the_one_at_which_it_happens(here: Scene, truth: Truth, kind: str) -> None:
    for at in range(truth.steps):
        assert not (said := wrong_with(here, truth, Schedule(((Fault(at, kind),),)))), said


def test_the_first_reading_may_fail_everywhere(here: Scene, truth: Truth) -> None:
    """Half of each object of the store comes at first; none of the files in the landing is given to the first run."""
    stored = [Fault(0, "torn", on=f"read {re.escape(name)}") for name in truth.objects]
    landed = [Fault(0, "denied", on=f"land {re.escape(found.name)}") for found in here.landing.list()]
    assert run_month(here, here.world(), stored, "first")[0] == "done", "an object is read once more"
    for first in (stored, landed, [*stored, *landed]):
        assert not (said := wrong_with(here, truth, Schedule((tuple(first), tuple(stored))))), said


_FAULT = History.fault


_OUTDATED = take_in._is_outdated


def _news_unseen(history: History, known: Manifest, day: date, _news_before: str) -> bool:
    return _OUTDATED(history, known, day, "")


def _rows_unread(self: History, month: Month, cutoff: date, also: str = "") -> str:
    return _FAULT(self, month, cutoff)


_LOST_ROWS = Fault(0, "harm", on=r"list claims/2026-10/", harms="months/2026-09/0001/workforce.parquet")
#: Schedules that once found a fault, with what takes its mend out.
FOUND: dict[str, tuple[Schedule, Callable[[], AbstractContextManager[Any]]]] = {
    "access was denied to one council's file of a month before: its director read of figures that were not missing": (
        Schedule(((Fault(0, "denied", on=r"land 2026-\d\d/Z01/caseload.*"),),)),
        lambda: mock.patch.object(steps, "_unread_by_us", lambda *_: {}),
    ),
    "a bit of last month's rows was flipped before they were compared with": (
        Schedule(((_LOST_ROWS, Fault(0, "crash after", on=r"create months/2026-09/\d+/manifest.json")), (_LOST_ROWS,))),
        lambda: mock.patch.object(History, "fault", _rows_unread),
    ),
    "half of a message came when it was read that a run had recorded and, before its first event, died": (
        Schedule(
            (
                (Fault(0, "crash after", on=r"create ledger/2026-10/.+/message.eml"),),
                (Fault(0, "torn", on=r"read ledger/2026-10/.+/message.eml"),),
            )
        ),
        lambda: mock.patch.object(ledger, "_whole_message", bytes),
    ),
}


@pytest.mark.parametrize("found", FOUND)
def test_what_was_once_found_is_found_no_more(here: Scene, truth: Truth, found: str) -> None:
    schedule, taken_out = FOUND[found]
    assert not (said := wrong_with(here, truth, schedule)), said
    with taken_out():
        assert wrong_with(here, truth, schedule), "the schedule no longer meets its fault"


@pytest.mark.parametrize("here", ["a new group"], indirect=True)
def test_a_month_is_counted_anew_though_the_run_that_restated_the_one_before_died(here: Scene, truth: Truth) -> None:
    unread = Fault(0, "denied", on=r"land 2026-09/Z02/workforce.*")
    died = Schedule(((unread,), (Fault(0, "crash after", on=r"create months/2026-09/0002/manifest.json"),)))
    assert not (said := wrong_with(here, truth, died)), said
    with mock.patch.object(take_in, "_is_outdated", lambda *_: False):
        assert "told wrongly" in wrong_with(here, truth, died)


@pytest.mark.parametrize("here", ["a new group"], indirect=True)
def test_a_month_is_counted_anew_though_the_edition_that_it_was_compared_with_was_lost(
    here: Scene, truth: Truth
) -> None:
    unread = Fault(0, "denied", on=r"land 2026-09/Z02/workforce.*")
    died = Fault(0, "crash after", on=r"create months/2026-10/0001/manifest.json")
    harmed = Fault(0, "harm", on=r"list claims/intake/", harms="months/2026-09/0001/manifest.json")
    lost = Schedule(((unread, died), (harmed,)))
    assert not (said := wrong_with(here, truth, lost)), said
    with mock.patch.object(take_in, "_is_outdated", _news_unseen):
        assert "told wrongly" in wrong_with(here, truth, lost)


@pytest.mark.parametrize("here", ["a new group"], indirect=True)
def test_a_listing_that_is_behind_is_not_believed(here: Scene, truth: Truth) -> None:
    unread = Fault(0, "denied", on=r"land 2026-09/Z02/workforce.*")
    behind = Schedule(((unread,), tuple(Fault(n, "stale", on=r"list months/2026-09/") for n in range(2))))
    assert not (said := wrong_with(here, truth, behind)), said


def test_the_lost_answer_is_found_when_its_mend_is_taken_out(
    here: Scene, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in 0.1.0: a manifest that is there already ends the writing early, and what was remembered stays."""
    monkeypatch.setattr(History, "write", _write_of_0_1_0)
    said = (wrong_with(here, truth, Schedule(((Fault(at, "lost"),),))) for at in range(truth.steps // 4, truth.steps))
    assert any("told wrongly" in each for each in said)


_WRITE = History.write


def _write_of_0_1_0(self: History, manifest: Manifest, tables: Mapping[str, pl.DataFrame]) -> Manifest:
    name, remembered = f"{manifest.prefix}manifest.json", self._months.get(manifest.month)
    if self.store.info(name) is not None:
        return self._the_same(name, manifest)
    try:
        return _WRITE(self, manifest, tables)
    except StoreError:
        if remembered is not None:
            self._months[manifest.month] = remembered
        raise


def test_a_ledger_that_is_gone_tells_nobody_again(here: Scene, truth: Truth) -> None:
    """The run stops and says what is gone. Without the list of what must be there, a director is told twice."""

    def told(world: World) -> int:
        for name in [n for n in world.objects if n.startswith("ledger/")]:
            del world.objects[name]
        ended, _ = run_month(here, world, (), "after")
        assert world.mailed or "“ledger/2026-" in ended, ended
        return len(world.mailed)

    after = {n: (c, START) for n, c in truth.objects.items()}
    assert not told(World(dict(after)))
    assert told(World({n: o for n, o in after.items() if not n.endswith("/kept.json")}))
