"""The rules tried on a small made-up region, from records to decisions."""

from __future__ import annotations

import pytest

from features.months import Month
from flows.cli.alert_rivals import MONTHLY, SIGNALS, YEARLY
from flows.cli.simulate_alerts import Trial, try_rules
from flows.settings.alert_rules import AlertRules
from models.registry.shipped import shipped_model

LAST = Month(2026, 10)


@pytest.fixture(scope="module")
def trial() -> Trial:
    return try_rules(shipped_model(), AlertRules(), councils=4, months=3, seed=7, last=LAST)


def test_every_council_has_a_score_in_every_month_decided(trial: Trial) -> None:
    assert [len(h.months) for h in trial.histories] == [3] * 4
    assert trial.decided_from == Month(2026, 8)
    assert all(m.score.not_scored is None for h in trial.histories for m in h.months)
    assert any(m.signals for h in trial.histories for m in h.months)


def test_the_figures_say_what_they_rest_on(trial: Trial) -> None:
    text = trial.to_text()
    assert text.startswith("4 councils that do not exist, 2026-08 to 2026-10, seed 7: 1 council-years")
    assert AlertRules().digest() in text
    assert "not how well they will do in England" in text


def test_the_same_figures_are_there_for_a_program(trial: Trial) -> None:
    figures = trial.to_json()
    assert figures["onsets"] == trial.onsets == len(figures["onset_to_alert_months"])
    assert [row["watch_from"] for row in figures["trade_off"]] == [0.65, 0.7, 0.75, 0.8, 0.85, 0.9]
    own = next(row for row in figures["trade_off"] if row["watch_from"] == 0.8)
    assert own["messages"] == figures["messages"] == trial.result.messages
    assert [row["way"] for row in figures["rivals"]] == [MONTHLY, YEARLY, SIGNALS]
    assert all(way in trial.to_text() for way in (MONTHLY, YEARLY, SIGNALS))
