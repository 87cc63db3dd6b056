"""Any classifier of scikit-learn, with a level inside: the numbers it serves, how sure they are, and no reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator

from models.judgements.design import Design
from models.learning.candidates import BASELINES, RECIPE, Candidate
from models.learning.fitting import fit
from models.learning.level import Judged, Level, LevelRule, followed, unknown
from models.learning.serving import WithLevel
from models.learning.walkforward import FIRST_DAY, walk_forward
from tests.unit.models.golden import differences

#: A check of scikit-learn that fails for a reason, and the reason.
EXPECTED_FAILURES: dict[str, str] = {}

Made = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]


def small_trees(columns: tuple[str, ...] = ()) -> HistGradientBoostingClassifier:
    """Few and shallow trees, which read gaps; quick to fit."""
    return HistGradientBoostingClassifier(max_iter=4, max_depth=2, min_samples_leaf=10, early_stopping=False)


@pytest.fixture(scope="module")
def made() -> Made:
    """Figures, grades and days; in the second half the same figures are judged more harshly."""
    generator = np.random.default_rng(4)
    x = generator.normal(size=(360, 3))
    days = np.arange(360, dtype=float) + date(2019, 1, 1).toordinal()
    eta = 1.5 * x[:, 0] + generator.logistic(size=360) + np.where(np.arange(360) >= 180, 1.0, 0.0)
    return x, 1 + np.digitize(eta, [-1.5, 0.6, 2.2]), days


@pytest.mark.filterwarnings("ignore")
def test_every_check_of_scikit_learn_holds() -> None:
    failed = {}
    for estimator, check in estimator_checks_generator(
        WithLevel(LogisticRegression(), copies=2), expected_failed_checks=EXPECTED_FAILURES, mark="skip"
    ):
        name = getattr(getattr(check, "func", check), "__name__", str(check))
        try:
            check(estimator)
        except Exception as error:
            if "Skip" not in type(error).__name__:
                failed[name] = repr(error)[:200]
    assert failed == {}


@pytest.mark.parametrize("estimator", [LogisticRegression(), small_trees(), DecisionTreeClassifier(max_depth=3)])
def test_numbers_add_up_and_come_row_by_row(made: Made, estimator: ClassifierMixin) -> None:
    x, y, days = made
    model = WithLevel(estimator, copies=3).fit(x, y, published=days).at_level(Level(-0.4, 0.3, 9, date(2025, 1, 1)))
    p = model.predict_proba(x)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(x)))
    assert np.all(p >= 0)
    assert model.below_good(x) == pytest.approx(p[:, 2:].sum(axis=1), abs=1e-12)
    assert np.all((model.inadequate(x) <= model.below_good(x)) & (model.below_good(x) < 1))
    one_by_one = np.array([model.below_good(x[i : i + 1])[0] for i in range(20)])
    assert one_by_one == pytest.approx(model.below_good(x)[:20], abs=1e-14)
    low, high = model.interval(x)
    assert np.all((low < model.below_good(x)) & (model.below_good(x) < high))


def test_the_estimator_is_learned_as_it_would_be_alone(made: Made) -> None:
    x, y, _ = made
    x = x / 4
    weight = np.linspace(0.1, 2, len(x))
    alone = LogisticRegression().fit(x, y, weight).predict_proba(x)
    assert WithLevel(LogisticRegression()).fit(x, y, weight).predict_proba(x) == pytest.approx(alone, abs=1e-9)
    whole = WithLevel(GaussianNB(), copies=0).fit(x, y, np.where(np.arange(len(x)) < 200, 1.0, 0.0))
    assert whole.predict_proba(x) == pytest.approx(GaussianNB().fit(x[:200], y[:200]).predict_proba(x), abs=3e-3)


def test_the_level_is_that_of_the_rows_that_set_it(made: Made) -> None:
    x, y, days = made
    late = np.arange(len(x)) >= 180
    model = WithLevel(LogisticRegression()).fit(x, y, published=np.where(late, days, np.nan))
    assert model.shift_ > 0.2, "those that set the level were judged more harshly than all"
    assert (model.level.judgements, model.level.to) == (180, date.fromordinal(int(days[-1])))
    judged = [
        Judged(date.fromordinal(int(d)), float(o), bool(b))
        for d, o, b in zip(days[late], model.log_odds(x[late]), y[late] > 2, strict=True)
    ]
    assert model.level == followed(unknown(model.rule), model.rule, judged)
    assert model.below_good(x[late]).sum() == pytest.approx((y[late] > 2).sum(), rel=0.1)


def test_fewer_than_a_hundred_rows_do_not_shift_it(made: Made) -> None:
    x, y, days = made
    few = np.where(np.arange(len(x)) >= len(x) - 99, days, np.nan)
    model = WithLevel(LogisticRegression()).fit(x, y, published=few)
    assert model.shift_ == 0.0 and (model.rule, model.good, model.copies) == (LevelRule(), 2, 10)
    enough = np.where(np.arange(len(x)) >= len(x) - 100, days, np.nan)
    assert WithLevel(LogisticRegression()).fit(x, y, published=enough).shift_ != 0.0
    spreads = [WithLevel(LogisticRegression(), copies=copies).fit(x, y).spread_ for copies in (1, 2)]
    assert np.isnan(spreads[0]) and spreads[1] > 0, "one copy says nothing of how copies differ"


def test_a_level_moves_a_copy(made: Made) -> None:
    x, y, _ = made
    model = WithLevel(LogisticRegression()).fit(x, y)
    moved = model.at_level(Level(0.8))
    assert np.all(moved.below_good(x) > model.below_good(x)) and model.level == Level()
    assert np.array_equal(moved.log_odds(x), model.log_odds(x)), "councils are ranked without the level"


@pytest.mark.parametrize("estimator", [LogisticRegression(), small_trees()])
def test_a_gap_widens_the_interval(made: Made, estimator: ClassifierMixin) -> None:
    x, y, _ = made
    model = WithLevel(estimator, copies=3).fit(x, y)
    known = np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]])
    gap = known.copy()
    gap[1, 0] = np.nan
    assert model.deviation(gap)[0] == model.deviation(known)[0] == model.deviation(known)[1]
    assert model.deviation(gap)[1] > 1.5 * model.deviation(gap)[0]


def test_the_interval_is_as_wide_as_copies_without_some_councils_differ(made: Made) -> None:
    x, y, _ = made
    few = WithLevel(LogisticRegression()).fit(x[:90], y[:90])
    many = WithLevel(LogisticRegression()).fit(x, y)
    assert few.spread_ > 1.4 * many.spread_ > 0
    # Drawing anew says the same: the standard deviation over samples is what the jackknife estimates from one.
    generator = np.random.default_rng(5)
    drawn = []
    for _ in range(40):
        at = generator.integers(len(x), size=len(x))
        drawn.append(WithLevel(LogisticRegression(), copies=0).fit(x[at], y[at]).log_odds(x))
    assert many.spread_ == pytest.approx(float(np.sqrt(np.var(drawn, axis=0).mean())), rel=0.4)
    councils = np.arange(len(x)) // 6
    alike = WithLevel(LogisticRegression()).fit(np.repeat(x, 6, axis=0), np.repeat(y, 6), groups=np.repeat(councils, 6))
    assert alike.spread_ > 0.5 * many.spread_, "rows of one council leave together"
    assert np.isnan(WithLevel(LogisticRegression(), copies=0).fit(x, y).spread_)


def test_reasons_are_refused(made: Made) -> None:
    x, y, _ = made
    assert WithLevel(LogisticRegression()).fit(x, y).contributions(x) is None


def test_a_column_of_gaps_is_read(made: Made) -> None:
    x, y, _ = made
    x = np.column_stack([x, np.full(len(x), np.nan)])
    for estimator in (LogisticRegression(), small_trees()):
        model = WithLevel(estimator, copies=2).fit(x, y)
        assert np.all(np.isfinite(np.column_stack([*model.interval(x), model.below_good(x)])))


def test_the_back_test_needs_no_copies_and_serving_does(design: Design) -> None:
    trees = Candidate("trees", RECIPE.group, RECIPE.columns, small_trees)
    rows = design.taught_before(date.max)
    quick, whole = (fit(trees, rows, to_serve=serve).estimator for serve in (False, True))
    assert isinstance(quick, WithLevel) and isinstance(whole, WithLevel)
    assert np.isnan(quick.spread_) and whole.spread_ > 0
    x = rows.select(RECIPE.columns).fill_null(float("nan"))
    assert np.array_equal(quick.below_good(x), whole.below_good(x))


def test_every_candidate_follows_the_level(design: Design) -> None:
    """All judgements known to be harsh from a day on: every forecast but that of a level not followed goes up."""
    day = date(2021, 1, 1)
    later = pl.col("published") >= day
    harsh = replace(
        design,
        frame=design.frame.with_columns(
            below_good=pl.when(later).then(pl.lit(True)).otherwise("below_good"),
            grade=pl.when(later).then(4).otherwise("grade").cast(pl.Int8),
        ),
    )
    trees = Candidate("trees", RECIPE.group, RECIPE.columns, small_trees)
    candidates = (trees, BASELINES[0])
    before, after = (walk_forward(d, candidates, date(2018, 1, 1)) for d in (design, harsh))
    late = (before.rows[FIRST_DAY]["as_of"] >= date(2021, 10, 1)).to_numpy()
    year = (before.rows[FIRST_DAY]["as_of"] < date(2022, 1, 1)).to_numpy()
    for one in candidates:
        ours, theirs = (w.forecasts[FIRST_DAY][one.name].below_good[late & year] for w in (before, after))
        assert len(ours) and np.all(theirs > ours + 0.05), one.name


def test_what_is_served_stands_as_it_was_read(made: Made) -> None:
    x, y, days = made
    x = np.where(np.arange(x.size).reshape(x.shape) % 11 == 0, np.nan, x)
    model = WithLevel(GaussianNB()).fit(x, y, published=np.where(days % 3 == 0, days, np.nan), groups=days // 9)
    low, high = model.interval(x[:12], 0.5)
    kept = {
        "proba": model.predict_proba(x[:12]).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "classes": model.predict(x[:12]).tolist(),
        "level": model.level_.tolist(),
        "shift": model.shift_,
        "typical": {name: values.tolist() for name, values in model.figures.items()},
        "called": model.called,
    }
    assert differences(kept, Path(__file__).with_name("serving.json"), 1e-6) == []


@pytest.mark.parametrize(("councils", "copies"), [(5, 5), (10, 10), (20, 10)])
def test_each_copy_leaves_some_councils_out_and_there_are_no_more_copies_than_councils(
    made: Made, councils: int, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y, *_ = made
    model, whole = WithLevel(LogisticRegression(), copies=10).fit(x, y), WithLevel._learned
    learned: list[int] = []

    def counted(self: WithLevel, given: Any, *rest: Any) -> Any:
        learned.append(len(given))
        return whole(self, given, *rest)

    monkeypatch.setattr(WithLevel, "_learned", counted)
    assert model._spread(x, y, np.ones(len(x)), np.arange(len(x)) % councils) > 0
    assert len(learned) == copies and all(rows < len(x) for rows in learned)
