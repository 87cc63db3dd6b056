"""Inspection frameworks, each declared once: which judgements it gives, on which scale, and what it may be used for.

When a framework ends, somebody has to decide how the label follows from the new one. A report under an undeclared
framework is therefore listed with what must be decided; it is neither guessed nor lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

#: The four-point scale of the single inspection framework and of ILACS, best first.
FOUR_GRADES = ("Outstanding", "Good", "Requires improvement to be good", "Inadequate")

_SUBS = ("leaders", "help", "care", "care_leavers")


@dataclass(frozen=True, slots=True)
class Framework:
    """One way of inspecting, for as long as it was in force."""

    name: str
    title: str
    first_started: date
    """The first day on which an inspection under it can begin."""
    last_started: date | None
    """The last such day; None while no successor has a date."""
    judgements: tuple[str, ...]
    """The columns of JUDGEMENTS that it fills. Forecasts are of the judgement of leaders; failing that, of the overall
    judgement; failing that, of what the sub-judgements amount to (`models.judgements.labels.graded`)."""
    scale: tuple[str, ...]
    """Its grades, best first."""
    as_grade: tuple[int, ...]
    """The grade among the four that each of its grades counts as: 3 and 4 are below good, 4 is inadequate."""
    trains: bool
    """A model may learn from its inspections."""
    counts: bool
    """Its inspections are part of a track record and move the level."""
    level_of: str
    """The framework whose level it continues; its own name if it begins a new level."""
    types: tuple[str, ...] = ()
    """What reports call an inspection of this kind; empty if they do not name it."""

    def in_force(self, started: date) -> bool:
        """Whether an inspection that began that day can be under this framework."""
        return self.first_started <= started and (self.last_started is None or started <= self.last_started)


SIF_FRAMEWORK = Framework(
    name="SIF",
    title="Single inspection framework",
    first_started=date(2013, 11, 1),
    last_started=date(2018, 6, 30),
    judgements=("overall", *_SUBS),
    scale=FOUR_GRADES,
    as_grade=(1, 2, 3, 4),
    trains=True,
    counts=False,
    level_of="SIF",
)
ILACS_FRAMEWORK = Framework(
    name="ILACS",
    title="Inspection of local authority children's services",
    # The first ILACS reports are from late 2017, while single inspections continued.
    first_started=date(2017, 11, 1),
    last_started=date(2026, 3, 31),
    judgements=("overall", *_SUBS),
    scale=FOUR_GRADES,
    as_grade=(1, 2, 3, 4),
    trains=True,
    counts=True,
    level_of="ILACS",
    types=("standard", "short", "inspection duration longer than standard framework"),
)
#: Overall effectiveness is no longer given, but the impact of leaders is, so label and level continue.
ILACS_2026 = Framework(
    name="ILACS 2026",
    title="Inspection of local authority children's services, revised April 2026",
    first_started=date(2026, 4, 1),
    last_started=date(2027, 3, 31),
    judgements=_SUBS,
    scale=FOUR_GRADES,
    as_grade=(1, 2, 3, 4),
    trains=True,
    counts=True,
    level_of="ILACS",
    types=("standard", "short", "inspection duration longer than standard framework"),
)

#: Every framework that has been decided on, in order of time. The one announced for 2027 is not among them yet.
FRAMEWORKS: tuple[Framework, ...] = (SIF_FRAMEWORK, ILACS_FRAMEWORK, ILACS_2026)

#: What has to be added to this table before a report under a new framework is used.
TO_DECIDE = (
    "what each of its grades counts as among the four, whether its judgements may train a model, and whether they "
    "count in a track record and move the level"
)


def declared(name: str, among: Sequence[Framework] = FRAMEWORKS) -> Framework:
    """A framework by name; raises KeyError."""
    return {f.name: f for f in among}[name]


def framework_of(
    inspection_type: str | None, started: date | None, among: Sequence[Framework] = FRAMEWORKS
) -> Framework | None:
    """The framework of a report, from what it calls itself and when the inspection began; None if none was declared.

    `started` may be an estimate where no source gives the day. If no framework in force on that day uses the report's
    type, its framework is undeclared, whatever the day.
    """
    if started is None:
        return None
    plain = None if inspection_type is None else re.sub(r"\s+", " ", inspection_type.strip().lower())
    in_force = [f for f in among if f.in_force(started)]
    if plain:
        named = [f for f in in_force if any(word in plain for word in f.types)]
        return named[-1] if named else None
    return in_force[-1] if in_force else None


def grade_words(known: Mapping[str, int], among: Sequence[Framework] = FRAMEWORKS) -> dict[str, int]:
    """Every written grade of these frameworks -> what it counts as; raises ValueError for a word with two meanings."""
    words = dict(known)
    for framework in among:
        for word, grade in zip(framework.scale, framework.as_grade, strict=True):
            if words.setdefault(word.lower(), grade) != grade:
                raise ValueError(f"“{word}” of {framework.name} means {grade}, and {words[word.lower()]} elsewhere")
    return words


def undeclared_note(source: str, la_name: str | None, inspection_type: str | None, day: date | None) -> str:
    """The note on a report whose framework nobody has declared."""
    kind = f"type “{inspection_type}”" if inspection_type else "no type given"
    return (
        f"{source}: the report of {la_name or 'a council'} ({kind}, {day or 'no date'}) is of a framework that is not "
        f"declared, so it is not used. Decide in models/record/frameworks.py: {TO_DECIDE}."
    )
