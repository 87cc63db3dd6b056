"""Turns a message into MIME bytes and back. The same message always gives the same bytes.

The ledger stores the bytes, as any mail program can open them. A later attempt reads the message from them.
"""

from __future__ import annotations

import hashlib
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime

from flows.mail.transports.port import Outgoing, Picture

#: Keeps each header on one line. Folding is allowed, but some mail programs show it; RFC 5322 (2.1.1) allows 998
#: characters per line.
_HEADERS_ON_ONE_LINE = SMTP.clone(max_line_length=900)


def mime_bytes(message: Outgoing) -> bytes:
    """The complete message by RFC 5322."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = message.subject
    mail["From"] = Address(display_name=message.sender_name, addr_spec=message.sender)
    mail["To"] = [Address(addr_spec=a) for a in message.addressees]
    mail["Reply-To"] = Address(addr_spec=message.reply_to)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = message.message_id
    mail["X-Holdfast-Message-ID"] = message.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.pictures:
        html = mail.get_payload(1)
        assert isinstance(html, EmailMessage)
        for picture in message.pictures:
            html.add_related(
                picture.png,
                "image",
                "png",
                cid=f"<{picture.cid}>",
                disposition="inline",
                filename=picture.filename,
            )
    for number, part in enumerate(p for p in mail.walk() if p.is_multipart()):
        digest = hashlib.sha256(f"{message.message_id}{number}".encode()).hexdigest()[:24]
        part.set_boundary(f"=_{digest}")
    return mail.as_bytes(policy=_HEADERS_ON_ONE_LINE)


def parsed_message(content: bytes) -> EmailMessage:
    """Parse a stored message into an object with its parts."""
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def message_of(content: bytes, key: str) -> Outgoing:
    """Read a message from bytes that `mime_bytes` made, in this version or an earlier one."""
    mail = parsed_message(content)
    (sender,) = mail["From"].addresses
    texts = {
        part.get_content_subtype(): str(part.get_content()).replace("\r\n", "\n")
        for part in mail.walk()
        if part.get_content_maintype() == "text"
    }
    return Outgoing(
        key=key,
        message_id=str(mail["Message-ID"]),
        at=mail["Date"].datetime,
        sender=sender.addr_spec,
        sender_name=sender.display_name,
        reply_to=mail["Reply-To"].addresses[0].addr_spec,
        addressees=tuple(a.addr_spec for a in mail["To"].addresses),
        subject=str(mail["Subject"]),
        text=texts["plain"],
        html=texts["html"],
        pictures=tuple(
            Picture(str(part["Content-ID"]).strip("<>"), part.get_content(), str(part.get_filename()))
            for part in mail.walk()
            if part.get_content_maintype() == "image"
        ),
    )
