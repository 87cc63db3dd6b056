"""Of two hundred small changes made at random, nine in ten are noticed by the room's own quick tests."""

from __future__ import annotations

import pytest

from tests.conftest import REPOSITORY
from tests.strength.changes import changes_of, table, unnoticed

COUNT, SEED, NOTICED = 200, 1, 0.9


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_small_changes_are_noticed() -> None:
    found = unnoticed(COUNT, SEED)
    print(table(found))  # noqa: T201
    tried, left = sum(t for t, _ in found.values()), sum(len(s) for _, s in found.values())
    assert tried == COUNT
    assert 1 - left / tried >= NOTICED, table(found)


def test_a_change_stands_where_it_says_and_can_be_compiled() -> None:
    file = REPOSITORY / "features" / "measuring" / "sight.py"
    text = file.read_bytes()
    every = list(changes_of(file))
    assert every
    for change in every:
        compile(text[: change.start] + f"({change.now})".encode() + text[change.end :], str(file), "exec")
