"""Decides who may be written to and addresses the message: checks addresses, redirects tests, keeps headers safe.

Recipients come only from the council register. Outside production nothing reaches them: the message goes to one
named inbox instead and says so. Without such an inbox, a transport that reaches people is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from features.addresses import is_plain_address
from features.errors import MailError, SettingsError
from flows.alerts.letter.render import SIZE_LIMIT_BYTES, Message, with_notice
from flows.mail.transports.mime import mime_bytes
from flows.mail.transports.port import Outgoing, Picture, Transport
from flows.store.ledger import REDIRECTED


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """How this installation sends mail. Empty `allowed_domains` means no restriction, which production refuses."""

    sender: str
    """`Holdfast <holdfast@region.example>`."""
    reply_to: str
    production: bool = False
    allowed_domains: tuple[str, ...] = ()
    redirect_to: str = ""
    """The inbox that gets all mail outside production."""

    @property
    def sender_address(self) -> str:
        """The address in `sender`, without the name. Raises SettingsError if there is none."""
        return checked_address(parseaddr(self.sender)[1], "the sender in the settings", SettingsError)


def checked_address(text: str, where: str, error: type[MailError] | type[SettingsError] = MailError) -> str:
    """Return a plain address unchanged. Else raise `error`, which names where it came from but does not quote it."""
    address = text.strip()
    if not is_plain_address(address):
        raise error(f"{where[:1].upper()}{where[1:]}: not a usable e-mail address. Correct it there.")
    return address


def message_id(message_key: str, sender_address: str) -> str:
    """The Message-ID of a message key, which is the same for every attempt, addressee and machine."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", ".", message_key)
    return f"<holdfast.{plain}@{sender_address.rpartition('@')[2].lower()}>"


def addressed(
    message: Message, *, recipients: Sequence[str], policy: MailPolicy, transport: Transport, at: datetime
) -> Outgoing:
    """The message for these recipients under this policy. The same input gives the same message.

    A redirected message has a key of its own, so that it never shares an attempt with the real one. Raises
    MailError if an address is malformed or outside the allowed domains, and SettingsError if an installation
    outside production has no inbox to redirect to.
    """
    to, redirected = allowed_recipients(recipients, policy, transport, message.la_code)
    if redirected:
        message = with_notice(message, _redirect_notice(message.la_code, len({r.strip() for r in recipients})))
    key = f"{message.key}{REDIRECTED}" if redirected else message.key
    return Outgoing(
        key=key,
        message_id=message_id(key, policy.sender_address),
        at=at,
        sender=policy.sender_address,
        sender_name=_one_line(parseaddr(policy.sender)[0]),
        reply_to=checked_address(policy.reply_to, "mail.reply_to in the settings", SettingsError),
        addressees=to,
        subject=_one_line(f"[TEST] {message.subject}" if redirected else message.subject),
        text=message.text,
        html=message.html,
        pictures=tuple(Picture(i.cid, i.png, f"chart-{message.month}.png") for i in message.images),
    )


def allowed_recipients(
    recipients: Sequence[str], policy: MailPolicy, transport: Transport, la_code: str
) -> tuple[tuple[str, ...], bool]:
    """The addresses to write to for these recipients, and whether this is the test inbox instead.

    Raises MailError and SettingsError in the same cases as `addressed`.
    """
    where = f"the register's recipients of council {la_code}"
    checked = tuple(dict.fromkeys(checked_address(r, where) for r in recipients))
    if not checked:
        raise MailError(f"Council {la_code} has no recipients in the register. Add the director's address there.")
    _allowed(checked, policy, la_code)
    redirected = not policy.production and bool(policy.redirect_to)
    if not policy.production and not redirected and transport.reaches_people:
        raise SettingsError(
            f"Outside production mail through {transport.name} needs mail.redirect_to, "
            "the inbox that gets every message."
        )
    if redirected:
        checked = (checked_address(policy.redirect_to, "mail.redirect_to in the settings", SettingsError),)
    return checked, redirected


def record_of(message: Outgoing) -> bytes:
    """The message as bytes for the ledger, which any mail program can open. Raises MailError if it is too large."""
    content = mime_bytes(message)
    if len(content) > SIZE_LIMIT_BYTES:
        raise MailError(
            f"The message {message.key} is {len(content):,} bytes, over the limit of {SIZE_LIMIT_BYTES:,}. "
            "Mail programs would cut it; shorten a section or the chart."
        )
    return content


def is_outside(address: str, policy: MailPolicy) -> bool:
    """Whether an address is outside the domains that may be written to, if they are named."""
    allowed = {d.strip().lower().lstrip("@") for d in policy.allowed_domains}
    return bool(allowed) and address.rpartition("@")[2].lower() not in allowed


def _allowed(addresses: Sequence[str], policy: MailPolicy, la_code: str) -> None:
    if policy.production and not policy.allowed_domains:
        raise SettingsError("In production mail.allowed_domains must list the domains that may be written to.")
    outside = sum(is_outside(a, policy) for a in addresses)
    if outside:
        raise MailError(
            f"Council {la_code}: {outside} of {len(addresses)} recipients in the register are outside the allowed "
            "domains (mail.allowed_domains). Nobody was written to; correct the register or the list."
        )


def _redirect_notice(la_code: str, count: int) -> str:
    people = "recipient" if count == 1 else "recipients"
    return f"TEST. Not sent to council {la_code}: redirected here instead of to the {count} {people} in the register."


def _one_line(text: str) -> str:
    """A header value on one line: control characters, especially line breaks, become spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
