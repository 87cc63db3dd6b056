from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import HoldfastError
from features.months import Month
from flows.alerts.decide import decide, storm_valve
from flows.alerts.state import RANK, AlertState, Band, Change, Decision, MessageKind, Signal, Told
from flows.settings.alert_rules import AlertRules, RankRules, StormRules, TimingRules
from models.score import Score
from tests.unit.flows.alerts.examples import MONTH, RULES, score, signal

TWO_GROUPS = (
    signal("agency_rate_fte"),
    signal("vacancy_rate_fte"),
    signal("unallocated_rate"),
    signal("visits_overdue_rate"),
)
THREE_GROUPS = (*TWO_GROUPS, signal("re_referral_rate"), signal("referral_rate_per_10k"))


def ranked(rank: float | None, month: Month, version: str = "3") -> Score:
    """A score whose rank among England's councils is given; its number does not matter here."""
    return replace(score(rank, month, version=version), rank=rank)


def follow(
    ranks: list[float | None],
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
    for number, rank in enumerate(ranks):
        decision = decide(
            ranked(rank, MONTH.plus(number), (versions or {}).get(number, "3")),
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


def test_a_low_rank_is_steady_and_says_nothing() -> None:
    (first,) = follow([0.2])
    assert (first.band, first.change, first.send, first.kind) == (Band.STEADY, Change.NONE, False, None)


def test_watch_is_entered_at_its_threshold_and_left_below_the_lower_one_after_two_months() -> None:
    decisions = follow([0.79, 0.80, 0.75, 0.73, 0.75, 0.73, 0.73])
    assert bands(decisions) == ["steady", "watch", "watch", "watch", "watch", "watch", "steady"]
    assert changes(decisions)[1] == "new"
    assert changes(decisions)[-1] == "resolved"


def test_the_riskiest_fifth_is_watch_and_the_riskiest_tenth_losing_grip() -> None:
    assert bands(follow([0.89])) == ["watch"]
    (decision,) = follow([0.90])
    assert (decision.band, decision.kind) == (Band.LOSING_GRIP, MessageKind.NEW_LOSING_GRIP)
    assert any("losing_grip_from" in why for why in decision.because)


@given(st.floats(0.0, 0.799), st.lists(st.sampled_from(THREE_GROUPS), unique=True))
def test_signals_of_charts_alone_open_no_alert(rank: float, signals: list[Signal]) -> None:
    assert bands(follow([rank, rank, rank], signals=dict.fromkeys(range(3), tuple(signals)))) == ["steady"] * 3


def test_signals_in_two_groups_make_an_open_alert_urgent_and_that_is_said_once() -> None:
    decisions = follow([0.82] * 4, signals={1: TWO_GROUPS, 2: TWO_GROUPS})
    assert bands(decisions) == ["watch"] * 4
    assert [d.urgent for d in decisions] == [False, True, True, False]
    assert changes(decisions)[:3] == ["new", "worsening", "continuing"]
    assert any("groups_for_urgency" in why for why in decisions[1].because)


def test_one_signal_does_not_move_a_group_and_an_improvement_never_does() -> None:
    one_each = (signal("agency_rate_fte"), signal("unallocated_rate"))
    better = tuple(s.model_copy(update={"toward_concern": False}) for s in TWO_GROUPS)
    assert [d.urgent for d in follow([0.85, 0.85], signals={0: one_each, 1: better})] == [False, False]


def test_a_rising_rank_puts_on_watch_but_not_across_a_change_of_model() -> None:
    assert bands(follow([0.48, 0.59, 0.64])) == ["steady", "steady", "watch"]
    assert bands(follow([0.40, 0.50, 0.59])) == ["steady"] * 3, "below its floor a rise never alerts"
    changed = follow([0.48, 0.59, 0.64], versions={2: "4"})
    assert bands(changed) == ["steady", "steady", "steady"]
    assert changed[2].model_changed


def test_a_rise_is_measured_within_its_window() -> None:
    slow = [0.30, 0.32, 0.34, 0.36, 0.38, 0.40, 0.42, 0.44]
    decisions = follow([*slow])
    assert decisions[6].drift.score_change == pytest.approx(0.12)
    assert decisions[7].drift.score_change == pytest.approx(0.12)
    assert decisions[7].drift.score_change_months == 6


def test_a_state_of_0_1_0_has_no_rank_and_is_not_compared_with() -> None:
    (first,) = follow([0.81])
    old = first.state.model_dump(mode="json")
    for point in (*old["recent"], old["telling"]):
        del point["rank"]
    del old["telling"]["urgent"]
    state = AlertState.model_validate(old)
    decision = decide(
        ranked(0.89, MONTH.plus(1)), inadequate=False, signals=(), previous=state, delivered=True, rules=RULES
    )
    assert (decision.band, decision.change, decision.drift.score_change) == (Band.WATCH, Change.CONTINUING, None)


def test_the_reminder_comes_at_its_interval_and_not_between() -> None:
    decisions = follow([0.82] * 8)
    assert [d.send for d in decisions] == [True, False, False, True, False, False, True, False]
    assert changes(decisions) == ["new"] + ["continuing"] * 7


def test_worsening_within_the_band_is_measured_from_the_last_message() -> None:
    decisions = follow([0.80, 0.82, 0.84, 0.87])
    assert changes(decisions) == ["new", "continuing", "continuing", "worsening"]
    assert decisions[3].send


def test_moving_up_a_band_is_worsening_and_moving_down_is_easing() -> None:
    decisions = follow([0.82, 0.95, 0.80, 0.80])
    assert bands(decisions) == ["watch", "losing_grip", "losing_grip", "watch"]
    assert changes(decisions) == ["new", "worsening", "continuing", "easing"]
    assert [d.send for d in decisions] == [True, True, False, True]
    assert decisions[3].from_band is Band.LOSING_GRIP


def test_what_was_not_delivered_is_still_new_next_month() -> None:
    decisions = follow([0.82, 0.82, 0.82], delivered={0: False})
    assert changes(decisions) == ["new", "new", "continuing"]


def test_an_alert_that_was_never_delivered_is_not_resolved() -> None:
    decisions = follow([0.82, 0.3, 0.3], delivered={0: False, 1: False})
    assert changes(decisions)[-1] == "none"
    assert not decisions[-1].send


def test_months_to_raise_waits() -> None:
    rules = AlertRules(timing=TimingRules(months_to_raise=2))
    assert bands(follow([0.82, 0.3, 0.82, 0.82], rules=rules)) == ["steady", "steady", "steady", "watch"]


def test_not_scored_keeps_the_open_alert_and_resumes_it() -> None:
    decisions = follow([0.82, None, 0.82])
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
    decisions = follow([0.82, None, None, None, 0.82], signals={4: TWO_GROUPS[:2]})
    assert decisions[-1].urgent
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
    decisions = follow([0.9, 0.82], inadequate={0: True})
    assert (decisions[1].band, decisions[1].change) == (Band.WATCH, Change.NEW)


def test_since_counts_the_months_of_the_band_without_a_break() -> None:
    decisions = follow([0.82, 0.82, None, 0.82])
    assert [d.state.since for d in decisions] == [MONTH, MONTH, MONTH.plus(2), MONTH.plus(3)]


def test_months_must_be_decided_in_order() -> None:
    state = follow([0.82])[0].state
    with pytest.raises(HoldfastError, match="in order"):
        decide(ranked(0.82, MONTH), inadequate=False, signals=(), previous=state, delivered=True, rules=RULES)


def test_the_storm_valve_holds_when_most_councils_alert_at_once() -> None:
    fresh = [follow([0.82])[0] for _ in range(5)]
    calm = [follow([0.2])[0] for _ in range(7)]
    storm = storm_valve([*fresh, *calm], RULES)
    assert storm.held
    assert "5 of 12" in storm.reason
    assert not storm_valve([*fresh[:4], *calm], RULES).held
    assert not storm_valve(fresh[:4], RULES).held, "few councils are no storm, even if they are all"
    assert not storm_valve([*fresh, *calm[:1] * 8], RULES).held, "nor are many among more"
    continuing = [follow([0.82, 0.82])[1] for _ in range(12)]
    assert not storm_valve(continuing, RULES).held


def test_the_storm_valve_counts_councils_newly_without_a_score() -> None:
    unseen = [follow([None])[0] for _ in range(7)]
    rules = AlertRules(storm=StormRules(not_scored_share=0.5))
    assert "newly without a score" in storm_valve([*unseen, *[follow([0.2])[0]] * 5], rules).reason


# ---------------------------------------------------------------- properties

probabilities = st.one_of(st.none(), st.floats(0.01, 0.99))
some_signals = st.lists(st.sampled_from(THREE_GROUPS), unique=True, max_size=6).map(tuple)


@given(st.lists(st.floats(0.7401, 0.7999), min_size=2, max_size=24), st.booleans())
def test_within_the_margin_the_band_never_changes(inside: list[float], on_watch: bool) -> None:
    """Hysteresis: between the lower and the upper threshold, without drift, nothing flaps."""
    rules = RULES.model_copy(update={"drift": RULES.drift.model_copy(update={"rank_rise": 0.5})})
    decisions = follow([0.82 if on_watch else 0.74, *inside], rules=rules)
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
    rules = AlertRules(rank=RankRules(watch_from=0.3, watch_until=0.2))
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
        ranked(0.2, MONTH.plus(6)), inadequate=False, signals=(), previous=state, delivered=True, rules=RULES
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


def test_a_state_keeps_scores_to_six_places() -> None:
    third = replace(score(0.85), probability_below_good=0.1234567, rank=0.8765432)
    state = decide(third, inadequate=False, signals=(), previous=None, delivered=True, rules=RULES).state
    assert state.telling is not None
    assert (state.telling.probability, state.telling.rank) == (0.123457, 0.876543)
    assert [(p.probability, p.rank) for p in state.recent] == [(0.123457, 0.876543)]


def test_a_state_keeps_three_years_of_scores_and_two_of_bands() -> None:
    last = follow([0.2] * 40)[-1].state
    assert (len(last.recent), len(last.bands)) == (37, 24)
    assert (last.recent[0].month, last.bands[0].month) == (MONTH.plus(3), MONTH.plus(16))


def test_a_band_that_is_kept_or_waited_for_says_why() -> None:
    held = follow([0.82, 0.75, 0.73, 0.73])
    assert "watch is kept: it is left only below its lower threshold" in held[1].because
    assert "lower in 1 of 2 months (timing.months_to_lower)" in held[2].because
    assert "lower in" not in " ".join(held[3].because)
    rules = AlertRules(timing=TimingRules(months_to_raise=3))
    raised = follow([0.82, 0.82, 0.82], rules=rules)
    assert [f"called for in {n} of 3 months" in " ".join(d.because) for n, d in enumerate(raised, start=1)] == [
        True,
        True,
        False,
    ]
    assert [d.state.months_to_higher for d in raised] == [1, 2, 0]


def test_a_missing_score_says_for_how_long_and_keeps_what_was_told() -> None:
    decisions = follow([0.82, None, None, None], inadequate={})
    assert ["missing sight is a signal" in " ".join(d.because) for d in decisions] == [False, False, False, True]
    assert decisions[3].because[1].startswith("not scored for 3 months: ")
    telling = decisions[1].state.telling
    assert telling is not None
    assert (telling.band, telling.open_band, telling.rank, telling.urgent) == (
        Band.NOT_SCORED,
        Band.WATCH,
        0.82,
        False,
    )


@pytest.mark.parametrize(("councils", "held"), [(5, True), (4, False)])
def test_a_storm_needs_its_least_number_and_more_than_its_share(councils: int, held: bool) -> None:
    rules = AlertRules(storm=StormRules(minimum_councils=5, share=0.5))
    fresh, calm = [follow([0.82])[0]] * councils, [follow([0.2])[0]]
    assert storm_valve([*fresh, *calm * 2], rules).held is held
    exactly = storm_valve([*fresh, *calm * councils], rules)
    assert (exactly.held, exactly.alerting, exactly.decided) == (False, councils, 2 * councils)


def test_a_first_month_without_a_score_tells_nothing_that_nobody_knows() -> None:
    telling = follow([None])[0].state.telling
    assert telling == Told(month=MONTH, band=Band.NOT_SCORED, open_band=Band.STEADY)


def test_a_lost_score_carries_on_what_was_told_of_it() -> None:
    urgent = follow([0.82, None], signals={0: TWO_GROUPS})[1].state.telling
    assert urgent is not None and urgent.urgent and not urgent.attention
    unsettled = follow([0.95, None], inadequate={0: True}, signals={0: TWO_GROUPS})
    first, then = (d.state.telling for d in unsettled)
    assert first is not None and not first.urgent and first.open_band is Band.RECOVERING
    assert then is not None and then.open_band is Band.RECOVERING and then.attention is first.attention


@pytest.mark.parametrize("before", [0.2, 0.82, 0.95])
def test_a_judgement_of_inadequate_is_news_whatever_was_told_before(before: float) -> None:
    _, judged = follow([before, before], inadequate={1: True})
    assert (judged.band, judged.change, judged.send) == (Band.RECOVERING, Change.NEW, True)
    assert judged.state.telling is not None and judged.state.telling.band is Band.RECOVERING


def test_a_recovery_is_reminded_of_and_eases_once_what_needed_attention_has_passed() -> None:
    track = dict.fromkeys(range(9), True)
    calm = follow([0.9] * 9, inadequate=track)
    assert [d.send for d in calm] == [True, False, False, True, False, False, True, False, False]
    assert changes(calm) == ["new"] + ["continuing"] * 8
    moved = follow([0.9] * 9, inadequate=track, signals={1: TWO_GROUPS, 2: TWO_GROUPS})
    assert changes(moved)[:5] == ["new", "worsening", "continuing", "continuing", "easing"]
    assert [d.send for d in moved][:5] == [True, True, False, False, True]


def test_a_new_band_counts_from_its_month_and_the_months_waited_for_are_forgotten() -> None:
    rules = AlertRules(timing=TimingRules(months_to_raise=2))
    decisions = follow([0.82, 0.82, 0.73, 0.73, 0.82], rules=rules)
    assert [(d.state.months_to_higher, d.state.months_to_lower) for d in decisions] == [
        (1, 0),
        (0, 0),
        (0, 1),
        (0, 0),
        (1, 0),
    ]
    assert [d.from_band for d in decisions] == [None, Band.STEADY, Band.WATCH, Band.WATCH, Band.STEADY]
