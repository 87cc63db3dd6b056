"""A catch-up holds a bounded number of months, keeps each portion before the next, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features.councils import Council
from features.errors import StoreError
from features.months import Month
from features.registry import Kind
from flows.extracts.landing import LandedFile
from flows.month import inputs
from flows.month.portions import ROWS_AT_ONCE, Portion, Reading, begin_reading, take_in_portions
from flows.month.take_in import Due, Read
from flows.sample_region import sample_extracts
from flows.settings.settings import Settings
from flows.store.context import begin
from flows.store.processes import process_began
from tests.conftest import REPOSITORY

FIRST, LAST = Month(2020, 1), Month(2026, 10)
NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)


class _Rows:
    """Stands for the rows of a month, and can be looked for while somebody holds them."""

    def __init__(self, height: int) -> None:
        self.height = height


@given(st.integers(0, 2 * ROWS_AT_ONCE), st.integers(1, 120), st.data())
@example(ROWS_AT_ONCE // 3, 120, None)
def test_memory_depends_on_the_size_of_months_and_not_on_their_number(
    largest: int, count: int, data: st.DataObject | None
) -> None:
    sizes = [largest, *(data.draw(st.integers(0, largest)) if data else largest for _ in range(count - 1))]
    months = [
        Due(FIRST.plus(n), date(2026, 11, 20), files=(), unrecognised=(), fingerprint="", replaces=None)
        for n in range(len(sizes))
    ]
    alive: list[weakref.ref[_Rows]] = []
    kept: list[Month] = []
    held_on_to: list[Portion] = []

    def held() -> int:
        return sum(rows.height for one in alive if (rows := one()) is not None)

    def begin_one(one: Due) -> Reading:
        rows: list[Any] = [SimpleNamespace(extract=SimpleNamespace(frame=_Rows(sizes[one.month.minus(FIRST)])))]
        alive.append(weakref.ref(rows[0].extract.frame))
        assert held() <= 2 * ROWS_AT_ONCE + 2 * largest, "the portion, and as much that is read ahead"
        return lambda: [rows.pop()]

    def keep(portion: Portion) -> None:
        kept.extend(one.month for one in portion.due)
        held_on_to.append(portion)  # as Prefect does, which holds what a task was given

    take_in_portions(months, begin_one, keep, prepare=lambda: None)
    assert kept == [one.month for one in months]
    assert held() == 0
    assert len(held_on_to) <= 1 + 2 * sum(sizes) / ROWS_AT_ONCE, "no more portions than the rows need"


def test_a_portion_says_its_months_and_marks_those_with_something_unread() -> None:
    mark = {"cutoff": date(2026, 11, 20), "files": (), "unrecognised": (), "fingerprint": "x", "replaces": None}
    due: list[Any] = [Due(LAST.plus(n), **mark) for n in (-1, 0)]  # type: ignore[arg-type]
    unread: Any = SimpleNamespace(extract=None, fault=True)
    sound: Any = SimpleNamespace(extract=SimpleNamespace(frame=_Rows(5)), fault=False)
    portion = Portion(due, [[sound], [sound, unread]])
    assert (portion.name, Portion(due[:1], []).name, portion.rows) == ("2026-09 to 2026-10", "2026-09", 10)
    assert [one.fingerprint for one in portion.retried()] == ["x", "x-incomplete"]
    portion.forget()
    assert portion.reads == []


def test_months_are_read_ahead_two_at_first_then_as_many_as_make_a_portion() -> None:
    """However small they are, no more than twelve; and one where a month alone fills a portion."""

    def most_ahead(rows: int) -> list[int]:
        months: list[Any] = [SimpleNamespace(month=FIRST.plus(n)) for n in range(40)]
        begun, done, ahead = [], [], []

        def begin_one(one: Any) -> Reading:
            begun.append(one)
            ahead.append(len(begun) - len(done))

            def reading() -> list[Any]:
                done.append(one)
                return [SimpleNamespace(extract=SimpleNamespace(frame=_Rows(rows)))]

            return reading

        take_in_portions(months, begin_one, lambda portion: None, prepare=lambda: None)
        assert len(done) == 40
        return [ahead[1], max(ahead)]

    assert most_ahead(1) == [2, 12]
    assert most_ahead(ROWS_AT_ONCE // 5) == [2, 5]
    assert most_ahead(ROWS_AT_ONCE) == [2, 2]


def test_a_portion_ends_before_the_next_month_would_make_it_too_large() -> None:
    months: list[Any] = [SimpleNamespace(month=FIRST.plus(n)) for n in range(5)]
    kept: list[int] = []

    def begin_one(one: Any) -> Reading:
        rows: list[Any] = [SimpleNamespace(extract=SimpleNamespace(frame=_Rows(ROWS_AT_ONCE // 2)))]
        return lambda: rows

    take_in_portions(months, begin_one, lambda portion: kept.append(len(portion.due)), prepare=lambda: None)
    assert kept == [2, 2, 1]


def test_a_fault_at_one_council_is_its_own_and_one_of_the_store_is_everybodys() -> None:
    councils = (Council("370", "Barnsley", FIRST), Council("371", "Doncaster", FIRST))
    files = tuple(LandedFile(f"{LAST}/{c.la_code}/workforce.csv", LAST, c, Kind.WORKFORCE, 90, NOW) for c in councils)
    due = Due(LAST, date(2026, 11, 20), files, (), "x", None)

    def broken(files: Sequence[LandedFile]) -> list[Read]:
        if files[0].council.la_code == "371":
            raise ZeroDivisionError
        return []

    def away(files: Sequence[LandedFile]) -> list[Read]:
        raise StoreError("The store does not answer.")

    with ThreadPoolExecutor(1) as pool:
        (read,) = begin_reading(due, pool, broken)()
        assert read.file.council.la_code == "371"
        assert f"reading {LAST} failed" in str(read.submission.reason)
        with pytest.raises(StoreError):
            begin_reading(due, pool, away)()


_CATCH_UP = """
import os, signal, sys
from datetime import datetime
from features.months import Month
from flows.month import inputs, portions
from flows.month.workers import reading_process
from flows.settings.settings import Settings
from flows.store.context import begin

def main():
    portions.ROWS_AT_ONCE = 1
    context = begin(Settings.load(), Month(2026, 10), now=datetime.fromisoformat(sys.argv[1]), as_of=None)
    kept = []

    def keep(portion):
        inputs.check_months_of(context, portion.retried(), portion.reads, reports=False)
        kept.append(portion.name)
        if len(kept) == 2:
            print(*kept, *pool._processes, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    with reading_process() as pool:
        due = inputs.due_in_history(context, Month(2026, 7), Month(2026, 10))
        portions.take_in_portions(due, lambda one: portions.begin_reading(one, pool, inputs.reader(context)), keep)

if __name__ == "__main__":
    main()
"""


def test_a_killed_catch_up_keeps_what_was_done_and_its_reader_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_extracts(tmp_path / "landing", 2, 4, 1, LAST)
    script = tmp_path / "catch_up.py"
    script.write_text(_CATCH_UP)
    monkeypatch.setenv("HOLDFAST_ENVIRONMENT", "demo")
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    monkeypatch.setenv("HOLDFAST_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("HOLDFAST_STORE", str(tmp_path / "store"))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    # A file: a pipe stays open, and would be waited for, while the reader lives.
    with (said := tmp_path / "said").open("wb") as output:
        killed = subprocess.run(
            [sys.executable, str(script), NOW.isoformat()], env=environment, stdout=output, check=False
        )
    assert killed.returncode == -signal.SIGKILL
    *kept, reader = said.read_text().split()
    assert kept == ["2026-07", "2026-08"]

    until = monotonic() + 10
    while process_began(int(reader)) is not None and monotonic() < until:
        sleep(0.05)
    assert process_began(int(reader)) is None, "the reader outlived its parent"

    context = begin(Settings.load(), LAST, now=NOW, as_of=None)
    left = inputs.due_in_history(context, LAST.plus(-3), LAST)
    assert [str(one.month) for one in left] == ["2026-09", "2026-10"], "the next run reads the rest alone"
