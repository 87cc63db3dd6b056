"""The monthly run as a Prefect flow: it only sequences; what decides are the plain functions it calls.

Reading, publishing and sending are one task per council, so that each can be seen, retried and named. What
goes wrong at one council is that council's problem: its task run fails, the run goes on, and its last state
says what is missing. A run that holds its mail for approval is suspended and runs again from its start when a
person has answered, with the cut-off day it had; nothing is read, published or sent twice by that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from features.errors import HoldfastError
from features.months import Month, london_day
from flows.alerts.alert import Alert
from flows.alerts.council import alert_of, standing_alerts
from flows.alerts.decide import storm_valve
from flows.alerts.facts import CouncilFacts
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Publication, Published
from flows.alerts.state import Band
from flows.extracts.formats.dfe.register import register_from_published
from flows.extracts.landing import LandedFile
from flows.mail import approval
from flows.mail.deliver import Delivery
from flows.mail.month_mail import MonthMail
from flows.mail.officers import unreached, write_to_data_officers
from flows.mail.undelivered import note_undelivered, send_undelivered
from flows.month.published_returns import (
    read_published_file,
    read_record_beside,
    reconcile_published,
    record_measures_beside,
)
from flows.month.restated import restatements
from flows.month.score import RETURNS_MAX_AGE_MONTHS, load_model
from flows.month.steps import Alerting, chosen_councils, files_as_known, write_region_page, write_success_marker
from flows.month.take_in import Due, Read, TakenIn, to_be_tried_again, unread
from flows.orchestration import artifacts
from flows.orchestration.failures import TELLS_OF_FAILURE
from flows.orchestration.faults import CouncilUnit, Faults
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.owner import holding
from flows.orchestration.reporting import finished, outcome_of
from flows.orchestration.send import MailStopped, Post, due_now, mail_month, open_post, send, tell_team, waiting_run
from flows.orchestration.task_runner import BY_THE_SETTINGS
from flows.orchestration.tasks import (
    check_and_count,
    check_published,
    decide_month,
    find_due,
    measure_month,
    not_scored,
    publish_council,
    read_council,
    score_month,
    whole,
)
from flows.settings.run_form import RunRequest, RunSteps, Send
from flows.settings.settings import Settings
from flows.store import open_store
from flows.store.claims import INTAKE
from flows.store.context import RunContext, begin
from flows.store.progress import step
from models.learning.trained import TrainedModel

#: Steps a full run says it begins, for its progress bar.
_STEPS = 5


def take_in(context: RunContext, due: Sequence[Due], faults: Faults) -> list[TakenIn]:
    """Read, check and count the months that have something new, councils side by side."""
    if not due:
        return []
    months = str(due[0].month) if len(due) == 1 else f"{due[0].month} to {due[-1].month}"
    step("Reading %s: %d councils", months, len(context.register.councils))
    with context.clock.stage("read"):
        begun = [(one, _reading(context, str(one.month), files)) for one in due for files in one.by_council()]
        found = faults.results([unit for _, unit in begun])
    reads: dict[Month, list[Read]] = {one.month: [] for one in due}
    for (one, _), read in zip(begun, found, strict=True):
        reads[one.month] += read or []
    retried = [to_be_tried_again(one, reads[one.month]) for one in due]
    step("Checking and counting %s", months)
    taken = check_and_count(whole(context), months, whole(retried), whole(list(reads.values())), reports=True)
    faults.found += [sentence for one in taken for sentence in one.faults]
    return taken


def _reading(context: RunContext, month: str, files: Sequence[LandedFile]) -> CouncilUnit[list[Read]]:
    council = files[0].council
    future = read_council.submit(whole(context), council.name, month, whole(files))
    return CouncilUnit(council, f"reading {month}", future, lambda why: unread(files, why))


def decide(context: RunContext, model: TrainedModel, councils: Sequence[str], faults: Faults) -> Alerting:
    """Measure, score and decide; a council without a score shows as a task run that says why."""
    month, clock = str(context.month), context.clock
    step("Measuring and scoring %s", month)
    with clock.stage("measure"):
        measured = measure_month(whole(context), month, whole(model))
    with clock.stage("score"):
        scores = score_month(whole(context), month, whole(measured), whole(model))
    # A run of the month before that is under way is waited for: this one begins where that one ends.
    with clock.stage("decide"), holding(context, context.month.plus(-1)):
        alerting = decide_month(whole(context), month, whole(measured), whole(scores), list(councils))
    faults.found += alerting.faults
    missing = [d for d in alerting.decided if d.decision.band is Band.NOT_SCORED]
    for one in [not_scored.submit(d.council.name, d.score.not_scored or "There is no score.") for d in missing]:
        one.wait()
    return alerting


def publish(context: RunContext, alerting: Alerting, faults: Faults) -> list[Published]:
    """Every council's alert object, and its message beside it if one is due."""
    step("Publishing %s: %d councils", context.month, len(alerting.decided))
    with context.clock.stage("publish"):
        units = [
            CouncilUnit[Published](
                d.council,
                "publishing",
                publish_council.submit(whole(context), d.council.name, whole(alerting), whole(d)),
                lambda _why: None,
            )
            for d in alerting.decided
        ]
        return [published for published in faults.results(units) if published is not None]


def alert_councils(
    context: RunContext, model: TrainedModel, request: RunRequest
) -> tuple[Alerting, list[Published], dict[str, list[Delivery]]]:
    """Measure, score, decide, publish, and send what is due unless mail is off or held: a month of a backfill."""
    faults = Faults()
    alerting = decide(context, model, request.councils, faults)
    published = publish(context, alerting, faults)
    held = approval.holds(context.store, context.month)
    may_go = request.send is Send.YES and not alerting.storm.held
    if not may_go:
        return alerting, published, {}
    return alerting, published, send(context, due_now(context, published, held), faults, open_post(context))


def alert_and_report(
    context: RunContext, model: TrainedModel, request: RunRequest, taken: Sequence[TakenIn], faults: Faults
) -> RunOutcome:
    """From scoring to the last report; a rehearsal stops before anything is published."""
    alerting = decide(context, model, request.councils, faults)
    restated = tuple(restatements(context.history, context.register, taken, context.cutoff))
    named = f"{model.ref.name} {model.ref.version}"
    if not request.steps.publishes:
        alerts = [alert_of(d, alerting.manifest, alerting.failures, alerting.versions) for d in alerting.decided]
        outcome = outcome_of(context, alerts, alerting.manifest, alerting.failures)
        note = "This was a rehearsal: nothing was published or mailed."
        outcome = replace(outcome, restatements=restated, model=named, faults=tuple(faults.found), note=note)
        return _shown(context, outcome, alerts, alerting.facts)
    published = publish(context, alerting, faults)
    alerts = [p.alert for p in published]
    post = open_post(context)
    revised = {p.alert.la_code for p in published if p.outcome is Publication.REVISED}

    def report(mail: MonthMail) -> RunOutcome:
        with context.clock.stage("pages"):
            every = context.register.valid_in(context.month)
            seconds = context.clock.seconds
            write_region_page(context.store, every, context.month, alerting, mail.stopped, published, seconds)
        outcome = outcome_of(context, alerts, alerting.manifest, alerting.failures, mail, revised)
        outcome = replace(outcome, restatements=restated, model=named, faults=tuple(faults.found))
        if request.send is not Send.NO:
            outcome = _tell_officers_and_team(context, alerting, outcome, post)
        if not request.councils:
            write_success_marker(context.store, context.month, alerting, bool(mail.stopped))
            note_undelivered(context.store, context.settings, context.month, unaddressed=mail.unaddressed)
        return _shown(context, outcome, alerts, alerting.facts)

    return report(mail_month(context, request, alerting.storm, published, faults, report, post))


def _tell_officers_and_team(context: RunContext, alerting: Alerting, outcome: RunOutcome, post: Post) -> RunOutcome:
    """Data officers' reports of their files and the team's summary; the outcome, with whom they did not reach."""
    with context.clock.stage("pages"):
        if outcome.mail.officers_may_be_told:
            councils = [d.council for d in alerting.decided]
            written = write_to_data_officers(context, post.courier, councils, alerting.manifest, alerting.failures)
            post.asked.check()
            outcome = replace(outcome, untold=tuple(unreached(context, written)))
        return tell_team(context, outcome, post)


def check_only(context: RunContext, faults: Faults) -> RunOutcome:
    """After reading and checking: what came and what is wrong with it."""
    outcome = outcome_of(context, [], *files_as_known(context.history, context.month, context.cutoff))
    note = "Only reading and checking was asked for: nothing was scored, published or mailed."
    outcome = replace(outcome, faults=tuple(faults.found), note=note)
    return _shown(context, outcome, [], {})


def send_only(context: RunContext, request: RunRequest, faults: Faults) -> RunOutcome:
    """Send what earlier runs of the month published and nobody has or holds; nothing is scored again."""
    chosen = chosen_councils(context.register, context.month, request.councils)
    every = standing_alerts(
        context.store, context.register.valid_in(context.month), context.month, Contact.of(context.settings)
    )
    storm = storm_valve([p.alert.decision for p in every], context.settings.alerts)
    codes = {c.la_code for c in chosen}
    published = [p for p in every if p.alert.la_code in codes]
    post = open_post(context)

    def report(mail: MonthMail) -> RunOutcome:
        alerts = [p.alert for p in published]
        if request.send is Send.YES and not request.councils:  # what data officers and the team still miss
            send_undelivered(context.settings, context.store, post.courier, context.month, context.now)
            post.asked.check()
        note_undelivered(context.store, context.settings, context.month, unaddressed=mail.unaddressed)
        note = "" if alerts else f"Nothing of {context.month.in_words} is published: run it from scoring."
        outcome = outcome_of(context, alerts, *files_as_known(context.history, context.month, context.cutoff), mail)
        outcome = replace(outcome, faults=tuple(faults.found), note=note)
        return _shown(context, outcome, alerts, {})

    return report(mail_month(context, request, storm, published, faults, report, post))


def _shown(
    context: RunContext, outcome: RunOutcome, alerts: Sequence[Alert], facts: Mapping[str, CouncilFacts]
) -> RunOutcome:
    done = finished(context, outcome)
    artifacts.show_run(context, done, alerts, facts)
    return done


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
        # What a person can put right is a sentence in the run's state, not a traceback in its log.
        return Failed(message=str(error), data=error)
    # Always “Completed”: the deployment page’s default filter knows no other name, and hides what it does not know.
    return Completed(message=outcome.headline, data=outcome)


def scheduled_day() -> date:
    """London's day for which the run was scheduled: begun late, it still runs the month that was meant."""
    return london_day(runtime.flow_run.scheduled_start_time)


def _month_and_cutoff(request: RunRequest, settings: Settings) -> tuple[Month, date | None]:
    """What the run is about. One that was suspended stays what it was, however many days have passed."""
    run = waiting_run()
    if run and request.send is Send.HOLD:
        asked = approval.asked_by(open_store(settings, settings.store), run)
        if asked is not None:
            return asked.month, asked.cutoff
    return request.month_or_last(scheduled_day()), request.as_of


def run_month(request: RunRequest, settings: Settings, month: Month, as_of: date | None, now: datetime) -> RunOutcome:
    """All the request asks for, as tasks of one run. Raises HoldfastError for what a person can put right."""
    if request.returns:
        return run_published(settings, month, request, Path(request.returns), now)
    context = begin(settings, month, now=now, as_of=as_of)
    chosen_councils(context.register, context.month, request.councils)
    model, faults = load_model(settings, context.store), Faults()
    with holding(context, month) as held:
        if request.steps is RunSteps.FROM_SENDING:
            return send_only(context, request, faults)
        taken: list[TakenIn] = []
        if request.steps.reads:
            with holding(context, INTAKE):
                taken = take_in(context, find_due(whole(context)), faults)
        held.check()
        if request.steps is RunSteps.CHECK:
            return check_only(context, faults)
        return alert_and_report(context, model, request, taken, faults)


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
    chosen_councils(context.register, context.month, request.councils)
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
        return alert_and_report(context, model, request, taken, Faults())


def result_of(state: object) -> RunOutcome:
    """The outcome inside a finished run's state; raises what the run raised."""
    return cast(State[RunOutcome], state).result()
