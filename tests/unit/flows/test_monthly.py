"""Which month a run is about: the one that was complete on London's day for which it was scheduled."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from features.councils import Register
from features.errors import SettingsError
from features.months import Month
from flows.monthly import _month_and_cutoff, scheduled_day
from flows.settings.run_form import RunRequest
from flows.settings.settings import Settings
from flows.store.context import begin

SCHEDULED = "prefect.runtime.flow_run.scheduled_start_time"


@pytest.mark.parametrize(
    ("scheduled", "month"),
    [
        ("2026-10-15T06:00:00+00:00", "2026-09"),
        ("2026-11-16T07:00:00+00:00", "2026-10"),
        ("2026-06-30T23:30:00+00:00", "2026-06"),  # 00:30 on 1 July in London
        ("2026-06-30T22:30:00+00:00", "2026-05"),
        ("2026-12-31T23:59:00+00:00", "2026-11"),
        ("2027-01-01T00:00:00+00:00", "2026-12"),
    ],
)
def test_a_run_takes_the_month_that_was_complete_on_its_scheduled_day(
    monkeypatch: pytest.MonkeyPatch, scheduled: str, month: str
) -> None:
    monkeypatch.setattr(SCHEDULED, datetime.fromisoformat(scheduled), raising=False)
    assert str(_month_and_cutoff(RunRequest(), Settings())[0]) == month
    RunRequest().check(scheduled_day())


def test_a_month_that_was_asked_for_stays() -> None:
    assert str(_month_and_cutoff(RunRequest(month="2026-03"), Settings())[0]) == "2026-03"


def test_a_run_knows_what_had_come_by_londons_day(tmp_path: Path) -> None:
    settings = Settings(landing=str(tmp_path), store=str(tmp_path))
    for moment, day in (("2026-07-31T22:30:00+00:00", 31), ("2026-07-31T23:30:00+00:00", 1)):
        context = begin(settings, Month(2026, 6), now=datetime.fromisoformat(moment), as_of=None, register=Register(()))
        assert context.cutoff == date(2026, 7 if day == 31 else 8, day)
    with pytest.raises(SettingsError, match="had not ended"):
        (tmp_path / "register.csv").write_text("")
        begin(settings, Month(2026, 7), now=datetime.fromisoformat("2026-07-31T22:30:00+00:00"), as_of=None)
