"""Subject, title and the sentence at the top, for every band and change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from flows.alerts.alert import Alert, Correction
from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact
from flows.alerts.letter.headline import lead, points_heading, subject, title
from flows.alerts.state import Band, BandPoint, Change, Drift, MessageKind
from tests.unit.flows.alerts.examples import MONTH, alert, score

BASE = alert(score(0.6))
TITLES: list[tuple[Band, Change, Band | None, str]] = [
    (Band.STEADY, Change.NONE, None, "Steady"),
    (Band.STEADY, Change.RESOLVED, Band.WATCH, "Back to steady"),
    (Band.WATCH, Change.NEW, None, "Now on watch"),
    (Band.WATCH, Change.NEW, Band.STEADY, "Moved from steady to watch"),
    (Band.WATCH, Change.NEW, Band.RECOVERING, "Moved from recovering to watch"),
    (Band.WATCH, Change.NEW, Band.LOSING_GRIP, "Now on watch"),
    (Band.LOSING_GRIP, Change.NEW, None, "Now losing grip"),
    (Band.LOSING_GRIP, Change.WORSENING, Band.WATCH, "Moved from watch to losing grip"),
    (Band.LOSING_GRIP, Change.WORSENING, Band.LOSING_GRIP, "Still losing grip, and the signs are stronger"),
    (Band.WATCH, Change.WORSENING, None, "Still on watch, and the signs are stronger"),
    (Band.WATCH, Change.EASING, Band.LOSING_GRIP, "Eased from losing grip to watch"),
    (Band.WATCH, Change.EASING, None, "Eased to watch"),
    (Band.WATCH, Change.CONTINUING, Band.WATCH, "Still on watch, since July 2026"),
]


def said(band: Band, change: Change, before: Band | None = None, **given: Any) -> Alert:
    """The made-up alert with another decision; the band before was that of the month before."""
    bands = (BandPoint(month=MONTH.plus(-1), band=before),) if before else ()
    state = BASE.decision.state.model_copy(update={"since": MONTH.plus(-3), "bands": bands, **given.pop("state", {})})
    decision: dict[str, Any] = {"band": band, "change": change, "from_band": before, "state": state}
    decision |= given.pop("decision", {"kind": MessageKind.CONTINUING})
    return BASE.model_copy(update={"decision": BASE.decision.model_copy(update=decision), **given})


def fact(measure: str, **given: Any) -> MeasureFact:
    return MeasureFact(measure=measure, value=0.3, **given)


WORSE = [fact(m, toward=CONCERN) for m in ("unallocated_rate", "agency_rate_fte", "vacancy_rate_fte")]
SETTLED = [fact(m, level=CONCERN) for m in ("unallocated_rate", "agency_rate_fte", "vacancy_rate_fte")]
BETTER = [fact(m, toward=IMPROVEMENT) for m in ("turnover_rate_fte", "absence_rate_fte", "caseload_fte")]


@pytest.mark.parametrize(("band", "change", "before", "words"), TITLES)
def test_band_and_change_are_the_title(band: Band, change: Change, before: Band | None, words: str) -> None:
    assert title(said(band, change, before)) == words


def test_a_band_that_no_month_before_had_is_not_moved_from() -> None:
    first = said(Band.WATCH, Change.NEW, Band.STEADY, state={"bands": ()})
    assert title(first) == "Now on watch"


@pytest.mark.parametrize(
    ("change", "worse", "words"),
    [
        (Change.NEW, 0, "The recovery watch begins"),
        (Change.WORSENING, 2, "Recovering: stability needs attention"),
        (Change.CONTINUING, 0, "Recovering: no measure worse than usual"),
        (Change.CONTINUING, 1, "Recovering: one measure worse than usual"),
        (Change.EASING, 2, "Recovering: two measures worse than usual"),
    ],
)
def test_the_title_of_a_recovery_counts_what_is_worse(change: Change, worse: int, words: str) -> None:
    facts = (fact("re_referral_rate", usual_low=0.1), *WORSE[:worse])
    one = said(Band.RECOVERING, change, facts=facts, decision={"kind": MessageKind.RECOVERING})
    assert title(one) == words


def test_a_recovery_whose_usual_pattern_is_not_known_yet() -> None:
    new = said(
        Band.RECOVERING, Change.CONTINUING, facts=(fact("caseload_fte"),), decision={"kind": MessageKind.RECOVERING}
    )
    assert title(new) == "Recovering"
    assert lead(new, ()) == "There are too few months yet to know your usual pattern."


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"recent": (), "months_not_scored": 3}, "No score yet, and what it needs"),
        ({"months_not_scored": 1}, "No score this month, and what would restore it"),
        ({"months_not_scored": 2}, "No score for 2 months, and what would restore it"),
    ],
)
def test_the_title_of_a_month_without_a_score(state: dict[str, Any], words: str) -> None:
    one = said(Band.NOT_SCORED, Change.NEW, state=state, decision={"kind": MessageKind.NOT_SCORED})
    assert title(one) == words
    assert lead(one, ()) == "Too little was received to give a score."
    missing = one.model_copy(update={"score": one.score.model_copy(update={"not_scored": "agency rate is missing"})})
    assert lead(missing, ()) == "Agency rate is missing."


@pytest.mark.parametrize(
    ("change", "words"),
    [(Change.NEW, "Welcome: what we see now"), (Change.CONTINUING, "Your first months: what we see now")],
)
def test_the_first_months(change: Change, words: str) -> None:
    one = said(Band.FIRST_MONTHS, change, decision={"kind": MessageKind.FIRST_MONTHS})
    assert title(one) == words
    assert lead(one, ()).startswith("A score needs twelve months of files; the first is due. Until then")
    due = one.model_copy(update={"first_score": date(2027, 3, 15)})
    assert "; the first is due on 15 March 2027, if each month's files come. Until then" in lead(due, ())


def corrected(*changes: str) -> Alert:
    correction = Correction(replaces_revision=1, what_changed=changes, for_director=True, message_revision=2)
    return said(Band.WATCH, Change.CONTINUING, Band.WATCH, correction=correction)


def test_a_correction_says_so_and_names_three_changes() -> None:
    one = corrected("Agency rate is 12%", "Vacancy rate is 3%", "The band is watch", "A fourth")
    assert title(one) == "A correction: still on watch, since July 2026"
    assert subject(one, WORSE) == "Ashcombe: corrected message for October 2026"
    assert lead(one, ()) == (
        "Our earlier message for October 2026 no longer holds: agency rate is 12%; vacancy rate is 3%; the band is "
        "watch."
    )


def test_a_subject_names_two_measures_of_what_is_new_or_worse_if_they_fit() -> None:
    new = said(Band.WATCH, Change.NEW)
    assert subject(new, WORSE) == "Ashcombe, October 2026: now on watch (cases without a worker, agency rate)"
    assert subject(new, BETTER) == subject(new, []) == "Ashcombe, October 2026: now on watch"
    assert "(cases without a worker)" in subject(new, [WORSE[0], BETTER[0], WORSE[1]])
    assert "(" not in subject(said(Band.WATCH, Change.CONTINUING, Band.WATCH), WORSE)
    assert "(" not in subject(said(Band.STEADY, Change.NEW), WORSE)
    assert "(agency" in subject(said(Band.LOSING_GRIP, Change.WORSENING, Band.WATCH), WORSE[1:])
    # 110 characters are shown; one more, and the measures are left out.
    room = 110 - len(subject(new, WORSE))
    fits = new.model_copy(update={"council": "Ashcombe" + "e" * room})
    assert len(subject(fits, WORSE)) == 110
    assert subject(fits.model_copy(update={"council": f"{fits.council}e"}), WORSE).endswith(": now on watch")


@pytest.mark.parametrize(
    ("shown", "asked", "words"),
    [
        ([], False, "What weighs most in the comparison"),
        ([], True, "What weighs most in the comparison, and what to ask this week"),
        (WORSE, False, "Look at first"),
        (WORSE, True, "Look at first, and what to ask this week"),
        (BETTER, False, "What is better"),
        ([*BETTER, *WORSE], False, "What is better, and what is not yet"),
        ([*BETTER, *WORSE], True, "What is better, what is not yet, and what to ask this week"),
    ],
)
def test_the_heading_says_what_the_measures_have_in_common(shown: list[MeasureFact], asked: bool, words: str) -> None:
    assert points_heading(said(Band.WATCH, Change.NEW), shown, asked=asked) == words


def test_the_heading_where_there_is_no_score() -> None:
    assert points_heading(said(Band.FIRST_MONTHS, Change.NEW), WORSE, asked=False) == "What we see now"
    assert points_heading(said(Band.NOT_SCORED, Change.NEW), WORSE, asked=False) == "What can still be seen"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (WORSE[:1], "One measure is worse than your usual pattern: cases without a worker."),
        (WORSE[:2], "Two measures are worse than your usual pattern: cases without a worker and agency rate."),
        (WORSE, "Three measures are worse than your usual pattern."),
        (SETTLED[:1], "One measure has settled at a worse level: cases without a worker."),
        (SETTLED[:2], "Two measures have settled at a worse level: cases without a worker and agency rate."),
        (
            [WORSE[0], SETTLED[1]],
            "Two measures are worse than your usual pattern or have settled at a worse level: cases without a worker "
            "and agency rate.",
        ),
        (
            [fact("caseload_fte", usual_low=0.1)],
            "No single measure is worse than your usual pattern; taken together, your figures resemble those of "
            "councils that were later judged below good.",
        ),
        (
            [fact("caseload_fte")],
            "There are too few months yet to know your usual pattern; taken together, your figures resemble those of "
            "councils that were later judged below good.",
        ),
    ],
)
def test_the_sentence_counts_what_is_worse(facts: list[MeasureFact], words: str) -> None:
    assert lead(said(Band.WATCH, Change.NEW, facts=tuple(facts)), facts) == words


def test_a_recovery_without_anything_worse_is_said_plainly() -> None:
    known = (fact("caseload_fte", usual_low=0.1),)
    one = said(Band.RECOVERING, Change.CONTINUING, facts=known)
    assert lead(one, known) == "No measure is worse than your usual pattern this month."


@pytest.mark.parametrize(("months", "words"), [(1, "Since last month the picture"), (6, "Over six months the picture")])
def test_a_rise_is_said_first(months: int, words: str) -> None:
    drift = Drift(score_change=0.2, score_change_months=months, score_rising=True)
    one = said(Band.WATCH, Change.NEW, facts=tuple(WORSE), decision={"kind": MessageKind.NEW_WATCH, "drift": drift})
    assert lead(one, WORSE) == f"{words} as a whole has worsened, and three measures are worse than your usual pattern."


def test_what_is_better_and_what_is_still_worse_when_an_alert_ends_or_eases() -> None:
    facts = (*BETTER, WORSE[0])
    ended = said(Band.STEADY, Change.RESOLVED, Band.WATCH, facts=facts)
    assert lead(ended, ()) == (
        "Taken together, your figures no longer call for an alert; better than usual: turnover in 12 months, sickness "
        "absence in 12 months and one more; still worse than usual: cases without a worker."
    )
    eased = said(Band.WATCH, Change.EASING, Band.LOSING_GRIP, facts=())
    assert lead(eased, ()) == ("Taken together, your figures give less cause for concern than when we last wrote.")
    recovering = said(Band.RECOVERING, Change.EASING, facts=facts)
    assert lead(recovering, [WORSE[0]]) == "One measure is worse than your usual pattern: cases without a worker."
