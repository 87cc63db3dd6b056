"""Compares ways to follow the level in six scenarios on the real calendar of inspections, and counts them as tries.

    python -m models.evidence.levels --data FOLDER [--replicates 200]

Every January the cut-point is refitted on all judgements so far, as the model's is. In between, each method follows the
level in its own way. The comparison is by regret: log loss above that of a forecaster who knows the true level.
Judgements are simulated, so that the true level is known; dates, numbers and the spread of councils are those of ILACS.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import expit

from features.frameworks import ILACS_FRAMEWORK, SIF_FRAMEWORK
from models.judgements.labels import inspections
from models.learning.level import Floats, Judged, Level, LevelRule, followed, served, unknown
from models.learning.metrics import log_losses
from models.learning.serving import level_shift
from models.learning.tries import count_tries
from models.record import PublicRecord, read_record

SEED = 20180301
#: Log-odds of councils without a level, as the model gives them for ILACS inspections: mean and spread.
MIDDLE, SPREAD = -0.4, 0.9
_YEAR = 365.25
#: Changes of level in the scenarios, which come after half of the calendar.
_STEP_DOWN, _STEP_UP = -1.2, 0.8


@dataclass(frozen=True, slots=True)
class InspectionCalendar:
    """First days and publications of inspections, as ordinals, in order of publication."""

    started: Floats
    published: Floats

    @property
    def turn(self) -> float:
        return float(np.median(self.started))


def calendar_of(record: PublicRecord) -> InspectionCalendar:
    """The calendar of the ILACS inspections in the record."""
    rows = inspections(record.judgements, record.lineage)
    mine = rows.filter(rows["framework"] == ILACS_FRAMEWORK.name)
    return InspectionCalendar(
        np.array([d.toordinal() for d in mine["started"]], dtype=np.float64),
        np.array([d.toordinal() for d in mine["published"]], dtype=np.float64),
    )


def fall_of_2016(record: PublicRecord) -> dict[int, float]:
    """Log-odds of below good under the single inspection framework, by year of publication, relative to 2014.

    The years are 2014 to 2017; `scenarios` uses the first for earlier years and the last for later ones.
    """
    rows = inspections(record.judgements, record.lineage)
    mine = rows.filter(rows["framework"] == SIF_FRAMEWORK.name)
    years = mine["published"].dt.year().to_numpy()
    y = mine["below_good"].to_numpy()
    found = {int(year): (y[years == year].sum() + 1) / ((years == year).sum() + 2) for year in range(2014, 2018)}
    odds = {year: float(np.log(p / (1 - p))) for year, p in found.items()}
    middle = odds[2014]
    return {year: value - middle for year, value in odds.items()}


def scenarios(calendar: InspectionCalendar, fall: Mapping[int, float]) -> dict[str, Floats]:
    """The true level at each inspection, by scenario."""
    years = (calendar.started - calendar.turn) / _YEAR
    after = years >= 0
    steps = np.array([fall[min(2017, max(2014, 2016 + int(np.floor(y))))] for y in years])
    return {
        "stable": np.zeros(len(years)),
        "step down": np.where(after, _STEP_DOWN, 0.0),
        "ramp down": _STEP_DOWN * np.clip(years / 2, 0, 1),
        "step up": np.where(after, _STEP_UP, 0.0),
        "dip and back": np.where(after & (years < 1.5), _STEP_DOWN, 0.0),
        "as in 2016 to 2017": steps,
    }


Method = Callable[[list[Judged], float], Level]


def methods() -> dict[str, Method]:
    """The methods compared: the yearly fit alone, weighted shifts, filters."""
    filters = {
        f"filter, SD {sd:g}, half-life {half:g} years": LevelRule(sd, half)
        for sd in (0.4, 0.55, 0.7, 1.0)
        for half in (1.0, 2.0, 4.0)
    }
    return {
        "none": lambda judged, day: Level(),
        "weighted shift, half-life 2 years, 20 cases": _weighted(2.0, 20.0),
        "weighted shift, half-life 0.5 years, 10 cases": _weighted(0.5, 10.0),
        **{name: _filter(rule) for name, rule in filters.items()},
    }


def _filter(rule: LevelRule) -> Method:
    return lambda judged, day: followed(unknown(rule), rule, judged)


def _weighted(half_life: float, cases: float) -> Method:
    def level(judged: list[Judged], day: float) -> Level:
        if not judged:
            return Level()
        age = np.array([day - j.published.toordinal() for j in judged]) / _YEAR
        odds = np.array([j.log_odds for j in judged])
        bad = np.array([j.below_good for j in judged])
        return Level(level_shift(odds, bad, 0.5 ** (age / half_life), cases))

    return level


@dataclass(frozen=True, slots=True)
class Result:
    """One method in one scenario: regret, and expected over observed, in the year after the turn and later."""

    regret: float
    first_year: float
    later: float


def simulate_levels(
    calendar: InspectionCalendar, truth: Floats, tried: Mapping[str, Method], replicates: int
) -> dict[str, Result]:
    """Run each method on the same simulated judgements."""
    generator = np.random.default_rng(SEED)
    n = len(calendar.started)
    order = np.argsort(calendar.started, kind="stable")
    years = (calendar.started - calendar.turn) / _YEAR
    regret = dict.fromkeys(tried, 0.0)
    expected = {name: np.zeros(n) for name in tried}
    seen = np.zeros(n)
    for _ in range(replicates):
        odds = generator.normal(MIDDLE, SPREAD, n)
        p_true = expit(odds + truth)
        y = generator.uniform(size=n) < p_true
        seen += y
        known = _known_by(calendar, odds, y, order)
        for name, method in tried.items():
            p = np.full(n, np.nan)
            for i, judged, shift in known:
                level = method(judged, calendar.started[i])
                p[i] = served(np.array([odds[i] + shift]), level.mean, level.variance)[0]
            there = np.isfinite(p)
            regret[name] += (
                float(np.mean(log_losses(y[there], p[there]) - log_losses(y[there], p_true[there]))) / replicates
            )
            expected[name] += np.nan_to_num(p)
    told = np.isfinite(p)
    first, later = told & (years >= 0) & (years < 1), told & (years >= 1)
    return {
        name: Result(
            regret[name],
            float(expected[name][first].sum() / seen[first].sum()),
            float(expected[name][later].sum() / seen[later].sum()),
        )
        for name in tried
    }


def _known_by(
    calendar: InspectionCalendar,
    odds: Floats,
    y: np.ndarray,
    order: np.ndarray,
) -> list[tuple[int, list[Judged], float]]:
    """For each inspection asked about: what was published by its first day, and that year's fitted cut-point."""
    found = []
    for i in order:
        day = calendar.started[i]
        january = date(date.fromordinal(int(day)).year, 1, 1).toordinal()
        before = calendar.published < january
        if before.sum() < 20:
            continue
        shift = level_shift(odds[before], y[before], np.ones(int(before.sum())))
        known = np.flatnonzero(calendar.published < day)
        judged = [
            Judged(date.fromordinal(int(calendar.published[j])), float(odds[j] + shift), bool(y[j])) for j in known
        ]
        found.append((int(i), judged, shift))
    return found


def regret_table(found: Mapping[str, Mapping[str, Result]]) -> str:
    """A table of regret by method and scenario, the worst regret, and expected over observed in the step down."""
    names = list(found)
    lines = [
        "| Method | " + " | ".join(names) + " | worst | step down: expected/seen in year 1, later |",
        "|---|" + "---|" * (len(names) + 2),
    ]
    for method in found[names[0]]:
        regrets = [found[s][method].regret for s in names]
        step = found["step down"][method]
        lines.append(
            f"| {method} | "
            + " | ".join(f"{r:.3f}" for r in regrets)
            + f" | {max(regrets):.3f} | {step.first_year:.2f}, {step.later:.2f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the six scenarios, print the table and count the tries."""
    parser = argparse.ArgumentParser(prog="python -m models.evidence.levels")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--replicates", type=int, default=200)
    options = parser.parse_args(arguments)
    record = read_record(options.data)
    calendar = calendar_of(record)
    tried = methods()
    found = {
        name: simulate_levels(calendar, truth, tried, options.replicates)
        for name, truth in scenarios(calendar, fall_of_2016(record)).items()
    }
    what = f"simulated judgements on the calendar to {record.judgements['published'].max()!s}"
    total = count_tries("models.evidence.levels", "ways to follow the level", list(tried), what)
    sys.stdout.write(f"{regret_table(found)}\n\n{total} tries counted in all.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
