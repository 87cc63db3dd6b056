"""Shared by `holdfast train` and the train flow: trains on the published record and compares with the model in use."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from features.errors import ModelError
from features.frames import NATIONAL
from features.months import Month, london_day
from flows.month.measure import measure
from flows.settings.settings import Settings
from flows.store import Store
from flows.store.context import begin, code_version
from flows.store.progress import step
from models.judgements.asof import Variant
from models.judgements.design import Design, build_design
from models.judgements.own_history import design_from_history, together, too_few
from models.learning.training import TrainingResult, against, data_hashes, train_design, until
from models.record import read_record
from models.registry.shipped import shipped_model
from models.registry.versions import load


def trained(data: Path, settings: Settings | None, published_before: date | None, now: datetime) -> TrainingResult:
    """Train on a folder of published files. With `settings`, also on the group's own months in the store.

    Raises ModelError if too few of the group's judgements have months of its own data before them.
    """
    step("Reading the published files")
    record = read_record(data)
    design = build_design(record, Variant.OWN_DATA_AT_ONCE)
    if settings is not None:
        own = own_design(settings, now)
        if (why := too_few(own)) is not None:
            raise ModelError(f"{why} Train without own history.")
        design = together(design, own)
    step("Fitting the model, and judging it year by year")
    return train_design(until(design, published_before), hashes=data_hashes(record), code_version=code_version())


def own_design(settings: Settings, now: datetime) -> Design:
    """The group's own judgements with its own months before them, from the store."""
    context = begin(settings, Month.of(london_day(now)).plus(-1), now=now, as_of=None)
    months = settings.ingest.history_months
    national = shipped_model().reference.select(list(NATIONAL))
    measured = measure(
        context.history,
        context.register,
        context.month,
        context.cutoff,
        national,
        history_months=months,
        usual_cutoff=context.usual_cutoff,
        feature_months=months,
    )
    return design_from_history(measured.features, context.register, national)


def beside_the_present_one(store: Store, result: TrainingResult) -> TrainingResult:
    """Compare the result with the store's current model too; with the shipped model if the store has none."""
    try:
        incumbent = load(store, result.model.ref.name)
    except ModelError:
        incumbent = shipped_model()
    return against(result, incumbent)
