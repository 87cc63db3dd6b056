from __future__ import annotations

from dataclasses import replace

from features.comparing.xmr import XmrRule
from features.registry import MEASURES, Direction
from flows.alerts.alert import Alert
from flows.alerts.decide import decide
from flows.alerts.letter.headline import title
from flows.alerts.letter.questions import QUESTIONS
from flows.alerts.letter.wording import BAND_WORDS, HELPS, RULE_WORDS, STAGE_HELPS, STAGE_TITLES
from flows.alerts.state import Band
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, RULES, alert, score


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
