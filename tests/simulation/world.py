"""A store, a mail server and a clock that live in memory, and a seed that says what goes wrong in them, and when.

A run sees the world through its own `Seat`: every object it touches and every message it hands over is one step, and
a schedule names the steps at which something happens. A run that is paused hands the world to another one and goes on
when that has ended; so two runs at once need no threads, and a seed gives the same world every time.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from features.errors import StoreError
from flows.mail.transports.mime import mime_bytes
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing
from flows.store import AlreadyThere, ObjectInfo, ObjectMissing, Stored, StoreRefuses

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
#: What one step takes, and after how many of them a late write lands.
STEP, LATE_BY = timedelta(milliseconds=50), 12


class Crash(BaseException):
    """The process is gone. Not an Exception, so that no handler can pretend otherwise."""


@dataclass(frozen=True, order=True)
class Fault:
    """What happens at a step of a run: the n-th object it touches or message it hands over."""

    at: int
    kind: str
    """crash before, crash after, lost, late, refused, denied, torn, stale, unanswered, pause; or harm at rest."""
    chance: int = 0
    """Which object is harmed, how, and the like."""
    on: str = ""
    """If given: it happens at the `at`-th step that matches, such as `read months/2026-09/.*`; steps may move."""
    harms: str = ""
    """If given: the object of which a bit is flipped, as the end of its name."""


#: Faults of the store and of the mail server that pass by themselves.
PASSING = ("lost", "late", "refused", "torn", "stale", "unanswered", "denied")
ENDS = ("crash before", "crash after")


@dataclass(frozen=True)
class Schedule:
    """What goes wrong in each run, one after another; the last, undisturbed run is not in it."""

    runs: tuple[tuple[Fault, ...], ...]
    nested: tuple[Fault, ...] = ()
    """What goes wrong in the run that takes over while another is paused."""

    def __str__(self) -> str:
        lines = [f"run {n + 1}: " + ("; ".join(map(_words, run)) or "nothing") for n, run in enumerate(self.runs)]
        return "\n".join([*lines, "the run that takes over: " + ("; ".join(map(_words, self.nested)) or "nothing")])


def _words(fault: Fault) -> str:
    where = f"“{fault.on}”, time {fault.at}" if fault.on else f"step {fault.at}"
    what = fault.harms or fault.chance
    return f"{fault.kind} at {where}" + (f" ({what})" if what else "")


def scheduled(seed: int, steps: int, harms: bool = True) -> Schedule:
    """The schedule of a seed, for runs of about so many steps."""
    rng = random.Random(seed)
    kinds = [*PASSING, *PASSING, *ENDS, *ENDS, "pause", *(["harm"] if harms else [])]
    runs = []
    for _ in range(rng.randint(1, 3)):
        count = rng.choice((1, 1, 2, 3, 6))
        runs.append(
            tuple(sorted(Fault(rng.randrange(steps), rng.choice(kinds), rng.randrange(997)) for _ in range(count)))
        )
    nested = tuple(
        sorted(Fault(rng.randrange(steps), rng.choice([*PASSING, *ENDS])) for _ in range(rng.choice((0, 0, 1, 2))))
    )
    return Schedule(tuple(runs), nested)


@dataclass
class World:
    """What all runs share."""

    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    mailed: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Who got what: address, Message-ID, bytes; in order."""
    now: datetime = START
    ticks: int = 0
    harmed: int = 0
    _late: list[tuple[int, Callable[[], None]]] = field(default_factory=list)

    def tick(self) -> None:
        """One step passes; writes that were on their way may land."""
        self.ticks += 1
        self.now += STEP
        due = [write for at, write in self._late if at <= self.ticks]
        self._late = [(at, write) for at, write in self._late if at > self.ticks]
        for write in due:
            write()

    def settle(self) -> None:
        """Everything that was on its way has landed."""
        for _ in range(LATE_BY + 1):
            self.tick()

    def put(self, name: str, content: bytes, *, once: bool) -> None:
        if once and name in self.objects:
            raise AlreadyThere(f"“{name}” is already in the store.")
        self.objects[name] = (content, self.now)

    def put_late(self, name: str, content: bytes, *, once: bool) -> None:
        def land() -> None:
            if not (once and name in self.objects):
                self.objects[name] = (content, self.now)

        self._late.append((self.ticks + LATE_BY, land))

    def flip(self, ending: str) -> None:
        """Flip a bit of the first object whose name ends so."""
        name = min((n for n in self.objects if n.endswith(ending)), default="")
        if name:
            content, at = self.objects[name]
            middle = len(content) // 2 + self.harmed  # a second flip does not undo the first
            self.objects[name] = (content[:middle] + bytes([content[middle] ^ 16]) + content[middle + 1 :], at)
            self.harmed += 1

    def harm(self, chance: int) -> None:
        """Damage an object of a month whose files are in the landing: cut it off, flip a bit, or take it away."""
        months = {n.split("/")[1] for n in self.objects if n.startswith("submissions/")}
        names = sorted(n for n in self.objects if n.startswith("months/") and n.split("/")[1] in months)
        if not names:
            return
        name = names[chance % len(names)]
        content, at = self.objects[name]
        where = chance * 7919 % max(len(content), 1)
        match chance % 3:
            case 0:
                del self.objects[name]
            case 1:
                self.objects[name] = (content[:where], at)
            case _:
                flipped = bytes([content[where] ^ (1 << chance % 8)]) if content else b""
                self.objects[name] = (content[:where] + flipped + content[where + 1 :], at)
        self.harmed += 1


class Seat:
    """The world as one run sees it: a store and a mail transport of which some steps go wrong."""

    name, reaches_people, url = "postbox", False, "memory:"

    def __init__(
        self, world: World, faults: Sequence[Fault], paused: Callable[[], None], beat: Callable[[], None]
    ) -> None:
        self.world = world
        self._faults: dict[int, Fault] = {f.at: f for f in faults if not f.on}
        self._named = [f for f in faults if f.on]
        self._met: dict[Fault, int] = {}
        self.log: list[str] | None = None
        self._paused, self._beat = paused, beat
        self.steps = 0
        self._gone = False

    def _fault(self, what: str) -> Fault | None:
        for fault in self._named:
            if re.fullmatch(fault.on, what):
                self._met[fault] = self._met.get(fault, -1) + 1
                if self._met[fault] == fault.at:
                    return fault
        return self._faults.pop(self.steps, None)

    def _step(self, what: str) -> Fault | None:
        """What happens at this step, after what happens to the run as a whole."""
        if self._gone:
            raise Crash
        self.world.tick()
        self._beat()
        fault = self._fault(what)
        self.steps += 1
        if self.log is not None:
            self.log.append(what)
        if fault is None:
            return None
        match fault.kind:
            case "crash before":
                self._gone = True
                raise Crash
            case "pause":
                self._paused()
            case "harm":
                self.world.flip(fault.harms) if fault.harms else self.world.harm(fault.chance)
            case "refused":
                raise StoreError("The store did not take the request.")
            case "denied":
                raise StoreRefuses("These credentials may not do that.")
        return fault

    def _ended(self, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "crash after":
            self._gone = True
            raise Crash

    def met(self, what: str) -> None:
        """A step beside store and mail."""
        self._ended(self._step(what))

    def read(self, name: str) -> bytes:
        fault = self._step(f"read {name}")
        if name not in self.world.objects:
            raise ObjectMissing(f"There is no “{name}” in the store.")
        content = self.world.objects[name][0]
        self._ended(fault)
        return content[: len(content) // 2] if fault is not None and fault.kind == "torn" else content

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        fault = self._step(f"list {prefix}")
        since = (
            self.world.now - 6 * STEP
            if fault is not None and fault.kind == "stale"
            else datetime.max.replace(tzinfo=UTC)
        )
        names = sorted([n for n in self.world.objects if n.startswith(prefix)])
        found = [
            ObjectInfo(name, len(content), at)
            for name in names
            for content, at in (self.world.objects[name],)
            if at <= since
        ]
        self._ended(fault)
        return iter(found)

    def info(self, name: str) -> ObjectInfo | None:
        fault = self._step(f"info {name}")
        found = self.world.objects.get(name)
        self._ended(fault)
        return ObjectInfo(name, len(found[0]), found[1]) if found else None

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        self._write(name, content, once=True)

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        self._write(name, content, once=False)

    def _write(self, name: str, content: bytes, *, once: bool) -> None:
        fault = self._step(f"{'create' if once else 'replace'} {name}")
        if fault is not None and fault.kind == "late":
            self.world.put_late(name, content, once=once)
            raise StoreError("The store did not answer.")
        self.world.put(name, content, once=once)
        self._ended(fault)
        if fault is not None and fault.kind == "lost":
            raise StoreError("The store did not answer.")

    def delete(self, name: str) -> None:
        self._step(f"delete {name}")
        self.world.objects.pop(name, None)

    def strange(self, prefix: str = "") -> Iterator[Any]:
        return iter(())

    def everything(self, prefix: str = "") -> Iterator[Stored]:
        return (Stored(o.name, o.size) for o in self.list(prefix))

    def earlier(self, name: str) -> Iterator[tuple[bytes, str]]:
        return iter(())

    def purge(self, stored: Iterable[Stored]) -> None:
        for one in stored:
            self.delete(one.name)

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        try:
            fault = self._step(f"send {message.key}")
        except StoreError as error:
            raise NotTaken("The mail server is away.") from error
        self.world.mailed += [(r, message.message_id, mime_bytes(message)) for r in recipients]
        self._ended(fault)
        if fault is not None and fault.kind in ("unanswered", "lost", "late"):
            raise NotTaken("The mail server did not answer.")
        return HandedOver(tuple(recipients))
