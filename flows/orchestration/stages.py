"""The stages of a month as tasks of a run. Councils are processed in parallel where each has work of its own."""

from __future__ import annotations

from collections.abc import Sequence

from features.words import count_words
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Publication, Published
from flows.alerts.state import Band
from flows.alerts.together import Standing, keep_together
from flows.extracts.landing import LandedFile
from flows.mail.month_mail import NO_MAIL, MonthMail
from flows.month.edition import TakenIn
from flows.month.inputs import reader
from flows.month.portions import Portion, Reading, take_in_portions
from flows.month.steps import Alerting
from flows.month.take_in import Due, Read, unread
from flows.orchestration.faults import CouncilUnit, Faults
from flows.orchestration.owner import holding
from flows.orchestration.send import open_post, send_free
from flows.orchestration.task_runner import own_threads
from flows.orchestration.tasks import (
    check_and_count,
    decide_month_task,
    find_due_task,
    find_published,
    measure_month,
    not_scored,
    publish_council,
    read_council_task,
    score_month_task,
    whole,
)
from flows.settings.run_form import RunRequest, Send
from flows.store.context import RunContext
from flows.store.progress import step
from models.learning.trained import TrainedModel


def take_in_news(context: RunContext, faults: Faults, pages_gone: Sequence[str] = ()) -> list[TakenIn]:
    """Read, check and count the months that have new files, portion by portion, with councils in parallel."""
    due = find_due_task(whole(context), list(pages_gone))
    taken: list[TakenIn] = []

    def begin(one: Due) -> Reading:
        step("Reading %s: %s", one.month, count_words(len(one.by_council()), "council", "councils"))
        units = [_reading(context, str(one.month), files) for files in one.by_council()]

        def wait() -> list[Read]:
            with context.clock.stage("read"):
                found = faults.results(units, all_may_fail=len(due) > 1)
            return [read for reads in found for read in reads or []]

        return wait

    def keep(portion: Portion) -> None:
        given = whole(portion.retried()), whole(portion.reads)
        taken.extend(check_and_count(whole(context), portion.name, *given, reports=True))

    take_in_portions(due, begin, keep)
    faults.found += [sentence for one in taken for sentence in one.faults]
    return taken


def _reading(context: RunContext, month: str, files: Sequence[LandedFile]) -> CouncilUnit[list[Read]]:
    council = files[0].council
    future = read_council_task.submit(whole(reader(context)), council.name, month, whole(files))
    return CouncilUnit(council, f"reading {month}", future, lambda why: unread(files, why))


def score_and_decide(context: RunContext, model: TrainedModel, councils: Sequence[str], faults: Faults) -> Alerting:
    """Measure, score and decide. A council without a score gets a task run that says why."""
    month, clock = str(context.month), context.clock
    step("Measuring and scoring %s", month)
    with clock.stage("measure"):
        measured = measure_month(whole(context), month, whole(model))
    with clock.stage("score"):
        scores = score_month_task(whole(context), month, whole(measured), whole(model))
    # Wait for any run of the previous month: this month is decided from the state that it leaves.
    with clock.stage("decide"), holding(context, context.month.plus(-1)):
        alerting = decide_month_task(whole(context), month, whole(measured), whole(scores), list(councils))
    faults.found += alerting.faults
    missing = [d for d in alerting.decided if d.decision.band in (Band.NOT_SCORED, Band.FIRST_MONTHS)]
    why = "There is no score."
    with own_threads() as threads:
        for one in [
            threads.submit(
                not_scored, {"council": d.council.name, "band": d.decision.band, "why": d.score.not_scored or why}
            )
            for d in missing
        ]:
            one.wait()
    return alerting


def publish_all(context: RunContext, alerting: Alerting, faults: Faults) -> list[Published]:
    """Write every council's alert object, and its message if one is due."""
    step("Publishing %s: %s", context.month, count_words(len(alerting.decided), "council", "councils"))
    with context.clock.stage("publish"):
        folders = [d.council.folder for d in alerting.decided]
        there = find_published(whole(context), str(context.month), folders)
        store, contact = whole(context.store), whole(Contact.of(context.settings))
        units = [
            CouncilUnit[Published](
                d.council,
                "publishing",
                publish_council.submit(
                    store, d.council.name, whole(alerting.alert_maker(d)), contact, whole(there[d.council.folder])
                ),
                lambda _why: None,
            )
            for d in alerting.decided
        ]
        published = [one for one in faults.results(units) if one is not None]
        if not all(_is_kept(one, there[one.alert.folder]) for one in published):
            keep_together(context.store, context.month, (one.alert for one in published))
        return published


def _is_kept(one: Published, there: Standing | None) -> bool:
    """Whether the alert was in the store before, and its copy too."""
    return one.outcome is Publication.UNCHANGED and there is not None and there.copied


def alert_councils(context: RunContext, model: TrainedModel, request: RunRequest) -> tuple[Alerting, MonthMail]:
    """One month of a backfill: measure, score, decide, publish, and send what is due unless mail is off or held."""
    faults = Faults()
    alerting = score_and_decide(context, model, request.councils, faults)
    published = publish_all(context, alerting, faults)
    if request.send is not Send.YES:
        return alerting, NO_MAIL
    return alerting, send_free(context, request.send, alerting.storm, published, faults, open_post(context))
