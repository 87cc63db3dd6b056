"""What Holdfast needs of a mail transport: send one message, and say which addressees were refused.

A transport gets the content of a message and not finished bytes. SMTP, SES and the outbox build MIME from it
(`flows.mail.transports.mime`). A service that takes a subject and a body (Microsoft Graph, a template service) fits
too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from features.errors import MailError


@dataclass(frozen=True, slots=True)
class Picture:
    """An inline image, which the HTML refers to as `cid:<cid>`."""

    cid: str
    png: bytes
    filename: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as given to a transport. It is the same for every attempt and every addressee."""

    key: str
    """Our stable name for the message, also used in the ledger: `2026-10/370/r1/new_watch`."""
    message_id: str
    """The Message-ID made from the key, with angle brackets."""
    at: datetime
    """When it was first recorded. This is its date, also on a later attempt."""
    sender: str
    """The sender's address, without `sender_name`."""
    sender_name: str
    reply_to: str
    addressees: tuple[str, ...]
    """Everyone named in the header. An attempt may be for only some of them."""
    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()


class NotTaken(MailError):
    """The message was accepted for nobody, through no fault of an addressee. It still has to be sent.

    The cause is a connection, a certificate, a sign-in or a limit. Every other message would meet the same fault now.
    The same call may succeed later, perhaps only after the data team has put something right.
    """


class Throttled(NotTaken):
    """The service asks us to send more slowly. The same call will succeed in a moment."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One addressee that the transport did not accept; it may have accepted others."""

    address: str
    code: int
    reason: str
    retryable: bool
    """Whether the refusal is temporary (greylisting, a full mailbox, a fault of ours), so that it stays to be sent."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The transport's answer for one message."""

    addresses: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    transport_id: str = ""
    """The transport's own id of the message, if it gives one (SES MessageId, SMTP queue id)."""


class Transport(Protocol):
    """A way to send mail. `reaches_people` is False only if nothing leaves the machine."""

    name: str
    reaches_people: bool

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        """Send the message to these of its addressees.

        Every recipient is in the result, as accepted or refused. Raises NotTaken if the message as a whole could not be
        handed over.
        """
