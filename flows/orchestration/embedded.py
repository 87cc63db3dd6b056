"""Prefect without a server to start: settings for the embedded default, applied before Prefect is imported.

Where `PREFECT_API_URL` names a server, that server is used and nothing here changes it.
`python -m flows.orchestration.embedded` starts the embedded server and ends it, so that its database is there.
"""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from urllib.request import urlopen

from features.errors import HoldfastError, SettingsError

_PATIENCE = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"

#: Prefect's own names. Its own log lines are for its authors. Where a flow is called outside `quiet_flows`, Prefect
#: starts a server by itself, which takes 10 to 20 s on two busy cores, where its default patience is 20 s.
EMBEDDED = {
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    _PATIENCE: "300",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    # The server logs the cancelling of its own services as errors when the process ends.
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}
ALWAYS = {
    # A run asks a server that went away again for four minutes (2, 4, 8 ... 128 s), so it outlives a restart of it.
    "PREFECT_CLIENT_MAX_RETRIES": "7",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


def configure() -> None:
    """Set what is not already set, and make Prefect's folder, which it makes only where its parent exists.

    Call before the first import of prefect. Raises SettingsError in a folder whose own `flows/` would be taken for ours
    by the processes that Prefect starts there.
    """
    ours, here = Path(__file__).resolve().parents[1], Path("flows")
    if here.is_dir() and here.resolve() != ours:
        raise SettingsError(
            f"{Path.cwd()} has a folder flows/ of its own, which would be taken for Holdfast's. "
            "Start holdfast in another folder."
        )
    if home := os.environ.get("PREFECT_HOME"):
        Path(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, value in ALWAYS.items():
        os.environ.setdefault(name, value)
    # It announces its temporary folders.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    if not os.environ.get("PREFECT_API_URL"):
        for name, value in EMBEDDED.items():
            os.environ.setdefault(name, value)


class _Child:
    """The embedded server of this process. Started once; ends with the process, however that ends."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flows.orchestration.embedded_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            # Ctrl-C is for the run; the server ends after it, when its standard input closes.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.address = f"http://127.0.0.1:{self._process.stdout.readline().decode().strip()}/api"
        atexit.register(self.stop)

    def wait(self) -> None:
        """Until it answers, for as long as Prefect's own setting says. Raises HoldfastError if it does not."""
        seconds = float(os.environ.get(_PATIENCE, "300"))
        end = monotonic() + seconds
        while monotonic() < end and self._process.poll() is None:
            try:
                with urlopen(f"{self.address}/health", timeout=5):
                    return
            except OSError:
                sleep(0.05)
        raise HoldfastError(
            f"Prefect's embedded server did not start within {seconds:.0f} s. Try again when the machine is less busy, "
            f"or delete the folder {os.environ.get('PREFECT_HOME', '~/.prefect')} if an older version made it."
        )

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@cache
def start() -> _Child:
    """Start the embedded server without waiting for it, so that it gets ready beside other work."""
    return _Child()


@contextmanager
def quiet_flows() -> Iterator[None]:
    """Run flows on the embedded server, unless `PREFECT_API_URL` names another.

    Without what only a server that stays would use: Prefect's heartbeat thread, whose joining costs a second per
    flow run, and its events, which tell what happened to each task.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    server = start()
    from prefect.events.clients import NullEventsClient
    from prefect.events.worker import EventsWorker
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    if PREFECT_API_URL.value():
        yield
        return
    server.wait()
    log = logging.getLogger("prefect.task_runs")
    log.addFilter(_said_elsewhere)
    EventsWorker.set_client_override(NullEventsClient)
    try:
        with temporary_settings({PREFECT_API_URL: server.address, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield
    finally:
        EventsWorker.set_client_override(None)
        log.removeFilter(_said_elsewhere)


def is_embedded(address: str) -> bool:
    """Whether the server at this address is this process's own, which ends with it and keeps nothing."""
    return bool(start.cache_info().currsize) and start().address == address


def _said_elsewhere(record: logging.LogRecord) -> bool:
    """Leaves out that a council's step needs a person: the run's last lines say it. Exceptions are kept."""
    return not str(record.msg).startswith(("Finished in state Failed", "Task run failed with state"))


if __name__ == "__main__":
    configure()
    start().wait()
