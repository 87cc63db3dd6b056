"""A made-up council, its figures and its scores, from which the tests of this room build every case."""

from __future__ import annotations

from datetime import date

import numpy as np

from expectations.batch import Effect
from expectations.fates import CouncilFiles
from features.councils import Council
from features.months import Month, month_range
from features.registry import BY_NAME
from flows.alerts.alert import Alert, build_alert
from flows.alerts.decide import decide
from flows.alerts.facts import (
    CONCERN,
    IMPROVEMENT,
    CouncilFacts,
    MeasureFact,
    Series,
    SubmissionFact,
    ValidationFacts,
    ValidationNote,
)
from flows.alerts.state import AlertState, Signal
from flows.settings.alert_rules import AlertRules
from models.score import LevelKnown, ModelRef, OfTen, Reason, Score, Stage, TrackRecord

MONTH = Month(2026, 10)
RULES = AlertRules()
ASHCOMBE = Council(
    la_code="991",
    name="Ashcombe",
    valid_from=Month(2020, 4),
    recipients=("director@ashcombe.example", "deputy@ashcombe.example"),
    data_officer="data@ashcombe.example",
)
FIRST_STAGE = Stage(
    1, "Losing grip", ("Cases without a worker 7.2%; neighbours 2.1%", "Agency rate 23%; neighbours 13%")
)
LEVEL = LevelKnown(124, date(2026, 10, 30), "ILACS")


def score(
    probability: float | None,
    month: Month = MONTH,
    *,
    version: str = "3",
    la_code: str = "991",
    better: bool = False,
    not_scored: str | None = None,
) -> Score:
    """A score with three reasons of the council's own and one of context."""
    sign = -1 if better else 1
    reasons = (
        Reason("unallocated_rate__own_z", "unallocated_rate", False, 0.62 * sign, "Cases without a worker 8.2%"),
        Reason("agency_rate_fte__vs_neighbours", "agency_rate_fte", False, 0.41 * sign, "Agency rate 23%"),
        Reason("assessments_in_time_rate", "assessments_in_time_rate", False, 0.30 * sign, "Assessments in time 78%"),
        Reason("imd_score", None, True, 0.2, "Deprivation is a little above the English middle"),
    )
    if probability is None:
        text = not_scored or (
            "5 of the 9 measures behind the score are not known for October 2026 (not reported): agency rate, sickness "
            "absence in 12 months, caseload per worker and 2 more. Once we have the whole "
            "workforce and establishment files of that month, however late, the score returns."
        )
        return Score(la_code, month, ModelRef("baseline", version), None, None, None, None, (), None, None, text)
    return Score(
        la_code,
        month,
        ModelRef("baseline", version),
        probability,
        max(0.0, probability - 0.12),
        min(1.0, probability + 0.11),
        probability / 4,
        reasons,
        TrackRecord(187, round(187 * probability), round(10 * probability), "a walk-forward back-test"),
        FIRST_STAGE,
        None,
        OfTen(round(10 * probability), 2),
        LEVEL,
        rank_of(probability),
    )


def rank_of(probability: float) -> float:
    """A rank for a made-up number: 0.55 is where England's riskiest fifth begins, 0.70 its riskiest tenth."""
    return float(
        np.interp(probability, [0.0, 0.35, 0.47, 0.55, 0.62, 0.70, 1.0], [0.0, 0.60, 0.74, 0.8, 0.85, 0.9, 1.0])
    )


def signal(measure: str, toward_concern: bool = True, rule: str = "point") -> Signal:
    declared = BY_NAME[measure]
    return Signal(measure=measure, label=declared.label, group=declared.group, rule=rule, toward_concern=toward_concern)


def series(measure: str, base: float, step: float, spread: float, near: float, toward: str | None) -> Series:
    """24 months: level, then a drift over the last eight; a fixed zigzag stands for noise."""
    months = tuple(month_range(MONTH.plus(-23), MONTH))
    values = tuple(round(base + spread * ((i * 7) % 5 - 2) / 2 + step * max(0, i - 15), 6) for i in range(24))
    return Series(
        measure=measure,
        months=months,
        values=values,
        mean=(base,) * 24,
        lower=(round(base - 3 * spread, 6),) * 24,
        upper=(round(base + 3 * spread, 6),) * 24,
        toward=tuple(toward if i > 18 else None for i in range(24)),
        neighbours=(near,) * 24,
    )


def facts(better: bool = False) -> CouncilFacts:
    """Three measures that move, and one that could not be worked out."""
    toward = IMPROVEMENT if better else CONCERN
    sign = -1 if better else 1
    drawn = {
        s.measure: s
        for s in (
            series("unallocated_rate", 0.04, 0.004 * sign, 0.004, 0.021, toward),
            series("agency_rate_fte", 0.17, 0.008 * sign, 0.006, 0.13, toward),
            series("assessments_in_time_rate", 0.86, -0.01 * sign, 0.01, 0.84, toward),
        )
    }
    known = {
        name: MeasureFact(
            measure=name,
            value=s.values[-1],
            year_ago=s.values[11],
            own_mean=s.mean[-1],
            neighbours_median=s.neighbours[-1],
            neighbours_reported=9,
            usual_low=s.lower[-1],
            usual_high=s.upper[-1],
            rule="point",
            toward=toward,
            small_base=name == "assessments_in_time_rate",
        )
        for name, s in drawn.items()
    }
    missing = {
        name: MeasureFact(measure=name, value=None, reason="the extract has no such column")
        for name in BY_NAME
        if name not in known and BY_NAME[name].group.value != "sight"
        if name in ("three_workers_rate", "repeat_cp_plan_rate")
    }
    filler = {
        name: MeasureFact(measure=name, value=0.1, neighbours_median=0.1, neighbours_reported=9)
        for name in BY_NAME
        if name not in known and name not in missing
    }
    return CouncilFacts(
        la_code="991",
        month=MONTH,
        measures=known | missing | filler,
        series=drawn,
        signals=tuple(signal(name, not better) for name in drawn),
    )


SUBMISSIONS = (
    SubmissionFact(
        extract="workforce", outcome="accepted with queries", received=date(2026, 11, 4), sha256="a" * 64, queries=1
    ),
    SubmissionFact(extract="establishment", outcome="accepted", received=date(2026, 11, 9), late=True, sha256="b" * 64),
    SubmissionFact(
        extract="caseload",
        outcome="used in part",
        received=date(2026, 11, 5),
        sha256="c" * 64,
        errors=1,
        withheld=("closed_date",),
    ),
)
FILES = CouncilFiles("991", "Ashcombe", MONTH, tuple(s.fate for s in SUBMISSIONS))
VALIDATION = ValidationFacts(
    notes=(
        ValidationNote(
            extract="caseload",
            severity="error",
            check="end_before_start",
            count=3,
            message="3 episodes close before they were referred. Correct the dates and send the file again.",
            column="closed_date",
            effect=Effect.WITHHELD,
            rows=(17, 204, 733),
        ),
        ValidationNote(
            extract="workforce",
            severity="query",
            check="headcount_jump",
            count=1,
            message="Workers in post fell by more than in any month of the last year. Is the file complete?",
        ),
    ),
    report="validation/2026-10/991.html",
)


def told(probability: float | None, month: Month, previous: AlertState | None = None, **given: bool) -> AlertState:
    """The state after a month whose message, if any, was delivered."""
    return decide(
        score(probability, month),
        inadequate=given.get("inadequate", False),
        signals=(),
        previous=previous,
        delivered=True,
        rules=RULES,
    ).state


def alert(
    now: Score,
    *,
    council: Council = ASHCOMBE,
    previous: AlertState | None = None,
    inadequate: bool = False,
    better: bool = False,
    signals: bool = True,
    submissions: tuple[SubmissionFact, ...] = SUBMISSIONS,
) -> Alert:
    """An alert object of the made-up council."""
    judgement = council.judged_by(MONTH.last_day)
    own = facts(better)
    decision = decide(
        now,
        inadequate=inadequate,
        signals=own.signals if signals else (),
        previous=previous,
        delivered=True,
        rules=RULES,
    )
    return build_alert(
        council=council,
        score=now,
        decision=decision,
        facts=own,
        submissions=submissions,
        validation=VALIDATION,
        code_version="0.1.0+test",
        settings_digest="5e77195d19e5",
        rules_digest=RULES.digest(),
        known_by="2026-11-13",
        judged=judgement.published if judgement is not None else None,
    )
