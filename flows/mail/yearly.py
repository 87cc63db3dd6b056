"""The scorecard's yearly message to the data team: what Holdfast said, beside what inspectors found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from features.councils import Council
from features.months import Month, day_words
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.letter import Bullets, Letter, LetterSection, Para
from flows.alerts.letter.render import Message, render_letter
from flows.alerts.scorecard import Scorecard, scorecard
from flows.store.ledger import Ledger
from flows.store.port import Store

_DECEMBER = 12
_LEAD = "Every band and score that Holdfast gave before a judgement was published, laid beside it."


def yearly_scorecard(
    store: Store, councils: Sequence[Council], month: Month, contact: Contact, since: Month | None
) -> Message | None:
    """The message on the last year that has ended, for the first run after its end; None if it was sent before.

    The run of December is the first, as it takes place in January. A group whose first alert came after that year, in
    the month `since`, gets none.
    """
    year = month.year if month.number == _DECEMBER else month.year - 1
    last = Month(year, _DECEMBER)
    key = f"{last}/scorecard/{year}"
    if since is None or last < since or Ledger(store).entries(key):
        return None
    return scorecard_message(scorecard(store, councils, last.last_day), year, key, contact)


def scorecard_message(card: Scorecard, year: int, key: str, contact: Contact) -> Message:
    """The card as a message to the data team."""
    until = date(year, 12, 31)
    counts, judged = card.lines[: len(card.lines) - len(card.judged)], card.lines[len(card.lines) - len(card.judged) :]
    sections = [LetterSection("In counts", (Bullets(counts),))]
    if judged:
        sections.append(LetterSection("Judgement by judgement", (Bullets(judged),)))
    sections.append(
        LetterSection(
            "How to read it",
            (
                Para("Few judgements prove little. A miss is worth a look at its figures; so is a false alarm."),
                Para("The command “holdfast scorecard” gives the same at any time."),
            ),
        )
    )
    letter = Letter(
        subject=f"Holdfast beside the judgements, to the end of {year}",
        eyebrow=f"Scorecard · to {day_words(until)}",
        title=f"What was said, and what inspectors found, to the end of {year}",
        band=None,
        band_words="",
        lead=_LEAD if judged else "No judgement of one of this group's councils has come since it began.",
        sections=tuple(sections),
        footer=(f"For {contact.team}. Sent once a year. It names councils: keep it inside the team.",),
    )
    return render_letter(letter, key=key, la_code="the region", month=Month(year, _DECEMBER))
