"""Stores answers from the form or the command line, and finds those that wait for the data team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from features.councils import Council, Register, folder_name
from features.errors import HoldfastError, SettingsError
from features.months import Month, day_words, month_range
from features.registry import BY_NAME, Unit
from features.words import lower_first
from flows.alerts.alert import Alert
from flows.alerts.answers import (
    MENTIONED_MONTHS,
    Goal,
    Reply,
    answers_to,
    answers_up_to,
    goals_of,
    record_answer,
    record_goal,
    with_answers,
)
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.figures import is_ratio, value_text
from flows.alerts.publish import latest_alert, publish_alert, readable_alerts
from flows.alerts.region_page import region_page_name, with_heard
from flows.settings.answer_form import AnswerKind, AnswerRequest
from flows.settings.settings import ClaimSettings
from flows.store.claims import Owner, claimed, wall_clock
from flows.store.kept import note, watched
from flows.store.ledger import Ledger, Status
from flows.store.port import Store
from flows.store.processes import this_process

_RULES = ClaimSettings()


def take_answer(
    store: Store,
    register: Register,
    request: AnswerRequest,
    on: date,
    contact: Contact,
    rules: ClaimSettings = _RULES,
) -> str:
    """Store one answer or goal, and show it in the alert and on the region page. Returns a sentence on what was stored.

    Raises HoldfastError with what to do.

    Holds the claim of the message's month, because a run may be revising the alert that is answered.
    """
    council = register.by_folder.get(folder_name(request.council))
    if council is None:
        raise SettingsError(f"There is no council {request.council} in the register. Nothing was kept.")
    month = Month.parse(request.month)
    with claimed(store, month, Owner("holdfast answer", "", this_process()), rules=rules, clock=wall_clock):
        noting = watched(store)
        said = _taken(noting, council, request, on, contact)
        note(noting, month)
        return said


def _taken(store: Store, council: Council, request: AnswerRequest, on: date, contact: Contact) -> str:
    month = Month.parse(request.month)
    alert = latest_alert(store, month, council.folder)
    if alert is None:
        raise HoldfastError(
            f"{council.name} has no alert of {month.in_words}, so there is nothing to answer. Nothing was kept. "
            "Give the month that stands at the head of the message."
        )
    if request.kind is AnswerKind.GOAL:
        kept = _goal(store, council, request, alert, on)
    else:
        kept = _reply(store, council, request, alert, on)
    now = {"answers": answers_up_to(store, council.folder, month), "goals": goals_of(store, council.folder)}
    published = publish_alert(store, alert.model_copy(update=now), contact)
    page, shown = region_page_name(month), ""
    if store.info(page) is not None:
        before = store.read(page).decode()
        after = with_heard(before, published.alert)
        if after != before:
            store.replace(page, after.encode(), content_type="text/html; charset=utf-8")
            shown = " and on the region page"
    return f"{kept} It stands in {published.name}{shown}."


def _reply(store: Store, council: Council, request: AnswerRequest, alert: Alert, on: date) -> str:
    if request.level is not None:
        raise HoldfastError(f"A level belongs to “{AnswerKind.GOAL.value}” only. Nothing was kept.")
    reply = Reply(
        folder=council.folder,
        month=alert.month,
        revision=alert.revision,
        kind=request.kind,
        words=request.words,
        by=request.by,
        on=on,
        measure=request.measure,
        quiet_until=Month.parse(request.until) if request.until else None,
    )
    name = record_answer(store, reply)
    said = f"{council.name}, {alert.month.in_words}: “{request.kind.value}” is kept as {name}."
    return f"{said} The next message mentions it."


def _goal(store: Store, council: Council, request: AnswerRequest, alert: Alert, on: date) -> str:
    if request.level is None or not request.until or not request.measure:
        raise HoldfastError("A goal needs a measure, a level and a month to reach it by. Nothing was kept.")
    measure, fact = BY_NAME.get(request.measure), alert.fact(request.measure)
    percent = measure is not None and measure.unit is Unit.FRACTION and not is_ratio(measure)
    goal = Goal(
        folder=council.folder,
        measure=request.measure,
        level=request.level / 100 if percent else request.level,
        by_month=Month.parse(request.until),
        set_by=request.by,
        on=on,
        month=alert.month,
        start=fact.value if fact is not None else None,
    )
    name = record_goal(store, goal, alert.month)
    declared = BY_NAME[goal.measure]
    aim = f"{lower_first(declared.label)} {value_text(declared, goal.level)} by {goal.by_month.in_words}"
    return f"{council.name}: the goal {aim} is kept as {name}. The next messages show the way to it."


def waiting_answers(store: Store, councils: Sequence[Council], month: Month) -> list[str]:
    """The answers of the last months that still wait, as sentences.

    An objection waits until a corrected message or a confirmed file answers it, any other answer until a later message
    that mentions it has gone to its director.
    """
    answered = with_answers(store)
    if not answered:
        return []
    months = tuple(month_range(month.plus(-MENTIONED_MONTHS), month))
    book, found = Ledger(store), list[str]()
    for council in (c for c in councils if c.folder in answered):
        for earlier in months:
            replies = answers_to(store, council.folder, earlier)
            if not replies:
                continue
            later = [line for m in months if earlier < m for line in book.told(m, council.folder)]
            sent = max((line.at[:10] for line in later if line.status is Status.SENT), default="")
            settled = _is_settled(store, council, earlier, replies)
            found += [
                f"{council.name} ({council.la_code}), {earlier.in_words}, {r.kind.value}: “{r.words.strip()}” "
                f"({r.by}, {day_words(r.on)})"
                for r in replies
                if not (settled if r.kind is AnswerKind.OBJECTION else str(r.on) < sent)
            ]
    return found


def _is_settled(store: Store, council: Council, month: Month, replies: Sequence[Reply]) -> bool:
    """Whether a corrected message or a confirmed file has answered the objections to a month's message."""
    if any(r.kind is AnswerKind.CONFIRMED for r in replies):
        return True
    alert = next(iter(readable_alerts(store, month, [council], [])), None)
    return alert is not None and alert.message_revision > max(r.revision for r in replies)
