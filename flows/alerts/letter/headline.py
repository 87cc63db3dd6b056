"""The text at the top of a message: subject, title, and one sentence that says why. Never a probability."""

from __future__ import annotations

from collections.abc import Sequence

from features.months import day_words
from features.words import count_words, listed, lower_first
from flows.alerts.alert import Alert
from flows.alerts.facts import IMPROVEMENT, MeasureFact
from flows.alerts.letter.figures import number_words, sentence
from flows.alerts.look_first import improved, of_concern
from flows.alerts.state import Band, Change, Decision, MessageKind

#: The longest subject. Mail programs cut longer ones, phones much earlier, so what happened comes first.
_SUBJECT_FITS = 110
#: So few measures are named in the sentence; more stand right below it.
_NAMED = 2
#: So many changes are named in a correction's sentence; its own part has them all.
_CHANGES = 3


def subject(alert: Alert, shown: Sequence[MeasureFact]) -> str:
    """What happened, in one line: council, month, band and change; never a probability."""
    decision, when = alert.decision, alert.month.in_words
    if alert.kind is MessageKind.CORRECTION:
        return f"{alert.council}: corrected message for {when}"
    labels = [lower_first(f.declared.label) for f in shown[:2] if f.worse]
    because = ""
    if decision.change in (Change.NEW, Change.WORSENING) and decision.band in (Band.WATCH, Band.LOSING_GRIP) and labels:
        because = f" ({', '.join(labels)})"
    words = f"{alert.council}, {when}: {lower_first(title(alert))}"
    return f"{words}{because}" if len(words) + len(because) <= _SUBJECT_FITS else words


def title(alert: Alert) -> str:
    """Band and change, as the heading of the message."""
    if alert.kind is MessageKind.CORRECTION:
        return f"A correction: {lower_first(_state_words(alert))}"
    if alert.kind is MessageKind.RECOVERING:
        return _recovery_title(alert)
    if alert.kind is MessageKind.FIRST_MONTHS:
        return (
            "Welcome: what we see now" if alert.decision.change is Change.NEW else "Your first months: what we see now"
        )
    if alert.kind is MessageKind.NOT_SCORED:
        return _not_scored_title(alert.decision)
    return _state_words(alert)


def _state_words(alert: Alert) -> str:
    decision = alert.decision
    band, before = decision.band.words, decision.from_band
    on = "on watch" if decision.band is Band.WATCH else band
    if decision.band not in (Band.WATCH, Band.LOSING_GRIP, Band.STEADY):
        return f"Now {band}"
    if decision.change is Change.RESOLVED:
        return "Back to steady"
    if decision.change is Change.NONE or decision.band is Band.STEADY:
        return "Steady"
    if decision.change is Change.NEW:
        moved = decision.given_before in (Band.STEADY, Band.RECOVERING)
        return f"Moved from {before.words} to {band}" if before is not None and moved else f"Now {on}"
    if before in (Band.WATCH, Band.LOSING_GRIP) and before is not decision.band:
        return f"{'Eased' if decision.change is Change.EASING else 'Moved'} from {before.words} to {band}"
    if decision.change is Change.WORSENING:
        return f"Still {on}, and the signs are stronger"
    if decision.change is Change.EASING:
        return f"Eased to {band}"
    return f"Still {on}, since {decision.state.since.in_words}"


def _recovery_title(alert: Alert) -> str:
    if alert.decision.change is Change.NEW:
        return "The recovery watch begins"
    if alert.decision.change is Change.WORSENING:
        return "Recovering: stability needs attention"
    worse = len(of_concern(alert.facts))
    if not worse and not alert.usual_is_known:
        return "Recovering"
    if not worse:
        return "Recovering: no measure worse than usual"
    return f"Recovering: {_measures(worse)} worse than usual"


def _not_scored_title(decision: Decision) -> str:
    months = decision.state.months_not_scored
    if not decision.state.recent:
        return "No score yet, and what it needs"
    if months == 1:
        return "No score this month, and what would restore it"
    return f"No score for {count_words(months, 'month', 'months')}, and what would restore it"


def points_heading(alert: Alert, shown: Sequence[MeasureFact], *, asked: bool) -> str:
    """What the measures shown have in common, without saying more than their figures do."""
    parts = ["What weighs most in the comparison"]
    if alert.decision.band is Band.FIRST_MONTHS:
        parts = ["What we see now"]
    elif alert.decision.band is Band.NOT_SCORED:
        parts = ["What can still be seen"]
    elif any(f.toward == IMPROVEMENT for f in shown):
        parts = ["What is better", *(["what is not yet"] if any(f.worse for f in shown) else [])]
    elif any(f.worse for f in shown):
        parts = ["Look at first"]
    return ", and ".join(", ".join([*parts, *(["what to ask this week"] if asked else [])]).rsplit(", ", 1))


def lead(alert: Alert, shown: Sequence[MeasureFact]) -> str:
    """One sentence on why: from this month's signals. The level is mentioned only as a resemblance."""
    decision = alert.decision
    if alert.kind is MessageKind.CORRECTION and alert.correction is not None:
        changed = "; ".join(lower_first(w) for w in alert.correction.for_people[:_CHANGES])
        return f"Our earlier message for {alert.month.in_words} no longer holds: {changed}."
    if decision.band is Band.NOT_SCORED:
        return sentence(alert.score.not_scored or "Too little was received to give a score")
    if decision.band is Band.FIRST_MONTHS:
        due = alert.first_score
        when = f" on {day_words(due)}, if each month's files come" if due is not None else ""
        return f"A score needs twelve months of files; the first is due{when}. Until then you see each month's figures."
    worse, better = of_concern(alert.facts), improved(alert.facts)
    if decision.change in (Change.RESOLVED, Change.EASING) and decision.band in (Band.STEADY, Band.WATCH):
        start = (
            "Taken together, your figures no longer call for an alert"
            if decision.change is Change.RESOLVED
            else "Taken together, your figures give less cause for concern than when we last wrote"
        )
        return sentence(
            "; ".join([start, *_named("better than usual", better), *_named("still worse than usual", worse)])
        )
    return sentence(f"{_rise(decision)}{_worse(alert, shown, worse)}")


def _worse(alert: Alert, shown: Sequence[MeasureFact], worse: Sequence[MeasureFact]) -> str:
    if worse:
        names = [lower_first(f.declared.label) for f in shown if f.worse]
        one = len(worse) == 1
        settled = sum(f.settled_worse for f in worse)
        of = f"{_measures(len(worse))} {'is' if one else 'are'} worse than your usual pattern"
        if settled == len(worse):
            of = f"{_measures(settled)} {'has' if one else 'have'} settled at a worse level"
        elif settled:
            of += " or have settled at a worse level"
        return f"{of}: {listed(names)}" if len(worse) <= _NAMED else of
    if not alert.usual_is_known:
        return (
            "there are too few months yet to know your usual pattern; taken together, your figures resemble those of "
            "councils that were later judged below good"
            if alert.decision.band in (Band.WATCH, Band.LOSING_GRIP)
            else "there are too few months yet to know your usual pattern"
        )
    if alert.decision.band is Band.RECOVERING:
        return "no measure is worse than your usual pattern this month"
    return (
        "no single measure is worse than your usual pattern; taken together, your figures resemble those of "
        "councils that were later judged below good"
    )


def _rise(decision: Decision) -> str:
    if not decision.drift.score_rising:
        return ""
    months = decision.drift.score_change_months
    since = "since last month" if months == 1 else f"over {number_words(months)} months"
    return f"{since} the picture as a whole has worsened, and "


def _measures(count: int) -> str:
    return f"{number_words(count)} {'measure' if count == 1 else 'measures'}"


def _named(words: str, facts: Sequence[MeasureFact]) -> list[str]:
    if not facts:
        return []
    labels = [lower_first(f.declared.label) for f in facts[:_NAMED]]
    more = len(facts) - len(labels)
    return [f"{words}: {listed([*labels, f'{number_words(more)} more'] if more else labels)}"]
