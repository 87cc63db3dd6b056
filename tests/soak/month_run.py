"""One run of the month against a real store and a real mail server, as `tests.simulation.month` runs it in memory."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from threading import current_thread
from typing import Any, TypeVar

from features.errors import HoldfastError, StoreError
from features.months import bank_holidays
from flows.mail.courier import Courier
from flows.mail.transports.smtp import SmtpServer, SmtpTransport
from flows.settings.settings import ClaimSettings
from flows.store import LocalStore, S3Options, Store, StoreRefuses
from flows.store.claims import INTAKE, Owner, claimed, wall_clock
from flows.store.context import RunContext
from flows.store.editions import History
from flows.store.kept import nothing_lost, require_editions, watched
from flows.store.processes import Process, this_process
from flows.store.s3 import S3Store
from tests.integration.smtp_server import PASSWORD, USER
from tests.simulation.month import CUTOFF, KEY, MONTH, alert, scene, take_in
from tests.simulation.remember import key_of
from tests.simulation.world import START
from tests.soak.warm import Asked

T = TypeVar("T")

#: What a run of the campaign really waits, of what it means to.
_HURRY = 20
DELAYS = (2, 10, 60)


#: Pure functions that take most of a month's processor time. The first run keeps what they gave for the others.
PURE = (
    ("flows.extracts.receive", "read_form"),
    ("expectations.passing.check", "run_static"),
    ("expectations.passing.check", "run_dynamic"),
    ("flows.month.count", "count_usable"),
    ("flows.month.measure", "compute_measures"),
    ("flows.month.measure", "compute_features"),
    ("flows.month.score", "score_month"),
    ("flows.month.steps", "facts_by_council"),
    ("flows.alerts.publish", "render_message"),
)


def kept(pure: Callable[..., T], folder: Path) -> Callable[..., T]:
    """The function, with what it gave for what went in kept in a folder, for processes that come later."""

    def call(*given: Any, **named: Any) -> T:
        file = folder / f"{pure.__name__}-{key_of(given, named).hex()}"
        if file.exists():
            found: T = pickle.loads(file.read_bytes())
            return found
        made = pure(*given, **named)
        beside = file.with_suffix(f".{os.getpid()}")
        with suppress(Exception):  # what cannot be kept is made again
            beside.write_bytes(pickle.dumps(made))
            beside.replace(file)
        return made

    return call


def prepare() -> None:
    """Import and build what every run needs, without using Polars."""
    from expectations.passing import engine

    engine.load_great_expectations()
    bank_holidays(MONTH.year, MONTH.year)


def open_at(where: str, options: dict[str, Any]) -> Store:
    """The store at an address."""
    if not where.startswith("s3://"):
        return LocalStore(Path(where))
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    return S3Store(bucket, prefix, S3Options(**options), sleep=lambda seconds: time.sleep(seconds / _HURRY))


def run(asked: Asked) -> tuple[str, float, int]:
    """Take in, decide, publish and send: how it ended, how many seconds it meant to wait, and how often it wrote."""
    for module, name in PURE:
        home = import_module(module)
        setattr(home, name, kept(getattr(home, name), Path(asked.kept)))
    store = watched(open_at(asked.store, asked.s3))
    writes = _count_writes(asked.die)
    waited = [0.0]

    def clock() -> datetime:
        return wall_clock() + timedelta(minutes=asked.minutes_off)

    def pause(seconds: float) -> None:
        waited[0] += seconds
        time.sleep(seconds / _HURRY)

    def look_again(seconds: float) -> None:
        """Waiting for another run is counted as it was, since claims lapse in real time."""
        waited[0] += seconds / _HURRY
        time.sleep(seconds / _HURRY)

    def patiently(step: Callable[[], T]) -> T:
        for delay in DELAYS:
            try:
                return step()
            except StoreRefuses:
                raise
            except StoreError:
                pause(delay)
        return step()

    here = scene()
    context = RunContext(
        settings=here.settings, landing=here.landing, store=store, register=here.register, month=MONTH, cutoff=CUTOFF,
        now=START, key=KEY, history=History(store),
    )  # fmt: skip
    process = Process(asked.host, "", os.getpid(), "") if asked.host else this_process()
    owner = Owner(f"run on {process.host or socket.gethostname()}", str(os.getpid()), process)
    server = SmtpServer("127.0.0.1", asked.port, USER, PASSWORD, ca_file=asked.ca_file, timeout_seconds=20)
    post = Courier(SmtpTransport(server), pause=pause)
    rules = ClaimSettings.model_construct(
        stale_minutes=asked.stale_minutes,  # type: ignore[arg-type]
        wait_minutes=15,
        heartbeat_seconds=10 * asked.stale_minutes,
    )
    claims = {"rules": rules, "clock": clock, "pause": look_again}
    try:
        with (
            claimed(store, MONTH, owner, **claims) as month_claim,  # type: ignore[arg-type]
            nothing_lost(store, MONTH, pause) as known,
        ):
            with claimed(store, INTAKE, owner, **claims):  # type: ignore[arg-type]
                take_in(context, patiently)
                time.sleep(asked.linger)
            month_claim.check()
            require_editions(store, context.history, known.editions)
            gaps = alert(context, here, post, patiently)
        return ("gaps" if gaps else "done"), waited[0], writes()
    except HoldfastError as error:
        return f"failed: {error}", waited[0], writes()


def _count_writes(die: str) -> Callable[[], int]:
    """Count this process's writes to S3, and let it be killed before or after the one that `die` names.

    Some are written side by side, so each write knows its own number. Heartbeats come by the clock and do not count.
    """
    numbers = count(1)
    when, _, number = die.partition(":")
    put = S3Store._put

    def counted(self: S3Store, *given: Any, **more: Any) -> None:
        mine = "" if current_thread().name.startswith("claim-") else str(next(numbers))
        if when == "before" and mine == number:
            os.kill(os.getpid(), signal.SIGKILL)
        put(self, *given, **more)
        if when == "after" and mine == number:
            os.kill(os.getpid(), signal.SIGKILL)

    S3Store._put = counted  # type: ignore[method-assign]
    return lambda: next(numbers) - 1
