"""From an alert object to a letter: which facts, in which order, in which words."""

from __future__ import annotations

from features.words import count_words, listed
from flows.alerts.alert import SHOWN, Alert, Correction
from flows.alerts.disclosure import base_mark
from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact
from flows.alerts.letter import wording
from flows.alerts.letter.charts import draw_chart
from flows.alerts.letter.figures import change_text, lower_first, month_words, value_text
from flows.alerts.letter.headline import lead, points_heading, sentence, subject, title
from flows.alerts.letter.letter import Block, Bullets, Letter, LetterSection, Para, Point
from flows.alerts.state import Band, Decision, Record
from flows.settings.settings import Settings


class Contact(Record):
    """Who writes and who answers."""

    team: str = "the Holdfast data team"
    reply_to: str = "data-team@holdfast.example"
    offer: str = "Reply to this message and a person answers. We are glad to go through the figures with you."

    @classmethod
    def of(cls, settings: Settings) -> Contact:
        """The contact of a group's settings."""
        return cls(reply_to=settings.mail.reply_to)


def alert_letter(alert: Alert, contact: Contact) -> Letter:
    """The letter of an alert. Raises ValueError when the alert calls for no message."""
    kind = alert.kind
    if kind is None:
        raise ValueError(f"The alert of {alert.council} for {alert.month} calls for no message.")
    shown = [f for s in alert.charts if (f := alert.fact(s.measure)) is not None]
    points = tuple(_point(fact, alert) for fact in shown[:SHOWN])
    scored = alert.decision.band is not Band.NOT_SCORED
    chart = draw_chart(alert.charts) if scored else None
    return Letter(
        subject=subject(alert),
        eyebrow=f"{alert.council} · {month_words(alert.month)}",
        title=title(alert),
        band=alert.decision.band,
        band_words=wording.BAND_WORDS[alert.decision.band],
        lead=lead(alert, shown),
        points=points if scored else (),
        points_heading=points_heading(alert.decision.change),
        chart=chart,
        chart_caption=wording.CHART_KEY if chart else "",
        sections=tuple(_sections(alert, contact)),
        footer=_footer(alert, contact),
    )


def _point(fact: MeasureFact, alert: Alert) -> Point:
    measure = fact.declared
    value = value_text(measure, fact.value) if fact.value is not None else "not known"
    details: list[str] = []
    past = _past(fact)
    near = (
        f"{value_text(measure, fact.neighbours_median)} in similar councils"
        if fact.neighbours_median is not None
        else "too few similar councils reported"
    )
    details.append(sentence(f"{past}; {near}" if past else near))
    if fact.toward in (CONCERN, IMPROVEMENT):
        words = wording.RULE_WORDS.get(fact.rule or "", wording.OTHER_RULE)
        since = _signalling_since(alert, fact)
        details.append(sentence(f"{words[fact.toward == CONCERN]}{f'; signals since {since}' if since else ''}"))
    if mark := base_mark(fact.small_base or fact.rests_on_few):
        details.append(sentence(mark))
    return Point(measure.label, value, " ".join(details))


def _signalling_since(alert: Alert, fact: MeasureFact) -> str:
    """The month from which the measure has signalled the same way without a break, if that is not this month."""
    series = next((s for s in alert.charts if s.measure == fact.measure), None)
    if series is None or series.toward[-1] != fact.toward:
        return ""
    first = len(series.toward) - 1
    while first > 0 and series.toward[first - 1] == fact.toward:
        first -= 1
    return month_words(series.months[first]) if first < len(series.toward) - 1 else ""


def _past(fact: MeasureFact) -> str:
    measure = fact.declared
    if fact.value is not None and fact.year_ago is not None:
        change = change_text(measure, fact.value - fact.year_ago)
        return f"{change} on a year ago ({value_text(measure, fact.year_ago)})"
    if fact.own_mean is not None:
        return f"your usual level is {value_text(measure, fact.own_mean)}"
    return ""


def _sections(alert: Alert, contact: Contact) -> list[LetterSection]:
    sections = []
    if alert.correction is not None and alert.correction.for_director:
        sections.append(_corrected(alert.correction))
    sections.append(_helps(alert))
    if alert.decision.band is not Band.NOT_SCORED:
        sections.append(_how_sure(alert))
    sections.append(_not_known(alert))
    sections.append(LetterSection("The data we received", _received(alert)))
    sections.append(_about(alert, contact))
    return sections


def _corrected(note: Correction) -> LetterSection:
    return LetterSection(
        "What changed since our earlier message",
        (
            Para("A file for this month came again or was corrected. Restated figures are normal, and welcome."),
            Bullets(tuple(sentence(w) for w in note.for_people)),
        ),
    )


def _helps(alert: Alert) -> LetterSection:
    decision, stage = alert.decision, alert.score.stage
    if decision.band is Band.NOT_SCORED:
        return LetterSection("What would help", (*_unseen(decision), Bullets(wording.NOT_SCORED_HELPS)))
    if decision.band is Band.RECOVERING:
        return LetterSection("What tends to help in recovery", (Bullets(wording.RECOVERY_HELPS),))
    if decision.band is Band.STEADY:
        return LetterSection("What tends to help now", (Bullets(wording.RESOLVED_HELPS),))
    number = stage.number if stage is not None else 0
    blocks: list[Block] = [Para(f"{wording.BAND_WORDS[decision.band]}. {wording.BAND_MEANING[decision.band]}")]
    if stage is not None and number > 0:
        blocks.append(
            Para(
                f"The signs resemble stage {number} of four, “{wording.STAGE_TITLES[number]}”. "
                "That is a reading aid, not a finding. Help that fits another stage tends to cost capacity."
            )
        )
    blocks.append(Bullets(wording.HELPS.get(number, wording.HELPS[0])))
    return LetterSection("What tends to help at this stage", tuple(blocks))


def _unseen(decision: Decision) -> tuple[Block, ...]:
    """What a missing score means for an alert that is open, and when it has lasted."""
    blocks: list[Block] = []
    telling = decision.state.telling or decision.state.told
    if decision.from_band in (Band.WATCH, Band.LOSING_GRIP):
        blocks.append(
            Para(f"Our earlier alert ({decision.from_band.words}) stays open until figures can be seen again.")
        )
    if telling is not None and telling.escalated:
        months = count_words(decision.state.months_not_scored, "month", "months")
        blocks.append(Para(f"After {months} the missing sight is itself worth attention, whatever its cause."))
    return tuple(blocks)


def _how_sure(alert: Alert) -> LetterSection:
    score, record = alert.score, alert.score.track_record
    blocks: list[Block] = []
    if record is not None:
        rest = 10 - record.of_ten
        alerting = alert.decision.band in (Band.WATCH, Band.LOSING_GRIP)
        flagged = "flagged like this" if alerting else "with a score like this"
        blocks.append(
            Para(
                f"Of ten councils {flagged}, about {record.of_ten} were judged below good at their next "
                f"inspection, and about {rest} were not."
            )
        )
        basis = record.basis.rstrip(".")
        blocks.append(
            Para(
                f"In {record.flagged:,} past cases like this, {record.judged_below_good:,} were judged below good. "
                f"Basis: {basis}."
            )
        )
    else:
        blocks.append(
            Para("There is no track record for this kind of score yet. Take it as a reason to talk, not more.")
        )
    if score.probability_below_good is not None:
        blocks.append(Para(_estimate(alert)))
    context = [r.sentence for r in score.reasons if r.is_context]
    if context:
        blocks.append(Para("The estimate also takes account of circumstances that are not the council's doing:"))
        blocks.append(Bullets(tuple(sentence(c) for c in context[:4])))
    if alert.decision.model_changed:
        blocks.append(
            Para("The model itself changed since last month. Part of the difference may come from that, not from you.")
        )
    return LetterSection("How sure this is", tuple(blocks))


def _estimate(alert: Alert) -> str:
    score = alert.score
    assert score.probability_below_good is not None
    text = (
        "If an inspection came, the model's estimate that leadership would be judged below good is "
        f"{score.probability_below_good:.0%}"
    )
    if score.interval_low is not None and score.interval_high is not None:
        text += f", and could reasonably lie anywhere from {score.interval_low:.0%} to {score.interval_high:.0%}"
    return f"{text}. Read it with the track record above, never alone."


def _not_known(alert: Alert) -> LetterSection:
    items = []
    for gap in alert.not_known:
        labels = [lower_first(label) for label in gap.labels]
        if len(labels) > 5:
            labels = [*labels[:4], f"{len(labels) - 4} more"]
        items.append(sentence(f"{listed(labels)}: {gap.reason}"))
    few = sum(1 for f in alert.facts if f.neighbours_median is None)
    if few and alert.facts:
        items.append(
            sentence(
                f"{count_words(few, 'measure', 'measures')} could not be compared: too few similar councils reported"
            )
        )
    if not items:
        return LetterSection("What was not known", (Para("Every measure we use could be worked out from your files."),))
    return LetterSection("What was not known", (Bullets(tuple(items)),))


def _received(alert: Alert) -> tuple[Block, ...]:
    if not alert.submissions:
        return (Para("Nothing was expected or received for this month."),)
    items = [sentence(s.fate.sentence) for s in alert.submissions]
    blocks: list[Block] = [Bullets(tuple(items))]
    if alert.validation.notes:
        blocks.append(Para("Your data officer has the full list, with row numbers and what to do."))
    return tuple(blocks)


def _about(alert: Alert, contact: Contact) -> LetterSection:
    blocks: list[Block] = [Para(wording.WHAT_THIS_IS_NOT)]
    if alert.is_joint_return:
        blocks.append(
            Para(
                f"{alert.council} report together, so this is about the joint return as a whole. "
                "The figures cannot be told apart by council."
            )
        )
    blocks += [
        Para(
            "If a figure looks wrong, or you read it differently, reply and say so. We record every objection with "
            "the alert, correct what is wrong, and tell everyone who got this message. A corrected file leads to a "
            "corrected message."
        ),
        Para(wording.PRIVACY),
    ]
    return LetterSection("What this is not, and how to object", tuple(blocks))


def _footer(alert: Alert, contact: Contact) -> tuple[str, ...]:
    number = alert.message_revision
    revision = "" if number == 1 else f", revision {number}"
    score = alert.score
    return (
        f"{contact.offer} From {contact.team}; replies go to {contact.reply_to}.",
        f"Month {alert.month}{revision}; figures known by {alert.provenance.known_by}; "
        f"model {score.model} {score.model_version}; rules {alert.provenance.rules_digest}.",
    )
