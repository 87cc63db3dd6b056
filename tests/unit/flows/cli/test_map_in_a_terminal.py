"""`holdfast map` at a real terminal: Ctrl-C in the middle, the same command again, Enter to the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.extracts.mapping import read_mapping
from tests.terminal import Terminal

_ROWS = """Barnsley - staff in post at 31/10/2026

Employee No,Job Title,Contracted Hours,Contract,Start Dt,Open Cases
100200,Social Worker,37,Permanent,07/06/2023,17
100207,Social Worker,18.5,Fixed Term,11-Jan-25,12
100214,Team Manager,37,Permanent,12-May-16,
AG1,Social Worker,37,Agency,10-Mar-25,11
TOTAL,,129.5,,,40
"""
_ANSWER = "b: back:"


@pytest.mark.soak
def test_ctrl_c_keeps_the_answers_and_the_same_command_goes_on(tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text(_ROWS, encoding="utf-8")
    words = ("map", "staff.csv", "--kind", "workforce", "--council", "370", "--month", "2026-10", "--to", "m.toml")
    first = Terminal(tmp_path, *words)
    assert first.until(_ANSWER)
    first.type(b"\r")
    assert first.until(_ANSWER)
    first.type(b"\x03")
    assert first.until("The answers so far are kept: start the same command again")
    assert first.process.wait(30) == 130
    assert "Traceback" not in first.said
    again = Terminal(tmp_path, *words)
    asked = 0
    while again.until(_ANSWER):
        asked += 1
        again.type(b"\r")
    assert again.process.wait(30) == 0
    assert "Going on after 1 answer of an earlier start" in again.said
    assert asked == 5
    assert "the council's own staff: 3, FTE 2.50, 29 cases" in again.said
    assert "agency workers: 1, FTE 1.00, 11 cases" in again.said
    assert "Every cell could be read." in again.said
    assert read_mapping((tmp_path / "m.toml").read_bytes(), "m.toml").computed == {"fte": "Contracted Hours / 37"}
    assert not (tmp_path / "m.toml.answers").exists()
