"""The tasks of the flows. They add readable names, and retries when the store is away; nothing else.

The work itself is in plain functions elsewhere. A task run for one council ends Failed, with a sentence, when that
council needs a person. Its result is still passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.utilities.annotations import quote

import flows.orchestration.log_lines  # noqa: F401  (how its lines stand in the log)
from features.errors import StoreError
from features.frames import NATIONAL
from flows.alerts.alert import Alert
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Published, publish_alert
from flows.alerts.reports import write_reports
from flows.alerts.state import Band
from flows.alerts.together import MonthAlerts, Standing
from flows.extracts.formats.dfe.workforce_file import PublishedWorkforce
from flows.extracts.landing import LandedFile
from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver_council
from flows.mail.transports.open import mail_policy
from flows.month import inputs, steps
from flows.month.edition import TakenIn
from flows.month.measure import Measured, measure
from flows.month.portions import ReadOne
from flows.month.published_returns import take_in_published
from flows.month.score import score_councils
from flows.month.steps import Alerting, chosen_councils
from flows.month.take_in import Due, Read
from flows.orchestration.faults import needs_a_person, tried_again
from flows.store import Store, StoreRefuses
from flows.store.context import RunContext, accepted_failures
from flows.store.ledger import Status
from models.learning.trained import TrainedModel
from models.score import Score

T = TypeVar("T")


def _store_was_away(_task: object, _run: object, state: State[Any]) -> bool:
    """Retry only if the store did not answer. A faulty file is a result, and an error of ours would happen again.

    Faults that a person must put right (permissions, credentials, a full store, a damaged object) fail at once.
    """
    try:
        state.result(raise_on_failure=True)
    except StoreRefuses:
        return False
    except StoreError:
        return True
    except Exception:
        return False
    return False


def whole(value: T) -> T:
    """Wrap a task's argument so that Prefect does not search it for futures: a frame, or thousands of records."""
    return cast(T, quote(value))


#: Months looked back on in a run on annual returns: ten Septembers, which is longer than for monthly extracts.
RETURNS_HISTORY = 120

#: Options of every task. Frames and open stores pass between tasks, so inputs are not hashed nor results kept.
STEP: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
PATIENT_STEP: dict[str, Any] = {
    **STEP,
    "retries": 3,
    "retry_delay_seconds": [2, 10, 60],
    "retry_condition_fn": _store_was_away,
}


@task(task_run_name="Find what has come", **PATIENT_STEP)
def find_due_task(context: RunContext, pages_gone: Sequence[str]) -> list[Due]:
    """The run's month, and earlier months that have new files."""
    return inputs.due_now(context, pages_gone)


@task(task_run_name="Read {council}, {month}", **PATIENT_STEP)
def read_council_task(read: ReadOne, council: str, month: str, files: Sequence[LandedFile]) -> list[Read]:
    """Read everything one council sent for one month. Fails if a file was refused, as it must be sent again."""
    reads = read(files)
    return needs_a_person(reads, " ".join(one.refusal for one in reads if one.refusal))


@task(task_run_name="Check and count {months}", **PATIENT_STEP)
def check_and_count(
    context: RunContext, months: str, due: Sequence[Due], reads: Sequence[Sequence[Read]], reports: bool
) -> list[TakenIn]:
    """Validate all councils in one pass, then count what may be used."""
    return inputs.check_months_of(context, due, reads, reports=reports)


@task(task_run_name="Check {file}", **PATIENT_STEP)
def check_published(context: RunContext, file: str, published: PublishedWorkforce) -> list[TakenIn]:
    """Check and store every September of a published file up to the run's month."""
    accepted = accepted_failures(context.settings.accepted_failures)
    with context.clock.stage("check"):
        taken, batches = take_in_published(context.history, published, context.month, accepted)
    with context.clock.stage("reports"):
        write_reports(context.store, context.register, batches[-1], taken[-1].outcome, taken[-1].manifest, accepted)
    return taken


@task(task_run_name="Measure {month}", **PATIENT_STEP)
def measure_month(context: RunContext, month: str, model: TrainedModel) -> Measured:
    """Compute measures and features as known at the cut-off."""
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
def score_month_task(context: RunContext, month: str, measured: Measured, model: TrainedModel) -> dict[str, Score]:
    """Score every council, or say why it has no score."""
    return score_councils(
        model, measured, context.register, context.month, context.cutoff, max_age_months=context.max_age_months
    )


@task(task_run_name="Decide {month}", **PATIENT_STEP)
def decide_month_task(
    context: RunContext, month: str, measured: Measured, scores: Mapping[str, Score], councils: Sequence[str]
) -> Alerting:
    """Decide bands and changes, and whether the month's mail must wait."""
    chosen = chosen_councils(context.register, context.month, councils)
    by = inputs.deciding(context)
    decided = steps.decide_month(context.store, context.register, chosen, measured, scores, by)
    return inputs.to_publish(context, decided, measured)


@task(task_run_name="Score {council}", **STEP)
def not_scored(council: str, band: Band, why: str) -> State[None]:
    """A task run for a council without a score, whose state says why. Nothing failed, so it is not shown in red."""
    return Completed(name=band.words.capitalize(), message=why, data=None)


@task(task_run_name="Find what {month} has", **PATIENT_STEP)
def find_published(context: RunContext, month: str, folders: Sequence[str]) -> dict[str, Standing | None]:
    """What earlier runs published of the month, by folder; None for a council whose alert cannot be read."""
    there = MonthAlerts(context.store, context.month)
    return {folder: there.standing(folder) for folder in folders}


@task(task_run_name="Publish {council}", **PATIENT_STEP)
def publish_council(
    store: Store, council: str, make: Callable[[], Alert], contact: Contact, there: Standing | None
) -> Published:
    """Make the council's alert object; write it and its message. If they are the same as before, nothing is written."""
    return publish_alert(store, make(), contact, there)


@task(task_run_name="Send to {council}", **PATIENT_STEP)
def send_to_council(
    context: RunContext, council: str, courier: Courier, la_code: str, published: Published
) -> list[Delivery]:
    """Send the council's message to its registered recipients, once. Fails if it did not reach one of them.

    If the message was not accepted but will be tried again in this run, the task completes and says so.
    """
    to, policy = context.register.by_code[la_code], mail_policy(context.settings)
    made = deliver_council(context.store, courier, to, published, policy, context.now, courier.ledger)
    refused = " ".join(d.reason for d in made if d.status is Status.FAILED)
    waiting = " ".join(d.reason for d in made if d.status is Status.DEFERRED)
    if waiting and not refused and courier.tries_again:
        return tried_again(made, waiting)
    return needs_a_person(made, f"{refused} {waiting}".strip())
