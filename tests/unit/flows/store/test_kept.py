"""What is gone from a store is missed: a folder that is empty now is not read as one that was always empty."""

from __future__ import annotations

import pickle
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.months import Month
from flows.store import DamagedObject, LocalStore
from flows.store.kept import forget, kept, kept_name, lost, note, nothing_lost, watched
from flows.store.reading import digest
from flows.store.retention import Periods, delete_planned, plan

SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)
LETTER = "alerts/2026-10/Z01.message.html"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """A store in which two months were run."""
    store = LocalStore(tmp_path / "store")
    store.create("answers/2026-08/Z01/1.json", b"{}")
    for month in (SEPTEMBER, OCTOBER):
        seen = watched(store)
        with nothing_lost(seen, month):
            seen.create(f"alerts/{month}/Z01.json", b"{}")
            seen.replace(f"alerts/{month}/Z01.message.html", b"<p>")
            seen.create(f"ledger/{month}/Z01/r1/new/message.eml", b"mail")
            seen.create(f"ledger/{month}/Z02/r1/new/message.eml", b"mail")
            seen.replace(f"runs/{month}/success.json", b"{}")
            seen.replace(f"region/{month}/index.html", b"<p>")
            seen.replace(f"validation/{month}/index.html", b"<p>")
    return store


def _begins(store: LocalStore, month: Month) -> str:
    try:
        with nothing_lost(watched(store), month):
            return ""
    except DamagedObject as error:
        return str(error)


def test_a_run_writes_down_what_it_wrote_with_its_hash_and_what_was_there(store: LocalStore) -> None:
    october = kept(store, OCTOBER)
    assert october[LETTER] == digest(b"<p>")
    assert october["answers/2026-08/Z01/1.json"] == "", "another process wrote it"
    assert october["runs/2026-10/success.json"] == "", "replaced whenever mail is sent; it has a hash of itself"
    assert not any("2026-09" in name for name in october)
    assert _begins(store, OCTOBER) == "" and kept(store, OCTOBER) == october


@pytest.mark.parametrize("folder", ["ledger/2026-09", "ledger/2026-10", "alerts/2026-10", "answers"])
def test_a_run_does_not_begin_while_a_folder_is_gone_that_it_cannot_make_anew(store: LocalStore, folder: str) -> None:
    before = kept(store, OCTOBER)
    shutil.rmtree(store.root / folder)
    said = _begins(store, OCTOBER)
    assert folder in said and "nobody was told" in said and "runs/2026-10/kept.json" in said
    assert kept(store, OCTOBER) == before, "what is missed stays missed"
    for month in (SEPTEMBER, OCTOBER):
        store.delete(kept_name(month))
    assert _begins(store, OCTOBER) == "", "a person has accepted the loss"


def test_what_a_run_makes_anew_holds_nobody_up(store: LocalStore) -> None:
    shutil.rmtree(store.root / "region")
    assert _begins(store, OCTOBER) == ""


def test_pages_that_only_taking_in_writes_are_missed_until_they_are_there_again(store: LocalStore) -> None:
    page = f"validation/{OCTOBER}/index.html"
    seen = watched(store)
    with nothing_lost(seen, OCTOBER):
        seen.replace(other := f"validation/{OCTOBER}/another.html", b"<p>")
    store.delete(page)
    forget(store, [page])
    for _ in range(2):
        with nothing_lost(watched(store), OCTOBER) as known:
            assert known.pages_gone == (page,)
    seen = watched(store)
    with nothing_lost(seen, OCTOBER):
        seen.replace(page, b"<p>")
    with nothing_lost(watched(store), OCTOBER) as known:
        assert known.pages_gone == () and known.editions == frozenset()
    store.delete(other)
    seen = watched(store)
    with nothing_lost(seen, OCTOBER):
        seen.replace(page, b"<p>taken in again, and the other page does not belong to it any more")
    with nothing_lost(watched(store), OCTOBER) as known:
        assert known.pages_gone == ()


def test_a_list_that_was_damaged_is_written_anew(store: LocalStore) -> None:
    content = store.read(kept_name(OCTOBER))
    store.replace(kept_name(OCTOBER), content[:50])
    assert _begins(store, OCTOBER) == ""
    assert f"alerts/{OCTOBER}/Z01.json" in kept(store, OCTOBER)


def test_what_retention_deleted_is_not_missed(store: LocalStore, tmp_path: Path) -> None:
    periods = Periods(OCTOBER, OCTOBER, SEPTEMBER)
    planned = plan(store, LocalStore(tmp_path / "landing"), periods, with_landing=False)
    known = kept(store, SEPTEMBER)
    delete_planned(store, store, planned, at=datetime(2027, 1, 1, tzinfo=UTC), by="J. Marsh", reason="the period")
    assert not list(store.list("ledger/2026-09/"))
    assert lost(store, known, {o.name for o in store.list()}) == []
    assert _begins(store, OCTOBER) == ""


def test_what_was_laid_aside_is_not_missed(store: LocalStore) -> None:
    store.delete(LETTER)
    assert LETTER in _begins(store, OCTOBER)
    forget(store, [LETTER, "what/is/this"])
    assert _begins(store, OCTOBER) == ""


def test_a_command_outside_a_run_writes_down_too(store: LocalStore) -> None:
    seen = watched(store)
    seen.replace(LETTER, b"<p>heard")
    seen.create("answers/2026-10/Z01/1.json", b"{}")
    note(seen, OCTOBER)
    assert kept(store, OCTOBER)[LETTER] == digest(b"<p>heard")
    assert kept(store, OCTOBER)["answers/2026-10/Z01/1.json"] == digest(b"{}")


def test_files_of_another_month_are_written_down_with_that_month(store: LocalStore) -> None:
    seen = watched(store)
    with nothing_lost(seen, OCTOBER):
        seen.create("submissions/2026-09/log-0002.json", b"{}")
    assert "submissions/2026-09/log-0002.json" in kept(store, SEPTEMBER)


def test_a_watched_store_goes_to_another_process(store: LocalStore) -> None:
    assert pickle.loads(pickle.dumps(watched(store))).url == store.url
