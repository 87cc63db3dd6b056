"""One behaviour, two stores: every test here runs against a local folder and a real S3 server."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import StoreError
from flows.store import AlreadyThere, DamagedObject, LocalStore, ObjectMissing, Store
from flows.store.names import checked_name
from flows.store.s3 import S3Store

MakeStore = Callable[[], Store]


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.integration)])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Opens the same, at first empty, store again and again, as separate processes would."""
    if request.param == "local":
        return lambda: LocalStore(tmp_path / "store")
    s3_store: Callable[[], S3Store] = request.getfixturevalue("s3_store")
    return s3_store


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()


def test_what_is_created_is_read_back(store: Store) -> None:
    store.create("2026-10/370/workforce.csv", b"la_code\r\n\x00\xff")
    assert store.read("2026-10/370/workforce.csv") == b"la_code\r\n\x00\xff"


def test_an_empty_object_is_an_object(store: Store) -> None:
    store.create("empty", b"")
    assert store.read("empty") == b""
    info = store.info("empty")
    assert info is not None
    assert info.size == 0


def test_a_second_create_is_refused_and_changes_nothing(store: Store) -> None:
    store.create("claim.json", b"first")
    with pytest.raises(AlreadyThere, match="left as it is"):
        store.create("claim.json", b"second")
    assert store.read("claim.json") == b"first"


def test_replace_writes_whatever_was_there(store: Store) -> None:
    store.replace("page.html", b"one")
    store.replace("page.html", b"two, longer")
    assert store.read("page.html") == b"two, longer"


def test_of_sixteen_creates_at_once_exactly_one_wins(make_store: MakeStore) -> None:
    stores = [make_store() for _ in range(16)]
    together = Barrier(16)

    def attempt(number: int) -> bool:
        together.wait()
        try:
            stores[number].create("race/claim", f"writer {number}".encode())
        except AlreadyThere:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(attempt, range(16)))
    assert won.count(True) == 1
    assert stores[0].read("race/claim") == f"writer {won.index(True)}".encode()


def test_readers_never_see_half_an_object(make_store: MakeStore) -> None:
    writer, reader = make_store(), make_store()
    versions = [bytes([n]) * 300_000 for n in range(8)]
    writer.replace("big", versions[0])

    def read(_: int) -> bytes:
        return reader.read("big")

    with ThreadPoolExecutor(4) as pool:
        seen = pool.map(read, range(24))
        for version in versions:
            writer.replace("big", version)
        assert all(content in versions for content in seen)


def test_a_missing_object_is_said_to_be_missing(store: Store) -> None:
    assert store.info("no/such") is None
    with pytest.raises(ObjectMissing, match="no/such"):
        store.read("no/such")


def test_a_name_inside_another_objects_name_is_no_object(store: Store) -> None:
    store.create("folder/file", b"x")
    assert store.info("folder") is None
    # In a bucket there is nothing of that name; on a disk a folder is, which somebody must move away.
    with pytest.raises(DamagedObject if isinstance(store, LocalStore) else ObjectMissing):
        store.read("folder")


def test_listing_is_by_name_and_by_prefix_of_the_name(store: Store) -> None:
    for name in ("b/2", "b/1", "b.txt", "a", "bb/1", "b/sub/3", "ü/1"):
        store.create(name, name.encode())
    assert [o.name for o in store.list()] == ["a", "b.txt", "b/1", "b/2", "b/sub/3", "bb/1", "ü/1"]
    assert [o.name for o in store.list("b/")] == ["b/1", "b/2", "b/sub/3"]
    assert [o.name for o in store.list("b")] == ["b.txt", "b/1", "b/2", "b/sub/3", "bb/1"]
    assert [o.name for o in store.list("b/s")] == ["b/sub/3"]
    assert list(store.list("none/")) == []
    assert [o.size for o in store.list("a")] == [1]


def test_listing_an_empty_store_is_empty(store: Store) -> None:
    assert list(store.list()) == []


def test_times_are_in_utc_and_recent(store: Store) -> None:
    store.create("now", b"x")
    info = store.info("now")
    assert info is not None
    assert info.modified.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - info.modified) < timedelta(minutes=5)
    assert next(store.list("now")).modified.utcoffset() == timedelta(0)


def test_delete_removes_and_may_be_repeated(store: Store) -> None:
    store.create("old", b"x")
    store.delete("old")
    store.delete("old")
    store.delete("never/was")
    assert store.info("old") is None
    store.create("old", b"again")
    assert store.read("old") == b"again"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../../up",
        "a//b",
        "./a",
        "a/",
        "a\\b",
        "a\nb",
        "a\x00b",
        "x" * 201,
        "a/b/" * 250 + "c",
    ],
)
def test_names_that_climb_or_are_no_file_names_are_refused(store: Store, name: str) -> None:
    for act in (
        store.read,
        store.info,
        store.delete,
        lambda n: store.create(n, b"x"),
        lambda n: store.replace(n, b"x"),
    ):
        with pytest.raises(StoreError, match="cannot be the name of an object"):
            act(name)


def test_names_of_councils_and_files_as_people_write_them(store: Store) -> None:
    for name in ("2026-10/314-318/workforce.resent 2.csv", "2026-10/370/Übersicht (final).xlsx", "a/100%/b+c&d=e.csv"):
        store.create(name, b"x")
        assert store.read(name) == b"x"
        assert [o.name for o in store.list(name)] == [name]


def test_a_store_can_be_sent_to_another_process(store: Store) -> None:
    store.create("here", b"x")
    again: Store = pickle.loads(pickle.dumps(store))
    assert again.read("here") == b"x"
    assert again.url == store.url


@given(st.text(max_size=40))
def test_no_name_reaches_beyond_the_root(name: str) -> None:
    root = Path("/store")
    try:
        inside = root / checked_name(name)
    except StoreError:
        return
    assert ".." not in inside.parts
    assert inside.is_relative_to(root)
    assert inside != root
    assert "/".join(inside.relative_to(root).parts) == name
