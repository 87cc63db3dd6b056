"""Small words that sentences in every room need: lists and counts."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from markupsafe import Markup, escape

_HARD_SPACE = "\N{NO-BREAK SPACE}"


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def count_words(count: int, one: str, many: str) -> str:
    """`1 month`, `3 months`: the number with the noun in singular or plural."""
    return f"{count:,} {one if count == 1 else many}"


def lower_first(text: str) -> str:
    """A label inside a sentence: “Agency rate” becomes “agency rate”; abbreviations keep their capitals."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def wrapped(text: str, width: int, *, inset: str = "", hanging: str = "") -> str:
    """The text on lines of at most `width`. What stands in backticks is meant to be pasted and stays on one line."""
    lines = []
    for line in text.splitlines():
        whole = re.sub(r"`[^`\n]*`", lambda command: command[0].replace(" ", _HARD_SPACE), line)
        filled = textwrap.fill(
            whole,
            max(width, len(inset + hanging) + 20),
            initial_indent=inset,
            subsequent_indent=inset + hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines.append(re.sub(r"`[^`\n]*`", lambda command: command[0].replace(_HARD_SPACE, " "), filled))
    return "\n".join(lines)


def commands_in_html(text: str) -> Markup:
    """A sentence for a page or a mail, with what it has in backticks, which is meant to be pasted, as code."""
    code = r'<code style="overflow-wrap:anywhere;">\1</code>'
    return Markup(re.sub(r"`([^`]+)`", code, str(escape(text))))
