"""Delivers messages: records each before it is sent and its result after that, once per addressee over all runs."""

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
from flows.store.ledger import NO_RECIPIENT, REDIRECTED, UNFINISHED, Entry, Ledger, Status, addressee_name
from flows.store.port import Store


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result for one message and one addressee."""

    key: str
    address: str
    status: Status
    attempted: bool
    """Whether this call tried to hand it over; False if an earlier run had finished it."""
    reason: str = ""

    def as_attempted(self) -> Delivery:
        """The same delivery, marked as attempted by this run in an earlier round."""
        return replace(self, attempted=True)


def deliver(
    store: Store,
    transport: Transport,
    message: Message,
    *,
    recipients: Sequence[str],
    policy: MailPolicy,
    at: datetime,
    ledger: Ledger | None = None,
) -> list[Delivery]:
    """Send a message to every recipient who does not have it yet, and return the result for each.

    `ledger`: that of a run which delivers many messages. Of one that everybody has, it needs no request.

    Transport faults are results and not exceptions, as the other councils' mail must go on. Raises MailError or
    SettingsError only for faults that a person must put right first (addresses, domains, redirection).
    """
    outgoing = addressed(message, recipients=recipients, policy=policy, transport=transport, at=at)
    ledger, wanted = ledger or Ledger(store), outgoing.addressees
    there = {e.who: e for e in ledger.recorded(outgoing.key)}
    if {addressee_name(a) for a in wanted} == {who for who, e in there.items() if e.status is Status.SENT}:
        return sorted(
            (Delivery(outgoing.key, a, Status.SENT, attempted=False) for a in wanted), key=lambda d: d.address
        )
    record = record_of(outgoing)
    kept, entries = ledger.create(outgoing.key, outgoing.message_id, wanted, record, at, transport.name)
    if kept != record:  # an earlier run recorded it: send the same bytes again
        outgoing = message_of(kept, outgoing.key)
    return _send(ledger, transport, outgoing, entries, wanted, at)


def deliver_recorded(
    store: Store, transport: Transport, key: str, recipients: Sequence[str], at: datetime
) -> list[Delivery]:
    """Send a message as recorded in the ledger to those of these addressees who are still open in it."""
    ledger = Ledger(store)
    return _send(ledger, transport, message_of(ledger.message(key), key), ledger.entries(key), recipients, at)


def _send(
    ledger: Ledger,
    transport: Transport,
    outgoing: Outgoing,
    entries: Sequence[Entry],
    recipients: Sequence[str],
    at: datetime,
) -> list[Delivery]:
    addresses = {e.who: ledger.address(e) for e in entries}
    wanted = {addressee_name(a) for a in recipients}
    done: list[Delivery] = []
    taken: list[Entry] = []
    for entry in entries:
        if ledger.has_begun(entry):
            taken.append(entry)
        elif not ledger.is_open(entry):
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
    store: Store,
    transport: Transport,
    council: Council,
    published: Published,
    policy: MailPolicy,
    at: datetime,
    ledger: Ledger | None = None,
) -> list[Delivery]:
    """Send the due messages to the people they concern. Does nothing if none is due or nobody is registered.

    A wrong address in the register concerns only that council: it gives a failed delivery with the reason.
    """
    if published.message is None or not council.recipients:
        return []
    to = recipients_of(store, council, published.alert, policy)
    try:
        return deliver(store, transport, published.message, recipients=to, policy=policy, at=at, ledger=ledger)
    except MailError as error:
        return [undeliverable(published.message, error)]


def recipients_of(store: Store, council: Council, alert: Alert, policy: MailPolicy) -> tuple[str, ...]:
    """The recipients of a council's message: those in the register today, if there are any.

    A correction also goes to everyone whom an earlier message of the month reached or may have reached, because people
    who have since left the register still rely on the wrong figures. Addresses no longer allowed are left out.
    """
    registered = council.recipients
    if alert.kind is not MessageKind.CORRECTION or not registered:
        return registered
    known = {addressee_name(a) for a in registered}
    told = {
        line.address
        for line in Ledger(store).told(alert.month, alert.folder)
        if line.status in (Status.SENT, Status.SENDING) and not line.key.endswith(REDIRECTED)
    }
    return (*registered, *sorted(a for a in told if addressee_name(a) not in known and not is_outside(a, policy)))


def undeliverable(message: Message, error: MailError) -> Delivery:
    """The result for a message that could not be addressed, so that the ledger does not have it."""
    return Delivery(message.key, "", Status.FAILED, True, str(error))


def _hand_over(transport: Transport, message: Outgoing, to: tuple[str, ...]) -> HandedOver:
    """Hand the message over. If the transport takes nothing, every addressee is refused for now, with the reason."""
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
    """Reopen a message for all its addressees. The next `deliver` sends it with the same Message-ID.

    Records in the ledger who asked and why. Returns the number of reopened addressees. Raises MailError if the
    ledger has no such message or no reason is given.
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
