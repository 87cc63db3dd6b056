"""Words on a terminal: lines fit, nothing is lost, and a command to be pasted stays on one line."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from features.words import wrapped

_WORD = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
_COMMAND = st.lists(_WORD, min_size=1, max_size=12).map(lambda words: f"`{' '.join(words)}`")
_TEXT = st.lists(st.one_of(_WORD, _COMMAND, st.just("\n")), min_size=1, max_size=30).map(" ".join)


@given(_TEXT, st.integers(20, 120), st.sampled_from(["", "  "]))
def test_commands_are_never_wrapped_and_the_rest_fits(text: str, width: int, inset: str) -> None:
    lines = wrapped(text, width, inset=inset).split("\n")
    assert " ".join(lines).split() == text.split(), "nothing is lost"
    for command in re.findall(r"`[^`]*`", text):
        assert any(command in line for line in lines)
    for line in lines:
        words = re.sub(r"`[^`]*`", "", line)
        assert len(line) <= max(width, len(inset) + 20) or words.strip(" ") == "", line
