"""A report made of parts, so that a terminal, a page, a letter and JSON show the same lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph: lines of a label, which may be empty, and words."""

    heading: str
    lines: tuple[tuple[str, str], ...]
    table: bool = False
    """The labels are what is looked for (bands, places), so that they lead in every form."""


def filled_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts that have something to say."""
    return tuple(part for part in parts if part.lines)


def parts_as_text(title: str, parts: Iterable[Part]) -> str:
    """For a terminal: one line each, the label or the heading before it."""
    lines = [title]
    for part in parts:
        for label, words in part.lines:
            key = label if part.table else part.heading.lower()
            lines.append(f"  {key + ':':<14} {words if part.table or not label else f'{label}: {words}'}")
    return "\n".join(lines)


def parts_as_document(parts: Iterable[Part]) -> dict[str, list[str]]:
    """For JSON: the lines by heading."""
    return {part.heading: [f"{label}: {words}" if label else words for label, words in part.lines] for part in parts}
