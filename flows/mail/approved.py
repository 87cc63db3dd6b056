"""Records a decision made outside the Prefect UI, carries it out, and passes it to the runs that wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from expectations.batch import FAILURES
from features.months import Month
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import sent_message_keys
from flows.mail import approval
from flows.mail.approval_form import Answer, ApprovalRefused, Pending, Ruling
from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver_council
from flows.mail.officers import write_to_data_officers
from flows.mail.transports.open import mail_policy
from flows.mail.undelivered import note_undelivered
from flows.settings.run_form import ApprovalVerdict
from flows.settings.settings import Settings
from flows.store import Store, open_store
from flows.store.claims import Owner, claimed, wall_clock
from flows.store.context import begin, load_register
from flows.store.processes import this_process


@dataclass(frozen=True, slots=True)
class Carried:
    """What carrying out a decision led to."""

    ruling: Ruling
    deliveries: Mapping[str, list[Delivery]]
    """Deliveries by la_code."""
    runs: tuple[str, ...]
    """Flow runs that wait for the answer on a Prefect server."""


def carry_out(
    store: Store, courier: Courier, settings: Settings, month: Month, answer: Answer, *, at: datetime
) -> Carried:
    """Record the decision on a month's waiting messages, and send those that it allows. Waits for a run of the month.

    Raises ApprovalRefused, with nothing recorded or sent, if nothing waits, if the answer cannot be carried out,
    or if a message is no longer what was shown; MonthClaimed if a run works on the month for long.
    """
    owner = Owner("holdfast approve", "", this_process())
    with claimed(store, month, owner, rules=settings.claims, clock=wall_clock):
        return _carried_out(store, courier, settings, month, answer, at)


def _carried_out(
    store: Store, courier: Courier, settings: Settings, month: Month, answer: Answer, at: datetime
) -> Carried:
    waits = approval.waiting_round(store, month)
    if waits is None:
        latest = approval.latest_round(store, month)
        ruling = approval.ruling_of(store, latest) if latest else None
        known = f" {ruling.in_words}" if ruling else ""
        raise ApprovalRefused(f"No message of {month.in_words} waits for approval.{known}")
    given = approval.checked_answer(answer, waits)
    register = load_register(open_store(settings, settings.landing), settings.register_file)
    would_go = [m for m in waits.messages if approval.allows_sending(given, m)]
    approval.to_send(store, waits, would_go, register, Contact.of(settings))
    ruling = approval.record_decision(store, waits, given, at=at, through="the command line")
    gone = sent_message_keys(store, month)
    messages = [m for m in waits.messages if ruling.sends(m) and m.message_key not in gone]
    due = approval.to_send(store, waits, messages, register, Contact.of(settings))
    policy = mail_policy(settings)
    deliveries = {
        council.la_code: deliver_council(store, courier, council, published, policy, at) for council, published in due
    }
    if ruling.decision is not ApprovalVerdict.CANCEL:
        _write_to_officers(settings, courier, waits, at)
    note_undelivered(store, settings, month)
    return Carried(ruling, deliveries, approval.runs_waiting(store, waits))


def _write_to_officers(settings: Settings, courier: Courier, waits: Pending, at: datetime) -> None:
    """Mail data officers the reports on their files, which waited with the month's mail. Nobody gets the same twice."""
    context = begin(settings, waits.month, now=at, as_of=waits.cutoff)
    manifest = context.history.as_of(waits.month, context.cutoff)
    failures = context.history.failures(manifest) if manifest else FAILURES.to_frame()
    write_to_data_officers(context, courier, context.register.valid_in(waits.month), manifest, failures)


def waiting_text(waits: Pending) -> str:
    """A month's waiting messages as text, one line each."""
    lines = [f"{waits.in_words}."]
    if waits.held_because:
        lines.append(f"  {waits.held_because}")
    lines += [
        f"  {m.la_code:<10} {m.council}: {m.band.words}, {m.change.value}. “{m.subject}” "
        f'(`holdfast preview --month {waits.month} --council "{m.la_code}"`)'
        for m in waits.messages
    ]
    return "\n".join(lines)
