"""Decides whether a trained model may be used: the named rule, its checks, and its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from models.learning.candidates import BASELINES
from models.learning.level import Floats
from models.learning.metrics import auc, log_losses
from models.learning.uncertainty import YearSeen, by_year
from models.learning.walkforward import AS_MAILED, FIRST_DAY, WalkForward

PROMOTION_RULE = (
    "orders councils on the first day better than every baseline, is not worse than any as mailed beyond chance, and "
    "its level holds year by year"
)
#: Taken together, the years may differ from their forecasts by as much as happens by chance once in this many times.
_ONCE_IN = 100
#: The number of standard errors of a difference in log loss, councils resampled, beyond which it is more than chance.
_BEYOND_CHANCE = 2.0


@dataclass(frozen=True, slots=True)
class PromotionCheck:
    """One condition of the rule, with the figures it was decided on."""

    name: str
    passed: bool
    figures: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule's decision; `refusals` is empty if and only if the model may be promoted."""

    rule: str
    checks: tuple[PromotionCheck, ...]

    @property
    def promoted(self) -> bool:
        return all(c.passed for c in self.checks)

    @property
    def refusals(self) -> tuple[str, ...]:
        return tuple(f"{c.name}: {c.figures}" for c in self.checks if not c.passed)

    @property
    def sentence(self) -> str:
        """The decision in one sentence, with the reasons for a refusal."""
        if self.promoted:
            return f"May be promoted: it {self.rule}."
        return f"Not to be promoted (rule: {self.rule}). " + "; ".join(self.refusals) + "."


def judge(walked: WalkForward, incumbent: Floats | None = None) -> Verdict:
    """Apply the rule to the walk-forward forecasts of the first candidate, the one that is served.

    `incumbent`: the present model's forecasts of the inspections on their first day, made in the same way; None if
    there is no model to compare with.
    """
    first, mailed = walked.forecasts[FIRST_DAY], walked.forecasts[AS_MAILED]
    y = walked.rows[FIRST_DAY]["below_good"].to_numpy()
    p = first[walked.served].below_good
    checks: list[PromotionCheck] = []
    for baseline in BASELINES:
        if baseline.name in first:
            checks.append(_orders(baseline.name, y, p, first[baseline.name].below_good))
    rows = walked.rows[AS_MAILED]
    for baseline in BASELINES:
        if baseline.name in mailed and rows.height:
            other = mailed[baseline.name].below_good
            checks.append(
                _no_worse(
                    f"as mailed, no worse than “{baseline.name}”",
                    rows["la_code"].to_numpy(),
                    rows["below_good"].to_numpy(),
                    mailed[walked.served].below_good,
                    other,
                )
            )
    if incumbent is not None:
        councils = walked.rows[FIRST_DAY]["la_code"].to_numpy()
        checks.append(_no_worse("on the first day, no worse than the incumbent", councils, y, p, incumbent))
    checks.append(level_holds(by_year(walked.rows[FIRST_DAY], p)))
    return Verdict(PROMOTION_RULE, tuple(checks))


def _orders(name: str, y: NDArray[np.bool_], p: Floats, other: Floats) -> PromotionCheck:
    title = f"on the first day, AUC above that of “{name}”"
    ours, theirs = auc(y, p), auc(y, other)
    if ours is None or theirs is None:
        return PromotionCheck(title, False, "only one kind of judgement was seen, so nothing can be told")
    return PromotionCheck(title, ours > theirs, f"{ours:.3f} against {theirs:.3f}")


def _no_worse(name: str, councils: NDArray[np.str_], y: NDArray[np.bool_], p: Floats, other: Floats) -> PromotionCheck:
    difference = log_losses(y, p) - log_losses(y, other)
    _, codes = np.unique(councils, return_inverse=True)
    error = float(np.sqrt(np.sum(np.bincount(codes, difference - difference.mean()) ** 2)) / len(y))
    mean = float(difference.mean())
    return PromotionCheck(
        name, mean <= _BEYOND_CHANCE * error, f"log loss {mean:+.4f}, standard error {error:.4f} (below 0 is better)"
    )


def level_holds(years: Sequence[YearSeen]) -> PromotionCheck:
    """Whether the years together are no further from their forecasts than chance and the level's own uncertainty allow.

    Each year counts by itself: one forecast too high cannot make up for one forecast too low.
    """
    if not years:
        return PromotionCheck("the level holds year by year", False, "no year was seen")
    total = sum(year.z**2 for year in years)
    allowed = float(chi2.ppf(1 - 1 / _ONCE_IN, len(years)))
    worst = max(years, key=lambda year: abs(year.z))
    return PromotionCheck(
        "the level holds year by year",
        total <= allowed,
        f"sum of squares {total:.1f} over {len(years)} years, {allowed:.1f} allowed; worst {worst.year}: "
        f"{worst.expected:.1f} expected, {worst.observed} observed of {worst.n}",
    )
