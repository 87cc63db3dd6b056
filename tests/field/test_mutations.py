"""Hundreds of spoiled files, each sorted: right, withheld, refused or asked; none wrong in silence, none leaking."""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from collections.abc import Iterable

import polars as pl
import pytest

from expectations.batch import Severity
from features.errors import ExtractError
from features.registry import Kind
from flows.extracts.formats.asked import Form
from tests.field.mutations import Mutation, mutations, unchanged
from tests.field.odd_formats import odd_inputs
from tests.field.sent import MARKER, Made, asked, read

GOOD = ("right", "withheld", "refused", "asked")
LIGHT, SOAK = 24, 700


@pytest.fixture(scope="module")
def sound() -> dict[tuple[Form, Kind], Made]:
    return {(m.form, m.kind): Made(read(m.content, asked(m.kind, m.form, m.month), m.form)) for m in unchanged()}


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("file_row").sort(pl.all())


def sort_out(mutation: Mutation, sound: Made) -> tuple[str, str]:
    """Which of the kinds of end a changed file came to, and what was said."""
    try:
        file = Made(read(mutation.content, asked(mutation.kind, mutation.form, mutation.month), mutation.form))
    except ExtractError as refused:
        return ("leak" if MARKER in str(refused) else "refused"), str(refused)
    except Exception:
        return "traceback", traceback.format_exc(limit=-3)
    if MARKER in file.notes:
        return "leak", file.notes
    if _sorted(file.extract.frame).equals(_sorted(sound.extract.frame)):
        return "right", file.notes
    new = {check: severity for check, severity in file.checks.items() if check not in sound.checks}
    if MARKER in file.messages:
        return "leak", file.messages
    if file.not_used or file.withheld - sound.withheld or Severity.ERROR in new.values():
        return "withheld", file.messages
    if file.extract.reasons.height > sound.extract.reasons.height:
        return "withheld", file.notes
    if set(file.extract.absent_columns) - set(sound.extract.absent_columns):
        return "withheld", file.notes
    if Severity.QUERY in new.values():
        return "asked", file.messages
    new_notes = "\n".join(set(file.extract.notes) - set(sound.extract.notes))
    if any(said in new_notes for said in ("ends without a line end", "has no column", "names no team")):
        return "asked", file.notes
    return "wrong in silence", file.notes


def _check(changed: Iterable[Mutation], sound: dict[tuple[Form, Kind], Made]) -> Counter[tuple[str, str]]:
    ends: Counter[tuple[str, str]] = Counter()
    bad: list[str] = []
    for number, mutation in enumerate(changed):
        end, said = sort_out(mutation, sound[mutation.form, mutation.kind])
        ends[mutation.form, end] += 1
        if end not in GOOD:
            bad.append(f"{end}: number {number}, {mutation.name}, {mutation.kind}: {said[-600:]}")
    assert not bad, "\n\n".join([f"{len(bad)} of {sum(ends.values())}", *bad[:20]])
    return ends


def test_a_few_spoiled_files_of_every_format(sound: dict[tuple[Form, Kind], Made]) -> None:
    ends = _check(mutations(seed=1, count=LIGHT), sound)
    assert {form for form, _ in ends} == set(Form)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", [23, 25])
def test_many_spoiled_files_of_every_format(sound: dict[tuple[Form, Kind], Made], seed: int) -> None:
    ends = _check(mutations(seed, SOAK), sound)
    sys.stdout.write(f"{sum(ends.values())} spoiled files, seed {seed}:\n")
    for end in GOOD:
        sys.stdout.write(f"  {end}: {sum(n for (_, e), n in ends.items() if e == end)}\n")
    assert sum(ends.values()) == SOAK
    assert {e for _, e in ends} >= {"right", "withheld", "refused"}


@pytest.mark.parametrize("part", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, 24))])
def test_odd_files_as_people_and_systems_make_them(sound: dict[tuple[Form, Kind], Made], part: int) -> None:
    """A row each, by kind; what means the same as the sound file must be read as that."""
    inputs = list(odd_inputs())[part::24]
    _check(inputs, sound)
    same = [m for m in inputs if m.same]
    assert [m.name for m in same if sort_out(m, sound[m.form, m.kind])[0] != "right"] == []


def test_the_same_seed_gives_the_same_files() -> None:
    def names() -> list[tuple[str, bool]]:
        return [(m.name, m.same) for m in mutations(seed=4, count=8)]

    assert names() == names()
