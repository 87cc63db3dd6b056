"""Every model that is tried: the one served, baselines, parts of it and others. One list, in which every model counts.

A candidate is a name, the columns it reads and a scikit-learn classifier of grades. To add a model, add a line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier

from models.judgements.design import direction
from models.learning.classifier import BelowGoodClassifier

SEED = 20170930


@dataclass(frozen=True, slots=True)
class Candidate:
    """One configuration: the columns it reads and the classifier that reads them."""

    name: str
    group: str
    """What it reads, as reports name it."""
    columns: tuple[str, ...]
    make: Callable[[tuple[str, ...]], Any]
    """Makes a new classifier for these columns. It is given grades 1 to 4 and returns a probability for each."""
    baseline: bool = False


def _percentile(*measures: str) -> tuple[str, ...]:
    return tuple(f"{m}__national_percentile" for m in measures)


LEVELS = _percentile("agency_rate_fte", "absence_rate_fte", "caseload_fte", "vacancy_rate_fte", "turnover_rate_fte")
FLOW = _percentile("assessments_in_time_rate", "icpc_in_time_rate")
DEMAND = _percentile("re_referral_rate", "repeat_cp_plan_rate")
PREVIOUS = ("previous_judgement",)
CONTEXT = ("imd_score",)
OWN = (*LEVELS, *FLOW, *DEMAND)


def ordinal(penalty: float, level_sd: float = 0.7, level_half_life: float = 2.0) -> Callable[[tuple[str, ...]], Any]:
    """The ordinal classifier, which knows the direction of concern of each column."""

    def make(columns: tuple[str, ...]) -> BelowGoodClassifier:
        return BelowGoodClassifier(
            penalty=penalty,
            directions=[direction(c) for c in columns],
            level_sd=level_sd,
            level_half_life=level_half_life,
        )

    return make


def boosting(columns: tuple[str, ...]) -> HistGradientBoostingClassifier:
    """Monotone gradient boosting, for comparison."""
    return HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=80,
        max_depth=2,
        min_samples_leaf=45,
        l2_regularization=10.0,
        early_stopping=False,
        random_state=SEED,
    )


def none(columns: tuple[str, ...]) -> BelowGoodClassifier:
    """Cut-points alone: it forecasts the past share of below good for every council."""
    return BelowGoodClassifier()


#: The one configuration that is served.
RECIPE = Candidate("the model", "own measures and previous judgement", (*OWN, *PREVIOUS), ordinal(8.0))
UNFOLLOWED = Candidate("the model, level not followed", RECIPE.group, RECIPE.columns, ordinal(8.0, level_sd=0.0))
OWN_ONLY = Candidate("own measures only", "own measures", OWN, ordinal(8.0))

#: Simple forecasts whose level is followed as the model's is. The model must be better than these to be worth having.
BASELINES: tuple[Candidate, ...] = (
    Candidate("base rate", "none", (), none, baseline=True),
    Candidate("agency rate", "workforce", ("agency_rate_fte",), ordinal(1.0), baseline=True),
    Candidate("previous judgement", "previous judgement", PREVIOUS, ordinal(1.0), baseline=True),
    Candidate("deprivation", "context", CONTEXT, ordinal(1.0), baseline=True),
    Candidate(
        "deprivation and previous judgement",
        "previous judgement and context",
        (*PREVIOUS, *CONTEXT),
        ordinal(1.0),
        baseline=True,
    ),
)
#: The strongest simple forecast on the record to 2023.
BASELINE_TO_BEAT = "deprivation and previous judgement"

#: Everything a back-test shows; the first is the one that is served. To add another estimator, add a line.
CANDIDATES: tuple[Candidate, ...] = (
    RECIPE,
    UNFOLLOWED,
    *BASELINES,
    OWN_ONLY,
    Candidate("workforce only", "workforce", LEVELS, ordinal(8.0)),
    Candidate("flow and demand only", "flow and demand", (*FLOW, *DEMAND), ordinal(8.0)),
    Candidate("the model with deprivation", "all", (*RECIPE.columns, *CONTEXT), ordinal(8.0)),
    Candidate("gradient boosting", RECIPE.group, RECIPE.columns, boosting),
)
BY_CANDIDATE: dict[str, Candidate] = {c.name: c for c in CANDIDATES}
