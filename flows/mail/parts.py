"""Reports made of parts, so that terminal, page, e-mail and JSON show the same lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph. Each line is a label, which may be empty, and words."""

    heading: str
    lines: tuple[tuple[str, str], ...]
    table: bool = False
    """Whether readers look for the labels (bands, places), so that every form shows the labels first."""


def filled_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts that are not empty."""
    return tuple(part for part in parts if part.lines)


def parts_as_text(title: str, parts: Iterable[Part]) -> str:
    """The report for a terminal: each line is preceded by its label or heading."""
    lines = [title]
    for part in parts:
        for label, words in part.lines:
            key = label if part.table else part.heading.lower()
            lines.append(f"  {key + ':':<14} {words if part.table or not label else f'{label}: {words}'}")
    return "\n".join(lines)


def parts_as_document(parts: Iterable[Part]) -> dict[str, list[str]]:
    """The report for JSON: the lines by heading."""
    return {part.heading: [f"{label}: {words}" if label else words for label, words in part.lines] for part in parts}
