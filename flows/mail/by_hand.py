"""What a person can do with alerts by hand: preview one, send it again, release mail, read the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from features.councils import Council, folder_name
from features.errors import MailError, StoreError
from features.months import Month
from flows.alerts.alert import Alert, alert_name
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message, render_message
from flows.alerts.publish import Publication, Published, latest_alert, readable_alerts, sent_message_keys
from flows.alerts.state import Change
from flows.alerts.together import MonthAlerts
from flows.mail.approval import held_councils
from flows.mail.deliver import Delivery, deliver_council, resend
from flows.mail.transports.open import mail_policy
from flows.mail.transports.port import Transport
from flows.mail.undelivered import is_redirected, note_undelivered
from flows.mail.valve import marked_hold
from flows.settings.settings import Settings
from flows.store import Store, open_store
from flows.store.claims import HeldClaim, Owner, claimed, wall_clock
from flows.store.context import load_register
from flows.store.ledger import REDIRECTED, Ledger, LedgerLine, Status
from flows.store.processes import this_process
from flows.store.reading import sealed


@dataclass(frozen=True, slots=True)
class Preview:
    """A stored alert, for a person who wants to see it before it is sent."""

    alert: Alert
    message: Message | None
    """The message; None if the alert calls for none."""
    standing: str
    """Sentences on whether a message is due and who has it."""

    def to_text(self) -> str:
        """The alert's status, then the message as it is mailed."""
        if self.message is None:
            return self.standing
        return f"{self.standing}\n\nSubject: {self.message.subject}\n\n{self.message.text}"


def stored_alert(store: Store, month: Month, council: str) -> Alert:
    """The latest revision of a council's alert. If there is none, raises StoreError, which names the councils."""
    found = latest_alert(store, month, folder_name(council))
    if found is not None:
        return found
    there = MonthAlerts(store, month).folders
    known = f"There are alerts of {', '.join(there)}." if there else f"`holdfast run --month {month}` makes them."
    raise StoreError(f"{store.url} has no alert of council {council} for {month.in_words}. {known}")


def preview(store: Store, settings: Settings, month: Month, council: str) -> Preview:
    """Render a stored alert as it would be mailed. If it is not due, say why. Sends and writes nothing."""
    alert = stored_alert(store, month, council)
    message = None if alert.kind is None else render_message(alert, Contact.of(settings))
    held = held_councils(store, month).get(alert.folder, "") or marked_hold(store, month)
    return Preview(alert, message, _standing(alert, Ledger(store).told(month, alert.folder), held))


def _standing(alert: Alert, told: Sequence[LedgerLine], held: str) -> str:
    decision = alert.decision
    change = "" if decision.change is Change.NONE else f", {decision.change.value}"
    head = f"{alert.council} ({alert.la_code}), {alert.month.in_words}, revision {alert.revision}"
    lines = [f"{head}: {decision.band.words}{change}."]
    if not alert.due:
        lines.append(why_not_due(alert))
        lines += ["As a reminder it would read:"] if decision.kind is not None else []
    elif not told:
        why = held or "Mail was off or held (`holdfast release`), or nobody is registered."
        lines.append(f"A message is due and has gone to nobody. {why}")
    lines.append(f"Rules: {'; '.join(decision.because)}.")
    if alert.correction is not None:
        lines.append(f"It replaces revision {alert.correction.replaces_revision}.")
    return "\n".join([*lines, *(ledger_line(t) for t in told)])


def why_not_due(alert: Alert) -> str:
    """A sentence on why an alert calls for no message."""
    decision = alert.decision
    if decision.kind is None:
        return "No message is due: the council is steady and no alert is open."
    since = decision.state.told.month.in_words if decision.state.told else "an earlier month"
    return (
        f"No message is due: nothing has changed since the message of {since}, and a reminder is not due yet "
        "(timing.reminder_months)."
    )


def send_again(
    store: Store,
    transport: Transport,
    settings: Settings,
    month: Month,
    council: str,
    *,
    reason: str,
    by: str,
    at: datetime,
) -> list[Delivery]:
    """Send a council's message of a month again, with the same bytes and Message-ID. Records who asked and why.

    It goes to the recipients in the register today. Raises MailError if nothing was sent before or nobody is
    registered, and StoreError if there is no alert.
    """
    alert = stored_alert(store, month, council)
    register = load_register(open_store(settings, settings.landing), settings.register_file)
    registered = register.by_code.get(alert.la_code)
    if registered is None or not registered.recipients:
        raise MailError(f"{alert.council} has no recipients in the register. Add the director's address there.")
    if not alert.due:
        raise MailError(f"{alert.council}, {month.in_words}: no message was due, so there is none to send again.")
    redirected = is_redirected(settings)
    with _claimed(store, settings, month, "resend"):
        resend(store, f"{alert.message_key}{REDIRECTED if redirected else ''}", reason=reason, by=by, at=at)
        made = _deliver(store, transport, settings, alert, registered, at)
        note_undelivered(store, settings, month)
    return made


def _claimed(store: Store, settings: Settings, month: Month, command: str) -> AbstractContextManager[HeldClaim]:
    """Hold the month while a command sends its mail. Waits for a run; raises MonthClaimed, which says who has it."""
    owner = Owner(f"holdfast {command}", "", this_process())
    return claimed(store, month, owner, rules=settings.claims, clock=wall_clock)


def release(
    store: Store,
    transport: Transport,
    settings: Settings,
    month: Month,
    councils: Sequence[str] = (),
    *,
    reason: str,
    by: str,
    at: datetime,
) -> dict[str, list[Delivery]]:
    """Send what a month's run published but did not mail because it was held or mail was off. Returns it by la_code.

    It ends every hold: by the storm valve, for approval, or by a person's decision. Records under `releases/` who
    released it and why. Recipients who already have a message do not get it again. Raises MailError if nothing
    waits or no reason is given.
    """
    if not reason.strip() or not by.strip():
        raise MailError("Say why it is released and who decides it: both are kept.")
    register = load_register(open_store(settings, settings.landing), settings.register_file)
    wanted = {folder_name(c) for c in councils} or {c.folder for c in register.valid_in(month)}
    known = [c for folder in sorted(wanted) if (c := register.by_folder.get(folder)) is not None]
    faults: list[str] = []
    with _claimed(store, settings, month, "release"):
        done = sent_message_keys(store, month) - _open_messages(store, month)
        waiting = [
            (alert, register.by_code[alert.la_code])
            for alert in readable_alerts(store, month, known, faults)
            if alert.due and alert.message_key not in done
        ]
        if not waiting:
            raise MailError(" ".join([f"No message of {month.in_words} waits to be sent.", *faults]))
        note = {
            "at": at.isoformat(),
            "by": by,
            "reason": reason,
            "councils": [a.la_code for a, _ in waiting],
            "messages": [a.message_key for a, _ in waiting],
        }
        name = f"releases/{month}/{at:%Y%m%dT%H%M%S%fZ}.json"
        store.create(name, sealed(name, note), content_type="application/json")
        made = {a.la_code: _deliver(store, transport, settings, a, council, at) for a, council in waiting}
        note_undelivered(store, settings, month)
    return made | ({"not looked at": [Delivery("", "", Status.FAILED, False, f) for f in faults]} if faults else {})


def _open_messages(store: Store, month: Month) -> frozenset[str]:
    """Keys of the messages that at least one addressee has not received yet."""
    book = Ledger(store)
    return frozenset(e.key.removesuffix(REDIRECTED) for e in book.month(month) if book.is_open(e))


def _deliver(
    store: Store, transport: Transport, settings: Settings, alert: Alert, council: Council, at: datetime
) -> list[Delivery]:
    message = render_message(alert, Contact.of(settings))
    name = alert_name(alert.month, alert.folder, alert.revision)
    published = Published(alert, Publication.UNCHANGED, name, message)
    return deliver_council(store, transport, council, published, mail_policy(settings), at)


def ledger(store: Store, month: Month | None = None, council: str = "") -> list[LedgerLine]:
    """Ledger lines of one month or all, and of one council or all, oldest month first."""
    book = Ledger(store)
    folder = folder_name(council) if council else ""
    found: list[LedgerLine] = []
    for one in [month] if month else book.months():
        found += book.told(one, folder)
        if folder:  # reports to the council's data officer have keys of their own
            found += book.told(one, f"files/{folder}")
    return found


def ledger_line(told: LedgerLine) -> str:
    """`2026-11-14 09:00  sent      director@ashcombe.example  2026-10/991/r1/new_watch`, then any remarks."""
    line = f"{told.at[:16].replace('T', ' ')}  {told.status.words:<8}  {told.address}  {told.key}"
    reason = f"\n    {told.reason}" if told.reason and told.status is not Status.SENT else ""
    return line + reason + "".join(f"\n    sent again, asked for by {asked}" for asked in told.asked)
