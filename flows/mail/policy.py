"""Who may be written to, and the finished message: addresses checked, tests redirected, headers safe.

Recipients come from the council register alone. Outside production nothing reaches them: the message
goes to one named inbox instead and says so; a transport that reaches people is refused without one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from features.errors import MailError, SettingsError
from flows.alerts.letter.render import SIZE_LIMIT_BYTES, Message, with_notice
from flows.mail.transports.port import Transport
from flows.store.ledger import REDIRECTED

#: Deliberately narrower than RFC 5322: no quoting, no comments, nothing a header could be broken with.
_ADDRESS = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._%+'-]*[A-Za-z0-9_%+-])?@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}")
_LONGEST_ADDRESS = 254

#: Folded headers are legal, and some mail programs show the fold; a line may have 998 characters (RFC 5322, 2.1.1).
_HEADERS_ON_ONE_LINE = SMTP.clone(max_line_length=900)


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """How this installation writes. `allowed_domains` empty means no restriction and is refused in production."""

    sender: str
    """`Holdfast <holdfast@region.example>`."""
    reply_to: str
    production: bool = False
    allowed_domains: tuple[str, ...] = ()
    redirect_to: str = ""
    """Outside production, the inbox that gets everything."""

    @property
    def sender_address(self) -> str:
        """The bare address of `sender`; raises SettingsError if there is none."""
        return checked_address(parseaddr(self.sender)[1], "the sender in the settings", SettingsError)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A finished message: bytes, stable id, and who it is handed over for."""

    key: str
    """The message's key in the ledger; a redirected one has its own, so that the two never share an attempt."""
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    redirected: bool


def checked_address(text: str, where: str, error: type[MailError] | type[SettingsError] = MailError) -> str:
    """The address if it is a plain one; raises `error` naming where it came from, not what it holds."""
    address = text.strip()
    if len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise error(f"{where[:1].upper()}{where[1:]}: not a usable e-mail address. Correct it there.")
    return address


def message_id(message_key: str, sender_address: str) -> str:
    """The stable Message-ID of a message key: the same for every attempt, addressee and machine."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", ".", message_key)
    return f"<holdfast.{plain}@{sender_address.rpartition('@')[2].lower()}>"


def envelope(
    message: Message, *, recipients: Sequence[str], policy: MailPolicy, transport: Transport, at: datetime
) -> Envelope:
    """The finished message for these recipients under this policy; the same input gives the same bytes.

    Raises MailError when an address is malformed or outside the allowed domains, or when the message is
    too large, and SettingsError when a non-production installation has nowhere to redirect to.
    """
    where = f"the register's recipients of council {message.la_code}"
    checked = tuple(dict.fromkeys(checked_address(r, where) for r in recipients))
    if not checked:
        raise MailError(
            f"Council {message.la_code} has no recipients in the register. Add the director's address there."
        )
    _allowed(checked, policy, message.la_code)
    redirected = not policy.production and bool(policy.redirect_to)
    if not policy.production and not redirected and transport.reaches_people:
        raise SettingsError(
            f"Outside production mail through {transport.name} needs mail.redirect_to, "
            "the inbox that gets every message."
        )
    if redirected:
        inbox = checked_address(policy.redirect_to, "mail.redirect_to in the settings", SettingsError)
        message = with_notice(message, _redirect_notice(message.la_code, len(checked)))
        checked = (inbox,)
    sender = policy.sender_address
    key = f"{message.key}{REDIRECTED}" if redirected else message.key
    identity = message_id(key, sender)
    content = _mime(message, checked, policy, identity, at, redirected).as_bytes(policy=_HEADERS_ON_ONE_LINE)
    if len(content) > SIZE_LIMIT_BYTES:
        raise MailError(
            f"The message {message.key} is {len(content):,} bytes, over the limit of {SIZE_LIMIT_BYTES:,}. "
            "Mail programs would cut it; shorten a section or the chart."
        )
    return Envelope(key, identity, sender, checked, content, redirected)


def _allowed(addresses: Sequence[str], policy: MailPolicy, la_code: str) -> None:
    if policy.production and not policy.allowed_domains:
        raise SettingsError("In production mail.allowed_domains must list the domains that may be written to.")
    allowed = {d.strip().lower().lstrip("@") for d in policy.allowed_domains}
    outside = sum(1 for a in addresses if a.rpartition("@")[2].lower() not in allowed)
    if allowed and outside:
        raise MailError(
            f"Council {la_code}: {outside} of {len(addresses)} recipients in the register are outside the allowed "
            "domains (mail.allowed_domains). Nobody was written to; correct the register or the list."
        )


def _redirect_notice(la_code: str, count: int) -> str:
    people = "recipient" if count == 1 else "recipients"
    return f"TEST. Not sent to council {la_code}: redirected here instead of to the {count} {people} in the register."


def _mime(
    message: Message, to: Sequence[str], policy: MailPolicy, identity: str, at: datetime, redirected: bool
) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    name, sender = parseaddr(policy.sender)
    mail["Subject"] = _one_line(f"[TEST] {message.subject}" if redirected else message.subject)
    mail["From"] = Address(display_name=_one_line(name), addr_spec=sender)
    mail["To"] = [Address(addr_spec=a) for a in to]
    mail["Reply-To"] = Address(
        addr_spec=checked_address(policy.reply_to, "mail.reply_to in the settings", SettingsError)
    )
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = identity
    mail["X-Holdfast-Message-ID"] = identity
    mail["Content-Language"] = message.letter.lang
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.images:
        html = mail.get_payload(1)
        assert isinstance(html, EmailMessage)
        for image in message.images:
            html.add_related(
                image.png,
                "image",
                "png",
                cid=f"<{image.cid}>",
                disposition="inline",
                filename=f"chart-{message.month}.png",
            )
    for number, part in enumerate(p for p in mail.walk() if p.is_multipart()):
        digest = hashlib.sha256(f"{identity}{number}".encode()).hexdigest()[:24]
        part.set_boundary(f"=_{digest}")
    return mail


def _one_line(text: str) -> str:
    """A header value on one line: control characters, line breaks above all, become blanks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
