"""What a month's state hands on, and the band that a month before this one had."""

from __future__ import annotations

import pytest

from flows.alerts.state import AlertState, Band, BandPoint, Told
from tests.unit.flows.alerts.examples import MONTH, alert, score

BASE = alert(score(0.6)).decision


@pytest.mark.parametrize(
    ("bands", "before"),
    [
        ([(-1, Band.WATCH)], Band.WATCH),
        ([(-5, Band.WATCH), (-1, Band.STEADY)], Band.WATCH),
        ([(0, Band.WATCH)], None),  # the band of this month is not one before it
        ([(-1, Band.STEADY)], None),
        ([], None),
    ],
)
def test_a_council_moves_from_a_band_that_it_had(bands: list[tuple[int, Band]], before: Band | None) -> None:
    points = tuple(BandPoint(month=MONTH.plus(back), band=band) for back, band in bands)
    state = BASE.state.model_copy(update={"bands": points})
    decision = BASE.model_copy(update={"from_band": Band.WATCH, "state": state})
    assert decision.given_before is before


def test_what_a_message_says_counts_as_told_once_it_is_delivered() -> None:
    earlier, now = (Told(month=MONTH.plus(back), band=Band.WATCH, open_band=Band.WATCH) for back in (-1, 0))
    state = AlertState(month=MONTH, band=Band.WATCH, scored_band=Band.WATCH, since=MONTH, told=earlier, telling=now)
    assert (state.told_by(True), state.told_by(False)) == (now, earlier)
    silent = state.model_copy(update={"telling": None})
    assert (silent.told_by(True), silent.told_by(False)) == (earlier, earlier)


def test_bands_are_said_as_words() -> None:
    assert [b.words for b in (Band.LOSING_GRIP, Band.FIRST_MONTHS)] == ["losing grip", "first months"]
