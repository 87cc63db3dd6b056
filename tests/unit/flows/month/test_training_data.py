"""Which training is asked for: the published record alone, or with the group's own months."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from features.errors import ModelError
from flows.month import training_data
from flows.settings.settings import Settings
from models.judgements.asof import Variant

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_without_settings_the_published_record_alone_is_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_data, "read_record", lambda data: f"record of {data}")
    monkeypatch.setattr(training_data, "build_design", lambda record, variant: f"design of the {record}, {variant}")
    monkeypatch.setattr(training_data, "until", lambda design, day: f"{design}, until {day}")
    monkeypatch.setattr(training_data, "data_hashes", lambda record: {})
    monkeypatch.setattr(training_data, "own_design", lambda *_: pytest.fail("the store is not to be read"))
    asked: list[Any] = []
    monkeypatch.setattr(training_data, "train_design", lambda design, **_: asked.append(design))
    training_data.trained(Path("data"), None, date(2026, 1, 1), NOW)
    assert asked == [f"design of the record of data, {Variant.OWN_DATA_AT_ONCE}, until 2026-01-01"]


def test_too_few_of_the_groups_own_judgements_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("read_record", "build_design", "own_design"):
        monkeypatch.setattr(training_data, name, lambda *_: None)
    monkeypatch.setattr(training_data, "too_few", lambda _: "Only 2 judgements.")
    with pytest.raises(ModelError, match=r"Only 2 judgements\. Train without own history\."):
        training_data.trained(Path("data"), Settings(), None, NOW)
