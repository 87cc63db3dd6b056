"""How a report's sentences stand on a terminal: set in, wrapped, but never within a command to be pasted."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from features.words import wrapped

_INSET = "  "


def say(console: Console, text: str, style: str = "", *, inset: bool = False) -> None:
    """Print a sentence or several."""
    lines = wrapped(text, console.width, inset=_INSET if inset else "")
    console.print(Text(lines, style=style), soft_wrap=True)
