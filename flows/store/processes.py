"""Identifies this process, and finds out whether another one on the same machine is still alive.

A process number alone is not enough: numbers are reused, and every container has numbers of its own. So four
things are compared: the machine's current boot, the process name space, the number and the time it started.
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
    """A process on a machine. `space` and `began` are empty on systems that do not provide them (not Linux)."""

    host: str
    space: str
    """The machine's boot and the process name space. Process numbers can be compared only if this is equal."""
    pid: int
    began: str

    @property
    def in_words(self) -> str:
        """`process 4711 on ash`, for people."""
        return f"process {self.pid} on {self.host}"


def process_began(pid: int) -> str | None:
    """When a live process of this name space started, in kernel ticks; None if there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the process's name, before this, may contain anything
    state, began = fields[0], fields[19]
    return None if state in "ZX" else began


def this_process() -> Process:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = f"{boot}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        space = ""
    return Process(socket.gethostname(), space, os.getpid(), process_began(os.getpid()) or "")


def is_gone(process: Process, here: Process, began: Callable[[int], str | None] = process_began) -> bool | None:
    """True if the process has certainly ended, False if it is certainly alive, None if `here` cannot tell."""
    if not process.space or process.space != here.space or not process.began:
        return None
    return began(process.pid) != process.began
