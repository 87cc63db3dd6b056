"""The watchdog: checks from outside whether the month was run, and tells the data team what needs a person.

It runs as a deployment, and as `holdfast watchdog` from cron or systemd, which also notices if the server is down.
It never sends an alert. Apart from reporting, it only restarts dead runs (`flows.orchestration.restart`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from features.errors import HoldfastError, MailError
from flows.deployments import expected_deployments
from flows.orchestration.look import WatchdogRequest, watch
from flows.settings.settings import Settings


@flow(name="watchdog", flow_run_name="look", persist_result=False)
def watchdog(request: WatchdogRequest = WatchdogRequest()) -> State[Any]:  # noqa: B008
    """Check whether the month was run, restart dead runs, and tell the data team what needs a person.

    Args:
        request: What to do besides looking. Left empty: everything.
    """
    try:
        settings, now = Settings.load(), datetime.now(UTC)
        found = watch(
            settings, now, request, expected_deployments(settings, now), server=True, but=str(runtime.flow_run.id or "")
        )
    except HoldfastError as error:
        return Failed(message=str(error), data=error)
    get_run_logger().info(found.to_text())
    if found.untold:
        problem = MailError("; ".join(d.reason for d in found.untold))
        return Failed(message=f"{found.headline}. The data team could not be told: {problem}", data=problem)
    return Completed(message=found.headline)
