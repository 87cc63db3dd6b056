from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from features.comparing.xmr import XmrRule
from features.frameworks import Judgement
from features.registry import BY_NAME, MEASURES, Direction
from flows.alerts.alert import Alert, _names, _not_known, build_alert
from flows.alerts.answers import Goal
from flows.alerts.decide import decide
from flows.alerts.facts import MeasureFact
from flows.alerts.letter.headline import title
from flows.alerts.letter.questions import QUESTIONS
from flows.alerts.letter.wording import BAND_WORDS, HELPS, RULE_WORDS, STAGE_HELPS, STAGE_TITLES
from flows.alerts.state import Band
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, RULES, VALIDATION, alert, facts, score


def test_every_band_stage_rule_and_group_has_its_words() -> None:
    assert set(RULE_WORDS) == set(XmrRule)
    assert set(STAGE_TITLES) == set(range(5))
    assert set(STAGE_HELPS) == set(range(1, 5))
    assert set(BAND_WORDS) == set(Band)
    assert {m.group for m in MEASURES} <= set(HELPS)


def test_every_measure_that_can_be_a_concern_has_a_question_and_somebody_who_knows() -> None:
    askable = {m.name for m in MEASURES if m.direction is not Direction.NONE}
    assert askable <= set(QUESTIONS)
    for asked in QUESTIONS.values():
        for question in asked:
            assert question.text.endswith("?") and question.who
            assert len(question.text.split()) <= 20


def test_a_first_score_after_the_first_months_moves_from_no_band() -> None:
    begun = score(None, MONTH.plus(-1))
    first = decide(begun, inadequate=False, signals=(), previous=None, delivered=True, rules=RULES, beginning=True)
    now = alert(score(0.88), previous=first.state)
    assert (now.decision.from_band, now.decision.given_before) == (Band.STEADY, None)
    assert title(now) == "Now losing grip"


def test_an_alert_is_stored_as_text_that_a_person_can_read() -> None:
    content = alert(score(0.6), council=replace(ASHCOMBE, name="Ynys Môn")).to_bytes()
    assert "Ynys Môn".encode() in content and content.endswith(b"\n}\n")
    keys = [line for line in content.decode().splitlines() if line.startswith('  "')]
    assert keys == sorted(keys) and keys[0].startswith('  "answers"')
    assert Alert.from_bytes(content).council == "Ynys Môn"


def test_what_is_not_known_is_listed_by_reason_and_sight_is_not_asked_of_a_council() -> None:
    own = facts()
    measures = {m: f for m, f in own.measures.items() if m not in ("caseload_fte", "extracts_late_rate")}
    gaps = {gap.reason: gap.labels for gap in _not_known(own.model_copy(update={"measures": measures}))}
    assert gaps["not reported"] == (BY_NAME["caseload_fte"].label,)
    assert gaps["the extract has no such column"] == tuple(
        BY_NAME[m].label for m in BY_NAME if m in ("three_workers_rate", "repeat_cp_plan_rate")
    )
    silent = measures | {"caseload_fte": MeasureFact(measure="caseload_fte", value=None)}
    again = {gap.reason: gap.labels for gap in _not_known(own.model_copy(update={"measures": silent}))}
    assert again["not reported"] == (BY_NAME["caseload_fte"].label,)


@pytest.mark.parametrize(
    ("sign", "about"),
    [
        ("Agency rate 24%; neighbours 13%", True),
        ("Agency rate −3%", True),
        ("Agency rate of headcount 24%", False),
        ("Agency rate", False),
        ("Vacancy rate 24%", False),
    ],
)
def test_a_sign_is_about_the_measure_whose_label_and_figure_it_begins_with(sign: str, about: bool) -> None:
    assert _names(sign, MeasureFact(measure="agency_rate_fte", value=0.24)) is about


def test_a_stage_is_told_only_if_each_of_its_signs_can_be_named() -> None:
    one = alert(score(0.9))
    assert [f.measure for f in one.stage_signs] == ["unallocated_rate", "agency_rate_fte"]
    assert one.score.stage is not None
    for changed in ({"number": 0}, {"why": ()}, {"why": (*one.score.stage.why, "Sickness 9%")}):
        stage = one.score.stage.model_copy(update=changed)
        assert one.model_copy(update={"score": one.score.model_copy(update={"stage": stage})}).stage_signs == ()
    assert one.model_copy(update={"score": one.score.model_copy(update={"stage": None})}).stage_signs == ()


def test_a_score_is_stored_to_six_places() -> None:
    exact = replace(score(0.6), probability_below_good=0.12345678, interval_low=None, rank=0.87654321)
    stored = alert(exact).score
    assert (stored.probability_below_good, stored.interval_low, stored.rank) == (0.123457, None, 0.876543)


def test_when_it_was_judged_is_kept_for_a_council_that_recovers() -> None:
    watched = replace(ASHCOMBE, judgements=(Judgement(date(2026, 5, 1), "Inadequate"),))
    recovering, other = alert(score(0.6), council=watched, inadequate=True), alert(score(0.6), council=watched)
    assert (recovering.judged, other.judged) == (date(2026, 5, 1), None)
    assert recovering.months_since_judged == 6, "counted to the day of its own last file"
    assert recovering.model_copy(update={"judged_months": 3}).months_since_judged == 3
    assert other.months_since_judged == 0


def built(band: Band, **given: Any) -> Alert:
    """An alert of this band from its parts."""
    now = score(0.6)
    decision = decide(now, inadequate=False, signals=(), previous=None, delivered=True, rules=RULES)
    made: dict[str, Any] = {
        "council": ASHCOMBE,
        "score": now,
        "facts": facts(),
        "submissions": (),
        "validation": VALIDATION,
    }
    made |= {"code_version": "1", "settings_digest": "s", "rules_digest": "r", "known_by": "2026-11-13"}
    return build_alert(decision=decision.model_copy(update={"band": band}), **made | given)


def test_the_months_since_a_judgement_are_kept_for_a_council_that_recovers() -> None:
    given = {"judged": date(2026, 5, 1), "judged_months": 6}
    assert [(a.judged, a.judged_months) for a in (built(b, **given) for b in (Band.RECOVERING, Band.WATCH))] == [
        (date(2026, 5, 1), 6),
        (None, None),
    ]


def test_an_alert_keeps_what_it_shows_what_signals_what_has_settled_and_what_the_council_spoke_of() -> None:
    own = facts()
    quiet = {m: f.model_copy(update={"toward": None}) for m, f in own.measures.items()}
    still = own.model_copy(update={"measures": quiet, "signals": ()})
    settled = quiet["caseload_fte"].model_copy(update={"level": "concern"})
    goal = Goal(
        folder="991",
        measure="turnover_rate_fte",
        level=0.1,
        by_month=MONTH,
        set_by="x",
        on=date(2026, 9, 1),
        month=None,
    )
    one = built(
        Band.WATCH, facts=still.model_copy(update={"measures": quiet | {"caseload_fte": settled}}), goals=(goal,)
    )
    kept = {f.measure for f in one.facts}
    assert {"caseload_fte", "turnover_rate_fte"} <= kept
    assert {r.measure for r in one.score.reasons if r.measure} <= kept
    assert "vacancy_rate_fte" not in kept
    assert {s.measure for s in one.charts} <= kept
