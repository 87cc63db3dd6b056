"""The region on one static page: every council's band, change, reasons and key measures.

It is for people entitled to see the whole region: it names councils, which a director's message never does. It is
one file without external references, so it opens offline and from any store.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from expectations.fates import CouncilFiles
from features.months import Month
from features.registry import BY_NAME, Missing
from features.words import lower_first
from flows.alerts.alert import Alert
from flows.alerts.disclosure import may_show_neighbours
from flows.alerts.facts import CONCERN, IMPROVEMENT, CouncilFacts
from flows.alerts.file_grid import file_grid
from flows.alerts.letter.figures import first_signs, value_text, with_figures
from flows.alerts.letter.heard import answer_line, goal_words
from flows.alerts.letter.points import shown_facts
from flows.alerts.letter.sparkline import band_strip, sparkline
from flows.alerts.letter.wording import BAND_WORDS
from flows.alerts.state import Band, Change, Record

#: The measures shown, in this order, if any council in the region has them.
KEY_MEASURES = (
    "agency_rate_fte",
    "vacancy_rate_fte",
    "turnover_rate_fte",
    "caseload_fte",
    "absence_rate_fte",
    "unallocated_rate",
    "assessments_in_time_rate",
    "visits_overdue_rate",
    "re_referral_rate",
)
_SHOWN_MEASURES = 8

#: Order of urgency on the page.
ORDER = (Band.LOSING_GRIP, Band.WATCH, Band.NOT_SCORED, Band.RECOVERING, Band.FIRST_MONTHS, Band.STEADY)


class StageTime(Record):
    """The time that one stage of the run took."""

    stage: str
    seconds: float


class RunFacts(Record):
    """What the page says about the run."""

    code_version: str
    times: tuple[StageTime, ...] = ()
    held: str = ""
    """If mail is held: why."""
    hindsight: tuple[str, ...] = ()
    """Comparison of alerts with later judgements (`flows.alerts.scorecard`); empty if there are none yet."""
    links: tuple[tuple[str, str], ...] = ()
    """Titles and addresses of further pages: Data Docs, e-mail previews, the run's log."""


@dataclass(frozen=True, slots=True)
class _Spark:
    label: str
    value: str
    near: str
    toward: str
    svg: Markup
    small: bool


@dataclass(frozen=True, slots=True)
class _Row:
    code: str
    name: str
    band: str
    band_words: str
    order: int
    rank: int
    change: str
    since: str
    why: str
    stage: str
    strip: Markup
    heard: Markup
    """The council's answers, and its own goals."""
    sparks: tuple[_Spark, ...]
    links: tuple[tuple[str, str], ...]
    files: str


def region_page_name(month: Month) -> str:
    """The object that is the month's region page."""
    return f"region/{month}/index.html"


def region_page(
    alerts: Sequence[Alert],
    facts: Mapping[str, CouncilFacts],
    *,
    month: Month,
    title: str,
    run: RunFacts,
    links: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    files: Mapping[str, CouncilFiles] | None = None,
) -> str:
    """The page as HTML. These are by la_code: `facts`, `links` (title and relative address) and the month's `files`.

    `alerts` may be in any order: the page is sorted by urgency, then by score, then by name.
    """
    measures = _measures_with_values(facts)
    ordered = sorted(
        alerts,
        key=lambda a: (ORDER.index(a.decision.band), -(a.score.probability_below_good or 0.0), a.council),
    )
    rows = [
        _row(
            alert,
            rank,
            facts.get(alert.la_code),
            measures,
            (links or {}).get(alert.la_code, ()),
            (files or {}).get(alert.la_code),
        )
        for rank, alert in enumerate(ordered)
    ]
    counts = Counter(a.decision.band for a in alerts)
    return (
        _environment()
        .get_template("region.html.j2")
        .render(
            title=title,
            month=month.in_words,
            rows=rows,
            counts=[(b.value, BAND_WORDS[b], counts[b]) for b in ORDER],
            grid=file_grid({a.la_code: a.council for a in ordered}, files or {}),
            run=run,
            total_seconds=sum(t.seconds for t in run.times),
        )
    )


def _measures_with_values(facts: Mapping[str, CouncilFacts]) -> tuple[str, ...]:
    found = [
        m for m in KEY_MEASURES if any(m in f.measures and f.measures[m].value is not None for f in facts.values())
    ]
    return tuple(found[:_SHOWN_MEASURES])


def _row(
    alert: Alert,
    rank: int,
    facts: CouncilFacts | None,
    measures: tuple[str, ...],
    links: Sequence[tuple[str, str]],
    files: CouncilFiles | None,
) -> _Row:
    decision, goals = alert.decision, {g.measure: g.level for g in alert.goals}
    return _Row(
        code=alert.la_code,
        name=alert.council,
        band=decision.band.value,
        band_words=BAND_WORDS[decision.band],
        order=ORDER.index(decision.band),
        rank=rank,
        change=_CHANGE_WORDS[decision.change],
        since=decision.state.since.in_words if decision.state.since != alert.month else "",
        why=why_words(alert),
        stage=_stage_words(alert),
        strip=band_strip(decision.state.bands),
        heard=heard_block(alert),
        sparks=tuple(_spark(facts, m, goals.get(m)) for m in dict.fromkeys([*measures, *goals])) if facts else (),
        links=tuple(links),
        files=files.headline if files is not None and files.to_put_right else "",
    )


def heard_block(alert: Alert) -> Markup:
    """A council's answers and goals as a list, between marks, so that a later answer can take its place."""
    words = [
        *(answer_line(a) for a in alert.answers),
        *(goal_words(g, alert, whose="the council's") for g in alert.goals),
    ]
    items = Markup("").join(Markup("<li>{}</li>").format(w) for w in words)
    told = Markup('<ul class="heard">{}</ul>').format(items) if words else Markup("")
    return Markup("<!-- heard {0} -->{1}<!-- end {0} -->").format(alert.folder, told)


def with_heard(page: str, alert: Alert) -> str:
    """A region page on which a council's answers and goals are those of this alert; else it stays as it is."""
    block = re.compile(rf"<!-- heard {re.escape(alert.folder)} -->.*?<!-- end {re.escape(alert.folder)} -->", re.S)
    return block.sub(lambda _: str(heard_block(alert)), page)


def _stage_words(alert: Alert) -> str:
    """The stage and its first signs; empty if its signs cannot be named."""
    stage = alert.score.stage
    if stage is None or not alert.stage_signs or alert.decision.band not in (Band.WATCH, Band.LOSING_GRIP):
        return ""
    return f"signs of stage {stage.number} of four: {first_signs(alert.stage_signs)}"


_CHANGE_WORDS: dict[Change, str] = {
    Change.NONE: "",
    Change.NEW: "new",
    Change.CONTINUING: "continuing",
    Change.WORSENING: "worsening",
    Change.EASING: "easing",
    Change.RESOLVED: "resolved",
}


def why_words(alert: Alert) -> str:
    """The figures behind the band, or why there is no score; empty for a steady council."""
    if alert.decision.band is Band.NOT_SCORED:
        return f"Not scored: {lower_first(alert.score.not_scored or 'too little was received')}"
    if alert.decision.band is Band.STEADY and alert.decision.change is not Change.RESOLVED:
        return ""
    shown = [f for f in shown_facts(alert) if f.value is not None and not is_withheld(f.measure, f.rests_on_few)]
    text = with_figures(shown)
    return f"{text[:1].upper()}{text[1:]}" if text else ""


def is_withheld(measure: str, rests_on_few: bool) -> bool:
    """Whether the page must not show a rate: it is based on few cases, and not one of those that DfE publishes."""
    return rests_on_few and not BY_NAME[measure].official


def _spark(facts: CouncilFacts, measure: str, goal: float | None) -> _Spark:
    declared = BY_NAME[measure]
    fact, series = facts.measures.get(measure), facts.series.get(measure)
    if fact is None or fact.value is None:
        reason = Missing.in_words(fact.reason if fact is not None and fact.reason else Missing.NOT_REPORTED)
        return _Spark(declared.label, "–", reason, "", Markup(""), False)
    if is_withheld(measure, fact.rests_on_few):
        return _Spark(declared.label, "few", "small count, not shown here", "", Markup(""), True)
    near = ""
    if fact.neighbours_median is not None and may_show_neighbours(fact.neighbours_reported):
        near = f"similar {value_text(declared, fact.neighbours_median)}"
    settled = "settled" if fact.settled_worse else ""
    toward = {CONCERN: "concern", IMPROVEMENT: "improvement"}.get(fact.toward or "", settled)
    return _Spark(
        declared.label,
        value_text(declared, fact.value),
        near,
        toward,
        sparkline(series, goal) if series else Markup(""),
        fact.small_base,
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("flows.alerts"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
