"""Sends by HTTP instead of mail: notices to a team's channel, and the watchdog's heartbeat.

Both addresses are secrets, as anybody who has one can post. They appear in no message, log or error.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from flows.mail.transports.port import HandedOver, NotTaken, Outgoing
from flows.settings.settings import Settings, WebhookForm

_TIMEOUT_SECONDS = 20


class Webhook:
    """A transport for notices: an incoming webhook of Teams (a workflow), Slack, or a service compatible with Slack."""

    name = "webhook"
    reaches_people = True

    def __init__(self, url: str, form: WebhookForm) -> None:
        self._url = url
        self._form = form

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        """Post the subject and the text. Raises NotTaken unless the response is 2xx."""
        text = f"{message.subject}\n\n{message.text}"
        body = {"text": text} if self._form is WebhookForm.SLACK else _card(message.subject, message.text)
        try:
            answer = httpx.post(self._url, json=body, timeout=_TIMEOUT_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTaken(f"The webhook could not be reached ({type(error).__name__}).") from None
        if not answer.is_success:
            raise NotTaken(f"The webhook answered {answer.status_code}. Check watchdog.webhook_url.")
        return HandedOver(tuple(recipients))


def _card(subject: str, text: str) -> dict[str, object]:
    """The adaptive card that Teams' workflow “when a webhook request is received” expects."""
    title = {"type": "TextBlock", "text": subject, "weight": "Bolder", "wrap": True}
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [title, {"type": "TextBlock", "text": text, "wrap": True}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def open_webhook(settings: Settings) -> Webhook | None:
    """The webhook in the settings; None if there is none."""
    url = settings.watchdog.webhook_url
    return Webhook(url.get_secret_value(), settings.watchdog.webhook_form) if url else None


def signal(settings: Settings) -> str:
    """Send the watchdog's heartbeat to the address in the settings, if there is one. Returns why it failed, or “”."""
    url = settings.watchdog.signal_url
    if url is None:
        return ""
    try:
        answer = httpx.get(url.get_secret_value(), timeout=_TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"The signal of life could not be given: watchdog.signal_url does not answer ({type(error).__name__})."
    if answer.is_success:
        return ""
    return f"The signal of life could not be given: watchdog.signal_url answers {answer.status_code}."
