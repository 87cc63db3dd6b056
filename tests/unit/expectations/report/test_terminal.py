"""The terminal's own lines: set in if asked for, and never broken within what is to be pasted."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from expectations.report.terminal import say


@pytest.mark.parametrize(
    ("inset", "lines"),
    [
        (False, ["Now run", "`holdfast release --council 901 --month 2026-10`", "here."]),
        (True, ["  Now run", "  `holdfast release --council 901 --month 2026-10`", "  here."]),
    ],
)
def test_a_command_stays_on_its_line(inset: bool, lines: list[str]) -> None:
    console = Console(file=io.StringIO(), width=24)
    say(console, "Now run `holdfast release --council 901 --month 2026-10` here.", inset=inset)
    assert console.file.getvalue().splitlines() == lines  # type: ignore[attr-defined]


def test_a_sentence_begins_at_the_edge_unless_asked() -> None:
    console = Console(file=io.StringIO(), width=80)
    say(console, "Used.")
    assert console.file.getvalue() == "Used.\n"  # type: ignore[attr-defined]
