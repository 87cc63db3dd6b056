"""Chooses the measures that a message shows, in order: those that affect children first, then the score's reasons.

A measure is *of concern* only if it signals concern this month, or did so earlier and has been worse ever since.
A score may be based on measures that do not move. Those are never shown where a reader would take them for news.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from features.registry import Direction, Group
from flows.alerts.facts import IMPROVEMENT, MeasureFact

#: How many measures a message shows.
SHOWN = 4

#: Measures of children's safety and flow of work, most urgent first. They go before the reasons of the score.
URGENT = (
    "visits_overdue_rate",
    "unallocated_rate",
    "cp_reviews_in_time_rate",
    "icpc_in_time_rate",
    "manager_turnover_rate_headcount",
    "senior_manager_turnover_rate_headcount",
    "assessments_in_time_rate",
    "assessments_overdue_rate",
    "worker_change_rate",
)
#: How many urgent measures may be shown; the other places are for measures that the score is based on.
_URGENT_SHOWN = 3

#: A measure that is this many times as bad as in similar councils is far from them.
_FAR = 2.0

#: Sets of measures that say nearly the same. A message shows only one of each set.
_TWINS = (
    ("agency_rate_fte", "agency_rate_headcount"),
    ("turnover_rate_fte", "turnover_rate_headcount", "turnover_rate_3m_annualised"),
    ("absence_rate_fte", "absent_share_headcount"),
    ("assessments_in_time_rate", "assessments_overdue_rate"),
    ("manager_turnover_rate_headcount", "senior_manager_turnover_rate_headcount"),
)
_FAMILY = {name: family[0] for family in _TWINS for name in family}

#: A figure is clearly different from its past or its neighbours if it differs by at least this share of them.
_CLEARLY = 0.1
_SIGNS: dict[Direction, int] = {Direction.HIGH: 1, Direction.LOW: -1, Direction.NONE: 0}


class WeighedReason(Protocol):
    """The parts of a score's reason that the order needs."""

    @property
    def measure(self) -> str | None: ...
    @property
    def is_context(self) -> bool: ...
    @property
    def share(self) -> float: ...


def of_concern(facts: Iterable[MeasureFact]) -> tuple[MeasureFact, ...]:
    """The measures that are worse than usual this month, one of each kind, most urgent first."""
    found = {f.measure: f for f in facts if f.worse}
    order = [m for m in URGENT if m in found] + [m for m in found if m not in URGENT]
    return _one_of_each(found[m] for m in order)


def improved(facts: Iterable[MeasureFact]) -> tuple[MeasureFact, ...]:
    """The measures that signal improvement this month, one of each kind."""
    return _one_of_each(f for f in facts if f.value is not None and f.toward == IMPROVEMENT)


def look_first(
    measures: Mapping[str, MeasureFact], reasons: Sequence[WeighedReason], *, better: bool, behind: Collection[str] = ()
) -> tuple[MeasureFact, ...]:
    """The measures that a message shows, in order. With `better` (an alert eases or ends), improved ones go first.

    `behind` has the measures whose cause the council says is known and in hand. They go after all others. If an urgent
    measure is far from similar councils without a signal in the council's own chart, it gets the last place.
    """
    weights: dict[str, float] = {}
    for reason in reasons:
        if reason.measure is not None and not reason.is_context:
            weights[reason.measure] = weights.get(reason.measure, 0.0) + reason.share
    found = of_concern(measures.values())
    worse = _ordered([f for f in found if f.measure not in behind], weights)
    worse += [f for f in found if f.measure in behind]
    good = sorted(improved(measures.values()), key=lambda f: weights.get(f.measure, 0.0))
    if better:
        return _one_of_each([*good[: SHOWN - bool(worse)], *worse])[:SHOWN]
    if worse:
        return _with_far(_one_of_each(worse), measures)
    return _one_of_each(
        measures[m]
        for m, share in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
        if share > 0 and m in measures and clearly_worse(measures[m])
    )[:SHOWN]


#: The measures shown to a new council, in this order, if they are known.
FIRST_SEEN = (
    "visits_overdue_rate",
    "unallocated_rate",
    "vacancy_rate_fte",
    "agency_rate_fte",
    "caseload_fte",
    "cp_reviews_in_time_rate",
)


def seen_at_first(measures: Mapping[str, MeasureFact]) -> tuple[MeasureFact, ...]:
    """The measures to show for a council in its first months: what is already worse than usual, then what is known."""
    known = (measures[m] for m in FIRST_SEEN if m in measures and measures[m].value is not None)
    return _one_of_each([*of_concern(measures.values()), *known])[: len(FIRST_SEEN)]


def _ordered(worse: Sequence[MeasureFact], weights: Mapping[str, float]) -> list[MeasureFact]:
    urgent = sorted((f for f in worse if f.measure in URGENT), key=lambda f: f.settled_worse)[:_URGENT_SHOWN]
    rest = (f for f in worse if f not in urgent)
    return [*urgent, *sorted(rest, key=lambda f: (not _leads(f), -weights.get(f.measure, 0.0)))]


def _leads(fact: MeasureFact) -> bool:
    """Whether it is a measure of leadership that is far from similar councils."""
    return fact.declared.group is Group.LEADERSHIP and far_outside(fact)


def _with_far(shown: tuple[MeasureFact, ...], measures: Mapping[str, MeasureFact]) -> tuple[MeasureFact, ...]:
    """The first measures; the last place is for an urgent one that is far outside without a signal, if there is one."""
    families = {_family(f) for f in shown}
    far = [measures[m] for m in URGENT if m in measures and far_outside(measures[m])]
    new = [
        f for f in far if not f.worse and not f.small_base and f.toward != IMPROVEMENT and _family(f) not in families
    ]
    return (*shown[: SHOWN - bool(new)], *new[:1])


def far_outside(fact: MeasureFact) -> bool:
    """Whether an urgent measure, or one of leadership, stands at least twice as badly as similar councils' middle."""
    near, value = fact.neighbours_median, fact.value
    if fact.measure not in URGENT and fact.declared.group is not Group.LEADERSHIP:
        return False
    if near is None or value is None:
        return False
    if fact.declared.direction is Direction.HIGH:
        return value > near and value >= _FAR * near
    return fact.declared.direction is Direction.LOW and value < near and value * _FAR <= near


def clearly_worse(fact: MeasureFact) -> bool:
    """Whether a figure is clearly worse than a year ago or than that of similar councils."""
    if fact.value is None:
        return False
    sign = _SIGNS[fact.declared.direction]
    beside = [v for v in (fact.year_ago, fact.neighbours_median) if v is not None]
    return any(sign * (fact.value - v) > _CLEARLY * abs(v) for v in beside)


def _one_of_each(facts: Iterable[MeasureFact]) -> tuple[MeasureFact, ...]:
    kept: dict[str, MeasureFact] = {}
    for fact in facts:
        kept.setdefault(_family(fact), fact)
    return tuple(kept.values())


def _family(fact: MeasureFact) -> str:
    return _FAMILY.get(fact.measure, fact.measure)
