"""Asks a person at the terminal."""

from __future__ import annotations

import signal
import sys

import typer


def asked(text: str) -> str:
    """What a person answers; empty for Enter. Raises typer.Abort on Ctrl-C, at once."""
    if sys.platform != "win32":
        # Polars has the system go on reading after Ctrl-C, which would then wait for Enter.
        signal.siginterrupt(signal.SIGINT, True)
    return str(typer.prompt(text, default="", show_default=False)).strip()
