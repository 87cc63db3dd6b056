"""Every model that is tried: baselines, feature groups, estimators. One table, one list, all of it counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

#: Fewest ILACS inspections on which the level of risk is set by ILACS alone: with 100, a share near 0.4 is
#: known to within about 5 points (one standard error). Until then SIF inspections help to set it.
ILACS_LEVEL_FROM = 100


class CandidateKind(StrEnum):
    BASE_RATE = "base rate"
    ORDINAL = "ordinal regression on all sub-judgements"
    LOGISTIC = "penalised logistic regression"
    RIDGE = "ridge regression on the mean of sub-judgements"
    BOOSTING = "monotone gradient boosting"
    AVERAGE = "mean of ordinal regression and boosting"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One configuration: an estimator, its settings and the columns it reads."""

    name: str
    kind: CandidateKind
    group: str
    """The feature group, as the report names it."""
    columns: tuple[str, ...]
    settings: Mapping[str, float] = field(default_factory=dict)
    baseline: bool = False
    eligible: bool = False
    """May be promoted: its shares are exact, and no feature moves merely because time passes."""


def _percentile(*measures: str) -> tuple[str, ...]:
    return tuple(f"{m}__national_percentile" for m in measures)


LEVELS = _percentile("agency_rate_fte", "absence_rate_fte", "caseload_fte", "vacancy_rate_fte", "turnover_rate_fte")
CHANGES = (
    "agency_rate_fte__change_12m",
    "agency_rate_fte__vs_neighbours",
    "caseload_fte__change_12m",
    "absence_rate_fte__change_12m",
    "net_change_rate_fte__national_percentile",
)
FLOW = _percentile("assessments_in_time_rate", "icpc_in_time_rate", "cp_reviews_in_time_rate")
DEMAND = _percentile("re_referral_rate", "repeat_cp_plan_rate")
PREVIOUS = ("previous_judgement", "previous_sub_mean")
CONTEXT = ("imd_score",)

GROUPS: dict[str, tuple[str, ...]] = {
    "workforce levels": LEVELS,
    "workforce changes": CHANGES,
    "flow": FLOW,
    "demand": DEMAND,
    "previous judgement": PREVIOUS,
    "context": CONTEXT,
    "own measures, without changes": (*LEVELS, *FLOW, *DEMAND),
    "own measures": (*LEVELS, *CHANGES, *FLOW, *DEMAND),
    "all, without changes": (*LEVELS, *FLOW, *DEMAND, *PREVIOUS, *CONTEXT),
    "all": (*LEVELS, *CHANGES, *FLOW, *DEMAND, *PREVIOUS, *CONTEXT),
}
#: What a council can compute itself: no previous judgement, no context.
OWN_GROUPS = (
    "workforce levels",
    "workforce changes",
    "flow",
    "demand",
    "own measures, without changes",
    "own measures",
)

#: Penalties tried for the ordinal regression; the first is used where only one is shown.
PENALTIES = (8.0, 4.0, 16.0, 32.0)

BASELINES: tuple[Candidate, ...] = (
    Candidate("base rate", CandidateKind.BASE_RATE, "none", (), baseline=True),
    Candidate(
        "previous judgement", CandidateKind.LOGISTIC, "previous judgement", ("previous_judgement",), {"C": 1.0}, True
    ),
    Candidate("agency rate", CandidateKind.LOGISTIC, "workforce levels", ("agency_rate_fte",), {"C": 1.0}, True),
    Candidate("deprivation", CandidateKind.LOGISTIC, "context", ("imd_score",), {"C": 1.0}, True),
    Candidate(
        "deprivation and previous judgement",
        CandidateKind.LOGISTIC,
        "previous judgement and context",
        ("previous_judgement", "imd_score"),
        {"C": 1.0},
        True,
    ),
)
#: The strongest simple forecast: what a promoted model has to beat.
BASELINE_TO_BEAT = "deprivation and previous judgement"


def _ordinal(group: str, penalty: float, columns: tuple[str, ...] | None = None) -> Candidate:
    return Candidate(
        f"ordinal, {group}, penalty {penalty:g}",
        CandidateKind.ORDINAL,
        group,
        GROUPS[group] if columns is None else columns,
        {"penalty": penalty},
        eligible=group in ("all", "all, without changes"),
    )


def _others(group: str) -> tuple[Candidate, ...]:
    columns = GROUPS[group]
    return (
        Candidate(f"logistic, {group}", CandidateKind.LOGISTIC, group, columns, {"C": 0.05}),
        Candidate(f"ridge, {group}", CandidateKind.RIDGE, group, columns, {"alpha": 50.0}),
        Candidate(f"boosting, {group}", CandidateKind.BOOSTING, group, columns, {"iterations": 80.0}),
        Candidate(
            f"ordinal with boosting, {group}",
            CandidateKind.AVERAGE,
            group,
            columns,
            {"iterations": 80.0, "penalty": 8.0},
        ),
    )


CANDIDATES: tuple[Candidate, ...] = (
    *BASELINES,
    *(_ordinal(group, PENALTIES[0]) for group in GROUPS),
    *(_ordinal(group, p) for group in ("all, without changes", "all") for p in PENALTIES[1:]),
    *(c for group in ("own measures, without changes", "all, without changes", "all") for c in _others(group)),
)

#: What is promoted until there are earlier years to choose by: the plainest of the full models.
DEFAULT = f"ordinal, all, without changes, penalty {PENALTIES[0]:g}"
#: The model of what a council can compute itself, shown beside the chosen one.
OWN_ONLY = f"ordinal, own measures, without changes, penalty {PENALTIES[0]:g}"

BY_CANDIDATE: dict[str, Candidate] = {c.name: c for c in CANDIDATES}
