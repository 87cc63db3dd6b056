"""One measure as a message shows it: its present figure, its past, its neighbours, and its chart's signal."""

from __future__ import annotations

from collections.abc import Sequence

from features.comparing.xmr import XmrRule
from features.measuring.rates import per_year, window_of
from features.registry import Unit
from flows.alerts.alert import Alert, shown_measures
from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact, Series
from flows.alerts.letter import wording
from flows.alerts.letter.figures import sentence, value_text
from flows.alerts.letter.letter import Point
from flows.alerts.look_first import far_outside, seen_at_first
from flows.alerts.state import Band


def shown_facts(alert: Alert) -> tuple[MeasureFact, ...]:
    """The measures that the alert's message shows, in order."""
    measures = {f.measure: f for f in alert.facts}
    if alert.decision.band is Band.FIRST_MONTHS:
        return seen_at_first(measures)
    return shown_measures(alert.score, measures, alert.decision.change, behind=alert.quiet)


def point(fact: MeasureFact, charts: Sequence[Series]) -> Point:
    """A measure, with its figure first. Every clause states a fact from `fact` or from its chart."""
    series = next((s for s in charts if s.measure == fact.measure), None)
    measure = fact.declared
    details = [sentence(_beside(fact))]
    if not fact.worse and (england := _england(fact)):
        details.append(sentence(england))
    if signal := _signal(fact, series):
        details.append(sentence(signal))
    if (fact.value or 0.0) > 1 and measure.unit is Unit.FRACTION and per_year(measure) and window_of(measure) == 12:
        details.append("Over 100%, as it sets all who left or came in a year against those in post now.")
    if fact.small_base or fact.rests_on_few:
        details.append("Small numbers.")
    return Point(measure.label, value_text(measure, fact.value or 0.0), " ".join(details), fact.worse)


def _beside(fact: MeasureFact) -> str:
    """“Up from 9.1% a year ago; similar councils 7.7%”. Mentions a change only if the two shown figures differ."""
    measure, value = fact.declared, fact.value or 0.0
    near = (
        f"similar councils {value_text(measure, fact.neighbours_median)}"
        if fact.neighbours_median is not None
        else "too few similar councils to compare"
    )
    if fact.year_ago is None:
        return near
    now, then = value_text(measure, value), value_text(measure, fact.year_ago)
    if now == then:
        return f"the same as a year ago; {near}"
    return f"{'up' if value > fact.year_ago else 'down'} from {then} a year ago; {near}"


def _england(fact: MeasureFact) -> str:
    """The figure's position among England's councils, in the latest published year."""
    if fact.national_percentile is None:
        return ""
    below = min(99, round(100 * fact.national_percentile))
    return f"higher than in {below} of 100 councils in England" if below else "among the lowest in England"


def _signal(fact: MeasureFact, series: Series | None) -> str:
    if fact.settled_worse:
        before = "" if fact.mean_before is None else f" ({value_text(fact.declared, fact.mean_before)} on average)"
        single = "by single months, " if window_of(fact.declared) is not None else ""
        return f"{single}settled at a worse level than before{before}"
    if fact.toward not in (CONCERN, IMPROVEMENT):
        within = "within your own usual pattern, but " if fact.usual_low is not None else ""
        return f"{within}far from similar councils" if far_outside(fact) else ""
    worse = fact.toward == CONCERN
    words = wording.RULE_WORDS.get(fact.rule or "", wording.OTHER_RULE)[worse]
    measure = fact.declared
    own = series.values[-1] if series is not None else None
    alone = ""
    if window_of(measure) is not None and own is not None and series is not None:
        yearly = ", as a yearly rate," if per_year(measure) else ""
        alone = f"{series.months[-1].in_words.split()[0]} alone{yearly} {value_text(measure, own)}: "
    # The limits apply to the figures that the chart draws.
    drawn = own if alone else fact.value if window_of(measure) is None else None
    if fact.rule == XmrRule.POINT and fact.usual_low is not None and fact.usual_high is not None and drawn is not None:
        low, high = value_text(measure, fact.usual_low), value_text(measure, fact.usual_high)
        just = "just " if value_text(measure, drawn) in (low, high) else ""
        words = f"{just}{words} ({low} to {high})"
    # The rules of seven months say for how long; their marks begin in the seventh.
    since = "" if fact.rule in (XmrRule.SHIFT, XmrRule.TREND) else _since(fact, series)
    so = f", {'worse' if worse else 'better'} than usual since {since}" if since else ""
    return f"{alone}{words}{so}"


def _since(fact: MeasureFact, series: Series | None) -> str:
    """The first month of the unbroken run of signals in the same direction; empty if that is this month.

    A run that fills the chart may have begun before it.
    """
    if series is None or series.toward[-1] != fact.toward:
        return ""
    first = len(series.toward) - 1
    while first > 0 and series.toward[first - 1] == fact.toward:
        first -= 1
    earlier = " or earlier" if first == 0 else ""
    return f"{series.months[first].in_words}{earlier}" if first < len(series.toward) - 1 else ""
