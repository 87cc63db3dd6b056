"""The alerts of one month, looked at together: one listing and one object with copies, however many councils there are.

    runs/2026-10/alerts.json    the latest alert of every council as it was published last, each with its hash

An alert object is created once and never changed, so a copy of it cannot be out of date. A copy is used only for the
revision that the listing shows, only if its size is the listed one, and only if it has its hash. Otherwise, and in
stores of 0.1.0, the object itself is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from features.errors import StoreError
from features.months import Month
from flows.alerts.alert import Alert, alert_name
from flows.store.port import DamagedObject, ObjectMissing, Store
from flows.store.reading import digest, read_json, read_kept, sealed

_OBJECT = re.compile(r"alerts/\d{4}-\d{2}/(?P<folder>[^./]+)\.(?:r(?P<revision>\d+)\.)?json")


class Named(Protocol):
    """An alert, or a part of one, that says which object it is."""

    @property
    def month(self) -> Month: ...
    @property
    def folder(self) -> str: ...
    @property
    def revision(self) -> int: ...


T = TypeVar("T", bound=Named)


def alert_at(name: str, parse: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """A parser for the alert of that name. Raises ValueError if it is another council's, month's or revision's."""

    def parse_named(content: bytes) -> T:
        alert = parse(content)
        if alert_name(alert.month, alert.folder, alert.revision) != name:
            raise ValueError("not the alert of its name")
        return alert

    return parse_named


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store has of one council's month: its latest alert, and the names of the rendered messages there."""

    alert: Alert | None
    objects: frozenset[str]
    copied: bool = False
    """Whether the alert has its copy beside those of the other councils."""


class MonthAlerts:
    """A month's alerts as they were when this was made."""

    def __init__(self, store: Store, month: Month) -> None:
        self._store, self._month = store, month
        self._sizes = {o.name: o.size for o in store.list(f"alerts/{month}/")}
        self._copies: Mapping[str, Any] | None = None
        self._latest: dict[str, int] = {}
        for name in self._sizes:
            if match := _OBJECT.fullmatch(name):
                self._latest[match["folder"]] = max(int(match["revision"] or 1), self._latest.get(match["folder"], 0))

    @property
    def folders(self) -> list[str]:
        """The councils that have an alert."""
        return sorted(self._latest)

    def latest(self, folder: str) -> Alert | None:
        """The latest revision of a council's alert; None if there is none. Raises DamagedObject."""
        return self.read(folder, Alert.from_bytes)

    def read(self, folder: str, parse: Callable[[bytes], T]) -> T | None:
        """The same, or a part of it. The whole of thousands takes three times as long."""
        if folder not in self._latest:
            return None
        name = alert_name(self._month, folder, self._latest[folder])
        copy, parsed = self._copy(name), alert_at(name, parse)
        return parsed(copy) if copy is not None else read_kept(self._store, name, parsed)

    def standing(self, folder: str) -> Standing | None:
        """The same with what else is there; None if the alert cannot be read."""
        try:
            alert = self.latest(folder)
        except DamagedObject:
            return None
        prefix = f"alerts/{self._month}/{folder}."
        copied = alert is not None and self._copy(alert_name(alert.month, folder, alert.revision)) is not None
        return Standing(alert, frozenset(n for n in self._sizes if n.startswith(prefix)), copied)

    def _copy(self, name: str) -> bytes | None:
        if self._copies is None:
            self._copies = _copies(self._store, self._month)
        found = self._copies.get(name)
        if not isinstance(found, dict):
            return None
        content = str(found.get("content")).encode()
        whole = len(content) == self._sizes[name] and digest(content) == found.get("sha256")
        return content if whole else None


def keep_together(store: Store, month: Month, alerts: Iterable[Alert]) -> None:
    """Write the copies of a month's latest alerts, besides those of councils that are not among them.

    An alert that an earlier version wrote in other bytes gets none, as its hash would not be the object's. A store that
    fails here fails nothing: without copies the objects are read.
    """
    with suppress(StoreError):
        _keep(store, month, alerts)


def _keep(store: Store, month: Month, alerts: Iterable[Alert]) -> None:
    known = _copies(store, month)
    sizes = {o.name: o.size for o in store.list(f"alerts/{month}/")}
    contents = {alert_name(one.month, one.folder, one.revision): one.to_bytes() for one in alerts}
    ours = {name.split(".")[0] for name in contents}
    new = {
        name: {"content": content.decode(), "sha256": digest(content)}
        for name, content in contents.items()
        if sizes.get(name) == len(content)
    }
    every = {**{name: copy for name, copy in known.items() if name.split(".")[0] not in ours}, **new}
    if every != known:
        store.replace(_name(month), sealed(_name(month), every), content_type="application/json")


def recorded_hashes(store: Store, month: Month) -> dict[str, str]:
    """The hash of each alert object of a month that has a copy, by name: an alert has no hash in itself."""
    return {name: str(c.get("sha256")) for name, c in _copies(store, month).items() if isinstance(c, dict)}


def recorded_copy(store: Store, month: Month, name: str) -> bytes | None:
    """The copy of an alert object; None if there is none that has its hash."""
    found = _copies(store, month).get(name)
    content = str(found.get("content")).encode() if isinstance(found, dict) else b""
    return content if isinstance(found, dict) and digest(content) == found.get("sha256") else None


def _name(month: Month) -> str:
    return f"runs/{month}/alerts.json"


def _copies(store: Store, month: Month) -> dict[str, Any]:
    try:
        return read_json(store, _name(month), dict)
    except (ObjectMissing, DamagedObject):  # only copies: the objects are read instead
        return {}
