"""Approval: a month's messages are published and shown to a person, and wait for their decision.

    approvals/2026-10/1/pending.json       what was shown: each message with its digest, and the cut-off day
    approvals/2026-10/1/copy.json          a copy of it: what is held stays held if the first is lost
    approvals/2026-10/1/runs/<run>.json    a flow run that waits for the answer
    approvals/2026-10/1/decision.json      who decided what, when and why

Every object is created once and never changed. If the messages to be sent are no longer those that were shown, a
new round is opened and the person is asked again. Nothing here sends mail, and nothing decides automatically.

A message is *held* while no run may send it automatically: because it waits for an answer, because a person held or
cancelled it, or because the council's figures are doubted as a whole (`flows.mail.doubts`). A hold applies to the
council for the month, whatever the revision of its alert. A later approval or `holdfast release` ends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from features.councils import Council, Register, folder_name
from features.months import Month, day_words
from features.words import listed
from flows.alerts.alert import Alert, alert_name
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message, render_message
from flows.alerts.publish import Publication, Published, latest_alert, rendered_names, sent_message_keys
from flows.alerts.state import Record
from flows.mail.approval_form import (
    Answer,
    ApprovalRefused,
    Pending,
    Ruling,
    Waiting,
    digest_of,
)
from flows.mail.doubts import in_doubt
from flows.settings.run_form import ApprovalVerdict
from flows.store.editions import History
from flows.store.port import AlreadyThere, DamagedObject, ObjectMissing, Store
from flows.store.reading import read_json, remedy, sealed

_JSON = "application/json"
_OfRound = TypeVar("_OfRound", Pending, Ruling)
_OF_A_ROUND = re.compile(r"approvals/(?P<month>\d{4}-\d{2})/(?P<number>\d+)/.+\.json")
_WAITING_RUN = re.compile(r"approvals/(?P<month>\d{4}-\d{2})/(?P<number>\d+)/runs/(?P<run>[0-9a-f-]+)\.json")


def messages_to_approve(
    published: Sequence[Published], councils: Mapping[str, Council], gone: Collection[str]
) -> tuple[Waiting, ...]:
    """The messages that are due, have recipients and are not in `gone` (message keys), sorted by council."""
    return tuple(
        _waiting(p.alert, p.message, len(councils[p.alert.la_code].recipients))
        for p in sorted(published, key=lambda p: p.alert.la_code)
        if p.message is not None and p.message.key not in gone and councils[p.alert.la_code].recipients
    )


def _waiting(alert: Alert, message: Message, recipients: int) -> Waiting:
    return Waiting(
        la_code=alert.la_code,
        council=alert.council,
        folder=alert.folder,
        message_key=message.key,
        digest=digest_of(message),
        subject=message.subject,
        band=alert.decision.band,
        change=alert.decision.change,
        recipients=recipients,
        preview=rendered_names(alert)[0],
    )


def open_round(
    store: Store,
    messages: tuple[Waiting, ...],
    *,
    month: Month,
    cutoff: date,
    since: datetime,
    flow_run_id: str = "",
    reason: str = "",
    held_because: str = "",
) -> Pending:
    """The round that asks about these messages: the one that waits, if it shows them as they are now; else a new one.

    A decided round is used again by a run that waited for it, and by a run that finishes sending what it approved. Any
    other run asks again. A new round takes over the messages that the one before still waits for.
    """
    while True:
        latest = latest_round(store, month)
        decided = ruling_of(store, latest) if latest else None
        if latest is not None and latest.covers(messages):
            asked_here = bool(flow_run_id) and waits_for(store, latest, flow_run_id)
            if decided is None or asked_here or all(decided.sends(m) for m in messages):
                pending = latest
                break
        shown = {m.folder for m in messages}
        left = latest.messages if latest is not None and decided is None else ()
        pending = Pending(
            month=month,
            number=latest.number + 1 if latest else 1,
            cutoff=cutoff,
            since=since,
            flow_run_id=flow_run_id,
            reason=reason,
            held_because=held_because,
            messages=tuple(sorted((*messages, *(m for m in left if m.folder not in shown)), key=lambda m: m.la_code)),
        )
        if _create(store, f"{pending.prefix}pending.json", pending):
            _create(store, f"{pending.prefix}copy.json", pending)
            break
    return pending


def checked_answer(answer: Answer, pending: Pending) -> Answer:
    """The answer with codes as the register spells them. Raises ApprovalRefused if it cannot be carried out."""
    by_folder = pending.by_folder()
    folders = [folder_name(code) for code in answer.councils]
    if unknown := sorted({c for c, f in zip(answer.councils, folders, strict=True) if f not in by_folder}):
        shown = ", ".join(m.la_code for m in pending.messages)
        raise ApprovalRefused(f"No message of council {listed(unknown)} waits. These do: {shown}. Decide again.")
    if answer.decision is ApprovalVerdict.HOLD_SOME and not folders:
        raise ApprovalRefused("“hold some” needs the codes of the councils to hold. Decide again.")
    if answer.decision is not ApprovalVerdict.HOLD_SOME and folders:
        raise ApprovalRefused(
            f"Councils to hold were named, but the decision is “{answer.decision.value}”. Decide again: choose "
            "“hold some”, or leave the councils empty."
        )
    if answer.decision is not ApprovalVerdict.SEND_ALL and not answer.reason.strip():
        raise ApprovalRefused(f"“{answer.decision.value}” needs a reason, which is kept. Decide again.")
    codes = [by_folder[f].la_code for f in dict.fromkeys(folders)]
    return answer.model_copy(update={"councils": codes, "reason": answer.reason.strip(), "by": answer.by.strip()})


def allows_sending(answer: Answer, message: Waiting) -> bool:
    """Whether a checked answer allows a message to be sent."""
    return answer.decision is not ApprovalVerdict.CANCEL and message.la_code not in answer.councils


def record_decision(store: Store, pending: Pending, answer: Answer, *, at: datetime, through: str) -> Ruling:
    """Record the decision on a round. Of several, the first counts and is returned. Raises ApprovalRefused."""
    given = checked_answer(answer, pending)
    ruling = Ruling(
        month=pending.month,
        number=pending.number,
        decision=given.decision,
        held=tuple(given.councils),
        reason=given.reason,
        by=given.by,
        at=at,
        through=through,
    )
    _create(store, f"{pending.prefix}decision.json", ruling)
    return ruling_of(store, pending) or ruling


def to_send(
    store: Store, pending: Pending, messages: Iterable[Waiting], register: Register, contact: Contact
) -> list[tuple[Council, Published]]:
    """Read these messages of a round from the store, ready to be delivered.

    Raises ApprovalRefused, before anything is sent, if one of them is no longer what was shown.
    """
    found: list[tuple[Council, Published]] = []
    changed: list[str] = []
    for waiting in messages:
        alert = latest_alert(store, pending.month, waiting.folder)
        council = register.by_code.get(waiting.la_code)
        message = render_message(alert, contact) if alert is not None and alert.due else None
        if alert is None or council is None or message is None or digest_of(message) != waiting.digest:
            changed.append(f"{waiting.council} ({waiting.la_code})")
            continue
        name = alert_name(alert.month, alert.folder, alert.revision)
        found.append((council, Published(alert, Publication.UNCHANGED, name, message)))
    if changed:
        raise ApprovalRefused(
            f"{pending.month.in_words}: the message of {listed(changed)} is no longer what was shown, so nothing was "
            f"sent. Run the month with “hold for approval” again, look at it, and decide anew."
        )
    return found


def pending(store: Store) -> tuple[Pending, ...]:
    """Every round that waits for a person, oldest month first, for reminders."""
    months = sorted({Month.parse(m["month"]) for m in _matches(store, "approvals/", _OF_A_ROUND)})
    found = (waiting_round(store, month) for month in months)
    return tuple(p for p in found if p is not None)


def waiting_round(store: Store, month: Month) -> Pending | None:
    """The month's waiting round, without messages sent in another way; None if nothing waits."""
    latest = latest_round(store, month)
    if latest is None or ruling_of(store, latest) is not None:
        return None
    gone, released = sent_message_keys(store, month), _since(_releases(store, month), latest.since)
    left = tuple(m for m in latest.messages if m.message_key not in gone and m.folder not in released)
    return latest.model_copy(update={"messages": left}) if left else None


def rounds(store: Store, month: Month) -> list[Pending]:
    """The month's rounds, oldest first."""
    return [_pending(store, month, number) for number in _numbers(store, month)]


def released_messages(store: Store, month: Month) -> Iterator[str]:
    """The keys of the messages that `holdfast release` released; up to 0.2.0 `<month>/<folder>/`, for any message."""
    for found in store.list(f"releases/{month}/"):
        note = read_json(store, found.name, dict)
        yield from note.get("messages") or (f"{month}/{folder_name(c)}/" for c in note.get("councils", ()))


def latest_round(store: Store, month: Month) -> Pending | None:
    """The month's last round, decided or not."""
    numbers = _numbers(store, month)
    return _pending(store, month, max(numbers)) if numbers else None


def ruling_of(store: Store, pending: Pending) -> Ruling | None:
    """The decision on a round; None if there is none yet."""
    name = f"{pending.prefix}decision.json"
    return read_json(store, name, _of_round(Ruling, name)) if store.info(name) is not None else None


def wait_as(store: Store, pending: Pending, flow_run_id: str, cutoff: date) -> None:
    """Record that a flow run, with its own cut-off, waits for the answer to this round."""
    _create(store, f"{pending.prefix}runs/{flow_run_id}.json", pending.model_copy(update={"cutoff": cutoff}))


def waits_for(store: Store, pending: Pending, flow_run_id: str) -> bool:
    """Whether a flow run waits, or waited, for the answer to this round."""
    return store.info(f"{pending.prefix}runs/{flow_run_id}.json") is not None


def runs_waiting(store: Store, pending: Pending) -> tuple[str, ...]:
    """The flow runs that wait for the answer to this round."""
    return tuple(m["run"] for m in _matches(store, f"{pending.prefix}runs/", _WAITING_RUN))


def asked_by(store: Store, flow_run_id: str) -> Pending | None:
    """The last round that a flow run opened or joined. The run keeps its month and cut-off, however long it waits."""
    rounds = [m for m in _matches(store, "approvals/", _WAITING_RUN) if m["run"] == flow_run_id]
    if not rounds:
        return None
    month, number = max((Month.parse(m["month"]), int(m["number"])) for m in rounds)
    # Read the run's own copy, as it may have joined a round that another run opened with another cut-off.
    return read_json(store, f"approvals/{month}/{number}/runs/{flow_run_id}.json", Pending.model_validate)


def held_councils(store: Store, month: Month, history: History | None = None) -> dict[str, str]:
    """Councils (by folder) whose mail for a month is held, each with the reason as a sentence.

    `history`: what a run has read of the month already.
    """
    held: dict[str, str] = {}
    releases = _releases(store, month)
    answered: dict[str, datetime] = {}
    every = rounds(store, month)
    for position, one in enumerate(every):
        ruling = ruling_of(store, one)
        if ruling is None and position < len(every) - 1:
            continue  # a later round took over its messages
        moment = ruling.at if ruling else one.since
        released = _since(releases, moment)
        for message in one.messages:
            if message.folder in released or (ruling is not None and ruling.sends(message)):
                held.pop(message.folder, None)
                answered[message.folder] = moment
            elif ruling is None:
                held[message.folder] = f"It has waited for approval since {day_words(one.since)}."
            else:
                held[message.folder] = ruling.in_words
    for folder, doubt in in_doubt(store, month, history).items():
        said = folder in answered and answered[folder] >= doubt.since
        if not said and folder not in _since(releases, doubt.since):
            held.setdefault(folder, doubt.why)
    return held


def _releases(store: Store, month: Month) -> list[tuple[datetime, set[str]]]:
    """When `holdfast release` released which councils' mail, by folder."""
    return [read_json(store, o.name, _release) for o in store.list(f"releases/{month}/")]


def _since(releases: Iterable[tuple[datetime, set[str]]], moment: datetime) -> frozenset[str]:
    return frozenset(folder for at, folders in releases if at >= moment for folder in folders)


def _release(note: Mapping[str, Any]) -> tuple[datetime, set[str]]:
    return datetime.fromisoformat(note["at"]), {folder_name(code) for code in note["councils"]}


def _numbers(store: Store, month: Month) -> list[int]:
    return sorted({int(m["number"]) for m in _matches(store, f"approvals/{month}/", _OF_A_ROUND)})


def _pending(store: Store, month: Month, number: int) -> Pending:
    """Read a round. If its object is lost or damaged, read its copy, or the copy of a run that waits for it.

    Raises DamagedObject if none of them can be read, as nobody then knows whose messages are held.
    """
    prefix = f"approvals/{month}/{number}/"
    waiting = [o.name for o in store.list(f"{prefix}runs/")]
    fault = DamagedObject(f"“{prefix}pending.json” is missing in the store. {remedy(prefix)}")
    for name in (f"{prefix}pending.json", f"{prefix}copy.json", *waiting):
        try:
            return read_json(store, name, _of_round(Pending, name))
        except DamagedObject as error:
            fault = error
        except ObjectMissing:
            continue
    raise fault


def _of_round(form: type[_OfRound], name: str) -> Callable[[Any], _OfRound]:
    def parse(found: Any) -> _OfRound:
        one = form.model_validate(found)
        if not name.startswith(f"approvals/{one.month}/{one.number}/"):
            raise ValueError("of another round")
        return one

    return parse


def _matches(store: Store, prefix: str, form: re.Pattern[str]) -> Iterator[re.Match[str]]:
    return (m for o in store.list(prefix) if (m := form.fullmatch(o.name)))


def _create(store: Store, name: str, content: Record) -> bool:
    """Create an object. Returns whether the name was free; of two calls at once only one succeeds."""
    try:
        store.create(name, sealed(name, content.model_dump(mode="json")), content_type=_JSON)
    except AlreadyThere:
        return False
    return True
