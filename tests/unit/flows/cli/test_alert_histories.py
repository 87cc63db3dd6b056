from __future__ import annotations

from dataclasses import replace

import pytest

from features.errors import HoldfastError
from features.months import Month
from flows.alerts.state import Signal
from flows.cli.alert_histories import CouncilHistory, MonthSeen, simulate, simulation_table, trade_off
from flows.cli.alert_rivals import MONTHLY, SIGNALS, YEARLY, rivals, tally, tally_table
from tests.unit.flows.alerts.examples import MONTH, RULES, score, signal


def history(probabilities: list[float | None], onset: int | None, inadequate: bool = False) -> CouncilHistory:
    months = tuple(MonthSeen(score(p, MONTH.plus(i)), inadequate=inadequate) for i, p in enumerate(probabilities))
    return CouncilHistory("991", months, None if onset is None else MONTH.plus(onset))


def test_the_months_from_onset_to_the_first_alert_are_counted() -> None:
    result = simulate([history([0.3, 0.3, 0.36, 0.40, 0.6, 0.6], onset=2)], RULES)
    assert result.onset_to_alert_months == (2,)
    assert result.false_alarms == 0
    assert result.council_years == 0.5


def test_who_is_never_found_is_not_left_out() -> None:
    result = simulate([history([0.2] * 12, onset=3)], RULES)
    assert result.onset_to_alert_months == (None,)
    assert (result.found, result.median_months_to_alert) == (0, None)


def test_an_onset_outside_the_months_is_not_to_be_found() -> None:
    assert simulate([history([0.9] * 3, onset=-2)], RULES).onset_to_alert_months == ()
    assert simulate([history([0.2] * 3, onset=10)], RULES).onset_to_alert_months == ()


def test_an_alert_without_or_before_an_onset_is_a_false_alarm() -> None:
    assert simulate([history([0.6, 0.6], onset=None)], RULES).false_alarms == 1
    assert simulate([history([0.6, 0.3, 0.3, 0.6], onset=3)], RULES).false_alarms == 1
    assert simulate([history([0.9, 0.9], onset=None, inadequate=True)], RULES).false_alarms == 0


def test_quiet_months_spent_in_an_alert_are_counted_up_to_the_onset() -> None:
    result = simulate([history([0.6, 0.6, 0.6, 0.6], onset=2), history([0.2] * 4, onset=None)], RULES)
    assert (result.quiet_months, result.quiet_months_alerting) == (6, 2)
    assert result.false_share == pytest.approx(1 / 3)


def test_a_band_left_and_entered_again_soon_has_flapped() -> None:
    assert simulate([history([0.6, 0.3, 0.3, 0.6], onset=0)], RULES).flaps == 1
    assert simulate([history([0.6, 0.3, 0.3, 0.3, 0.3, 0.3, 0.6], onset=0)], RULES).flaps == 0


def test_a_lower_threshold_alerts_no_later_and_no_less() -> None:
    histories = [history([0.3 + 0.02 * i for i in range(20)], onset=4), history([0.5] * 20, onset=None)]
    results = trade_off(histories, RULES, [0.7, 0.8, 0.88])
    found = [s.onset_to_alert_months[0] for _, s in results]
    assert found == sorted(found, key=lambda m: 99 if m is None else m)
    alarms = [s.false_alarms for _, s in results]
    assert alarms == sorted(alarms, reverse=True)
    assert alarms[0] == 1


def test_levels_that_would_leave_their_bounds_are_refused() -> None:
    with pytest.raises(HoldfastError, match="nearer"):
        trade_off([], RULES, [0.05])


def test_the_table_has_a_row_for_each_threshold() -> None:
    table = simulation_table(trade_off([history([0.3, 0.6], onset=1)], RULES, [0.75, 0.8])).splitlines()
    assert len(table) == 3
    assert table[1].split()[:3] == ["0.75", "1/1", "0.0"]


def _months(ranks: list[float], signals: dict[int, tuple[Signal, ...]] | None = None) -> CouncilHistory:
    told = {} if signals is None else signals
    months = tuple(
        MonthSeen(replace(score(0.3, Month(2026, 6).plus(i)), rank=rank), told.get(i, ()))
        for i, rank in enumerate(ranks)
    )
    return CouncilHistory("991", months, Month(2026, 8))


def test_yearly_figures_are_those_of_the_september_before() -> None:
    seen = rivals([_months([0.1, 0.2, 0.3, 0.85, 0.95, 0.95])])[YEARLY][0].months
    assert [m.score.rank for m in seen] == [0.1, 0.1, 0.1, 0.1, 0.85, 0.85]
    assert [m.score.month for m in seen] == [Month(2026, 6).plus(i) for i in range(6)]


def test_without_a_model_signals_in_two_groups_alert_and_nothing_else() -> None:
    groups = (
        signal("agency_rate_fte"),
        signal("vacancy_rate_fte"),
        signal("unallocated_rate"),
        signal("visits_overdue_rate"),
    )
    found = tally([[_months([0.95] * 6, {3: groups, 4: groups})]], RULES)
    by_way = {t.way: t for t in found}
    assert (by_way[SIGNALS].found, by_way[SIGNALS].false_alarms_per_council_year) == (1, 0.0)
    assert by_way[SIGNALS].months_of_warning == 23.0
    # With the model it was on alert since June, before the onset in August: an alarm in vain, then no delay.
    assert by_way[MONTHLY].false_alarms_per_council_year == 2.0
    assert by_way[MONTHLY].months_of_warning == 24.0
    assert len(tally_table(found).splitlines()) == 4
