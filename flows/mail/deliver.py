"""Delivery: recorded before sent, marked after, once per addressee however often a run is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from features.councils import Council
from features.errors import MailError
from flows.alerts.alert import Alert
from flows.alerts.letter.render import Message
from flows.alerts.publish import Published
from flows.alerts.state import MessageKind
from flows.mail.policy import MailPolicy, addressed, is_outside, record_of
from flows.mail.transports.mime import message_of
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing, Refusal, Transport
from flows.store.ledger import NO_RECIPIENT, REDIRECTED, UNFINISHED, Entry, Ledger, Status, who
from flows.store.port import Store


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message for one addressee."""

    key: str
    address: str
    status: Status
    attempted: bool
    """Whether this call handed it over; False when an earlier run had finished it."""
    reason: str = ""

    def as_attempted(self) -> Delivery:
        """The same, of a run that has handed it over in an earlier attempt."""
        return replace(self, attempted=True)


def deliver(
    store: Store,
    transport: Transport,
    message: Message,
    *,
    recipients: Sequence[str],
    policy: MailPolicy,
    at: datetime,
) -> list[Delivery]:
    """Send a message to everyone who does not have it yet, and say what became of each.

    Failures of the transport are results here, not exceptions: the other councils' mail must go on.
    Raises MailError or SettingsError only for what a person must put right first (addresses, domains,
    redirection).
    """
    outgoing = addressed(message, recipients=recipients, policy=policy, transport=transport, at=at)
    ledger, record = Ledger(store), record_of(outgoing)
    wanted = outgoing.addressees
    kept = ledger.create(outgoing.key, outgoing.message_id, wanted, record, at)
    if kept != record:  # recorded by an earlier run: what is sent again is what was sent first
        outgoing = message_of(kept, outgoing.key)
    return _send(ledger, transport, outgoing, wanted, at)


def deliver_recorded(
    store: Store, transport: Transport, key: str, recipients: Sequence[str], at: datetime
) -> list[Delivery]:
    """Send a message as the ledger has it to these addressees, as far as they are open in it."""
    ledger = Ledger(store)
    return _send(ledger, transport, message_of(ledger.message(key), key), recipients, at)


def _send(
    ledger: Ledger, transport: Transport, outgoing: Outgoing, recipients: Sequence[str], at: datetime
) -> list[Delivery]:
    entries = ledger.entries(outgoing.key)
    addresses = {e.who: ledger.address(e) for e in entries}
    wanted = {who(a) for a in recipients}
    done: list[Delivery] = []
    taken: list[Entry] = []
    for entry in entries:
        if not ledger.is_open(entry):
            done.append(Delivery(entry.key, addresses[entry.who], entry.status, False, ledger.reason(entry)))
        elif entry.who not in wanted:
            ledger.advance(entry, Status.FAILED, at, reason=NO_RECIPIENT)
            done.append(Delivery(entry.key, addresses[entry.who], Status.FAILED, False, NO_RECIPIENT))
        elif (following := ledger.advance(entry, Status.SENDING, at, transport=transport.name)) is None:
            reason = "another run is sending it"
            done.append(Delivery(entry.key, addresses[entry.who], Status.SENDING, False, reason))
        else:
            taken.append(following)
    if taken:
        to = tuple(addresses[e.who] for e in taken)
        answer = _hand_over(transport, outgoing, to)
        done += [_record(ledger, e, addresses[e.who], answer, at) for e in taken]
    return sorted(done, key=lambda d: d.address)


def deliver_council(
    store: Store, transport: Transport, council: Council, published: Published, policy: MailPolicy, at: datetime
) -> list[Delivery]:
    """Send what is due to those whom it concerns; nothing if nothing is due or nobody is registered.

    Recipients that the register gives wrongly are that council's problem: a failed delivery with its reason.
    """
    if published.message is None or not council.recipients:
        return []
    to = recipients_of(store, council, published.alert, policy)
    try:
        return deliver(store, transport, published.message, recipients=to, policy=policy, at=at)
    except MailError as error:
        return [undeliverable(published.message, error)]


def recipients_of(store: Store, council: Council, alert: Alert, policy: MailPolicy) -> tuple[str, ...]:
    """Who gets a council's message: its registered recipients of today, none if there are none.

    A correction goes to everyone whom an earlier message of the month reached, or may have, as well: whoever left the
    register since still goes by the wrong figures. Addresses that may no longer be written to are left out.
    """
    registered = council.recipients
    if alert.kind is not MessageKind.CORRECTION or not registered:
        return registered
    known = {who(a) for a in registered}
    told = {
        line.address
        for line in Ledger(store).told(alert.month, alert.folder)
        if line.status in (Status.SENT, Status.SENDING) and not line.key.endswith(REDIRECTED)
    }
    return (*registered, *sorted(a for a in told if who(a) not in known and not is_outside(a, policy)))


def undeliverable(message: Message, error: MailError) -> Delivery:
    """A message that could not even be addressed, so that nothing of it is in the ledger."""
    return Delivery(message.key, "", Status.FAILED, True, str(error))


def _hand_over(transport: Transport, message: Outgoing, to: tuple[str, ...]) -> HandedOver:
    """The transport's answer; when it took nothing, everyone is refused with its reason, and not for good."""
    try:
        return transport.send(message, to)
    except NotTaken as error:
        return HandedOver((), tuple(Refusal(a, 0, str(error), retryable=True) for a in to))


def _record(ledger: Ledger, entry: Entry, address: str, answer: HandedOver, at: datetime) -> Delivery:
    refusal = next((r for r in answer.refused if r.address == address), None)
    if refusal is None and address not in answer.addresses:
        raise MailError(f"The mail transport gave no answer for one addressee of {entry.key}. Look at its log.")
    if refusal is None:
        ledger.advance(entry, Status.SENT, at, transport_id=answer.transport_id)
        return Delivery(entry.key, address, Status.SENT, True)
    status = Status.DEFERRED if refusal.retryable else Status.FAILED
    ledger.advance(entry, status, at, code=refusal.code, reason=refusal.reason)
    return Delivery(entry.key, address, status, True, refusal.reason)


def resend(store: Store, key: str, *, reason: str, by: str, at: datetime) -> int:
    """Open a message again for all its addressees; the next `deliver` sends it with the same Message-ID.

    Who asked and why is in the ledger. Returns how many addressees were opened; raises MailError if the
    ledger knows no such message or no reason is given.
    """
    ledger = Ledger(store)
    entries = ledger.entries(key)
    if not entries:
        raise MailError(f"The ledger knows no message “{key}”. `holdfast ledger` lists them.")
    if not reason.strip() or not by.strip():
        raise MailError("Say why it is sent again and who asks: both are kept in the ledger.")
    opened = [
        ledger.advance(e, Status.DEFERRED, at, reason=reason, by=by) for e in entries if e.status not in UNFINISHED
    ]
    return sum(e is not None for e in opened)
