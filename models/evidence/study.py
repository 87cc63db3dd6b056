"""The feasibility study's figures beside ours: reached, passed, or not, and by how much against chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.evidence.sections import Section
from models.evidence.table import Row
from models.learning.candidates import OWN_ONLY
from models.learning.walkforward import CHOSEN

STUDY = (
    "Feasibility study on the same files: 218 ILACS inspections begun 2018 to 2023, several hundred configurations, "
    "base rate 0.48. Its “below good” is nearest to overall effectiveness here (impact of leaders is rarer)."
)


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure of the study and where ours is found."""

    what: str
    target: str
    forecast: str
    measure: str
    theirs: float


GOALS: tuple[Goal, ...] = (
    Goal("AUC, chosen on earlier years", "overall effectiveness below good", CHOSEN, "auc", 0.775),
    Goal("Average precision", "overall effectiveness below good", CHOSEN, "average_precision", 0.74),
    Goal("Precision in the riskiest tenth", "overall effectiveness below good", CHOSEN, "precision_tenth", 0.82),
    Goal("Brier skill", "overall effectiveness below good", CHOSEN, "brier_skill", 0.18),
    Goal("AUC from a council's own measures", "overall effectiveness below good", OWN_ONLY, "auc", 0.74),
    Goal("AUC, chosen on earlier years", "below good", CHOSEN, "auc", 0.775),
    Goal("Average precision", "below good", CHOSEN, "average_precision", 0.74),
    Goal("Precision in the riskiest tenth", "below good", CHOSEN, "precision_tenth", 0.82),
    Goal("Brier skill", "below good", CHOSEN, "brier_skill", 0.18),
    Goal("AUC from a council's own measures", "below good", OWN_ONLY, "auc", 0.74),
    Goal("AUC, previous judgement alone", "below good", "previous judgement", "auc", 0.65),
    Goal("AUC, deprivation with it", "below good", "deprivation and previous judgement", "auc", 0.72),
    Goal("AUC", "a good council declines", CHOSEN, "auc", 0.715),
    Goal("AUC", "inadequate", CHOSEN, "auc", 0.66),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A goal with our figure, its interval and what that says."""

    goal: Goal
    ours: float
    low: float | None
    high: float | None
    verdict: str


def compare(section: Section) -> Sequence[Compared]:
    """Every goal that could be judged. A difference inside our interval is called within noise, either way."""
    found = []
    for goal in GOALS:
        table = section.table(goal.target)
        if table is None:
            continue
        try:
            row = table.row(goal.forecast)
        except KeyError:
            continue
        ours = _figure(row, goal.measure)
        if ours is not None:
            low, high = row.intervals.get(goal.measure, (None, None))
            found.append(Compared(goal, ours, low, high, _verdict(ours - goal.theirs, goal.theirs, low, high)))
    return found


def _figure(row: Row, measure: str) -> float | None:
    metrics = row.metrics
    return {
        "auc": metrics.auc,
        "average_precision": metrics.average_precision,
        "precision_tenth": metrics.tenth.precision,
        "precision_fifth": metrics.fifth.precision,
        "brier_skill": metrics.brier_skill,
    }[measure]


def _verdict(difference: float, theirs: float, low: float | None, high: float | None) -> str:
    way = "passed" if difference > 0 else "short"
    word = "equal" if abs(difference) < 0.005 else f"{way} by {abs(difference):.2f}"
    within = low is not None and high is not None and low <= theirs <= high
    return f"{word}{', within noise' if within else ''}"
