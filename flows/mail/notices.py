"""Notices to the data team when something needs a person: one per cause and day.

A self-hosted Prefect server cannot send mail, so notices use Holdfast's own mail and its ledger. A notice is sent only
once a day, even if the watchdog, a run and the command line all find the same cause.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.errors import SettingsError, StoreError
from features.months import Month, day_words, london_day
from flows.alerts.letter.letter import Bullets, Letter, LetterSection
from flows.alerts.letter.render import Message, render_letter
from flows.mail.deliver import Delivery, deliver, deliver_recorded
from flows.mail.policy import addressed, message_id, record_of
from flows.mail.transports.open import mail_policy
from flows.mail.transports.port import NotTaken, Outgoing, Transport
from flows.mail.webhook import Webhook, open_webhook
from flows.settings.settings import Settings
from flows.store import Store, open_store
from flows.store.ledger import Ledger, Status

_LOGGER = logging.getLogger("holdfast.notify")
#: Name of the addressee of a notice that was posted to the webhook.
_WEBHOOK = "the team's webhook"
_PLAIN = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that the data team must know."""

    cause: str
    """Stable name of the cause, `not-done-2026-10`. Each cause gives one message a day."""
    title: str
    """The headline."""
    what: str
    """Sentences on what happened and where. Contains no value from anybody's record."""
    to_do: tuple[str, ...]
    """What to do, step by step, with addresses of pages."""

    def __post_init__(self) -> None:
        if not _PLAIN.fullmatch(self.cause):
            raise ValueError(f"“{self.cause}” is no name of a cause: small letters, digits and hyphens")

    def to_text(self) -> str:
        """The notice as text for a terminal or a log."""
        return "\n".join([f"{self.title}. {self.what}", *(f"  - {step}" for step in self.to_do)])


def notice_message(notice: Notice, at: datetime, reply_to: str) -> Message:
    """The notice as a message. Its key is the same for the same cause and day."""
    day = london_day(at)
    letter = Letter(
        subject=f"Holdfast: {notice.title}",
        eyebrow=f"Holdfast · {day_words(day)}",
        title=notice.title,
        band=None,
        band_words="",
        lead=notice.what,
        sections=(LetterSection("What to do", (Bullets(notice.to_do),)),),
        footer=(f"For the data team. Said at most once a day. Replies go to {reply_to}.",),
    )
    month = Month.of(day)
    return render_letter(letter, key=f"{month}/watchdog/{day}-{notice.cause}", la_code="the data team", month=month)


def tell(
    settings: Settings, store: Store | None, transport: Transport, notices: Sequence[Notice], at: datetime
) -> list[Delivery]:
    """Mail each notice to the data team once a day, and post it to the team's webhook. Returns the results.

    If there is no store or it does not answer, a message is sent unrecorded with the same Message-ID: twice is
    better than not at all. Raises MailError or SettingsError for addresses that a person must correct, after the
    notices were posted to the webhook.
    """
    webhook = open_webhook(settings)
    posted = [_post(settings, store, webhook, notice, at) for notice in notices] if webhook else []
    return [*(_tell(settings, store, transport, notice, at) for notice in notices), *posted]


def _post(settings: Settings, store: Store | None, webhook: Webhook, notice: Notice, at: datetime) -> Delivery:
    message = notice_message(notice, at, settings.mail.reply_to)
    sender = mail_policy(settings).sender_address
    key = f"{message.key}.webhook"
    outgoing = Outgoing(
        key=key,
        message_id=message_id(key, sender),
        at=at,
        sender=sender,
        sender_name="",
        reply_to=settings.mail.reply_to,
        addressees=(settings.mail.data_team,),
        subject=message.subject,
        text=notice.to_text(),
        html=message.html,
    )
    to = (_WEBHOOK,)
    if store is not None:
        try:
            Ledger(store).create(key, outgoing.message_id, to, record_of(outgoing), at)
            (made,) = deliver_recorded(store, webhook, key, to, at)
        except StoreError:
            _LOGGER.warning("The ledger cannot be written; the webhook is told unrecorded.")
        else:
            return made
    return _unrecorded(webhook, outgoing, _WEBHOOK)


def _tell(settings: Settings, store: Store | None, transport: Transport, notice: Notice, at: datetime) -> Delivery:
    message = notice_message(notice, at, settings.mail.reply_to)
    to, policy = (settings.mail.data_team,), mail_policy(settings)
    if store is not None:
        try:
            made = deliver(store, transport, message, recipients=to, policy=policy, at=at)
            # If the address was changed today, the ledger still has the old one.
            inbox = policy.redirect_to if policy.redirect_to and not policy.production else settings.mail.data_team
            return next((d for d in made if d.address == inbox.strip()), made[-1])
        except StoreError:
            _LOGGER.warning("The ledger cannot be written; the message goes out unrecorded.")
    outgoing = addressed(message, recipients=to, policy=policy, transport=transport, at=at)
    return _unrecorded(transport, outgoing, outgoing.addressees[0])


def _unrecorded(transport: Transport, outgoing: Outgoing, address: str) -> Delivery:
    try:
        refused = "; ".join(r.reason for r in transport.send(outgoing, (address,)).refused)
    except NotTaken as error:
        refused = str(error)
    return Delivery(outgoing.key, address, Status.DEFERRED if refused else Status.SENT, True, refused)


def opened_store(settings: Settings) -> Store | None:
    """The store that the settings name; None if it does not answer now."""
    try:
        store = open_store(settings, settings.store, must_exist=True)
        store.info("runs")
    except (StoreError, SettingsError):
        return None
    return store
