"""The monthly run as a Prefect flow. It only sets the order of the steps; plain functions do the work.

Reading, publishing and sending have one task per council, so that each can be seen, retried and named. A fault at
one council fails only that council's task run. The run goes on, and its final state says what is missing. A run
whose mail needs approval is suspended. When a person has answered, it runs again from its start with the cut-off
day it had. Nothing is read, published or sent twice because of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from features.errors import HoldfastError
from features.months import Month, london_day
from flows.extracts.formats.dfe.register import register_from_published
from flows.mail import approval
from flows.month.edition import TakenIn
from flows.month.published_returns import (
    read_published_file,
    read_record_beside,
    reconcile_published,
    record_measures_beside,
)
from flows.month.restated import restatements
from flows.month.score import RETURNS_MAX_AGE_MONTHS, load_model
from flows.month.steps import chosen_councils
from flows.orchestration import artifacts
from flows.orchestration.ends import MonthReport, check_only, dry_run_outcome, send_only
from flows.orchestration.export_after import export_after
from flows.orchestration.failures import TELLS_OF_FAILURE
from flows.orchestration.faults import Faults
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.owner import holding
from flows.orchestration.send import MailStopped, mail_month, open_post, waiting_run
from flows.orchestration.stages import publish_all, score_and_decide, take_in_news
from flows.orchestration.task_runner import BY_THE_SETTINGS
from flows.orchestration.tasks import (
    check_published,
    whole,
)
from flows.settings.run_form import RunRequest, RunSteps, Send
from flows.settings.settings import Settings
from flows.store import open_store
from flows.store.claims import INTAKE
from flows.store.context import RunContext, begin
from flows.store.kept import nothing_lost, require_editions
from models.learning.trained import TrainedModel

#: The number of steps that a full run announces, for its progress bar.
_STEPS = 5


def _run_name() -> str:
    """`October 2026: late file`; a resumed run keeps the name it has."""
    if runtime.flow_run.run_count > 1:
        return str(runtime.flow_run.name)
    given = runtime.flow_run.parameters.get("request")
    request = given if isinstance(given, RunRequest) else RunRequest.model_validate(given or {})
    month = request.month or str(request.month_or_last(scheduled_day()))
    parts = [month, *(["/".join(request.councils)] if request.councils else [])]
    what = ", ".join([*parts, *([request.steps.value] if request.steps is not RunSteps.ALL else [])])
    return f"{what}: {request.reason}" if request.reason else what


@flow(
    name="monthly",
    flow_run_name=_run_name,
    persist_result=False,
    validate_parameters=True,
    task_runner=BY_THE_SETTINGS,
    **TELLS_OF_FAILURE,
)
def monthly(request: RunRequest = RunRequest()) -> State[RunOutcome]:  # noqa: B008
    """Read the month's extracts, check, measure, score, decide, publish, send.

    Args:
        request: What to run. Left empty: the last complete month, every council, with mail.
    """
    now = datetime.now(UTC)
    try:
        request.check(scheduled_day())
        settings = Settings.load()
        month, as_of = _month_and_cutoff(request, settings)
        with artifacts.tagged(artifacts.tags_of(month, request.reason)), artifacts.progress(month, _STEPS):
            outcome = run_month(request, settings, month, as_of, now)
    except MailStopped as stopped:
        return cast("State[RunOutcome]", stopped.end())
    except HoldfastError as error:
        # A fault that a person can put right is shown as a sentence in the run's state, not as a traceback in its log.
        return Failed(message=str(error), data=error)
    # Always named “Completed”: the default filter of the deployment page hides states with any other name.
    return Completed(message=outcome.headline, data=outcome)


def scheduled_day() -> date:
    """The day in London that the run was scheduled for: a run that starts late still does the intended month."""
    return london_day(runtime.flow_run.scheduled_start_time)


def _month_and_cutoff(request: RunRequest, settings: Settings) -> tuple[Month, date | None]:
    """The run's month and cut-off day. A resumed run keeps the ones it had, however many days it was suspended."""
    run = waiting_run()
    if run and request.send is Send.HOLD:
        asked = approval.asked_by(open_store(settings, settings.store), run)
        if asked is not None:
            return asked.month, asked.cutoff
    return request.month_or_last(scheduled_day()), request.as_of


def run_month(request: RunRequest, settings: Settings, month: Month, as_of: date | None, now: datetime) -> RunOutcome:
    """Do what the request asks, as tasks of one run. Raises HoldfastError for faults that a person can put right."""
    if request.returns:
        return run_published(settings, month, request, Path(request.returns), now)
    context = begin(settings, month, now=now, as_of=as_of)
    chosen_councils(context.register, context.month, request.councils)
    model, faults = load_model(settings, context.store, context.cutoff), Faults()
    with holding(context, month) as held, nothing_lost(context.store, month) as known:
        if request.steps is RunSteps.FROM_SENDING:
            return send_only(context, request, faults)
        taken: list[TakenIn] = []
        if request.steps.reads:
            with holding(context, INTAKE):
                taken = take_in_news(context, faults, known.pages_gone)
        held.check()
        if request.steps is RunSteps.CHECK:
            return check_only(context, faults)
        require_editions(context.store, context.history, known.editions)
        outcome = alert_and_report(context, model, request, taken, faults)
    if request.steps.publishes:
        export_after(context)
    return outcome


def alert_and_report(
    context: RunContext, model: TrainedModel, request: RunRequest, taken: Sequence[TakenIn], faults: Faults
) -> RunOutcome:
    """Decide, publish, mail and report. A rehearsal ends after the decision."""
    alerting = score_and_decide(context, model, request.councils, faults)
    restated = tuple(restatements(context.history, context.register, taken, context.cutoff))
    named = f"{model.ref.name} {model.ref.version}"
    if not request.steps.publishes:
        return dry_run_outcome(context, alerting, restated, named, faults)
    published, post = publish_all(context, alerting, faults), open_post(context)
    report = MonthReport(context, request, alerting, published, restated, named, faults, post)
    return report.of(mail_month(context, request, alerting.storm, published, faults, report.of, post))


def run_published(settings: Settings, month: Month, request: RunRequest, path: Path, now: datetime) -> RunOutcome:
    """The same steps on DfE's published file, kept apart from a group's own months in the store."""
    published = read_published_file(path)
    cutoff = request.as_of or month.last_day
    record = read_record_beside(Path(request.record) if request.record else path.parent)
    register = register_from_published(published, record, known_by=cutoff)
    apart = settings.model_copy(update={"store": f"{settings.store.rstrip('/')}/published"})
    context = replace(
        begin(apart, month, now=now, as_of=cutoff, register=register), max_age_months=RETURNS_MAX_AGE_MONTHS
    )
    if record is not None:
        context = replace(context, beside=record_measures_beside(record, register, cutoff))
    chosen_councils(context.register, context.month, request.councils)
    model = load_model(settings, context.store, context.cutoff)
    with holding(context, month) as held:
        with holding(context, INTAKE):
            taken = check_published(whole(context), published.filename, whole(published))
        held.check()
        context.store.replace(
            f"reconciliation/{month}.csv",
            reconcile_published(published, month).to_csv().encode(),
            content_type="text/csv",
        )
        return alert_and_report(context, model, request, taken, Faults())


def result_of(state: object) -> RunOutcome:
    """The outcome in a finished run's state. Raises the error that the run raised."""
    return cast(State[RunOutcome], state).result()
