"""Walk-forward: each year's inspections forecast by models trained on what was published before that year.

Inside it, the named selection rule: a year's model is the eligible candidate with the lowest log-loss on the
walk-forward forecasts of earlier years. So no choice is ever made with the evidence it is judged on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from models.judgements.design import Design
from models.learning.candidates import BY_CANDIDATE, CANDIDATES, DEFAULT, Candidate
from models.learning.estimators import Floats
from models.learning.fitting import Forecast, fit, level_shift, shifted
from models.record.judgements import ILACS, SIF

SELECTION_RULE = "lowest log-loss on earlier years"
#: Fewer inspections than this in earlier years and the plain default is taken: nothing can be told apart.
SELECT_FROM = 30
#: Fewer training rows than this and a year is not forecast.
TRAIN_FROM = 50
#: Following the level: weight of a judgement halves in this many years, and so many cases speak for no change.
FOLLOW_HALF_LIFE_YEARS = 2.0
FOLLOW_PRIOR_CASES = 20.0

CHOSEN = "chosen on earlier years"
FOLLOWED = "chosen on earlier years, level followed"


@dataclass(frozen=True, slots=True)
class Split:
    """One temporal split: trained on judgements published before `cut`, tested on those of `test_from` on."""

    cut: date
    test_first_start: date
    test_last_published: date
    train_sif: int
    train_ilacs: int
    train_first_published: date
    test: int
    chosen: str


@dataclass(frozen=True)
class WalkForward:
    """Forecasts of every test inspection by every candidate, and by the chosen one."""

    rows: pl.DataFrame
    """The test inspections, in order of publication."""
    forecasts: Mapping[str, Forecast]
    splits: tuple[Split, ...]
    fits: int
    """Model fits made: configurations times splits."""


def walk_forward(design: Design, candidates: Sequence[Candidate] = CANDIDATES) -> WalkForward:
    """Forecast every ILACS inspection by the models of its year; raises ValueError if there is none to forecast."""
    frame = design.frame
    ilacs = frame.filter(pl.col("framework") == ILACS)
    years = sorted(set(ilacs["started"].dt.year().to_list()))
    parts: list[pl.DataFrame] = []
    found: dict[str, list[Forecast]] = {c.name: [] for c in candidates}
    chosen: list[Forecast] = []
    splits: list[Split] = []
    fits = 0
    for year in years:
        cut = date(year, 1, 1)
        training = frame.filter(pl.col("published") < cut)
        test = ilacs.filter(pl.col("started").dt.year() == year)
        if training.height < TRAIN_FROM or training["below_good"].n_unique() < 2:
            continue
        name = choose(candidates, parts, found, cut)
        by_name = forecast_all(candidates, training, test)
        fits += len(candidates)
        for c in candidates:
            found[c.name].append(by_name[c.name])
        chosen.append(by_name[name])
        parts.append(test)
        splits.append(_split(cut, training, test, name))
    if not parts:
        raise ValueError("no year has enough earlier judgements to train on")
    rows = pl.concat(parts)
    joined = {name: _join(forecasts) for name, forecasts in found.items()} | {CHOSEN: _join(chosen)}
    joined[FOLLOWED] = follow(rows, joined[CHOSEN])
    order = rows.with_row_index("at").sort("published", "la_code")["at"].to_numpy()
    return WalkForward(
        rows[order],
        {n: Forecast(f.below_good[order], f.inadequate[order]) for n, f in joined.items()},
        tuple(splits),
        fits,
    )


def forecast_all(candidates: Iterable[Candidate], training: pl.DataFrame, test: pl.DataFrame) -> dict[str, Forecast]:
    """Each candidate trained on `training`, asked about `test`. One thread: the matrices are small."""
    with threadpool_limits(limits=1):
        return {c.name: fit(c, training).forecast(test) for c in candidates}


def choose(
    candidates: Sequence[Candidate],
    tested: Sequence[pl.DataFrame],
    forecasts: Mapping[str, Sequence[Forecast]],
    day: date,
) -> str:
    """SELECTION_RULE: the eligible candidate with the lowest mean log-loss on inspections published before a day.

    Ties go to fewer columns, then to the stronger penalty. With fewer than SELECT_FROM inspections, DEFAULT.
    """
    eligible = [c for c in candidates if c.eligible]
    known = [(rows["published"] < day).to_numpy() for rows in tested]
    if not eligible:
        raise ValueError("no candidate may be promoted")
    if sum(int(k.sum()) for k in known) < SELECT_FROM:
        return DEFAULT if DEFAULT in {c.name for c in eligible} else eligible[0].name
    y = np.concatenate([rows["below_good"].to_numpy()[k] for rows, k in zip(tested, known, strict=True)])

    def loss(candidate: Candidate) -> float:
        parts = [f.below_good[k] for f, k in zip(forecasts[candidate.name], known, strict=True)]
        p = np.clip(np.concatenate(parts), 1e-6, 1 - 1e-6)
        return float(-np.mean(np.where(y, np.log(p), np.log(1 - p))))

    return min(eligible, key=lambda c: (round(loss(c), 4), len(c.columns), -c.settings.get("penalty", 0.0))).name


def follow(rows: pl.DataFrame, forecast: Forecast) -> Forecast:
    """The same forecasts with their level moved by judgements published before each inspection began.

    Base rates change; ranking does not depend on them but probabilities do. A judgement's weight halves every
    FOLLOW_HALF_LIFE_YEARS, and FOLLOW_PRIOR_CASES imagined ones speak for leaving the level as it is.
    """
    published, started = rows["published"].to_numpy(), rows["started"].to_numpy()
    outcomes = {"below_good": forecast.below_good, "inadequate": forecast.inadequate}
    moved: dict[str, Floats] = {}
    for target, p in outcomes.items():
        y = rows[target].to_numpy()
        shifts = np.zeros(len(p))
        for day in np.unique(started):
            known = published < day
            if known.any():
                age = (day - published[known]) / np.timedelta64(1, "D") / 365.25
                weight = 0.5 ** (age / FOLLOW_HALF_LIFE_YEARS)
                shifts[started == day] = level_shift(p[known], y[known], weight, FOLLOW_PRIOR_CASES)
        moved[target] = shifted(p, shifts)
    return Forecast(moved["below_good"], np.minimum(moved["inadequate"], moved["below_good"]))


def candidate(name: str) -> Candidate:
    """A candidate of the list by name; raises KeyError."""
    return BY_CANDIDATE[name]


def _join(parts: Sequence[Forecast]) -> Forecast:
    return Forecast(np.concatenate([p.below_good for p in parts]), np.concatenate([p.inadequate for p in parts]))


def _split(cut: date, training: pl.DataFrame, test: pl.DataFrame, chosen: str) -> Split:
    return Split(
        cut=cut,
        test_first_start=test["started"].min(),  # type: ignore[arg-type]  # a date column's minimum is a date
        test_last_published=test["published"].max(),  # type: ignore[arg-type]
        train_sif=training.filter(pl.col("framework") == SIF).height,
        train_ilacs=training.filter(pl.col("framework") == ILACS).height,
        train_first_published=training["published"].min(),  # type: ignore[arg-type]
        test=test.height,
        chosen=chosen,
    )
