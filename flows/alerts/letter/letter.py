"""What a message says, before it has a form: one structure, rendered as text and as HTML of equal content."""

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


Block = Para | Bullets | LetterTable


@dataclass(frozen=True, slots=True)
class LetterSection:
    heading: str
    blocks: tuple[Block, ...]


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
    """One measure to look at: what it is now, then its own past, its neighbours and its signal."""

    label: str
    value: str
    detail: str
    worse: bool = False
    """Whether it stands worse than usual this month; nothing else may be called so."""


@dataclass(frozen=True, slots=True)
class Letter:
    """The content of a message in reading order; the first screen ends before the chart, `folded` can be folded."""

    subject: str
    eyebrow: str
    """Whose and when: “Ashcombe · October 2026”."""
    title: str
    band: Band | None
    band_words: str
    lead: str
    """One sentence: why. Never a probability."""
    points: tuple[Point, ...] = ()
    asks: tuple[str, ...] = ()
    """What to ask this week, each with who usually knows."""
    contact: str = ""
    """Who answers, by name and telephone."""
    link: LetterLink | None = None
    chart: ChartPicture | None = None
    chart_caption: str = ""
    sections: tuple[LetterSection, ...] = ()
    folded: tuple[LetterSection, ...] = ()
    """Details: a mail program that can fold them does, every other shows them."""
    footer: tuple[str, ...] = ()
    notice: str = ""
    """Shown above everything: a redirected test, a correction."""
    points_heading: str = "Look at first"
    lang: str = field(default="en-GB")

    @property
    def opening(self) -> str:
        """All words before what is folded: what a director is asked to read."""
        parts = [self.eyebrow, self.band_words, self.title, self.lead]
        parts += [self.points_heading] if self.points else []
        parts += [f"{p.label} {p.value} {p.detail}" for p in self.points]
        parts += [ASK_HEADING, *self.asks] if self.asks else []
        parts += [self.contact, self.chart_caption]
        for section in self.sections:
            parts.append(section.heading)
            for block in section.blocks:
                parts += [block.text] if isinstance(block, Para) else []
                parts += block.items if isinstance(block, Bullets) else []
        return " ".join(parts)


ASK_HEADING = "What to ask this week"
