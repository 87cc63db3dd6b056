"""The monthly run as a Prefect flow: it only sequences; what decides are the plain functions it calls.

Reading is one task per council, so that a council's files can be seen, retried and named. A council that
cannot be read is one council's problem: the run goes on and its last state says how many were not scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from prefect.utilities.annotations import quote

from features.errors import HoldfastError, StoreError
from features.frames import NATIONAL
from features.months import Month
from flows import month as steps
from flows.alerting import Decided
from flows.alerts.deliver import Delivery
from flows.alerts.mail.port import Transport
from flows.alerts.publish import Published
from flows.claim import INTAKE, holding
from flows.context import RunContext, begin
from flows.extracts.landing import LandedFile
from flows.extracts.published import PublishedWorkforce
from flows.extracts.published_register import register_from_published
from flows.mailing import open_transport
from flows.measuring import Measured, measure
from flows.month import Alerting
from flows.notify import TELLS_OF_FAILURE
from flows.officers import unreached, write_to_data_officers
from flows.outcome import RunOutcome
from flows.progress import step
from flows.published import (
    read_published_file,
    read_record_beside,
    reconcile_published,
    record_measures_beside,
    take_in_published,
)
from flows.reports import write_reports
from flows.request import RunRequest, Send
from flows.restated import restatements
from flows.scoring import RETURNS_MAX_AGE_MONTHS, load_model, score_councils
from flows.settings import Settings
from flows.takein import Due, Read, TakenIn
from models.score import Score
from models.trained import TrainedModel

T = TypeVar("T")


def _store_was_away(_task: object, _run: object, state: State[Any]) -> bool:
    """Retry when the store did not answer; a file at fault is a result and an error of ours stays one."""
    try:
        state.result(raise_on_failure=True)
    except StoreError:
        return True
    except Exception:
        return False
    return False


def whole(value: T) -> T:
    """A task's argument that Prefect is not to look into for futures: frames and thousands of records."""
    return cast(T, quote(value))


#: Annual returns need a longer memory than monthly extracts: ten Septembers.
RETURNS_HISTORY = 120

#: Between tasks pass frames and open stores: nothing to hash, nothing to keep.
STEP: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
PATIENT_STEP: dict[str, Any] = {
    **STEP,
    "retries": 3,
    "retry_delay_seconds": [2, 10, 60],
    "retry_condition_fn": _store_was_away,
}


@task(task_run_name="Find what has come", **PATIENT_STEP)
def find_due(context: RunContext) -> list[Due]:
    """The run's month, and earlier months in which something is new."""
    return steps.find_due(context)


@task(task_run_name="Read {council}, {month}", **PATIENT_STEP)
def read_council(context: RunContext, council: str, month: str, files: Sequence[LandedFile]) -> list[Read]:
    """Everything one council sent for one month."""
    return steps.read_council(context, files)


@task(task_run_name="Check and count {months}", **PATIENT_STEP)
def check_and_count(
    context: RunContext, months: str, due: Sequence[Due], reads: Sequence[Sequence[Read]], reports: bool
) -> list[TakenIn]:
    """One validation pass over all councils, then the counts that may be used."""
    return steps.check_and_store(context, due, reads, reports=reports)


@task(task_run_name="Check {file}", **PATIENT_STEP)
def check_published(context: RunContext, file: str, published: PublishedWorkforce) -> list[TakenIn]:
    """Every September of a published file up to the run's month, checked and stored."""
    accepted = steps.accepted_failures(context)
    with context.clock.stage("check"):
        taken, batches = take_in_published(context.history, published, context.month, accepted)
    with context.clock.stage("reports"):
        write_reports(context.store, context.register, batches[-1], taken[-1].outcome, accepted)
    return taken


@task(task_run_name="Measure {month}", **PATIENT_STEP)
def measure_month(context: RunContext, month: str, model: TrainedModel) -> Measured:
    """Measures and features as known by the cut-off."""
    return measure(
        context.history,
        context.register,
        context.month,
        context.cutoff,
        model.reference.select(list(NATIONAL)),
        history_months=max(context.settings.ingest.history_months, RETURNS_HISTORY if context.max_age_months else 0),
        usual_cutoff=context.usual_cutoff,
        beside=context.beside,
    )


@task(task_run_name="Score {month}", **STEP)
def score_month(context: RunContext, month: str, measured: Measured, model: TrainedModel) -> dict[str, Score]:
    """A score for every council, or why there is none."""
    return score_councils(
        model, measured, context.register, context.month, context.cutoff, max_age_months=context.max_age_months
    )


@task(task_run_name="Decide {month}", **PATIENT_STEP)
def decide_month(
    context: RunContext, month: str, measured: Measured, scores: Mapping[str, Score], councils: Sequence[str]
) -> Alerting:
    """Bands, changes, and whether the month's mail must wait."""
    return steps.decide_month(context, measured, scores, councils)


@task(task_run_name="Publish {council}", **PATIENT_STEP)
def publish_council(context: RunContext, council: str, alerting: Alerting, decided: Decided) -> Published:
    """The council's alert object and its message; the same again writes nothing."""
    return steps.publish_one(context, alerting, decided)


@task(task_run_name="Send to {council}", **PATIENT_STEP)
def send_to_council(
    context: RunContext, council: str, transport: Transport, decided: Decided, published: Published
) -> list[Delivery]:
    """What is due, to the registered recipients, once."""
    return steps.deliver_one(context, transport, decided.council, published)


def take_in(context: RunContext, due: Sequence[Due]) -> list[TakenIn]:
    """Read, check and count the months that have something new, councils side by side."""
    if due:
        step("Reading %s: %d councils", ", ".join(str(d.month) for d in due), len(context.register.councils))
    with context.clock.stage("read"):
        futures = [
            [
                read_council.submit(whole(context), files[0].council.name, str(one.month), whole(files))
                for files in steps.files_by_council(one).values()
            ]
            for one in due
        ]
        reads = [[read for future in month for read in future.result()] for month in futures]
    if not due:
        return []
    months = str(due[0].month) if len(due) == 1 else f"{due[0].month} to {due[-1].month}"
    step("Checking and counting %s", months)
    return check_and_count(whole(context), months, whole(due), whole(reads), reports=True)


def alert_councils(
    context: RunContext, model: TrainedModel, request: RunRequest
) -> tuple[Alerting, list[Published], dict[str, list[Delivery]]]:
    """Measure, score, decide, publish, and send what is due unless mail is off or held."""
    month, clock = str(context.month), context.clock
    step("Measuring and scoring %s", month)
    with clock.stage("measure"):
        measured = measure_month(whole(context), month, whole(model))
    with clock.stage("score"):
        scores = score_month(whole(context), month, whole(measured), whole(model))
    with clock.stage("decide"):
        alerting = decide_month(whole(context), month, whole(measured), whole(scores), request.councils)
    step("Publishing %s: %d councils", month, len(alerting.decided))
    with clock.stage("publish"):
        futures = [
            publish_council.submit(whole(context), d.council.name, whole(alerting), whole(d)) for d in alerting.decided
        ]
        published = [future.result() for future in futures]
    deliveries: dict[str, list[Delivery]] = {}
    if request.send is Send.YES and not alerting.storm.held:
        with clock.stage("send"):
            transport = open_transport(context.settings)
            due = [(d, p) for d, p in zip(alerting.decided, published, strict=True) if p.message is not None]
            sent = {
                d.council.la_code: send_to_council.submit(
                    whole(context), d.council.name, whole(transport), whole(d), whole(p)
                )
                for d, p in due
            }
            deliveries = {code: future.result() for code, future in sent.items()}
    return alerting, published, deliveries


def finish(
    context: RunContext,
    model: TrainedModel,
    alerting: Alerting,
    published: Sequence[Published],
    deliveries: Mapping[str, Sequence[Delivery]],
    taken: Sequence[TakenIn],
    request: RunRequest,
) -> RunOutcome:
    """Pages, the data team's summary, the success marker, and the outcome for people."""
    with context.clock.stage("pages"):
        steps.write_region_page(context, alerting, published, context.clock.seconds)
        officers: dict[str, list[Delivery]] = {}
        restated = restatements(context.history, context.register, taken, context.cutoff)
        if request.send is Send.YES:
            transport = open_transport(context.settings)
            officers = write_to_data_officers(context, transport, alerting)
            steps.send_run_summary(context, transport, alerting, published, deliveries)
    steps.write_success_marker(context, alerting)
    outcome = steps.outcome_of(context, alerting, published, deliveries, restated, model)
    return replace(outcome, problems=(*outcome.problems, *unreached(context, officers)))


def _run_name() -> str:
    given = runtime.flow_run.parameters.get("request")
    request = given if isinstance(given, RunRequest) else RunRequest.model_validate(given or {})
    reason = f": {request.reason}" if request.reason else ""
    return f"{request.month or 'last complete month'}{reason}"


@flow(name="monthly", flow_run_name=_run_name, persist_result=False, validate_parameters=True, **TELLS_OF_FAILURE)
def monthly(request: RunRequest = RunRequest()) -> State[RunOutcome]:  # noqa: B008
    """Read the month's extracts, check, measure, score, decide, publish, send.

    Args:
        request: What to run. Left empty: the last complete month, every council, with mail.
    """
    try:
        outcome = run_month(request, datetime.now(UTC))
    except HoldfastError as error:
        # What a person can put right is a sentence in the run's state, not a traceback in its log.
        return Failed(message=str(error), data=error)
    show(outcome)
    return Completed(message=outcome.headline, data=outcome)


def run_month(request: RunRequest, now: datetime) -> RunOutcome:
    """All the request asks for, as tasks of one run. Raises HoldfastError for what a person can put right."""
    settings = Settings.load()
    month = request.month_or_last(now.date())
    if request.returns is not None:
        return run_published(settings, month, request, Path(request.returns), now)
    context = begin(settings, month, now=now, as_of=request.as_of)
    model = load_model(settings, context.store)
    with holding(context, month) as held:
        with holding(context, INTAKE):
            taken = take_in(context, find_due(whole(context)))
        held.check()
        return finish(context, model, *alert_councils(context, model, request), taken, request)


def run_published(settings: Settings, month: Month, request: RunRequest, path: Path, now: datetime) -> RunOutcome:
    """The same month's work on DfE's published file, kept apart from a group's own months in the store."""
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
    model = load_model(settings, context.store)
    with holding(context, month) as held:
        with holding(context, INTAKE):
            taken = check_published(whole(context), published.filename, whole(published))
        held.check()
        context.store.replace(
            f"reconciliation/{month}.csv",
            reconcile_published(published, month).to_csv().encode(),
            content_type="text/csv",
        )
        return finish(context, model, *alert_councils(context, model, request), taken, request)


def result_of(state: object) -> RunOutcome:
    """The outcome inside a finished run's state; raises what the run raised."""
    return cast(State[RunOutcome], state).result()


def show(outcome: RunOutcome) -> None:
    """The outcome as artifacts of the run, for the Prefect UI, and as a line of its log."""
    get_run_logger().info(outcome.headline)
    key = f"month-{outcome.month}"
    create_markdown_artifact(
        f"```text\n{outcome.to_text()}\n```", key=f"{key}-summary", description="Summary of the run"
    )
    create_table_artifact(
        [
            {"council": c.name, "code": c.la_code, "band": c.band.words, "change": c.change.value, "informed": c.told}
            for c in outcome.councils
        ],
        key=f"{key}-councils",
        description="Every council's band and change",
    )
