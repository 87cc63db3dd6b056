"""What Holdfast asks of a mail transport: hand over one finished message, and say whom it was refused for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from features.errors import MailError


class RetryableMailError(MailError):
    """The transport could not take the message now (no connection, throttled, 4xx): the same call may succeed later."""


class PermanentMailError(MailError):
    """The transport will not take this message however often it is asked (5xx, rejected sender, bad credentials).

    A person has to change something; repeating it only hides that.
    """


@dataclass(frozen=True, slots=True)
class Refusal:
    """One addressee whom the transport did not accept, while it may have accepted others."""

    address: str
    code: int
    reason: str
    retryable: bool


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

    def send(self, *, sender: str, recipients: Sequence[str], message_id: str, content: bytes) -> HandedOver:
        """Hand over `content`, a complete RFC 5322 message, for `recipients` (the envelope, not the header).

        Every recipient is in the answer, accepted or refused. Raises RetryableMailError or
        PermanentMailError when the message as a whole could not be handed over.
        """
