"""The reference refresh as a Prefect flow. Each source is a task of its own, with its own name, state and retries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from features.errors import HoldfastError, ReferenceDataError
from features.months import london_day
from flows.mail.transports.open import open_transport
from flows.month.level import follow_level, judgements_of_record
from flows.month.score import trained_model
from flows.orchestration.failures import TELLS_OF_FAILURE
from flows.orchestration.refresh_news import tell_data_team
from flows.orchestration.tasks import PATIENT_STEP
from flows.published.due import advice, retraining_due
from flows.published.outcome import RefreshOutcome
from flows.published.refresh import NOTHING_CONFIGURED, SourceOutcome, chosen, downloader, refresh_source
from flows.published.shelf import Shelf, laid_out
from flows.settings.published_sources import ReferenceSource
from flows.settings.refresh_form import RefreshRequest
from flows.settings.settings import Settings
from flows.store import Store, open_store
from flows.store.progress import step
from models.registry.levels import at_known_level


class SourceTrouble(ReferenceDataError):
    """A source was refused or could not be fetched. Its task fails and the run goes on."""

    def __init__(self, outcome: SourceOutcome) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


@task(task_run_name="Fetch and check {name}", **PATIENT_STEP)
def fetch_and_check(name: str, source: ReferenceSource, settings: Settings, store: Store, at: datetime) -> Any:
    """Refresh one source. The task's state says in a sentence what is wrong with it."""
    found = refresh_source(Shelf(store), downloader(settings.reference), settings.reference, source, at)
    if found.trouble:
        return Failed(message=found.sentence, data=SourceTrouble(found))
    return Completed(message=found.sentence, data=found)


@task(task_run_name="Compare with the model in use", **PATIENT_STEP)
def compare_with_model(settings: Settings, store: Store, at: datetime) -> tuple[str, tuple[str, ...]]:
    """Say whether the stored files make retraining due, and update the model's level with the newest judgements.

    Also returns a sentence on each report of a framework nobody has declared.
    """
    shelf = Shelf(store)
    model = trained_model(settings, store)
    versions = [v for source in settings.reference.sources for v in shelf.in_use(source.name)]
    said = advice(model, retraining_due(model, versions))
    known = at_known_level(store, model).level_known()
    newer = known is not None and any(v.contents.last_judgement > str(known.to) for v in versions)
    if not newer and not any(v.contents.undeclared for v in versions):
        return said, ()
    try:
        with laid_out(store, [s.name for s in settings.reference.sources]) as folder:
            judgements, undeclared = judgements_of_record(folder)
    except ReferenceDataError as error:
        listed = tuple(note for v in versions for note in v.contents.undeclared)
        return f"{said} The level was not followed: {error}", listed
    _, level = follow_level(store, model, judgements, london_day(at), "the refresh")
    return f"{said} {level}", undeclared


@task(task_run_name="Tell the data team", **PATIENT_STEP)
def tell_news(store: Store, settings: Settings, outcome: RefreshOutcome, at: datetime) -> Sequence[str]:
    """Mail the data team: each new release once, faults and undeclared reports once a month."""
    return tell_data_team(store, open_transport(settings), settings, outcome, at)


def _run_name() -> str:
    given: Any = runtime.flow_run.parameters.get("request")
    request = given if isinstance(given, RefreshRequest) else RefreshRequest.model_validate(given or {})
    what = ", ".join(request.sources) or "all published files"
    return f"{what}{f': {request.reason}' if request.reason else ''}"


@flow(name="reference-refresh", flow_run_name=_run_name, persist_result=False, **TELLS_OF_FAILURE)
def reference_refresh(request: RefreshRequest = RefreshRequest()) -> State[RefreshOutcome]:  # noqa: B008
    """Download the published files, check and compare them, store what passes, say whether retraining is due.

    Args:
        request: Which sources. Left empty: all of the settings.
    """
    try:
        outcome = run_refresh(request, datetime.now(UTC))
    except HoldfastError as error:
        return Failed(message=str(error), data=error)
    get_run_logger().info(outcome.to_text())
    if not outcome.sources:
        return Completed(message=outcome.advice, data=outcome)
    _show(outcome)
    if outcome.nothing_worked:
        return Failed(message=outcome.headline, data=ReferenceDataError(outcome.to_text()))
    return Completed(message=outcome.headline, data=outcome)


def run_refresh(request: RefreshRequest, now: datetime) -> RefreshOutcome:
    """Refresh the sources asked for, one by one. Raises HoldfastError for faults that a person must put right first."""
    settings = Settings.load()
    if not settings.reference.sources and not request.sources:
        return RefreshOutcome((), NOTHING_CONFIGURED)  # the schedule exists before any source is configured
    store = open_store(settings, settings.store)
    found = []
    for source in chosen(settings.reference, request.sources):
        step("Fetching and checking %s", source.name)
        state = fetch_and_check(source.name, source, settings, store, now, return_state=True)
        result = state.result(raise_on_failure=False)
        if isinstance(result, SourceTrouble):
            found.append(result.outcome)
        elif isinstance(result, BaseException):
            raise result  # a fault of the store or of ours: every other source would fail too
        else:
            found.append(cast(SourceOutcome, result))
    outcome = RefreshOutcome(tuple(found), *compare_with_model(settings, store, now))
    if outcome.nothing_worked and runtime.deployment.id:
        return outcome  # the run fails, and the data team is told of that
    return replace(outcome, mail=tuple(tell_news(store, settings, outcome, now)))


def refresh_result(state: object) -> RefreshOutcome:
    """The outcome in a finished run's state. Raises the error that the run raised."""
    return cast(State[RefreshOutcome], state).result()


def _show(outcome: RefreshOutcome) -> None:
    """Show the outcome as artifacts of the run."""
    create_table_artifact(outcome.to_table(), key="published-files", description=outcome.headline)
    said = "\n\n".join([outcome.advice, *outcome.undeclared])
    create_markdown_artifact(said, key="retraining", description="Whether the model should be trained again")
