"""What Holdfast said, beside what was judged since: hits, misses, false alarms, months of warning."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from features.councils import Council
from features.frameworks import Judgement
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import publish_alert
from flows.alerts.scorecard import Hindsight, scorecard
from flows.alerts.state import AlertState
from flows.store.local import LocalStore
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, score

TODAY = date(2027, 6, 1)


def council(code: str, *judged: tuple[date, str]) -> Council:
    return replace(ASHCOMBE, la_code=code, name=f"Council {code}", judgements=tuple(Judgement(d, g) for d, g in judged))


def published(store: LocalStore, code: str, *levels: float | None) -> None:
    """The alerts of the months up to October 2026, one a level."""
    state: AlertState | None = None
    for back, level in zip(range(len(levels) - 1, -1, -1), levels, strict=True):
        month = MONTH.plus(-back)
        now = alert(score(level, month, la_code=code), council=council(code), previous=state, signals=False)
        publish_alert(store, now, Contact())
        state = now.decision.state


def test_every_judgement_since_the_first_alert_is_laid_beside_what_was_said(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    published(store, "801", 0.2, 0.6, 0.6, 0.6)
    published(store, "802", 0.6)
    published(store, "803", 0.1)
    published(store, "804", 0.1)
    published(store, "805", None)
    day = date(2026, 11, 20)
    councils = [
        council("801", (date(2020, 1, 1), "Good"), (day, "Inadequate")),
        council("802", (day, "Good")),
        council("803", (day, "Requires improvement to be good")),
        council("804", (day, "Outstanding"), (date(2027, 12, 1), "Inadequate")),
        council("805", (day, "Good")),
        council("806", (day, "Good")),
    ]
    card = scorecard(store, councils, TODAY)
    assert {j.la_code: j.verdict for j in card.judged} == {
        "801": Hindsight.HIT,
        "802": Hindsight.FALSE_ALARM,
        "803": Hindsight.MISS,
        "804": Hindsight.QUIET,
        "805": Hindsight.UNSEEN,
    }, "neither a judgement before the first alert, nor one after the day, nor a council without alerts"
    assert card.judged[0].open_months == 3
    assert "Below good: 1.4 expected by the scores, 2 seen, of 4 scored." in card.lines
    assert "Scores from 0% to 20%: 10% on average, 1 of 2 judged below good." in card.lines
    assert "Months of warning before publication: 3." in card.lines
    assert len(json.loads(card.to_json())["judged"]) == 5


def test_without_a_judgement_the_card_says_so(tmp_path: Path) -> None:
    card = scorecard(LocalStore(tmp_path), [council("801", (date(2020, 1, 1), "Good"))], TODAY)
    assert card.lines == ("No judgement has been published since this group's first alert.",)
