"""Compares inspectors' judgements with what Holdfast said before. The result is counts; small ones prove little.

Every published judgement of a council in this group, from the register or from the stored published files, stands
beside every band and score that was given before its publication. A judgement before the first alert says nothing about
Holdfast and is left out.

    scorecard/2019-10/said.json    what the alerts of a month said that were deleted when their period was over
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from itertools import groupby

from features.councils import Council, undeclared_judgements
from features.frameworks import FRAMEWORKS, GOOD
from features.months import Month, day_words
from features.words import count_words
from flows.alerts.alert import Alert, alert_name
from flows.alerts.state import Band
from flows.store.port import DamagedObject, ObjectMissing, Store
from flows.store.reading import read_json, read_kept, sealed
from models.registry.levels import FedJudgement, fed_judgements

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
    RECOVERY = "on the recovery watch, which gives no alert"
    UNSEEN = "no score before"


@dataclass(frozen=True, slots=True)
class MonthStatement:
    """What Holdfast said of a council in one month."""

    month: Month
    band: Band
    score: float | None
    is_open: bool
    """Whether an alert stood open; it stays open through months without a score."""


@dataclass(frozen=True, slots=True)
class JudgedCouncil:
    """One judgement, and everything that Holdfast said before it."""

    council: str
    la_code: str
    published: date
    grade: str
    """In the words of its framework."""
    framework: str
    below_good: bool
    said: tuple[MonthStatement, ...]
    """Oldest first, never empty."""

    @property
    def band(self) -> Band:
        """The last band before the judgement."""
        return self.said[-1].band

    @property
    def scored(self) -> MonthStatement | None:
        """The last month with a score before it."""
        return next((s for s in reversed(self.said) if s.score is not None), None)

    @property
    def score(self) -> float | None:
        return None if self.scored is None else self.scored.score

    @property
    def open_months(self) -> int:
        """For how many months in a row an alert had stood open."""
        return next((n for n, s in enumerate(reversed(self.said)) if not s.is_open), len(self.said))

    @property
    def verdict(self) -> Hindsight:
        if self.band is Band.RECOVERING:
            return Hindsight.RECOVERY
        if self.scored is None:
            return Hindsight.UNSEEN
        if self.said[-1].is_open:
            return Hindsight.HIT if self.below_good else Hindsight.FALSE_ALARM
        return Hindsight.MISS if self.below_good else Hindsight.QUIET

    @property
    def sentence(self) -> str:
        """The judgement and its verdict, then every band before it with its scores.

        `Ashby (Z01), judged Good on 3 May 2027: no alert, judged good or better. Before it: steady from March 2026
        (14 months, scores 8% to 12%).`
        """
        day = day_words(self.published)
        warned = self.verdict in (Hindsight.HIT, Hindsight.FALSE_ALARM)
        open_for = (
            f" The alert had stood open for {count_words(self.open_months, 'month', 'months')}." if warned else ""
        )
        runs = "; ".join(_run_words(list(run)) for _, run in groupby(self.said, key=lambda s: s.band))
        head = f"{self.council} ({self.la_code}), judged {self.grade} on {day}: {self.verdict.value}."
        return f"{head}{open_for} Before it: {runs}."


def _run_words(run: Sequence[MonthStatement]) -> str:
    """Consecutive months in one band, with the range of their scores."""
    scores = sorted(s.score for s in run if s.score is not None)
    words = f"{run[0].band.words} from {run[0].month.in_words} ({count_words(len(run), 'month', 'months')}"
    if not scores:
        return f"{words})"
    low, high = f"{scores[0]:.0%}", f"{scores[-1]:.0%}"
    return f"{words}, score {low})" if low == high else f"{words}, scores {low} to {high})"


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Every judgement since this group started, in order of publication."""

    judged: tuple[JudgedCouncil, ...]
    since: Month | None = None
    """The month of the group's first alert."""
    undeclared: tuple[str, ...] = ()
    """Judgements that are not counted, because nobody has declared their framework."""

    def count(self, verdict: Hindsight) -> int:
        """How many judgements had this result."""
        return sum(j.verdict is verdict for j in self.judged)

    @property
    def lines(self) -> tuple[str, ...]:
        """The card in sentences, most important first."""
        if self.since is None:
            return ("This group has no alert yet.", *self.undeclared)
        first = f"this group's first alert, of {self.since.in_words}"
        if not self.judged:
            return (f"No judgement has been published since {first}.", *self.undeclared)
        scored = [j for j in self.judged if j.score is not None]
        lines = [f"{count_words(len(self.judged), 'judgement', 'judgements')} since {first}."]
        always = (Hindsight.HIT, Hindsight.MISS, Hindsight.FALSE_ALARM, Hindsight.QUIET)
        lines += [f"{v.value.capitalize()}: {self.count(v)}." for v in Hindsight if self.count(v) or v in always]
        frameworks = list(dict.fromkeys(j.framework for j in scored))
        for framework in frameworks:
            under = [j for j in scored if j.framework == framework]
            expected, seen = sum(j.score or 0.0 for j in under), sum(j.below_good for j in under)
            lines.append(
                f"Below good{f' under {framework}' if len(frameworks) > 1 else ''}: {expected:.1f} expected by the "
                f"last scores, {seen} seen, of {len(under)} scored."
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
        return (*lines, *self.undeclared, *(j.sentence for j in self.judged))

    def to_json(self) -> str:
        """The card as a JSON document, with every band and score before each judgement."""
        rows = [
            asdict(j)
            | {
                "published": str(j.published),
                "verdict": j.verdict,
                "open_months": j.open_months,
                "said": [{"month": str(s.month), "band": s.band, "score": s.score} for s in j.said],
            }
            for j in self.judged
        ]
        since = str(self.since) if self.since else None
        document = {"since": since, "judged": rows, "undeclared": self.undeclared}
        return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)

    def to_markdown(self) -> str:
        """The card as a section of a model card."""
        bullets = "\n".join(f"- {line}" for line in self.lines)
        return f"## After inspectors came, in this group\n\n{bullets}\n"


def scorecard(store: Store, councils: Sequence[Council], known_by: date) -> Scorecard:
    """The card from a group's store, with judgements published by a day. Reads only the alerts before judgements."""
    names, gone = _names(store), _deleted(store)
    fed = fed_judgements(store)
    judged = []
    for council in councils:
        own = names.get(council.folder, {})
        for published, grade, framework, below in _judgements(council, fed):
            before = [own[m] for m in sorted(own) if m.last_day < published]
            if published > known_by:
                continue
            said = (
                *_latest_before(published, (o for o in gone if o.folder == council.folder and o.said.month not in own)),
                *(_said(alert) for alert in map(partial(_known_before, store, published), before) if alert),
            )
            if said:
                judged.append(JudgedCouncil(council.name, council.la_code, published, grade, framework, below, said))
    first = min((*(m for own in names.values() for m in own), *(o.said.month for o in gone)), default=None)
    in_order = tuple(sorted(judged, key=lambda j: (j.published, j.la_code)))
    return Scorecard(in_order, first, undeclared_judgements(councils, known_by))


def _judgements(council: Council, fed: Iterable[FedJudgement]) -> list[tuple[date, str, str, bool]]:
    """A council's judgements that count, and those of the published files that the register does not have yet.

    Each has the day of publication, the grade in words, the framework, and whether it is below good.
    """
    own = [
        (j.published, j.impact_of_leaders, j.framework.level_of, (j.grade or 0) > GOOD)
        for j in council.judgements_by(date.max)
        if j.framework is not None and j.framework.counts
    ]
    codes = {council.la_code, *council.la_code.split(" / ")}
    levels = {f.name: f.level_of for f in FRAMEWORKS}
    found = sorted({(j.published, j.framework, j.below_good) for j in fed if j.la_code in codes})
    return own + [
        (day, "below good" if below else "good or better", levels.get(framework, own_level), below)
        for day, framework, below in found
        for own_level in [next((f.level_of for f in reversed(FRAMEWORKS) if f.first_started <= day), "")]
        if all(abs((day - known[0]).days) > _SAME_INSPECTION_DAYS for known in own)
    ]


#: Two statements on one council within so many days are about the same inspection.
_SAME_INSPECTION_DAYS = 31


def _known_before(store: Store, published: date, names: Sequence[str]) -> Alert | None:
    """The last revision of an alert that was made from files received before the day of the judgement.

    None if there is none, or if it is damaged, which runs and `holdfast doctor` report.
    """
    for name in names:
        with suppress(DamagedObject):
            alert = read_kept(store, name, Alert.from_bytes)
            if date.fromisoformat(alert.provenance.known_by) < published:
                return alert
    return None


def _said(alert: Alert) -> MonthStatement:
    band = alert.decision.band
    still = band is Band.NOT_SCORED and alert.decision.state.scored_band in _OPEN
    return MonthStatement(alert.month, band, alert.score.probability_below_good, band in _OPEN or still)


@dataclass(frozen=True, slots=True)
class _Deleted:
    """What one revision of an alert said that is no longer in the store."""

    folder: str
    revision: int
    known_by: date
    said: MonthStatement


def keep_what_was_said(store: Store, before: Month) -> None:
    """Keep what the alerts before a month said, so that the scorecard outlives them: for `holdfast retain`."""
    there = _names(store)
    for month in sorted({m for own in there.values() for m in own if m < before}):
        kept = {(o.folder, o.revision): o for o in _said_in(store, month)}
        for folder, own in there.items():
            for name in own.get(month, ()):
                with suppress(DamagedObject):
                    alert = read_kept(store, name, Alert.from_bytes)
                    known_by = date.fromisoformat(alert.provenance.known_by)
                    kept[folder, alert.revision] = _Deleted(folder, alert.revision, known_by, _said(alert))
        rows = [
            asdict(o) | {"known_by": str(o.known_by), "said": asdict(o.said) | {"month": str(month)}}
            for _, o in sorted(kept.items())
        ]
        store.replace(_said_name(month), sealed(_said_name(month), {"said": rows}), content_type="application/json")


def _said_name(month: Month) -> str:
    return f"scorecard/{month}/said.json"


def _said_in(store: Store, month: Month) -> list[_Deleted]:
    try:
        rows = read_json(store, _said_name(month), lambda document: list(document["said"]))
    except ObjectMissing:
        return []
    return [
        _Deleted(
            row["folder"],
            row["revision"],
            date.fromisoformat(row["known_by"]),
            MonthStatement(month, Band(row["said"]["band"]), row["said"]["score"], row["said"]["is_open"]),
        )
        for row in rows
    ]


def _deleted(store: Store) -> list[_Deleted]:
    """All that is kept of alerts that were deleted. Needs one listing if nothing was."""
    months = {Month.parse(o.name.split("/")[1]) for o in store.list("scorecard/")}
    return [one for month in sorted(months) for one in _said_in(store, month)]


def _latest_before(published: date, kept: Iterable[_Deleted]) -> list[MonthStatement]:
    """Of each month, what the last revision said that was made before a day; oldest first."""
    known = [o for o in kept if o.known_by < published and o.said.month.last_day < published]
    return [s for _, s in sorted({o.said.month: o.said for o in sorted(known, key=lambda o: o.revision)}.items())]


def _names(store: Store) -> dict[str, dict[Month, list[str]]]:
    """The names of all revisions of every alert, newest first, by folder and month. Needs one listing."""
    found: dict[str, dict[Month, list[int]]] = {}
    for listed in store.list("alerts/"):
        if match := _NAME.fullmatch(listed.name):
            months = found.setdefault(match["folder"], {})
            months.setdefault(Month.parse(match["month"]), []).append(int(match["revision"] or 1))
    return {
        folder: {m: [alert_name(m, folder, r) for r in sorted(every, reverse=True)] for m, every in months.items()}
        for folder, months in found.items()
    }
