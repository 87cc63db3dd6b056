"""The page of rules says what the rules are."""

from __future__ import annotations

from flows.extracts.formats.csww.rules.past import CHANGES
from flows.extracts.formats.csww.rules.years import BASE
from flows.papers import csww_rules as document


def test_every_rule_stands_in_it_once() -> None:
    page = document.text()
    for code in (*(r.code for r in BASE), *(c.code for c in CHANGES)):
        assert page.count(f"| `{code}` |") == 1, code
