"""What approval is made of: the form a person answers, the messages shown, the round and the decision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from features.errors import HoldfastError
from features.months import day_words
from features.words import count_words
from flows.alerts.letter.render import Message
from flows.alerts.state import Band, Change, MonthField, Record
from flows.settings.run_form import ApprovalVerdict, CouncilCode


class ApprovalRefused(HoldfastError):
    """The answer cannot be carried out as it was given; nothing was recorded or sent."""

    exit_code = 18


class Answer(BaseModel):
    """The form in which a person decides; it has no default decision, so nothing is sent by a slip."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: ApprovalVerdict = Field(
        title="Decision",
        description="send all: every message shown. hold some: all but the councils below. cancel: nothing is sent.",
    )
    councils: list[CouncilCode] = Field(
        default=[],
        title="Councils to hold",
        description="With “hold some”: codes of the councils whose message is held back, for example 301.",
        max_length=200,
    )
    reason: str = Field(
        default="", title="Reason", description="Needed to hold or cancel. Kept with the decision.", max_length=500
    )
    by: str = Field(
        title="Your name",
        description="Who decides. Kept with the decision. If you signed on by name, that name is kept instead.",
        min_length=2,
        max_length=100,
        pattern=r"\S\s*\S",
    )


class Waiting(Record):
    """One message that waits: what a person needs to decide on it, and no address."""

    la_code: str
    council: str
    folder: str
    message_key: str
    digest: str
    """Of subject, texts and pictures: what is sent must be what was shown."""
    subject: str
    band: Band
    change: Change
    recipients: int
    preview: str
    """The rendered message's name in the store."""


class Pending(Record):
    """One round: the messages of a month that were shown and wait."""

    month: MonthField
    number: int
    cutoff: date
    """What arrived later is not in these messages, and stays out of them when the run goes on."""
    since: datetime
    flow_run_id: str
    """The Prefect run that asked first; empty if a command line did."""
    reason: str
    """Why the run was started, as its form says."""
    held_because: str = ""
    """Why the month would have been held anyway: the storm valve's reason."""
    messages: tuple[Waiting, ...]

    @property
    def prefix(self) -> str:
        return f"approvals/{self.month}/{self.number}/"

    def by_folder(self) -> dict[str, Waiting]:
        return {w.folder: w for w in self.messages}

    def covers(self, messages: Iterable[Waiting]) -> bool:
        """Whether each of these was shown in this round just as it is."""
        shown = self.by_folder()
        return all(w.folder in shown and shown[w.folder].digest == w.digest for w in messages)

    @property
    def in_words(self) -> str:
        """“3 messages of October 2026 have waited for approval since 20 November 2026”."""
        number = count_words(len(self.messages), "message", "messages")
        have = "has" if len(self.messages) == 1 else "have"
        return f"{number} of {self.month.in_words} {have} waited for approval since {day_words(self.since)}"


class Ruling(Record):
    """What was decided on a round, by whom, when and why."""

    month: MonthField
    number: int
    decision: ApprovalVerdict
    held: tuple[str, ...]
    """la_codes whose message stays back."""
    reason: str
    by: str
    at: datetime
    through: str
    """Where it was said: the Prefect UI or the command line."""

    def sends(self, message: Waiting) -> bool:
        """Whether the message may go."""
        return self.decision is not ApprovalVerdict.CANCEL and message.la_code not in self.held

    @property
    def in_words(self) -> str:
        """“J. Marsh decided on 20 November 2026: hold some (301). Figures to be checked.”"""
        held = f" ({', '.join(self.held)})" if self.decision is ApprovalVerdict.HOLD_SOME else ""
        because = f". {self.reason.rstrip('.')}" if self.reason else ""
        return f"{self.by} decided on {day_words(self.at)}: {self.decision.value}{held}{because}."


def digest_of(message: Message) -> str:
    """Twenty hex digits over all that a reader would see."""
    digest = hashlib.sha256()
    for part in (message.key, message.subject, message.text, message.html):
        digest.update(part.encode() + b"\0")
    for image in message.images:
        digest.update(hashlib.sha256(image.png).digest())
    return digest.hexdigest()[:20]


def how_to_decide(pending: Pending) -> str:
    """What a person does next, as sentences."""
    in_the_ui = "Choose Resume in this run’s menu (⋮, top right) in the Prefect UI, or decide"
    where = in_the_ui if pending.flow_run_id else "Decide"
    return (
        f'{where} on the command line: `holdfast approve --month {pending.month} --decision "send all" --by NAME`; '
        'or "hold some" with --council and --reason, or "cancel" with --reason. Nothing is sent before that.'
    )
