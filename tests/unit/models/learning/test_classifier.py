"""The classifier is one of scikit-learn's, knows which way is a concern, and serves its level."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import approx_fprime
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from models.learning.classifier import BelowGoodClassifier, _cuts, _loss, _start
from models.learning.level import Judged, Level, LevelRule, served

#: A check of scikit-learn that fails for a reason, and the reason. None does.
EXPECTED_FAILURES: dict[str, str] = {}


@pytest.mark.filterwarnings("ignore")
def test_every_check_of_scikit_learn_holds() -> None:
    failed = {}
    for estimator, check in estimator_checks_generator(
        BelowGoodClassifier(), expected_failed_checks=EXPECTED_FAILURES, mark="skip"
    ):
        name = getattr(getattr(check, "func", check), "__name__", str(check))
        try:
            check(estimator)
        except Exception as error:
            if "Skip" not in type(error).__name__:
                failed[name] = repr(error)[:200]
    assert failed == {}


def _made_up(n: int = 400, seed: int = 1) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 3))
    eta = 1.2 * x[:, 0] - 0.6 * x[:, 1] + generator.logistic(size=n)
    return x, 1 + np.digitize(eta, [-1.5, 0.4, 2.0])


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    x, y = _made_up(60)
    weight = np.linspace(0.2, 2, 60)
    at = np.array([0.3, -0.2, 0.1, -0.5, 0.2, 0.4])
    args = (x, y - 1, weight, 3.0)
    assert _loss(at, *args)[1] == pytest.approx(approx_fprime(at, lambda p: _loss(p, *args)[0], 1e-7), abs=1e-3)


def test_coefficients_come_back_and_a_wrong_sign_is_nought() -> None:
    x, y = _made_up(4000)
    model = BelowGoodClassifier(penalty=0.1).fit(x, y)
    assert model.coef_ / model.scale_ == pytest.approx([1.2, -0.6, 0.0], abs=0.12)
    held = BelowGoodClassifier(penalty=0.1, directions=[1, 1, 0]).fit(x, y)
    assert held.coef_[1] == 0.0 and held.coef_[0] > 0
    other = BelowGoodClassifier(penalty=0.1, directions=[-1, -1, 1]).fit(x, y)
    assert other.coef_[0] == 0.0 > other.coef_[1] and 0.0 <= other.coef_[2] < 0.2
    either = BelowGoodClassifier(penalty=0.1, directions=[0, 0, 0]).fit(x, y)
    assert np.array_equal(either.coef_, model.coef_) and min(np.abs(model.coef_)) > 0.0
    with pytest.raises(ValueError, match="2 directions were given for 3 features"):
        BelowGoodClassifier(directions=[1, 1]).fit(x, y)
    assert held.coef_covariance_[1, 1] == 0.0 < held.coef_covariance_[0, 0]


def test_probabilities_add_up_and_below_good_is_their_sum() -> None:
    x, y = _made_up()
    model = BelowGoodClassifier().fit(x, y).at_level(Level(-0.4, 0.3, 9, date(2025, 1, 1)))
    p = model.predict_proba(x)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(x)))
    assert np.array_equal(model.below_good(x), p[:, model.classes_ > 2].sum(axis=1))
    assert np.all(model.inadequate(x) <= model.below_good(x))
    assert set(model.predict(x)) <= set(model.classes_)
    one_by_one = np.array([model.below_good(x[i : i + 1])[0] for i in range(20)])
    assert np.array_equal(one_by_one, model.below_good(x)[:20]), "a row's number depends on its company"


def test_contributions_are_exact() -> None:
    x, y = _made_up()
    model = BelowGoodClassifier().fit(x, y).at_level(Level(-0.4, 0.3, 9, date(2025, 1, 1)))
    total = model.typical_log_odds() + model.contributions(x).sum(axis=1)
    assert total == pytest.approx(model.log_odds(x) + model.level.mean, abs=1e-12)
    assert served(total, 0.0, model.level.variance) == pytest.approx(model.below_good(x), abs=1e-12)


def test_a_gap_is_a_typical_council_and_widens_the_interval() -> None:
    x, y = _made_up()
    model = BelowGoodClassifier().fit(x, y)
    gap = np.array([[np.nan, 0.2, 0.1]])
    typical = np.array([[model.centre_[0], 0.2, 0.1]])
    assert model.below_good(gap) == model.below_good(typical)
    (low, high), (low_gap, high_gap) = model.interval(typical), model.interval(gap)
    assert low_gap < low < high < high_gap


def test_an_uncertain_level_widens_the_interval_and_draws_towards_even_odds() -> None:
    x, y = _made_up()
    sure = BelowGoodClassifier().fit(x, y)
    unsure = sure.at_level(Level(0.0, 0.6))
    assert np.all(unsure.interval(x)[1] - unsure.interval(x)[0] > sure.interval(x)[1] - sure.interval(x)[0])
    assert np.all(np.abs(unsure.below_good(x) - 0.5) < np.abs(sure.below_good(x) - 0.5))
    assert sure.level == Level(), "the model at another level is another model"


def test_the_level_is_that_of_the_rows_that_set_it() -> None:
    x, y = _made_up(600)
    days = np.array([date(2020, 1, 1).toordinal() + i for i in range(600)], dtype=float)
    late = np.arange(600) >= 300
    harder = np.where(late & (y == 2), 3, y)
    whole = BelowGoodClassifier().fit(x, harder, published=np.where(late, days, np.nan))
    assert whole.level.judgements == 300 and whole.level.to == date.fromordinal(int(days[-1]))
    expected = whole.below_good(x[late]).sum()
    assert expected == pytest.approx((harder[late] > 2).sum(), rel=0.08)
    followed = whole.level.mean + logit(expit(0))
    assert abs(followed) < 0.6


def test_a_column_that_is_the_same_everywhere_says_nothing() -> None:
    x, y = _made_up(200)
    x[:, 2] = 7.0
    model = BelowGoodClassifier().fit(x, y)
    assert (model.centre_[2], model.scale_[2], model.coef_[2]) == (pytest.approx(7.0), 1.0, pytest.approx(0.0))
    gaps = np.where(np.arange(200) % 2 == 0, np.nan, x[:, 0])
    model = BelowGoodClassifier().fit(np.column_stack([gaps, x[:, 1:]]), y)
    assert model.centre_[0] == pytest.approx(np.nanmean(gaps)) and model.scale_[0] == pytest.approx(np.nanstd(gaps))


def test_from_a_hundred_rows_on_the_level_moves_the_cut_points() -> None:
    x, y = _made_up(300)
    without = BelowGoodClassifier().fit(x, y)
    for rows, moved in ((99, False), (100, True)):
        days = np.where(np.arange(300) < rows, 738000.0, np.nan)
        cuts = BelowGoodClassifier().fit(x, y, published=days).cuts_
        assert np.array_equal(cuts, without.cuts_) is not moved
    assert (without.rule, without.clip, without.penalty, without.good) == (LevelRule(), 3.0, 8.0, 2)


def test_weights_stand_for_copies() -> None:
    x, y = _made_up(200)
    thirds = BelowGoodClassifier().fit(np.repeat(x, 3, axis=0), np.repeat(y, 3), sample_weight=np.full(600, 1 / 3))
    assert thirds.coef_ == pytest.approx(BelowGoodClassifier().fit(x, y).coef_, abs=1e-5)


def test_feature_names_are_kept_and_asked_for() -> None:
    x, y = _made_up(100)
    frame = pl.DataFrame(x, schema=["a", "b", "c"])
    model = clone(BelowGoodClassifier()).fit(frame, y)
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict_proba(frame.rename({"a": "z"}))


def test_following_moves_towards_what_comes() -> None:
    x, y = _made_up()
    days = np.arange(len(x), dtype=float) + date(2018, 1, 1).toordinal()
    model = BelowGoodClassifier().fit(x, y, published=days)
    assert model.level.to is not None
    from models.learning.level import followed

    good = [Judged(date(2020, 1, 1 + i), 0.0, False) for i in range(20)]
    assert followed(model.level, model.rule, good).mean < model.level.mean - 0.3


def test_a_search_starts_where_the_base_rates_are() -> None:
    """Of ten, one is outstanding, four good, three below and two inadequate; the heavy ones count twice."""
    grade = np.array([0] + [1] * 4 + [2] * 3 + [3] * 2)
    for weight, shares in ((np.ones(10), [0.1, 0.5, 0.8]), (np.where(grade == 3, 2.0, 1.0), [1 / 12, 5 / 12, 8 / 12])):
        cuts = _cuts(_start(grade, weight, 3))
        assert (1 / (1 + np.exp(-cuts))).tolist() == pytest.approx(shares)
    nobody = _cuts(_start(np.zeros(10, dtype=np.intp), np.ones(10), 3))
    assert np.isfinite(nobody).all() and (np.diff(nobody) > 0).all(), "each cut lies above the one before"
