"""Answers and goals: which are kept, which a month mentions, and what the letter says of the way to a goal."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from features.errors import HoldfastError
from features.months import Month
from flows.alerts.answers import (
    Goal,
    Reply,
    _kept_at,
    answers_up_to,
    earlier,
    goals_of,
    known_causes,
    record_answer,
    record_goal,
    with_answers,
    with_goals,
)
from flows.alerts.letter.heard import goal_words
from flows.settings.answer_form import AnswerKind
from flows.store.local import LocalStore
from tests.unit.flows.alerts.examples import MONTH, alert, score


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def reply(month: Month = MONTH, **given: Any) -> Reply:
    made: dict[str, Any] = {"folder": "991", "kind": AnswerKind.KNOWN, "words": "Two posts are filled.", "by": "DCS"}
    return Reply(**made | {"month": month, "on": date(2026, 11, 20)} | given)


def goal(**given: Any) -> Goal:
    made: dict[str, Any] = {"folder": "991", "measure": "agency_rate_fte", "level": 0.15, "set_by": "DCS"}
    return Goal(**made | {"by_month": MONTH.plus(3), "on": date(2026, 11, 20)} | given)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, True),
        ({"words": " "}, False),
        ({"measure": "no_such"}, False),
        ({"measure": "agency_rate_fte", "quiet_until": MONTH.plus(1)}, True),
        ({"measure": "agency_rate_fte", "quiet_until": MONTH.plus(12)}, True),
        ({"measure": "agency_rate_fte", "quiet_until": MONTH.plus(13)}, False),
        ({"measure": "agency_rate_fte", "quiet_until": MONTH}, False),
        ({"quiet_until": MONTH.plus(1)}, False),
        ({"measure": "agency_rate_fte", "quiet_until": MONTH.plus(1), "kind": AnswerKind.ACTION}, False),
    ],
)
def test_an_answer_has_words_and_puts_one_known_measure_behind_for_a_year(
    store: LocalStore, given: dict[str, Any], kept: bool
) -> None:
    if kept:
        assert record_answer(store, reply(**given)) == f"answers/{MONTH}/991/1.json"
        assert record_answer(store, reply(**given)) == f"answers/{MONTH}/991/2.json"
    else:
        with pytest.raises(HoldfastError):
            record_answer(store, reply(**given))
    assert with_answers(store) == ({"991"} if kept else frozenset())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, True),
        ({"level": 0.0}, True),
        ({"level": 1.0}, True),
        ({"level": 1.1}, False),
        ({"level": -0.1}, False),
        ({"measure": "caseload_fte", "level": 16.0}, True),
        ({"measure": "extracts_late_rate"}, False),
        ({"by_month": MONTH}, False),
        ({"by_month": MONTH.plus(1)}, True),
    ],
)
def test_a_goal_is_a_possible_level_of_a_measure_in_a_month_to_come(
    store: LocalStore, given: dict[str, Any], kept: bool
) -> None:
    if kept:
        record_goal(store, goal(**given), MONTH)
    else:
        with pytest.raises(HoldfastError):
            record_goal(store, goal(**given), MONTH)
    assert with_goals(store) == ({"991"} if kept else frozenset())


def test_of_two_goals_for_a_measure_the_later_stands(store: LocalStore) -> None:
    for level in (0.3, 0.2):
        record_goal(store, goal(level=level), MONTH)
    assert [g.level for g in goals_of(store, "991")] == [0.2]


@pytest.mark.parametrize(
    ("back", "until", "mentioned"), [(6, None, True), (7, None, False), (7, 0, True), (7, -1, False)]
)
def test_an_answer_is_mentioned_for_six_months_or_while_it_applies(
    store: LocalStore, back: int, until: int | None, mentioned: bool
) -> None:
    applies = {} if until is None else {"measure": "agency_rate_fte", "quiet_until": MONTH.plus(until)}
    given = reply(MONTH.plus(-back), **applies)
    record_answer(store, given)
    assert answers_up_to(store, "991", MONTH) == ((given,) if mentioned else ())
    assert answers_up_to(store, "992", MONTH) == answers_up_to(store, "991", MONTH.plus(-back - 1)) == ()


def test_a_measure_is_behind_from_the_month_after_the_answer_up_to_the_month_it_names() -> None:
    given = reply(measure="agency_rate_fte", quiet_until=MONTH.plus(2))
    assert [bool(known_causes([given], MONTH.plus(n))) for n in range(4)] == [False, True, True, False]
    assert [bool(earlier([given], MONTH.plus(n))) for n in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("level", "start", "left", "says"),
    [
        # Agency staff are 23% in the made-up month.
        (0.24, 0.30, 3, "the goal is reached"),
        (0.15, 0.235, 3, "in September 2026; 3 months to go"),
        (0.15, 0.244, 3, "a first part of the way; 3 months to go"),
        (0.15, 0.27, 3, "about a third of the way"),
        (0.15, 0.31, 1, "about half of the way; 1 month to go"),
        (0.20, 0.30, 3, "about two thirds of the way"),
        (0.23, 0.40, 3, "most of the way"),
        (0.15, 0.31, 0, "another month or level can be set"),
    ],
)
def test_the_way_to_a_goal_in_words(level: float, start: float, left: int, says: str) -> None:
    now = alert(score(0.6))
    text = goal_words(goal(level=level, start=start, month=MONTH.plus(-1), by_month=MONTH.plus(left)), now)
    assert says in text, text
    assert text.startswith("Agency")


def test_a_goal_set_on_this_months_message_has_no_way_yet() -> None:
    assert "from" not in goal_words(goal(start=0.3, month=MONTH), alert(score(0.6)))


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        (f"answers/{MONTH}/991/1.json", True),
        (f"answers/{MONTH}/992/1.json", False),
        (f"answers/{MONTH.plus(1)}/991/1.json", False),
    ],
)
def test_an_answer_in_another_place_is_another_councils_or_months(name: str, sound: bool) -> None:
    parse = _kept_at(Reply, name)
    if sound:
        assert parse(reply().model_dump(mode="json")) == reply()
    else:
        with pytest.raises(ValueError, match="another council's"):
            parse(reply().model_dump(mode="json"))


def test_a_goal_is_of_no_month() -> None:
    assert _kept_at(Goal, "goals/991/1.json")(goal().model_dump(mode="json")) == goal()
    with pytest.raises(ValueError, match="another council's"):
        _kept_at(Goal, "goals/992/1.json")(goal().model_dump(mode="json"))
