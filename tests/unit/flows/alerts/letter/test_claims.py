"""Every sentence of a letter says only what its facts say: demanded of letters about made-up facts of every kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.measuring.rates import window_of
from features.registry import BY_NAME, Direction, Measure, Unit
from features.words import lower_first
from flows.alerts.alert import Alert, ReasonShown, ScoreShown, shown_measures
from flows.alerts.answers import Reply
from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact, Series
from flows.alerts.letter.charts import ALT_FITS, alt_text
from flows.alerts.letter.compose import WORDS_BEFORE_THE_FOLD, Contact, alert_letter
from flows.alerts.letter.figures import number_words, value_text
from flows.alerts.letter.letter import Letter
from flows.alerts.letter.questions import QUESTIONS
from flows.alerts.letter.render import render_letter
from flows.alerts.look_first import of_concern
from flows.alerts.state import Band, Change, MessageKind
from flows.settings.answer_form import AnswerKind
from tests.unit.flows.alerts.examples import MONTH, alert, score, series
from tests.unit.flows.alerts.letter.refused import refused_in

MEASURES = [m for m in BY_NAME.values() if m.direction is not Direction.NONE and m.name in QUESTIONS]
KINDS = {
    MessageKind.NEW_WATCH: (Band.WATCH, Change.NEW, Band.STEADY),
    MessageKind.NEW_LOSING_GRIP: (Band.LOSING_GRIP, Change.NEW, Band.STEADY),
    MessageKind.WORSENING: (Band.LOSING_GRIP, Change.WORSENING, Band.WATCH),
    MessageKind.CONTINUING: (Band.WATCH, Change.CONTINUING, Band.WATCH),
    MessageKind.EASING: (Band.WATCH, Change.EASING, Band.LOSING_GRIP),
    MessageKind.RESOLVED: (Band.STEADY, Change.RESOLVED, Band.WATCH),
    MessageKind.RECOVERING: (Band.RECOVERING, Change.CONTINUING, Band.RECOVERING),
}


def values(measure: Measure) -> st.SearchStrategy[float]:
    top = 1.0 if measure.unit is Unit.FRACTION else 60.0 if measure.unit is not Unit.PER_10K else 900.0
    return st.floats(0, top).map(lambda v: round(v, 4))


@st.composite
def facts(draw: st.DrawFn) -> dict[str, MeasureFact]:
    found = {}
    for measure in draw(st.lists(st.sampled_from(MEASURES), unique=True, max_size=9)):
        number = values(measure)
        toward = draw(st.sampled_from([None, None, CONCERN, CONCERN, IMPROVEMENT]))
        low, high = sorted((draw(number), draw(number)))
        found[measure.name] = MeasureFact(
            measure=measure.name,
            value=draw(st.one_of(number, st.none())) if toward is None else draw(number),
            year_ago=draw(st.one_of(st.none(), number)),
            neighbours_median=draw(st.one_of(st.none(), number)),
            neighbours_reported=9,
            usual_low=draw(st.sampled_from([low, None])) if toward is None else low,
            usual_high=high,
            rule=draw(st.sampled_from(["point", "shift", "trend", "near_limit"])) if toward else None,
            level=draw(st.sampled_from([None, None, CONCERN, IMPROVEMENT])),
            mean_before=draw(st.one_of(st.none(), number)),
            toward=toward,
            small_base=draw(st.booleans()),
        )
    return found


def charts_of(shown: tuple[MeasureFact, ...]) -> tuple[Series, ...]:
    made = []
    for fact in shown:
        one = series(fact.measure, 0.1, 0.0, 0.01, 0.1, fact.toward)
        if window_of(fact.declared) is None and fact.value is not None:
            one = one.model_copy(update={"values": (*one.values[:-1], fact.value)})
        made.append(one)
    return tuple(made)


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    own = draw(facts())
    kind = draw(st.sampled_from(list(KINDS)))
    band, change, before = KINDS[kind]
    made = alert(score(0.6))
    shares = st.floats(-1, 1).map(lambda v: round(v, 3))
    reasons = (
        [
            ReasonShown(feature=m, measure=m, is_context=False, share=draw(shares), sentence=m)
            for m in draw(st.lists(st.sampled_from(sorted(own)), unique=True))
        ]
        if own
        else []
    )
    deprivation = "Deprivation score 6; a typical council 23"
    reasons.append(
        ReasonShown(feature="imd_score", measure=None, is_context=True, share=draw(shares), sentence=deprivation)
    )
    shown = ScoreShown(**{**made.score.model_dump(), "reasons": tuple(reasons)})
    quieted = draw(st.sampled_from([None, *sorted(own)]))
    told = (
        ()
        if quieted is None
        else (
            Reply(
                folder="991",
                month=MONTH.plus(-1),
                kind=AnswerKind.KNOWN,
                words="Two teams merge in November and their managers change; we know of it. " * 4,
                by="director",
                on=MONTH.first_day,
                measure=quieted,
                quiet_until=MONTH.plus(2),
            ),
        )
    )
    chosen = shown_measures(shown, own, change, behind=() if quieted is None else (quieted,))
    return made.model_copy(
        update={
            "facts": tuple(own.values()),
            "charts": charts_of(chosen),
            "score": shown,
            "answers": told,
            "decision": made.decision.model_copy(
                update={"kind": kind, "band": band, "change": change, "from_band": before, "send": True}
            ),
        }
    )


def whole(letter: Letter) -> str:
    return " ".join(render_letter(letter, key="k", la_code="991", month=MONTH).text.split())


def names(measure: str, text: str) -> bool:
    label = re.escape(lower_first(BY_NAME[measure].label))
    return re.search(rf"(?<![\w])(?:{label})(?! \()(?![\w])", text, flags=re.I) is not None


@settings(max_examples=40, deadline=None)
@given(alerts())
def test_the_lead_names_only_what_signals_and_counts_it_rightly(one: Alert) -> None:
    letter = alert_letter(one, Contact(), draw=False)
    better = one.decision.change in (Change.RESOLVED, Change.EASING)
    for fact in one.facts:
        if fact.toward not in (CONCERN, IMPROVEMENT) and not fact.worse:
            assert not any(names(fact.measure, part) for part in (letter.lead, letter.subject)) or any(
                lower_first(fact.declared.label) in lower_first(o.declared.label) and o is not fact for o in one.facts
            )
        if fact.toward == IMPROVEMENT and not better:
            assert not names(fact.measure, letter.subject)
    worse = of_concern(one.facts)
    if not better:
        if worse:
            counted = f"{number_words(len(worse))} {'measure' if len(worse) == 1 else 'measures'} "
            assert counted in letter.lead.lower()
            settled, moving = any(f.settled_worse for f in worse), any(f.toward == CONCERN for f in worse)
            assert ("settled at a worse level" in letter.lead) == settled
            assert ("worse than your usual pattern" in letter.lead) == moving
        else:
            assert re.search("no (single )?measure is worse|too few months yet", letter.lead.lower())
            assert ("too few months" in letter.lead) == (not one.usual_is_known)


@settings(max_examples=40, deadline=None)
@given(alerts())
def test_a_point_is_called_worse_only_if_it_signals_so_and_a_change_is_one(one: Alert) -> None:
    for point in alert_letter(one, Contact(), draw=False).points:
        fact = next(f for f in one.facts if f.declared.label == point.label)
        assert fact.value is not None and point.value == value_text(fact.declared, fact.value)
        assert point.worse == fact.worse
        assert ("worse" in point.detail.lower() or "outside" in point.detail.lower()) <= fact.worse
        assert ("no longer moving" in point.detail) == fact.settled_worse
        if fact.year_ago is None:
            assert "year ago" not in point.detail
            continue
        then = value_text(fact.declared, fact.year_ago)
        if moved := re.match(r"(Up|Down) from (\S+) a year ago", point.detail):
            assert moved[2] == then != point.value
            assert (moved[1] == "Up") == (fact.value > fact.year_ago)
        else:
            assert point.detail.startswith("The same as a year ago") and then == point.value


@settings(max_examples=40, deadline=None)
@given(alerts())
def test_one_name_has_one_number(one: Alert) -> None:
    text = whole(alert_letter(one, Contact(), draw=False))
    for fact in one.facts:
        longer = [m.label for m in BY_NAME.values() if m.label.lower().endswith(f" {fact.declared.label.lower()}")]
        if longer:
            continue  # “Managers who left” stands inside “Senior managers who left”
        label = re.escape(fact.declared.label[1:])
        for number in re.findall(rf"{label}(?: \(worse\))?:? (−?\d[\d.,]*%?)(?![\w])", text):
            assert fact.value is not None
            assert number.rstrip(".,") == value_text(fact.declared, fact.value).rstrip(".,")


@settings(max_examples=60, deadline=None)
@given(alerts(), st.integers(200, WORDS_BEFORE_THE_FOLD))
def test_the_chart_draws_what_the_points_say_and_nothing_else(one: Alert, room: int) -> None:
    drawn: list[str] = []

    def noted(series: Sequence[Series]) -> None:
        drawn.extend(BY_NAME[s.measure].label for s in series)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.alerts.letter.compose.draw_chart", noted)
        patch.setattr("flows.alerts.letter.compose.WORDS_BEFORE_THE_FOLD", room)
        letter = alert_letter(one, Contact())
    charted = {BY_NAME[s.measure].label for s in one.charts}
    assert drawn == [p.label for p in letter.points if p.label in charted]


@settings(max_examples=40, deadline=None)
@given(alerts())
def test_a_stage_is_said_only_with_its_signs_and_never_beside_the_band(one: Alert) -> None:
    letter = alert_letter(one, Contact(), draw=False)
    assert " stage " not in letter.opening
    said = re.search(r"The signs of this month are those of stage .*? The signs: (.*)", whole(letter))
    assert (said is not None) == bool(one.stage_signs)
    for fact in one.stage_signs:
        assert said is not None and fact.declared.label in said[1]


@settings(max_examples=40, deadline=None)
@given(alerts())
def test_a_known_cause_is_not_asked_about_and_not_hidden(one: Alert) -> None:
    letter = alert_letter(one, Contact(), draw=False)
    for measure in one.quiet:
        fact = one.fact(measure)
        assert fact is not None
        others = {q.text for m in QUESTIONS if m != measure and (f := one.fact(m)) and f.worse for q in QUESTIONS[m]}
        for question in QUESTIONS[measure]:
            assert question.text in others or not any(question.text[1:] in ask for ask in letter.asks)
        if fact.value is not None:
            assert f"It is {value_text(fact.declared, fact.value)} now" in whole(letter)


@settings(max_examples=40, deadline=None)
@given(alerts())
def test_a_letter_is_short_before_the_fold_and_plain(one: Alert) -> None:
    letter = alert_letter(one, Contact(person="Asha Bell", telephone="01632 960 123"), draw=False)
    assert WORDS_BEFORE_THE_FOLD == 350
    assert len(letter.opening.split()) <= WORDS_BEFORE_THE_FOLD
    headings = [s.heading for s in (*letter.sections, *letter.folded)]
    assert len(headings) == len(set(headings)), "advice stands once, before the fold or behind it"
    text = whole(letter)
    assert refused_in(text) == []
    if one.charts:
        assert len(alt_text(one.charts)) <= ALT_FITS
    assert re.search(r"Deprivation score 6; a typical council 23: this (raises|lowers) the estimate", text) or not any(
        r.is_context and r.share for r in one.score.reasons
    )
