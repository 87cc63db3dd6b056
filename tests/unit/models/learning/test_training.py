"""What a training records of itself, and when it cannot be."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from features.errors import ModelError
from models.judgements.design import Design
from models.learning.candidates import BASELINES, RECIPE
from models.learning.training import TrainingResult, train_design, until
from models.registry.card import card_text
from models.registry.shipped import _FOLDER, shipped_files, shipped_model
from models.registry.versions import FolderObjects, verdict_of
from tests.unit.models.golden import differences

#: These differ by machine and by commit.
ELSEWHERE = {"libraries", "python", "tries", "version"}


@pytest.fixture(scope="module")
def result(design: Design) -> TrainingResult:
    return train_design(design, hashes={"a.csv": "00"}, code_version="1.2.3", candidates=(RECIPE, BASELINES[-1]))


def test_the_record_of_a_training_stands_as_it_was_read(result: TrainingResult) -> None:
    run = {name: value for name, value in result.to_json().items() if name not in ELSEWHERE}
    text = result.to_text().replace(result.model.ref.version, "VERSION").splitlines()
    model = result.model
    kept = {
        "run": run,
        "text": text,
        "basis": model.track_basis,
        "standing": dict(sorted(model.standing.items())),
        "of ten": [list((model.of_ten(p).like_this, model.of_ten(p).any_ten)) for p in (0.04, 0.26, 0.95)],
        "track": [str(model.track_record(p)) for p in (0.05, 0.5, 0.99)],
    }
    assert differences(kept, Path(__file__).with_name("training.json"), 2e-3) == []


def test_too_little_cannot_be_trained_on(design: Design) -> None:
    with pytest.raises(ModelError, match="too few judgements to train on"):
        train_design(until(design, date(2014, 6, 1)), hashes={}, code_version="x")
    nobody = replace(design, councils=design.councils.clear())
    walk = train_design(design, hashes={}, code_version="x", candidates=(RECIPE,)).walk
    with pytest.raises(ModelError, match="no council to rank others among"):
        train_design(nobody, hashes={}, code_version="x", candidates=(RECIPE,), walk=walk)


def test_the_shipped_card_is_what_the_code_writes_of_the_shipped_model() -> None:
    """Else a changed word waits for the next training: `holdfast train --data DIR --ship`."""
    model = shipped_model()
    written = card_text(model, verdict_of(FolderObjects(_FOLDER), model.ref))
    kept = shipped_files()["card.md"].decode()

    def words(card: str) -> list[list[str]]:
        """The words of each line, sorted: a record comes back from the store with its parts in another order."""
        return sorted(sorted(re.findall(r"[\w.–-]*\w", line)) for line in card.splitlines())

    assert words(written) == words(kept)
