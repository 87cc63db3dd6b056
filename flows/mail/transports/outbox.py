"""The outbox: writes messages as `.eml` files into a store, with previews for a browser. Nothing leaves the machine."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from flows.mail.transports.mime import mime_bytes
from flows.mail.transports.port import HandedOver, Outgoing
from flows.store.port import Store


class OutboxTransport:
    """Accepts every message by writing it to the store. A repeated message replaces itself, as its name is its id."""

    name = "outbox"
    reaches_people = False

    def __init__(self, store: Store) -> None:
        self._store = store

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        """Write `<id>.eml` and `<id>.html`, the preview a browser opens."""
        name = message.message_id.strip("<>").partition("@")[0]
        self._store.replace(f"{name}.eml", mime_bytes(message), content_type="message/rfc822")
        self._store.replace(f"{name}.html", preview_html(message).encode(), content_type="text/html; charset=utf-8")
        return HandedOver(tuple(recipients), transport_id=f"{name}.eml")


def preview_html(message: Outgoing) -> str:
    """The HTML with its pictures embedded, as a mail program would show it."""
    html = message.html
    for picture in message.pictures:
        data = base64.b64encode(picture.png).decode()
        html = html.replace(f"cid:{picture.cid}", f"data:image/png;base64,{data}")
    return html
