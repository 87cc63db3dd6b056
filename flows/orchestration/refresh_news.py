"""E-mails to the data team about published files: each new release once, files refused or not fetched once a month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from features.errors import HoldfastError
from features.months import Month, london_day
from features.words import count_words
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.letter import Bullets, Letter, LetterSection, Para
from flows.alerts.letter.render import Message, render_letter
from flows.mail.deliver import deliver
from flows.mail.transports.open import mail_policy
from flows.mail.transports.port import Transport
from flows.published.api import DataSetVersion
from flows.published.outcome import RefreshOutcome
from flows.published.refresh import SourceOutcome
from flows.published.shelf import Version
from flows.settings.settings import Settings
from flows.store import Store
from flows.store.ledger import Status as MailStatus

#: A release stored this recently is still announced, in case the run that stored it died before it sent the e-mail.
_TOLD_WITHIN = timedelta(days=14)
#: At most so many sources are named in a subject line.
_NAMED = 3


def messages(refreshed: RefreshOutcome, sender: Contact, at: datetime) -> Iterator[Message]:
    """The messages for this refresh. Their keys are stable, so the ledger sends each only once."""
    for outcome in refreshed.sources:
        version = outcome.version
        if version is not None and version.is_release and at - version.fetched <= _TOLD_WITHIN:
            yield _release(version, refreshed.advice, sender)
        if outcome.newer is not None:
            yield _newer(outcome, outcome.newer, sender, at)
    if trouble := [o for o in refreshed.sources if o.trouble]:
        yield _trouble(trouble, sender, at)
    if refreshed.undeclared:
        yield _undeclared(refreshed.undeclared, sender, at)


def tell_data_team(
    store: Store, transport: Transport, settings: Settings, refreshed: RefreshOutcome, at: datetime
) -> tuple[str, ...]:
    """Send the messages that are due to the data team. Returns one sentence for each, sent or not."""
    said = []
    to = (settings.mail.data_team,)
    for message in messages(refreshed, Contact.of(settings), at):
        try:
            done = deliver(store, transport, message, recipients=to, policy=mail_policy(settings), at=at)
        except HoldfastError as error:
            said.append(f"“{message.subject}” could not be sent: {error}")
            continue
        for one in done:
            if one.status is MailStatus.SENT and one.attempted:
                said.append(f"The data team was told: {message.subject}.")
            elif one.status is not MailStatus.SENT:
                said.append(f"“{message.subject}” could not be sent: {one.reason}")
    return tuple(said)


def _release(version: Version, advice: str, sender: Contact) -> Message:
    due = "retraining is due" if advice.startswith("Retraining is due") else "retraining is not due"
    return _message(
        key=f"{Month.of(london_day(version.fetched))}/reference/{version.source}-{version.sha256[:12]}",
        month=Month.of(london_day(version.fetched)),
        subject=f"New release: {version.source}; {due}",
        lead=f"The published file “{version.source}” has figures or judgements that were not there before.",
        sections=(
            LetterSection("What changed", (Bullets(version.changes),)),
            LetterSection("The model", (Para(advice),)),
            LetterSection(
                "The file",
                (Para(f"Fetched on {version.fetched:%d %B %Y} from {version.origin}, stored as {version.filename}."),),
            ),
        ),
        sender=sender,
    )


def _newer(outcome: SourceOutcome, newer: DataSetVersion, sender: Contact, at: datetime) -> Message:
    month = Month.of(newer.published or london_day(at))
    return _message(
        key=f"{month}/reference/{outcome.source}-version-{newer.number.replace('.', '-')}",
        month=month,
        subject=f"New version: {outcome.source}, version {newer.number}",
        lead=outcome.sentence,
        sections=(),
        sender=sender,
    )


def _trouble(outcomes: Sequence[SourceOutcome], sender: Contact, at: datetime) -> Message:
    """Everything that went wrong, in one message: if the network is down, the team need not hear it for each file."""
    month = Month.of(london_day(at))
    ordered = sorted(outcomes, key=lambda o: o.source)
    digest = sha256(repr([(o.source, o.status, o.refused[-12:]) for o in ordered]).encode()).hexdigest()[:12]
    names = ", ".join(o.source for o in ordered[:_NAMED]) + (" …" if len(ordered) > _NAMED else "")
    used = tuple(f"{o.source}: {f'the version of {o.version.id[:10]}' if o.version else 'none'}." for o in ordered)
    return _message(
        key=f"{month}/reference/trouble-{digest}",
        month=month,
        subject=f"Published files not refreshed: {names}",
        lead="What is stored stays in use until this is put right.",
        sections=(
            LetterSection("What is wrong", (Bullets(tuple(o.sentence for o in ordered)),)),
            LetterSection("In use meanwhile", (Bullets(used),)),
        ),
        sender=sender,
    )


def _undeclared(reports: Sequence[str], sender: Contact, at: datetime) -> Message:
    """The reports that wait for a decision; the same ones are told of again each month until it is made."""
    month = Month.of(london_day(at))
    digest = sha256(repr(sorted(reports)).encode()).hexdigest()[:12]
    count = count_words(len(reports), "report", "reports")
    return _message(
        key=f"{month}/reference/undeclared-{digest}",
        month=month,
        subject=f"{count} of an inspection framework that is not declared",
        lead="They are kept and not used: no score, level or track record changes until somebody has decided.",
        sections=(LetterSection("The reports", (Bullets(tuple(reports)),)),),
        sender=sender,
    )


def _message(
    *, key: str, month: Month, subject: str, lead: str, sections: tuple[LetterSection, ...], sender: Contact
) -> Message:
    letter = Letter(
        subject=subject,
        eyebrow="Published files",
        title=subject,
        band=None,
        band_words="",
        lead=lead,
        sections=sections,
        footer=(f"For {sender.team}; no council’s own data is in it.",),
    )
    return render_letter(letter, key=key, la_code="the data team", month=month)
