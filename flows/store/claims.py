"""Claims on months: objects in the store that let only one run at a time work on a month, however it was started.

Prefect's limits hold only among the runs that one server knows of. A command line, a second server and a
restarted server do not know of each other's runs, but all of them share the store:

    claims/2026-10/000001.json      released
    claims/2026-10/000002.json      held: who, since when, and a heartbeat

Only the highest number counts. A run that finds it released or dead creates the next number with a conditional
create, so exactly one of many runs succeeds, on any store that can refuse a second create. A holder writes only
its own object, so no compare-and-swap is needed. A holder that lost its claim finds a higher number and stops.

How long a holder has been silent is measured by the store's clock only: the time its object was last written,
against the time of an object written just now (`claims/clock.json`). Machines' clocks may differ by any amount.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import sleep
from typing import Any

from features.errors import HoldfastError, StoreError
from features.months import Month
from flows.settings.settings import ClaimSettings
from flows.store import AlreadyThere, DamagedObject, ObjectInfo, ObjectMissing, Store
from flows.store.processes import Process, is_gone
from flows.store.progress import step
from flows.store.reading import read_json, sealed

#: The claim held while extracts are taken in, because a run of one month also takes in late files of other months.
INTAKE = "intake"

_NAME = re.compile(r"claims/(?P<of>[^/]+)/(?P<number>\d{6})\.json")
_CLOCK = "claims/clock.json"
_LOOK_AGAIN_SECONDS = 5.0
_LOGGER = logging.getLogger("holdfast.claim")

Clock = Callable[[], datetime]


class MonthClaimed(HoldfastError):
    """Another run is working on the month and did not end while this run waited."""

    exit_code = 19


class ClaimLost(HoldfastError):
    """This run did not renew its claim in time, and another run has taken the month over."""

    exit_code = 19


def wall_clock() -> datetime:
    """The current time, for entry points to pass on."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Owner:
    """The run that makes a claim: in words, by its Prefect flow run if it is one, and by its process."""

    who: str
    run_id: str
    process: Process


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, as it is in the store."""

    of: str
    """What is claimed: a month, or `intake`."""
    number: int
    owner: Owner
    since: datetime
    heartbeat: datetime
    released: bool = False
    heard: datetime | None = field(default=None, compare=False)
    """When it was last written, by the store's clock; None if it was not read from a store."""

    @property
    def name(self) -> str:
        return f"claims/{self.of}/{self.number:06d}.json"

    def to_bytes(self) -> bytes:
        document = {
            **asdict(self.owner),
            "since": self.since.isoformat(),
            "heartbeat": self.heartbeat.isoformat(),
            "released": self.released,
        }
        return sealed(self.name, document)

    def lapses(self, rules: ClaimSettings) -> datetime:
        """The time from which it counts as dead unless it is renewed."""
        return self.last_heard + timedelta(minutes=rules.stale_minutes)

    @property
    def last_heard(self) -> datetime:
        """When it was last renewed, by the store's clock, or by the holder's if it was not read from a store."""
        return self.heard or self.heartbeat

    def in_words(self, rules: ClaimSettings) -> str:
        """Who holds it, since when, and what to do, as a sentence."""
        return (
            f"{_of_in_words(self.of)} held by {self.owner.who} ({self.owner.process.in_words}) since "
            f"{_time(self.since)}, last heard of at {_time(self.last_heard)}. Wait until it ends and run again; if it "
            f"is dead, its claim lapses at {_time(self.lapses(rules))} and the next run goes on from where it stopped."
        )


def _of_in_words(of: str) -> str:
    return "The taking in of extracts is" if of == INTAKE else f"{Month.parse(of).in_words} is"


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %B %Y %H:%M:%S} UTC".lstrip("0")


def _read(store: Store, found: ObjectInfo) -> Claim:
    match = _NAME.fullmatch(found.name)
    of, number = (match["of"], int(match["number"])) if match else ("", 0)

    def claim(d: dict[str, Any]) -> Claim:
        return Claim(
            of=of,
            number=number,
            owner=Owner(str(d["who"]), str(d["run_id"]), Process(**d["process"])),
            since=datetime.fromisoformat(d["since"]),
            heartbeat=datetime.fromisoformat(d["heartbeat"]),
            released=bool(d["released"]),
            heard=found.modified,
        )

    return read_json(store, found.name, claim)


def store_time(store: Store) -> datetime:
    """The time by the store's clock, read from an object that is written for this."""
    store.replace(_CLOCK, b"{}\n", content_type="application/json")
    written = store.info(_CLOCK)
    if written is None:
        raise ObjectMissing(f"“{_CLOCK}” was written in {store.url} and is not there. Look at the store.")
    return written.modified


def latest_claim(store: Store, of: Month | str) -> Claim | None:
    """The newest claim, released or not; None if there never was one. Raises DamagedObject if it cannot be read."""
    found = _last_objects(store, f"claims/{of}/").get(str(of))
    return _read(store, found) if found else None


def _last_objects(store: Store, prefix: str) -> dict[str, ObjectInfo]:
    """The object of the newest claim on each month, by what is claimed."""
    last: dict[str, ObjectInfo] = {}
    for found in store.list(prefix):
        if match := _NAME.fullmatch(found.name):
            last[match["of"]] = found
    return last


def held_claims(store: Store) -> list[Claim]:
    """Every claim that is not released, dead or alive, in order of what is claimed. For people and the watchdog."""
    return [c for c in _readable(store, _last_objects(store, "claims/").values()) if not c.released]


def damaged_claims(store: Store) -> list[str]:
    """Newest claims that cannot be read, each as a sentence with what to do. They block their month."""
    said = []
    for found in _last_objects(store, "claims/").values():
        try:
            _read(store, found)
        except DamagedObject as error:
            said.append(str(error))
    return said


def claims_since(store: Store, since: datetime) -> list[Claim]:
    """Every claim written after `since`, released or not. Shows which process worked for which run."""
    return _readable(store, (o for o in store.list("claims/") if _NAME.fullmatch(o.name) and o.modified >= since))


def _readable(store: Store, found: Iterable[ObjectInfo]) -> list[Claim]:
    claims = []
    for one in found:
        with suppress(DamagedObject, ObjectMissing):
            claims.append(_read(store, one))
    return claims


def _is_dead_now(store: Store, claim: Claim, rules: ClaimSettings, here: Process) -> bool:
    gone = is_gone(claim.owner.process, here)
    return gone is True or (gone is None and store_time(store) >= claim.lapses(rules))


class HeldClaim:
    """A claim in the hands of the run that holds it."""

    def __init__(self, store: Store, claim: Claim, rules: ClaimSettings, clock: Clock) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self.claim = claim

    def beat(self) -> None:
        """Renew the claim. If the store is briefly away no harm is done: the claim lapses only after a while."""
        renewed = replace(self.claim, heartbeat=self._clock())
        self._store.replace(renewed.name, renewed.to_bytes(), content_type="application/json")
        self.claim = renewed

    def check(self) -> None:
        """Raise ClaimLost if another run has taken over. Call this before anything that cannot be undone."""
        now = latest_claim(self._store, self.claim.of)
        if now is not None and now.number > self.claim.number:
            raise ClaimLost(
                f"This run was not heard of after {_time(self.claim.heartbeat)}, so another took its place and this "
                f"one stops. {now.in_words(self._rules) if not now.released else 'The other run has ended.'}"
            )

    def release(self) -> None:
        """Release the claim. Writes only its own object, so a run that has taken over keeps its claim."""
        done = replace(self.claim, heartbeat=self._clock(), released=True)
        self._store.replace(done.name, done.to_bytes(), content_type="application/json")


def take_claim(store: Store, of: Month | str, owner: Owner, now: datetime, rules: ClaimSettings) -> tuple[Claim, bool]:
    """Try to take the claim, without waiting. Returns the newest claim, and whether this call took it."""
    while True:
        last = latest_claim(store, of)
        if last is not None and not last.released and not _is_dead_now(store, last, rules, owner.process):
            return last, False
        mine = Claim(str(of), last.number + 1 if last else 1, owner, since=now, heartbeat=now)
        try:
            store.create(mine.name, mine.to_bytes(), content_type="application/json")
        except AlreadyThere:
            continue  # another run was quicker: look again at who holds it
        if last is not None and not last.released:
            step("%s had died; its claim of %s is taken over", last.owner.who, of)
        return mine, True


@contextmanager
def claimed(
    store: Store,
    of: Month | str,
    owner: Owner,
    *,
    rules: ClaimSettings,
    clock: Clock,
    pause: Callable[[float], None] = sleep,
) -> Iterator[HeldClaim]:
    """Hold the claim on a month (or the intake) while the block runs; a thread renews it.

    Waits for a live holder up to `rules.wait_minutes`, then raises MonthClaimed, which says who holds it, since when
    and what to do. The claim is released however the block ends. After a kill it lapses.
    """
    held = HeldClaim(store, _wait_for(store, of, owner, rules, clock, pause), rules, clock)
    ended = Event()

    def keep() -> None:
        while not ended.wait(rules.heartbeat_seconds):
            try:
                held.beat()
            except StoreError as error:
                _LOGGER.warning("The claim of %s could not be renewed: %s", of, error)

    # In the context of the caller, so that its warnings reach the log of the run.
    keeper = Thread(target=copy_context().run, args=(keep,), name=f"claim-{of}", daemon=True)
    keeper.start()
    try:
        yield held
    finally:
        ended.set()
        keeper.join()
        try:
            held.release()
        except StoreError as error:
            _LOGGER.warning("The claim of %s could not be given back and will lapse: %s", of, error)


def _wait_for(
    store: Store, of: Month | str, owner: Owner, rules: ClaimSettings, clock: Clock, pause: Callable[[float], None]
) -> Claim:
    until = clock() + timedelta(minutes=rules.wait_minutes)
    told = False
    while True:
        claim, mine = take_claim(store, of, owner, clock(), rules)
        if mine:
            return claim
        if clock() >= until:
            raise MonthClaimed(claim.in_words(rules))
        if not told:
            step("Waiting: %s", claim.in_words(rules))
            told = True
        pause(_LOOK_AGAIN_SECONDS)


def free(store: Store, of: Month | str, owner: Owner, now: datetime) -> str:
    """Release a claim because a person says so, even an unreadable one. Returns what it was; “” if there was none.

    The result is a sentence for that person. It quotes nothing from a damaged claim.
    """
    found = _last_objects(store, f"claims/{of}/").get(str(of))
    if found is None:
        return ""
    try:
        last = _read(store, found)
    except DamagedObject:
        words = f"The claim {found.name}, which cannot be read."
    else:
        if last.released:
            return ""
        words = f"{_of_in_words(last.of)} no longer held by {last.owner.who} ({last.owner.process.in_words})."
    match = _NAME.fullmatch(found.name)
    number = int(match["number"]) + 1 if match else 1
    done = Claim(str(of), number, owner, since=now, heartbeat=now, released=True)
    store.create(done.name, done.to_bytes(), content_type="application/json")
    return words
