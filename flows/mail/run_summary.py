"""The two messages that are not for a director: the data team's run summary, and a data officer's own file report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from expectations.fates import CouncilFiles
from features.councils import Council
from features.months import Month
from features.words import count_words, listed
from flows.alerts.alert import Alert
from flows.alerts.decide import Storm
from flows.alerts.facts import ValidationNote
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.figures import month_words
from flows.alerts.letter.letter import Block, Bullets, Letter, LetterSection, LetterTable, Para
from flows.alerts.letter.render import Message, render_letter
from flows.alerts.letter.wording import BAND_WORDS
from flows.alerts.publish import Publication
from flows.alerts.state import Band, Change
from flows.mail.deliver import Delivery
from flows.store.ledger import Status

#: Rows of one failure that a message names; the report has them all.
_ROWS_NAMED = 8
#: Kinds of failure a data officer's message lists; the report has the rest.
_NOTES_LISTED = 12
#: Items a section of the run summary lists.
_LISTED = 30


def run_message(
    *,
    month: Month,
    alerts: Sequence[Alert],
    outcomes: Mapping[str, Publication],
    storm: Storm,
    deliveries: Mapping[str, Sequence[Delivery]],
    seconds: Mapping[str, float],
    contact: Contact,
    overview: str = "",
) -> Message:
    """One message to the data team: who reported, what was refused and why, who alerted, what changed, what is held.

    `outcomes` and `deliveries` by la_code; `seconds` by stage in order. The message's key is a digest of what
    happened without the timings, so a re-run that changes nothing is not mailed again.
    """
    ordered = sorted(alerts, key=lambda a: a.la_code)
    sections = [
        LetterSection("What changed", _changes(ordered)),
        LetterSection("Not scored", _not_scored(ordered)),
        LetterSection("Files", _files(ordered)),
        LetterSection("Mail", _mail(ordered, deliveries, storm)),
    ]
    revised = [a for a in ordered if outcomes.get(a.la_code) is Publication.REVISED and a.correction is not None]
    if revised:
        items = tuple(
            f"{a.council}: revision {a.revision}. {'; '.join(a.correction.what_changed)}."
            for a in revised
            if a.correction is not None
        )
        sections.append(LetterSection("Revised since the last run of this month", (Bullets(items),)))
    digest = _digest(month, sections[:3], ordered, deliveries, storm)
    sections.append(LetterSection("What the run took", _times(seconds)))
    letter = Letter(
        subject=f"{month_words(month)}: {_headline(ordered, storm)}",
        eyebrow=f"Run summary · {month_words(month)}",
        title=_headline(ordered, storm),
        band=None,
        band_words="",
        lead=storm.reason or "Nothing is held. What needs a person's hand is listed below.",
        sections=tuple(sections),
        footer=(f"For {contact.team}. It names councils: keep it inside the team.", *([overview] if overview else [])),
    )
    return render_letter(letter, key=f"{month}/run/{digest}", la_code="the region", month=month)


def data_officer_message(
    council: Council, files: CouncilFiles, notes: Sequence[ValidationNote], contact: Contact
) -> Message:
    """The validation report of a council's own files, for whoever made them. Row numbers, never values."""
    month, happened = files.month, files.headline
    sections = [LetterSection("Your files", (Bullets(tuple(f.detail for f in files.files)),))]
    for severity, heading in (
        ("error", "To correct: these figures were left out"),
        ("query", "To confirm: these were used, and look unusual"),
    ):
        found = [n for n in notes if n.severity == severity]
        if found:
            sections.append(LetterSection(heading, _notes(found)))
    sections.append(
        LetterSection(
            "How to put it right",
            (
                Para("Correct the file at its source and put it in the same folder again; both versions are kept."),
                Para("`holdfast check FILE` gives this same report before you send."),
            ),
        )
    )
    letter = Letter(
        subject=f"{council.name}, {month_words(month)}: {happened}",
        eyebrow=f"{council.name} · {month_words(month)}",
        title=happened[:1].upper() + happened[1:],
        band=None,
        band_words="",
        lead=f"{files.verdict} Restating a month is normal and never held against you.",
        sections=tuple(sections),
        footer=(f"{contact.offer} From {contact.team}; replies go to {contact.reply_to}.",),
    )
    key = f"{month}/files/{council.folder}/{_digest(month, sections)}"
    return render_letter(letter, key=key, la_code=council.la_code, month=month)


def _digest(
    month: Month,
    sections: Sequence[LetterSection],
    alerts: Sequence[Alert] = (),
    deliveries: Mapping[str, Sequence[Delivery]] | None = None,
    storm: Storm | None = None,
) -> str:
    """What stands, whichever run brought it about: who has which revision, and whose mail has arrived."""
    arrived = sorted((code, d.status.value) for code, one in (deliveries or {}).items() for d in one)
    revisions = [(a.la_code, a.revision) for a in alerts]
    return hashlib.sha256(
        repr((month, sections, revisions, arrived, storm is not None and storm.held)).encode()
    ).hexdigest()[:12]


def _headline(alerts: Sequence[Alert], storm: Storm) -> str:
    fresh = sum(a.decision.change in (Change.NEW, Change.WORSENING) and a.decision.band in _ALERTING for a in alerts)
    unseen = sum(a.decision.band is Band.NOT_SCORED for a in alerts)
    words = f"{count_words(len(alerts), 'council', 'councils')}, {fresh} new or worse, {unseen} not scored"
    return f"Mail held: {words}" if storm.held else words


_ALERTING = (Band.WATCH, Band.LOSING_GRIP)


def _changes(alerts: Sequence[Alert]) -> tuple[Block, ...]:
    rows = tuple(
        (a.council, BAND_WORDS[a.decision.band], a.decision.change.value, "; ".join(a.decision.because))
        for a in alerts
        if a.decision.change not in (Change.NONE, Change.CONTINUING) and a.decision.band is not Band.NOT_SCORED
    )
    steady = sum(a.decision.band is Band.STEADY for a in alerts)
    open_ = sum(a.decision.change is Change.CONTINUING and a.decision.band in _ALERTING for a in alerts)
    words = f"{steady} steady; {count_words(open_, 'alert continues', 'alerts continue')} unchanged."
    if len(rows) > _LISTED:
        words = f"{len(rows) - _LISTED} more are on the region page. {words}"
    rest = Para(words)
    if not rows:
        return (Para("No council changed its band."), rest)
    return (
        LetterTable(
            "Councils whose band or alert changed", ("Council", "Band", "Change", "Rules that spoke"), rows[:_LISTED]
        ),
        rest,
    )


def _not_scored(alerts: Sequence[Alert]) -> tuple[Block, ...]:
    items = tuple(
        f"{a.council}, {count_words(a.decision.state.months_not_scored, 'month', 'months')}: {a.score.not_scored}"
        for a in alerts
        if a.decision.band is Band.NOT_SCORED
    )
    return _limited(items) if items else (Para("Every council was scored."),)


def _files(alerts: Sequence[Alert]) -> tuple[Block, ...]:
    fates = [(a, s.fate) for a in alerts for s in a.submissions]
    in_time = sum(f.received is not None and not f.late for _, f in fates)
    trouble = tuple(f"{a.council}: {f.detail}" for a, f in fates if f.remarkable)
    first = Para(f"{in_time} of {len(fates)} expected files came in time.")
    return (first, *_limited(trouble)) if trouble else (first,)


def _limited(items: tuple[str, ...]) -> tuple[Block, ...]:
    """So many that a message stays readable and under its size; the region page has all."""
    left = len(items) - _LISTED
    if left <= 0:
        return (Bullets(items),)
    return Bullets(items[:_LISTED]), Para(f"{left} more are on the region page.")


def _mail(alerts: Sequence[Alert], deliveries: Mapping[str, Sequence[Delivery]], storm: Storm) -> tuple[Block, ...]:
    every = [d for one in deliveries.values() for d in one]
    sent = sum(d.status is Status.SENT and d.attempted for d in every)
    before = sum(d.status is Status.SENT and not d.attempted for d in every)
    due = sum(a.due for a in alerts)
    first = f"{count_words(due, 'message', 'messages')} due; {sent} sent in this run, {before} had been sent before."
    names = {a.la_code: a.council for a in alerts}
    trouble = tuple(
        f"{names.get(code, code)}: {d.status.value} for one addressee. {d.reason}"
        for code, one in deliveries.items()
        for d in one
        if d.status is not Status.SENT
    )
    blocks: list[Block] = [Para(f"{first} {'All mail to directors is held.' if storm.held else ''}".strip())]
    if trouble:
        blocks += _limited(trouble)
    return tuple(blocks)


def _times(seconds: Mapping[str, float]) -> tuple[Block, ...]:
    if not seconds:
        return (Para("Not measured."),)
    parts = [f"{stage} {value:.1f} s" for stage, value in seconds.items()]
    return (Para(f"{sum(seconds.values()):.1f} s together: {listed(parts)}."),)


def _notes(notes: Sequence[ValidationNote]) -> tuple[Block, ...]:
    items = tuple(_note(n) for n in notes[:_NOTES_LISTED])
    left = len(notes) - len(items)
    return (Bullets(items), Para(f"{left} more are in the full report.")) if left > 0 else (Bullets(items),)


def _note(note: ValidationNote) -> str:
    where = note.extract + (f", column {note.column}" if note.column else "")
    rows = ""
    if note.rows:
        named = ", ".join(str(r) for r in note.rows[:_ROWS_NAMED])
        more = note.count - min(len(note.rows), _ROWS_NAMED)
        rows = f" Row{'' if note.count == 1 else 's'} {named}{f' and {more} more' if more > 0 else ''}."
    return f"{where[:1].upper()}{where[1:]}: {note.message}{rows}"
