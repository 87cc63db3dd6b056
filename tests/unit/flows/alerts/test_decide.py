from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import HoldfastError
from flows.alerts.decide import decide, storm_valve
from flows.alerts.state import RANK, AlertState, Band, Change, Decision, MessageKind, Signal
from flows.settings.alert_rules import AlertRules, LevelRules, StormRules, TimingRules
from tests.unit.flows.alerts.examples import MONTH, RULES, score, signal

TWO_GROUPS = (
    signal("agency_rate_fte"),
    signal("vacancy_rate_fte"),
    signal("unallocated_rate"),
    signal("visits_overdue_rate"),
)
THREE_GROUPS = (*TWO_GROUPS, signal("re_referral_rate"), signal("referral_rate_per_10k"))


def follow(
    probabilities: list[float | None],
    *,
    rules: AlertRules = RULES,
    signals: dict[int, tuple[Signal, ...]] | None = None,
    inadequate: dict[int, bool] | None = None,
    delivered: dict[int, bool] | None = None,
    versions: dict[int, str] | None = None,
) -> list[Decision]:
    """Decide month after month; None is a month without a score. Dictionaries hold what differs, by month number."""
    state: AlertState | None = None
    decisions = []
    for number, probability in enumerate(probabilities):
        decision = decide(
            score(probability, MONTH.plus(number), version=(versions or {}).get(number, "3")),
            inadequate=(inadequate or {}).get(number, False),
            signals=(signals or {}).get(number, ()),
            previous=state,
            delivered=(delivered or {}).get(number - 1, True),
            rules=rules,
        )
        decisions.append(decision)
        state = decision.state
    return decisions


def bands(decisions: list[Decision]) -> list[str]:
    return [d.band.value for d in decisions]


def changes(decisions: list[Decision]) -> list[str]:
    return [d.change.value for d in decisions]


def test_a_low_score_is_steady_and_says_nothing() -> None:
    (first,) = follow([0.2])
    assert (first.band, first.change, first.send, first.kind) == (Band.STEADY, Change.NONE, False, None)


def test_watch_is_entered_at_its_threshold_and_left_below_the_lower_one_after_two_months() -> None:
    decisions = follow([0.54, 0.55, 0.48, 0.46, 0.48, 0.46, 0.46])
    assert bands(decisions) == ["steady", "watch", "watch", "watch", "watch", "watch", "steady"]
    assert changes(decisions)[1] == "new"
    assert changes(decisions)[-1] == "resolved"


def test_a_high_score_without_any_movement_is_watch_and_losing_grip_only_far_up() -> None:
    assert bands(follow([0.80])) == ["watch"]
    assert bands(follow([0.85])) == ["losing_grip"]


def test_a_high_score_with_a_moving_group_is_losing_grip() -> None:
    (decision,) = follow([0.72], signals={0: TWO_GROUPS[:2]})
    assert decision.band is Band.LOSING_GRIP
    assert decision.kind is MessageKind.NEW_LOSING_GRIP
    assert any("losing_grip_from" in why for why in decision.because)


def test_drift_alone_puts_on_watch_only_above_its_floor() -> None:
    assert bands(follow([0.36], signals={0: TWO_GROUPS})) == ["watch"]
    assert bands(follow([0.34], signals={0: TWO_GROUPS})) == ["steady"]


def test_three_moving_groups_make_losing_grip_of_a_watch() -> None:
    assert bands(follow([0.56], signals={0: THREE_GROUPS})) == ["losing_grip"]


def test_one_signal_does_not_move_a_group_and_an_improvement_never_does() -> None:
    one_each = (signal("agency_rate_fte"), signal("unallocated_rate"))
    better = tuple(s.model_copy(update={"toward_concern": False}) for s in TWO_GROUPS)
    assert bands(follow([0.40, 0.40], signals={0: one_each, 1: better})) == ["steady", "steady"]


def test_a_rising_score_is_drift_but_not_across_a_change_of_model() -> None:
    assert bands(follow([0.30, 0.36, 0.43])) == ["steady", "steady", "watch"]
    changed = follow([0.30, 0.36, 0.43], versions={2: "4"})
    assert bands(changed) == ["steady", "steady", "steady"]
    assert changed[2].model_changed


def test_a_rise_is_measured_within_its_window() -> None:
    slow = [0.30, 0.32, 0.34, 0.36, 0.38, 0.40, 0.42, 0.44]
    decisions = follow([*slow])
    assert decisions[6].drift.score_change == pytest.approx(0.12)
    assert decisions[7].drift.score_change == pytest.approx(0.12)
    assert decisions[7].drift.score_change_months == 6


def test_the_reminder_comes_at_its_interval_and_not_between() -> None:
    decisions = follow([0.6] * 8)
    assert [d.send for d in decisions] == [True, False, False, True, False, False, True, False]
    assert changes(decisions) == ["new"] + ["continuing"] * 7


def test_worsening_within_the_band_is_measured_from_the_last_message() -> None:
    decisions = follow([0.56, 0.60, 0.64, 0.66])
    assert changes(decisions) == ["new", "continuing", "continuing", "worsening"]
    assert decisions[3].send


def test_moving_up_a_band_is_worsening_and_moving_down_is_easing() -> None:
    decisions = follow([0.56, 0.90, 0.60, 0.60])
    assert bands(decisions) == ["watch", "losing_grip", "losing_grip", "watch"]
    assert changes(decisions) == ["new", "worsening", "continuing", "easing"]
    assert decisions[3].from_band is Band.LOSING_GRIP


def test_what_was_not_delivered_is_still_new_next_month() -> None:
    decisions = follow([0.6, 0.6, 0.6], delivered={0: False})
    assert changes(decisions) == ["new", "new", "continuing"]


def test_an_alert_that_was_never_delivered_is_not_resolved() -> None:
    decisions = follow([0.6, 0.3, 0.3], delivered={0: False, 1: False})
    assert changes(decisions)[-1] == "none"
    assert not decisions[-1].send


def test_months_to_raise_waits() -> None:
    rules = AlertRules(timing=TimingRules(months_to_raise=2))
    assert bands(follow([0.6, 0.3, 0.6, 0.6], rules=rules)) == ["steady", "steady", "steady", "watch"]


def test_not_scored_keeps_the_open_alert_and_resumes_it() -> None:
    decisions = follow([0.6, None, 0.6])
    assert bands(decisions) == ["watch", "not_scored", "watch"]
    assert changes(decisions) == ["new", "new", "continuing"]
    assert decisions[1].kind is MessageKind.NOT_SCORED


def test_not_scored_is_told_once_then_raised_then_reminded() -> None:
    decisions = follow([0.2, *[None] * 7])
    assert [d.send for d in decisions] == [False, True, False, True, False, False, True, False]
    assert decisions[3].change is Change.WORSENING
    assert decisions[3].state.telling is not None
    assert decisions[3].state.telling.escalated


def test_months_without_sight_are_a_moving_group_when_the_score_is_back() -> None:
    decisions = follow([0.4, None, None, None, 0.4], signals={4: TWO_GROUPS[:2]})
    assert bands(decisions)[-1] == "watch"
    assert "sight" in {g.group.value for g in decisions[-1].drift.groups}


def test_a_raised_gap_in_sight_is_resolved_when_the_score_is_back_and_steady() -> None:
    decisions = follow([0.2, None, None, None, 0.2])
    assert changes(decisions)[-1] == "resolved"
    assert changes(follow([0.2, None, 0.2]))[-1] == "none"


def test_inadequate_gets_the_recovery_watch_and_never_a_drift_alert() -> None:
    track = dict.fromkeys(range(6), True)
    decisions = follow([0.95] * 6, inadequate=track, signals={2: TWO_GROUPS})
    assert set(bands(decisions)) == {"recovering"}
    assert changes(decisions) == ["new", "continuing", "worsening", "continuing", "continuing", "easing"]
    assert {d.kind for d in decisions} == {MessageKind.RECOVERING}


def test_leaving_the_recovery_track_starts_afresh() -> None:
    decisions = follow([0.9, 0.3], inadequate={0: True})
    assert (decisions[1].band, decisions[1].change) == (Band.STEADY, Change.RESOLVED)
    decisions = follow([0.9, 0.6], inadequate={0: True})
    assert (decisions[1].band, decisions[1].change) == (Band.WATCH, Change.NEW)


def test_since_counts_the_months_of_the_band_without_a_break() -> None:
    decisions = follow([0.6, 0.6, None, 0.6])
    assert [d.state.since for d in decisions] == [MONTH, MONTH, MONTH.plus(2), MONTH.plus(3)]


def test_months_must_be_decided_in_order() -> None:
    state = follow([0.6])[0].state
    with pytest.raises(HoldfastError, match="in order"):
        decide(score(0.6, MONTH), inadequate=False, signals=(), previous=state, delivered=True, rules=RULES)


def test_the_storm_valve_holds_when_most_councils_alert_at_once() -> None:
    fresh = [follow([0.6])[0] for _ in range(5)]
    calm = [follow([0.2])[0] for _ in range(7)]
    storm = storm_valve([*fresh, *calm], RULES)
    assert storm.held
    assert "5 of 12" in storm.reason
    assert not storm_valve([*fresh[:4], *calm], RULES).held
    continuing = [follow([0.6, 0.6])[1] for _ in range(12)]
    assert not storm_valve(continuing, RULES).held


def test_the_storm_valve_counts_councils_newly_without_a_score() -> None:
    unseen = [follow([None])[0] for _ in range(7)]
    rules = AlertRules(storm=StormRules(not_scored_share=0.5))
    assert "newly without a score" in storm_valve([*unseen, *[follow([0.2])[0]] * 5], rules).reason


# ---------------------------------------------------------------- properties

probabilities = st.one_of(st.none(), st.floats(0.01, 0.99))
some_signals = st.lists(st.sampled_from(THREE_GROUPS), unique=True, max_size=6).map(tuple)


@given(st.lists(st.floats(0.4701, 0.5499), min_size=2, max_size=24), st.booleans())
def test_within_the_margin_the_band_never_changes(inside: list[float], on_watch: bool) -> None:
    """Hysteresis: between the lower and the upper threshold, without drift, nothing flaps."""
    rules = RULES.model_copy(update={"drift": RULES.drift.model_copy(update={"score_rise": 0.5})})
    decisions = follow([0.60 if on_watch else 0.47, *inside], rules=rules)
    assert set(bands(decisions)) == {"watch" if on_watch else "steady"}


@given(st.lists(probabilities, min_size=1, max_size=18), st.data())
def test_only_what_was_told_is_resolved_or_continues(series: list[float | None], data: st.DataObject) -> None:
    delivered = {i: data.draw(st.booleans()) for i in range(len(series))}
    signals = {i: data.draw(some_signals) for i in range(len(series))}
    open_alert = False
    for number, decision in enumerate(follow(series, signals=signals, delivered=delivered)):
        if decision.change in (Change.RESOLVED, Change.CONTINUING, Change.EASING) and decision.band in RANK:
            assert open_alert, number
        if decision.send and delivered[number]:
            raised = decision.state.telling is not None and decision.state.telling.escalated
            known = decision.state.telling.open_band if decision.state.telling else Band.STEADY
            open_alert = known is not Band.STEADY or raised


@given(st.lists(probabilities, min_size=1, max_size=12), st.data())
def test_a_decision_depends_on_its_inputs_alone(series: list[float | None], data: st.DataObject) -> None:
    signals = {i: data.draw(some_signals) for i in range(len(series))}
    turned = {i: tuple(reversed(s)) for i, s in signals.items()}
    first, second = follow(series, signals=signals), follow(series, signals=turned)
    assert [d.model_dump_json() for d in first] == [d.model_dump_json() for d in second]


@given(st.lists(probabilities, min_size=1, max_size=12), st.integers(1, 11))
def test_later_months_do_not_move_earlier_decisions(series: list[float | None], cut: int) -> None:
    assert follow(series)[:cut] == follow(series[:cut])


@given(st.lists(probabilities, min_size=1, max_size=12))
def test_a_state_survives_its_stored_form(series: list[float | None]) -> None:
    for decision in follow(series):
        assert Decision.model_validate_json(decision.model_dump_json()) == decision


@given(st.floats(0.01, 0.98), st.floats(0.0, 0.9), some_signals)
def test_a_higher_score_never_gets_a_lower_band(low: float, step: float, signals: tuple[Signal, ...]) -> None:
    high = min(0.99, low + step)
    ranks = [RANK[follow([p], signals={0: signals})[0].band] for p in (low, high)]
    assert ranks[0] <= ranks[1]


@given(st.lists(st.floats(0.01, 0.99), min_size=6, max_size=30))
def test_mail_comes_no_oftener_than_something_happens(series: list[float]) -> None:
    """Between two messages of an unchanged band lies the reminder interval or a worsening."""
    last = -100
    for number, decision in enumerate(follow(series)):
        if decision.send:
            if decision.change is Change.CONTINUING:
                assert number - last >= RULES.timing.reminder_months
            last = number


def test_thresholds_are_the_analysts() -> None:
    rules = AlertRules(level=LevelRules(watch_from=0.3, watch_until=0.2))
    assert bands(follow([0.35], rules=rules)) == ["watch"]


def test_a_council_that_begins_is_welcomed_once_and_loses_no_sight_it_never_had() -> None:
    state, decisions = None, []
    for number in range(6):
        decision = decide(
            score(None, MONTH.plus(number)),
            inadequate=False,
            signals=(),
            previous=state,
            delivered=True,
            rules=RULES,
            beginning=True,
        )
        decisions.append(decision)
        state = decision.state
    assert {d.band for d in decisions} == {Band.FIRST_MONTHS}
    assert [d.send for d in decisions[:2]] == [True, False]
    assert decisions[0].kind is MessageKind.FIRST_MONTHS
    assert all(
        d.state.months_not_scored == 0 and not (d.state.telling and d.state.telling.escalated) for d in decisions
    )
    scored = decide(
        score(0.2, MONTH.plus(6)), inadequate=False, signals=(), previous=state, delivered=True, rules=RULES
    )
    assert (scored.band, scored.change, scored.send) == (Band.STEADY, Change.NONE, False)
    lost = decide(
        score(None, MONTH.plus(7)),
        inadequate=False,
        signals=(),
        previous=scored.state,
        delivered=True,
        rules=RULES,
        beginning=True,
    )
    assert lost.band is Band.NOT_SCORED, "a council that once had a score is not beginning"
