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
class Point:
    """One of the strongest reasons: what it is now, then its own past, its neighbours and its signal."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The content of a message in reading order; the first screen ends before `sections`."""

    subject: str
    eyebrow: str
    """Whose and when: “Ashcombe · October 2026”."""
    title: str
    band: Band | None
    band_words: str
    lead: str
    """One sentence: why. Never a probability."""
    points: tuple[Point, ...] = ()
    chart: ChartPicture | None = None
    chart_caption: str = ""
    sections: tuple[LetterSection, ...] = ()
    footer: tuple[str, ...] = ()
    notice: str = ""
    """Shown above everything: a redirected test, a correction."""
    points_heading: str = "Strongest reasons"
    lang: str = field(default="en-GB")
