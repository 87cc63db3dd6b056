"""Turns scores into alerts: decides for every council and publishes. Plain functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from expectations.batch import FAILURES
from features.comparing.context import whole_months
from features.councils import Council
from features.frameworks import INADEQUATE
from features.months import Month, nth_working_day
from flows.alerts.alert import Alert, alert_name, build_alert
from flows.alerts.answers import Goal, Reply, answers_up_to, goals_of, with_answers, with_goals
from flows.alerts.decide import Storm, decide, storm_valve
from flows.alerts.facts import CouncilFacts, SubmissionFact, ValidationFacts, ValidationNote
from flows.alerts.files import council_files
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.details import WINDOW_MONTHS
from flows.alerts.letter.render import render_message
from flows.alerts.publish import Publication, Published, councils_told, readable_alerts
from flows.alerts.reports import council_report_name
from flows.alerts.state import Band, Decision
from flows.settings.alert_rules import AlertRules
from flows.store import Store
from flows.store.manifest import Manifest
from models.score import Score, before_any_score


@dataclass(frozen=True, slots=True)
class Versions:
    """What an alert's provenance says about the run that made it."""

    code: str
    settings: str
    rules: str
    known_by: str
    """Day of the last extract read (not of the run), so that a repeated run makes the same object."""
    known_of: Mapping[str, str] = field(default_factory=dict)
    """la_code -> day on which its own last file came; another council's late file changes nobody else's alert."""

    def only(self, la_code: str) -> Versions:
        """The same for one council's alert."""
        return replace(self, known_of={code: day for code, day in self.known_of.items() if code == la_code})


@dataclass(frozen=True, slots=True)
class Deciding:
    """What decisions depend on besides scores and facts: the group's rules, the cut-off day and the schedule."""

    rules: AlertRules
    cutoff: date
    run_working_day: int
    """The working day of the next month on which the month's run starts."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One council's score, facts and decision."""

    council: Council
    score: Score
    facts: CouncilFacts
    decision: Decision
    answers: tuple[Reply, ...] = ()
    goals: tuple[Goal, ...] = ()
    first_score: date | None = None
    """For a council in its first months: the day on which its first score is due if files keep coming."""
    judged: date | None = None
    """When its last judgement was published."""
    judged_months: int | None = None
    """How many months before the cut-off that was."""


def decide_councils(
    store: Store,
    councils: Sequence[Council],
    scores: Mapping[str, Score],
    facts: Mapping[str, CouncilFacts],
    earlier: Mapping[str, Alert],
    by: Deciding,
) -> tuple[list[Decided], Storm]:
    """Decide for every council, starting from its last published alert, and whether the month's mail must wait.

    `earlier` has that alert by folder (`previous_alerts`).
    """
    told = {m: councils_told(store, m) for m in {alert.month for alert in earlier.values()}}
    answered, aiming = with_answers(store), with_goals(store)
    decided = []
    for council in councils:
        previous = earlier.get(council.folder)
        ever_scored = previous is not None and bool(previous.decision.state.recent)
        score = scores[council.la_code] if ever_scored else before_any_score(scores[council.la_code])
        judgement = council.judged_by(by.cutoff)
        decision = decide(
            score,
            inadequate=judgement is not None and judgement.grade == INADEQUATE,
            signals=facts[council.la_code].signals,
            previous=previous.decision.state if previous else None,
            delivered=previous is not None and council.folder in told[previous.month],
            rules=by.rules,
            beginning=0 < facts[council.la_code].months_in_a_row < WINDOW_MONTHS,
        )
        answers = answers_up_to(store, council.folder, score.month) if council.folder in answered else ()
        goals = goals_of(store, council.folder) if council.folder in aiming else ()
        first = None
        if decision.band is Band.FIRST_MONTHS:
            left = WINDOW_MONTHS - facts[council.la_code].months_in_a_row
            first = nth_working_day(score.month.plus(left + 1), by.run_working_day)
        judged = judgement.published if judgement is not None else None
        months = whole_months(judged, by.cutoff) if judged is not None else None
        decided.append(Decided(council, score, facts[council.la_code], decision, answers, goals, first, judged, months))
    return decided, storm_valve([d.decision for d in decided], by.rules)


def alert_of(decided: Decided, manifest: Manifest | None, failures: pl.DataFrame, versions: Versions) -> Alert:
    """One council's alert object, not yet published."""
    files = council_files(manifest, failures, decided.council, decided.score.month)
    sent = {e.kind: e.sha256 for e in manifest.of(decided.council.la_code)} if manifest else {}
    return build_alert(
        council=decided.council,
        score=decided.score,
        decision=decided.decision,
        facts=decided.facts,
        submissions=tuple(SubmissionFact.of(f, sent.get(f.kind) or "") for f in files.files),
        validation=validation_facts(failures, decided.council, decided.score.month),
        code_version=versions.code,
        settings_digest=versions.settings,
        rules_digest=versions.rules,
        known_by=versions.known_of.get(decided.council.la_code, str(decided.score.month.last_day)),
        judged=decided.judged,
        judged_months=decided.judged_months,
        answers=decided.answers,
        goals=decided.goals,
        first_score=decided.first_score,
    )


def standing_alerts(
    store: Store, councils: Sequence[Council], month: Month, contact: Contact, faults: list[str]
) -> list[Published]:
    """What earlier runs published for a month: latest revisions, and the messages that are due. Writes nothing.

    An alert that cannot be read affects only its council: a sentence is added to `faults`.
    """
    alerts = readable_alerts(store, month, councils, faults)
    return [
        Published(
            alert=a,
            outcome=Publication.UNCHANGED,
            name=alert_name(a.month, a.folder, a.revision),
            message=render_message(a, contact) if a.due else None,
        )
        for a in alerts
    ]


def validation_facts(failures: pl.DataFrame, council: Council, month: Month) -> ValidationFacts:
    """The council's failures as notes for people, with counts and row numbers but no values."""
    own = failures.filter((pl.col("la_code") == council.la_code) & ~pl.col("accepted"))[list(FAILURES)]
    return ValidationFacts(
        notes=tuple(
            ValidationNote(
                extract=row["extract"],
                severity=row["severity"],
                check=row["check"],
                count=row["rows"] or 0,
                message=row["message"],
                column=row["column"] or "",
                effect=row["effect"],
                rows=tuple(row["row_numbers"] or ()),
            )
            for row in own.iter_rows(named=True)
        ),
        report=council_report_name(month, council),
    )
