"""Runs past months, oldest first, each as an ordinary run of that month would have seen it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict, Field

from features.errors import HoldfastError, SettingsError
from features.months import Month, month_range
from flows.month import inputs
from flows.month.score import load_model
from flows.month.steps import chosen_councils
from flows.orchestration import artifacts
from flows.orchestration.catch_up import take_in
from flows.orchestration.ends import mark_as_done
from flows.orchestration.failures import TELLS_OF_FAILURE
from flows.orchestration.owner import holding
from flows.orchestration.send import MailStopped
from flows.orchestration.stages import alert_councils
from flows.orchestration.task_runner import BY_THE_SETTINGS
from flows.settings.run_form import MONTH_LENGTH, RunRequest, Send, SendNow
from flows.settings.settings import Settings
from flows.store.claims import INTAKE
from flows.store.context import begin
from flows.store.kept import nothing_lost, require_editions
from flows.store.progress import step


class BackfillRequest(BaseModel):
    """A range of months to compute, or compute again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: str = Field(title="First month", description="Oldest month, as YYYY-MM.", max_length=MONTH_LENGTH)
    last: str = Field(title="Last month", description="Newest month, as YYYY-MM.", max_length=MONTH_LENGTH)
    decide_from: str | None = Field(
        default=None,
        title="Decide from",
        description="Publish alerts from this month on; earlier months are only counted. Empty: all months.",
        max_length=MONTH_LENGTH,
    )
    send: SendNow = Field(
        default=SendNow.NO, title="Send e-mails", description="“yes” also sends the months’ messages."
    )
    reason: str = Field(default="", title="Reason", max_length=200)


def _run_name() -> str:
    given: Any = runtime.flow_run.parameters.get("request")
    request = given if isinstance(given, BackfillRequest) else BackfillRequest.model_validate(given)
    reason = f": {request.reason}" if request.reason else ""
    return f"{request.first} to {request.last}{reason}"


@flow(name="backfill", flow_run_name=_run_name, persist_result=False, task_runner=BY_THE_SETTINGS, **TELLS_OF_FAILURE)
def backfill(request: BackfillRequest) -> State[dict[str, float]]:
    """Take in and decide a range of months, oldest first, without mailing unless told. Its result: seconds by stage.

    Args:
        request: The months, and from which on alerts are published.
    """
    try:
        seconds = run_months(request, datetime.now(UTC))
    except MailStopped as stopped:
        return cast("State[dict[str, float]]", stopped.end())
    except HoldfastError as error:
        # A fault that a person can put right is shown as a sentence in the run's state, not as a traceback in its log.
        return Failed(message=str(error), data=error)
    return Completed(message=f"{request.first} to {request.last}: decided", data=seconds)


def run_months(request: BackfillRequest, now: datetime) -> dict[str, float]:
    """Do the backfill, each month under its claim. Raises HoldfastError for faults that a person can put right."""
    settings = Settings.load()
    first, last = Month.parse(request.first), Month.parse(request.last)
    if last < first:
        raise SettingsError(f"A backfill goes from the older month to the newer: {first} is after {last}.")
    context = begin(settings, last, now=now, as_of=None)
    chosen_councils(context.register, first, ())
    with holding(context, INTAKE), nothing_lost(context.store, first):
        due = inputs.due_in_history(context, first, last)
        take_in(context, due)
    model = load_model(settings, context.store)
    start = Month.parse(request.decide_from) if request.decide_from else first
    months = list(month_range(max(first, start), last))
    bar = artifacts.begin_bar("backfill", f"{len(months)} months to decide")
    for number, month in enumerate(months, 1):
        seen = replace(context, month=month, cutoff=min(context.cutoff, context.usual_cutoff(month)))
        step("Deciding %s", month)
        with holding(context, month), nothing_lost(context.store, month) as known:
            require_editions(context.store, context.history, known.editions)
            alerting, mail = alert_councils(seen, model, RunRequest(month=str(month), send=Send(request.send.value)))
            mark_as_done(seen, alerting, mail)
        artifacts.move_bar(bar, 100 * number / len(months), f"{month} is decided, {number} of {len(months)}")
    return dict(context.clock.seconds)
