"""Compares the rules with two rivals over many made-up regions: yearly figures, and chart signals without a model.

The rivals see the same councils. *Yearly figures*: the same model and rules, but a council's figures arrive only once
a year, those of September in October. *Signals without a model*: an alert is open while charts signal in `GROUPS`
groups or more. The counts, with 95% intervals over regions, are those that matter to a director: how many difficulties
were found and how soon, how long the director had known within two years, and false alarms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flows.alerts.drift import drift_of
from flows.cli.alert_histories import CouncilHistory, MonthSeen, Simulation, simulate
from flows.settings.alert_rules import AlertRules

MONTHLY, YEARLY, SIGNALS = "monthly, the rules as they are", "yearly figures", "signals without a model"
#: The month of the yearly figures. September's figures are known from October on.
FIGURES_OF = 9
#: Months within which an onset should be found, and months over which the warning is counted.
SOON, AFTERWARDS = 12, 24
#: Without a model, an alert opens if this many groups signal.
GROUPS = 2
_DRAWS, _SEED = 2000, 1904


@dataclass(frozen=True, slots=True)
class RivalTally:
    """The results of one way of alerting over all regions, with 95% intervals from resampled regions."""

    way: str
    onsets: int
    found: int
    found_share: tuple[float, float]
    found_soon: int
    months_of_warning: float
    """Average number of the AFTERWARDS months after an onset in which the director had been told; 0 if not found."""
    false_alarms_per_council_year: float
    false_alarms_interval: tuple[float, float]


def rivals(histories: Sequence[CouncilHistory]) -> dict[str, tuple[CouncilHistory, ...]]:
    """The same councils, as each way of alerting sees them."""
    return {
        MONTHLY: tuple(histories),
        YEARLY: tuple(replace(h, months=_yearly(h.months)) for h in histories),
        SIGNALS: tuple(replace(h, months=_without_model(h.months)) for h in histories),
    }


def _yearly(months: Sequence[MonthSeen]) -> tuple[MonthSeen, ...]:
    """Give each month the score of the last September before it, or of the first month if there is none."""
    known = months[0].score
    seen = []
    for one in months:
        seen.append(MonthSeen(replace(known, month=one.score.month), (), one.inadequate))
        if one.score.month.number == FIGURES_OF:
            known = one.score
    return tuple(seen)


def _without_model(months: Sequence[MonthSeen]) -> tuple[MonthSeen, ...]:
    """Give each month a rank that leads to an alert if, and only if, charts signal in enough groups."""
    rules = AlertRules()
    alerting, quiet = (rules.rank.watch_from + rules.rank.losing_grip_from) / 2, 0.0
    seen = []
    for one in months:
        moving = len(drift_of(one.score, one.signals, None, rules).groups) >= GROUPS
        score = one.score if one.score.rank is None else replace(one.score, rank=alerting if moving else quiet)
        seen.append(MonthSeen(score, (), one.inadequate))
    return tuple(seen)


def tally(regions: Sequence[Sequence[CouncilHistory]], rules: AlertRules) -> tuple[RivalTally, ...]:
    """Run every way of alerting over every region."""
    by_way: dict[str, list[Simulation]] = {}
    # A rival's rank is artificial, so a rise of it must not count.
    still = rules.model_copy(update={"drift": rules.drift.model_copy(update={"rank_rise": 0.99})})
    for region in regions:
        for way, histories in rivals(region).items():
            by_way.setdefault(way, []).append(simulate(histories, still if way == SIGNALS else rules))
    return tuple(_tally(way, found) for way, found in by_way.items())


def _tally(way: str, found: Sequence[Simulation]) -> RivalTally:
    delays = [m for s in found for m in s.onset_to_alert_months]
    years = np.array([s.council_years for s in found])
    false = np.array([s.false_alarms for s in found], dtype=float)
    onsets = np.array([len(s.onset_to_alert_months) for s in found], dtype=float)
    hits = np.array([s.found for s in found], dtype=float)
    warned = [0 if m is None else max(0, AFTERWARDS - m) for m in delays]
    return RivalTally(
        way=way,
        onsets=len(delays),
        found=int(hits.sum()),
        found_share=_interval(hits, onsets),
        found_soon=sum(m is not None and m <= SOON for m in delays),
        months_of_warning=float(np.mean(warned)) if warned else 0.0,
        false_alarms_per_council_year=float(false.sum() / years.sum()),
        false_alarms_interval=_interval(false, years),
    )


def _interval(part: np.ndarray[Any, Any], whole: np.ndarray[Any, Any]) -> tuple[float, float]:
    draws = np.random.default_rng(_SEED).integers(0, len(part), size=(_DRAWS, len(part)))
    ratios = part[draws].sum(axis=1) / np.maximum(whole[draws].sum(axis=1), 1e-9)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)


def tally_table(rows: Sequence[RivalTally]) -> str:
    """The ways of alerting as a table for a terminal."""
    width = max(len(r.way) for r in rows)
    head = (
        f"{'':{width}}  found          of which in {SOON} months  months of warning of {AFTERWARDS}  "
        "false alarms a council-year"
    )
    lines = [
        f"{r.way:{width}}  {r.found:>3}/{r.onsets:<3} [{r.found_share[0]:.0%}, {r.found_share[1]:.0%}]  "
        f"{r.found_soon:>17}  {r.months_of_warning:>24.1f}  "
        f"{r.false_alarms_per_council_year:>12.2f} [{r.false_alarms_interval[0]:.2f}, {r.false_alarms_interval[1]:.2f}]"
        for r in rows
    ]
    return "\n".join([head, *lines])
