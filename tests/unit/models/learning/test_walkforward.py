"""Nothing of the future reaches a forecast or a choice; the level follows what was published."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from models.judgements.design import Design
from models.learning.candidates import BASELINES, BY_CANDIDATE, DEFAULT
from models.learning.fitting import Forecast, fit, level_shift
from models.learning.metrics import auc
from models.learning.walkforward import CHOSEN, choose, follow, walk_forward

FEW = (*BASELINES, BY_CANDIDATE[DEFAULT], BY_CANDIDATE["ordinal, all, without changes, penalty 32"])


def test_later_inspections_move_no_earlier_forecast(design: Design) -> None:
    whole = walk_forward(design, FEW)
    until_2021 = Design(design.frame.filter(pl.col("published") < date(2021, 1, 1)), design.variant, design.national)
    part = walk_forward(until_2021, FEW)
    key = ["la_code", "started"]
    for name, forecast in part.forecasts.items():
        mine = part.rows.select(key).with_columns(part=forecast.below_good)
        both = mine.join(whole.rows.select(key).with_columns(whole=whole.forecasts[name].below_good), on=key)
        assert both.height == part.rows.height
        assert both["part"].to_list() == pytest.approx(both["whole"].to_list(), abs=1e-9)


def test_the_truth_is_found(design: Design) -> None:
    walked = walk_forward(design, FEW)
    y = walked.rows["below_good"].to_numpy()
    found = {n: auc(y, f.below_good) for n, f in walked.forecasts.items()}
    assert found[CHOSEN] > 0.75 > found["deprivation"]
    assert walked.splits[0].train_ilacs == 0
    assert all(s.train_first_published < s.cut <= s.test_first_start for s in walked.splits)


def test_only_eligible_candidates_are_chosen_and_the_better_one(design: Design) -> None:
    rows = design.frame.head(40)
    y = rows["below_good"].to_numpy()
    good = Forecast(np.where(y, 0.8, 0.2), np.full(40, 0.1))
    poor = Forecast(np.full(40, 0.5), np.full(40, 0.1))
    perfect = Forecast(np.where(y, 0.99, 0.01), np.full(40, 0.1))
    forecasts = {c.name: [poor] for c in FEW} | {FEW[-1].name: [good], "deprivation": [perfect]}
    assert choose(FEW, [rows], forecasts, date(2030, 1, 1)) == FEW[-1].name
    assert choose(FEW, [rows], forecasts, rows["published"][5]) == DEFAULT


def test_a_rising_level_is_followed_only_after_publication() -> None:
    rows = pl.DataFrame(
        {
            "started": [date(2020, 1, 1)] * 30 + [date(2021, 1, 1), date(2020, 1, 15)],
            "published": [date(2020, 3, 1)] * 30 + [date(2021, 3, 1)] * 2,
            "below_good": [True] * 32,
            "inadequate": [False] * 32,
        }
    )
    moved = follow(rows, Forecast(np.full(32, 0.4), np.full(32, 0.2)))
    assert moved.below_good[30] > 0.55
    assert moved.below_good[31] == pytest.approx(0.4)
    assert np.all(moved.inadequate <= moved.below_good)


def test_a_level_shift_makes_the_sums_agree() -> None:
    p, y = np.array([0.2, 0.5, 0.7, 0.9]), np.array([False, False, True, False])
    shift = level_shift(p, y)
    moved = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
    assert moved.sum() == pytest.approx(1.0)
    assert level_shift(p, np.zeros(4, dtype=bool)) == -6.0


def test_too_little_history_is_refused(design: Design) -> None:
    few = Design(design.frame.head(20), design.variant, design.national)
    with pytest.raises(ValueError, match="no year has enough"):
        walk_forward(few, FEW)


@pytest.mark.parametrize("name", [c.name for c in FEW] + ["boosting, all", "ridge, all", "ordinal with boosting, all"])
def test_every_kind_of_model_forecasts_probabilities(design: Design, name: str) -> None:
    forecast = fit(BY_CANDIDATE[name], design.frame).forecast(design.frame)
    assert np.all((forecast.below_good > 0) & (forecast.below_good < 1))
    assert np.all(forecast.inadequate <= forecast.below_good)
