"""What each unfit store is refused for; a fit one is asked once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.councils import Register
from features.months import Month
from flows.settings.settings import Settings
from flows.store import AlreadyThere, LocalStore, ObjectInfo, StoreRefuses, context
from flows.store.probe import require_fit


def now() -> datetime:
    return datetime.now(UTC)


class IgnoresConditions(LocalStore):
    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        self.replace(name, content)


class WritesAllTheSame(LocalStore):
    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        there = self.info(name) is not None
        self.replace(name, content)
        if there:
            raise AlreadyThere(name)


class KeepsFraming(LocalStore):
    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        super().create(name, b"13;chunk-signature=0\r\n" + content + b"\r\n0;chunk-signature=0\r\n")


class ListsNothing(LocalStore):
    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return iter(())


class ReplacesNothing(LocalStore):
    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        with suppress(AlreadyThere):
            self.create(name, content)


class RefusesWrites(LocalStore):
    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        raise StoreRefuses(f"Could not create “{name}” (AccessDenied). These credentials may not do that.")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (IgnoresConditions, "ignores conditions"),
        (WritesAllTheSame, "made it all the same"),
        (KeepsFraming, "framing of the transfer"),
        (ListsNothing, "does not list"),
        (ReplacesNothing, "still gives what was just replaced"),
        (RefusesWrites, r"create .*AccessDenied"),
    ],
)
def test_an_unfit_store_is_refused_with_the_reason(tmp_path: Path, kind: type[LocalStore], says: str) -> None:
    store = kind(tmp_path)
    for _ in range(2):  # and again: what is unfit is never noted as fit
        with pytest.raises(StoreRefuses, match=says):
            require_fit(store, now())


@pytest.mark.parametrize("apart", [timedelta(minutes=-6), timedelta(minutes=61)])
def test_clocks_apart_are_said(tmp_path: Path, apart: timedelta) -> None:
    with pytest.raises(StoreRefuses, match="minutes apart"):
        require_fit(LocalStore(tmp_path), now() + apart)


def test_a_fit_store_is_asked_once(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    require_fit(store, now())
    before = {o.name: o.modified for o in store.list()}
    require_fit(store, now())
    assert {o.name: o.modified for o in store.list()} == before
    require_fit(IgnoresConditions(tmp_path), now())  # it passed: nothing is tried again


def test_a_look_that_was_cut_off_is_taken_up_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.create("probe/object.json", b'{"probe": "first"}\n')
    require_fit(store, now())


def test_a_run_probes_the_bucket_it_begins_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = IgnoresConditions(tmp_path)
    bucket.url = "s3://bucket/store"
    monkeypatch.setattr(context, "open_store", lambda *_, **__: bucket)
    with pytest.raises(StoreRefuses, match="ignores conditions"):
        context.begin(Settings(), Month(2026, 10), now=now(), as_of=None, register=Register(()))
