"""The outbox: messages as `.eml` files in a store, with a browsable preview. Nothing leaves the machine."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from flows.mail.transports.port import HandedOver
from flows.store.port import Store


class OutboxTransport:
    """Accepts everything by writing it down; a repeated message replaces itself, as its name is its id."""

    name = "outbox"
    reaches_people = False

    def __init__(self, store: Store, prefix: str = "") -> None:
        self._store = store
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""

    def send(self, *, sender: str, recipients: Sequence[str], message_id: str, content: bytes) -> HandedOver:
        """Write `<id>.eml` and `<id>.html`, the preview a browser opens."""
        name = f"{self._prefix}{message_id.strip('<>').partition('@')[0]}"
        self._store.replace(f"{name}.eml", content, content_type="message/rfc822")
        self._store.replace(f"{name}.html", preview(content).encode(), content_type="text/html; charset=utf-8")
        return HandedOver(tuple(recipients), transport_id=f"{name}.eml")


def parse(content: bytes) -> EmailMessage:
    """A stored message as an object with its parts."""
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def preview(content: bytes) -> str:
    """The HTML part of a message with its images put inside, as a mail program would show it."""
    message = parse(content)
    body = message.get_body(("html", "plain"))
    html = str(body.get_content()) if body is not None else ""
    for part in message.walk():
        cid = part.get("Content-ID")
        payload = part.get_payload(decode=True)
        if cid and isinstance(payload, bytes):
            data = base64.b64encode(payload).decode()
            html = html.replace(f"cid:{str(cid).strip('<>')}", f"data:{part.get_content_type()};base64,{data}")
    return html
