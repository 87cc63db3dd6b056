"""What one judgement says of what was said before it, and how many of them make up a card."""

from __future__ import annotations

from datetime import date

import pytest

from features.months import Month
from flows.alerts.scorecard import Hindsight, JudgedCouncil, MonthStatement, Scorecard, _said
from flows.alerts.state import Band
from tests.unit.flows.alerts.examples import MONTH, alert, score

START = Month(2026, 3)
DAY = date(2027, 5, 3)
Said = tuple[Band, float | None]


def judged(*said: Said, below: bool = False, framework: str = "ILACS", code: str = "801") -> JudgedCouncil:
    """A judgement after these months; a month without a score stays as open as the one before."""
    months: list[MonthStatement] = []
    for back, (band, number) in enumerate(said):
        still = band is Band.NOT_SCORED and bool(months) and months[-1].is_open
        is_open = band in (Band.WATCH, Band.LOSING_GRIP) or still
        months.append(MonthStatement(START.plus(back), band, number, is_open))
    return JudgedCouncil("Ashby", code, DAY, "Good", framework, below, tuple(months))


STEADY, WATCH, UNSEEN = (Band.STEADY, 0.08), (Band.WATCH, 0.5), (Band.NOT_SCORED, None)


@pytest.mark.parametrize(
    ("said", "below", "verdict", "open_months", "score"),
    [
        ((WATCH,), True, Hindsight.HIT, 1, 0.5),
        ((STEADY, WATCH, UNSEEN), True, Hindsight.HIT, 2, 0.5),
        ((WATCH, WATCH), False, Hindsight.FALSE_ALARM, 2, 0.5),
        ((WATCH, STEADY), True, Hindsight.MISS, 0, 0.08),
        ((STEADY, UNSEEN), False, Hindsight.QUIET, 0, 0.08),
        ((UNSEEN,), True, Hindsight.UNSEEN, 0, None),
        ((WATCH, (Band.RECOVERING, 0.9)), True, Hindsight.RECOVERY, 0, 0.9),
        ((UNSEEN, (Band.RECOVERING, None)), False, Hindsight.RECOVERY, 0, None),
    ],
)
def test_what_was_said_turns_out_to_be(
    said: tuple[Said, ...], below: bool, verdict: Hindsight, open_months: int, score: float | None
) -> None:
    one = judged(*said, below=below)
    assert (one.verdict, one.open_months, one.score) == (verdict, open_months, score)


def test_a_judgement_is_told_with_every_band_before_it() -> None:
    quiet = judged(*[STEADY] * 13, (Band.STEADY, 0.12))
    assert quiet.sentence == (
        "Ashby (801), judged Good on 3 May 2027: no alert, judged good or better. Before it: steady from March 2026 "
        "(14 months, scores 8% to 12%)."
    )
    alarm = judged(STEADY, WATCH, UNSEEN)
    assert alarm.sentence == (
        "Ashby (801), judged Good on 3 May 2027: alert open, judged good or better. The alert had stood open for 2 "
        "months. Before it: steady from March 2026 (1 month, score 8%); watch from April 2026 (1 month, score 50%); "
        "not scored from May 2026 (1 month)."
    )
    assert "had stood open" in judged(WATCH, below=True).sentence
    assert "had stood open" not in judged(WATCH, STEADY, below=True).sentence


def card(*judgements: JudgedCouncil) -> list[str]:
    return list(Scorecard(judgements, START).lines)


def test_a_card_counts_each_result_those_that_matter_even_if_there_are_none() -> None:
    lines = card(judged(WATCH, below=True), judged(WATCH, below=True), judged(UNSEEN))
    assert lines[:6] == [
        "3 judgements since this group's first alert, of March 2026.",
        "Alert open, judged below good: 2.",
        "No alert, judged below good: 0.",
        "Alert open, judged good or better: 0.",
        "No alert, judged good or better: 0.",
        "No score before: 1.",
    ]
    assert card(judged(WATCH))[0].startswith("1 judgement since")


@pytest.mark.parametrize(
    ("score", "group"),
    [
        (0.0, "from 0% to 20%"),
        (0.2, "from 20% to 40%"),
        (0.4, "from 40% to 60%"),
        (0.6, "from 60% to 100%"),
        (1.0, "from 60% to 100%"),
    ],
)
def test_scores_are_grouped_with_what_came(score: float, group: str) -> None:
    (line,) = [one for one in card(judged((Band.WATCH, score), below=True)) if one.startswith("Scores ")]
    assert line == f"Scores {group}: {score:.0%} on average, 1 of 1 judged below good."


def test_what_was_expected_is_laid_beside_what_was_seen_for_each_framework() -> None:
    one, other = judged((Band.WATCH, 0.5), below=True), judged((Band.STEADY, 0.1))
    assert "Below good: 0.6 expected by the last scores, 1 seen, of 2 scored." in card(one, other)
    renewed = judged((Band.WATCH, 0.7), framework="Renewed 2027")
    lines = card(one, renewed, judged(UNSEEN))
    assert "Below good under ILACS: 0.5 expected by the last scores, 1 seen, of 1 scored." in lines
    assert "Below good under Renewed 2027: 0.7 expected by the last scores, 0 seen, of 1 scored." in lines


def test_months_of_warning_are_those_of_hits_shortest_first() -> None:
    hits = judged(WATCH, WATCH, WATCH, below=True), judged(WATCH, below=True)
    assert "Months of warning before publication: 1, 3." in card(*hits, judged(WATCH, WATCH))
    assert not [line for line in card(judged(STEADY, below=True)) if line.startswith("Months of warning")]


def test_what_is_not_counted_is_listed_too() -> None:
    note = "A report of no framework."
    assert Scorecard((), None, (note,)).lines == ("This group has no alert yet.", note)
    assert Scorecard((), START, (note,)).lines[1:] == (note,)
    assert note in Scorecard((judged(WATCH),), START, (note,)).lines
    assert Scorecard((judged(WATCH),), START).to_markdown().splitlines()[:3] == [
        "## After inspectors came, in this group",
        "",
        "- 1 judgement since this group's first alert, of March 2026.",
    ]


@pytest.mark.parametrize(
    ("band", "scored_band", "is_open"),
    [
        (Band.WATCH, Band.WATCH, True),
        (Band.LOSING_GRIP, Band.LOSING_GRIP, True),
        (Band.STEADY, Band.STEADY, False),
        (Band.NOT_SCORED, Band.WATCH, True),
        (Band.NOT_SCORED, Band.STEADY, False),
        (Band.RECOVERING, Band.WATCH, False),
        (Band.FIRST_MONTHS, Band.STEADY, False),
    ],
)
def test_an_alert_is_open_while_its_band_says_so_and_through_months_without_a_score(
    band: Band, scored_band: Band, is_open: bool
) -> None:
    one = alert(score(0.6))
    state = one.decision.state.model_copy(update={"scored_band": scored_band})
    decision = one.decision.model_copy(update={"band": band, "state": state})
    said = _said(one.model_copy(update={"decision": decision}))
    assert (said.month, said.band, said.score, said.is_open) == (MONTH, band, 0.6, is_open)
