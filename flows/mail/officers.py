"""Mails data officers the validation report on their council's files, if there is anything to put right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from expectations.fates import CouncilFiles
from expectations.passing.doubt import DOUBTED
from expectations.report.council import measures_needing
from features.councils import Council
from features.errors import MailError
from features.months import Month
from features.registry import Kind
from features.words import listed
from flows.alerts.council import validation_facts
from flows.alerts.facts import ValidationNote
from flows.alerts.files import council_files
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.figures import lower_first
from flows.alerts.letter.letter import Block, Bullets, Letter, LetterSection, Para
from flows.alerts.letter.render import Message, render_letter
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
) -> dict[str, list[Delivery]]:
    """Mail every data officer whose council has something to put right. Returns the deliveries by la_code.

    The message's key contains a digest of its content, so a repeated run writes to nobody again, and a file that is
    sent again gets a new answer. It goes out even while alerts are held, as it helps to repair the data behind them.
    """
    if not context.settings.mail.to_data_officers or manifest is None:
        return {}
    month, policy, sender = context.month, mail_policy(context.settings), Contact.of(context.settings)
    due: list[tuple[Council, Message]] = []
    for council in (c for c in councils if c.data_officer):
        files = council_files(manifest, failures, council, month)
        if files.to_put_right:
            notes = validation_facts(failures, council, month).notes
            due.append((council, data_officer_message(council, files, notes, sender)))

    def attempt(one: tuple[Council, Message]) -> list[Delivery]:
        council, message = one
        try:
            return deliver(
                context.store, courier, message, recipients=(council.data_officer,), policy=policy, at=context.now
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
    council: Council, files: CouncilFiles, notes: Sequence[ValidationNote], contact: Contact
) -> Message:
    """The validation report on a council's files, for its data officer. Contains row numbers but never values."""
    month, happened = files.month, files.headline
    how = LetterSection(
        "How to put it right",
        (
            Para("Correct the file at its source and put it in the same folder again; both versions are kept."),
            Para("The command “holdfast check FILE” gives this same report before you send."),
        ),
    )
    sections = (*files_sections(files, notes), how)
    letter = Letter(
        subject=f"{council.name}, {month.in_words}: {happened}",
        eyebrow=f"{council.name} · {month.in_words}",
        title=happened[:1].upper() + happened[1:],
        band=None,
        band_words="",
        lead=f"{files.verdict} Restating a month is normal and never held against you.",
        sections=sections,
        footer=(f"{contact.offer} From {contact.team}; replies go to {contact.reply_to}.",),
    )
    digest = hashlib.sha256(repr((month, list(sections))).encode()).hexdigest()[:12]
    key = f"{month}/files/{council.folder}/{digest}"
    return render_letter(letter, key=key, la_code=council.la_code, month=month)


def files_sections(files: CouncilFiles, notes: Sequence[ValidationNote]) -> tuple[LetterSection, ...]:
    """What became of the files, and what there is to correct and to confirm."""
    sections = [LetterSection("Your files", (Bullets(tuple(f.detail for f in files.files)),))]
    for severity, heading in (
        ("error", "To correct: these withhold figures until they are put right"),
        ("query", "To confirm: the figures are used, without the cells in question"),
    ):
        found = [n for n in notes if n.severity == severity]
        if found:
            sections.append(LetterSection(heading, _notes(found)))
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


def _notes(notes: Sequence[ValidationNote]) -> tuple[Block, ...]:
    """The findings, most affected measures first. The same fault in the same rows of several columns is one item."""
    together: dict[tuple[object, ...], list[ValidationNote]] = {}
    for note in notes:
        said = note.message.replace(note.column, "") if note.column else note.message
        together.setdefault((note.extract, note.rows, note.count, said), []).append(note)
    found = sorted(together.values(), key=lambda same: (not _holds(same[0]), -len(_bears_on(same))))
    items = tuple(_item(same) for same in found[:_NOTES_LISTED])
    left = len(found) - len(items)
    return (Bullets(items), Para(f"{left} more are in the full report.")) if left > 0 else (Bullets(items),)


def _holds(note: ValidationNote) -> bool:
    """Whether the director's message waits until this finding is answered."""
    return note.check.endswith(DOUBTED)


def _bears_on(same: Sequence[ValidationNote]) -> tuple[str, ...]:
    """The measures that use the columns of a finding."""
    return tuple(dict.fromkeys(m for n in same if n.column for m in measures_needing(Kind(n.extract), n.column)))


def _item(same: Sequence[ValidationNote]) -> str:
    """One finding: where, what and how many, then the figures it affects and the rows."""
    first, others = same[0], [n.column for n in same[1:]]
    where = first.extract[:1].upper() + first.extract[1:]
    also = f" The same in {listed(others)}." if others else ""
    figures = _bears_on(same)
    named, more_figures = [lower_first(f) for f in figures[:_FIGURES_NAMED]], len(figures) - _FIGURES_NAMED
    named += [f"{more_figures} more"] if more_figures > 0 else []
    bears = f" It bears on {listed(named)}." if figures else ""
    rows = ""
    if first.rows:
        shown = ", ".join(str(r) for r in first.rows[:_ROWS_NAMED])
        more = first.count - min(len(first.rows), _ROWS_NAMED)
        rows = f" Row{'' if first.count == 1 else 's'} {shown}{f' and {more} more' if more > 0 else ''}."
    return f"{where}: {first.message}{also}{bears}{rows}"
