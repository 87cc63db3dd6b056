"""Runs Prefect without a server: settings that are applied before Prefect is imported, and the process's own API.

If `PREFECT_API_URL` names a server, that server is used and nothing here changes it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from features.errors import SettingsError

#: Settings by Prefect's own names. Its logs are of no use to our users, so they are kept quiet. A flow called outside
#: `quiet_flows` makes Prefect start a server itself. On two busy cores that takes 10 to 20 s, and its limit is 20 s.
EMBEDDED = {
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    # When the process ends, the server logs that its own services were cancelled as errors.
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}
ALWAYS = {
    # A run retries for four minutes (2, 4, 8 ... 128 s) when the server is away, so it survives a server restart.
    "PREFECT_CLIENT_MAX_RETRIES": "7",
    # By itself Prefect tries again after 502 and 503 only, and one 500 would end a run.
    "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500,504",
    # The shortest that Prefect allows. Four missed ones, and as long a silence of the claim, are a dead run.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    # The lines of Holdfast's own loggers go to the log of the run that writes them.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "holdfast",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


def configure() -> None:
    """Apply each setting that is not already set, and create Prefect's folder (Prefect does not create its parents).

    Call this before the first import of prefect. Raises SettingsError in a folder with a `flows/` of its own, which
    the processes that Prefect starts there would import instead of ours.
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
    # Great Expectations logs its temporary folders at INFO.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    if not os.environ.get("PREFECT_API_URL"):
        for name, value in EMBEDDED.items():
            os.environ.setdefault(name, value)


@cache
def _own_address() -> str:
    """The address of this process's own API, which answers from the first call on."""
    from flows.orchestration.own_api import serve_own_api

    return serve_own_api()


@contextmanager
def quiet_flows() -> Iterator[None]:
    """Run flows on this process's own API, unless `PREFECT_API_URL` names another.

    Turns off what only a permanent server needs: Prefect's heartbeat thread, which costs a second per flow run to
    join, and the events it emits about each task.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    from prefect.events.clients import NullEventsClient
    from prefect.events.worker import EventsWorker
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    if PREFECT_API_URL.value():
        yield
        return
    log = logging.getLogger("prefect.task_runs")
    log.addFilter(_said_elsewhere)
    EventsWorker.set_client_override(NullEventsClient)
    try:
        with temporary_settings({PREFECT_API_URL: _own_address(), PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield
    finally:
        EventsWorker.set_client_override(None)
        log.removeFilter(_said_elsewhere)


def is_embedded(address: str) -> bool:
    """Whether this address is this process's own API, which ends with the process and keeps nothing."""
    return bool(_own_address.cache_info().currsize) and _own_address() == address


def _said_elsewhere(record: logging.LogRecord) -> bool:
    """Log filter that drops lines about a council's step needing a person, as the summary says so. Keeps exceptions."""
    return not any(words in str(record.msg) for words in ("Finished in state Failed", "Task run failed with state"))
