"""The transparency record has the standard's sections, the card's figures, and marks for what only a group can know."""

from __future__ import annotations

import json

from flows.papers.transparency import FILL_IN, page
from models.registry.shipped import shipped_files


def test_every_section_of_the_standard_is_there() -> None:
    headings = [line for line in page().splitlines() if line.startswith("## ")]
    assert [h for h in headings if "Tier 1" in h] and len([h for h in headings if "Tier 2" in h]) == 6
    for section in ("owner", "rationale", "deployment", "tool spec", "data spec", "risks"):
        assert any(section in h for h in headings), section


def test_it_speaks_of_the_shipped_model_and_marks_what_it_cannot_know() -> None:
    text, card = page(), json.loads(shipped_files()["card.json"])
    assert card["version"] in text
    assert all(line in text for line in card["ten_lines"])
    assert text.count(FILL_IN) >= 12
    for field in ("Senior responsible owner", "Contact", "Impact assessments"):
        row = next(line for line in text.splitlines() if line.startswith(f"| {field} |"))
        assert FILL_IN in row
