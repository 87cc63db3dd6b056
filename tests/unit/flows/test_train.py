"""The train flow promotes only when asked, in somebody's name, and by the registry's rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from features.errors import SettingsError
from flows.store import LocalStore
from flows.train import Promote, TrainRequest, promote_version, run_training
from models.learning.promotion import PromotionCheck, Verdict
from models.registry.versions import current, load, save
from models.score import ModelRef
from tests.unit.models.conftest import install_shipped

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAME = "ilacs-below-good"


def test_a_promotion_nobody_answers_for_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    for by, reason in (("", "better"), ("analyst", " ")):
        with pytest.raises(SettingsError, match="who asked for it and why"):
            run_training(TrainRequest(promote=Promote.IF_THE_RULE_ALLOWS, by=by, reason=reason), NOW)
    assert not (tmp_path / "store").exists()


def test_left_empty_it_promotes_nothing() -> None:
    assert TrainRequest().promote is Promote.NO


@pytest.mark.parametrize("allowed", [True, False])
def test_the_rule_has_the_last_word(tmp_path: Path, allowed: bool) -> None:
    store = LocalStore(tmp_path)
    shipped = install_shipped(store, date(2026, 1, 1))
    verdict = Verdict("beats the baselines", (PromotionCheck("beats every baseline", allowed, "0.20 against 0.19"),))
    model = replace(load(store, NAME), ref=ModelRef(NAME, "2099-01-01-abcdef12"))
    save(store, model, verdict)
    result: Any = SimpleNamespace(model=model, verdict=verdict)

    said = promote_version.fn(store, model.ref.version, result, NOW.date(), "analyst", "better")

    assert current(store, NAME) == (model.ref.version if allowed else shipped.version)
    assert ("Not promoted" in said) is not allowed
