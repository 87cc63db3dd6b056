"""What a trained model says beside its numbers: rank, of ten, track record, and the level it follows, by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.frames import NATIONAL
from models.learning.level import Judged, Level, followed, unknown
from models.learning.trained import TrainedModel
from models.score import LevelKnown, ModelRef
from tests.unit.models.test_scorer import ROWS, scorer

STANDING = {"a": -1.0, "b": 0.0, "c": 0.0, "d": 2.0}
LAST = date(2025, 1, 1)


def _model(forecast: Any = (), outcome: Any = None, level: Level | None = None) -> TrainedModel:
    bad = np.zeros(len(forecast), dtype=bool) if outcome is None else np.array(outcome)
    estimator = scorer().at_level(Level(-0.4, 0.0, 9, LAST) if level is None else level)
    return TrainedModel(
        ModelRef("m", "1"), estimator, STANDING, np.array(forecast, dtype=float), bad, "the record",
        NATIONAL.to_frame(), {},
    )  # fmt: skip


def test_a_rank_is_the_share_with_a_lower_number_and_half_of_those_alike() -> None:
    assert _model().rank(np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0])).tolist() == [0, 0.125, 0.5, 0.75, 0.875, 1]


def test_of_ten_is_the_number_served_and_that_of_all_councils() -> None:
    # Served are 0.2, twice 0.4 and 0.83: 4.6 of ten.
    found = _model().of_ten(0.26)
    assert (found.like_this, found.any_ten) == (3, 5)


def test_a_gap_is_told_and_adds_nothing() -> None:
    said = _model().outlook(ROWS)
    assert said.missing.tolist() == [[False, False], [False, False], [False, True], [False, False]]
    assert said.shares is not None and said.shares[2].tolist() == [6.0, 0.0]
    assert _model().typical == {"a": 10.0, "b": 1.0} and _model().columns == ("a", "b")
    assert _model().outlook(pl.DataFrame({"a": [10.0]})).missing.tolist() == [[False, True]]


@pytest.mark.parametrize(
    ("forecast", "flagged"),
    [
        ([0.0] * 19, None),
        ([0.0] * 20, 20),
        ([0.0] * 22 + [0.1] + [0.9] * 7, 23),
        ([0.0] * 22 + [0.11] + [0.9] * 7, 22),
        ([0.2 + 0.02 * i for i in range(25)], 20),
        ([0.5] * 15 + [0.0] * 10 + [0.9] * 5, 25),
    ],
)
def test_the_track_record_is_of_the_like_forecasts_and_of_twenty_at_least(
    forecast: list[float], flagged: int | None
) -> None:
    found = _model(forecast).track_record(0.0)
    assert (found and found.flagged) == flagged


def test_the_track_record_counts_those_judged_badly() -> None:
    found = _model([0.0] * 20 + [0.9] * 5, [True] * 5 + [False] * 15 + [True] * 5).track_record(0.0)
    assert found is not None and (found.flagged, found.judged_below_good, found.of_ten) == (20, 5, 2)
    assert found.basis == "the record"


def test_a_level_follows_what_came_after_the_last_of_known_councils() -> None:
    model = _model(level=Level(-0.4, 0.3, 9, LAST))
    news = [("a", date(2025, 1, 1)), ("z", date(2025, 2, 1)), ("d", date(2025, 1, 2)), ("b", date(2025, 3, 1))]
    moved = model.following([(code, Judged(day, 9.0, True)) for code, day in news], "ILACS")
    mine = [Judged(date(2025, 1, 2), 2.0, True), Judged(date(2025, 3, 1), 0.0, True)]
    assert moved.estimator.level == followed(model.estimator.level, model.estimator.rule, mine)
    assert moved.level_known() == LevelKnown(11, date(2025, 3, 1), "ILACS")
    other = model.following([("a", Judged(date(2024, 1, 1), 9.0, True))], "another")
    mine = [Judged(date(2024, 1, 1), -1.0, True)]
    assert other.estimator.level == followed(unknown(model.estimator.rule), model.estimator.rule, mine)
    assert other.level_known() == LevelKnown(1, date(2024, 1, 1), "another")
    assert _model(level=Level()).level_known() is None
