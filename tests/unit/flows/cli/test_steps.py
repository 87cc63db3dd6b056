"""Long work shows a bar in a terminal only, with colours that NO_COLOR takes away."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

COMMAND = [sys.executable, "-m", "flows.cli.app", "sample-extracts", "made", "--councils", "1", "--months", "2"]


def environment(**given: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "CI")}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color", "COLUMNS": "100", **given}


def in_a_terminal(folder: Path, **given: str) -> str:
    ours, theirs = pty.openpty()
    running = subprocess.Popen(COMMAND, cwd=folder, env=environment(**given), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            said += (more := os.read(ours, 65536))
        except OSError:  # the other end is closed
            break
        if not more:
            break
    os.close(ours)
    assert running.wait() == 0
    return said.decode()


def test_elsewhere_each_step_is_a_plain_line(tmp_path: Path) -> None:
    done = subprocess.run(COMMAND, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["2026-09: 1 of 2 months ...", "2026-10: 2 of 2 months ..."]
    assert "\x1b" not in done.stdout


def test_in_a_terminal_there_is_a_bar_and_no_color_is_kept(tmp_path: Path) -> None:
    said = in_a_terminal(tmp_path)
    assert "━" in said
    assert "2026-09: 1 of 2 months" in said
    assert "\x1b[38" in said or "\x1b[3" in said
    plain = in_a_terminal(tmp_path, NO_COLOR="1")
    assert "━" in plain
    assert "\x1b[38" not in plain
