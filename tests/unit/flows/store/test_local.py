"""What only a local folder can get wrong: leftovers, links, permissions."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from features.errors import SettingsError, StoreError
from flows.store import AlreadyThere, DamagedObject, LocalStore, store_at
from flows.store.names import TEMPORARY_PREFIX
from flows.store.s3 import S3Store


def _files(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def test_nothing_half_written_is_left_or_listed(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.create("a/b", b"1")
    with pytest.raises(AlreadyThere):
        store.create("a/b", b"2")
    store.replace("a/b", b"3")
    assert _files(tmp_path) == ["a/b"]
    (tmp_path / "a" / f"{TEMPORARY_PREFIX}left-by-a-crash").write_bytes(b"half")
    assert [o.name for o in store.list()] == ["a/b"]


def test_a_failed_write_leaves_the_old_object_and_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path)
    store.replace("page", b"old")

    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StoreError, match="No space left on device"):
        store.replace("page", b"new")
    with pytest.raises(StoreError, match="No space left on device"):
        store.create("other", b"new")
    assert _files(tmp_path) == ["page"]
    assert (tmp_path / "page").read_bytes() == b"old"


def test_a_folder_in_the_place_of_an_object_is_not_read_as_missing(tmp_path: Path) -> None:
    (tmp_path / "alerts" / "2026-10" / "Z01.json").mkdir(parents=True)
    store = LocalStore(tmp_path)
    for use in (store.read, lambda name: store.replace(name, b"x"), store.delete):
        with pytest.raises(DamagedObject, match=r"“alerts/2026-10/Z01\.json” in file://.* is a folder.*Restore it"):
            use("alerts/2026-10/Z01.json")


def test_a_link_out_of_the_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    root = tmp_path / "store"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "folder").symlink_to(tmp_path)
    store = LocalStore(root)
    for name in ("link", "folder/outside", "folder/new"):
        with pytest.raises(StoreError, match="leads out of the store"):
            store.read(name)
        with pytest.raises(StoreError, match="leads out of the store"):
            store.replace(name, b"x")


def test_a_link_out_of_a_folder_known_to_be_inside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    store = LocalStore(tmp_path / "store")
    store.create("a/b", b"x")
    assert store.read("a/b") == b"x"
    (tmp_path / "store" / "a" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match="leads out of the store"):
        store.read("a/link")


def test_a_folder_reached_through_a_link_is_a_store(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = LocalStore(tmp_path / "link")
    store.create("a", b"x")
    assert store.read("a") == b"x"


def test_a_file_where_a_folder_should_be_is_a_sentence(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.create("a", b"x")
    with pytest.raises(StoreError, match="Could not create “a/b”"):
        store.create("a/b", b"y")


@pytest.mark.parametrize("form", ["plain", "url", "blanks"])
def test_open_a_folder(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "my store"
    url = {"plain": str(folder), "url": folder.as_uri(), "blanks": f"file://{folder}"}[form]
    store = store_at(url)
    store.create("a", b"x")
    assert (folder / "a").read_bytes() == b"x"
    assert store.url == folder.as_uri()


def test_a_mistyped_folder_is_not_an_empty_month(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no folder"):
        store_at(str(tmp_path / "landnig"), must_exist=True)


def test_open_a_bucket() -> None:
    store = store_at("s3://holdfast/region/north/")
    assert isinstance(store, S3Store)
    assert (store.bucket, store.prefix, store.url) == ("holdfast", "region/north/", "s3://holdfast/region/north")


@pytest.mark.parametrize(
    "url", ["", "  ", "s3://", "s3://key:secret@bucket/x", "s3://bucket?x=1", "https://a.b/c", "file://host/x"]
)
def test_other_addresses_are_refused_without_repeating_keys(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        store_at(url)
    assert "secret" not in str(refused.value)
