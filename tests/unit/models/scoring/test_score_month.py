"""A score adds up, respects the direction of concern, tells what is missing, and keeps context apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from features.comparing.context import CONTEXT
from features.frames import FEATURES_SCHEMA
from features.frameworks import FOUR_GRADES
from features.months import Month
from features.registry import BY_NAME, Missing
from models.learning.level import Judged, served
from models.learning.trained import TrainedModel
from models.registry.shipped import shipped_model
from models.score import ModelRef, Score, before_any_score
from models.scoring.score_month import _BACK_ONCE_SENT, _enough, _first_labels, _reasons, score_month
from models.scoring.wording import amount, judgement_sentence, measure_sentence, movement

MONTH = Month(2023, 9)
MEASURES = {
    "agency_rate_fte": (0.24, 0.8),
    "absence_rate_fte": (0.034, 0.6),
    "caseload_fte": (17.2, 0.5),
    "vacancy_rate_fte": (0.2, 0.6),
    "turnover_rate_fte": (0.16, 0.5),
    "assessments_in_time_rate": (0.83, 0.4),
    "icpc_in_time_rate": (0.8, 0.5),
    "cp_reviews_in_time_rate": (0.9, 0.3),
    "re_referral_rate": (0.22, 0.6),
    "repeat_cp_plan_rate": (0.2, 0.5),
}


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return shipped_model()


def _features(*councils: str, without: tuple[str, ...] = (), **changed: tuple[float, float]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for code in councils:
        for measure, (value, percentile) in (MEASURES | changed).items():
            gone = measure in without
            blank: dict[str, Any] = dict.fromkeys(FEATURES_SCHEMA)
            rows.append(
                blank
                | {
                    "la_code": code,
                    "month": MONTH.last_day,
                    "measure": measure,
                    "value": None if gone else value,
                    "reason": "not reported" if gone else None,
                    "known_from": date(2023, 10, 9),
                    "neighbours_median": None if gone else value / 2,
                    "change_12m": None if gone else 0.06,
                    "national_percentile": None if gone else percentile,
                    "small_base": False,
                }
            )
    return pl.DataFrame(rows, schema=FEATURES_SCHEMA, orient="row")


def _context(*councils: str, judged: int | None = 3) -> pl.DataFrame:
    rows = [
        {
            "la_code": code,
            "as_of": date(2023, 10, 20),
            "previous_judgement": judged,
            "previous_words": None if judged is None else FOUR_GRADES[judged - 1],
            "months_since_judgement": None if judged is None else 14,
            "ever_inadequate": False,
            "judgements_known": 1,
            "imd_score": 31.0,
            "population_0_17": 50_000,
            "region": "North East",
            "council_type": "Unitary authority",
        }
        for code in councils
    ]
    return pl.DataFrame(rows, schema=CONTEXT, orient="row")


def _one(model: TrainedModel, features: pl.DataFrame, context: pl.DataFrame) -> Score:
    (score,) = score_month(model, features, context, MONTH, date(2023, 10, 20))
    return score


def test_the_shares_add_up_to_the_probability(model: TrainedModel) -> None:
    score = _one(model, _features("301"), _context("301"))
    assert score.probability_below_good is not None
    total = model.estimator.typical_log_odds() + sum(r.share for r in score.reasons)
    told = served(np.array([total]), 0.0, model.estimator.level.variance)[0]
    assert told == pytest.approx(score.probability_below_good, abs=1e-12)


def test_the_sentence_of_ten_the_level_and_the_rank_travel_with_the_score(model: TrainedModel) -> None:
    score = _one(model, _features("301"), _context("301"))
    assert score.probability_below_good is not None and score.of_ten is not None and score.level is not None
    assert score.of_ten.like_this == round(10 * score.probability_below_good)
    assert score.of_ten.any_ten == 2
    assert (score.level.judgements, score.level.framework) == (294, "ILACS")
    safe = _one(
        model, _features("301", **dict.fromkeys(("agency_rate_fte", "caseload_fte"), (0.1, 0.01))), _context("301")
    )
    assert score.rank is not None and safe.rank is not None and 0 <= safe.rank < score.rank <= 1


def test_a_level_that_follows_moves_the_number_and_not_the_rank(model: TrainedModel) -> None:
    code = next(iter(model.standing))
    hard = [(code, Judged(date(2026, 3, 1 + i), 0.0, True)) for i in range(20)]
    moved = model.following(hard, "ILACS")
    before, after = (_one(m, _features("301"), _context("301")) for m in (model, moved))
    assert before.probability_below_good is not None and after.probability_below_good is not None
    assert after.probability_below_good > before.probability_below_good
    assert after.rank == before.rank and after.reasons == before.reasons
    assert after.level is not None and (after.level.judgements, after.level.to) == (314, date(2026, 3, 20))
    assert model.following([(code, Judged(date(2025, 1, 1), 0.0, True))], "ILACS").level_known() == model.level_known()
    assert moved.following(hard, "ILACS").level_known() == moved.level_known(), "fed again, nothing moves"


def test_reasons_come_worst_first_in_their_own_units_context_apart(model: TrainedModel) -> None:
    score = _one(model, _features("301"), _context("301"))
    shares = [r.share for r in score.reasons]
    assert shares == sorted(shares, reverse=True)
    by_feature = {r.measure or r.feature: r for r in score.reasons}
    assert by_feature["agency_rate_fte"].sentence == "Agency rate 24%; neighbours 12%; up 6 points in 12 months"
    context = [r.feature for r in score.reasons if r.is_context]
    assert context == ["previous_judgement"]
    assert by_feature["previous_judgement"].sentence == (
        "Previous judgement of leaders: requires improvement to be good, 14 months ago"
    )


@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_a_figure_on_the_side_of_concern_never_lowers_the_score(model: TrainedModel, measure: str) -> None:
    value = MEASURES[measure][0]
    scores = [_one(model, _features("301", **{measure: (value, p)}), _context("301")) for p in (0.05, 0.95)]
    low, high = (s.probability_below_good for s in scores)
    assert low is not None and high is not None
    if BY_NAME[measure].direction.name == "HIGH":
        assert low <= high
    else:
        assert low >= high


def test_a_missing_figure_is_neutral_and_makes_less_sure(model: TrainedModel) -> None:
    whole = _one(model, _features("301", absence_rate_fte=(0.03, 0.497)), _context("301"))
    without = _one(model, _features("301", without=("absence_rate_fte",)), _context("301"))
    assert without.probability_below_good == pytest.approx(whole.probability_below_good, abs=0.005)
    assert _width(without) > _width(whole)
    assert "absence_rate_fte" not in {r.measure for r in without.reasons}


def test_a_council_without_a_judgement_is_scored_without_that_reason(model: TrainedModel) -> None:
    score = _one(model, _features("301"), _context("301", judged=None))
    assert score.probability_below_good is not None
    assert [r.feature for r in score.reasons if r.is_context] == []


def test_half_of_the_measures_is_enough_and_half_of_the_workforce_is_needed(model: TrainedModel) -> None:
    half = ("assessments_in_time_rate", "icpc_in_time_rate", "re_referral_rate", "repeat_cp_plan_rate")
    staff = ("agency_rate_fte", "absence_rate_fte", "caseload_fte")
    assert _one(model, _features("301", without=half), _context("301")).not_scored is None
    assert _one(model, _features("301", without=staff[:2]), _context("301")).not_scored is None
    assert _one(model, _features("301", without=staff), _context("301")).not_scored is not None


def test_too_little_is_not_scored_and_says_what_would_restore_it(model: TrainedModel) -> None:
    gone = ("agency_rate_fte", "vacancy_rate_fte", "absence_rate_fte", "caseload_fte", "turnover_rate_fte")
    score = _one(model, _features("301", without=(*gone, "re_referral_rate")), _context("301"))
    assert score.probability_below_good is None
    assert score.not_scored is not None
    assert score.not_scored.startswith("6 of the 9 measures behind the score are not known for September 2023")
    assert "workforce, establishment and caseload files" in score.not_scored
    assert " and 3 more. Once we have" in score.not_scored


def test_nobody_is_asked_for_a_file_that_is_used_whole(model: TrainedModel) -> None:
    gone = ("agency_rate_fte", "vacancy_rate_fte", "absence_rate_fte", "caseload_fte", "turnover_rate_fte")
    features, about = _features("301", without=gone), _context("301")
    for whole, asked in ((["establishment"], "workforce file of"), (["workforce"], "establishment file of")):
        (score,) = score_month(model, features, about, MONTH, whole={"301": [*whole, "caseload"], "302": ["workforce"]})
        assert score.not_scored is not None and f"Once we have the whole {asked} that month" in score.not_scored


def test_a_council_that_sent_nothing_is_told_so_and_the_others_are_scored(model: TrainedModel) -> None:
    silent, heard = score_month(model, _features("302"), _context("301", "302"), MONTH)
    assert (silent.la_code, heard.la_code) == ("301", "302")
    assert silent.not_scored is not None and "All 9 measures" in silent.not_scored
    assert heard.not_scored is None


def test_a_percentile_nobody_gave_is_taken_from_the_reference(model: TrainedModel) -> None:
    bare = _features("301").with_columns(national_percentile=pl.lit(None, dtype=pl.Float64()))
    score = _one(model, bare, _context("301"))
    agency = next(r for r in score.reasons if r.measure == "agency_rate_fte")
    assert agency.share > 0


def test_annual_figures_count_for_as_long_as_they_are_asked_to(model: TrainedModel) -> None:
    (now,) = score_month(model, _features("301"), _context("301"), Month(2024, 3), date(2024, 4, 1), 12)
    (later,) = score_month(model, _features("301"), _context("301"), Month(2025, 3), date(2025, 4, 1), 12)
    assert now.not_scored is None
    assert later.not_scored is not None
    (of_the_month,) = score_month(model, _features("301"), _context("301"), MONTH, date(2023, 10, 20), 12)
    (too_early,) = score_month(model, _features("301"), _context("301"), MONTH.plus(-1), date(2023, 10, 20), 12)
    assert of_the_month.not_scored is None
    assert too_early.not_scored is not None, "a figure of a later month is not the month's"


def test_the_track_record_is_of_like_forecasts(model: TrainedModel) -> None:
    high, low = model.track_record(0.85), model.track_record(0.1)
    assert high is not None and low is not None
    assert high.of_ten == round(10 * high.judged_below_good / high.flagged) >= 6
    assert low.of_ten <= 2
    assert "given an inspection" in high.basis


def test_inadequate_is_never_likelier_than_below_good(model: TrainedModel) -> None:
    outlook = model.outlook(pl.DataFrame({c: np.linspace(-3, 60, 9) for c in model.columns}))
    assert np.all(outlook.inadequate <= outlook.below_good)
    assert np.all((outlook.low < outlook.below_good) & (outlook.below_good < outlook.high))


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        ("agency_rate_fte", 0.238, "24%"),
        ("absence_rate_fte", 0.0341, "3.4%"),
        ("caseload_fte", 17.24, "17.2 cases"),
        ("referral_rate_per_10k", 1229.6, "1,230"),
    ],
)
def test_amounts_are_in_the_measures_unit(measure: str, value: float, text: str) -> None:
    assert amount(value, BY_NAME[measure]) == text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (0.06, "up 6 points in 12 months"),
        (-0.012, "down 1.2 points in 12 months"),
        (0.01, "up 1 point in 12 months"),
        (0.0004, "unchanged in 12 months"),
    ],
)
def test_movements_are_in_points(change: float, text: str) -> None:
    assert movement(change, BY_NAME["agency_rate_fte"]) == text


def test_small_numbers_are_marked_and_a_grade_stands_in_the_words_of_its_framework() -> None:
    row = {"measure": "turnover_rate_fte", "value": 0.5, "small_base": True}
    assert measure_sentence(row) == "Turnover in 12 months 50%; small numbers"
    assert judgement_sentence("Strong standard", 3) == "Previous judgement of leaders: strong standard, 3 months ago"


def _width(score: Score) -> float:
    assert score.interval_low is not None and score.interval_high is not None
    return float(logit(score.interval_high) - logit(score.interval_low))


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (Missing.NOT_REPORTED, "Once we have the whole workforce, establishment and caseload files of that month"),
        (Missing.COLUMN_ABSENT, "Once we have the whole workforce, establishment and caseload files of that month"),
        (Missing.WINDOW_INCOMPLETE, "Yearly figures need twelve months in a row; months that are missing can still"),
        (Missing.CONFIDENTIAL, ""),
    ],
)
def test_what_would_restore_a_score_depends_on_why_it_is_missing(
    model: TrainedModel, reason: Missing, says: str
) -> None:
    given = _features("301", without=tuple(MEASURES))
    why = given.with_columns(pl.when(pl.col("value").is_null()).then(pl.lit(str(reason))).alias("reason"))
    text = str(_one(model, why, _context("301")).not_scored)
    assert says in text
    assert [words in text for words in ("Once we have", "Yearly figures")] == [
        says.startswith("Once"),
        says.startswith("Yearly"),
    ]
    assert f"({Missing.in_words(str(reason))})" in text


def test_every_reason_that_a_file_would_end_may_come_at_once(model: TrainedModel) -> None:
    gone = ("agency_rate_fte", "vacancy_rate_fte", "absence_rate_fte", "caseload_fte", "turnover_rate_fte")
    why = dict(zip(gone, sorted(str(r) for r in _BACK_ONCE_SENT), strict=True))
    told = _features("301", without=gone).with_columns(
        reason=pl.col("measure").replace_strict(why, default=None, return_dtype=pl.String())
    )
    (score,) = score_month(model, told, _context("301"), MONTH, whole={"301": ["workforce"]})
    assert "Once we have the whole workforce and establishment files" in str(score.not_scored)
    one_more = told.with_columns(
        reason=pl.when(pl.col("measure") == gone[0]).then(pl.lit(str(Missing.CONFIDENTIAL))).otherwise("reason")
    )
    (score,) = score_month(model, one_more, _context("301"), MONTH)
    assert "Once we have" not in str(score.not_scored)


def test_four_missing_measures_are_named_and_of_more_three() -> None:
    names = list(MEASURES)
    assert len(_first_labels(names[:4])) == 4 and "more" not in " ".join(_first_labels(names[:4]))
    assert len(_first_labels(names[:5])) == 4 and _first_labels(names[:5])[3] == "2 more"


def test_context_is_a_reason_apart_and_the_earlier_judgement_is_one() -> None:
    columns = ("imd_score", "previous_judgement", "previous_sub_mean", "agency_rate_fte", "agency_rate_fte__own_z")
    model: Any = SimpleNamespace(columns=columns, typical={"imd_score": 22.0})
    outlook: Any = SimpleNamespace(shares=np.array([[0.3, 0.2, 0.4, 0.1, -0.5]]), missing=np.zeros((1, 5), dtype=bool))
    about = {"imd_score": 31.0, "previous_words": "Good", "months_since_judgement": 14}
    row = {"measure": "agency_rate_fte", "value": 0.24}
    found = _reasons(model, outlook, 0, {"agency_rate_fte": row}, about)
    assert [(r.feature, r.measure, r.is_context, round(r.share, 9)) for r in found] == [
        ("previous_judgement", None, True, 0.6),
        ("imd_score", None, True, 0.3),
        ("agency_rate_fte__own_z", "agency_rate_fte", False, -0.4),
    ]
    assert found[1].sentence == "Deprivation score 31; a typical council 22"
    outlook.missing[0] = [True, True, False, False, True]
    found = _reasons(model, outlook, 0, {"agency_rate_fte": row}, about)
    assert [(r.feature, r.share) for r in found] == [("previous_judgement", 0.4), ("agency_rate_fte", 0.1)]
    assert [r.feature for r in _reasons(model, outlook, 0, {}, about)] == ["previous_judgement"]
    outlook.shares = None
    assert _reasons(model, outlook, 0, {"agency_rate_fte": row}, about) == ()


@pytest.mark.parametrize(("absent", "enough"), [(0, True), (2, True), (3, False), (4, False)])
def test_half_of_the_measures_are_enough(absent: int, enough: bool) -> None:
    measures = ["a", "b", "c", "d"]
    assert _enough(measures, measures[:absent]) is enough


def test_where_there_never_was_a_score_none_returns() -> None:
    nothing: dict[str, Any] = dict.fromkeys(f for f in Score.__dataclass_fields__ if f != "reasons")
    scored = Score(**nothing | {"model": ModelRef("m", "1"), "reasons": ()})
    assert before_any_score(scored) == scored
    told = replace(scored, not_scored="Send the caseload; then the score returns.")
    said = "Send the caseload; then the month counts towards the twelve that a first score needs."
    assert before_any_score(told) == replace(scored, not_scored=said)
