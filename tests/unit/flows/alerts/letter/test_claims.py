"""Every sentence of a letter says only what its facts say: demanded of letters about made-up facts of every kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.batch import Severity
from expectations.fates import Fate
from features.measuring.rates import window_of
from features.months import Month
from features.registry import BY_NAME, Direction, Group, Measure, Missing, Unit
from features.words import lower_first
from flows.alerts.alert import NO_REASONS, Alert, Correction, NotKnown, ReasonShown, ScoreShown, shown_measures
from flows.alerts.answers import Goal, Reply, earlier
from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact, Series, SubmissionFact
from flows.alerts.letter.charts import ALT_FITS, alt_text
from flows.alerts.letter.compose import WORDS_BEFORE_THE_FOLD, Contact, alert_letter
from flows.alerts.letter.figures import number_words, value_text
from flows.alerts.letter.letter import Letter
from flows.alerts.letter.questions import QUESTIONS
from flows.alerts.letter.render import render_letter
from flows.alerts.look_first import far_outside, of_concern, seen_at_first
from flows.alerts.publish import director_changes
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


#: Kinds whose letters rest on no score.
UNSCORED = {
    MessageKind.NOT_SCORED: (Band.NOT_SCORED, Change.NONE, Band.WATCH),
    MessageKind.FIRST_MONTHS: (Band.FIRST_MONTHS, Change.NEW, None),
}
FATES = st.sampled_from(list(Fate))


def _unscored(one: Alert, sent: Sequence[Fate], waits: Sequence[str], due: date) -> Alert:
    """The same facts in a month without a score: files with these fates, and measures that wait for more months."""
    now = alert(score(None)).score
    files = tuple(
        SubmissionFact(extract=k, outcome=f.value, received=None if f is Fate.MISSING else due)
        for k, f in zip(("workforce", "establishment", "caseload"), sent, strict=True)
    )
    lost = NotKnown(reason=Missing.WINDOW_INCOMPLETE, labels=tuple(BY_NAME[m].label for m in waits))
    gone = {"score": now, "submissions": files, "first_score": due, "not_known": (lost,) if waits else ()}
    return one.model_copy(update={**gone, "facts": tuple(f for f in one.facts if f.measure not in waits)})


@st.composite
def every_kind(draw: st.DrawFn) -> Alert:
    """Letters of every kind: with a score, without one, of the first months, on the recovery watch."""
    one = draw(alerts())
    own = [m for m in MEASURES if m.group is not Group.SIGHT]
    goals = draw(st.lists(st.sampled_from(own), unique=True, max_size=2))
    aims = tuple(
        Goal(
            folder="991",
            measure=m.name,
            level=draw(values(m)),
            by_month=MONTH.plus(draw(st.integers(-2, 12))),
            set_by="director",
            on=MONTH.first_day,
            month=MONTH.plus(draw(st.integers(-3, 0))),
            start=draw(st.one_of(st.none(), values(m))),
        )
        for m in goals
    )
    judged = MONTH.plus(-draw(st.integers(1, 40))).first_day
    one = one.model_copy(update={"goals": aims, "judged": judged if one.decision.band is Band.RECOVERING else None})
    kind = draw(st.sampled_from([None, *UNSCORED]))
    if kind is None:
        return one
    band, change, before = UNSCORED[kind]
    waits = [m.name for m in draw(st.lists(st.sampled_from(MEASURES), unique=True, max_size=7))]
    due = MONTH.plus(draw(st.integers(2, 12))).last_day
    one = _unscored(one, draw(st.tuples(FATES, FATES, FATES)), waits, due)
    state = one.decision.state if draw(st.booleans()) else one.decision.state.model_copy(update={"recent": ()})
    decided = {"kind": kind, "band": band, "change": change, "from_band": before, "state": state}
    chosen = (
        seen_at_first({f.measure: f for f in one.facts})
        if band is Band.FIRST_MONTHS
        else shown_measures(one.score, {f.measure: f for f in one.facts}, change, behind=one.quiet)
    )
    return one.model_copy(update={"decision": one.decision.model_copy(update=decided), "charts": charts_of(chosen)})


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
    refused = draw(st.sampled_from([False, False, True]))
    shown = ScoreShown(**{**made.score.model_dump(), "reasons": () if refused else tuple(reasons)})
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


@given(every_kind())
def test_a_point_is_called_worse_only_if_it_signals_so_and_a_change_is_one(one: Alert) -> None:
    for point in alert_letter(one, Contact(), draw=False).points:
        fact = next(f for f in one.facts if f.declared.label == point.label)
        assert fact.value is not None and point.value == value_text(fact.declared, fact.value)
        assert point.worse == fact.worse
        assert ("worse" in point.detail.lower() or "outside your" in point.detail.lower()) <= fact.worse
        assert ("ettled at a worse level" in point.detail) == fact.settled_worse
        far = far_outside(fact) and fact.toward not in (CONCERN, IMPROVEMENT) and not fact.settled_worse
        assert ("ar from similar councils" in point.detail) == far
        assert ("Within your own usual pattern" in point.detail) == (far and fact.usual_low is not None)
        if said := re.search(r"utside your usual range \((\S+) to (\S+)\)", point.detail):
            of = re.search(r"alone(?:, as a yearly rate,)? (\S+):", point.detail)
            shown, low, high = (of[1] if of else point.value, said[1], said[2])
            assert ("just outside" in point.detail.lower()) == (shown in (low, high)), "a figure is outside its range"
        if fact.rule in ("shift", "trend") and fact.worse:
            assert "since" not in point.detail, "the rule itself says for how long"
        if fact.year_ago is None:
            assert "year ago" not in point.detail
            continue
        then = value_text(fact.declared, fact.year_ago)
        if moved := re.match(r"(Up|Down) from (\S+) a year ago", point.detail):
            assert moved[2] == then != point.value
            assert (moved[1] == "Up") == (fact.value > fact.year_ago)
        else:
            assert point.detail.startswith("The same as a year ago") and then == point.value


@given(every_kind())
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


@given(every_kind(), st.integers(200, WORDS_BEFORE_THE_FOLD))
def test_the_chart_draws_what_the_points_say_and_nothing_else(one: Alert, room: int) -> None:
    drawn: list[str] = []

    def noted(series: Sequence[Series], goals: object) -> None:
        drawn.extend(BY_NAME[s.measure].label for s in series)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.alerts.letter.compose.draw_chart", noted)
        patch.setattr("flows.alerts.letter.compose.WORDS_BEFORE_THE_FOLD", room)
        letter = alert_letter(one, Contact())
    charted = {BY_NAME[s.measure].label for s in one.charts}
    said = [p.label for p in letter.points if p.label in charted]
    aims = [BY_NAME[m].label for m in dict.fromkeys(g.measure for g in earlier(one.goals, MONTH))]
    assert drawn == [*said, *(a for a in aims if a in charted and a not in said)]


@given(alerts())
def test_a_stage_is_said_only_with_its_signs_and_never_beside_the_band(one: Alert) -> None:
    letter = alert_letter(one, Contact(), draw=False)
    assert " stage " not in letter.opening
    said = re.search(r"The signs of this month are those of stage .*? The signs: (.*)", whole(letter))
    assert (said is not None) == bool(one.stage_signs)
    for fact in one.stage_signs:
        assert said is not None and fact.declared.label in said[1]


@given(every_kind())
def test_a_known_cause_is_not_asked_about_and_not_hidden(one: Alert) -> None:
    letter = alert_letter(one, Contact(), draw=False)
    for measure in one.quiet:
        fact = one.fact(measure)
        if fact is None:
            continue  # this month it is not known
        others = {q.text for m in QUESTIONS if m != measure and (f := one.fact(m)) and f.worse for q in QUESTIONS[m]}
        asks = [ask for p in letter.points for ask in p.asks]
        for question in QUESTIONS[measure]:
            assert question.text in others or not any(question.text[1:] in ask for ask in asks)
        if fact.value is not None:
            figure = value_text(fact.declared, fact.value)
            assert f"It is {figure} now" in whole(letter)
            if fact in of_concern(one.facts) and one.decision.band is not Band.FIRST_MONTHS:
                own = next((p for p in letter.points if p.label == fact.declared.label), None)
                assert f"{lower_first(fact.declared.label)} {figure}" in letter.in_hand or (
                    own is not None and own.value == figure and own.known.startswith("Known and in hand")
                ), "before the fold, however many other measures there are"


@given(every_kind())
def test_each_measure_of_concern_has_its_question_and_no_other_has_one(one: Alert) -> None:
    letter = alert_letter(one, Contact(), draw=False)
    by_label = {m.label: m for m in MEASURES}
    first = one.decision.band is Band.FIRST_MONTHS
    far = {f.declared.label for f in one.facts if far_outside(f) and not first}
    worse = [p for p in letter.points if p.worse or p.label in far]
    worse = [p for p in worse if by_label[p.label].name not in one.quiet]
    said: set[str] = set()
    for point in worse:
        offered = [q for q in QUESTIONS[by_label[point.label].name] if q.text not in said]
        assert bool(point.asks) == bool(offered)
        said |= {q.text for q in offered if any(q.text[1:] in ask for ask in point.asks)}
        assert all(ask.startswith(tuple(f"Ask {q.who}: " for q in offered)) for ask in point.asks)
    assert not any(p.asks for p in letter.points if not p.worse and p.label not in far)
    assert ("what to ask this week" in letter.points_heading) == any(p.asks for p in worse)


@given(every_kind())
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
    unscored = one.decision.kind in UNSCORED
    assert unscored or (NO_REASONS in text) is not bool(one.score.reasons)


@given(every_kind())
def test_a_letter_without_a_score_claims_none_and_asks_for_the_files_that_are_wanting(one: Alert) -> None:
    letter = alert_letter(one, Contact(), draw=False)
    text = whole(letter)
    unscored = one.decision.kind in UNSCORED
    for claim in ("ten councils", "estimate", "those of stage", "Scored by"):
        assert not unscored or claim not in text
    assert ("Every measure we use could be worked out" in text) <= (not one.not_known)
    if one.decision.kind is MessageKind.NOT_SCORED:
        assert letter.lead == one.score.not_scored
        ever_scored = bool(one.decision.state.recent)
        assert ("restore" in letter.title) == ever_scored
        assert ever_scored or "missing sight" not in text
        assert all(p.worse or "far from similar" in p.detail for p in letter.points)
        lines = re.findall(r"\* (?:Send|Put) the (.*?) files? of", text)
        asked = {word for line in lines for word in re.findall(r"\w+", line)}
        wanting = {s.extract for s in one.submissions if s.fate.fate.severity is Severity.ERROR}
        assert asked - {"and"} == wanting
    if one.decision.kind is MessageKind.FIRST_MONTHS:
        assert "missing sight" not in text and "worth attention" not in text
        assert one.first_score is not None and f"{one.first_score:%B %Y}" in letter.lead
        begun = re.compile(r"\* From the files of (\w+ \d+): (.*?)\. (?:It|They) needs? (\w+)")
        for begins, labels, months in begun.findall(text):
            first = next(m for n in range(1, 14) if (m := one.month.plus(n)).in_words == begins)
            window = next(n for n in range(13) if number_words(n) == months)
            assert first == Month.of(one.first_score).plus(window - 13)
            assert labels


@given(every_kind())
def test_goals_and_the_time_of_recovery_say_what_is_so_without_blame(one: Alert) -> None:
    text = whole(alert_letter(one, Contact(), draw=False))
    for goal in one.goals:
        fact = one.fact(goal.measure)
        label = re.escape(BY_NAME[goal.measure].label)
        said = re.search(rf"{label}: your goal is (\S+) by .*?(?=\* |How |What |Where |$)", text)
        assert (said is not None) == (goal.month is not None and goal.month < one.month)
        if said is None:
            continue
        reached = fact is not None and fact.value is not None and goal.reached(fact.value)
        assert ("the goal is reached" in said[0]) == reached
        assert ("to go" in said[0]) <= (goal.by_month > one.month)
        assert not re.search(r"fail|missed|behind|late", said[0])
    if one.judged is not None and one.decision.band is Band.RECOVERING:
        months = one.months_since_judged
        assert f"{months} month" in text
        assert ("you are within that time" in text) == (18 <= months <= 24)


@given(alerts(), st.data())
def test_a_correction_names_what_differs_and_only_that(one: Alert, data: st.DataObject) -> None:
    chosen = [f for f in one.facts if f.value is not None and data.draw(st.booleans())]
    moved = {f.measure: data.draw(values(f.declared)) for f in chosen}
    facts = tuple(f.model_copy(update={"value": moved.get(f.measure, f.value)}) for f in one.facts)
    band = data.draw(st.sampled_from([Band.STEADY, Band.WATCH, Band.LOSING_GRIP]))
    now = one.model_copy(update={"facts": facts, "decision": one.decision.model_copy(update={"band": band})})
    changes = tuple(director_changes(one, now))
    note = Correction(replaces_revision=1, what_changed=changes, for_director=True, message_revision=2)
    letter = alert_letter(now.model_copy(update={"revision": 2, "correction": note}), Contact(), draw=False)
    assert letter.subject.endswith("corrected message for October 2026")
    assert any("The band is now" in c for c in changes) == (band is not one.decision.band)
    for change in changes:
        assert change.removesuffix(".") in whole(letter)
        if found := re.fullmatch(r"(.*) is (\S+), not (\S+)", change):
            fact = next(f for f in now.facts if f.declared.label == found[1])
            old = one.fact(fact.measure)
            assert fact.value is not None and old is not None and old.value is not None
            assert (found[2], found[3]) == tuple(value_text(fact.declared, v) for v in (fact.value, old.value))
            assert found[2] != found[3]
