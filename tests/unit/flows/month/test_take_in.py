"""Which months have something new: tidying the landing store up restates nothing, closed months stay closed."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from expectations.batch import FAILURES
from features.councils import Council, Register
from features.months import LONDON, Month
from flows.month.take_in import Due, months_due
from flows.store import LocalStore
from flows.store.editions import RECORDS_KEPT_FROM, History
from flows.store.manifest import Manifest

SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)
CUTOFF = date(2026, 11, 20)
REGISTER = Register((Council("370", "Barnsley", Month(2020, 1)),))


@pytest.fixture
def landing(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "landing")
    for month in (SEPTEMBER, OCTOBER):
        put(store, f"{month}/370/workforce.csv", b"one")
    return store


@pytest.fixture
def history(tmp_path: Path, landing: LocalStore) -> History:
    """Both months taken in as they lie there."""
    made = History(LocalStore(tmp_path / "store"))
    for due in found(landing, made):
        made.write(Manifest(due.month, 1, due.fingerprint, due.cutoff, (), {}), {})
    return made


def put(store: LocalStore, name: str, content: bytes, day: int = 10) -> None:
    store.replace(name, content)
    moment = datetime(2026, 11, day, 12, tzinfo=UTC).timestamp()
    os.utime(store.root / name, (moment, moment))


def found(landing: LocalStore, history: History) -> list[Due]:
    return months_due(landing, History(history.store), REGISTER, [SEPTEMBER, OCTOBER], lambda _: CUTOFF)


def months(due: list[Due]) -> list[Month]:
    return [d.month for d in due]


def test_nothing_new_is_nothing_to_do(landing: LocalStore, history: History) -> None:
    assert found(landing, history) == []


def test_a_file_sent_again_restates_its_month_and_the_one_after(landing: LocalStore, history: History) -> None:
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    assert months(found(landing, history)) == [SEPTEMBER, OCTOBER]


@pytest.mark.parametrize("harm", [None, b"half"])
def test_a_month_is_counted_anew_if_the_one_it_was_compared_with_is_lost_and_another_takes_its_place(
    landing: LocalStore, history: History, harm: bytes | None
) -> None:
    september, october = history.as_of(SEPTEMBER, CUTOFF), history.as_of(OCTOBER, CUTOFF)
    assert september is not None and october is not None
    history.write(replace(october, edition=2, after=september.fingerprint), {})
    name = f"{september.prefix}manifest.json"
    history.store.delete(name) if harm is None else history.store.replace(name, harm)
    assert months(found(landing, history)) == [SEPTEMBER], "it will be the same edition again"
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    assert months(found(landing, history)) == [SEPTEMBER, OCTOBER]


def test_a_month_that_comes_after_its_successor_is_compared_with(landing: LocalStore, tmp_path: Path) -> None:
    late = landing.read(file := f"{SEPTEMBER}/370/workforce.csv")
    landing.delete(file)
    history = History(LocalStore(tmp_path / "store"))
    (october,) = found(landing, history)
    history.write(Manifest(OCTOBER, 1, october.fingerprint, october.cutoff, (), {}), {})
    put(landing, file, late, day=12)
    assert months(found(landing, history)) == [SEPTEMBER, OCTOBER]


def test_a_month_whose_folder_was_emptied_keeps_what_was_taken_in(landing: LocalStore, history: History) -> None:
    landing.delete(f"{SEPTEMBER}/370/workforce.csv")
    assert found(landing, history) == []
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    landing.delete(f"{OCTOBER}/370/workforce.csv")
    assert months(found(landing, history)) == [SEPTEMBER]


def test_nothing_is_taken_in_for_a_closed_month(landing: LocalStore, history: History) -> None:
    history.store.replace(RECORDS_KEPT_FROM, b'{"month": "2026-10"}')
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    assert found(landing, history) == []
    put(landing, f"{OCTOBER}/370/workforce.corrected.csv", b"two", day=12)
    assert months(found(landing, history)) == [OCTOBER]


@pytest.mark.parametrize("month", [SEPTEMBER, OCTOBER])
@pytest.mark.parametrize("harm", [None, b"half"])
def test_a_month_whose_stored_table_is_lost_or_cut_off_is_due_again_while_its_files_are_there(
    landing: LocalStore, history: History, month: Month, harm: bytes | None
) -> None:
    """Of a month before, the run reads this table no more; that it lies there whole is looked at all the same."""
    newest = history.as_of(month, CUTOFF)
    assert newest is not None
    stored = history.write(replace(newest, edition=2), {"failures": FAILURES.to_frame()})
    assert found(landing, history) == []
    assert stored.tables is not None
    file = f"{stored.prefix}{stored.tables['failures'].file}"
    history.store.delete(file) if harm is None else history.store.replace(file, harm)
    assert months(found(landing, history)) == [month]


@pytest.mark.parametrize(("moment", "read"), [("2026-11-20T23:59", True), ("2026-11-21T00:01", False)])
@pytest.mark.parametrize("summer", [False, True])
def test_what_came_by_the_cut_off_is_told_by_londons_day(
    landing: LocalStore, history: History, moment: str, read: bool, summer: bool
) -> None:
    """In summer London's day ends an hour before that of UTC."""
    cutoff = date(2026, 7, 20) if summer else CUTOFF
    came = datetime.fromisoformat(moment).replace(tzinfo=LONDON)
    came = came.replace(month=7) if summer else came
    month = Month(2026, 6) if summer else OCTOBER
    for name in ("workforce.csv", "workforce.corrected.csv"):
        put(landing, f"{month}/370/{name}", name.encode())
        os.utime(landing.root / f"{month}/370/{name}", (came.timestamp(), came.timestamp()))
    due = months_due(landing, History(history.store), REGISTER, [month], lambda _: cutoff)
    assert [f.name for one in due for f in one.files] == (
        [f"{month}/370/workforce.corrected.csv", f"{month}/370/workforce.csv"] if read else []
    )
