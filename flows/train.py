"""Training as a Prefect flow, with the functions of `holdfast train`. It promotes only on request and by the rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict, Field

from features.errors import HoldfastError, ModelError, SettingsError
from features.months import london_day
from flows.month.training_data import beside_the_present_one, trained
from flows.orchestration.failures import TELLS_OF_FAILURE
from flows.orchestration.tasks import PATIENT_STEP, STEP, whole
from flows.published.shelf import laid_out
from flows.settings.settings import Settings
from flows.store import Store, open_store
from models.learning.training import TrainingResult
from models.registry.versions import promote, save


class Promote(StrEnum):
    """What to do with the new version: only store it, or also put it in use if the registry's rule allows it."""

    NO = "no"
    IF_THE_RULE_ALLOWS = "if the rule allows"


class TrainRequest(BaseModel):
    """One training. It stores a version in the registry; putting it in use must be asked for separately."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(
        default="",
        title="Published files",
        description="Folder of published files (DfE, Ofsted, ONS) on the machine that runs this. Empty: the versions "
        "that the reference refresh has stored.",
    )
    own_history: bool = Field(
        default=False, title="Own history", description="Learn from the group’s own months in the store too."
    )
    published_before: date | None = Field(
        default=None,
        title="Published before",
        description="Learn only from judgements published before this day. Empty: all.",
    )
    promote: Promote = Field(
        default=Promote.NO,
        title="Promote",
        description="“no” stores the new version without using it; "
        "the other choice also uses it from now on, if the promotion rule allows.",
    )
    by: str = Field(default="", title="Asked by", description="Who asks for the promotion.", max_length=100)
    reason: str = Field(
        default="", title="Reason", description="Why this training: shown in its name and kept.", max_length=200
    )


@task(task_run_name="Train on {folder}", **STEP)
def fit_model(folder: str, settings: Settings | None, published_before: date | None, now: datetime) -> TrainingResult:
    """Fit on the published record and, if `settings` are given, on the group's own months."""
    return trained(Path(folder), settings, published_before, now)


@task(task_run_name="Compare with the present model and keep", **PATIENT_STEP)
def compare_and_keep(store: Store, result: TrainingResult) -> tuple[TrainingResult, str]:
    """Compare the result with the model in use and store it. Returns the result and its folder."""
    judged = beside_the_present_one(store, result)
    return judged, save(store, judged.model, judged.verdict)


@task(task_run_name="Promote {version}", **STEP)
def promote_version(store: Store, version: str, result: TrainingResult, on: date, by: str, reason: str) -> str:
    """Put the version in use if the rule allows it. Returns a sentence, which says why if it is refused."""
    try:
        promote(store, result.model.ref, result.verdict, on, by, reason)
    except ModelError as error:
        return f"Not promoted: {error}"
    return f"{result.model.ref.name} {version} speaks from now on, where the settings name this model."


def _run_name() -> str:
    given: Any = runtime.flow_run.parameters.get("request")
    request = given if isinstance(given, TrainRequest) else TrainRequest.model_validate(given)
    return f"training{f': {request.reason}' if request.reason else ''}"


@flow(name="train", flow_run_name=_run_name, persist_result=False, **TELLS_OF_FAILURE)
def train(request: TrainRequest = TrainRequest()) -> State[TrainingResult]:  # noqa: B008
    """Train the model on the published record, judge it by the promotion rule, keep it in the registry.

    Args:
        request: What to learn from, and whether the new version may speak. Left empty: the stored published files.
    """
    try:
        result, said = run_training(request, datetime.now(UTC))
    except HoldfastError as error:
        return Failed(message=str(error), data=error)
    get_run_logger().info("%s\n%s", result.to_text(), said)
    return Completed(message=said, data=result)


def run_training(request: TrainRequest, now: datetime) -> tuple[TrainingResult, str]:
    """Do what the request asks. Raises HoldfastError for faults that a person can put right."""
    settings = Settings.load()
    asked = request.promote is Promote.IF_THE_RULE_ALLOWS
    if asked and not (request.by.strip() and request.reason.strip()):
        raise SettingsError("A promotion is kept with who asked for it and why: fill in “Asked by” and “Reason”.")
    store = open_store(settings, settings.store)
    own = settings if request.own_history else None
    with published_files(request.data, settings, store) as folder:
        fitted = fit_model(str(folder), whole(own), request.published_before, whole(now))
    result, kept = compare_and_keep(whole(store), whole(fitted))
    said = f"Kept as {kept}. {result.verdict.sentence}"
    if asked:
        version = result.model.ref.version
        said = promote_version(whole(store), version, whole(result), london_day(now), request.by, request.reason)
    create_table_artifact(
        result_table(result, said), key="training", description=f"{result.model.ref.name} {result.model.ref.version}"
    )
    return result, said


@contextmanager
def published_files(data: str, settings: Settings, store: Store) -> Iterator[Path]:
    """The folder to train on: the one named, or a temporary folder with the stored versions."""
    if not data:
        with laid_out(store, [s.name for s in settings.reference.sources]) as folder:
            yield folder
        return
    if not Path(data).is_dir():
        raise SettingsError(f"There is no folder {data} on this machine to train on.")
    yield Path(data)


def result_table(result: TrainingResult, said: str) -> list[dict[str, str]]:
    """The training as a table for people: one row for each line that `holdfast train` prints, and the rule's checks."""
    rows: Sequence[tuple[str, str]] = [line.partition(": ")[::2] for line in result.to_text().splitlines()[1:-1]]
    checks = [
        (f"{check.name}", f"{'held' if check.passed else 'NOT held'}: {check.figures}")
        for check in result.verdict.checks
    ]
    return [{"what": what, "figures": figures} for what, figures in (*rows, *checks, ("Outcome", said))]
