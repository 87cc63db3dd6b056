"""What Holdfast said, beside what was judged since: hits, misses, false alarms, months of warning."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from features.councils import Council
from features.frameworks import Judgement
from features.months import Month
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import latest_alert, publish_alert
from flows.alerts.scorecard import Hindsight, keep_what_was_said, scorecard
from flows.alerts.state import AlertState, Band
from flows.mail.yearly import yearly_scorecard
from flows.store.ledger import Ledger
from flows.store.local import LocalStore
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, score, told

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
    assert [(str(s.month), s.band, s.score) for s in card.judged[0].said] == [
        ("2026-07", Band.STEADY, 0.2),
        ("2026-08", Band.WATCH, 0.6),
        ("2026-09", Band.WATCH, 0.6),
        ("2026-10", Band.WATCH, 0.6),
    ], "every band and score before it"
    assert (
        "Before it: steady from July 2026 (1 month, score 20%); watch from August 2026 (3 months, score 60%)."
        in card.judged[0].sentence
    )
    assert "Below good: 1.4 expected by the last scores, 2 seen, of 4 scored." in card.lines
    assert "Scores from 0% to 20%: 10% on average, 1 of 2 judged below good." in card.lines
    assert "Months of warning before publication: 3." in card.lines
    (hit, *_) = json.loads(card.to_json())["judged"]
    assert hit["said"][0] == {"month": "2026-07", "band": "steady", "score": 0.2}


def test_what_was_made_from_files_of_the_day_or_later_is_not_said_before_it(tmp_path: Path) -> None:
    store, day = LocalStore(tmp_path), date(2026, 11, 13)
    published(store, "801", 0.2, 0.88)
    now = latest_alert(store, MONTH, "801")
    assert now is not None and now.provenance.known_by == str(day)
    earlier = latest_alert(store, MONTH.plus(-1), "801")
    assert earlier is not None
    early = earlier.provenance.model_copy(update={"known_by": "2026-10-10"})
    publish_alert(store, earlier.model_copy(update={"provenance": early}), Contact())
    (judged,) = scorecard(store, [council("801", (day, "Inadequate"))], TODAY).judged
    assert [str(s.month) for s in judged.said] == ["2026-09"], "the revision that was known before, and no later month"
    assert judged.verdict is Hindsight.MISS


def test_an_alert_stays_open_through_months_without_a_score_and_recovery_is_neither_hit_nor_miss(
    tmp_path: Path,
) -> None:
    store, day = LocalStore(tmp_path), date(2026, 11, 20)
    published(store, "801", 0.6, 0.6, None)
    state = told(0.8, MONTH.plus(-1), inadequate=True)
    watched = alert(score(0.8, la_code="802"), council=council("802"), previous=state, inadequate=True)
    publish_alert(store, watched, Contact())
    councils = [council(code, (day, "Inadequate")) for code in ("801", "802")]
    open_one, recovering = scorecard(store, councils, TODAY).judged
    assert (open_one.verdict, open_one.open_months, open_one.score) == (Hindsight.HIT, 3, 0.6)
    assert recovering.verdict is Hindsight.RECOVERY


def test_judgements_of_the_published_files_count_unless_the_register_has_them(tmp_path: Path) -> None:
    store, day = LocalStore(tmp_path), date(2026, 11, 20)
    for code in ("801", "802"):
        published(store, code, 0.6)
    rows = [
        ["2026-11-22", "801", True, "ILACS"],
        ["2026-11-22", "802", False, "ILACS"],
        ["2026-11-22", "899", True, ""],
    ]
    level = {"format": 1, "skops": "", "judgements": rows}
    store.create("models/m/1/levels/2026-12-01-003.json", json.dumps(level).encode())
    card = scorecard(store, [council("801", (day, "Inadequate")), council("802")], TODAY)
    assert [(j.la_code, j.grade, j.verdict) for j in card.judged] == [
        ("801", "Inadequate", Hindsight.HIT),
        ("802", "good or better", Hindsight.FALSE_ALARM),
    ]


def test_the_data_team_gets_it_once_a_year_from_the_first_run_after_the_years_end(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    published(store, "801", 0.6)
    councils = [council("801", (date(2026, 11, 20), "Inadequate"))]
    assert yearly_scorecard(store, councils, Month(2026, 11), Contact(), Month(2026, 10)) is None, "it is not over"
    assert yearly_scorecard(store, councils, Month(2026, 12), Contact(), Month(2027, 1)) is None, "it began after it"
    message = yearly_scorecard(store, councils, Month(2026, 12), Contact(), Month(2026, 10))
    assert message is not None and "Council 801 (801), judged Inadequate on 20 November 2026" in message.text
    late = yearly_scorecard(store, councils, Month(2027, 2), Contact(), Month(2026, 10))
    assert late is not None and late.key == message.key, "a run that comes later says the same"
    Ledger(store).create(message.key, "<m@x>", ("team@x.example",), b"m", datetime(2027, 1, 15, tzinfo=UTC))
    assert yearly_scorecard(store, councils, Month(2027, 1), Contact(), Month(2026, 10)) is None, "once only"


def test_without_a_judgement_or_an_alert_the_card_says_so(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert scorecard(store, [council("801")], TODAY).lines == ("This group has no alert yet.",)
    published(store, "801", 0.6)
    assert scorecard(store, [council("801", (date(2020, 1, 1), "Good"))], TODAY).lines == (
        "No judgement has been published since this group's first alert, of October 2026.",
    )


def test_the_card_is_the_same_after_retention_has_deleted_the_alerts(tmp_path: Path) -> None:
    store, day = LocalStore(tmp_path), date(2026, 11, 20)
    published(store, "801", 0.2, 0.6, None, 0.6)
    published(store, "802", 0.6, 0.1)
    councils = [council("801", (day, "Inadequate")), council("802", (day, "Good"))]
    whole = scorecard(store, councils, TODAY)
    assert len(whole.judged) == 2
    for before in (MONTH.plus(-1), MONTH, MONTH.plus(1)):
        keep_what_was_said(store, before)
        store.purge([o for o in store.everything("alerts/") if o.name.split("/")[1] < str(before)])
        assert scorecard(store, councils, TODAY) == whole
    assert list(store.list("alerts/")) == []
