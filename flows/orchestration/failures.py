"""Tells the data team by e-mail that a run failed or crashed, whether its own hook or the watchdog noticed."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import flows.orchestration.log_lines  # noqa: F401  (how its lines stand in the log)
from features.errors import HoldfastError
from flows.mail.notices import Notice, opened_store, tell
from flows.mail.transports.open import open_transport
from flows.settings.settings import Settings
from flows.store.ledger import Status

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun, State

_LOGGER = logging.getLogger("holdfast.failures")


def run_link(run_id: object) -> str:
    """A sentence with the run's address in the Prefect UI; empty if the UI's address is not known."""
    from prefect.utilities.urls import url_for

    url = url_for("flow-run", obj_id=run_id, default_base_url=None)  # type: ignore[arg-type]
    return f"Look at the run: {url}" if url else ""


def failure_notice(flow_name: str, run: FlowRun, state: State[Any]) -> Notice:
    """The notice of a failed or crashed run. Quotes only Holdfast's own errors: others may quote the data they met."""
    error = _error_of(state)
    if isinstance(error, HoldfastError):
        why = str(error)
    elif error is not None:
        why = f"The program stopped with an error of its own ({type(error).__name__}); the run's log has it."
    else:
        why = "The run's log says why."
    digest = hashlib.sha256(str(run.id).encode()).hexdigest()[:12]
    return Notice(
        cause=f"failed-{digest}",
        title=f"the {flow_name} run “{run.name}” {'crashed' if state.is_crashed() else 'failed'}",
        what=f"{why} What it had finished is kept; nobody is told twice when it is run again.",
        to_do=tuple(
            step
            for step in (
                run_link(run.id),
                "Put right what the sentence above names.",
                "Start the run again from its page (Retry), or `holdfast run --month YYYY-MM` for a month.",
            )
            if step
        ),
    )


def _error_of(state: State[Any]) -> BaseException | None:
    try:
        found = state.result(raise_on_failure=False)
    except Exception:
        return None
    return found if isinstance(found, BaseException) else None


def tell_of_failure(flow: Any, flow_run: FlowRun, state: State[Any]) -> None:
    """Hook of the flows (`on_failure`, `on_crashed`): tells the data team of a failed run that a server started.

    A run started from a command line is left out, as its user sees it fail. Never raises: a message that cannot be
    sent must not hide the failure.
    """
    if flow_run.deployment_id is None:
        return
    try:
        settings = Settings.load()
        notice = failure_notice(flow.name, flow_run, state)
        for one in tell(settings, opened_store(settings), open_transport(settings), [notice], datetime.now(UTC)):
            if one.status is not Status.SENT:
                _LOGGER.error("The data team could not be told that the run failed: %s", one.reason)
    except HoldfastError as error:
        _LOGGER.error("The data team could not be told that the run failed: %s", error)


#: Keyword arguments for the decorator of every flow that has a deployment.
TELLS_OF_FAILURE: dict[str, Any] = {"on_failure": [tell_of_failure], "on_crashed": [tell_of_failure]}
