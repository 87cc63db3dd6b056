"""The tasks of the flows: names a person understands, patience with a store that is away, nothing else.

What they do are plain functions elsewhere. A task run that concerns one council ends Failed, with a sentence,
when that council needs a person; its result goes on all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.utilities.annotations import quote

from features.errors import StoreError
from features.frames import NATIONAL
from flows.alerts import council as alerts
from flows.alerts.council import Decided
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Published
from flows.alerts.reports import write_reports
from flows.extracts.formats.dfe.workforce_file import PublishedWorkforce
from flows.extracts.landing import LandedFile
from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver_council
from flows.mail.transports.open import mail_policy
from flows.month import inputs, steps
from flows.month.measure import Measured, measure
from flows.month.published_returns import take_in_published
from flows.month.score import score_councils
from flows.month.steps import Alerting, accepted_failures, chosen_councils
from flows.month.take_in import Due, Read, TakenIn
from flows.orchestration.faults import needs_a_person, tried_again
from flows.store import StoreRefuses
from flows.store.context import RunContext
from flows.store.ledger import Status
from models.learning.trained import TrainedModel
from models.score import Score

T = TypeVar("T")


def _store_was_away(_task: object, _run: object, state: State[Any]) -> bool:
    """Retry when the store did not answer; a file at fault is a result and an error of ours stays one.

    What a person must put right (permissions, credentials, a full store, a damaged object) is said at once.
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
def find_due_task(context: RunContext) -> list[Due]:
    """The run's month, and earlier months in which something is new."""
    return inputs.due_now(context)


@task(task_run_name="Read {council}, {month}", **PATIENT_STEP)
def read_council_task(context: RunContext, council: str, month: str, files: Sequence[LandedFile]) -> list[Read]:
    """Everything one council sent for one month. Failed if a file was refused: it must be sent again."""
    reads = inputs.reader(context)(files)
    return needs_a_person(reads, " ".join(read.refusal for read in reads if read.refusal))


@task(task_run_name="Check and count {months}", **PATIENT_STEP)
def check_and_count(
    context: RunContext, months: str, due: Sequence[Due], reads: Sequence[Sequence[Read]], reports: bool
) -> list[TakenIn]:
    """One validation pass over all councils, then the counts that may be used."""
    return inputs.check_months_of(context, due, reads, reports=reports)


@task(task_run_name="Check {file}", **PATIENT_STEP)
def check_published(context: RunContext, file: str, published: PublishedWorkforce) -> list[TakenIn]:
    """Every September of a published file up to the run's month, checked and stored."""
    accepted = accepted_failures(context.settings.accepted_failures)
    with context.clock.stage("check"):
        taken, batches = take_in_published(context.history, published, context.month, accepted)
    with context.clock.stage("reports"):
        write_reports(context.store, context.register, batches[-1], taken[-1].outcome, taken[-1].manifest, accepted)
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
def score_month_task(context: RunContext, month: str, measured: Measured, model: TrainedModel) -> dict[str, Score]:
    """A score for every council, or why there is none."""
    return score_councils(
        model, measured, context.register, context.month, context.cutoff, max_age_months=context.max_age_months
    )


@task(task_run_name="Decide {month}", **PATIENT_STEP)
def decide_month_task(
    context: RunContext, month: str, measured: Measured, scores: Mapping[str, Score], councils: Sequence[str]
) -> Alerting:
    """Bands, changes, and whether the month's mail must wait."""
    chosen = chosen_councils(context.register, context.month, councils)
    rules = context.settings.alerts
    decided = steps.decide_month(context.store, context.register, chosen, measured, scores, rules, context.cutoff)
    return inputs.to_publish(context, decided, measured)


@task(task_run_name="Score {council}", **STEP)
def not_scored(council: str, why: str) -> State[None]:
    """A council without a score, as a task run of its own whose state says why. Nothing failed: it is not red."""
    return Completed(name="Not scored", message=why, data=None)


@task(task_run_name="Publish {council}", **PATIENT_STEP)
def publish_council_task(context: RunContext, council: str, alerting: Alerting, decided: Decided) -> Published:
    """The council's alert object and its message; the same again writes nothing."""
    contact = Contact.of(context.settings)
    return alerts.publish_council(
        context.store, decided, alerting.manifest, alerting.failures, alerting.versions, contact
    )


@task(task_run_name="Send to {council}", **PATIENT_STEP)
def send_to_council(
    context: RunContext, council: str, courier: Courier, la_code: str, published: Published
) -> list[Delivery]:
    """What is due, to the registered recipients, once. Failed if it did not reach one of them.

    What was not taken and will be tried again in this run completes, and says so.
    """
    to, policy = context.register.by_code[la_code], mail_policy(context.settings)
    made = deliver_council(context.store, courier, to, published, policy, context.now)
    refused = " ".join(d.reason for d in made if d.status is Status.FAILED)
    waiting = " ".join(d.reason for d in made if d.status is Status.DEFERRED)
    if waiting and not refused and courier.tries_again:
        return tried_again(made, waiting)
    return needs_a_person(made, f"{refused} {waiting}".strip())
