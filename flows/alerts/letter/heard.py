"""Repeats to a council what it told us: its answers, and the goals it set itself."""

from __future__ import annotations

from textwrap import shorten

from features.registry import BY_NAME
from features.words import lower_first
from flows.alerts.alert import Alert
from flows.alerts.answers import Goal, Reply
from flows.alerts.letter.figures import month_words, sentence, value_text
from flows.alerts.letter.letter import Bullets, LetterSection
from flows.settings.answer_form import AnswerKind

#: The most answers in a message; the region page has all.
_SAID_BACK = 2
#: The most characters that are quoted of an answer.
_QUOTED = 100


def heard(alert: Alert) -> list[LetterSection]:
    """The sections that show answers and goals; empty if there are none."""
    sections = []
    if alert.answers:
        latest = [*(a for a in alert.answers if a.measure in alert.quiet), *reversed(alert.answers)]
        told = list(dict.fromkeys(latest))[:_SAID_BACK]
        sections.append(LetterSection("What you told us", (Bullets(tuple(said_back(a, alert) for a in told)),)))
    if alert.goals:
        sections.append(LetterSection("Your own goals", (Bullets(tuple(goal_words(g, alert) for g in alert.goals)),)))
    return sections


def said_back(answer: Reply, alert: Alert) -> str:
    """An answer as the next letter mentions it. A measure that is in hand is named with this month's figure."""
    when, words = month_words(answer.month), shorten(answer.words, _QUOTED, placeholder=" …").rstrip(".")
    about = f" about {lower_first(answer.label)}" if answer.label else ""
    starts = {
        AnswerKind.OBJECTION: f"You objected to our message of {when}{about}",
        AnswerKind.EXPLANATION: f"You explained{about}, on our message of {when}",
        AnswerKind.KNOWN: f"You told us, on our message of {when}, of a cause that is known and in hand{about}",
        AnswerKind.ACTION: f"You told us, on our message of {when}, what you have begun{about}",
        AnswerKind.CONFIRMED: f"You confirmed the files of {when}{about}",
    }
    text = f"{starts[answer.kind]}: “{words}”."
    fact = alert.fact(answer.measure) if answer.measure else None
    if answer.measure in alert.quiet and answer.quiet_until is not None:
        now = (
            f" It is {value_text(fact.declared, fact.value)} now."
            if fact is not None and fact.value is not None
            else ""
        )
        text += f"{now} Until {month_words(answer.quiet_until)} we put other measures first."
    return text


def goal_words(goal: Goal, alert: Alert) -> str:
    """A measure's progress towards a goal: reached, on the way, or not yet. It is never called a failure."""
    measure = BY_NAME[goal.measure]
    aim = f"{measure.label}: your goal is {value_text(measure, goal.level)} by {month_words(goal.by_month)}"
    fact = alert.fact(goal.measure)
    if fact is None or fact.value is None:
        return sentence(f"{aim}; the figure is not known this month")
    now = value_text(measure, fact.value)
    if goal.reached(fact.value):
        return sentence(f"{aim}; it is {now}, so the goal is reached")
    left = goal.by_month.minus(alert.month)
    if left > 0:
        return sentence(f"{aim}; it is {now}, with {left} {'month' if left == 1 else 'months'} to go")
    return sentence(f"{aim}; it is {now}. You can set another month or level")
