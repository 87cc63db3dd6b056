"""How many configurations were ever tried: each comparison is one line, however often it is run."""

from __future__ import annotations

import json
from pathlib import Path

from models.learning.tries import count_tries, tried


def test_a_comparison_counts_its_different_configurations_once(tmp_path: Path) -> None:
    file = tmp_path / "tries.json"
    assert tried(file) == 0
    assert count_tries("program", "what", ["one", "two", "two"], "data", file) == 2
    assert count_tries("program", "what", ["one", "two", "two"], "data", file) == 2
    assert count_tries("program", "what", ["three"], "data", file) == 3
    assert count_tries("program", "what", ["three"], "other data", file) == 4
    assert count_tries("another", "what", ["three"], "data", file) == 5
    assert tried(file) == 5


def test_the_record_is_a_sorted_text_that_a_person_can_read(tmp_path: Path) -> None:
    file = tmp_path / "tries.json"
    for what in ("Ylläs", "b", "c"):
        count_tries("program", what, ["one"], "data", file)
    text = file.read_text(encoding="utf-8")
    kept = json.loads(text)
    assert list(kept) == sorted(kept) and all(len(key) == 12 for key in kept)
    assert "Ylläs" in text and text.endswith("\n}\n")
    first = next(iter(kept))
    assert text.splitlines()[1] == f' "{first}": {{'
    assert list(kept[first]) == ["data", "program", "tried", "what"]
