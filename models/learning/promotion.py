"""Whether a trained model may speak: the named rule, its checks, and the reasons it gives."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from models.learning.candidates import BASELINES
from models.learning.estimators import Floats
from models.learning.metrics import auc, brier_skill
from models.learning.walkforward import CHOSEN, WalkForward

PROMOTION_RULE = "beats every baseline and the incumbent on the same splits, and is calibrated"
#: Expected and observed numbers may differ by so many standard errors of chance.
CALIBRATED_WITHIN = 2.5


@dataclass(frozen=True, slots=True)
class PromotionCheck:
    """One condition of the rule, with the figures it was decided on."""

    name: str
    passed: bool
    figures: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule's answer; `refusals` is empty if and only if the model may be promoted."""

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
        """The answer in one sentence, with the reasons of a refusal."""
        if self.promoted:
            return f"May be promoted: it {self.rule}."
        return f"Not to be promoted (rule: {self.rule}). " + "; ".join(self.refusals) + "."


def judge(walked: WalkForward, incumbent: Floats | None = None) -> Verdict:
    """Hold the chosen model's walk-forward forecasts to the rule.

    `incumbent`: the present model's forecasts of the same inspections, made the same way; None if there is none.
    """
    y = walked.rows["below_good"].to_numpy()
    p = walked.forecasts[CHOSEN].below_good
    checks = [
        _beats(f"AUC and Brier skill above those of “{b.name}”", y, p, walked.forecasts[b.name].below_good)
        for b in BASELINES
        if b.name in walked.forecasts
    ]
    if incumbent is not None:
        checks.append(_not_worse(y, p, incumbent))
    checks.append(_calibrated(y, p))
    return Verdict(PROMOTION_RULE, tuple(checks))


def _beats(name: str, y: NDArray[np.bool_], p: Floats, other: Floats) -> PromotionCheck:
    ours, theirs = auc(y, p), auc(y, other)
    skill, their_skill = brier_skill(y, p), brier_skill(y, other)
    if ours is None or theirs is None or skill is None or their_skill is None:
        return PromotionCheck(name, False, "only one kind of judgement was seen, so nothing can be told")
    passed = ours > theirs and skill > their_skill
    return PromotionCheck(
        name, passed, f"AUC {ours:.3f} against {theirs:.3f}, Brier skill {skill:.3f} against {their_skill:.3f}"
    )


def _not_worse(y: NDArray[np.bool_], p: Floats, incumbent: Floats) -> PromotionCheck:
    ours, theirs = (float(np.mean((f - y) ** 2)) for f in (p, incumbent))
    return PromotionCheck(
        "Brier score no higher than the incumbent's", ours <= theirs, f"{ours:.4f} against {theirs:.4f}"
    )


def _calibrated(y: NDArray[np.bool_], p: Floats) -> PromotionCheck:
    expected, observed = float(p.sum()), int(y.sum())
    error = sqrt(float(np.sum(p * (1 - p))))
    return PromotionCheck(
        f"expected and observed within {CALIBRATED_WITHIN:g} standard errors",
        abs(expected - observed) <= CALIBRATED_WITHIN * error,
        f"{expected:.1f} expected, {observed} observed, standard error {error:.1f}",
    )
