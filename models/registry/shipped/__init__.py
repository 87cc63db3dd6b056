"""The small trained model that comes with Holdfast: the default until a group has promoted its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from features.errors import ModelError
from models.learning.trained import TrainedModel
from models.registry.versions import FolderObjects, load, promote, save
from models.score import MODEL_NAME, ModelRef

if TYPE_CHECKING:
    from models.learning.promotion import Verdict

_FOLDER = Path(__file__).parent


def shipped_model() -> TrainedModel:
    """The shipped model, with the same checks as any stored one; raises ModelError."""
    return load(FolderObjects(_FOLDER), MODEL_NAME)


def shipped_files() -> dict[str, bytes]:
    """The card, settings and figures of the shipped model as files by name, with the same checks as `shipped_model`."""
    ref = shipped_model().ref
    folder = _FOLDER / "models" / ref.name / ref.version
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def replace_shipped(model: TrainedModel, verdict: Verdict, on: date) -> ModelRef:
    """Put a model in the place of the shipped one; for maintainers, after new data or a change of the card.

    A model that differs from the present one by rounding alone (another processor's sums) keeps its numbers, so that
    what is served stays the same to the last bit. Raises ModelError if the rule refuses it.
    """
    if not verdict.promoted:
        raise ModelError(verdict.sentence)
    present, store = shipped_model(), FolderObjects(_FOLDER)
    if _same_but_for_rounding(model, present):
        kept = ("estimator", "standing", "track_forecast", "reference")
        model = replace(model, **{name: getattr(present, name) for name in kept})
    save(store, model, verdict)
    (_FOLDER / "models" / model.ref.name / "current.json").unlink()
    promote(store, model.ref, verdict, on, "maintainers", "trained on the published record")
    if model.ref != present.ref:
        shutil.rmtree(_FOLDER / "models" / present.ref.name / present.ref.version)
    return model.ref


def _same_but_for_rounding(model: TrainedModel, present: TrainedModel) -> bool:
    """Whether two models give the same numbers to nine places, at the same level, with the same reference."""
    if model.columns != present.columns or model.standing.keys() != present.standing.keys():
        return False
    apart = [
        *(abs(value - present.standing[code]) for code, value in model.standing.items()),
        *np.abs(np.subtract(model.estimator.level_, present.estimator.level_)),
    ]
    alike = model.reference.equals(present.reference) and len(model.track_forecast) == len(present.track_forecast)
    return alike and max(apart) < 1e-9
