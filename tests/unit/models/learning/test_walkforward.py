"""Walking forward: nothing is known early, the level is that of the day, any classifier takes the model's place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from models.judgements.design import Design
from models.learning.candidates import BASELINES, BY_CANDIDATE, RECIPE, UNFOLLOWED, Candidate, boosting
from models.learning.fitting import fit
from models.learning.level import Judged, Level, LevelRule, followed
from models.learning.metrics import auc
from models.learning.training import until
from models.learning.walkforward import (
    AS_MAILED,
    EVERY,
    FIRST_DAY,
    YEAR_BEFORE,
    WalkForward,
    _enough,
    judged_since,
    levels_on,
    questions,
    standing_on,
    walk_forward,
)
from models.scorer import inputs

FROM = date(2018, 1, 1)


@pytest.fixture(scope="module")
def walked(design: Design) -> WalkForward:
    return walk_forward(design, (RECIPE, UNFOLLOWED, *BASELINES), FROM)


def test_it_finds_the_tie_that_was_made(walked: WalkForward) -> None:
    y = walked.rows[FIRST_DAY]["below_good"].to_numpy()
    ours = auc(y, walked.forecasts[FIRST_DAY][RECIPE.name].below_good)
    base = auc(y, walked.forecasts[FIRST_DAY]["base rate"].below_good)
    assert ours is not None and base is not None and ours > 0.7 > base + 0.1


def test_each_model_saw_only_what_was_published_before_its_year(walked: WalkForward, design: Design) -> None:
    for split in walked.splits:
        assert split.cut == date(split.cut.year, 1, 1)
        before = design.asked_before(0).filter(pl.col("published") < split.cut)
        assert split.inspections == before.height


def test_a_later_judgement_changes_no_earlier_forecast(design: Design) -> None:
    """Every outcome published from a day on is turned round: nothing asked before that day moves, to the last bit."""
    day = date(2021, 6, 1)
    later = pl.col("published") >= day
    turned = replace(
        design,
        frame=design.frame.with_columns(
            below_good=pl.when(later).then(~pl.col("below_good")).otherwise("below_good"),
            grade=pl.when(later).then(5 - pl.col("grade")).otherwise("grade").cast(pl.Int8),
        ),
    )
    ours, theirs = (walk_forward(d, (RECIPE,), FROM) for d in (design, turned))
    for question in (FIRST_DAY, YEAR_BEFORE, EVERY):
        early = (ours.rows[question]["as_of"] <= day).to_numpy()
        assert early.any() and not early.all()
        one, other = (w.forecasts[question][RECIPE.name].below_good for w in (ours, theirs))
        assert np.array_equal(one[early], other[early])
        if question == FIRST_DAY:
            assert not np.array_equal(one[~early], other[~early])


def test_the_level_follows_within_the_year(walked: WalkForward) -> None:
    rows = walked.rows[FIRST_DAY].filter(pl.col("as_of").dt.year() == 2021)
    assert rows["level_mean"].n_unique() > 3
    assert walked.models[date(2021, 1, 1)].estimator.level.judgements > 0


def test_as_mailed_is_every_council_whose_next_judgement_is_known(walked: WalkForward) -> None:
    every, mailed = walked.rows[EVERY], walked.rows[AS_MAILED]
    assert mailed.height == every["below_good"].count() < every.height
    assert (mailed["started"] >= mailed["as_of"]).all()


def test_frozen_is_one_model(design: Design) -> None:
    day = date(2020, 1, 1)
    frozen = walk_forward(design, (RECIPE,), published_from=day, frozen=day)
    assert list(frozen.models) == [day]
    assert (frozen.rows[FIRST_DAY]["published"] >= day).all()


def test_any_classifier_of_grades_is_one_line(design: Design) -> None:
    trees = Candidate("trees", "all", RECIPE.columns, boosting)
    plain = Candidate("plain", "all", RECIPE.columns, lambda columns: LogisticRegression())
    found = walk_forward(design, (RECIPE, trees, plain), FROM)
    for name in ("trees", "plain"):
        p = found.forecasts[FIRST_DAY][name]
        assert np.all((p.below_good > 0) & (p.below_good < 1) & (p.inadequate <= p.below_good))


def test_a_column_nobody_has_and_no_column_at_all_are_read(design: Design) -> None:
    assert inputs(design.frame, ("never_heard_of",)).to_series().is_nan().all()
    base = fit(BY_CANDIDATE["base rate"], design.asked_before(0))
    assert np.ptp(base.forecast(design.frame).below_good) == 0.0


def test_until_hides_what_came_next(design: Design) -> None:
    day = date(2020, 1, 1)
    cut = until(design, day)
    assert (cut.frame["published"] < day).all()
    assert (cut.councils["as_of"] <= day).all()
    known = cut.councils.filter(pl.col("below_good").is_not_null())
    assert (known["published"] < day).all() and known.height < cut.councils.height


class _Stub:
    """A model that reads one column as the log-odds, trained to a level on the last day of 2019."""

    rule = LevelRule()
    level = Level(-0.4, 0.2, 9, date(2019, 12, 31))

    def log_odds(self, x: pl.DataFrame) -> np.ndarray[Any, Any]:
        return x["imd_score"].to_numpy()


CUT = date(2020, 1, 1)
FITTED: Any = SimpleNamespace(candidate=SimpleNamespace(columns=("imd_score",)), estimator=_Stub(), level_of="ILACS")


def _designed(design: Design, *judged: tuple[str, date, str, bool]) -> Design:
    """Councils 1 and 2 in two quarters, and these judgements."""
    quarters = [("1", date(2019, 10, 1), 5.0), ("1", CUT, 1.0), ("2", CUT, 2.0), ("2", date(2020, 4, 1), 7.0)]
    schema = design.frame.schema
    councils = [dict.fromkeys(schema) | {"la_code": c, "as_of": d, "imd_score": x} for c, d, x in quarters]
    rows = [
        dict.fromkeys(schema)
        | {"la_code": c, "published": d, "framework": f, "below_good": bad, "months_before": months, "as_of": d}
        for c, d, f, bad in judged
        for months in (0, 6, 12)
    ]
    return replace(design, councils=pl.DataFrame(councils, schema=schema), frame=pl.DataFrame(rows, schema=schema))


def test_councils_stand_where_they_stood_in_the_newest_quarter_that_had_begun(design: Design) -> None:
    some = _designed(design)
    assert standing_on(FITTED, some, date(2019, 12, 31)) == {"1": 5.0}
    assert standing_on(FITTED, some, CUT) == {"1": 1.0, "2": 2.0}
    assert standing_on(FITTED, some, date(2019, 9, 30)) == {}


def test_the_level_of_a_day_knows_what_was_published_before_it_and_since_the_training(design: Design) -> None:
    some = _designed(
        design,
        ("1", date(2019, 12, 31), "ILACS", True),
        ("1", CUT, "ILACS", True),
        ("2", date(2020, 3, 1), "ILACS", False),
        ("2", date(2020, 3, 2), "SIF", False),
        ("9", date(2020, 3, 3), "ILACS", False),
    )
    news = judged_since(FITTED, some, CUT)
    first, second = Judged(CUT, 1.0, True), Judged(date(2020, 3, 1), 2.0, False)
    assert news == [("ILACS", first), ("ILACS", second)]
    days = [CUT, date(2020, 1, 2), date(2020, 3, 1), date(2020, 3, 2), date(2020, 12, 1)]
    one, two = (followed(_Stub.level, _Stub.rule, known) for known in ([first], [first, second]))
    assert levels_on(FITTED, some, CUT, days) == [_Stub.level, one, one, two, two]


@pytest.mark.parametrize(("rows", "bad", "enough"), [(49, 20, False), (50, 20, True), (50, 0, False), (50, 50, False)])
def test_fifty_inspections_of_both_kinds_are_enough(rows: int, bad: int, enough: bool) -> None:
    whole = pl.DataFrame(
        {"months_before": [0] * rows + [6, 6], "below_good": [True] * bad + [False] * (rows - bad) + [True, False]}
    )
    assert _enough(whole) is enough


def test_a_question_is_asked_of_those_judged_from_its_first_day_on(design: Design) -> None:
    day = date(2020, 3, 1)
    some = _designed(
        design, ("1", day, "ILACS", True), ("2", date(2020, 2, 29), "ILACS", True), ("1", day, "SIF", True)
    )
    asked = questions(some, day)
    assert [asked[q].select("la_code", "months_before").rows() for q in (FIRST_DAY, YEAR_BEFORE)] == [
        [("1", 0)],
        [("1", 12)],
    ]
    assert asked[EVERY].select("la_code", "as_of").rows() == [("2", date(2020, 4, 1))]
    assert questions(some, CUT)[EVERY].height == 3 and questions(some)[EVERY].height == 4


def test_nothing_to_learn_from_is_said(design: Design) -> None:
    with pytest.raises(ValueError, match="no year"):
        walk_forward(until(design, date(2014, 6, 1)), (RECIPE,))
