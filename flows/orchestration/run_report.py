"""The run summary. Its parts are built once and rendered as terminal text, Markdown for Prefect, e-mail and JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from expectations.report.council import files_document
from features.words import count_words, lower_first
from flows.alerts.council_month import CouncilMonth
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.letter import Bullets, Letter, LetterBlock, LetterLink, LetterSection, Para
from flows.alerts.letter.render import Message, render_letter
from flows.alerts.state import Band
from flows.mail.parts import Part, filled_parts, parts_as_document, parts_as_text
from flows.orchestration.outcome import RunOutcome

#: At most so many lines of each part are in the e-mail, so that it stays readable; the region page has them all.
_LISTED = 30


def parts_of(outcome: RunOutcome) -> tuple[Part, ...]:
    """The parts of the summary, most urgent first, without empty ones."""
    return filled_parts(_parts(outcome))


def _parts(outcome: RunOutcome) -> Iterator[Part]:
    councils, mail = outcome.councils, outcome.mail
    for heading, words in (
        ("To decide", mail.awaits),
        ("Mail held", mail.held_because),
        ("Decided", mail.decided),
        ("Note", outcome.note),
    ):
        yield Part(heading, (("", words),) if words else ())
    yield Part("Faults", tuple(("", f) for f in outcome.faults))
    yield Part("To call", tuple((c.who, _standing_of(c)) for c in councils if c.to_call))
    yield Part("Answers that wait", tuple(("", a) for a in outcome.answers))
    if councils:
        yield Part("Bands", tuple(_bands(outcome)), table=True)
    yield Part("Open, without news", tuple((c.who, _standing_of(c)) for c in councils if c.continues))
    yield Part("What changed", tuple((c.who, _change_of(c)) for c in councils if c.changed))
    yield Part(
        "Not scored",
        tuple((c.who, f"{c.why_not_scored.rstrip('.')}. {_since(c.months_not_scored)}") for c in outcome.unscored),
    )
    yield Part("Files", tuple(_files(outcome)))
    yield Part(
        "Restated",
        tuple(
            (f"{r.name}, {r.extract} of {r.month.in_words}", "; ".join(r.changes) or "no rate moved")
            for r in outcome.restatements
        ),
    )
    revised = (c for c in councils if c.revised)
    yield Part("Revised", tuple((c.who, f"revision {c.revision}. {c.revised}") for c in revised))
    if councils:
        told = count_words(sum(c.told for c in councils), "council", "councils")
        words = f"{mail.sentence} {told} informed this month."
        yield Part("Messages", (("", words), *(("", u) for u in outcome.undelivered)))
    yield Part("Held", tuple((c.who, c.held) for c in councils if c.held and mail.waits is None))
    yield Part("Model", (("", f"{outcome.model}. {outcome.caution}"),) if outcome.model else ())
    yield Part("Time", (("", times(outcome.seconds)),) if outcome.seconds else ())
    yield Part("Where to look", tuple((outcome.places or {}).items()), table=True)


def _bands(outcome: RunOutcome) -> Iterator[tuple[str, str]]:
    for band in (Band.LOSING_GRIP, Band.WATCH, Band.RECOVERING, Band.NOT_SCORED, Band.FIRST_MONTHS):
        yield band.words, outcome.names(band)
    yield Band.STEADY.words, str(sum(c.band is Band.STEADY for c in outcome.councils))


def _files(outcome: RunOutcome) -> Iterator[tuple[str, str]]:
    if outcome.files is None:
        yield "", f"Nobody has sent anything for {outcome.month.in_words}."
        return
    every = [(council, file) for council in outcome.files for file in council.files]
    if every:
        in_time = sum(file.received is not None and not file.late for _, file in every)
        yield "", f"{in_time} of {count_words(len(every), 'file', 'files')} came in time."
    for sentence in outcome.unrecognised:
        yield "", sentence
    for council, file in every:
        if file.remarkable:
            yield council.who, file.detail


def _standing_of(council: CouncilMonth) -> str:
    """A council's band, its change and by how much, and the figures behind it."""
    return _sentence(council.band.words, council.change.value, council.moved, lower_first(council.why))


def _change_of(council: CouncilMonth) -> str:
    """From which band to which, and by how much; which rules spoke is `holdfast why`'s to say."""
    before = council.from_band
    if before is None or before is council.band:
        return _sentence(f"{council.band.words}, {council.change.value}", council.moved)
    return _sentence(f"from {before.words} to {council.band.words}", council.moved)


def _since(months: int) -> str:
    return "The first month without a score." if months <= 1 else f"{months} months running without a score."


def _sentence(*words: str) -> str:
    return "; ".join(w for w in words if w)


def times(seconds: Mapping[str, float]) -> str:
    """`read 2.1 s, check 3.0 s; 9.4 s in all`."""
    parts = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items() if taken >= 0.05)
    return f"{parts}; {sum(seconds.values()):.1f} s in all"


def to_text(outcome: RunOutcome) -> str:
    """The lines that `holdfast run` and `make demo` print last."""
    return parts_as_text(outcome.headline, parts_of(outcome))


def to_markdown(outcome: RunOutcome) -> str:
    """The summary as Markdown for the Prefect UI."""
    lines = [f"## {outcome.headline}"]
    for part in parts_of(outcome):
        lines += ["", f"### {part.heading}", ""]
        if part.table:
            lines += ["| | |", "|---|---|", *(f"| {label} | {table_cell(words)} |" for label, words in part.lines)]
        elif len(part.lines) == 1 and not part.lines[0][0]:
            lines.append(part.lines[0][1])
        else:
            lines += [f"* {label}: {words}" if label else f"* {words}" for label, words in part.lines]
    return "\n".join(lines)


def table_cell(text: str) -> str:
    """Escape text for a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")


def to_message(outcome: RunOutcome, contact: Contact, page: str = "") -> Message:
    """The summary as one message to the data team. `page`: where the region page is, clickable if it is of the web.

    Its key is a digest of `_standing`, which leaves out timings and which run sent what. A repeated run that changes
    nothing is therefore not mailed again.
    """
    month = outcome.month.in_words
    words = outcome.headline.removeprefix(f"{month}: ")
    title = words[:1].upper() + words[1:]
    letter = Letter(
        subject=f"{month}: {words}",
        eyebrow=f"Run summary · {month}",
        title=title,
        band=None,
        band_words="",
        lead=_lead(outcome),
        link=LetterLink("The region page", page) if page else None,
        sections=tuple(LetterSection(part.heading, _blocks(part)) for part in parts_of(outcome)),
        footer=(f"For {contact.team}. It names councils: keep it inside the team.",),
    )
    key = f"{outcome.month}/run/{_standing(outcome)}"
    return render_letter(letter, key=key, la_code="the region", month=outcome.month)


def _lead(outcome: RunOutcome) -> str:
    """Whether mail waits for a person, and whether anything else does."""
    if outcome.mail.stopped:
        return outcome.mail.stopped
    held = sum(bool(c.held) for c in outcome.councils)
    words = f"The mail of {count_words(held, 'council', 'councils')} is held." if held else "Nothing is held."
    waits = outcome.gaps or outcome.answers or any(c.to_call for c in outcome.councils)
    return f"{words} What needs a person's hand is listed below." if waits or held else f"{words} Nobody has to act."


def _blocks(part: Part) -> tuple[LetterBlock, ...]:
    if len(part.lines) == 1 and not part.lines[0][0]:
        return (Para(part.lines[0][1]),)
    items = tuple(f"{label}: {words}" if label else words for label, words in part.lines)
    if len(items) <= _LISTED:
        return (Bullets(items),)
    return Bullets(items[:_LISTED]), Para(f"{len(items) - _LISTED} more are on the region page.")


def _standing(outcome: RunOutcome) -> str:
    """The state of the month, whichever run led to it: who has which revision, and whose mail has arrived."""
    passing = ("Messages", "Time", "Where to look", "Revised", "Restated")
    arrived = sorted((code, d.status.value) for code, made in outcome.mail.deliveries.items() for d in made)
    revisions = [(c.la_code, c.revision) for c in outcome.councils]
    said = [part for part in parts_of(outcome) if part.heading not in passing]
    return hashlib.sha256(repr((outcome.month, said, revisions, arrived)).encode()).hexdigest()[:12]


def to_json(outcome: RunOutcome) -> str:
    """The run as a JSON document, for `holdfast run --json`."""
    document: dict[str, Any] = {
        "month": str(outcome.month),
        "headline": outcome.headline,
        "gaps": outcome.gaps,
        "councils": [
            {
                "la_code": c.la_code,
                "name": c.name,
                "band": c.band.value,
                "change": c.change.value,
                "why": c.why,
                "why_not_scored": c.why_not_scored,
                "message": c.message,
            }
            for c in outcome.councils
        ],
        "files": [files_document(f) for f in outcome.files or ()],
        "summary": parts_as_document(parts_of(outcome)),
    }
    return json.dumps(document, ensure_ascii=False, indent=1)
