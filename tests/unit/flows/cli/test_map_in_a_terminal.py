"""`holdfast map` at a real terminal: Ctrl-C in the middle, the same command again, Enter to the end."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.extracts.mapping import read_mapping
from tests.conftest import REPOSITORY

_ROWS = """Barnsley - staff in post at 31/10/2026

Employee No,Job Title,Contracted Hours,Contract,Start Dt,Open Cases
100200,Social Worker,37,Permanent,07/06/2023,17
100207,Social Worker,18.5,Fixed Term,11-Jan-25,12
100214,Team Manager,37,Permanent,12-May-16,
AG1,Social Worker,37,Agency,10-Mar-25,11
TOTAL,,129.5,,,40
"""
_ANSWER = "b: back:"


def _own_terminal() -> None:
    """Make the terminal the one that Ctrl-C comes from, and hear it even if whoever runs the tests ignores it."""
    os.close(os.open(os.ttyname(0), os.O_RDWR))
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class _Terminal:
    """The command with a terminal of its own, as a person has it."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.master, slave = pty.openpty()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli.app", *words],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "100"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(slave)
        self.said = ""

    def until(self, text: str) -> bool:
        """Read until the text is there, or the command has ended."""
        before = len(self.said)
        until = time.monotonic() + 120
        while text not in self.said[before:] and time.monotonic() < until:
            if not select.select([self.master], [], [], 1)[0]:
                continue
            try:
                self.said += os.read(self.master, 65_536).decode(errors="replace")
            except OSError:
                return False
        return text in self.said[before:]

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)


@pytest.mark.soak
def test_ctrl_c_keeps_the_answers_and_the_same_command_goes_on(tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text(_ROWS, encoding="utf-8")
    words = ("map", "staff.csv", "--kind", "workforce", "--council", "370", "--month", "2026-10", "--to", "m.toml")
    first = _Terminal(tmp_path, *words)
    assert first.until(_ANSWER)
    first.type(b"\r")
    assert first.until(_ANSWER)
    first.type(b"\x03")
    assert first.until("The answers so far are kept: start the same command again")
    assert first.process.wait(30) == 130
    assert "Traceback" not in first.said
    again = _Terminal(tmp_path, *words)
    asked = 0
    while again.until(_ANSWER):
        asked += 1
        again.type(b"\r")
    assert again.process.wait(30) == 0
    assert "Going on after 1 answers of an earlier start" in again.said
    assert asked == 5
    assert "the council's own staff: 3, FTE 2.50, 29 cases" in again.said
    assert "agency workers: 1, FTE 1.00, 11 cases" in again.said
    assert "Every cell could be read." in again.said
    assert read_mapping((tmp_path / "m.toml").read_bytes(), "m.toml").computed == {"fte": "Contracted Hours / 37"}
    assert not (tmp_path / "m.toml.answers").exists()
