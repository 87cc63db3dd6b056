"""Versions are stored once, the one in use is replaced last, and a folder laid out from them can be read."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from features.errors import ReferenceDataError, StoreError
from flows.published.contents import Contents, TableContents
from flows.published.shelf import Shelf, Version, version_id
from flows.settings.published_sources import Holds
from flows.store import LocalStore
from tests.unit.flows.alerts.faults import Fuse, FusedStore, Killed

MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)
NEXT_MONDAY = datetime(2026, 3, 9, 6, tzinfo=UTC)


def version(content: bytes, years: tuple[int, ...], at: datetime = MONDAY, source: str = "workforce") -> Version:
    digest = sha256(content).hexdigest()
    table = TableContents(layout="figures", sheet=None, headers=("cases",), rows=150)
    periods = {str(y): 150 for y in years}
    return Version(
        source=source,
        id=version_id(at, digest),
        fetched=at,
        sha256=digest,
        size=len(content),
        origin="https://files.example/a.csv",
        contents=Contents(holds=Holds.WORKFORCE, suffix=".csv", tables=(table,), periods=periods),
    )


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def names(store: LocalStore) -> list[str]:
    return [o.name for o in store.list()]


def test_a_version_is_stored_with_date_and_hash_and_put_in_use(store: LocalStore) -> None:
    shelf = Shelf(store)
    kept = shelf.keep(version(b"one\n", (2023,)), b"one\n")
    digest = sha256(b"one\n").hexdigest()[:12]
    assert names(store) == [
        f"reference/workforce/2026-03-02-{digest}.csv",
        f"reference/workforce/2026-03-02-{digest}.json",
        "reference/workforce/in-use.json",
    ]
    assert shelf.in_use("workforce") == (kept,)
    assert shelf.read(kept) == b"one\n"


def test_the_same_file_is_not_stored_twice(store: LocalStore) -> None:
    shelf = Shelf(store)
    shelf.keep(version(b"one\n", (2023,)), b"one\n")
    before = names(store)
    again = shelf.keep(version(b"one\n", (2023,), NEXT_MONDAY), b"one\n")
    assert names(store) == before
    assert again.fetched == MONDAY


@pytest.mark.parametrize("write", [1, 2, 3])
def test_killed_at_any_write_the_old_version_stays_and_the_next_run_finishes(store: LocalStore, write: int) -> None:
    shelf = Shelf(store)
    old = shelf.keep(version(b"one\n", (2022,)), b"one\n")
    with pytest.raises(Killed):
        Shelf(FusedStore(store, Fuse(write))).keep(version(b"two\n", (2022, 2023), NEXT_MONDAY), b"two\n")
    assert shelf.in_use("workforce") == (old,)
    new = shelf.keep(version(b"two\n", (2022, 2023), NEXT_MONDAY), b"two\n")
    assert shelf.in_use("workforce") == (new,)
    assert sum(n.endswith(".csv") for n in names(store)) == 2


def test_an_older_version_stays_beside_a_newer_one_as_long_as_it_alone_has_years(store: LocalStore) -> None:
    shelf = Shelf(store)
    old = shelf.keep(version(b"one\n", (2013, 2014, 2022)), b"one\n")
    new = shelf.keep(version(b"two\n", (2022, 2023), NEXT_MONDAY), b"two\n")
    assert shelf.in_use("workforce") == (new, old)
    every = shelf.keep(version(b"three\n", (2013, 2014, 2022, 2023, 2024), NEXT_MONDAY), b"three\n")
    assert shelf.in_use("workforce") == (every,)


def test_a_stored_file_that_was_changed_is_not_handed_out(store: LocalStore) -> None:
    shelf = Shelf(store)
    kept = shelf.keep(version(b"one\n", (2023,)), b"one\n")
    store.replace(f"reference/workforce/{kept.filename}", b"other\n")
    with pytest.raises(StoreError, match="is not the file that was stored"):
        shelf.read(kept)


def test_export_lays_out_what_is_in_use_and_clears_what_no_longer_is(store: LocalStore, tmp_path: Path) -> None:
    shelf = Shelf(store)
    shelf.keep(version(b"one\n", (2013, 2022)), b"one\n")
    shelf.keep(version(b"two\n", (2022, 2023), NEXT_MONDAY), b"two\n")
    old = next(v for v in shelf.in_use("workforce") if "2013" in v.contents.periods)
    shelf.keep(version(b"lait\n", (2023,), source="lait"), b"lait\n")
    out = tmp_path / "out"
    assert shelf.export(out, ["workforce", "lait"]) == ("workforce.csv", f"workforce-{old.id}.csv", "lait.csv")
    assert (out / "workforce.csv").read_bytes() == b"two\n"
    assert (out / f"workforce-{old.id}.csv").read_bytes() == b"one\n"
    assert shelf.export(out, ["lait"]) == ("lait.csv",)
    assert sorted(p.name for p in out.iterdir()) == ["lait.csv", "sources.json"]


def test_export_leaves_a_folder_with_other_files_alone(store: LocalStore, tmp_path: Path) -> None:
    shelf = Shelf(store)
    shelf.keep(version(b"one\n", (2023,)), b"one\n")
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(ReferenceDataError, match="holds other files"):
        shelf.export(tmp_path, ["workforce"])
    out = tmp_path / "out"
    shelf.export(out, ["workforce"])
    (out / "mine.csv").write_text("mine")
    with pytest.raises(ReferenceDataError, match=r"no export put there: mine\.csv"):
        shelf.export(out, ["workforce"])
    assert (out / "mine.csv").read_text() == "mine"


def test_with_nothing_stored_there_is_nothing_to_lay_out(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="holdfast reference add"):
        Shelf(store).export(tmp_path / "out", ["workforce"])
    assert not (tmp_path / "out").exists()
