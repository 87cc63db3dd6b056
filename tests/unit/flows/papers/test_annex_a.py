"""The page for councils says what the code does."""

from __future__ import annotations

from pathlib import Path

from features.registry import BY_NAME
from tests.unit.flows.extracts.formats.annex_a.test_round_trip import DIFFERENT_MEASURES

PAGE = Path(__file__).resolve().parents[4] / "docs" / "annex-a.md"


def test_every_difference_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| {BY_NAME[name].label} |" in text for name in DIFFERENT_MEASURES)
