"""The sections of a letter below its first screen: what each says, and when it says it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from features.registry import BY_NAME, Missing
from flows.alerts.alert import NO_REASONS, Alert, Correction, NotKnown
from flows.alerts.facts import CONCERN, MeasureFact, SubmissionFact
from flows.alerts.letter.details import begins, detail_sections, footer
from flows.alerts.letter.letter import Bullets, LetterSection, Para
from flows.alerts.state import Band
from models.score import LevelKnown
from tests.unit.flows.alerts.examples import alert, score

BASE = alert(score(0.6))


def lines(section: LetterSection) -> list[str]:
    """The section's text, a paragraph or bullet each."""
    found: list[str] = []
    for block in section.blocks:
        if isinstance(block, Para):
            found.append(str(block.text))
        elif isinstance(block, Bullets):
            found += [f"* {item}" for item in block.items]
    return found


def section(one: Alert, title: str, shown: tuple[MeasureFact, ...] = ()) -> list[str]:
    (found,) = [s for s in detail_sections(one, shown) if s.heading == title]
    return lines(found)


def banded(band: Band, **given: Any) -> Alert:
    return BASE.model_copy(update={"decision": BASE.decision.model_copy(update={"band": band}), **given})


def scored(**given: Any) -> Alert:
    return BASE.model_copy(update={"score": BASE.score.model_copy(update=given)})


def fact(measure: str, **given: Any) -> MeasureFact:
    made: dict[str, Any] = {"value": 0.25, "neighbours_median": 0.2} | given
    return MeasureFact(measure=measure, **made)


def test_a_letter_without_a_score_does_not_say_what_a_score_rests_on() -> None:
    titles = [s.heading for s in detail_sections(BASE, ())]
    assert titles == [
        "What was not known",
        "The files we received",
        "What this rests on",
        "What this is not, and how to object",
    ]
    for band in (Band.NOT_SCORED, Band.FIRST_MONTHS):
        assert "What this rests on" not in [s.heading for s in detail_sections(banded(band), ())]


def test_measures_that_are_worse_and_not_shown_above_are_listed() -> None:
    worse = [fact(m, toward=CONCERN) for m in ("unallocated_rate", "agency_rate_fte")]
    settled = fact("vacancy_rate_fte", level=CONCERN)
    one = BASE.model_copy(update={"facts": tuple(worse)})
    assert section(one, "What this rests on", (worse[0],))[:2] == [
        "Also worse than your usual pattern:",
        "* Agency rate 25%",
    ]
    both = BASE.model_copy(update={"facts": (*worse, settled)})
    assert section(both, "What this rests on", (worse[0],))[:3] == [
        "Also worse than your usual pattern, or settled at a worse level:",
        "* Agency rate 25%",
        "* Vacancy rate 25%",
    ]
    assert "Also worse" not in " ".join(section(one, "What this rests on", tuple(worse)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "is 60%, and could reasonably lie anywhere from 48% to 71%. Read it with"),
        ({"interval_low": None}, "is 60%. Read it with"),
        ({"interval_high": None}, "is 60%. Read it with"),
    ],
)
def test_the_estimate_comes_with_its_interval_if_it_has_one(given: dict[str, Any], words: str) -> None:
    assert words in " ".join(section(scored(**given), "What this rests on"))


def test_what_is_known_of_the_score_is_said_and_nothing_else() -> None:
    level = {"level": LevelKnown(1, date(2026, 10, 30), "ILACS")}
    text = " ".join(section(scored(**level), "What this rests on"))
    assert "The two numbers above follow 1 ILACS judgement published up to 30 October 2026." in text
    assert "model itself changed" not in text
    bare = scored(level=None, reasons=(), probability_below_good=None)
    text = " ".join(section(bare, "What this rests on"))
    assert "judgement published" not in text and "Circumstances" not in text and "estimate that" not in text
    assert NO_REASONS not in text
    assert NO_REASONS in " ".join(section(scored(reasons=()), "What this rests on"))
    changed = BASE.model_copy(update={"decision": BASE.decision.model_copy(update={"model_changed": True})})
    assert "The model itself changed since last month." in " ".join(section(changed, "What this rests on"))


def test_four_circumstances_are_named_and_which_way_they_push() -> None:
    (about,) = [r for r in BASE.score.reasons if r.is_context]
    shares = (0.2, -0.2, 0.0, 0.1, 0.3, 0.4)
    reasons = tuple(
        about.model_copy(update={"share": s, "sentence": f"circumstance {i}"}) for i, s in enumerate(shares)
    )
    text = section(scored(reasons=reasons), "What this rests on")
    assert [line for line in text if line.startswith("* Circumstance")] == [
        "* Circumstance 0: this raises the estimate.",
        "* Circumstance 1: this lowers the estimate.",
        "* Circumstance 3: this raises the estimate.",
        "* Circumstance 4: this raises the estimate.",
    ]


def gap(reason: Missing, *labels: str) -> NotKnown:
    return NotKnown(reason=str(reason), labels=labels)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("Agency rate", "Vacancy rate"), "* Agency rate and vacancy rate: "),
        (tuple(f"Rate {n}" for n in range(5)), "* Rate 0, rate 1, rate 2, rate 3 and rate 4: "),
        (tuple(f"Rate {n}" for n in range(6)), "* Rate 0, rate 1, rate 2, rate 3 and 2 more: "),
        (("Managers, senior", "Vacancy rate"), "* Managers, senior; vacancy rate: "),
    ],
)
def test_what_was_not_known_is_named_up_to_five(labels: tuple[str, ...], words: str) -> None:
    one = BASE.model_copy(update={"not_known": (gap(Missing.NOT_REPORTED, *labels),), "facts": ()})
    (line,) = section(one, "What was not known")
    assert line == f"{words}{Missing.in_words(Missing.NOT_REPORTED)}."


def test_measures_without_neighbours_are_counted_if_they_have_a_value() -> None:
    alone = [fact(m, neighbours_median=None) for m in ("agency_rate_fte", "vacancy_rate_fte")]
    alone[1] = alone[1].model_copy(update={"value": None})
    alone.append(fact("turnover_rate_fte", neighbours_median=None))
    one = BASE.model_copy(update={"not_known": (), "facts": (*alone, fact("unallocated_rate"))})
    assert section(one, "What was not known") == [
        "* 2 measures could not be compared: too few similar councils reported."
    ]


def test_a_letter_in_which_all_is_known_says_so() -> None:
    all_known = BASE.model_copy(update={"not_known": (), "facts": ()})
    assert section(all_known, "What was not known") == ["Every measure we use could be worked out from your files."]
    first = banded(Band.FIRST_MONTHS, not_known=(gap(Missing.WINDOW_INCOMPLETE, "Turnover in 12 months"),), facts=())
    assert section(first, "What was not known") == ["Only the figures that need more months, as said above."]
    later = BASE.model_copy(update={"not_known": first.not_known, "facts": ()})
    assert section(later, "What was not known")[0].startswith("* Turnover in 12 months: ")


def test_what_became_of_the_files_and_who_has_the_rest() -> None:
    good = SubmissionFact(extract="workforce", outcome="accepted", received=date(2026, 11, 4))
    bad = good.model_copy(update={"extract": "caseload", "errors": 2, "outcome": "used in part"})
    one = BASE.model_copy(update={"submissions": (good,)})
    assert section(one, "The files we received") == ["* Workforce: received 4 November, used."]
    both = BASE.model_copy(update={"submissions": (good, bad)})
    assert section(both, "The files we received")[-1].startswith("Your data officer has the full list")
    assert section(BASE.model_copy(update={"submissions": ()}), "The files we received") == [
        "Nothing was expected or received for this month."
    ]


def test_a_joint_return_is_about_both_councils() -> None:
    said = section(BASE, "What this is not, and how to object")
    joint = BASE.model_copy(update={"la_code": "314 / 318", "council": "Kingston and Richmond"})
    (more,) = set(section(joint, "What this is not, and how to object")) - set(said)
    assert more.startswith("Kingston and Richmond report together, so this is about the joint return as a whole.")


def test_the_foot_names_sender_revision_and_model() -> None:
    sent = BASE.model_copy(update={"provenance": BASE.provenance.model_copy(update={"known_by": "2026-11-04"})})
    assert footer(sent, "the team", "team@example.org") == (
        "From the team; replies go to team@example.org.",
        "October 2026. Files received up to 4 November 2026. Scored by baseline, version 3.",
    )
    second = Correction(replaces_revision=1, what_changed=("x",), for_director=True, message_revision=2)
    revised = scored(probability_below_good=None).model_copy(update={"correction": second})
    assert footer(revised, "the team", "x")[1].startswith("October 2026, revision 2. Files")
    assert "Model in use: baseline, version 3." in footer(revised, "the team", "x")[1]


def test_what_begins_when_is_told_by_the_months_it_needs() -> None:
    names = ("turnover_rate_fte", "absence_rate_fte", "closure_ratio_3m")
    labels = [BY_NAME[n].label for n in names]
    welcome = banded(Band.FIRST_MONTHS, not_known=(gap(Missing.WINDOW_INCOMPLETE, *labels),))
    assert lines(begins(welcome))[:2] == [
        f"* Later: {labels[2][0].lower()}{labels[2][1:]}. It needs three months in a row.",
        "* Later: turnover in 12 months and sickness absence in 12 months. They need twelve months in a row.",
    ]
    due = welcome.model_copy(update={"first_score": date(2027, 6, 15)})
    assert [line.partition(":")[0] for line in lines(begins(due))[:2]] == [
        "* Once no month is left out",  # three months, nine before the first score's: August 2026 is over
        "* From the files of May 2027",
    ]
