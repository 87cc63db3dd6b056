"""Turns an alert object into a letter: chooses the facts, their order and their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from expectations.batch import Severity
from expectations.fates import Fate
from features.words import count_words, listed, lower_first
from flows.alerts.alert import Alert, Correction
from flows.alerts.answers import earlier
from flows.alerts.facts import CONCERN, IMPROVEMENT, MeasureFact, Series
from flows.alerts.letter import wording
from flows.alerts.letter.charts import by_month_words, draw_chart
from flows.alerts.letter.details import begins, detail_sections, footer
from flows.alerts.letter.figures import sentence, with_figures
from flows.alerts.letter.headline import lead, points_heading, subject, title
from flows.alerts.letter.heard import answer_sections
from flows.alerts.letter.letter import Bullets, Letter, LetterBlock, LetterSection, Para, Point
from flows.alerts.letter.points import point, shown_facts
from flows.alerts.letter.questions import QUESTIONS, DirectorsQuestion
from flows.alerts.look_first import far_outside, of_concern
from flows.alerts.state import Band, Decision, MessageKind, Record
from flows.settings.settings import Settings

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
        call = f", or call {self.telephone}" if self.telephone else " to this message"
        return f"{self.person or 'A person of our team'} will gladly help: reply{call}."

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
        eyebrow=f"{alert.council} · {alert.month.in_words}",
        title=title(alert),
        band=band,
        band_words=wording.BAND_WORDS[band],
        lead=lead(alert, shown),
        points=_points(alert, shown),
        points_heading=points_heading(alert, shown, asked=bool(_asks(alert, shown))),
        in_hand=_in_hand(alert, shown),
        contact=contact.offer,
        chart_caption=_caption(alert, shown),
        sections=tuple(sections),
        folded=(helps, *detail_sections(alert, shown)),
        footer=footer(alert, contact.team, contact.reply_to),
    )
    every = list(_forms(alert, letter, helps, shown))
    chosen = next((one for one in every if len(one.opening.split()) <= WORDS_BEFORE_THE_FOLD), every[-1])
    if not draw:
        return chosen
    chart = draw_chart(_charts(alert, shown[: len(chosen.points)]), _goals(alert))
    return replace(chosen, chart=chart, chart_caption=chosen.chart_caption if chart else "")


#: Numbers of measures in shorter and shorter forms of a letter, for the few with long labels or much to say back.
_SHORTER = (4, 3)


def _forms(alert: Alert, letter: Letter, helps: LetterSection, shown: Sequence[MeasureFact]) -> Iterator[Letter]:
    """Shorter and shorter forms of a letter, until it fits."""
    # Advice goes before the fold if there is room, in front of the last section (how sure this is).
    place = len(letter.sections) - (alert.decision.band not in (Band.NOT_SCORED, Band.FIRST_MONTHS))
    before, last = letter.sections[:place], letter.sections[place:]
    yield replace(letter, sections=(*before, helps, *last), folded=letter.folded[1:])
    yield letter
    form = letter
    for n in _SHORTER:
        form = _with_points(alert, letter, shown[:n], helps)
        yield form
    # What was corrected stays; what the council told us goes behind the fold, its goals first.
    stays = 1 if alert.kind is MessageKind.CORRECTION else 0
    for kept in range(len(before) - 1, stays - 1, -1):
        yield replace(form, sections=(*before[:kept], *last), folded=(*before[kept:], *form.folded))
    for n in (2, 1):
        form = _with_points(alert, letter, shown[:n], helps)
        yield replace(form, sections=(*before[:stays], *last), folded=(*before[stays:], *form.folded))


def _with_points(alert: Alert, letter: Letter, shown: Sequence[MeasureFact], helps: LetterSection) -> Letter:
    """The letter with fewer measures; those left out stand behind the fold."""
    return replace(
        letter,
        points=_points(alert, shown),
        in_hand=_in_hand(alert, shown),
        chart_caption=_caption(alert, shown),
        folded=(helps, *detail_sections(alert, shown)),
    )


def _charts(alert: Alert, shown: Sequence[MeasureFact]) -> list[Series]:
    """The charts of these measures, in their order, and of the council's own goals: what the letter speaks of."""
    measures = dict.fromkeys([*(f.measure for f in shown), *_goals(alert)])
    return [s for m in measures for s in alert.charts if s.measure == m]


def _goals(alert: Alert) -> dict[str, float]:
    """The levels of the council's own goals, by measure."""
    return {g.measure: g.level for g in earlier(alert.goals, alert.month)}


def _points(alert: Alert, shown: Sequence[MeasureFact]) -> tuple[Point, ...]:
    """The measures with their questions. One whose cause is in hand says so instead."""
    asks = _asks(alert, shown)
    return tuple(replace(point(f, alert.charts), asks=asks.get(f.measure, ()), known=_known(alert, f)) for f in shown)


def _asks(alert: Alert, shown: Sequence[MeasureFact]) -> dict[str, tuple[str, ...]]:
    """By measure: one question for each that is of concern and not in hand; two if there is only one."""
    first = alert.decision.band is Band.FIRST_MONTHS
    worse = [f.measure for f in shown if (f.worse or (far_outside(f) and not first)) and f.measure not in alert.quiet]
    asked: dict[str, tuple[str, ...]] = {}
    said: set[DirectorsQuestion] = set()
    for measure in worse:
        new = [q for q in QUESTIONS.get(measure, ()) if q not in said][: 2 if len(worse) == 1 else 1]
        said.update(new)
        asked[measure] = tuple(f"Ask {q.who}: {lower_first(q.text)}" for q in new)
    return {measure: questions for measure, questions in asked.items() if questions}


def _known(alert: Alert, fact: MeasureFact) -> str:
    """That the cause of what is worse is known, if the council said so; else nothing."""
    answer = alert.quiet.get(fact.measure) if fact.worse else None
    return "" if answer is None else f"Known and in hand, as you told us in {answer.on:%B %Y}."


def _in_hand(alert: Alert, shown: Sequence[MeasureFact]) -> str:
    """The measures whose cause is in hand that are worse than usual and have no point of their own."""
    left = [f for f in of_concern(alert.facts) if f.measure in alert.quiet and f not in shown]
    return sentence(f"Worse than usual too, known and in hand as you told us: {with_figures(left)}") if left else ""


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
    if alert.decision.band is Band.RECOVERING and (where := _recovery(alert)):
        sections.append(where)
    sections += answer_sections(alert)
    if alert.decision.band not in (Band.NOT_SCORED, Band.FIRST_MONTHS):
        sections.append(_how_sure(alert))
    return sections


def _corrected(note: Correction) -> LetterSection:
    return LetterSection(
        "What changed since our earlier message",
        (
            Para(_why_corrected(note)),
            Bullets(tuple(sentence(w) for w in note.for_people)),
        ),
    )


def _why_corrected(note: Correction) -> str:
    """Which files led to a correction; said only if that is known."""
    if note.files:
        came = "file, which" if len(note.files) == 1 else "files, which"
        return f"This follows from your {listed(note.files)} {came} came after our earlier message. That is normal."
    if note.files is None:
        return "Restated figures are normal, and welcome."
    return "Your files of this month are the same. An earlier month was restated, or our calculation changed."


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
        return begins(alert)
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


#: For about this many months after a poor judgement, turnover, agency use and referrals tend to rise.
_SPIRAL_MONTHS = 9


def _to_send(alert: Alert) -> list[str]:
    """What to send, from the fate of each file."""
    fates = {s.extract: s.fate.fate for s in alert.submissions}
    missing = [kind for kind, fate in fates.items() if fate is Fate.MISSING]
    wrong = [kind for kind, fate in fates.items() if fate.severity is Severity.ERROR and fate is not Fate.MISSING]
    said = ((missing, "Send the {} of {}; late is fine."), (wrong, "Put the {} of {} right and send it again."))
    month = alert.month.in_words
    return [words.format(f"{listed(k)} file{'s' if len(k) > 1 else ''}", month) for k, words in said if k]


def _unseen(decision: Decision) -> tuple[LetterBlock, ...]:
    """What a missing score means for an open alert, and what it means if it has been missing for long."""
    blocks: list[LetterBlock] = []
    telling = decision.state.telling or decision.state.told
    if decision.from_band in (Band.WATCH, Band.LOSING_GRIP):
        blocks.append(
            Para(f"Our earlier alert ({decision.from_band.words}) stays open until figures can be seen again.")
        )
    if telling is not None and telling.escalated and decision.state.recent:
        months = count_words(decision.state.months_not_scored, "month", "months")
        blocks.append(Para(f"After {months} the missing sight is itself worth attention, whatever its cause."))
    return tuple(blocks)


def _how_sure(alert: Alert) -> LetterSection:
    """Two numbers, both derived from the score, with the counts behind them; `details` has the level they rest on."""
    of_ten, record = alert.score.of_ten, alert.score.track_record
    if of_ten is None:
        return LetterSection(
            "How sure this is",
            (Para(wording.NO_RECORD),),
        )
    seen = f" (tried on the past: {record.judged_below_good} of {record.flagged})" if record is not None else ""
    return LetterSection(
        "How sure this is",
        (
            Para(
                f"Of ten councils with figures like this, about {of_ten.like_this} were judged below good at their "
                f"next inspection{seen}. Of any ten, about {of_ten.any_ten}."
            ),
        ),
    )
