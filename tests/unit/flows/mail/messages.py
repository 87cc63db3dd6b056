"""One small message as it is handed to a transport."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from features.months import Month
from flows.alerts.letter.letter import Letter
from flows.alerts.letter.render import Message, render_letter
from flows.mail.transports.port import Outgoing

SENDER = "holdfast@alliance.example"

_SMALL = Outgoing(
    key="2026-10/991/r1/new_watch",
    message_id="<holdfast.2026-10.991.r1.new_watch@alliance.example>",
    at=datetime(2026, 11, 14, 9, 0, tzinfo=UTC),
    sender=SENDER,
    sender_name="Holdfast",
    reply_to="data-team@alliance.example",
    addressees=("d@ashcombe.example", "e@ashcombe.example"),
    subject="Ashcombe",
    text="Hello\n.dot\n",
    html="<p>Hello</p>\n",
)


def small(**given: Any) -> Outgoing:
    """The message with some of it changed."""
    return replace(_SMALL, **given)


def letter(key: str = "2026-10/991/r1/new_watch") -> Message:
    """A message without pictures, quick to make."""
    plain = Letter(subject="Ashcombe", eyebrow="", title="Ashcombe", band=None, band_words="", lead="One sentence.")
    return render_letter(plain, key=key, la_code=key.split("/")[1], month=Month.parse(key[:7]))
