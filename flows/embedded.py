"""Prefect without a server to start: settings for the embedded default, applied before Prefect is imported.

Where `PREFECT_API_URL` names a server, that server is used and nothing here changes it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

#: Prefect's own names. The start of the embedded server takes 10 to 20 s on two busy cores, where
#: Prefect's default patience is 20 s; nothing is sent anywhere; its own log lines are for its authors.
EMBEDDED = {
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    # The server logs the cancelling of its own services as errors when the process ends.
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}
ALWAYS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


def configure() -> None:
    """Set what is not already set. Call before the first import of prefect."""
    for name, value in ALWAYS.items():
        os.environ.setdefault(name, value)
    # It announces its temporary folders.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    if not os.environ.get("PREFECT_API_URL"):
        for name, value in EMBEDDED.items():
            os.environ.setdefault(name, value)


def warm_up() -> None:
    """Start the embedded server and wait until it answers; flows of this process then find it running."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        client.hello()


@contextmanager
def quiet_flows() -> Iterator[None]:
    """Run flows without Prefect's heartbeat thread, whose joining costs a second per flow run.

    The heartbeat tells a server that a worker is alive; the embedded server ends with the process.
    """
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    if PREFECT_API_URL.value():
        yield
        return
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
