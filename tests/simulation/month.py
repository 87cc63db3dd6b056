"""The month's real steps in a simulated world, and what must hold in it afterwards.

What is pure (reading, checking, counting, measuring, scoring, rendering) is remembered by what goes in, so that only
the first schedule pays for it. What touches the store, the mail and the claims is run as it is, every time.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import polars as pl

from features.councils import Register, read_register
from features.errors import HoldfastError, StoreError
from features.frames import NATIONAL
from features.months import Month
from flows.alerts.council import Decided
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Published, latest_alert, publish_alert
from flows.alerts.together import MonthAlerts, keep_together
from flows.mail.approval import held_councils
from flows.mail.deliver import deliver_council
from flows.mail.policy import MailPolicy
from flows.mail.valve import hold_in_marker
from flows.month import inputs, steps
from flows.month.measure import measure
from flows.month.score import score_councils
from flows.month.take_in import to_be_tried_again, unread
from flows.settings.settings import Settings
from flows.store import ObjectInfo, ObjectMissing, Store, StoreRefuses
from flows.store.claims import INTAKE, Owner, claimed
from flows.store.context import RunContext
from flows.store.editions import History
from flows.store.kept import nothing_lost, require_editions, watched
from flows.store.ledger import Ledger, Status
from flows.store.processes import Process
from models.learning.trained import TrainedModel
from models.registry.shipped import shipped_model
from tests.simulation.world import START, Crash, Fault, Schedule, Seat, World

T = TypeVar("T")
MONTH, CUTOFF = Month(2026, 10), date(2026, 11, 20)
INPUT = Path(__file__).parents[1] / "input" / "store-0.1.0.tar.xz"
_LEFT_OUT = ("2026-08", "Z03", "2026-10/Z01/workforce", "2026-10/Z02/workforce")
KEY = b"a key that is used in tests alone, nowhere else"


class MemoryLanding:
    """A landing folder in memory; it never changes."""

    url = "memory:landing"

    def __init__(self, files: dict[str, tuple[bytes, datetime]]) -> None:
        self._files = files

    def read(self, name: str) -> bytes:
        if name not in self._files:
            raise ObjectMissing(name)
        return self._files[name][0]

    def strange(self, prefix: str = "") -> Iterator[Any]:
        return iter(())

    def survey(self, prefix: str = "") -> tuple[Sequence[ObjectInfo], Sequence[Any]]:
        return tuple(self.list(prefix)), ()

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return iter(ObjectInfo(n, len(c), at) for n, (c, at) in sorted(self._files.items()) if n.startswith(prefix))


class Delivered:
    """The landing as a run sees it: each file that it reads is a step."""

    def __init__(self, landing: MemoryLanding, seat: Seat) -> None:
        self._landing, self._seat = landing, seat

    def __getattr__(self, name: str) -> Any:
        return getattr(self._landing, name)

    def read(self, name: str) -> bytes:
        self._seat.met(f"land {name}")
        return self._landing.read(name)


@dataclass(frozen=True, repr=False)
class Scene:
    """What all schedules share."""

    landing: Any
    register: Register
    settings: Settings
    model: TrainedModel
    month: Month = MONTH
    cutoff: date = CUTOFF
    base: Mapping[str, bytes] = field(default_factory=dict)
    """What lies in the store at the beginning."""

    def world(self) -> World:
        return World({name: (content, START) for name, content in self.base.items()})

    @property
    def policy(self) -> MailPolicy:
        domains = {a.rpartition("@")[2] for c in self.register.councils for a in c.recipients}
        team = "data-team@alliance.example"
        return MailPolicy("Holdfast <holdfast@alliance.example>", team, True, (*sorted(domains), "alliance.example"))


def national_of(model: TrainedModel) -> pl.DataFrame:
    return model.reference.select(list(NATIONAL))


def scene_of(landing: MemoryLanding) -> Scene:
    register = read_register(landing.read("register.csv").decode(), "register.csv")
    settings = Settings(store="memory", landing="memory", ingest={"history_months": 13})  # type: ignore[arg-type]
    return Scene(landing, register, settings, shipped_model())


def scene() -> Scene:
    """A new group: the small store of 0.1.0 has its files. Nobody can be scored, and every director is told so."""
    files: dict[str, tuple[bytes, datetime]] = {}
    with tarfile.open(INPUT) as archive:
        for member in archive.getmembers():
            # Two councils send two months, without the last workforce files, so that every director is told.
            left_out = any(part in member.name for part in _LEFT_OUT)
            if member.isfile() and member.name.startswith("landing/") and not left_out:
                taken = archive.extractfile(member)
                assert taken is not None
                at = datetime.fromtimestamp(member.mtime, UTC)
                files[member.name.removeprefix("landing/")] = (taken.read(), at)
    return scene_of(MemoryLanding(files))


def run_month(  # noqa: C901 (a run, its pauses and its heartbeats share one state)
    here: Scene, world: World, faults: Sequence[Fault], host: str, nested: Sequence[Fault] = ()
) -> tuple[str, int]:
    """One run of the month on a host: how it ended, and how many steps it took."""
    held: list[Any] = []
    last_beat = [world.now]

    def beat() -> None:
        if world.now - last_beat[0] < timedelta(seconds=20) or not held:
            return
        last_beat[0] = world.now
        for one in held:
            try:
                one.beat()
            except StoreError:
                continue

    def paused() -> None:
        world.now += timedelta(seconds=30)
        run_month(here, world, nested, host + "'")
        last_beat[0] = world.now

    seat = Seat(world, faults, paused, beat)
    wrong = timedelta(hours=len(host) % 3 - 1)
    owner = Owner(f"run on {host}", host, Process(host, "", 1, ""))

    def clock() -> datetime:
        return world.now + wrong

    def pause(seconds: float) -> None:
        world.now += timedelta(seconds=seconds)

    def patiently(step: Callable[[], T]) -> T:
        for delay in (2, 10, 60):
            try:
                return step()
            except StoreRefuses:
                raise
            except StoreError:
                world.now += timedelta(seconds=delay)
        return step()

    store = watched(cast(Store, seat))
    context = RunContext(
        settings=here.settings, landing=cast(Store, Delivered(here.landing, seat)), store=store,
        register=here.register, month=here.month, cutoff=here.cutoff, now=START, key=KEY, history=History(store),
    )  # fmt: skip
    try:
        with claimed(seat, here.month, owner, rules=here.settings.claims, clock=clock, pause=pause) as month_claim:
            held.append(month_claim)
            with nothing_lost(store, here.month, pause) as known:
                with claimed(seat, INTAKE, owner, rules=here.settings.claims, clock=clock, pause=pause) as intake:
                    held.append(intake)
                    take_in(context, patiently)
                    held.remove(intake)
                month_claim.check()
                require_editions(store, context.history, known.editions)
                gaps = alert(context, here, seat, patiently)
        return ("gaps" if gaps else "done"), seat.steps
    except Crash:
        return "crashed", seat.steps
    except HoldfastError as error:
        return f"failed: {error}", seat.steps


def take_in(context: RunContext, patiently: Callable[[Callable[[], Any]], Any]) -> None:
    due = patiently(lambda: inputs.due_now(context))
    reads = []
    for one in due:
        found = []
        for files in one.by_council():
            try:
                found += patiently(lambda files=files: inputs.reader(context)(files))
            except HoldfastError as error:
                found += unread(files, str(error))
        reads.append(found)
    retried = [to_be_tried_again(one, read) for one, read in zip(due, reads, strict=True)]
    patiently(lambda: inputs.check_months_of(context, retried, reads, reports=False))


def alert(context: RunContext, here: Scene, post: Any, patiently: Callable[[Callable[[], Any]], Any]) -> bool:
    """Everything after the intake; whether anything is missing. `post` takes the messages."""
    model, month, cutoff = here.model, context.month, context.cutoff
    measured = patiently(
        lambda: measure(
            context.history,
            context.register,
            month,
            cutoff,
            national_of(model),
            history_months=13,
            usual_cutoff=context.usual_cutoff,
        )  # fmt: skip
    )
    scores = score_councils(model, measured, context.register, month, cutoff)
    chosen, by = context.register.valid_in(month), inputs.deciding(context)
    decisions = patiently(lambda: steps.decide_month(context.store, context.register, chosen, measured, scores, by))
    alerting = patiently(lambda: inputs.to_publish(context, decisions, measured))
    gaps, published = bool(alerting.faults), []
    there = patiently(lambda: MonthAlerts(context.store, month))
    for decided in alerting.decided:
        try:
            published.append(patiently(lambda decided=decided: _publish(context, alerting, decided, there)))
        except HoldfastError:
            gaps = True
    patiently(lambda: keep_together(context.store, month, (one.alert for one in published)))
    held, ledger = patiently(lambda: held_councils(context.store, month)), Ledger(context.store, month)
    for one in published:
        if one.message is None or one.alert.folder in held:
            continue
        to = context.register.by_code[one.alert.la_code]
        try:
            made = patiently(
                lambda one=one, to=to: deliver_council(context.store, post, to, one, here.policy, START, ledger)
            )
            gaps |= any(d.status is not Status.SENT for d in made)
        except HoldfastError:
            gaps = True
    steps.write_region_page(context.store, chosen, month, alerting, "", published, {})
    patiently(lambda: steps.write_success_marker(context.store, month, alerting, hold_in_marker(())))
    return gaps


def _publish(context: RunContext, alerting: steps.Alerting, decided: Decided, there: MonthAlerts) -> Published:
    contact = Contact.of(context.settings)
    return publish_alert(context.store, alerting.alert_of(decided), contact, there.standing(decided.council.folder))


@dataclass(frozen=True, repr=False)
class Truth:
    """What an undisturbed world holds: the small model that every schedule is judged by."""

    objects: dict[str, bytes]
    inbox: dict[tuple[str, str], bytes]
    """Address and Message-ID -> the bytes."""
    steps: int


def undisturbed(here: Scene) -> Truth:
    world = here.world()
    ended, taken = run_month(here, world, (), "calm")
    assert ended == "done", ended
    return Truth({n: c for n, (c, _) in world.objects.items()}, {(a, i): c for a, i, c in world.mailed}, taken)


def play(here: Scene, schedule: Schedule) -> tuple[World, list[str]]:
    """The disturbed runs one after another, then undisturbed ones until nothing is left to do."""
    world = here.world()
    ends = []
    for number, faults in enumerate(schedule.runs):
        ends.append(run_month(here, world, faults, f"host{'x' * number}", schedule.nested)[0])
        world.now += timedelta(minutes=1)
    world.settle()
    for _ in range(3):
        world.now += timedelta(minutes=3)
        ends.append(run_month(here, world, (), "last")[0])
        if ends[-1] == "done":
            break
    return world, ends


def wrong_in(world: World, ends: Sequence[str], truth: Truth) -> list[str]:
    """What must hold and does not, as sentences; empty if the world is as it should be."""
    calm = Seat(world, (), lambda: None, lambda: None)
    other = Seat(World(objects={n: (c, START) for n, c in truth.objects.items()}), (), lambda: None, lambda: None)
    return [*wrong_in_mail(world.mailed, ends, truth.inbox), *wrong_in_store(calm, other)]


def wrong_in_mail(
    mailed: Iterable[tuple[str, str, bytes]], ends: Sequence[str], truth: Mapping[tuple[str, str], bytes]
) -> list[str]:
    """What is stuck, lost or told wrongly, by what the addressees got."""
    said = []
    if ends[-1] != "done":
        said.append(f"stuck: the last run ended “{ends[-1]}”")
    inbox: dict[tuple[str, str], bytes] = {}
    for address, message_id, content in mailed:
        key = (address, message_id)
        if key not in truth:
            said.append(f"told wrongly: {address} got {message_id}, which nobody should get")
        elif inbox.setdefault(key, content) != content or content != truth[key]:
            said.append(f"told wrongly: {address} got {message_id} with other words")
    said += [
        f"lost: {address} never got {message_id}" for address, message_id in truth if (address, message_id) not in inbox
    ]
    return said


def wrong_in_store(calm: Any, other: Any) -> Iterator[str]:
    """Where a store is not as the undisturbed one."""
    for back in range(2):
        month = MONTH.plus(-back)
        try:
            (ours, theirs) = (History(seat).as_of(month, CUTOFF) for seat in (calm, other))
        except HoldfastError as error:
            yield f"{month} cannot be read: {error}"
            continue
        if ours is None or theirs is None or replace(ours, edition=theirs.edition) != theirs:
            yield f"{month} is not as it should be"
        elif {n: t.sha256 for n, t in (ours.tables or {}).items()} != {
            n: t.sha256 for n, t in (theirs.tables or {}).items()
        }:
            yield f"{month} has other tables"
    for folder in MonthAlerts(other, MONTH).folders:
        alerts = [latest_alert(seat, MONTH, folder) for seat in (calm, other)]
        if alerts[0] is None or alerts[0].model_dump(exclude=_NUMBERED) != alerts[1].model_dump(exclude=_NUMBERED):  # type: ignore[union-attr]
            yield f"the alert of {folder} is not as it should be"
    for entry in Ledger(calm).month(MONTH):
        if entry.status is not Status.SENT:
            yield f"the ledger says “{entry.status}” of {entry.key}"


_NUMBERED = {"revision", "correction"}
