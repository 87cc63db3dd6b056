"""A catch-up that is cut by councils stores what one of all councils stores, byte for byte."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.fates import Fate
from features.councils import Council
from features.errors import HoldfastError
from features.months import Month
from features.registry import Kind
from flows.extracts.landing import LandedFile
from flows.month import count, groups, inputs
from flows.month.groups import GroupDone, groups_of, spans_of
from flows.month.portions import take_in_portions
from flows.month.take_in import Due
from flows.sample_region import sample_extracts
from flows.settings.settings import Settings
from flows.store import store_at
from flows.store.context import RunContext, begin

LAST = Month(2026, 10)
MONTHS = 5
NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five councils. One sends a month's file again, one no rows, one what is no table, one nothing in a month."""
    folder = tmp_path_factory.mktemp("region") / "landing"
    sample_extracts(folder, 5, MONTHS, 3, LAST)
    months = [folder / str(LAST.plus(-back)) for back in range(MONTHS - 1, -1, -1)]
    (_, second, third, fourth, _) = sorted(p.name for p in months[0].iterdir() if p.is_dir())
    shutil.copy2(months[1] / second / "workforce.csv", months[2] / second / "workforce.csv")
    header = (months[1] / third / "workforce.csv").read_text().splitlines()[0]
    (months[1] / third / "workforce.csv").write_text(header + "\n")
    (months[2] / third / "caseload.csv").write_bytes(b"\x00\x01")
    shutil.rmtree(months[3] / fourth)
    return folder


def opened(landing: Path, store: Path) -> tuple[RunContext, list[Due]]:
    settings = Settings.load(environment="demo", landing=str(landing), store=str(store), mail={"outbox": str(store)})
    context = begin(settings, LAST, now=NOW, as_of=None)
    return context, inputs.due_in_history(context, LAST.plus(1 - MONTHS), LAST)


def by_groups(context: RunContext, due: Sequence[Due], wanted: int) -> None:
    """As on a cluster: whatever goes from task to task or to the run is pickled."""
    councils = groups_of(due, wanted)
    last: list[bytes] = [pickle.dumps(None)] * len(councils)
    for span in spans_of(due):
        last = [
            pickle.dumps(
                inputs.take_in_group_of(pickle.loads(pickle.dumps(context)), group.of(span), pickle.loads(before))
            )
            for group, before in zip(councils, last, strict=True)
        ]
        done: list[GroupDone] = [pickle.loads(one) for one in last]
        for one, *months in zip(span, *(d.months for d in done), strict=True):
            packed = pickle.loads(pickle.dumps(inputs.pack_received_of(context, one, months)))
            inputs.store_month_of(context, one, months, packed)


def objects(context: RunContext) -> dict[str, bytes]:
    store = store_at(context.settings.store)
    return {o.name: store.read(o.name) for o in store.list()}


@pytest.fixture(scope="module")
def whole(landing: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    context, due = opened(landing, tmp_path_factory.mktemp("whole"))
    in_one_go(context, due)
    return objects(context)


def in_one_go(context: RunContext, due: Sequence[Due]) -> None:
    read = inputs.reader(context)
    take_in_portions(
        due,
        lambda one: lambda: [r for files in one.by_council() for r in read(files)],
        lambda p: inputs.check_months_of(context, p.retried(), p.reads, reports=False),
    )


@pytest.mark.parametrize("wanted", [0, 1, 2, 5])
def test_councils_taken_in_by_groups_are_stored_as_all_at_once(
    landing: Path, whole: dict[str, bytes], tmp_path: Path, wanted: int
) -> None:
    context, due = opened(landing, tmp_path)
    by_groups(context, due, wanted)
    made = objects(context)
    assert made.keys() == whole.keys()
    assert not {name for name, content in made.items() if content != whole[name]}


def test_a_month_in_which_nothing_is_recognised_is_stored_as_without_groups(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    sample_extracts(landing, 2, 1, 3, LAST)
    for folder in [p for p in (landing / str(LAST)).iterdir() if p.is_dir()]:
        shutil.rmtree(folder)
    stray = landing / str(LAST) / "unknown.txt"
    stray.write_text("?")
    os.utime(stray, ((NOW - timedelta(days=14)).timestamp(),) * 2)
    made = []
    for name, take_in in (("whole", in_one_go), ("groups", lambda context, due: by_groups(context, due, 2))):
        context, due = opened(landing, tmp_path / name)
        assert [one.files for one in due] == [()]
        take_in(context, due)
        made.append(objects(context))
    assert made[0] == made[1]


def test_a_council_that_fails_by_itself_in_its_group_is_left_out_and_the_others_are_stored(
    landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = count.count_usable

    def broken(batch: Any, *rest: Any) -> Any:
        cases = batch.frames.get(Kind.CASELOAD)
        if batch.month == LAST and cases is not None and "Z02" in cases["la_code"]:
            raise ZeroDivisionError
        return sound(batch, *rest)

    monkeypatch.setattr(count, "count_usable", broken)
    context, due = opened(landing, tmp_path)
    by_groups(context, due, 5)
    (edition,) = context.history.editions(LAST)
    assert {e.la_code for e in edition.extracts if e.outcome is Fate.UNREAD} == {"Z02"}
    assert edition.fingerprint.endswith("-incomplete")


def test_what_fails_at_every_council_is_nobodys_own_fault(
    landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = count.count_usable

    def broken(batch: Any, *rest: Any) -> Any:
        if any(frame.height for frame in batch.frames.values()):
            raise ZeroDivisionError
        return sound(batch, *rest)

    monkeypatch.setattr(count, "count_usable", broken)
    context, due = opened(landing, tmp_path)
    with pytest.raises(HoldfastError, match="checking failed: a fault in Holdfast"):
        by_groups(context, due, 2)
    assert not context.history.editions(due[0].month)


def _due(sizes: Sequence[int]) -> Due:
    files = [
        LandedFile(f"2026-10/{n}/workforce.csv", LAST, Council(f"{n}", f"Council {n}", LAST), Kind.WORKFORCE, size, NOW)
        for n, size in enumerate(sizes, start=301)
    ]
    return Due(LAST, date(2026, 11, 20), tuple(reversed(files)), (), "x", None)


@pytest.mark.parametrize(
    ("sizes", "wanted", "cut"),
    [
        ([1, 1, 1, 1], 2, [2, 2]),
        ([1, 1, 1, 5], 2, [3, 1]),
        ([9, 1, 1, 1], 2, [1, 3]),
        ([3, 1, 1, 1, 1], 2, [2, 3]),
        ([1, 1, 1], 8, [1, 1, 1]),
        ([0, 0], 2, [1, 1]),
        ([], 4, [0]),
        ([1, 1], 0, [2]),
    ],
)
def test_groups_have_about_as_many_bytes_and_files_in_order_of_the_councils(
    sizes: list[int], wanted: int, cut: list[int]
) -> None:
    found = groups_of([_due(sizes)], wanted)
    assert [len(group.councils) for group in found] == cut
    assert [code for group in found for code in sorted(group.councils)] == [str(301 + n) for n in range(len(sizes))]


def test_a_group_says_its_councils_and_has_their_files_alone() -> None:
    due = _due([1, 1, 1])
    first, other = groups_of([due], 2)
    assert [g.name for g in (first, other)] == ["Council 301", "Council 302 to Council 303"]
    assert [f.council.la_code for f in other.of([due])[0].files] == ["303", "302"]
    assert [g.name for g in groups_of([replace(due, files=())], 2)] == ["no council"]


@pytest.mark.parametrize(
    ("months", "spans"), [(0, []), (1, [1]), (2, [1, 1]), (4, [1, 1, 1, 1]), (9, [1, 3, 2, 1, 1, 1])]
)
def test_the_first_span_and_the_last_are_short(months: int, spans: list[int]) -> None:
    due = [replace(_due([1]), month=LAST.plus(n)) for n in range(months)]
    cut = spans_of(due)
    assert [len(span) for span in cut] == spans
    assert [one for span in cut for one in span] == due
    assert groups.AHEAD >= 1
