"""Repeats to a council what it told us: its answers, and the goals it set itself."""

from __future__ import annotations

from textwrap import shorten

from features.months import day_words
from features.registry import BY_NAME
from features.words import count_words, lower_first
from flows.alerts.alert import Alert
from flows.alerts.answers import Goal, Reply, earlier
from flows.alerts.letter.figures import sentence, value_text
from flows.alerts.letter.letter import Bullets, LetterSection
from flows.settings.answer_form import AnswerKind

#: The most answers in a message; the region page has all.
_SAID_BACK = 2
#: The most characters that are quoted of an answer.
_QUOTED = 100


def answer_sections(alert: Alert) -> list[LetterSection]:
    """The sections that show answers and goals; empty if there are none."""
    sections = []
    if given := earlier(alert.answers, alert.month):
        latest = [*(a for a in given if a.measure in alert.quiet), *reversed(given)]
        told = list(dict.fromkeys(latest))[:_SAID_BACK]
        sections.append(LetterSection("Your answers", (Bullets(tuple(answer_sentence(a, alert) for a in told)),)))
    if goals := earlier(alert.goals, alert.month):
        sections.append(LetterSection("Your own goals", (Bullets(tuple(goal_words(g, alert) for g in goals)),)))
    return sections


def answer_sentence(answer: Reply, alert: Alert) -> str:
    """An answer as the next letter mentions it. A measure that is in hand is named with this month's figure."""
    when, words = f"{answer.on:%B %Y}", shorten(answer.words, _QUOTED, placeholder=" …").rstrip(".")
    message = answer.month.in_words
    about = f", about {lower_first(answer.label)}" if answer.label else ""
    starts = {
        AnswerKind.OBJECTION: f"You objected in {when} to our message of {message}{about}",
        AnswerKind.EXPLANATION: f"You explained in {when}, on our message of {message}{about}",
        AnswerKind.KNOWN: f"You told us in {when} of a cause that is known and in hand{about}",
        AnswerKind.ACTION: f"You told us in {when} what you have begun{about}",
        AnswerKind.CONFIRMED: f"You confirmed in {when} the files of {message}{about}",
    }
    text = f"{starts[answer.kind]}: “{words}”."
    fact = alert.fact(answer.measure) if answer.measure else None
    if answer.measure in alert.quiet and answer.quiet_until is not None:
        now = (
            f" It is {value_text(fact.declared, fact.value)} now."
            if fact is not None and fact.value is not None
            else ""
        )
        text += f"{now} Until {answer.quiet_until.in_words} we put other measures first."
    return text


def answer_line(answer: Reply) -> str:
    """An answer as the region page shows it."""
    about = f", about {lower_first(answer.label)}" if answer.label else ""
    until = f" Others go first until {answer.quiet_until.in_words}." if answer.quiet_until else ""
    who = f"{answer.by}, {day_words(answer.on)}"
    kind = f"{answer.kind.value[:1].upper()}{answer.kind.value[1:]}"
    return f"{kind}, on the message of {answer.month.in_words}{about}: “{answer.words.strip()}” ({who}).{until}"


def goal_words(goal: Goal, alert: Alert, whose: str = "your") -> str:
    """The way to a goal: where it began, where it is, and what is left. It is never called a failure."""
    measure = BY_NAME[goal.measure]
    aim = f"{measure.label}: {whose} goal is {value_text(measure, goal.level)} by {goal.by_month.in_words}"
    fact = alert.fact(goal.measure)
    if fact is None:
        return sentence(aim)
    if fact.value is None:
        return sentence(f"{aim}. The figure is not known this month")
    since = ""
    if goal.month is not None and goal.month < alert.month and goal.start is not None:
        since = f", from {value_text(measure, goal.start)} in {goal.month.in_words}"
    now = f"It is {value_text(measure, fact.value)}{since}"
    if goal.reached(fact.value):
        return sentence(f"{aim}. {now}: the goal is reached")
    left = goal.by_month.minus(alert.month)
    ahead = f"{count_words(left, 'month', 'months')} to go" if left > 0 else "another month or level can be set"
    moved = bool(since) and value_text(measure, goal.start or 0.0) != value_text(measure, fact.value)
    way = _way(goal, fact.value) if moved else ""
    return sentence(f"{aim}. {now}{f', {way}' if way else ''}; {ahead}")


#: Shares of the way, each up to a limit, in words: a percentage would be taken for the measure's.
_WAYS = ((0.05, ""), (0.2, "a first part"), (0.4, "about a third"), (0.6, "about half"), (0.8, "about two thirds"))


def _way(goal: Goal, now: float) -> str:
    """How much of the way is done; empty if it is none."""
    start = goal.start or 0.0
    done = 0.0 if start == goal.level else (start - now) / (start - goal.level)
    part = next((words for limit, words in _WAYS if done < limit), "most")
    return f"{part} of the way" if part else ""
