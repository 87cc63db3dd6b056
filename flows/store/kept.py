"""What runs have written of a month, by name and hash, so that a folder that is gone is missed and not read as empty.

    runs/2026-10/kept.json    name -> hash of everything that must be there; no hash of what another process wrote

A run does not begin while anything is gone that it cannot make anew: it would tell directors again, or forget what they
answered. `holdfast doctor` compares every name and hash.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from features.errors import StoreError
from features.months import Month
from flows.store.editions import History
from flows.store.port import DamagedObject, ObjectMissing, Store, StoreRefuses
from flows.store.reading import digest, read_json, remedy, sealed
from flows.store.retention import deleted_by_retention

#: Folders by month, and folders of no month, whose objects no run can make anew.
_BY_MONTH = ("alerts", "approvals", "ledger", "releases", "submissions")
_OF_NO_MONTH = ("answers", "goals", "models", "pseudonyms", "reference", "retention")
#: Editions of any month. A run takes one that is gone in anew, if the files are still there.
_EDITION = re.compile(r"months/(?P<month>[^/]+)/\d{4}/manifest\.json")
#: Other folders whose names and hashes are kept.
_ALSO = ("received", "reconciliation", "region", "runs", "validation")
#: Pages that are written only when a month is taken in. The others are written by every run.
_PAGES = "validation"
#: Objects that are replaced in the ordinary course, by runs and commands: each has a hash of itself.
_REPLACED = re.compile(r"runs/.+|models/[^/]+/current\.json|reference/.+/in-use\.json|pseudonyms/.+|retention/.+")
_LISTERS = 8
#: Seconds between attempts while the store is away, as for a run's tasks.
_WAITS = (2, 10, 60)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier runs left, as far as it matters to a run that begins."""

    editions: frozenset[Month]
    """The months that had an edition."""
    pages_gone: tuple[str, ...]
    """Validation pages of the run's month that are gone: taking the month in again makes them anew."""


class WatchedStore:
    """A store that remembers what was written through it, besides the claims."""

    def __init__(self, store: Store) -> None:
        self._store, self.url = store, store.url
        self.written: dict[str, str] = {}

    def __reduce__(self) -> tuple[type[WatchedStore], tuple[Store]]:
        """Another process begins with nothing written; what it writes is found by name."""
        return (WatchedStore, (self._store,))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create(self, name: str, content: bytes, **how: Any) -> None:
        """As the store does."""
        self._store.create(name, content, **how)
        self._note(name, content)

    def replace(self, name: str, content: bytes, **how: Any) -> None:
        """As the store does."""
        self._store.replace(name, content, **how)
        self._note(name, content)

    def _note(self, name: str, content: bytes) -> None:
        if name.partition("/")[0] in (*_BY_MONTH, *_OF_NO_MONTH, *_ALSO):
            self.written[name] = "" if _REPLACED.fullmatch(name) else digest(content)


def watched(store: Store) -> Store:
    """The store, for `nothing_lost` to know later what was written."""
    return cast(Store, WatchedStore(store))


def kept_name(month: Month) -> str:
    """Name of the object that lists a month's objects."""
    return f"runs/{month}/kept.json"


def kept_months(store: Store) -> list[Month]:
    """The months that have a list, oldest first."""
    return [Month.parse(o.name.split("/")[1]) for o in store.list("runs/") if o.name.endswith("/kept.json")]


def kept(store: Store, month: Month) -> dict[str, str]:
    """Name -> hash of what must be there of a month; empty if no run has written it down. Raises DamagedObject."""
    try:
        return read_json(store, kept_name(month), lambda d: {str(n): str(sha) for n, sha in d["objects"].items()})
    except ObjectMissing:
        return {}


def lost(store: Store, objects: Iterable[str], there: Iterable[str]) -> list[str]:
    """Those of these objects that are not there, although nobody deleted them by `holdfast retain`."""
    absent = sorted({*objects} - {*there})
    if not absent:
        return []
    deleted = deleted_by_retention(store)
    return [name for name in absent if not deleted(name)]


@contextmanager
def nothing_lost(store: Store, month: Month, sleep: Callable[[float], object] = time.sleep) -> Iterator[Known]:
    """Do not begin if something is lost; write down at the end what is there. Gives what was known at the beginning.

    Looks at the month and the one before, which it starts from. Raises DamagedObject. `store` should be `watched`. A
    store that is away at the end fails nothing: the next run finds by name what is there.
    """

    def look() -> tuple[dict[str, str], dict[str, str], set[str]]:
        earlier = _readable(store, month.plus(-1))
        return _readable(store, month), earlier, _there(store, month, earlier)

    before, earlier, there = _patiently(look, sleep)
    needed = [n for n in {**earlier, **before} if n.partition("/")[0] in (*_BY_MONTH, *_OF_NO_MONTH)]
    if not {*needed} <= there and (gone := lost(store, needed, _there(store, month, earlier))):
        more = f" and {len(gone) - 1} more objects are" if len(gone) > 1 else " is"
        lists = " and ".join(kept_name(m) for m in (month.plus(-1), month))
        raise DamagedObject(
            f"“{gone[0]}”{more} missing in the store, although an earlier run left it there, so nothing was decided "
            f"and nobody was told. {remedy(gone[0])} `holdfast doctor` names each. If it is gone for good, delete "
            f"{lists}: the next run then goes by what is there."
        )
    editions = filter(None, map(_EDITION.fullmatch, {**earlier, **before}))
    pages = lost(store, _pages(before, month), there)
    yield Known(frozenset(Month.parse(edition["month"]) for edition in editions), tuple(pages))
    with suppress(StoreError):
        _patiently(lambda: _write_down(store, month, before, there), sleep)


def _patiently(step: Callable[[], T], sleep: Callable[[float], object]) -> T:
    for delay in _WAITS:
        try:
            return step()
        except StoreRefuses:
            raise
        except StoreError:
            sleep(delay)
    return step()


def _write_down(store: Store, month: Month, before: Mapping[str, str], there: set[str]) -> None:
    written = store.written if isinstance(store, WatchedStore) else {}
    there = there | {o.name for o in store.list("months/") if _EDITION.fullmatch(o.name)}
    ours = {n: "" for n in there if _month(n) in (None, str(month))}
    if _pages(written, month):  # pages of an earlier edition that this one has not got are not missed
        gone = _pages(before, month) - there - {*written}
        known = {n: sha for n, sha in before.items() if n not in gone}
    else:
        known = dict(before)
    _write(store, month, before, {**ours, **known, **_of(written, None), **_of(written, str(month))})
    for other in sorted({m for n in written if (m := _month(n)) not in (None, str(month))}):
        earlier = _readable(store, Month.parse(other))
        _write(store, Month.parse(other), earlier, {**earlier, **_of(written, other)})


def require_editions(store: Store, history: History, months: Iterable[Month]) -> None:
    """Raise DamagedObject if one of these months has no edition any more, not even after the files were taken in."""
    for month in sorted(months):
        name = f"months/{month}/0001/manifest.json"
        if not history.editions(month) and not history.damaged(month) and lost(store, [name], ()):
            raise DamagedObject(
                f"{month.in_words} was taken in and nothing is left of it in the store, so nothing was decided and "
                f"nobody was told. {remedy(name)}"
            )


def note(store: Store, month: Month) -> None:
    """Write down what a command wrote of a month outside its run. `store` must be `watched`."""
    known, written = _readable(store, month), cast(WatchedStore, store).written
    if known:
        _write(store, month, known, {**known, **_of(written, None), **_of(written, str(month))})


def forget(store: Store, names: Iterable[str]) -> None:
    """Take objects off the lists that were laid aside for a run to make anew; a run makes pages by this very list."""
    gone = {name for name in names if not name.startswith(f"{_PAGES}/")}
    for month in kept_months(store) if gone else ():
        known = _readable(store, month)
        _write(store, month, known, {n: sha for n, sha in known.items() if n not in gone})


def rehash(store: Store, names: Iterable[str]) -> None:
    """Note the new hashes of objects that a change of key rewrote in place."""
    rewritten = {*names}
    for month in kept_months(store):
        known = _readable(store, month)
        new = {n: digest(store.read(n)) if n in rewritten and sha else sha for n, sha in known.items()}
        _write(store, month, known, new)


def _write(store: Store, month: Month, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    if now != before:
        store.replace(
            kept_name(month), sealed(kept_name(month), {"objects": dict(now)}), content_type="application/json"
        )


def _readable(store: Store, month: Month) -> dict[str, str]:
    """What is known; nothing if the list is damaged, which the doctor names and the next run writes anew."""
    with suppress(DamagedObject):
        return kept(store, month)
    return {}


def _there(store: Store, month: Month, earlier: Iterable[str]) -> set[str]:
    """What lies in the month's folders, in those of no month, and in those of the month before that are needed."""
    prefixes = {f"{folder}/{month}/" for folder in _BY_MONTH} | {f"{folder}/" for folder in _OF_NO_MONTH}
    prefixes.add(f"{_PAGES}/{month}/")
    prefixes |= {"/".join(name.split("/")[:2]) + "/" for name in earlier if name.partition("/")[0] in _BY_MONTH}
    names: Callable[[str], list[str]] = lambda prefix: [o.name for o in store.list(prefix)]  # noqa: E731
    with ThreadPoolExecutor(_LISTERS) as pool:
        return {name for found in pool.map(names, sorted(prefixes)) for name in found}


def _pages(names: Iterable[str], month: Month) -> set[str]:
    return {n for n in names if n.startswith(f"{_PAGES}/{month}/")}


def _of(written: Mapping[str, str], month: str | None) -> dict[str, str]:
    return {n: sha for n, sha in written.items() if _month(n) == month}


def _month(name: str) -> str | None:
    """The month of an object by its folder; None if its folder has none."""
    first, _, rest = name.partition("/")
    return rest.partition("/")[0].partition(".")[0] if first in (*_BY_MONTH, *_ALSO) else None
