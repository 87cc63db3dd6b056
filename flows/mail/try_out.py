"""Sends one test message to the data team and reports the answer to each step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from features.months import LONDON, Month, day_words, london_day
from flows.alerts.letter.letter import Letter
from flows.alerts.letter.render import Message, render_letter
from flows.mail.policy import addressed
from flows.mail.transports.open import mail_policy, open_transport
from flows.mail.transports.port import NotTaken
from flows.settings.settings import Settings, TransportChoice

#: The steps of SMTP in order; other transports have one step.
_STEPS = ("name", "connect", "TLS", "sign-in", "sender", "recipient", "data")


@dataclass(frozen=True, slots=True)
class MailTest:
    """The result of a test message."""

    steps: tuple[tuple[str, str], ...]
    """Each step that was answered, with the answer. Contains no secret."""
    failed: str = ""
    """The step that failed; empty if the message was accepted."""
    reason: str = ""

    def to_text(self) -> str:
        """One line for each step, then what to do next."""
        lines = [f"{step:<10} ok      {answer}" for step, answer in self.steps]
        if self.failed:
            return "\n".join([*lines, f"{self.failed:<10} FAILED  {self.reason}"])
        return "\n".join([*lines, "The message was taken. Look whether it arrives, and not among the spam."])


def send_test(settings: Settings, at: datetime) -> MailTest:
    """Send a message to the data team by the settings' transport. Raises SettingsError, MailError for addresses."""
    heard: list[tuple[str, str]] = []
    transport = open_transport(settings, lambda step, answer: heard.append((step, answer)))
    to = (settings.mail.data_team,)
    message = addressed(
        try_out_message(settings, at), recipients=to, policy=mail_policy(settings), transport=transport, at=at
    )
    smtp = settings.mail.transport is TransportChoice.SMTP
    try:
        answer = transport.send(message, message.addressees)
    except NotTaken as error:
        known = [step for step, _ in heard]
        at_step = next((s for s in _STEPS if s not in known), _STEPS[-1]) if smtp else transport.name
        return MailTest(tuple(heard), at_step, str(error))
    if answer.refused:
        (refusal,) = answer.refused
        step = "recipient" if smtp and heard[-1][0] == "recipient" else "data" if smtp else transport.name
        done = tuple(one for one in heard if one[0] != step)
        return MailTest(done, step, f"{refusal.code} {refusal.reason}")
    return MailTest(tuple(heard) or ((transport.name, answer.transport_id),))


def try_out_message(settings: Settings, at: datetime) -> Message:
    """The test message. Its key, and so its Message-ID, contains the time."""
    local = at.astimezone(LONDON)
    letter = Letter(
        subject="Holdfast: this is a test",
        eyebrow=f"Holdfast · {day_words(local)}, {local:%H:%M}",
        title="Mail from Holdfast arrives here",
        band=None,
        band_words="",
        lead=f"Sent by `holdfast mail-test` over {settings.mail.transport.value}. Nothing needs to be done.",
        footer=(f"For the data team. Replies go to {settings.mail.reply_to}.",),
    )
    month = Month.of(london_day(at))
    return render_letter(letter, key=f"{month}/test/{at:%Y%m%dT%H%M%S%f}", la_code="the data team", month=month)
