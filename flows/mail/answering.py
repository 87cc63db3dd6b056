"""Stores answers from the form or the command line, and finds objections that wait for the data team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from features.councils import Council, Register, folder_name
from features.errors import HoldfastError, SettingsError
from features.months import Month
from features.registry import BY_NAME, Unit
from features.words import lower_first
from flows.alerts.answers import MENTIONED_MONTHS, Goal, Reply, answers_to, record_answer, record_goal, with_answers
from flows.alerts.letter.figures import is_ratio, value_text
from flows.alerts.publish import latest_alert, readable_alerts
from flows.settings.answer_form import AnswerKind, AnswerRequest
from flows.settings.settings import ClaimSettings
from flows.store.claims import Owner, claimed, wall_clock
from flows.store.port import Store
from flows.store.processes import this_process

_RULES = ClaimSettings()


def take_answer(
    store: Store, register: Register, request: AnswerRequest, on: date, rules: ClaimSettings = _RULES
) -> str:
    """Store one answer or goal. Returns a sentence on what was stored. Raises HoldfastError with what to do.

    Holds the claim of the message's month, because a run may be revising the alert that is answered.
    """
    council = register.by_folder(folder_name(request.council))
    if council is None:
        raise SettingsError(f"There is no council {request.council} in the register. Nothing was kept.")
    month = Month.parse(request.month)
    with claimed(store, month, Owner("holdfast answer", "", this_process()), rules=rules, clock=wall_clock):
        return _taken(store, council, request, month, on)


def _taken(store: Store, council: Council, request: AnswerRequest, month: Month, on: date) -> str:
    alert = latest_alert(store, month, council.folder)
    if alert is None:
        raise HoldfastError(
            f"{council.name} has no alert of {month.in_words}, so there is nothing to answer. Nothing was kept. "
            "Give the month that stands at the head of the message."
        )
    if request.kind is AnswerKind.GOAL:
        return _goal(store, council, request, month, on)
    if request.level is not None:
        raise HoldfastError(f"A level belongs to “{AnswerKind.GOAL.value}” only. Nothing was kept.")
    reply = Reply(
        folder=council.folder,
        month=month,
        revision=alert.revision,
        kind=request.kind,
        words=request.words,
        by=request.by,
        on=on,
        measure=request.measure,
        quiet_until=Month.parse(request.until) if request.until else None,
    )
    name = record_answer(store, reply)
    return f"{council.name}, {month.in_words}: “{request.kind.value}” is kept as {name}. The next message says it back."


def _goal(store: Store, council: Council, request: AnswerRequest, month: Month, on: date) -> str:
    if request.level is None or not request.until or not request.measure:
        raise HoldfastError("A goal needs a measure, a level and a month to reach it by. Nothing was kept.")
    measure = BY_NAME.get(request.measure)
    percent = measure is not None and measure.unit is Unit.FRACTION and not is_ratio(measure)
    goal = Goal(
        folder=council.folder,
        measure=request.measure,
        level=request.level / 100 if percent else request.level,
        by_month=Month.parse(request.until),
        set_by=request.by,
        on=on,
    )
    name = record_goal(store, goal, month)
    declared = BY_NAME[goal.measure]
    aim = f"{lower_first(declared.label)} {value_text(declared, goal.level)} by {goal.by_month.in_words}"
    return f"{council.name}: the goal {aim} is kept as {name}. Letters and the region page show the way to it."


def waiting_objections(store: Store, councils: Sequence[Council], month: Month) -> list[str]:
    """Objections of the last months that no revised alert and no confirmed file has answered, as sentences."""
    answered = with_answers(store)
    found = []
    for council in (c for c in councils if c.folder in answered):
        for back in range(MENTIONED_MONTHS, -1, -1):
            earlier = month.plus(-back)
            replies = answers_to(store, council.folder, earlier)
            objections = [r for r in replies if r.kind is AnswerKind.OBJECTION]
            if not objections or any(r.kind is AnswerKind.CONFIRMED for r in replies):
                continue
            alert = next(iter(readable_alerts(store, earlier, [council], [])), None)
            found += [
                f"{council.name} ({council.la_code}), {earlier.in_words}: “{r.words.strip()}” ({r.by}, "
                f"{r.on.day} {r.on:%B %Y})"
                for r in objections
                if alert is None or alert.revision <= r.revision
            ]
    return found
