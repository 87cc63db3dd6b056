"""Small words that sentences in every room need: lists and counts."""

from __future__ import annotations

from collections.abc import Sequence


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def count_words(count: int, one: str, many: str) -> str:
    """`1 month`, `3 months`: the number with the noun in singular or plural."""
    return f"{count:,} {one if count == 1 else many}"


def lower_first(text: str) -> str:
    """A label inside a sentence: “Agency rate” becomes “agency rate”; abbreviations keep their capitals."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
