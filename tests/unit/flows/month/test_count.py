"""What a group of councils knows of months that are not stored yet, and which months are checked together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from expectations.batch import PROFILE
from features.frames import counts_schema
from features.months import Month
from features.registry import Kind
from flows.extracts.checking import STATES
from flows.month import count
from flows.month.count import Ahead, _CountedSoFar, check_months, count_month, months_counted
from flows.store import LocalStore
from flows.store.editions import History
from tests.unit.flows.month.examples import BARNSLEY, CUTOFF, OCTOBER, checked, due, manifest, read

COUNTS = ("counts-workforce", counts_schema(Kind.WORKFORCE))
STATE = ("state-workforce", STATES[Kind.WORKFORCE])


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(LocalStore(tmp_path))


def test_a_month_ahead_is_known_before_the_stored_one_and_a_year_later_no_more(history: History) -> None:
    history.write(manifest(), {})
    ahead = Ahead(history)
    stored = ahead.as_of(OCTOBER, CUTOFF)
    assert stored is not None and ahead.table(stored, *COUNTS).is_empty()

    ahead.hold(count_month(ahead, checked([read(BARNSLEY, Kind.WORKFORCE)])))
    held = ahead.as_of(OCTOBER, CUTOFF)
    assert held is not None and held.edition == 0
    assert ahead.table(held, *COUNTS)["la_code"].to_list() == ["370"]
    assert ahead.tables([held], *COUNTS).height == 1
    assert ahead.table(held, *STATE).height and ahead.table(held, "return", PROFILE).is_empty()

    for back, there in ((-11, True), (-12, False)):
        later = Ahead(history, ahead.ready)
        month = checked([])
        later.hold(count_month(later, replace(month, due=replace(month.due, month=OCTOBER.plus(-back)))))
        assert (OCTOBER in later.ready) is there
        if there:
            assert ahead.table(held, *COUNTS).equals(later.table(held, *COUNTS)), "looked back on for a year"
            assert later.table(held, *STATE).is_empty(), "needed by the month after it alone"
    assert history.as_of(OCTOBER, CUTOFF) == stored


def test_months_that_see_other_editions_of_the_past_are_not_checked_together(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """July was sent again between the cut-offs of September and October: September is compared with the first one."""
    history.write(manifest(month=Month(2026, 7), known_to=date(2026, 8, 5)), {})
    history.write(replace(manifest(month=Month(2026, 7), known_to=date(2026, 10, 20)), edition=2), {})
    asked: list[list[Month]] = []

    def noted(_: History, months: Any, *__: Any, **named: Any) -> Any:
        asked.append([one.month for one in months])
        return [], {}

    monkeypatch.setattr(count, "check_months", noted)
    months = [
        replace(due(), month=Month(2026, number), cutoff=date(2026, number + 1, day))
        for number, day in ((8, 10), (9, 10), (10, 25))
    ]
    assert months_counted(Ahead(history), months, [[], [], []], ()) == []
    assert [[m.number for m in each] for each in asked] == [[8, 9], [10]]


def test_what_was_counted_to_check_a_month_is_kept_unless_a_check_changes_it(history: History) -> None:
    reads = [read(BARNSLEY, Kind.WORKFORCE)]
    ((month,), _) = check_months(history, [due(reads)], [reads], ())
    assert month.counted is not None
    again = count_month(Ahead(history), replace(month, counted=None)).counted
    assert month.counted.reasons.equals(again.reasons)
    for kind in again.counts:
        assert month.counted.counts[kind].equals(again.counts[kind])
        assert kind not in again.states or month.counted.states[kind].equals(again.states[kind])
    assert count_month(Ahead(history), month).counted is month.counted


def test_counts_stand_while_nothing_they_rest_on_was_taken_away() -> None:
    def outcome(**given: Any) -> Any:
        return SimpleNamespace(
            **{"withheld": frozenset(), "quarantined": frozenset(), "reissued": frozenset(), **given}
        )

    own: Any = SimpleNamespace()
    counts: Any = "counts"
    first = _CountedSoFar(own, outcome(), counts, None)
    second = _CountedSoFar(own, outcome(), counts, first)
    assert (first.still(own, outcome()), second.still(own, outcome())) == (counts, counts)
    assert second.still(SimpleNamespace(), outcome()) is None, "of other councils"  # type: ignore[arg-type]
    for name in ("withheld", "quarantined", "reissued"):
        assert first.still(own, outcome(**{name: frozenset(["370"])})) is None
        assert second.still(own, outcome()) is None, "its state comes from a month that changed"
