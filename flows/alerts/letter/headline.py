"""The words above the fold: subject, title and the one sentence that says why. Never a probability."""

from __future__ import annotations

from collections.abc import Sequence

from features.registry import BY_NAME, Group
from features.words import count_words, listed
from flows.alerts.alert import Alert
from flows.alerts.facts import MeasureFact
from flows.alerts.letter.figures import lower_first, month_words
from flows.alerts.state import Band, Change, Decision, MessageKind

#: A longer subject is cut by mail programs, on a phone much earlier: what happened comes first.
_SUBJECT_FITS = 110


def subject(alert: Alert) -> str:
    """What happened, in one line: council, month, band and change; never a probability."""
    decision, when = alert.decision, month_words(alert.month)
    happened = title(alert)
    if alert.kind is MessageKind.CORRECTION:
        return f"{alert.council}: corrected message for {when}"
    labels = [lower_first(BY_NAME[s.measure].label) for s in alert.charts[:2]]
    because = ""
    if decision.change in (Change.NEW, Change.WORSENING) and decision.band in (Band.WATCH, Band.LOSING_GRIP) and labels:
        because = f" ({', '.join(labels)})"
    words = f"{alert.council}, {when}: {lower_first(happened)}"
    return f"{words}{because}" if len(words) + len(because) <= _SUBJECT_FITS else words


def title(alert: Alert) -> str:
    decision = alert.decision
    titles = {
        MessageKind.CORRECTION: f"A correction: {lower_first(_state_words(alert))}",
        MessageKind.RECOVERING: _recovery_title(decision),
        MessageKind.NOT_SCORED: _not_scored_title(decision),
    }
    kind = alert.kind
    return titles[kind] if kind in titles else _state_words(alert)


def _state_words(alert: Alert) -> str:
    decision = alert.decision
    band, told = decision.band.words, decision.from_band
    on_watch = decision.band is Band.WATCH
    if decision.band in (Band.RECOVERING, Band.NOT_SCORED):
        return f"Now {band}"
    if decision.change is Change.RESOLVED:
        return "Back to steady"
    if decision.change is Change.NEW:
        before = decision.from_band
        start = (
            f"Moved from {before.words} to"
            if before in (Band.STEADY, Band.RECOVERING)
            else "Now on"
            if on_watch
            else "Now"
        )
        return f"{start} {band}"
    if told is not None and told is not decision.band and told is not Band.NOT_SCORED:
        verb = "Eased" if decision.change is Change.EASING else "Moved"
        return f"{verb} from {told.words} to {band}"
    on = "on watch" if on_watch else band
    if decision.change is Change.WORSENING:
        return f"Still {on}, and the signs are stronger"
    if decision.change is Change.EASING:
        return f"Eased to {band}"
    if decision.change is Change.NONE:
        return "Steady"
    return f"Still {on}, since {month_words(decision.state.since)}"


def _recovery_title(decision: Decision) -> str:
    if decision.change is Change.NEW:
        return "The recovery watch begins"
    if decision.change is Change.WORSENING:
        return "Recovering: stability needs attention"
    return "Recovering: holding steady" if not decision.drift.any else "Recovering: still unsettled"


def _not_scored_title(decision: Decision) -> str:
    months = decision.state.months_not_scored
    if months == 1:
        return "No score this month, and what would restore it"
    return f"No score for {count_words(months, 'month', 'months')}, and what would restore it"


def points_heading(change: Change) -> str:
    return "What improved most" if change in (Change.RESOLVED, Change.EASING) else "Strongest reasons"


def lead(alert: Alert, shown: Sequence[MeasureFact]) -> str:
    """One sentence: why. From what moved, in words; the level only as a likeness."""
    decision = alert.decision
    if alert.kind is MessageKind.CORRECTION and alert.correction is not None:
        changed = listed([lower_first(w) for w in alert.correction.for_people[:3]])
        return (
            f"Figures for {month_words(alert.month)} were restated, and our earlier message no longer holds: {changed}."
        )
    if decision.band is Band.NOT_SCORED:
        return sentence(alert.score.not_scored or "Too little was received to give a score")
    labels = [lower_first(f.declared.label) for f in shown[:2]]
    named = f", first of all {listed(labels)}" if labels else ""
    if decision.change is Change.RESOLVED:
        improved = f"; {listed(labels)} improved most" if labels else ""
        return f"The figures that led to our alert have come back to a level that asks for none{improved}."
    if decision.change is Change.EASING:
        return f"The figures are better than when we last wrote{named}, and not yet back to steady."
    return sentence(f"{_movement(decision)}{named}")


def _movement(decision: Decision) -> str:
    groups = [_GROUP_WORDS[g.group] for g in decision.drift.groups]
    recovering = decision.band is Band.RECOVERING
    months = decision.drift.score_change_months
    since = "Since last month" if months == 1 else f"Over {months} months"
    if groups and decision.drift.score_rising:
        return (
            f"{since} the overall picture has worsened, "
            f"and measures of {listed(groups)} moved outside your usual pattern"
        )
    if groups:
        return f"Measures of {listed(groups)} have moved outside your usual pattern"
    if decision.drift.score_rising:
        return f"{since} your figures, taken together, have moved the wrong way"
    if recovering:
        return "No group of measures has moved outside your usual pattern this month"
    return "Taken together, your figures now resemble those of services that later lost sight and flow"


_GROUP_WORDS: dict[Group, str] = {
    Group.WORKFORCE: "workforce stability",
    Group.FLOW: "flow of work",
    Group.DEMAND: "demand",
    Group.LEADERSHIP: "leadership",
    Group.SIGHT: "sight of your own figures",
    Group.CONTEXT: "context",
}


def sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
