"""What a fitted model says from its numbers: each by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, ndtri

from models.learning.level import Level
from models.scorer import OrdinalScorer, inputs

COLUMNS = ["a", "b"]


def scorer(classes: tuple[object, ...] = (1, 2, 3, 4), cuts: tuple[float, ...] = (-1.0, 0.5, 2.0)) -> OrdinalScorer:
    found = OrdinalScorer()
    found.__dict__.update(
        good=2, level_sd=0.7, level_half_life=2.0, clip=3.0, feature_names_in_=np.array(COLUMNS, dtype=object),
        classes_=np.array(classes), centre_=np.array([10.0, 1.0]), scale_=np.array([5.0, 2.0]),
        coef_=np.array([2.0, -1.0]), coef_covariance_=np.array([[0.04, 0.01], [0.01, 0.09]]), cuts_=np.array(cuts),
        level_=np.array([0.3, 0.16, 7.0, 0.0]),
    )  # fmt: skip
    return found


def frame(*rows: tuple[float, float]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=COLUMNS, orient="row")


# Scaled these are (1, 2), typical, (clipped to 3, gap) and (clipped to -3, 0).
ROWS = frame((15.0, 5.0), (10.0, 1.0), (99.0, float("nan")), (-99.0, 1.0))


def test_shares_are_coefficients_times_what_is_apart_from_the_typical_figure_and_a_gap_has_none() -> None:
    assert scorer().contributions(ROWS).tolist() == [[2.0, -2.0], [0.0, 0.0], [6.0, 0.0], [-6.0, 0.0]]
    assert scorer().log_odds(ROWS).tolist() == [-0.5, -0.5, 5.5, -6.5]
    assert [edge.tolist() for edge in scorer().edges(ROWS[2:3])] == [[7.0], [5.5], [4.0]]
    assert scorer().typical_log_odds() == pytest.approx(0.3 - 0.5)


def test_a_row_is_as_uncertain_as_its_coefficients_and_its_gaps() -> None:
    variance = [0.04 + 4 * 0.01 + 4 * 0.09, 0.0, 9 * 0.04 + 1.0, 9 * 0.04]
    assert scorer().deviation(ROWS) == pytest.approx(np.sqrt(variance))
    rounded = scorer()
    rounded.coef_covariance_ = np.array([[-1e-18, 0.0], [0.0, 0.0]])
    assert rounded.deviation(ROWS[:1]).tolist() == [0.0], "a sum that rounds below 0"


@pytest.mark.parametrize(("level", "given"), [(0.8, {}), (0.5, {"level": 0.5})])
def test_an_interval_holds_its_share_and_allows_for_the_level(level: float, given: dict[str, float]) -> None:
    low, high = scorer().interval(ROWS[:1], **given)
    reach = ndtri(0.5 + level / 2) * np.sqrt(0.44 + 0.16)
    assert (low[0], high[0]) == pytest.approx((expit(-0.2 - reach), expit(-0.2 + reach)))


def test_classes_share_out_the_whole() -> None:
    sure = scorer().at_level(Level())
    p = sure.predict_proba(ROWS[:1])[0]
    worse = expit(np.array([1.0, -0.5, -2.0]))
    assert p == pytest.approx([1 - worse[0], worse[0] - worse[1], worse[1] - worse[2], worse[2]])
    assert sure.below_good(ROWS[:1])[0] == pytest.approx(worse[1])
    assert sure.inadequate(ROWS[:1])[0] == pytest.approx(worse[2])


@pytest.mark.parametrize(
    ("classes", "edge"),
    [
        ((1, 2, 3, 4), 1),
        ((2, 3, 4), 0),
        ((1, 3, 4), 0),
        ((1, 2, 3), 1),
        ((1, 2), 0),
        ((3, 4), 0),
        (("a", "b", "c", "d"), 1),
        (("a", "b", "c"), 0),
        (("a", "b", "c", "d", "e", "f"), 2),
    ],
)
def test_the_edge_of_good_is_the_last_good_class_or_the_middle(classes: tuple[object, ...], edge: int) -> None:
    assert scorer(classes, tuple(float(n) for n in range(len(classes) - 1)))._good_edge() == edge


def test_a_level_is_kept_as_it_was_given() -> None:
    level = Level(-0.4, 0.3, 9, date(2025, 1, 1))
    moved = scorer().at_level(level)
    assert moved.level == level
    assert scorer().level == Level(0.3, 0.16, 7, None)
    assert scorer().at_level(Level()).level == Level()
    assert (scorer().rule.sd, scorer().rule.half_life_years) == (0.7, 2.0)


def test_other_columns_and_infinite_figures_are_refused() -> None:
    with pytest.raises(ValueError, match="reads"):
        scorer().log_odds(ROWS.select("b", "a"))
    with pytest.raises(ValueError, match="infinite"):
        scorer().log_odds(frame((1.0, float("inf"))))


def test_inputs_are_floats_with_gaps_and_never_without_a_column() -> None:
    given = pl.DataFrame({"b": [1, None]})
    assert inputs(given, ["b"])["b"].fill_nan(-1.0).to_list() == [1.0, -1.0]
    assert inputs(given, ["z", "b"])["z"].is_nan().to_list() == [True, True]
    assert inputs(given, []).rows() == [(0.0,), (0.0,)]
