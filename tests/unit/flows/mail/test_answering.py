"""Answers and goals are kept for good, refused with a sentence, said back in the next alert, and change no band."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.councils import Register
from features.errors import HoldfastError
from flows.alerts.alert import Alert, build_alert
from flows.alerts.answers import answers_to, answers_up_to, goals_of, with_answers, with_goals
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import render_message
from flows.alerts.publish import latest_alert, publish_alert
from flows.alerts.region_page import region_page_name
from flows.alerts.state import MessageKind
from flows.mail.answering import take_answer, waiting_answers
from flows.settings.answer_form import AnswerKind, AnswerRequest
from flows.store.ledger import Ledger, Status
from flows.store.local import LocalStore
from flows.store.port import Store
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, facts, score, told

REGISTER = Register((ASHCOMBE,))
ON = date(2026, 11, 20)
GOAL: dict[str, object] = {"kind": AnswerKind.GOAL, "until": "2027-06", "level": 14}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    kept = LocalStore(tmp_path)
    publish_alert(kept, alert(score(0.6), previous=told(0.3, MONTH.plus(-1))), Contact())
    return kept


def given(**changes: object) -> AnswerRequest:
    full = {
        "council": "991",
        "month": str(MONTH),
        "kind": AnswerKind.EXPLANATION,
        "words": "Two teams merge.",
        "by": "director",
    }
    return AnswerRequest.model_validate(full | changes)


def next_alert(store: Store) -> Alert:
    """The alert of the month after, as a run would build it."""
    now = alert(score(0.6, MONTH.plus(1)), previous=told(0.6, MONTH, told(0.3, MONTH.plus(-1))))
    own = facts()
    return build_alert(
        council=ASHCOMBE,
        score=score(0.6, MONTH.plus(1)),
        decision=now.decision.model_copy(update={"kind": MessageKind.CONTINUING, "send": True}),
        facts=own.model_copy(update={"month": MONTH.plus(1)}),
        submissions=(),
        validation=now.validation,
        code_version="t",
        settings_digest="s",
        rules_digest="r",
        known_by="2026-12-10",
        answers=answers_up_to(store, "991", MONTH.plus(1)),
        goals=goals_of(store, "991"),
    )


def test_an_answer_is_kept_and_said_back_in_the_next_message_and_not_before(store: Store) -> None:
    before = {o.name for o in store.list("answers/")}
    take_answer(store, REGISTER, given(), ON, Contact())
    take_answer(store, REGISTER, given(kind=AnswerKind.ACTION, words="We began a duty team."), ON, Contact())
    assert {o.name for o in store.list("answers/")} - before == {
        "answers/2026-10/991/1.json",
        "answers/2026-10/991/2.json",
    }
    assert with_answers(store) == {"991"}
    assert len(answers_to(store, "991", MONTH)) == 2
    assert answers_up_to(store, "991", MONTH.plus(-1)) == ()
    text = " ".join(render_message(next_alert(store), Contact()).text.split())
    assert "You explained in November 2026, on our message of October 2026: “Two teams merge”" in text
    assert "“We began a duty team”" in text


def test_the_alert_that_is_answered_and_the_region_page_show_it_at_once_and_the_message_stays(store: Store) -> None:
    first = latest_alert(store, MONTH, "991")
    assert first is not None
    mark = "<!-- heard 991 --><!-- end 991 -->"
    store.replace(region_page_name(MONTH), f"<li>{mark}</li><li>{mark.replace('991', '99')}</li>".encode())
    take_answer(store, REGISTER, given(words="Two teams <merge>."), ON, Contact())
    take_answer(store, REGISTER, given(**GOAL, measure="agency_rate_fte", words=""), ON, Contact())
    now = latest_alert(store, MONTH, "991")
    assert now is not None and [a.words for a in now.answers] == ["Two teams <merge>."]
    assert [g.measure for g in now.goals] == ["agency_rate_fte"]
    assert (now.message_key, now.decision) == (first.message_key, first.decision)
    assert render_message(now, Contact()).text == render_message(first, Contact()).text, "the message that was sent"
    page = store.read(region_page_name(MONTH)).decode()
    assert (
        "Explanation, on the message of October 2026: “Two teams &lt;merge&gt;.” (director, 20 November 2026)." in page
    )
    assert "Agency rate: the council&#39;s goal is 14% by June 2027. It is 23%; 8 months to go." in page
    assert page.endswith("<li><!-- heard 99 --><!-- end 99 --></li>"), "no other council's block"


def test_a_known_cause_goes_behind_for_the_months_it_names_and_is_not_hidden(store: Store) -> None:
    take_answer(
        store,
        REGISTER,
        given(kind=AnswerKind.KNOWN, measure="unallocated_rate", until=str(MONTH.plus(2))),
        ON,
        Contact(),
    )
    now = next_alert(store)
    message = render_message(now, Contact())
    assert message.letter.points[0].label == "Assessments within 45 working days (12 months)"
    assert message.letter.points[-1].label == "Cases without a worker"
    assert message.letter.points[-1].known == "Known and in hand, as you told us in November 2026."
    assert "Until December 2026 we put other measures first" in " ".join(message.text.split())
    later = now.model_copy(update={"month": MONTH.plus(3)})
    assert later.quiet == {}


def test_an_answer_changes_no_band_and_no_figure(store: Store) -> None:
    plain = next_alert(store)
    take_answer(
        store, REGISTER, given(kind=AnswerKind.KNOWN, measure="unallocated_rate", until="2026-12"), ON, Contact()
    )
    answered = next_alert(store)
    assert answered.decision == plain.decision and {f.measure: f for f in answered.facts} == {
        f.measure: f for f in plain.facts
    }


def test_a_goal_is_shown_on_the_way_and_when_reached_and_the_last_one_counts(store: Store) -> None:
    goal = {"kind": AnswerKind.GOAL, "measure": "agency_rate_fte", "until": "2027-06", "words": ""}
    take_answer(store, REGISTER, given(**goal, level=15), ON, Contact())
    text = " ".join(render_message(next_alert(store), Contact()).text.split())
    assert "Agency rate: your goal is 15% by June 2027. It is 23%, from 23% in October 2026; 7 months to go." in text
    take_answer(store, REGISTER, given(**goal, level=25), ON, Contact())
    assert [g.level for g in goals_of(store, "991")] == [0.25]
    assert with_goals(store) == {"991"}
    text = " ".join(render_message(next_alert(store), Contact()).text.split())
    assert "It is 23%, from 23% in October 2026: the goal is reached." in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"council": "999"}, "no council 999"),
        ({"month": "2025-01"}, "no alert of January 2025"),
        ({"words": " "}, "needs words"),
        ({"measure": "nonsense"}, "no measure"),
        ({"until": "2026-12"}, "Only “known, in hand”"),
        ({"kind": AnswerKind.KNOWN, "measure": "unallocated_rate", "until": "2028-12"}, "at most 12 months"),
        ({"level": 3.0}, "A level belongs to"),
        ({"kind": AnswerKind.GOAL}, "A goal needs"),
        (
            {"kind": AnswerKind.GOAL, "measure": "agency_rate_fte", "until": "2027-06", "level": 140},
            "between 0% and 100%",
        ),
        ({"kind": AnswerKind.GOAL, "measure": "agency_rate_fte", "until": "2026-10", "level": 14}, "lies ahead"),
        (
            {"kind": AnswerKind.GOAL, "measure": "agency_cover_rate_fte", "until": "2027-06", "level": 14},
            "no better side",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_sentence_and_nothing_is_written(
    store: Store, changes: dict[str, object], words: str
) -> None:
    before = [o.name for o in store.list("") if not o.name.startswith("claims/")]
    with pytest.raises(HoldfastError, match=words):
        take_answer(store, REGISTER, given(**changes), ON, Contact())
    assert [o.name for o in store.list("") if not o.name.startswith("claims/")] == before


def test_an_objection_waits_until_a_revision_or_a_confirmed_file_answers_it(store: Store) -> None:
    take_answer(store, REGISTER, given(kind=AnswerKind.OBJECTION, words="The agency figure is wrong."), ON, Contact())
    (waits,) = waiting_answers(store, [ASHCOMBE], MONTH.plus(1))
    assert waits == (
        "Ashcombe (991), October 2026, objection: “The agency figure is wrong.” (director, 20 November 2026)"
    )
    assert waiting_answers(store, [replace(ASHCOMBE, la_code="992")], MONTH) == []
    take_answer(store, REGISTER, given(kind=AnswerKind.CONFIRMED, words="The file is right."), ON, Contact())
    (left,) = waiting_answers(store, [ASHCOMBE], MONTH.plus(1))
    assert "file confirmed" in left, "until a message mentions it"


def test_any_other_answer_waits_until_a_later_message_that_mentions_it_has_gone(store: Store) -> None:
    take_answer(store, REGISTER, given(), ON, Contact())
    book, key = Ledger(store), f"{MONTH.plus(1)}/991/r1/continuing"
    at = datetime(2026, 12, 14, tzinfo=UTC)
    book.create(key, "<m@x>", ("director@ashcombe.example",), b"message", at)
    assert len(waiting_answers(store, [ASHCOMBE], MONTH.plus(1))) == 1, "recorded is not sent"
    for status in (Status.SENDING, Status.SENT):
        assert book.advance(book.entries(key)[0], status, at)
    assert waiting_answers(store, [ASHCOMBE], MONTH.plus(1)) == []
