"""An export after the month is made if it is asked for; one that fails is told, and spoils nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prefect.states import Completed, Failed

from features.errors import StoreError
from features.months import Month
from flows.mail.notices import Notice
from flows.orchestration import export_after as module
from flows.settings.settings import Settings
from flows.store.context import RunContext


def context(to: str) -> RunContext:
    settings = Settings.model_construct(export_to=to)
    now = datetime(2026, 11, 16, tzinfo=UTC)
    return cast(RunContext, SimpleNamespace(settings=settings, month=Month(2026, 10), store=None, now=now))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    found: list[Notice] = []
    monkeypatch.setattr(module, "tell", lambda settings, store, transport, notices, at: found.extend(notices))
    monkeypatch.setattr(module, "open_transport", lambda settings: None)
    return found


def ends(monkeypatch: pytest.MonkeyPatch, state: object) -> list[str]:
    asked: list[str] = []

    def task(_context: object, month: str, **_: Any) -> object:
        asked.append(month)
        return state

    monkeypatch.setattr(module, "export_month", task)
    return asked


def test_it_is_made_only_if_asked_for(monkeypatch: pytest.MonkeyPatch, told: list[Notice]) -> None:
    asked = ends(monkeypatch, Completed())
    module.export_after(context(""))
    assert asked == []
    module.export_after(context("figures"))
    assert asked == ["2026-10"]
    assert told == []


def test_one_that_fails_is_told_with_the_reason_and_the_command(
    monkeypatch: pytest.MonkeyPatch, told: list[Notice]
) -> None:
    ends(monkeypatch, Failed(data=StoreError("Could not write figures: no space.")))
    module.export_after(context("figures"))
    (notice,) = told
    assert notice.what.startswith("Could not write figures: no space.")
    assert "holdfast export --month 2026-10" in notice.to_do[0]


def test_an_error_of_ours_is_named_by_its_kind_alone(monkeypatch: pytest.MonkeyPatch, told: list[Notice]) -> None:
    ends(monkeypatch, Failed(data=ValueError("a value of somebody's")))
    module.export_after(context("figures"))
    assert "somebody" not in told[0].what
    assert "ValueError" in told[0].what
