"""Which training is asked for: the published record alone, or with the group's own months."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from features.errors import ModelError
from features.months import Month
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


def test_the_groups_own_months_are_those_before_the_present_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many months of features as of history: a judgement of any of them may be learned from."""
    asked: list[Any] = []
    context: Any = SimpleNamespace(history="h", register="r", month="m", cutoff="c", usual_cutoff="u")

    def begin(settings: Settings, month: Month, *, now: datetime, as_of: None) -> Any:
        asked.append(str(month))
        return context

    def measure(*given: Any, **more: Any) -> Any:
        asked.append((more["history_months"], more["feature_months"]))
        return SimpleNamespace(features="features")

    monkeypatch.setattr(training_data, "begin", begin)
    monkeypatch.setattr(training_data, "measure", measure)
    monkeypatch.setattr(training_data, "design_from_history", lambda features, register, national: features)
    settings: Any = SimpleNamespace(ingest=SimpleNamespace(history_months=60))
    own: Any = training_data.own_design(settings, datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    assert (own, asked) == ("features", ["2026-10", (60, 60)])
