"""A command with a terminal of its own, as a person has it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import REPOSITORY


def _own_terminal() -> None:
    """Make the terminal the one that Ctrl-C comes from, and hear it even if whoever runs the tests ignores it."""
    os.close(os.open(os.ttyname(0), os.O_RDWR))
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
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
