"""What Holdfast asks of a mail transport: send one message, and say whom it was refused for.

A transport gets what the message says, not finished bytes: SMTP, SES and the outbox build MIME from it
(`flows.mail.transports.mime`); a service that takes a subject and a body (Microsoft Graph, a template service)
fits as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from features.errors import MailError


@dataclass(frozen=True, slots=True)
class Picture:
    """An image inside the HTML, which names it as `cid:<cid>`."""

    cid: str
    png: bytes
    filename: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as it is handed to a transport: the same for every attempt and every addressee."""

    key: str
    """Our stable name of the message, also in the ledger: `2026-10/370/r1/new_watch`."""
    message_id: str
    """The Message-ID made from the key, with its angle brackets."""
    at: datetime
    """When it was first recorded: its date, also on a later attempt."""
    sender: str
    """An address; `sender_name` stands before it."""
    sender_name: str
    reply_to: str
    addressees: tuple[str, ...]
    """Everyone named in the header; an attempt may be for some of them."""
    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()


class NotTaken(MailError):
    """The message was handed over to nobody, through no fault of an addressee. It stays to be sent.

    No connection, a certificate, a sign-in, a limit: every other message would meet the same now, and the same call
    may succeed later, by itself or after the data team has put something right.
    """


class Throttled(NotTaken):
    """The service asks to send more slowly: the same call succeeds in a moment."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One addressee whom the transport did not accept, while it may have accepted others."""

    address: str
    code: int
    reason: str
    retryable: bool
    """Not for good: greylisting, a full mailbox, a fault of ours. It stays to be sent."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The transport's answer for one message."""

    addresses: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    transport_id: str = ""
    """What the transport calls the message, if it says (SES MessageId, SMTP queue id)."""


class Transport(Protocol):
    """A way for mail to leave. `reaches_people` is False only where nothing leaves the machine."""

    name: str
    reaches_people: bool

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        """Send the message to these of its addressees.

        Every recipient is in the answer, accepted or refused. Raises NotTaken when the message as a whole could
        not be handed over.
        """
