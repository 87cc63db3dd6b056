"""Mails data officers the validation report on their council's files, if there is anything to put right."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from expectations.batch import Effect, Severity
from expectations.fates import CouncilFiles
from expectations.report.council import measures_needing, row_in_words
from features.councils import Council
from features.errors import MailError
from features.months import Month
from features.registry import BY_NAME, Kind
from features.words import listed, lower_first
from flows.alerts.alert import Alert
from flows.alerts.council import validation_facts
from flows.alerts.facts import ValidationNote
from flows.alerts.files import council_files
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.letter import Bullets, Letter, LetterBlock, LetterSection, Para
from flows.alerts.letter.render import Message, render_letter
from flows.alerts.look_first import URGENT
from flows.alerts.publish import readable_alerts
from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver, undeliverable
from flows.mail.transports.open import mail_policy
from flows.store.context import RunContext
from flows.store.ledger import Status
from flows.store.manifest import Manifest

#: The most rows of one failure that a message names; the report has them all.
_ROWS_NAMED = 8
#: The most kinds of failure that a message lists; the report has the rest.
_NOTES_LISTED = 12
#: The most figures that one finding names.
_FIGURES_NAMED = 3


def write_to_data_officers(
    context: RunContext,
    courier: Courier,
    councils: Iterable[Council],
    manifest: Manifest | None,
    failures: pl.DataFrame,
    published: Sequence[Alert] | None = None,
) -> dict[str, list[Delivery]]:
    """Mail every data officer whose council has something to put right. Returns the deliveries by la_code.

    `published`: the alerts that the caller has just published; else those in the store.

    The message's key contains a digest of its content, so a repeated run writes to nobody again, and a file that is
    sent again gets a new answer. It goes out even while alerts are held, as it helps to repair the data behind them.
    """
    if not context.settings.mail.to_data_officers or manifest is None:
        return {}
    month, policy, sender = context.month, mail_policy(context.settings), Contact.of(context.settings)
    writes = [(c, council_files(manifest, failures, c, month)) for c in councils if c.data_officer]
    writes = [(council, files) for council, files in writes if files.to_put_right]
    there = readable_alerts(context.store, month, [c for c, _ in writes], []) if published is None else published
    alerts = {a.la_code: a for a in there}
    due: list[tuple[Council, Message]] = []
    for council, files in writes:
        notes = validation_facts(failures, council, month).notes
        bearing = bears_on([alerts[council.la_code]] if council.la_code in alerts else [])
        due.append((council, data_officer_message(council, files, notes, sender, bearing)))

    def attempt(one: tuple[Council, Message]) -> list[Delivery]:
        council, message = one
        try:
            to = (council.data_officer,)
            return deliver(
                context.store, courier, message, recipients=to, policy=policy, at=context.now, ledger=courier.ledger
            )
        except MailError as error:
            return [undeliverable(message, error)]

    made = courier.carry(due, attempt)
    return {council.la_code: each for (council, _), each in zip(due, made, strict=True)}


def unreached(context: RunContext, written: Mapping[str, Sequence[Delivery]]) -> list[str]:
    """Sentences on the data officers who should have a report and do not."""
    return [
        f"{context.register.by_code[code].name} ({code}): the data officer could not be written to. {d.reason}"
        for code, done in written.items()
        for d in done
        if d.status is not Status.SENT
    ]


def data_officer_message(
    council: Council,
    files: CouncilFiles,
    notes: Sequence[ValidationNote],
    contact: Contact,
    bearing: Collection[str] = URGENT,
) -> Message:
    """The validation report on a council's files, for its data officer. Contains row numbers but never values.

    Findings that bear on the measures in `bearing`, those that the director's message is made of, go first.
    """
    month, happened = files.month, files.headline
    how = LetterSection(
        "How to put it right",
        (
            Para("Correct the file at its source and put it in the same folder again; both versions are kept."),
            Para("The command “holdfast check FILE” gives this same report before you send."),
        ),
    )
    letter = Letter(
        subject=f"{council.name}, {month.in_words}: {happened}",
        eyebrow=f"{council.name} · {month.in_words}",
        title=happened[:1].upper() + happened[1:],
        band=None,
        band_words="",
        lead=f"{files.verdict} Restating a month is normal and never held against you.",
        contact=contact.offer,
        sections=(*files_sections(files, notes, bearing), how),
        footer=(f"From {contact.team}; replies go to {contact.reply_to}.",),
    )
    # The order of the findings follows the director's message, so it is no part of what makes a message new.
    said = (month, [f.detail for f in files.files], sorted(repr(n) for n in notes))
    key = f"{month}/files/{council.folder}/{hashlib.sha256(repr(said).encode()).hexdigest()[:12]}"
    return render_letter(letter, key=key, la_code=council.la_code, month=month)


def files_sections(
    files: CouncilFiles, notes: Sequence[ValidationNote], bearing: Collection[str] = URGENT
) -> tuple[LetterSection, ...]:
    """What became of the files, and each finding that somebody has to correct or confirm."""
    sections = [LetterSection("Your files", (Bullets(tuple(f.detail for f in files.files)),))]
    if found := [n for n in notes if n.severity != Severity.INFORMATION]:
        sections.append(LetterSection("What we found, most urgent first", _findings(found, bearing)))
    return tuple(sections)


def tried_message(
    council: Council, month: Month, sections: Sequence[LetterSection], contact: Contact, mark: str
) -> Message:
    """The answer to files in the try folder, for the data officer. `mark` tells one set of files from another."""
    how = LetterSection(
        "What now",
        (
            Para("Put what you corrected into the try folder again. What is in order goes into the landing folder."),
            Para("The page report.html beside your files says the same. Both are deleted after a day."),
        ),
    )
    letter = Letter(
        subject=f"{council.name}: the files in your try folder, checked",
        eyebrow=council.name,
        title="Your files were checked",
        band=None,
        band_words="",
        lead="This was only a check: nothing of these files is counted or kept.",
        sections=(*sections, how),
        footer=(f"{contact.offer} From {contact.team}; replies go to {contact.reply_to}.",),
    )
    return render_letter(letter, key=f"{month}/tried/{council.folder}/{mark}", la_code=council.la_code, month=month)


@dataclass(frozen=True)
class _Finding:
    """The same fault in the same rows of one extract, in one column or several."""

    notes: tuple[ValidationNote, ...]
    concerns: tuple[str, ...]
    """Labels of the measures of the director's message that it bears on."""
    others: tuple[str, ...]
    """Labels of the other measures that it bears on."""

    @property
    def urgency(self) -> tuple[bool, bool, bool, int]:
        """Sort key: what holds the director's message, what bears on it, errors, then by how many figures."""
        first = self.notes[0]
        return (
            first.effect != Effect.HELD,
            not self.concerns,
            first.severity != Severity.ERROR,
            -len(self.concerns) - len(self.others),
        )

    @property
    def sentences(self) -> str:
        """Where, what and how many; then severity and effect in one sentence."""
        first, also = self.notes[0], [n.column for n in self.notes[1:]]
        where = f"{first.extract[:1].upper()}{first.extract[1:]}"
        if first.rows:
            shown = [row_in_words(r) for r in first.rows[:_ROWS_NAMED]]
            more = [f"{first.count - len(shown)} more"] if first.count > len(shown) else []
            where += f", {'row' if first.count == 1 else 'rows'} {listed([*shown, *more])}"
        same = f" The same in {listed(also)}." if also else ""
        return f"{where}: {first.message}{same} {first.severity.capitalize()}: {self._effect}."

    @property
    def _effect(self) -> str:
        effect = self.notes[0].effect or "every figure is used as it is"
        if self.concerns:
            effect += f"; it bears on the director's message ({_some(self.concerns)})"
        elif self.others:
            effect += f"; it bears on {_some(self.others)}"
        return effect


def _some(labels: Sequence[str]) -> str:
    more = [f"{len(labels) - _FIGURES_NAMED} more"] if len(labels) > _FIGURES_NAMED else []
    return listed([*(lower_first(label) for label in labels[:_FIGURES_NAMED]), *more])


def _findings(notes: Sequence[ValidationNote], bearing: Collection[str]) -> tuple[LetterBlock, ...]:
    """Each finding once, most urgent first. The same fault in the same rows of several columns is one finding."""
    together: dict[tuple[object, ...], list[ValidationNote]] = {}
    for note in notes:
        said = note.message.replace(note.column, "") if note.column else note.message
        key = (note.extract, note.rows, note.count, said, note.severity, note.effect)
        together.setdefault(key, []).append(note)
    labels = {BY_NAME[m].label for m in bearing}
    found = []
    for same in together.values():
        bears = dict.fromkeys(m for n in same if n.column for m in measures_needing(Kind(n.extract), n.column))
        concerns, others = (tuple(m for m in bears if (m in labels) is own) for own in (True, False))
        found.append(_Finding(tuple(same), concerns, others))
    found.sort(key=lambda f: f.urgency)
    items, left = Bullets(tuple(f.sentences for f in found[:_NOTES_LISTED])), len(found) - _NOTES_LISTED
    return (items, Para(f"{left} more are in the full report.")) if left > 0 else (items,)


def bears_on(alerts: Iterable[Alert]) -> frozenset[str]:
    """The measures that directors' messages are made of: the urgent ones, the score's reasons, and those drawn."""
    named = set(URGENT)
    for alert in alerts:
        named |= {r.measure for r in alert.score.reasons if r.measure is not None and r.share > 0}
        named |= {s.measure for s in alert.charts}
    return frozenset(named)
