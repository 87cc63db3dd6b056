"""The page of rules says what the rules are."""

from __future__ import annotations

import pytest

from flows.extracts.formats.csww.rules.past import CHANGES
from flows.extracts.formats.csww.rules.years import BASE
from flows.papers import csww_rules as document


def test_the_page_is_up_to_date() -> None:
    assert document.main(["--check"]) == 0, "run python -m flows.papers.csww_rules"


def test_every_rule_stands_in_it_once() -> None:
    page = document.text()
    for code in (*(r.code for r in BASE), *(c.code for c in CHANGES)):
        assert page.count(f"| `{code}` |") == 1, code


def test_a_stale_page_is_told(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "csww-rules.md"
    monkeypatch.setattr(document, "PATH", path)
    assert document.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert document.main([]) == 0 and document.main(["--check"]) == 0
    path.write_text(path.read_text() + "\n")
    assert document.main(["--check"]) == 1
