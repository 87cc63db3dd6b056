"""Works out drift: a rise of the rank under one model, and groups of measures that signal together."""

from __future__ import annotations

from collections.abc import Sequence

from features.registry import Group
from features.words import count_words
from flows.alerts.state import AlertState, Drift, GroupDrift, Signal
from flows.settings.alert_rules import AlertRules
from models.score import Score


def drift_of(score: Score, signals: Sequence[Signal], previous: AlertState | None, rules: AlertRules) -> Drift:
    """What moved by the rules: the rise of the council's rank, and the groups that signal toward concern."""
    toward: dict[Group, set[str]] = {}
    for signal in signals:
        if signal.toward_concern and signal.group is not Group.CONTEXT:
            toward.setdefault(signal.group, set()).add(signal.measure)
    if previous and previous.months_not_scored >= rules.timing.not_scored_months_as_signal:
        toward.setdefault(Group.SIGHT, set()).add("months_not_scored")
    groups = tuple(
        GroupDrift(group=group, measures=tuple(sorted(toward[group])))
        for group in Group
        if group in toward and len(toward[group]) >= _needed(group, rules)
    )
    change, months = _rank_change(score, previous, rules.drift.rank_rise_months)
    return Drift(
        score_change=None if change is None else round(change, 6),
        score_change_months=months,
        score_rising=change is not None and change >= rules.drift.rank_rise - 1e-12,
        groups=groups,
    )


def _needed(group: Group, rules: AlertRules) -> int:
    return rules.drift.sight_measures_for_group if group is Group.SIGHT else rules.drift.measures_for_group


def _rank_change(score: Score, previous: AlertState | None, within: int) -> tuple[float | None, int]:
    """The rise since the oldest rank under the same model within the window, and over how many months."""
    now = score.rank
    if now is None or previous is None:
        return None, 0
    comparable = [
        p
        for p in previous.recent
        if p.rank is not None and p.model_version == model_version(score) and 0 < score.month.minus(p.month) <= within
    ]
    if not comparable:
        return None, 0
    oldest = min(comparable, key=lambda p: p.month)
    return now - (oldest.rank or 0.0), score.month.minus(oldest.month)


def model_version(score: Score) -> str:
    return f"{score.model.name}/{score.model.version}"


def drift_words(drift: Drift) -> tuple[str, ...]:
    words: list[str] = []
    if drift.score_rising and drift.score_change is not None:
        months = count_words(drift.score_change_months, "month", "months")
        words.append(f"rank up {drift.score_change:.2f} in {months} (drift.rank_rise)")
    words += [f"{g.group.value}: {', '.join(g.measures)} signal toward concern" for g in drift.groups]
    return tuple(words)
