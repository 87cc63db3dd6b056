"""Of two hundred small changes made at random, nine in ten are noticed by the room's own quick tests."""

from __future__ import annotations

import pytest

from tests.conftest import REPOSITORY
from tests.strength.changes import changes_of, drawn, table, unnoticed
from tests.strength.explained import EXPLAINED

COUNT, SEED, NOTICED = 200, 1, 0.9


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_small_changes_are_noticed() -> None:
    found = unnoticed(COUNT, SEED)
    print(table(found))  # noqa: T201
    left = [change for _, survivors in found.values() for change in survivors]
    explained = sum(change.explained for change in left)
    assert sum(tried for tried, _ in found.values()) == COUNT
    assert (COUNT - len(left)) / (COUNT - explained) >= NOTICED, table(found)


def test_a_change_stands_where_it_says_and_can_be_compiled() -> None:
    file = REPOSITORY / "features" / "measuring" / "sight.py"
    text = file.read_bytes()
    every = list(changes_of(file))
    assert every
    for change in every:
        compile(text[: change.start] + f"({change.now})".encode() + text[change.end :], str(file), "exec")


def test_every_explained_place_still_stands() -> None:
    every = drawn(10**6, SEED)
    for place in EXPLAINED:
        alone = [c for c in every if c.file == (place.file or c.file) and place.line in c.text]
        assert place.change in {f"{c.was} -> {c.now}" for c in alone}, f"{place} stands nowhere: take it off the list."
