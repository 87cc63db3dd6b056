"""Turns an alert object into a letter: chooses the facts, their order and their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from expectations.batch import Severity
from expectations.fates import Fate
from features.measuring.rates import window_of
from features.months import Month
from features.registry import ALL_MEASURES, Missing
from features.words import count_words, listed, lower_first
from flows.alerts.alert import Alert, Correction
from flows.alerts.answers import earlier
from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact, Series
from flows.alerts.letter import wording
from flows.alerts.letter.charts import by_month_words, draw_chart
from flows.alerts.letter.details import folded, footer
from flows.alerts.letter.figures import month_words, number_words, sentence
from flows.alerts.letter.headline import lead, points_heading, subject, title
from flows.alerts.letter.heard import heard
from flows.alerts.letter.letter import Block, Bullets, Letter, LetterSection, Para
from flows.alerts.letter.points import point, shown_facts
from flows.alerts.letter.questions import QUESTIONS
from flows.alerts.state import Band, Decision, MessageKind, Record
from flows.settings.settings import Settings

#: The number of months that yearly figures, and so a score, need.
WINDOW_MONTHS = 12
#: The most questions in a message; directors would not ask more.
_ASKED = 3
#: The most words that a director is asked to read. Letters are shortened to fit.
WORDS_BEFORE_THE_FOLD = 350
_HELPS = 2


class Contact(Record):
    """The sender, and the person who answers questions."""

    team: str = "the Holdfast data team"
    reply_to: str = "data-team@holdfast.example"
    person: str = ""
    """The name of the person who answers."""
    telephone: str = ""

    @property
    def offer(self) -> str:
        """Who answers and how, with name and telephone number if the settings have them."""
        who = self.person or "a person"
        call = f" or call {self.telephone}" if self.telephone else ""
        return f"Reply to this message{call}: {who} answers, and is glad to go through the figures with you."

    @classmethod
    def of(cls, settings: Settings) -> Contact:
        """The contact in a group's settings."""
        mail = settings.mail
        return cls(reply_to=mail.reply_to, person=mail.contact_name, telephone=mail.contact_telephone)


def alert_letter(alert: Alert, contact: Contact, *, draw: bool = True) -> Letter:
    """The letter of an alert. Raises ValueError if the alert calls for no message.

    `draw` says whether to draw the chart too, which takes longer than all the text.
    """
    if alert.kind is None:
        raise ValueError(f"The alert of {alert.council} for {alert.month} calls for no message.")
    band = alert.decision.band
    shown = shown_facts(alert)
    helps, sections = _helps(alert, shown), _sections(alert)
    letter = Letter(
        subject=subject(alert, shown),
        eyebrow=f"{alert.council} · {month_words(alert.month)}",
        title=title(alert),
        band=band,
        band_words=wording.BAND_WORDS[band],
        lead=lead(alert, shown),
        points=tuple(point(fact, alert.charts) for fact in shown),
        points_heading=points_heading(alert, shown),
        asks=_asks(alert, shown),
        contact=contact.offer,
        chart_caption=_caption(alert, shown),
        sections=tuple(sections),
        folded=(helps, *folded(alert, shown)),
        footer=footer(alert, contact.team, contact.reply_to),
    )
    every = list(_forms(alert, letter, helps, shown))
    chosen = next((one for one in every if len(one.opening.split()) <= WORDS_BEFORE_THE_FOLD), every[-1])
    if not draw:
        return chosen
    chart = draw_chart(_charts(alert, shown[: len(chosen.points)]), _goals(alert))
    return replace(chosen, chart=chart, chart_caption=chosen.chart_caption if chart else "")


#: Numbers of questions and measures in shorter and shorter forms of a letter, for the few with long labels.
_SHORTER = ((2, 4), (2, 3), (1, 3), (1, 2))


def _forms(alert: Alert, letter: Letter, helps: LetterSection, shown: Sequence[MeasureFact]) -> Iterator[Letter]:
    """Shorter and shorter forms of a letter, until it fits."""
    # Advice goes before the fold if there is room, in front of the last section (how sure this is).
    place = len(letter.sections) - (alert.decision.band not in (Band.NOT_SCORED, Band.FIRST_MONTHS))
    before, last = letter.sections[:place], letter.sections[place:]
    yield replace(letter, sections=(*before, helps, *last), folded=letter.folded[1:])
    yield letter
    form = letter
    for asks, n in _SHORTER:
        form = replace(
            letter,
            asks=letter.asks[:asks],
            points=letter.points[:n],
            chart_caption=_caption(alert, shown[:n]),
            folded=(helps, *folded(alert, shown[:n])),
        )
        yield form
    # What was corrected stays; what the council told us goes behind the fold.
    stays = 1 if alert.kind is MessageKind.CORRECTION else 0
    yield replace(form, sections=(*before[:stays], *last), folded=(*before[stays:], *form.folded))


def _charts(alert: Alert, shown: Sequence[MeasureFact]) -> list[Series]:
    """The charts of these measures, in their order, and of the council's own goals: what the letter speaks of."""
    measures = dict.fromkeys([*(f.measure for f in shown), *_goals(alert)])
    return [s for m in measures for s in alert.charts if s.measure == m]


def _goals(alert: Alert) -> dict[str, float]:
    """The levels of the council's own goals, by measure."""
    return {g.measure: g.level for g in earlier(alert.goals, alert.month)}


def _asks(alert: Alert, shown: Sequence[MeasureFact]) -> tuple[str, ...]:
    """One question for each measure that is worse than usual and not in hand; two if there is only one."""
    worse = [f.measure for f in shown if f.worse and f.measure not in alert.quiet]
    asked = [q for m in worse for q in QUESTIONS.get(m, ())[: 2 if len(worse) == 1 else 1]]
    return tuple(f"Ask {q.who}: {lower_first(q.text)}" for q in dict.fromkeys(asked))[:_ASKED]


def _caption(alert: Alert, shown: Sequence[MeasureFact]) -> str:
    """What the chart's signs mean; only those that are drawn."""
    charts = _charts(alert, shown)
    if not charts:
        return ""
    words = ["Grey: each month."]
    if any(limit is not None for s in charts for limit in s.lower):
        words.append("Dashed: your usual range.")
    if any(near is not None for s in charts for near in s.neighbours):
        words.append("Dotted: similar councils.")
    marks = {toward for s in charts for toward in s.toward}
    if CONCERN in marks:
        words.append("Orange squares: worse than usual.")
    if IMPROVEMENT in marks:
        words.append("Blue dots: better.")
    if any(s.begun_anew for s in charts):
        words.append("Upright line: references were issued anew, so the chart begins again.")
    if any(s.settled is not None for s in charts):
        words.append("Orange dots: the level before it settled worse.")
    if any(s.measure in _goals(alert) for s in charts):
        words.append("Green: your own goal.")
    return " ".join([*words, by_month_words(charts)]).strip()


def _sections(alert: Alert) -> list[LetterSection]:
    sections = []
    if alert.correction is not None and alert.correction.for_director:
        sections.append(_corrected(alert.correction))
    sections += heard(alert)
    if alert.decision.band is Band.RECOVERING and (where := _recovery(alert)):
        sections.append(where)
    if alert.decision.band not in (Band.NOT_SCORED, Band.FIRST_MONTHS):
        sections.append(_how_sure(alert))
    return sections


def _corrected(note: Correction) -> LetterSection:
    return LetterSection(
        "What changed since our earlier message",
        (
            Para("A file for this month came again or was corrected. Restated figures are normal, and welcome."),
            Bullets(tuple(sentence(w) for w in note.for_people)),
        ),
    )


#: How many months recovery takes according to the sources. A council's position in this range is not a verdict.
RECOVERY_FROM, RECOVERY_TO = 18, 24


def _recovery(alert: Alert) -> LetterSection | None:
    """How far a council is into the usual time of recovery."""
    if alert.judged is None:
        return None
    months = alert.months_since_judged
    usual = f"Recovery usually takes {RECOVERY_FROM} to {RECOVERY_TO} months"
    place = (
        f"{usual}, so most of the way may lie ahead."
        if months < RECOVERY_FROM // 2
        else f"{usual}; you are on the way."
        if months < RECOVERY_FROM
        else f"{usual}; you are within that time."
        if months <= RECOVERY_TO
        else f"{usual}; some services need longer."
    )
    since = count_words(months, "month", "months")
    return LetterSection(
        "Where this stands", (Para(f"The judgement was published in {alert.judged:%B %Y}, {since} ago. {place}"),)
    )


def _helps(alert: Alert, shown: Sequence[MeasureFact]) -> LetterSection:
    decision = alert.decision
    if decision.band is Band.FIRST_MONTHS:
        return _begins(alert)
    if decision.band is Band.NOT_SCORED:
        return LetterSection(
            "What would help", (*_unseen(decision), Bullets((*_to_send(alert), *wording.NOT_SCORED_HELPS)))
        )
    if decision.band is Band.RECOVERING:
        early = alert.judged is None or alert.months_since_judged < _SPIRAL_MONTHS
        helps = wording.RECOVERY_HELPS[0 if early else 1 :][:_HELPS]
        return LetterSection("What tends to help in recovery", (Bullets(helps),))
    if decision.band is Band.STEADY:
        return LetterSection("What tends to help now", (Bullets(wording.RESOLVED_HELPS),))
    worse = [f for f in shown if f.worse]
    groups = dict.fromkeys(f.declared.group for f in worse)
    lines = [wording.HELPS[g] for g in groups if g in wording.HELPS]
    stage = alert.score.stage
    if stage is not None and stage.number in wording.STAGE_HELPS and alert.stage_signs and len(worse) > 1:
        lines.insert(1, wording.STAGE_HELPS[stage.number])
    shown_lines = tuple(lines[:_HELPS]) or wording.HELPS_WITHOUT_SIGNS
    return LetterSection("What tends to help", (Bullets(shown_lines),))


def _begins(alert: Alert) -> LetterSection:
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
    return f"From the files of {month_words(month)}" if alert.month < month else "Once no month is left out"


_NAMED_LATER = 4


def _shortened(labels: Sequence[str]) -> str:
    """The first labels, and how many more there are."""
    more = [f"{len(labels) - _NAMED_LATER} more"] if len(labels) > _NAMED_LATER + 1 else labels[_NAMED_LATER:]
    return listed([*labels[:_NAMED_LATER], *more])


#: For about this many months after a poor judgement, turnover, agency use and referrals tend to rise.
_SPIRAL_MONTHS = 9


def _to_send(alert: Alert) -> list[str]:
    """What to send, from the fate of each file."""
    fates = {s.extract: s.fate.fate for s in alert.submissions}
    missing = [kind for kind, fate in fates.items() if fate is Fate.MISSING]
    wrong = [kind for kind, fate in fates.items() if fate.severity is Severity.ERROR and fate is not Fate.MISSING]
    said = ((missing, "Send the {} of {}; late is fine."), (wrong, "Put the {} of {} right and send it again."))
    month = month_words(alert.month)
    return [words.format(f"{listed(k)} file{'s' if len(k) > 1 else ''}", month) for k, words in said if k]


def _unseen(decision: Decision) -> tuple[Block, ...]:
    """What a missing score means for an open alert, and what it means if it has been missing for long."""
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
    """Two numbers, both derived from the score; then what they rest on, and how such scores turned out."""
    of_ten, level, record = alert.score.of_ten, alert.score.level, alert.score.track_record
    if of_ten is None:
        return LetterSection(
            "How sure this is",
            (Para(wording.NO_RECORD),),
        )
    known = seen = ""
    if level is not None:
        judged = count_words(level.judgements, f"{level.framework} judgement", f"{level.framework} judgements")
        known = f" Level from {judged} to {level.to.day} {level.to:%B %Y}."
    if record is not None:
        seen = f" Of {record.flagged} past inspections with such scores, {record.judged_below_good} were below good."
    return LetterSection(
        "How sure this is",
        (
            Para(
                f"Of ten councils with figures like this, about {of_ten.like_this} were judged below good at their "
                f"next inspection; of any ten, about {of_ten.any_ten}.{known}{seen}"
            ),
        ),
    )
