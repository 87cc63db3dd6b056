"""Serves all deployments from one process, on one machine, with any Prefect server."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx

from features.errors import SettingsError
from flows.settings.settings import Settings

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

#: How long to wait for the server. After a reboot both start at the same time.
PATIENCE_SECONDS = 300


def serve_all(settings: Settings, built: Callable[[], list[RunnerDeployment]], say: Callable[[str], None]) -> None:
    """Register every deployment on the server, restart dead runs and run what is scheduled, until stopped.

    Stopping leaves the schedules active: a month that falls due meanwhile runs when serving starts again.
    `built` creates the deployments once the environment is ready. Raises SettingsError if no server is named.
    """
    if not os.environ.get("PREFECT_API_URL"):
        raise SettingsError(
            "PREFECT_API_URL does not name a Prefect server to serve on. "
            "Set it, or use `holdfast server`, which starts one."
        )
    # A person who clicks “Run” waits this long. Prefect's default of 10 s is meant for hundreds of runners.
    os.environ.setdefault("PREFECT_RUNNER_POLL_FREQUENCY", "3")
    # Prefect reads the environment when it is imported.
    from prefect.runner import Runner

    from flows.orchestration.keeper import start_keeper

    class OrderlyRunner(Runner):
        """Handles TERM like Ctrl-C. Prefect's own handler for TERM does not wait for its clean-up."""

        def handle_sigterm(self, *given: object, **more: object) -> None:
            signal.raise_signal(signal.SIGINT)

    deployments = built()
    _wait_for_the_server(say)
    # Schedules paused at shutdown would stay paused after a restart, and months would be missed without a word.
    runner = OrderlyRunner(name="holdfast", pause_on_shutdown=False, limit=None)
    for deployment in deployments:
        runner.add_deployment(deployment)
    say(f"Serving {', '.join(d.name for d in deployments)}.")
    keeper = start_keeper(settings, say)
    # A shell that starts this in the background makes it ignore SIGINT, by which the runner is stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        asyncio.run(runner.start())
    keeper.set()
    say("Stopped serving. The schedules stay active; what comes due meanwhile runs when serving starts again.")


def _wait_for_the_server(say: Callable[[str], None]) -> None:
    """Wait until the server answers and accepts our login."""
    from prefect.client.orchestration import get_client

    until = time.monotonic() + PATIENCE_SECONDS
    waited = False
    while True:
        try:
            with get_client(sync_client=True) as client:
                client.read_work_pools(limit=1)
            return
        except httpx.HTTPStatusError as error:
            if error.response.status_code in (401, 403):
                raise SettingsError(
                    "The Prefect server refuses us. Set PREFECT_API_AUTH_STRING to its user:password."
                ) from None
            problem: Exception = error
        except (httpx.TransportError, RuntimeError) as error:
            problem = error
        if time.monotonic() > until:
            raise SettingsError(
                f"The Prefect server at PREFECT_API_URL does not answer ({type(problem).__name__}). "
                "Start it, or correct the address."
            ) from None
        if not waited:
            say("Waiting for the Prefect server ...")
            waited = True
        time.sleep(2)
