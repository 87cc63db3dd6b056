"""Tests, when a store is first used, that it behaves as Holdfast needs.

Some S3-compatible stores ignore the condition of a conditional write, so that two runs could both win. Some store
the framing of a transfer as part of the object. A policy may allow reading and refuse writing. Five small requests
under `probe/` show all of this before a month depends on it. A store that passes is marked, and not tested again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from features.errors import StoreError
from flows.store.port import AlreadyThere, ObjectMissing, Store, StoreRefuses

_OBJECT, _PASSED = "probe/object.json", "probe/passed.json"
#: Version of the test. A new number makes every store be tested again.
_VERSION = b'{"asked": 1}\n'
_FIRST, _OTHER, _LAST = b'{"probe": "first"}\n', b'{"probe": "other"}\n', b'{"probe": "last"}\n'
#: A machine whose clock differs from the store's by more than this would date mail and cut-off days wrongly.
CLOCKS_APART = timedelta(minutes=5)


def require_fit(store: Store, now: datetime) -> None:
    """Raise StoreRefuses, with the reason, if the store fails the test. Each store is tested once."""
    try:
        if store.read(_PASSED) == _VERSION:
            return
    except ObjectMissing:
        pass  # not tested yet
    _try(store)
    _require_clock(store, now)
    store.replace(_PASSED, _VERSION, content_type="application/json")


def _try(store: Store) -> None:
    with suppress(AlreadyThere):  # left by an earlier test that was cut off
        store.create(_OBJECT, _FIRST, content_type="application/json")
    before = _read(store)
    if before not in (_FIRST, _LAST):
        raise StoreRefuses(
            f"{store.url} does not give back what was put there: {len(before)} bytes instead of {len(_FIRST)}"
            f"{', with the framing of the transfer inside' if b'chunk-signature' in before else ''}. "
            "Set s3.checksums to “none”, or use another store (docs/s3.md)."
        )
    try:
        store.create(_OBJECT, _OTHER, content_type="application/json")
    except AlreadyThere:
        pass
    else:
        raise StoreRefuses(
            f"{store.url} ignores conditions (If-None-Match): a second write of one name was not refused, so two runs "
            "could both believe that they are alone. Use a store that keeps them (docs/s3.md)."
        )
    if _read(store) != before:
        raise StoreRefuses(
            f"{store.url} answered that a conditional write was refused, and made it all the same. Use another store "
            "(docs/s3.md)."
        )
    listed = [o for o in store.list("probe/") if o.name == _OBJECT]
    if not listed or listed[0].size != len(before):
        raise StoreRefuses(f"{store.url} does not list what was just put there. Use another store (docs/s3.md).")
    store.replace(_OBJECT, _LAST, content_type="application/json")
    if _read(store) != _LAST:
        raise StoreRefuses(f"{store.url} still gives what was just replaced. Use another store (docs/s3.md).")


def _read(store: Store) -> bytes:
    try:
        return store.read(_OBJECT)
    except ObjectMissing as error:
        raise StoreRefuses(f"{store.url} does not find what was just put there: {error}") from None


def _require_clock(store: Store, now: datetime) -> None:
    written = store.info(_OBJECT)
    if written is None:
        raise StoreError(f"“{_OBJECT}” in {store.url} was written and is gone. Run again.")
    apart = abs(written.modified - now)
    if apart > CLOCKS_APART:
        minutes = round(apart.total_seconds() / 60)
        raise StoreRefuses(
            f"The clocks of this machine and of {store.url} are {minutes} minutes apart: it is {now:%H:%M} here and "
            f"{written.modified:%H:%M} there, in UTC. Set the clock that is wrong."
        )
