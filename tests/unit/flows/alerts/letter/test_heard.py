"""What a letter says back: the way to a goal in words, and which of a council's answers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from flows.alerts.alert import Alert
from flows.alerts.answers import Goal, Reply
from flows.alerts.facts import MeasureFact
from flows.alerts.letter.heard import answer_line, answer_sections, answer_sentence, goal_words
from flows.alerts.letter.letter import Bullets
from flows.settings.answer_form import AnswerKind
from tests.unit.flows.alerts.examples import MONTH, alert, score

BASE = alert(score(0.6))


def goal(**given: Any) -> Goal:
    made: dict[str, Any] = {"folder": "991", "measure": "agency_rate_fte", "level": 0.2, "set_by": "DCS"}
    return Goal(**made | {"by_month": MONTH.plus(3), "on": date(2026, 8, 20), "month": MONTH.plus(-2)} | given)


def with_rate(value: float | None, **given: Any) -> Alert:
    return BASE.model_copy(update={"facts": (MeasureFact(measure="agency_rate_fte", value=value),), **given})


@pytest.mark.parametrize(
    ("now", "way"),
    [
        (0.40, ""),  # nothing moved
        (0.42, ""),  # away from it
        (0.391, ""),  # less than a twentieth of the way
        (0.39, ", a first part of the way"),
        (0.37, ", a first part of the way"),
        (0.36, ", about a third of the way"),
        (0.33, ", about a third of the way"),
        (0.31, ", about half of the way"),
        (0.27, ", about two thirds of the way"),
        (0.23, ", most of the way"),
    ],
)
def test_the_way_to_a_goal_is_told_in_words(now: float, way: str) -> None:
    text = goal_words(goal(start=0.4), with_rate(now))
    assert text == (
        f"Agency rate: your goal is 20% by January 2027. It is {now:.0%}, from 40% in August 2026{way}; 3 months to go."
    )


def test_a_way_that_the_figures_as_shown_do_not_show_is_not_told() -> None:
    text = goal_words(goal(start=0.404, level=0.396), with_rate(0.3998))
    assert "It is 40%, from 40% in August 2026; 3 months to go." in text


def test_a_way_can_begin_at_nought() -> None:
    rising = goal(measure="assessments_in_time_rate", level=0.8, start=0.0)
    facts = (MeasureFact(measure="assessments_in_time_rate", value=0.4),)
    text = goal_words(rising, BASE.model_copy(update={"facts": facts}))
    assert "It is 40%, from 0% in August 2026, about half of the way; 3 months to go." in text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"start": 0.4, "month": MONTH}, "It is 30%; 3 months to go."),
        ({"start": 0.4, "month": None}, "It is 30%; 3 months to go."),
        ({"start": None}, "It is 30%; 3 months to go."),
        ({"start": 0.3}, "It is 30%, from 30% in August 2026; 3 months to go."),
        ({"by_month": MONTH.plus(1)}, "It is 30%; 1 month to go."),
        ({"by_month": MONTH}, "It is 30%; another month or level can be set."),
        ({"level": 0.3}, "It is 30%: the goal is reached."),
        ({"level": 0.3, "start": 0.4}, "It is 30%, from 40% in August 2026: the goal is reached."),
    ],
)
def test_a_goal_says_where_it_stands(given: dict[str, Any], words: str) -> None:
    text = goal_words(goal(**given), with_rate(0.3), whose="the council's")
    assert text.startswith("Agency rate: the council's goal is ") and text.endswith(words)


@pytest.mark.parametrize(
    ("now", "way"),
    [(19.0, "a first part"), (18.0, "about a third"), (16.0, "about half"), (14.0, "about two thirds"), (12.0, "most")],
)
def test_each_part_of_the_way_begins_at_its_limit(now: float, way: str) -> None:
    """From 20 cases to 10: a tenth, a fifth, two, three and four fifths of the way are done."""
    fewer = goal(measure="caseload_fte", level=10.0, start=20.0)
    one = BASE.model_copy(update={"facts": (MeasureFact(measure="caseload_fte", value=now),)})
    assert f", {way} of the way; 3 months to go." in goal_words(fewer, one)


def test_a_goal_of_a_figure_that_is_not_known_says_so() -> None:
    aim = "Agency rate: your goal is 20% by January 2027"
    assert goal_words(goal(), with_rate(None)) == f"{aim}. The figure is not known this month."
    assert goal_words(goal(), BASE.model_copy(update={"facts": ()})) == f"{aim}."


def reply(**given: Any) -> Reply:
    made: dict[str, Any] = {"folder": "991", "kind": AnswerKind.KNOWN, "words": "Two posts are filled.", "by": "DCS"}
    return Reply(**made | {"month": MONTH.plus(-1), "on": date(2026, 10, 20)} | given)


QUIET: dict[str, Any] = {"measure": "agency_rate_fte", "quiet_until": MONTH.plus(2)}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (AnswerKind.OBJECTION, "You objected in October 2026 to our message of September 2026: "),
        (AnswerKind.EXPLANATION, "You explained in October 2026, on our message of September 2026: "),
        (AnswerKind.KNOWN, "You told us in October 2026 of a cause that is known and in hand: "),
        (AnswerKind.ACTION, "You told us in October 2026 what you have begun: "),
        (AnswerKind.CONFIRMED, "You confirmed in October 2026 the files of September 2026: "),
    ],
)
def test_an_answer_is_said_back_in_the_words_of_its_kind(kind: AnswerKind, words: str) -> None:
    assert answer_sentence(reply(kind=kind), BASE) == f"{words}“Two posts are filled”."


def test_a_cause_in_hand_is_said_with_its_figure_and_until_when() -> None:
    answer = reply(**QUIET)
    known = with_rate(0.3, answers=(answer,))
    assert answer_sentence(answer, known).endswith(
        ", about agency rate: “Two posts are filled”. It is 30% now. Until December 2026 we put other measures first."
    )
    assert " now." not in answer_sentence(answer, with_rate(None, answers=(answer,)))
    over = with_rate(0.3)
    assert "Until" not in answer_sentence(answer, over), "it is not in hand this month"


def test_a_long_answer_is_cut_at_a_word_in_the_letter_and_whole_on_the_region_page() -> None:
    long = reply(words="word " * 30)
    assert f"“{'word ' * 18}word …”." in answer_sentence(long, BASE)
    assert answer_line(long).count("word") == 30
    assert answer_line(reply(**QUIET)) == (
        "Known, in hand, on the message of September 2026, about agency rate: “Two posts are filled.” (DCS, 20 October "
        "2026). Others go first until December 2026."
    )


def told(*answers: Reply, goals: tuple[Goal, ...] = ()) -> dict[str, int]:
    sections = answer_sections(with_rate(0.3, answers=answers, goals=goals))
    return {s.heading: len(b.items) for s in sections for b in s.blocks if isinstance(b, Bullets)}


def test_two_answers_are_said_back_those_in_hand_first_and_every_goal() -> None:
    assert told() == {}
    assert told(goals=(goal(), goal(measure="vacancy_rate_fte"))) == {"Your own goals": 2}
    three = [reply(words=f"answer {n}", kind=AnswerKind.ACTION) for n in range(3)]
    assert told(*three) == {"Your answers": 2}
    (section,) = answer_sections(with_rate(0.3, answers=(reply(**QUIET), *three)))
    (block,) = section.blocks
    assert isinstance(block, Bullets)
    assert "known and in hand" in block.items[0] and "answer 2" in block.items[1]
    assert told(reply(month=MONTH)) == {}, "an answer to this month's message is of the next"
