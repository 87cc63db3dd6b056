"""Prefect's folder and server for tests, from one prepared database.

Prefect builds its database step by step, as it grew over the years, which costs ten seconds of processor each time.
`make test` has it built once (`var/prefect-new`); every folder of the tests begins with a copy.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from urllib.request import urlopen

from tests.warm import Warm

TEMPLATE = Path(__file__).resolve().parent.parent / "var" / "prefect-new" / "prefect.db"
_START_SECONDS = 120


def new_home(folder: Path) -> Path:
    """An empty PREFECT_HOME, with the prepared database where there is one; without it Prefect builds its own."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if TEMPLATE.exists() and not (folder / "prefect.db").exists():
        with closing(sqlite3.connect(TEMPLATE)) as built, closing(sqlite3.connect(folder / "prefect.db")) as copy:
            built.backup(copy)
    return folder


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """A Prefect server with a database of its own; its address, for other processes and for `using`."""
    with resting_server(home) as awake, awake() as address:
        yield address


@contextmanager
def resting_server(home: Path) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """A Prefect server that takes no processor time until it is asked to: `with awake() as address`."""
    port = new_home(home) / "port.txt"
    child = Warm("tests.prefect_child", str(port), env={**os.environ, "PREFECT_HOME": str(home)})
    try:
        end = monotonic() + _START_SECONDS
        while True:
            try:
                address = f"http://127.0.0.1:{int(port.read_text())}/api"
                with urlopen(f"{address}/health", timeout=5):
                    break
            except (OSError, ValueError):
                assert child.poll() is None and monotonic() < end, "the Prefect server did not start"
                sleep(0.1)

        @contextmanager
        def awake() -> Iterator[str]:
            child.send_signal(signal.SIGCONT)
            try:
                yield address
            finally:
                child.send_signal(signal.SIGSTOP)

        child.send_signal(signal.SIGSTOP)
        yield awake
    finally:
        child.kill()
        child.wait()


@contextmanager
def using(address: str) -> Iterator[None]:
    """The flows of the block use the server at this address."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    _drain_events()
    with temporary_settings({PREFECT_API_URL: address}):
        yield
        _drain_events()


def _drain_events() -> None:
    """End the thread that sends events: one that has begun goes on sending to the server it began with."""
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=20)
