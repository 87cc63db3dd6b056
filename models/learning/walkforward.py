"""Walk-forward: asks each question of the model that would have been used that day, at the level known that day.

Each January a model is fitted on what was published before. Until the next January its level follows each judgement
from the day of its publication. Every model is asked the same questions:

on the first day     each inspection on its first day: the easiest question, and the one studies report;
12 months before     the same inspections a year earlier;
as mailed            every council, every quarter: how will its next judgement be? This is what a director is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from features.frameworks import counting_frameworks, frameworks_sharing_level, newest_level
from models.judgements.design import Design
from models.learning.candidates import Candidate
from models.learning.fitting import Fitted, Forecast, fit
from models.learning.level import Judged, Level, followed, unknown
from models.scorer import inputs

FIRST_DAY, YEAR_BEFORE, AS_MAILED = "on the first day", "12 months before", "as mailed"
QUESTIONS = (FIRST_DAY, YEAR_BEFORE, AS_MAILED)
#: The rows of “as mailed”, and councils whose next judgement is not known yet; flags are raised among all of these.
EVERY = "every council, every quarter"
#: With fewer inspections than this to learn from, a year is not forecast.
TRAIN_FROM = 50


@dataclass(frozen=True, slots=True)
class Split:
    """One model, trained on judgements published before `cut` and asked about days from `cut` to `until`."""

    cut: date
    until: date
    inspections: int
    counting: int
    """How many of those belong to frameworks that set the level."""
    asked: int


@dataclass(frozen=True)
class WalkForward:
    """Rows and forecasts by question and candidate, and the models that made them."""

    rows: Mapping[str, pl.DataFrame]
    """By question, in order of publication; `level_mean` and `level_variance` are those the first candidate used."""
    forecasts: Mapping[str, Mapping[str, Forecast]]
    splits: tuple[Split, ...]
    models: Mapping[date, Fitted]
    """The first candidate's model for each split, by its cut; this candidate is the one that is served."""

    @property
    def served(self) -> str:
        """The name of the first candidate."""
        return next(iter(self.forecasts[FIRST_DAY]))

    @property
    def fits(self) -> int:
        """Number of models fitted: candidates times splits."""
        return len(self.splits) * len(next(iter(self.forecasts.values())))


def walk_forward(
    design: Design,
    candidates: Sequence[Candidate],
    asked_from: date = date.min,
    published_from: date = date.min,
    frozen: date | None = None,
) -> WalkForward:
    """Ask every question of each candidate; the first candidate is the one that is served.

    `asked_from`: leave out questions asked on earlier days.
    `published_from`: only inspections judged from that day on; “as mailed” only asked from that day on.
    `frozen`: one model, trained on what was public before that day, instead of one a year.
    Raises ValueError if nothing can be forecast.
    """
    asked = questions(design, published_from)
    everything = pl.concat(
        [rows.with_columns(question=pl.lit(name)) for name, rows in asked.items()], how="vertical"
    ).filter(pl.col("as_of") >= asked_from)
    years = sorted(set(everything["as_of"].dt.year().to_list()))
    cuts = [date(year, 1, 1) for year in years] if frozen is None else [frozen]
    parts: list[pl.DataFrame] = []
    found: dict[str, list[Forecast]] = {c.name: [] for c in candidates}
    splits: list[Split] = []
    models: dict[date, Fitted] = {}
    for cut in cuts:
        until = date(cut.year + 1, 1, 1) if frozen is None else date.max
        training = design.taught_before(cut)
        mine = (pl.col("as_of") >= cut) & (pl.col("as_of") < until) if frozen is None else pl.lit(True)
        test = everything.filter(mine).sort("as_of", "published", "la_code", "question")
        if not _enough(training) or test.is_empty():
            continue
        for number, candidate in enumerate(candidates):
            fitted = fit(candidate, training, to_serve=False)
            forecast, levels = forecast_as_of(fitted, design, cut, test)
            found[candidate.name].append(forecast)
            if number == 0:
                models[cut] = fitted
                parts.append(test.with_columns(levels))
        whole = training.filter(pl.col("months_before") == 0)
        counted = whole.filter(pl.col("framework").is_in(counting_frameworks())).height
        splits.append(Split(cut, until, whole.height, counted, test.height))
    if not parts:
        raise ValueError("no year has enough earlier judgements to train on")
    return _by_question(pl.concat(parts), {n: _join(f) for n, f in found.items()}, tuple(splits), models)


def questions(design: Design, published_from: date = date.min) -> dict[str, pl.DataFrame]:
    """The rows of each question, for frameworks that count."""
    counts = pl.col("framework").is_in(counting_frameworks())
    judged = design.frame.filter(counts, pl.col("published") >= published_from)
    every = design.councils.filter(pl.col("as_of") >= published_from)
    return {
        FIRST_DAY: judged.filter(pl.col("months_before") == 0),
        YEAR_BEFORE: judged.filter(pl.col("months_before") == 12),
        EVERY: every,
    }


def forecast_as_of(fitted: Fitted, design: Design, cut: date, test: pl.DataFrame) -> tuple[Forecast, list[pl.Series]]:
    """Forecasts for rows in order of `as_of`, each at the level known on its day; and those levels."""
    x = inputs(test, fitted.candidate.columns)
    model = fitted.estimator
    by_day = levels_on(fitted, design, cut, test["as_of"].to_list())
    mean = np.array([level.mean for level in by_day])
    variance = np.array([level.variance for level in by_day])
    p = model.probabilities(model.edges(x), mean, variance)
    below = p[:, model.classes_ > model.good].sum(axis=1)
    return Forecast(below, p[:, -1] if model.classes_[-1] == 4 else np.zeros(len(p))), _levels(mean, variance)


def levels_on(fitted: Fitted, design: Design, cut: date, days: Sequence[date]) -> list[Level]:
    """The level of a model trained before `cut`, on each of these ascending days, from what was published before."""
    model = fitted.estimator
    news = judged_since(fitted, design, cut)
    level, level_of, at, found = model.level, fitted.level_of, 0, []
    for day in days:
        while at < len(news) and news[at][1].published < day:
            if news[at][0] != level_of:
                level, level_of = unknown(model.rule), news[at][0]
            level = followed(level, model.rule, [news[at][1]])
            at += 1
        found.append(level)
    return found


def judged_since(fitted: Fitted, design: Design, cut: date) -> list[tuple[str, Judged]]:
    """Judgements that count, published from `cut` on: whose level, and the council's log-odds in the model at `cut`.

    Once a framework begins a new level, late reports under an earlier one move nothing.
    """
    standing = standing_on(fitted, design, cut)
    news = design.asked_before(0).filter(pl.col("published") >= cut, pl.col("framework").is_in(counting_frameworks()))
    level_of, found = fitted.level_of, []
    for row in news.sort("published", "la_code").iter_rows(named=True):
        level_of = newest_level([*frameworks_sharing_level(level_of), row["framework"]])
        if row["framework"] in frameworks_sharing_level(level_of) and row["la_code"] in standing:
            found.append((level_of, Judged(row["published"], standing[row["la_code"]], row["below_good"])))
    return sorted(found, key=lambda f: (f[1].published, f[1].log_odds))


def standing_on(fitted: Fitted, design: Design, day: date) -> dict[str, float]:
    """Log-odds, without a level, of every council in the newest quarter that had begun by a day."""
    begun = design.councils.filter(pl.col("as_of") <= day)
    if begun.is_empty():
        return {}
    rows = begun.filter(pl.col("as_of") == pl.col("as_of").max())
    odds = fitted.estimator.log_odds(inputs(rows, fitted.candidate.columns))
    return dict(zip(rows["la_code"].to_list(), odds.tolist(), strict=True))


def _enough(training: pl.DataFrame) -> bool:
    whole = training.filter(pl.col("months_before") == 0)
    return whole.height >= TRAIN_FROM and whole["below_good"].n_unique() == 2


def _levels(mean: np.ndarray, variance: np.ndarray) -> list[pl.Series]:
    return [pl.Series("level_mean", mean), pl.Series("level_variance", variance)]


def _join(parts: Sequence[Forecast]) -> Forecast:
    return Forecast(np.concatenate([p.below_good for p in parts]), np.concatenate([p.inadequate for p in parts]))


def _by_question(
    rows: pl.DataFrame, forecasts: dict[str, Forecast], splits: tuple[Split, ...], models: Mapping[date, Fitted]
) -> WalkForward:
    by_rows: dict[str, pl.DataFrame] = {}
    by_forecast: dict[str, dict[str, Forecast]] = {}
    numbered = rows.with_row_index("at")
    for question in (FIRST_DAY, YEAR_BEFORE, AS_MAILED, EVERY):
        asked = EVERY if question == AS_MAILED else question
        mine = numbered.filter(pl.col("question") == asked).sort("published", "la_code", "as_of")
        if question == AS_MAILED:
            mine = mine.filter(pl.col("below_good").is_not_null())
        at = mine["at"].to_numpy()
        by_rows[question] = mine.drop("at", "question")
        by_forecast[question] = {n: Forecast(f.below_good[at], f.inadequate[at]) for n, f in forecasts.items()}
    return WalkForward(by_rows, by_forecast, splits, models)
