"""What a letter says in sections of fixed content: what begins when, what was not known, files, basis, objection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from expectations.batch import Severity
from features.measuring.rates import window_of
from features.months import Month, day_words
from features.registry import ALL_MEASURES, Missing
from features.words import count_words, listed, lower_first
from flows.alerts.alert import Alert
from flows.alerts.facts import MeasureFact
from flows.alerts.letter import wording
from flows.alerts.letter.figures import number_words, sentence, value_text
from flows.alerts.letter.letter import Bullets, LetterBlock, LetterSection, Para
from flows.alerts.look_first import of_concern
from flows.alerts.state import Band

_CONTEXT_SHOWN = 4
#: The number of months that yearly figures, and so a score, need.
WINDOW_MONTHS = 12


def detail_sections(alert: Alert, shown: Sequence[MeasureFact]) -> list[LetterSection]:
    """The details of a letter, in order. `shown` has the measures that its first screen shows."""
    sections = [_not_known(alert), LetterSection("The files we received", _received(alert))]
    if alert.decision.band not in (Band.NOT_SCORED, Band.FIRST_MONTHS):
        sections.append(_rests_on(alert, shown))
    sections.append(_objection(alert))
    return sections


def _rests_on(alert: Alert, shown: Sequence[MeasureFact]) -> LetterSection:
    """Everything else that a careful reader may ask for: other measures, signs, the estimate, circumstances."""
    score, blocks = alert.score, list[LetterBlock]()
    more = [f for f in of_concern(alert.facts) if f not in shown]
    if more:
        start = "Also worse than your usual pattern" + (
            ", or settled at a worse level" if any(f.settled_worse for f in more) else ""
        )
        blocks += [Para(f"{start}:"), _with_figures(more)]
    if signs := alert.stage_signs:
        assert score.stage is not None
        blocks += [
            Para(
                f"The signs of this month are those of stage {score.stage.number} of four in the literature "
                f"on services in difficulty, called “{wording.STAGE_TITLES[score.stage.number]}”. A stage helps to "
                "choose what to try. The band says only how soon a look is worth while. The signs:"
            ),
            _with_figures(signs),
        ]
    if score.probability_below_good is not None:
        blocks.append(Para(_estimate(alert)))
    if score.no_reasons:
        blocks.append(Para(score.no_reasons))
    if level := score.level:
        judged = count_words(level.judgements, f"{level.framework} judgement", f"{level.framework} judgements")
        blocks.append(
            Para(
                "How many are judged below good changes over the years. The two numbers above follow "
                f"{judged} published up to {day_words(level.to)}."
            )
        )
    context = [r for r in score.reasons if r.is_context and r.share]
    if context:
        blocks.append(Para("Circumstances that are not the council's doing are taken into account:"))
        pushes = tuple(
            f"{sentence(r.sentence)[:-1]}: this {'raises' if r.share > 0 else 'lowers'} the estimate."
            for r in context[:_CONTEXT_SHOWN]
        )
        blocks.append(Bullets(pushes))
    if alert.decision.model_changed:
        blocks.append(
            Para("The model itself changed since last month. Part of the difference may come from that, not from you.")
        )
    return LetterSection("What this rests on", tuple(blocks))


def _with_figures(facts: Sequence[MeasureFact]) -> Bullets:
    return Bullets(tuple(f"{f.declared.label} {value_text(f.declared, f.value or 0.0)}" for f in facts))


def _estimate(alert: Alert) -> str:
    score = alert.score
    text = (
        "If an inspection came, the model's estimate that leadership would be judged below good is "
        f"{score.probability_below_good or 0.0:.0%}"
    )
    if score.interval_low is not None and score.interval_high is not None:
        text += f", and could reasonably lie anywhere from {score.interval_low:.0%} to {score.interval_high:.0%}"
    return f"{text}. Read it with the two numbers above, never alone."


def _not_known(alert: Alert) -> LetterSection:
    items = []
    for gap in alert.not_known:
        if alert.decision.band is Band.FIRST_MONTHS and gap.reason == Missing.WINDOW_INCOMPLETE:
            continue  # the letter says before the fold when these begin
        labels = [lower_first(label) for label in gap.labels]
        if len(labels) > 5:
            labels = [*labels[:4], f"{len(labels) - 4} more"]
        named = "; ".join(labels) if any("," in label for label in labels) else listed(labels)
        items.append(sentence(f"{named}: {Missing.in_words(gap.reason)}"))
    few = sum(1 for f in alert.facts if f.value is not None and f.neighbours_median is None)
    if few:
        items.append(
            sentence(
                f"{count_words(few, 'measure', 'measures')} could not be compared: too few similar councils reported"
            )
        )
    if not items:
        known = (
            "Only the figures that need more months, as said above."
            if alert.not_known
            else "Every measure we use could be worked out from your files."
        )
        return LetterSection("What was not known", (Para(known),))
    return LetterSection("What was not known", (Bullets(tuple(items)),))


def _received(alert: Alert) -> tuple[LetterBlock, ...]:
    if not alert.submissions:
        return (Para("Nothing was expected or received for this month."),)
    blocks: list[LetterBlock] = [Bullets(tuple(sentence(s.fate.sentence) for s in alert.submissions))]
    if any(s.fate.fate.severity is not Severity.INFORMATION for s in alert.submissions):
        blocks.append(Para("Your data officer has the full list, with row numbers and what to do."))
    return tuple(blocks)


def _objection(alert: Alert) -> LetterSection:
    blocks: list[LetterBlock] = [Para(wording.WHAT_THIS_IS_NOT)]
    if alert.is_joint_return:
        blocks.append(
            Para(
                f"{alert.council} report together, so this is about the joint return as a whole. "
                "The figures cannot be told apart by council."
            )
        )
    blocks += [Para(wording.OBJECT), Para(wording.PRIVACY)]
    return LetterSection("What this is not, and how to object", tuple(blocks))


def footer(alert: Alert, team: str, reply_to: str) -> tuple[str, ...]:
    """Who sent the message, and what a reader needs in order to have it reproduced."""
    number, score = alert.message_revision, alert.score
    revision = "" if number == 1 else f", revision {number}"
    known = date.fromisoformat(alert.provenance.known_by)
    return (
        f"From {team}; replies go to {reply_to}.",
        f"{alert.month.in_words}{revision}. Files received up to {day_words(known)}. "
        f"{'Model in use:' if score.probability_below_good is None else 'Scored by'} "
        f"{score.model}, version {score.model_version}.",
    )


def begins(alert: Alert) -> LetterSection:
    """Which figures start later, and what would bring the first score forward."""
    waiting = next((gap.labels for gap in alert.not_known if gap.reason == Missing.WINDOW_INCOMPLETE), ())
    by_window: dict[int, list[str]] = {}
    for measure in (m for m in ALL_MEASURES if m.label in waiting):
        by_window.setdefault(window_of(measure) or WINDOW_MONTHS, []).append(lower_first(measure.label))
    lines = [
        f"{_begin(alert, window)}: {_shortened(labels)}. {'They need' if len(labels) > 1 else 'It needs'} "
        f"{number_words(window)} months in a row."
        for window, labels in sorted(by_window.items())
    ]
    return LetterSection("What begins when, and what brings it forward", (Bullets((*lines, *wording.BRINGS_FORWARD)),))


def _begin(alert: Alert, window: int) -> str:
    """From which month's files on figures of a window can be known, if no month is left out."""
    if alert.first_score is None:
        return "Later"
    month = Month.of(alert.first_score).plus(window - WINDOW_MONTHS - 1)
    return f"From the files of {month.in_words}" if alert.month < month else "Once no month is left out"


_NAMED_LATER = 4


def _shortened(labels: Sequence[str]) -> str:
    """The first labels, and how many more there are."""
    more = [f"{len(labels) - _NAMED_LATER} more"] if len(labels) > _NAMED_LATER + 1 else labels[_NAMED_LATER:]
    return listed([*labels[:_NAMED_LATER], *more])
