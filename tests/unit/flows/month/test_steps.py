"""The councils of a month, and the mark that it is done."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from features.councils import Council, Register
from features.errors import SettingsError, StoreError
from features.months import Month
from flows.alerts.reports import index_name
from flows.month import inputs, steps
from flows.month.steps import chosen_councils, write_success_marker
from flows.sample_region import sample_extracts
from flows.settings.settings import Settings
from flows.store import LocalStore
from flows.store.context import begin


def test_the_success_marker_is_a_line_ended_text_and_says_what_was_decided(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    versions = SimpleNamespace(known_by="2026-11-20", code="0.2.0", settings="abc")
    alerting: Any = SimpleNamespace(manifest=None, versions=versions, decided=("one", "two"))
    name = write_success_marker(store, Month(2026, 10), alerting, {"held": True})
    assert name == "runs/2026-10/success.json"
    content = store.read(name)
    assert content.endswith(b"}\n")
    said = json.loads(content)
    assert len(said.pop("object_sha256")) == 64 and said.pop("object_name") == name
    assert said == {
        "month": "2026-10",
        "edition": None,
        "known_by": "2026-11-20",
        "code_version": "0.2.0",
        "settings_digest": "abc",
        "councils": 2,
        "held": True,
    }


@pytest.mark.parametrize(
    ("councils", "why"),
    [
        ((), "the register is empty"),
        ((Council("991", "Ashcombe", Month(2026, 11)),), "valid_from and valid_to of its rows leave it out"),
    ],
)
def test_a_month_without_any_council_is_refused_in_a_sentence(councils: tuple[Council, ...], why: str) -> None:
    with pytest.raises(SettingsError, match=f"No council reports for October 2026: .*{why}"):
        chosen_councils(Register(councils), Month(2026, 10), ())


def test_a_month_has_its_reports_before_its_edition_wherever_a_run_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = Month(2026, 10)
    sample_extracts(tmp_path / "landing", 2, 1, 1, month)
    monkeypatch.setenv("HOLDFAST_ENVIRONMENT", "demo")
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    settings = Settings(landing=str(tmp_path / "landing"), store=str(tmp_path / "store"))

    def take_in() -> list[Month]:
        context = begin(settings, month, now=datetime(2026, 11, 20, 7, tzinfo=UTC), as_of=None)
        due = inputs.due_now(context)
        reads = [[r for files in one.by_council() for r in inputs.reader(context)(files)] for one in due]
        inputs.check_months_of(context, due, reads, reports=True)
        return [one.month for one in due]

    def cut_off(*_: object) -> None:
        raise StoreError("The store does not answer.")

    with monkeypatch.context() as broken, pytest.raises(StoreError):
        broken.setattr(steps, "write_reports", cut_off)
        take_in()
    assert take_in() == [month], "there is no edition yet, so the next run takes the month in and writes its reports"
    assert LocalStore(tmp_path / "store").info(index_name(month)) is not None
    assert take_in() == []
