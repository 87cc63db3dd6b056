"""A council's answers and the goals it set itself. They are kept for good.

    answers/2026-10/370/1.json    the first answer to October's alert
    goals/370/1.json              the first goal; a later one for the same measure takes its place

Every object is created once and never changed. The alert that is answered gets a revision that contains the answer, and
alerts of later months contain the answers given before them, so that their letters mention them. An answer changes no
band, no score and no figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import Field

from features.errors import HoldfastError
from features.months import Month
from features.registry import BY_NAME, Direction, Group, Measure
from flows.alerts.state import MonthField, Record
from flows.settings.answer_form import LONGEST_ANSWER, AnswerKind
from flows.store.port import AlreadyThere, Store
from flows.store.reading import read_json, sealed

_JSON = "application/json"
#: For how many months later alerts mention an answer.
MENTIONED_MONTHS = 6
#: A cause counts as known for at most a year; then the question is asked again.
_QUIET_MONTHS = 12


class Reply(Record):
    """One answer of a director or an officer to the alert of a month."""

    folder: str
    month: MonthField
    """The month of the alert that it answers."""
    revision: int = 1
    """The revision of the alert that was valid at the time of the answer."""
    kind: AnswerKind
    words: Annotated[str, Field(max_length=LONGEST_ANSWER)]
    by: str
    """Who answered, by role or name. Never the name of a child or a case."""
    on: date
    measure: str = ""
    """The measure it is about, if it is about one."""
    quiet_until: MonthField | None = None
    """Until the end of this month the measure is listed after others, with the reason. It is never left out."""

    @property
    def label(self) -> str:
        """The measure in words."""
        return BY_NAME[self.measure].label if self.measure else ""


class Goal(Record):
    """A level of one measure that a council wants to reach by a month."""

    folder: str
    measure: str
    level: float
    """The level in the measure's own unit: 0.15 for 15%."""
    by_month: MonthField
    set_by: str
    on: date
    month: MonthField | None = None
    """The month whose message it answers; None in goals of version 0.1.0."""
    start: float | None = None
    """The measure's value in that month, if the message's alert has it."""

    def reached(self, value: float) -> bool:
        """Whether a value is at the level or better."""
        return value <= self.level if BY_NAME[self.measure].direction is Direction.HIGH else value >= self.level


_Kept = TypeVar("_Kept", Reply, Goal)


def _kept_at(form: type[_Kept], name: str) -> Callable[[Any], _Kept]:
    """A parser for the answer or goal of that name. Raises ValueError if it is another council's or month's."""
    *place, _ = name.split("/")

    def parse(found: Any) -> _Kept:
        one = form.model_validate(found)
        if one.folder != place[-1] or (place[0] == "answers" and str(one.month) != place[1]):
            raise ValueError("another council's")
        return one

    return parse


def record_answer(store: Store, answer: Reply) -> str:
    """Store an answer and return its name. Raises HoldfastError, with what to do, if it cannot be stored."""
    if not answer.words.strip():
        raise HoldfastError("An answer needs words. Say in a sentence what the council replied.")
    if answer.measure:
        _known(answer.measure)
    if answer.quiet_until is not None:
        if not answer.measure or answer.kind is not AnswerKind.KNOWN:
            raise HoldfastError("Only “known, in hand” about one measure can put it behind others. Name the measure.")
        if not answer.month < answer.quiet_until <= answer.month.plus(_QUIET_MONTHS):
            raise HoldfastError(
                f"A measure can go behind others from the month after {answer.month.in_words} for at most "
                f"{_QUIET_MONTHS} months. Give a month up to {answer.month.plus(_QUIET_MONTHS)}."
            )
    return _append(store, f"answers/{answer.month}/{answer.folder}/", answer)


def record_goal(store: Store, goal: Goal, month: Month) -> str:
    """Store a goal set on the message of a month and return its name. Raises HoldfastError if it cannot be a goal."""
    declared = _known(goal.measure)
    if declared.direction is Direction.NONE or declared.group is Group.SIGHT:
        raise HoldfastError(f"“{declared.label}” has no better side. Choose a measure of the council's own work.")
    if goal.level < 0 or (declared.bounded and goal.level > 1):
        raise HoldfastError(f"“{declared.label}” lies between 0% and 100%. Give the level as a fraction: 0.15 is 15%.")
    if goal.by_month <= month:
        raise HoldfastError(f"A goal lies ahead: give a month after {month.in_words}.")
    return _append(store, f"goals/{goal.folder}/", goal)


def answers_up_to(store: Store, folder: str, month: Month) -> tuple[Reply, ...]:
    """A council's answers to the alerts of a month and of the months before it, and older ones that still apply."""
    kept = [
        read_json(store, o.name, _kept_at(Reply, o.name))
        for o in store.list("answers/")
        if o.name.split("/")[2] == folder and Month.parse(o.name.split("/")[1]) <= month
    ]
    heard = [
        a
        for a in kept
        if month.minus(a.month) <= MENTIONED_MONTHS or (a.quiet_until is not None and month <= a.quiet_until)
    ]
    return tuple(sorted(heard, key=lambda a: (a.month, a.on, a.kind, a.measure, a.words)))


def answers_to(store: Store, folder: str, month: Month) -> tuple[Reply, ...]:
    """A council's answers to the alert of one month, oldest first."""
    found = [read_json(store, o.name, _kept_at(Reply, o.name)) for o in store.list(f"answers/{month}/{folder}/")]
    return tuple(sorted(found, key=lambda a: (a.on, a.kind, a.measure, a.words)))


def goals_of(store: Store, folder: str) -> tuple[Goal, ...]:
    """A council's current goals: for each measure, the one set last."""
    numbered = sorted(store.list(f"goals/{folder}/"), key=lambda o: int(o.name.rsplit("/", 1)[1].split(".")[0]))
    goals = (read_json(store, o.name, _kept_at(Goal, o.name)) for o in numbered)
    latest = {goal.measure: goal for goal in goals}
    return tuple(latest[m] for m in sorted(latest))


def with_answers(store: Store) -> frozenset[str]:
    """The councils (by folder) that have ever answered. Needs one listing."""
    return frozenset(o.name.split("/")[2] for o in store.list("answers/"))


def with_goals(store: Store) -> frozenset[str]:
    """The councils (by folder) that have set a goal. Needs one listing."""
    return frozenset(o.name.split("/")[1] for o in store.list("goals/"))


def known_causes(answers: Sequence[Reply], month: Month) -> dict[str, Reply]:
    """The measures whose cause is known and in hand in a month, with the answers that say so."""
    return {a.measure: a for a in answers if a.quiet_until is not None and a.month < month <= a.quiet_until}


def earlier(given: Sequence[_Kept], month: Month) -> tuple[_Kept, ...]:
    """The answers or goals that the message of a month mentions: those given to earlier messages."""
    return tuple(one for one in given if one.month is None or one.month < month)


def _known(measure: str) -> Measure:
    if measure not in BY_NAME:
        raise HoldfastError(
            f"There is no measure “{measure}”. The data dictionary (docs/data-dictionary.md) names them."
        )
    return BY_NAME[measure]


def _append(store: Store, prefix: str, kept: _Kept) -> str:
    """Create the object with the next free number. If two write at once, one gets the number after."""
    document = kept.model_dump(mode="json")
    number = 1 + sum(1 for _ in store.list(prefix))
    while True:
        name = f"{prefix}{number}.json"
        try:
            store.create(name, sealed(name, document), content_type=_JSON)
        except AlreadyThere:
            number += 1
            continue
        return name
