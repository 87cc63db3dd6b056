"""The page for councils says what the code does."""

from __future__ import annotations

from features.registry import BY_NAME
from flows.papers.annex_a import PAGE, page
from tests.unit.flows.extracts.formats.annex_a.test_round_trip import DIFFERENT_MEASURES


def test_the_tables_are_those_of_the_layout() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "write it anew: python -m flows.papers.annex_a"


def test_every_difference_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| {BY_NAME[name].label} |" in text for name in DIFFERENT_MEASURES)
