"""Inspection frameworks, each declared once: which judgements it gives, on which scale, and what it may be used for.

When a framework ends, somebody has to decide how the label follows from the new one. A report under an undeclared
framework is therefore listed with what must be decided; it is neither guessed nor lost. Everything that reads a
judgement asks this table, so a new framework needs one entry in FRAMEWORKS and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from features.errors import ReferenceDataError

#: What grades count as: up to GOOD is good or better, INADEQUATE is the worst.
GOOD, INADEQUATE = 2, 4
#: The four-point scale of the single inspection framework and of ILACS, best first.
FOUR_GRADES = ("Outstanding", "Good", "Requires improvement to be good", "Inadequate")
#: How published files also write these grades.
_ALSO_FOUR = (("requires improvement", 3), ("to requires improvement", 3), ("adequate", 3))
#: Words in the place of a grade that say that there is none; so does any word with “_”, a parser's own code.
_NO_GRADE = frozenset({"", "-", "–", "nan", "null", "none", "n/a", "not applicable", "not judged", "not inspected"})

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
    """The judgements it gives, as columns of the record. Forecasts are of the judgement of leaders; failing that, of
    the overall judgement; failing that, of what the sub-judgements amount to (`models.judgements.labels.graded`)."""
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
    also: tuple[tuple[str, int], ...] = ()
    """Other words that files use for its grades, and what they count as."""

    def in_force(self, started: date) -> bool:
        """Whether an inspection that began that day can be under this framework."""
        return self.first_started <= started and (self.last_started is None or started <= self.last_started)

    def grade_of(self, written: str | None) -> int | None:
        """What a written grade counts as; None for a word that is not of this scale."""
        meanings = {w.lower(): g for w, g in zip(self.scale, self.as_grade, strict=True)}
        return (dict(self.also) | meanings).get(_plain(written))

    def word_of(self, grade: int, written: str | None = None) -> str:
        """The grade in the words of the scale: as written, if that is on it; else the best word that counts as it."""
        named = [w for w in self.scale if w.lower() == _plain(written)]
        return named[0] if named else self.scale[self.as_grade.index(grade)]


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
    also=_ALSO_FOUR,
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
    also=_ALSO_FOUR,
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
    also=_ALSO_FOUR,
)

#: Every framework that has been decided on, in order of time. The one announced for 2027 is not among them yet.
FRAMEWORKS: tuple[Framework, ...] = (SIF_FRAMEWORK, ILACS_FRAMEWORK, ILACS_2026)

#: Days from the start of an inspection to publication; the median for ILACS reports is 52.
USUAL_TO_PUBLICATION = timedelta(days=60)
#: No report came out later than this after its inspection began.
LONGEST_TO_PUBLICATION = timedelta(days=220)

#: What has to be added to this table before a report under a new framework is used.
TO_DECIDE = (
    "what each of its grades counts as among the four, whether its judgements may train a model, and whether they "
    "count in a track record and move the level"
)


def framework_of(inspection_type: str | None, started: date | None) -> Framework | None:
    """The framework of a report, from what it calls itself and when the inspection began; None if none was declared.

    `started` may be an estimate where no source gives the day. If no framework in force on that day uses the report's
    type, its framework is undeclared, whatever the day.
    """
    if started is None:
        return None
    in_force = [f for f in FRAMEWORKS if f.in_force(started)]
    if plain := _plain(inspection_type):
        in_force = [f for f in in_force if any(word in plain for word in f.types)]
    return in_force[-1] if in_force else None


def framework_of_grade(published: date, written: str) -> Framework | None:
    """The framework of a grade of which only the day of publication is known; None if none was declared.

    It is the one in force at the usual time before, or, near a change of framework, one whose scale has the word.
    """
    usual = framework_of(None, published - USUAL_TO_PUBLICATION)
    if usual is None or usual.grade_of(written) is not None:
        return usual
    near = [f for f in FRAMEWORKS if f.in_force(published) or f.in_force(published - LONGEST_TO_PUBLICATION)]
    return next((f for f in reversed(near) if f.grade_of(written) is not None), None)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A published judgement: known from its publication, not from the inspection."""

    published: date
    impact_of_leaders: str
    """In the words of its framework."""

    @property
    def framework(self) -> Framework | None:
        """The framework it was made under; None if nobody declared it."""
        return framework_of_grade(self.published, self.impact_of_leaders)

    @property
    def grade(self) -> int | None:
        """What it counts as, 1 outstanding to 4 inadequate; None if its framework is not declared."""
        framework = self.framework
        return None if framework is None else framework.grade_of(self.impact_of_leaders)


def judgement_written(published: date, grade: str) -> Judgement:
    """The judgement as somebody wrote it down. Raises ReferenceDataError if its framework has no such grade.

    A day on which no framework is declared has no list of grades to check against.
    """
    judgement = Judgement(published, grade.strip())
    usual = framework_of(None, published - USUAL_TO_PUBLICATION)
    if not judgement.impact_of_leaders or (usual is not None and judgement.grade is None):
        scale = FOUR_GRADES if usual is None else usual.scale
        raise ReferenceDataError(f"“{grade.strip()}” is no grade; use one of {', '.join(scale)}.")
    return judgement


def counting_frameworks() -> list[str]:
    """Names of the frameworks whose inspections are part of a track record and move a level."""
    return [f.name for f in FRAMEWORKS if f.counts]


def training_frameworks() -> list[str]:
    """Names of the frameworks whose inspections may teach a model."""
    return [f.name for f in FRAMEWORKS if f.trains]


def newest_level(names: Iterable[str | None], otherwise: str = "ILACS") -> str:
    """Whose level inspections under these frameworks make up: that of the newest one that counts."""
    among = set(names)
    return next((f.level_of for f in reversed(FRAMEWORKS) if f.counts and f.name in among), otherwise)


def framework_named(name: str) -> Framework:
    """The framework of that name; raises KeyError."""
    return {f.name: f for f in FRAMEWORKS}[name]


def frameworks_sharing_level(level: str) -> list[str]:
    """Names of the frameworks whose inspections make up one level."""
    return [f.name for f in FRAMEWORKS if f.counts and f.level_of == level]


def is_grade(written: str | None) -> bool:
    """Whether the text stands for a judgement, in the words of whatever framework."""
    plain = _plain(written)
    return plain not in _NO_GRADE and "_" not in plain


def undeclared_note(who: str, day: date | None, inspection_type: str | None = None, words: Sequence[str] = ()) -> str:
    """The sentence on a report whose framework nobody has declared; `who`: where it stands and of which council."""
    said = [f"type “{inspection_type}”"] if inspection_type else []
    said += [f"graded “{'”, “'.join(dict.fromkeys(words))}”"] if words else []
    return (
        f"{who} ({', '.join([*said, str(day or 'no date')])}): this report is of a framework that is not declared, so "
        f"it is not used. Decide in features/frameworks.py: {TO_DECIDE}."
    )


def _plain(text: str | None) -> str:
    return re.sub(r"\s+", " ", (text or "").strip().lower())
