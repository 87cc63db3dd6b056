"""What `holdfast doctor --repair` does: puts back objects of which a good copy is kept, then sets aside what may go.

A bucket with versions keeps what an object was before, and `runs/<month>/alerts.json` has copies of alerts. One is put
back only if an examination with it finds the fault gone. An object that runs replace comes back only if it is missing,
because an earlier content of it may be untrue by now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

from features.months import Month
from flows.alerts.together import recorded_copy
from flows.orchestration.doctor import examine, month_of, move_aside
from flows.orchestration.health import DoctorFinding, Health
from flows.store import DamagedObject, ObjectInfo, Store

#: Folders whose objects are created and never replaced by a run.
_WRITTEN_ONCE = ("alerts", "ledger", "months", "submissions")
#: How many copies of an object are tried.
_TRIES = 5

#: A copy: the content, its type and where it is from.
_Copy = tuple[bytes, str, str]


def mend(store: Store, health: Health, month: Month | None = None) -> Health:
    """Restore, then set aside. Returns all findings, each with what was done about it.

    A restored manifest may show that its tables are damaged, so the store is examined again after each restoring.
    """
    restored: dict[str, DoctorFinding] = {}
    while good := _good_copies(store, [f for f in health.findings if f.name not in restored], month):
        restored |= {f.name: _put_back(store, f, *good[f.name]) for f in health.findings if f.name in good}
        health = examine(store, month)
    every = {**restored, **{f.name: f for f in move_aside(store, health).findings}}
    return Health(health.objects, tuple(every[name] for name in sorted(every)))


def _good_copies(store: Store, findings: Sequence[DoctorFinding], month: Month | None) -> dict[str, _Copy]:
    """By name, the newest copy of each object with which its fault is gone."""
    names = {o.name for o in store.list()} if findings else set()
    copies = {
        f.name: islice(_copies(store, f.name), _TRIES)
        for f in findings
        if f.name not in names or f.name.partition("/")[0] in _WRITTEN_ONCE
    }
    good: dict[str, _Copy] = {}
    while tried := {n: copy for n, left in copies.items() if n not in good and (copy := next(left, None))}:
        found = {f.name for f in examine(cast(Store, _Restored(store, {**good, **tried})), month).findings}
        good |= {name: copy for name, copy in tried.items() if name not in found}
    return good


def _copies(store: Store, name: str) -> Iterator[_Copy]:
    month = month_of(name)
    copy = recorded_copy(store, month, name) if month is not None and name.startswith("alerts/") else None
    if copy is not None:
        yield copy, "application/json", f"its copy in runs/{month}/alerts.json"
    for content, kind in store.earlier(name):
        yield content, kind, "an earlier version in the bucket"


def _put_back(store: Store, finding: DoctorFinding, content: bytes, kind: str, source: str) -> DoctorFinding:
    """Created, not replaced: a bucket's policy may forbid that for alerts. What was there is set aside if it reads."""
    with suppress(DamagedObject):
        move_aside(store, Health(1, (replace(finding, may_go=True, whole=""),)))
    store.delete(finding.name)
    store.create(finding.name, content, content_type=kind)
    return replace(finding, restored_from=source)


class _Restored:
    """The store as it would be with these copies put back; for reading."""

    def __init__(self, store: Store, copies: Mapping[str, _Copy]) -> None:
        self._store, self._copies = store, copies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read(self, name: str) -> bytes:
        return self._copies[name][0] if name in self._copies else self._store.read(name)

    def info(self, name: str) -> ObjectInfo | None:
        return next((o for o in self.list(name) if o.name == name), None)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        there = {o.name: o for o in self._store.list(prefix)}
        now = datetime.now(UTC)
        there |= {n: ObjectInfo(n, len(c[0]), now) for n, c in self._copies.items() if n.startswith(prefix)}
        return iter([there[name] for name in sorted(there)])
