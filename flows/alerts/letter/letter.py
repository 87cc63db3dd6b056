"""The content of a message as one structure, which is rendered as text and as HTML with the same content."""

from __future__ import annotations

from dataclasses import dataclass, field

from flows.alerts.letter.charts import ChartPicture
from flows.alerts.state import Band


@dataclass(frozen=True, slots=True)
class Para:
    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LetterTable:
    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


LetterBlock = Para | Bullets | LetterTable


@dataclass(frozen=True, slots=True)
class LetterSection:
    heading: str
    blocks: tuple[LetterBlock, ...]


@dataclass(frozen=True, slots=True)
class LetterLink:
    """A page to open. Only the data team's letters have one: a director's lead nowhere."""

    words: str
    address: str

    @property
    def opens(self) -> bool:
        """Whether a browser can open it: a place in a store is only named."""
        return self.address.startswith(("https://", "http://"))


@dataclass(frozen=True, slots=True)
class Point:
    """One measure to look at: its present figure, its past, its neighbours and its signal."""

    label: str
    value: str
    detail: str
    worse: bool = False
    """Whether it is worse than usual this month. Nothing else may be called that."""
    asks: tuple[str, ...] = ()
    """What to ask about it this week, and whom."""
    known: str = ""
    """That its cause is in hand, as the council said; then nothing is asked."""


@dataclass(frozen=True, slots=True)
class Letter:
    """The content of a message in reading order. The first screen ends with `contact`; `folded` can be collapsed."""

    subject: str
    eyebrow: str
    """Council and month: “Ashcombe · October 2026”."""
    title: str
    band: Band | None
    band_words: str
    lead: str
    """One sentence that says why. Never a probability."""
    points: tuple[Point, ...] = ()
    in_hand: str = ""
    """Measures that are worse than usual, whose cause the council says is in hand, and for which no point is left."""
    contact: str = ""
    """Who answers questions, with name and telephone number."""
    link: LetterLink | None = None
    chart: ChartPicture | None = None
    chart_caption: str = ""
    sections: tuple[LetterSection, ...] = ()
    folded: tuple[LetterSection, ...] = ()
    """The details. Mail programs that can collapse them do; others show them."""
    footer: tuple[str, ...] = ()
    notice: str = ""
    """A notice above everything else, for a redirected test or a correction."""
    points_heading: str = "Look at first"
    lang: str = field(default="en-GB")

    @property
    def opening(self) -> str:
        """All text before the folded part, which is what a director is asked to read."""
        parts = [self.eyebrow, self.band_words, self.title, self.lead]
        parts += [self.points_heading] if self.points else []
        parts += [" ".join([p.label, p.value, *p.asks, p.known]) for p in self.points]
        parts += [self.in_hand, self.contact]
        parts += [FIGURES_HEADING, *(f"{p.label} {p.detail}" for p in self.points)] if self.points else []
        parts += [self.chart_caption]
        for section in self.sections:
            parts.append(section.heading)
            for block in section.blocks:
                parts += [block.text] if isinstance(block, Para) else []
                parts += block.items if isinstance(block, Bullets) else []
        return " ".join(parts)


FIGURES_HEADING = "The figures"
#: How many points have their questions on the first screen; those of the others stand with the figures.
ASKED_FIRST = 3
