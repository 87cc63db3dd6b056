"""Compares inspectors' judgements with what Holdfast said before. The result is counts; small ones prove little.

For every published judgement of a council in this group, it takes the last alert before the publication, and how long
an alert had been open by then. A judgement before the first alert says nothing about Holdfast and is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

from features.councils import Council, undeclared_judgements
from features.frameworks import GOOD, Judgement
from features.months import Month
from features.words import count_words
from flows.alerts.alert import Alert, alert_name
from flows.alerts.state import Band
from flows.store.port import Store

_NAME = re.compile(r"alerts/(?P<month>\d{4}-\d{2})/(?P<folder>[^./]+)\.(?:r(?P<revision>\d+)\.)?json")
_OPEN = (Band.WATCH, Band.LOSING_GRIP)
#: Ranges of scores (from, up to) for which forecasts are compared with outcomes.
_GROUPS = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 1.0))


class Hindsight(StrEnum):
    """What an alert, or the lack of one, turned out to be."""

    HIT = "alert open, judged below good"
    MISS = "no alert, judged below good"
    FALSE_ALARM = "alert open, judged good or better"
    QUIET = "no alert, judged good or better"
    UNSEEN = "no score before"


@dataclass(frozen=True, slots=True)
class JudgedCouncil:
    """One judgement, and what Holdfast said before it."""

    council: str
    la_code: str
    published: date
    grade: str
    """In the words of its framework."""
    framework: str
    below_good: bool
    month: Month
    """The month of the last alert before it."""
    band: Band
    score: float | None
    open_months: int
    """For how many months in a row an alert had been open."""

    @property
    def verdict(self) -> Hindsight:
        if self.score is None:
            return Hindsight.UNSEEN
        if self.band in _OPEN:
            return Hindsight.HIT if self.below_good else Hindsight.FALSE_ALARM
        return Hindsight.MISS if self.below_good else Hindsight.QUIET

    @property
    def sentence(self) -> str:
        """`Ashby (Z01), judged Good on 3 May 2027: no alert, judged good or better. Score 12% in March 2027.`"""
        day = f"{self.published.day} {self.published:%B %Y}"
        said = "" if self.score is None else f" Score {self.score:.0%} in {self.month.in_words}."
        warned = count_words(self.open_months, "month", "months")
        open_for = f" The alert had stood open for {warned}." if self.band in _OPEN else ""
        return f"{self.council} ({self.la_code}), judged {self.grade} on {day}: {self.verdict.value}.{said}{open_for}"


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Every judgement since this group started, in order of publication."""

    judged: tuple[JudgedCouncil, ...]
    undeclared: tuple[str, ...] = ()
    """Judgements that are not counted, because nobody has declared their framework."""

    def count(self, verdict: Hindsight) -> int:
        """How many judgements had this result."""
        return sum(j.verdict is verdict for j in self.judged)

    @property
    def lines(self) -> tuple[str, ...]:
        """The card in sentences, most important first."""
        scored = [j for j in self.judged if j.score is not None]
        if not self.judged:
            return ("No judgement has been published since this group's first alert.", *self.undeclared)
        lines = [f"{count_words(len(self.judged), 'judgement', 'judgements')} since this group's first alert."]
        lines += [
            f"{v.value.capitalize()}: {self.count(v)}." for v in Hindsight if self.count(v) or v is not Hindsight.UNSEEN
        ]
        if scored:
            frameworks = list(dict.fromkeys(j.framework for j in scored))
            for framework in frameworks:
                under = [j for j in scored if j.framework == framework]
                expected, seen = sum(j.score or 0.0 for j in under), sum(j.below_good for j in under)
                lines.append(
                    f"Below good{f' under {framework}' if len(frameworks) > 1 else ''}: {expected:.1f} expected by the "
                    f"scores, {seen} seen, of {len(under)} scored."
                )
        for low, high in _GROUPS:
            group = [j for j in scored if low <= (j.score or 0.0) < high or (high == 1.0 and j.score == 1.0)]
            if group:
                mean = sum(j.score or 0.0 for j in group) / len(group)
                seen = sum(j.below_good for j in group)
                came = f"{seen} of {len(group)} judged below good"
                lines.append(f"Scores from {low:.0%} to {high:.0%}: {mean:.0%} on average, {came}.")
        warned = sorted(j.open_months for j in self.judged if j.verdict is Hindsight.HIT)
        if warned:
            lines.append(f"Months of warning before publication: {', '.join(map(str, warned))}.")
        return (*lines, *(j.sentence for j in self.judged), *self.undeclared)

    def to_json(self) -> str:
        """The card as a JSON document."""
        rows = [
            asdict(j) | {"published": str(j.published), "month": str(j.month), "verdict": j.verdict}
            for j in self.judged
        ]
        return json.dumps({"judged": rows, "undeclared": self.undeclared}, indent=1, ensure_ascii=False, sort_keys=True)


def scorecard(store: Store, councils: Sequence[Council], known_by: date) -> Scorecard:
    """The card from a group's store, with judgements published by a day. Reads only the alerts before judgements."""
    names = _latest_names(store)
    judged = []
    for council in councils:
        own = names.get(council.folder, {})
        for judgement in council.judgements_by(known_by):
            if judgement.framework is None or not judgement.framework.counts:
                continue
            before = [m for m in sorted(own) if m.last_day < judgement.published]
            if before:
                judged.append(_judged(store, council, judgement, [own[m] for m in before]))
    in_order = tuple(sorted(judged, key=lambda j: (j.published, j.la_code)))
    return Scorecard(in_order, undeclared_judgements(councils, known_by))


def _judged(store: Store, council: Council, judgement: Judgement, names: Sequence[str]) -> JudgedCouncil:
    last = Alert.from_bytes(store.read(names[-1]))
    open_months = 0
    for name in reversed(names):
        if (last if name == names[-1] else Alert.from_bytes(store.read(name))).decision.band not in _OPEN:
            break
        open_months += 1
    return JudgedCouncil(
        council=council.name,
        la_code=council.la_code,
        published=judgement.published,
        grade=judgement.impact_of_leaders,
        framework=judgement.framework.level_of if judgement.framework else "",
        below_good=(judgement.grade or 0) > GOOD,
        month=last.month,
        band=last.decision.band,
        score=last.score.probability_below_good,
        open_months=open_months,
    )


def _latest_names(store: Store) -> dict[str, dict[Month, str]]:
    """The name of the latest revision of every alert, by folder and month. Needs one listing."""
    latest: dict[str, dict[Month, int]] = {}
    for listed in store.list("alerts/"):
        if match := _NAME.fullmatch(listed.name):
            months = latest.setdefault(match["folder"], {})
            month = Month.parse(match["month"])
            months[month] = max(months.get(month, 0), int(match["revision"] or 1))
    return {folder: {m: alert_name(m, folder, r) for m, r in months.items()} for folder, months in latest.items()}
