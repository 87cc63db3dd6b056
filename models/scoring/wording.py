"""Figures in words: each reason in its measure's own unit, as a director would say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.registry import BY_NAME, Measure, Unit
from features.words import count_words

CONTEXT_LABELS: dict[str, str] = {
    "previous_judgement": "Previous judgement of leaders",
    "previous_sub_mean": "Previous judgement, mean of its sub-judgements",
    "imd_score": "Deprivation",
}


def amount(value: float, measure: Measure) -> str:
    """A value in its unit: `24%`, `3.4%`, `612 per 10,000 children`, `17.2 cases`."""
    if measure.unit is Unit.FRACTION:
        return f"{_number(100 * value)}%"
    if measure.unit is Unit.PER_10K:
        return f"{value:,.0f}" if "10,000" in measure.label else f"{value:,.0f} per 10,000 children"
    if measure.unit is Unit.CASES_PER_FTE:
        return f"{value:.1f} cases"
    return _number(value)


def movement(change: float, measure: Measure) -> str:
    """A change in 12 months: `up 6 points in 12 months`, `unchanged in 12 months`."""
    scaled = 100 * change if measure.unit is Unit.FRACTION else change
    if round(abs(scaled), 1) < 0.1:
        return "unchanged in 12 months"
    number = _number(abs(scaled))
    unit = "" if measure.unit is not Unit.FRACTION else " point" if number == "1" else " points"
    return f"{'up' if scaled > 0 else 'down'} {number}{unit} in 12 months"


def measure_sentence(row: Mapping[str, Any]) -> str:
    """One FEATURES row as “Agency rate 24%; neighbours 13%; up 6 points in 12 months”.

    Unknown parts are left out; a rate on a small base says so.
    """
    measure = BY_NAME[row["measure"]]
    parts = [f"{measure.label} {amount(row['value'], measure)}"]
    if row.get("neighbours_median") is not None:
        parts.append(f"neighbours {amount(row['neighbours_median'], measure)}")
    if row.get("change_12m") is not None:
        parts.append(movement(row["change_12m"], measure))
    if row.get("small_base"):
        parts.append("small numbers")
    return "; ".join(parts)


def judgement_sentence(words: str, months_since: int | None) -> str:
    """The earlier judgement in its framework's words, and its age."""
    age = f", {count_words(months_since, 'month', 'months')} ago" if months_since is not None else ""
    return f"Previous judgement of leaders: {words.lower()}{age}"


def context_sentence(column: str, value: float, typical: float) -> str:
    """A context figure, compared with that of the typical council."""
    label = CONTEXT_LABELS.get(column, column.replace("_", " ").capitalize())
    return f"{label} score {value:.0f}; a typical council {typical:.0f}"


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 10 and not float(round(value, 1)).is_integer() else f"{value:.0f}"
