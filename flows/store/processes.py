"""Which process this is, and whether another one on the same machine still lives.

A process number alone says little: numbers are given out again, and containers number their processes
anew. What is compared is the machine since its last start, the process's name space, its number and the
moment it began.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a machine. `space` and `began` are empty where the system does not tell (not Linux)."""

    host: str
    space: str
    """The machine's start and the process name space: equal means that numbers can be compared."""
    pid: int
    began: str

    @property
    def in_words(self) -> str:
        """`process 4711 on ash`, for people."""
        return f"process {self.pid} on {self.host}"


def process_began(pid: int) -> str | None:
    """When a living process of this name space began, in the kernel's ticks; None if there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    state, began = fields[0], fields[19]
    return None if state in "ZX" else began


def this_process() -> Process:
    """The process that asks."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = f"{boot}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        space = ""
    return Process(socket.gethostname(), space, os.getpid(), process_began(os.getpid()) or "")


def is_gone(process: Process, here: Process, began: Callable[[int], str | None] = process_began) -> bool | None:
    """True if the process has certainly ended, False if it certainly lives, None if that cannot be seen from `here`."""
    if not process.space or process.space != here.space or not process.began:
        return None
    return began(process.pid) != process.began
