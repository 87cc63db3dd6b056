"""Formats figures for people: percentages, points for changes, and month names."""

from __future__ import annotations

from collections.abc import Sequence

from features.months import Month
from features.registry import Measure, Unit
from features.words import listed, lower_first
from flows.alerts.facts import MeasureFact

#: Fractions that are ratios of two different things, which read better as plain numbers.
_RATIOS = frozenset({"closure_ratio_3m"})


def is_ratio(measure: Measure) -> bool:
    """Whether a fraction is shown as a plain ratio and not as a percentage."""
    return measure.name in _RATIOS


def value_text(measure: Measure, value: float) -> str:
    """`24%`, `3.4%`, `0%`, `17.2`, `1,512`. The label says what a number is per, so the value does not repeat it."""
    if measure.unit is Unit.FRACTION and not is_ratio(measure):
        return f"{_signed(_percent(value))}%"
    if measure.unit is Unit.PER_10K:
        return _signed(f"{value:,.0f}")
    if is_ratio(measure):
        return _signed(f"{value:.2f}")
    return _signed(f"{value:,.1f}")


def _percent(value: float) -> str:
    """One decimal below 10 per cent and none above: a month's figures are no more exact."""
    percent = value * 100
    if percent == 0:
        return "0"
    return f"{percent:.1f}" if abs(percent) < 9.95 else f"{percent:.0f}"


def _signed(text: str) -> str:
    """Use a real minus sign, and none before a zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.,") else f"−{text[1:]}"
    return text


def short_month(month: Month) -> str:
    """`Oct 26`, for an axis."""
    return f"{month.first_day:%b} {month.year % 100:02d}"


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def number_words(count: int) -> str:
    """A small number in words, for use in a sentence."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else f"{count:,}"


def with_figures(facts: Sequence[MeasureFact]) -> str:
    """“agency rate 23% and cases without a worker 7.0%”: measures with this month's figures, for a sentence."""
    return listed([f"{lower_first(f.declared.label)} {value_text(f.declared, f.value or 0.0)}" for f in facts])


#: Signs of a stage that a line names; the letter's details have them all.
_SIGNS_NAMED = 3


def first_signs(signs: Sequence[MeasureFact]) -> str:
    """The first signs of a stage and how many more there are, for a line that has no room for all."""
    labels = [lower_first(f.declared.label) for f in signs]
    more = [f"{len(labels) - _SIGNS_NAMED} more"] if len(labels) > _SIGNS_NAMED else []
    return listed([*labels[:_SIGNS_NAMED], *more])
