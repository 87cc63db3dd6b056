"""What a letter says before its fold: where a recovery stands, what changed, what helps, what a chart shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from flows.alerts.alert import Alert, Correction
from flows.alerts.answers import Goal, Reply
from flows.alerts.facts import SubmissionFact
from flows.alerts.letter import compose, wording
from flows.alerts.letter.compose import Contact, _asks, _caption, _charts, alert_letter
from flows.alerts.letter.letter import Bullets, Letter, LetterSection, Para
from flows.alerts.letter.points import shown_facts
from flows.alerts.letter.questions import DirectorsQuestion
from flows.alerts.letter.render import SIZE_LIMIT_BYTES, render_letter
from flows.alerts.state import Band, Change, MessageKind, Told
from flows.settings.answer_form import AnswerKind
from tests.unit.flows.alerts.examples import MONTH, alert, score

CONTACT = Contact(reply_to="team@alliance.example")
CALLED = Contact(reply_to="team@alliance.example", person="Ada", telephone="01234 567890")
BASE = alert(score(0.6))
KINDS = {Band.RECOVERING: MessageKind.RECOVERING, Band.NOT_SCORED: MessageKind.NOT_SCORED}


def banded(band: Band, *, decision: dict[str, Any] | None = None, **given: Any) -> Alert:
    made: dict[str, Any] = {"band": band, "kind": KINDS.get(band, MessageKind.CONTINUING), "change": Change.CONTINUING}
    return BASE.model_copy(update={"decision": BASE.decision.model_copy(update=made | (decision or {})), **given})


def said(one: Alert, heading: str) -> list[str]:
    """The text of a section before or behind the fold."""
    letter = alert_letter(one, CONTACT, draw=False)
    (found,) = [s for s in (*letter.sections, *letter.folded) if s.heading == heading]
    texts: list[str] = []
    for block in found.blocks:
        texts += (
            [str(block.text)] if isinstance(block, Para) else list(block.items) if isinstance(block, Bullets) else []
        )
    return texts


def headings(sections: tuple[LetterSection, ...]) -> list[str]:
    return [s.heading for s in sections]


def test_an_alert_that_calls_for_no_message_has_no_letter() -> None:
    with pytest.raises(ValueError, match="The alert of Ashcombe for 2026-10 calls for no message"):
        alert_letter(banded(Band.STEADY, decision={"kind": None}), CONTACT)


@pytest.mark.parametrize(
    ("contact", "offer"),
    [
        (CONTACT, "A person of our team will gladly help: reply to this message."),
        (CALLED, "Ada will gladly help: reply, or call 01234 567890."),
    ],
)
def test_who_helps_and_how(contact: Contact, offer: str) -> None:
    assert alert_letter(BASE, contact, draw=False).contact == offer


def test_a_letter_without_its_picture_says_the_same() -> None:
    drawn, plain = (alert_letter(BASE, CONTACT, draw=draw) for draw in (True, False))
    assert drawn.chart is not None and plain.chart is None
    assert replace(drawn, chart=None) == plain


@pytest.mark.parametrize(
    ("months", "place"),
    [
        (0, "so most of the way may lie ahead."),
        (8, "so most of the way may lie ahead."),
        (9, "you are on the way."),
        (17, "you are on the way."),
        (18, "you are within that time."),
        (24, "you are within that time."),
        (25, "some services need longer."),
    ],
)
def test_a_recovery_says_where_it_stands(months: int, place: str) -> None:
    one = banded(Band.RECOVERING, judged=date(2026, 1, 15), judged_months=months)
    (text,) = said(one, "Where this stands")
    assert text.startswith("The judgement was published in January 2026, ") and text.endswith(place)
    assert f"{months} month{'' if months == 1 else 's'} ago" in text


@pytest.mark.parametrize(("months", "first"), [(None, 0), (8, 0), (9, 1)])
def test_early_in_a_recovery_the_first_advice_is_about_the_spiral(months: int | None, first: int) -> None:
    judged = None if months is None else date(2026, 1, 15)
    one = banded(Band.RECOVERING, judged=judged, judged_months=months)
    assert said(one, "What tends to help in recovery")[0] == wording.RECOVERY_HELPS[first]
    letter = alert_letter(one, CONTACT, draw=False)
    assert ("Where this stands" in headings((*letter.sections, *letter.folded))) is (judged is not None)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (("workforce",), "This follows from your workforce file, which came after our earlier message."),
        (("workforce", "caseload"), "This follows from your workforce and caseload files, which came after"),
        ((), "Your files of this month are the same. An earlier month was restated"),
        (None, "Restated figures are normal, and welcome."),
    ],
)
def test_a_correction_says_why_and_what(files: tuple[str, ...] | None, why: str) -> None:
    note = Correction(
        replaces_revision=1,
        what_changed=("agency rate is 12%", "For the record only: a digest"),
        for_director=True,
        message_revision=2,
        files=files,
    )
    one = banded(Band.WATCH, correction=note)
    first, *changes = said(one, "What changed since our earlier message")
    assert first.startswith(why) and changes == ["Agency rate is 12%."]
    for_record = note.model_copy(update={"for_director": False})
    letter = alert_letter(banded(Band.WATCH, correction=for_record), CONTACT, draw=False)
    assert "What changed since our earlier message" not in headings((*letter.sections, *letter.folded))


def sent(**fates: str) -> tuple[SubmissionFact, ...]:
    return tuple(SubmissionFact(extract=extract, outcome=fate) for extract, fate in fates.items())


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        (sent(workforce="missing"), ["Send the workforce file of October 2026; late is fine."]),
        (
            sent(workforce="missing", caseload="missing", establishment="refused"),
            [
                "Send the workforce and caseload files of October 2026; late is fine.",
                "Put the establishment file of October 2026 right and send it again.",
            ],
        ),
        (sent(workforce="accepted", caseload="accepted with queries", establishment="not read"), []),
    ],
)
def test_what_to_send_is_told_from_the_fate_of_each_file(files: tuple[SubmissionFact, ...], lines: list[str]) -> None:
    text = said(banded(Band.NOT_SCORED, submissions=files, decision={"from_band": Band.STEADY}), "What would help")
    assert text == [*lines, *wording.NOT_SCORED_HELPS]


def test_a_missing_score_leaves_an_open_alert_open_and_after_months_is_itself_a_sign() -> None:
    open_one = banded(Band.NOT_SCORED, submissions=(), decision={"from_band": Band.LOSING_GRIP})
    assert said(open_one, "What would help")[0] == (
        "Our earlier alert (losing grip) stays open until figures can be seen again."
    )
    telling = Told(month=MONTH, band=Band.NOT_SCORED, open_band=Band.STEADY, escalated=True)
    state = BASE.decision.state.model_copy(update={"telling": telling, "months_not_scored": 3})
    long = banded(Band.NOT_SCORED, submissions=(), decision={"from_band": Band.STEADY, "state": state})
    assert said(long, "What would help")[0] == (
        "After 3 months the missing sight is itself worth attention, whatever its cause."
    )
    never = state.model_copy(update={"recent": ()})
    unseen = banded(Band.NOT_SCORED, submissions=(), decision={"from_band": Band.STEADY, "state": never})
    assert said(unseen, "What would help")[0] == wording.NOT_SCORED_HELPS[0]


def test_how_sure_it_is_comes_with_the_counts_behind_it() -> None:
    assert said(BASE, "How sure this is") == [
        "Of ten councils with figures like this, about 6 were judged below good at their next inspection (tried on "
        "the past: 112 of 187). Of any ten, about 2."
    ]
    alone = BASE.model_copy(update={"score": BASE.score.model_copy(update={"track_record": None})})
    assert "next inspection. Of any ten" in said(alone, "How sure this is")[0]
    nothing = BASE.model_copy(update={"score": BASE.score.model_copy(update={"of_ten": None})})
    assert said(nothing, "How sure this is") == [wording.NO_RECORD]
    for band in (Band.NOT_SCORED, Band.FIRST_MONTHS):
        letter = alert_letter(banded(band), CONTACT, draw=False)
        assert "How sure this is" not in headings((*letter.sections, *letter.folded))


def test_how_sure_it_is_stands_last_before_the_fold() -> None:
    letter = alert_letter(BASE, CONTACT, draw=False)
    assert headings(letter.sections)[-1] == "How sure this is"
    helped = [s for s in (*letter.sections, *letter.folded) if s.heading == "What tends to help"]
    assert len(helped) == 1


def test_one_measure_of_concern_has_two_questions_and_several_one_each_never_the_same() -> None:
    shown = shown_facts(BASE)
    worse = [f for f in shown if f.worse]
    assert len(worse) > 1
    every = [q for asked in _asks(BASE, shown).values() for q in asked]
    assert len(every) == len(set(every)) and all(len(asked) == 1 for asked in _asks(BASE, shown).values())
    (one,) = _asks(BASE, worse[:1]).values()
    assert len(one) == 2 and all(q.startswith("Ask ") for q in one)
    assert _asks(BASE, [f.model_copy(update={"toward": None, "neighbours_median": f.value}) for f in worse]) == {}


def test_two_questions_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    (fact,) = [f for f in shown_facts(BASE) if f.worse][:1]
    three = tuple(DirectorsQuestion(f"What of {n}?", "the team") for n in "abc")
    monkeypatch.setattr("flows.alerts.letter.compose.QUESTIONS", {fact.measure: three})
    assert [len(asked) for asked in _asks(BASE, [fact]).values()] == [2]


def test_no_letter_is_cut_off_by_a_mail_program() -> None:
    letter = alert_letter(BASE, CONTACT)
    assert letter is not None
    made = render_letter(letter, key="k", la_code="991", month=MONTH)
    assert len(made.html.encode()) < SIZE_LIMIT_BYTES == 100_000


def caption(**changed: Any) -> str:
    """The caption of one chart with these changes."""
    shown = shown_facts(BASE)[:1]
    (drawn,) = _charts(BASE, shown)
    bare: dict[str, Any] = dict.fromkeys(("lower", "neighbours", "toward"), (None,) * 24)
    one = BASE.model_copy(
        update={"charts": (drawn.model_copy(update=bare | {k: v for k, v in changed.items() if k != "goals"}),)}
    )
    return _caption(one.model_copy(update={"goals": changed.get("goals", ())}), shown)


def test_a_caption_explains_only_the_signs_that_are_drawn() -> None:
    last = (None,) * 23
    measure, before = shown_facts(BASE)[0].measure, date(2026, 9, 1)
    goal = Goal(folder="991", measure=measure, level=0.02, by_month=MONTH, set_by="x", on=before, month=MONTH.plus(-1))
    assert caption() == "Grey: each month."
    assert caption(lower=(*last, 0.1)) == "Grey: each month. Dashed: your usual range."
    assert caption(neighbours=(*last, 0.1)) == "Grey: each month. Dotted: similar councils."
    assert caption(toward=(*last, "concern")) == "Grey: each month. Orange squares: worse than usual."
    assert caption(toward=(*last, "improvement")) == "Grey: each month. Blue dots: better."
    assert caption(settled=0.1) == "Grey: each month. Orange dots: the level before it settled worse."
    assert "Upright line: references were issued anew" in caption(begun_anew=(MONTH,))
    assert _caption(BASE.model_copy(update={"charts": ()}), shown_facts(BASE)) == ""
    assert caption(goals=(goal,)) == "Grey: each month. Green: your own goal."


def test_a_letter_fits_before_its_fold_and_loses_nothing_on_the_way() -> None:
    from flows.alerts.letter.compose import WORDS_BEFORE_THE_FOLD

    long = BASE.model_copy(update={"council": "Ashcombe and " + "Very " * 60 + "Long"})
    letters: list[Letter] = [alert_letter(one, CONTACT, draw=False) for one in (BASE, long)]
    assert len(letters[0].opening.split()) <= WORDS_BEFORE_THE_FOLD
    assert set(headings((*letters[0].sections, *letters[0].folded))) == set(
        headings((*letters[1].sections, *letters[1].folded))
    )


def words_of(letter: Letter) -> int:
    return len(letter.opening.split())


def test_the_first_form_that_fits_is_chosen_to_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """With advice before the fold if there is room, else behind it, else with fewer measures."""
    monkeypatch.setattr(compose, "WORDS_BEFORE_THE_FOLD", 10_000)
    first = alert_letter(BASE, CONTACT, draw=False)
    assert "What tends to help" in headings(first.sections) and headings(first.sections)[-1] == "How sure this is"
    monkeypatch.setattr(compose, "WORDS_BEFORE_THE_FOLD", words_of(first))
    assert alert_letter(BASE, CONTACT, draw=False) == first
    monkeypatch.setattr(compose, "WORDS_BEFORE_THE_FOLD", words_of(first) - 1)
    second = alert_letter(BASE, CONTACT, draw=False)
    assert headings(second.folded)[0] == "What tends to help" and second.points == first.points
    monkeypatch.setattr(compose, "WORDS_BEFORE_THE_FOLD", 0)
    last = alert_letter(BASE, CONTACT, draw=False)
    assert len(last.points) == 1 and headings(last.sections) == ["How sure this is"]
    every = {h for one in (first, second, last) for h in headings((*one.sections, *one.folded))}
    assert all(set(headings((*one.sections, *one.folded))) == every for one in (first, second, last))


def test_what_was_corrected_stays_before_the_fold_and_what_the_council_told_us_need_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note = Correction(replaces_revision=1, what_changed=("The band",), for_director=True, message_revision=2)
    given: dict[str, Any] = {"kind": AnswerKind.ACTION, "words": "Two posts are filled.", "by": "x"}
    reply = Reply(folder="991", month=MONTH.plus(-1), on=date(2026, 10, 20), **given)
    one = banded(Band.WATCH, correction=note, answers=(reply,))
    told = headings(alert_letter(one, CONTACT, draw=False).sections)
    assert told[0] == "What changed since our earlier message" and len(told) > 2
    monkeypatch.setattr(compose, "WORDS_BEFORE_THE_FOLD", 0)
    short = alert_letter(one, CONTACT, draw=False)
    assert headings(short.sections) == ["What changed since our earlier message", "How sure this is"]
    plain = alert_letter(one.model_copy(update={"correction": None}), CONTACT, draw=False)
    assert headings(plain.sections) == ["How sure this is"]


def test_a_letter_gets_shorter_by_one_section_at_a_time_and_keeps_its_correction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note = Correction(replaces_revision=1, what_changed=("The band",), for_director=True, message_revision=2)
    given: dict[str, Any] = {"kind": AnswerKind.ACTION, "words": "Two posts are filled.", "by": "x"}
    reply = Reply(folder="991", month=MONTH.plus(-1), on=date(2026, 10, 20), **given)
    goal = Goal(folder="991", measure="agency_rate_fte", level=0.02, by_month=MONTH, set_by="x", on=date(2026, 9, 1))
    one = banded(Band.WATCH, correction=note, answers=(reply,), goals=(goal,))
    limit, forms = 10_000, list[Letter]()
    while True:
        monkeypatch.setattr(compose, "WORDS_BEFORE_THE_FOLD", limit)
        form = alert_letter(one, CONTACT, draw=False)
        if form in forms:
            break
        forms.append(form)
        limit = words_of(form) - 1
    told = [headings(form.sections) for form in forms]
    assert len(told[0]) > 4 and len(told[-1]) == 2
    assert all(len(before) - len(after) in (0, 1) for before, after in zip(told, told[1:], strict=False)), told
    bare = next(n for n, names in enumerate(told) if len(names) == 2)
    assert forms[bare].points == forms[bare - 1].points, "sections go before measures"
    assert {names[0] for names in told} == {"What changed since our earlier message"}


def advice(one: Alert) -> list[str]:
    return said(one, "What tends to help")


def test_the_stages_advice_comes_second_and_only_with_its_signs_and_several_worse_measures() -> None:
    assert BASE.score.stage is not None
    line = wording.STAGE_HELPS[BASE.score.stage.number]
    assert advice(BASE)[1] == line
    bare = {"stage": None}
    assert line not in advice(BASE.model_copy(update={"score": BASE.score.model_copy(update=bare)}))
    none = BASE.score.stage.model_copy(update={"number": 0})
    assert line not in advice(BASE.model_copy(update={"score": BASE.score.model_copy(update={"stage": none})}))
    unnamed = BASE.score.stage.model_copy(update={"why": ("Something else 3%",)})
    assert line not in advice(BASE.model_copy(update={"score": BASE.score.model_copy(update={"stage": unnamed})}))
    shown = [f.measure for f in shown_facts(BASE) if f.worse]
    for kept in (1, 2):
        quiet = {"toward": None, "level": None}
        some = tuple(f.model_copy(update=quiet) if f.measure in shown[kept:] else f for f in BASE.facts)
        assert (line in advice(BASE.model_copy(update={"facts": some}))) is (kept == 2)


def test_advice_is_for_the_groups_of_what_is_worse_or_general() -> None:
    quiet = tuple(f.model_copy(update={"toward": None, "level": None}) for f in BASE.facts)
    assert advice(BASE.model_copy(update={"facts": quiet})) == list(wording.HELPS_WITHOUT_SIGNS)
    ended = banded(Band.STEADY, decision={"change": Change.RESOLVED, "kind": MessageKind.RESOLVED})
    assert said(ended, "What tends to help now") == list(wording.RESOLVED_HELPS)


def test_two_pieces_of_advice_at_most() -> None:
    assert len(advice(BASE)) == 2
    groups = {f.declared.group for f in shown_facts(BASE) if f.worse}
    assert len(groups) + 1 > 2, "there would be more to say"
    assert len(said(banded(Band.RECOVERING), "What tends to help in recovery")) == 2
