"""One message of every kind, made from the made-up council of the unit tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache

from expectations.fates import CouncilFiles
from features.councils import Council
from features.frameworks import Judgement
from features.months import Month
from features.registry import BY_NAME, Missing
from flows.alerts.alert import Alert, Correction, NotKnown, build_alert
from flows.alerts.answers import Goal, Reply
from flows.alerts.council_month import council_month
from flows.alerts.decide import decide, storm_valve
from flows.alerts.facts import MeasureFact, SubmissionFact
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message, render_message
from flows.alerts.publish import director_changes
from flows.alerts.scorecard import JudgedCouncil, MonthStatement, Scorecard
from flows.alerts.state import AlertState, Band
from flows.mail.deliver import Delivery
from flows.mail.month_mail import MonthMail
from flows.mail.officers import data_officer_message
from flows.mail.yearly import scorecard_message
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.run_report import to_message
from flows.settings.answer_form import AnswerKind
from flows.store.ledger import Status
from models.score import Stage
from tests.unit.flows.alerts.examples import (
    ASHCOMBE,
    FILES,
    MONTH,
    RULES,
    SUBMISSIONS,
    VALIDATION,
    alert,
    facts,
    score,
    series,
    told,
)

CONTACT = Contact(
    team="the data team of the Northern Alliance",
    reply_to="data-team@alliance.example",
    person="Asha Bell",
    telephone="01632 960 123",
)
REGION_PAGE = "https://holdfast.alliance.example/region/2026-10/index.html"
SIGNS = ("Cases without a worker 7.2%; neighbours 2.1%", "Agency rate 23%; neighbours 13%")
STAGES = {number: Stage(number, "", SIGNS if number else ()) for number in range(5)}


def _chain(*probabilities: float | None, inadequate: bool = False) -> AlertState:
    """The state after these months, the last of them the month before the message."""
    state: AlertState | None = None
    for back, probability in zip(range(len(probabilities), 0, -1), probabilities, strict=True):
        state = told(probability, MONTH.plus(-back), state, inadequate=inadequate)
    assert state is not None
    return state


def _staged(probability: float, stage: int, previous: AlertState) -> Alert:
    return alert(replace(score(probability), stage=STAGES[stage]), previous=previous)


def _corrected() -> Alert:
    first = alert(score(0.74), previous=_chain(0.3))
    now = alert(score(0.57), previous=_chain(0.3), signals=False)
    restated = {"value": 0.184, "toward": None, "rule": None}
    drawn = next(s for s in now.charts if s.measure == "agency_rate_fte")
    drawn = drawn.model_copy(update={"values": (*drawn.values[:-1], 0.184), "toward": (*drawn.toward[:-1], None)})
    now = now.model_copy(
        update={
            "facts": tuple(f.model_copy(update=restated) if f.measure == drawn.measure else f for f in now.facts),
            "charts": tuple(drawn if s.measure == drawn.measure else s for s in now.charts),
        }
    )
    note = Correction(
        replaces_revision=1,
        what_changed=tuple(director_changes(first, now)),
        for_director=True,
        message_revision=2,
        files=("workforce",),
    )
    return now.model_copy(update={"revision": 2, "correction": note})


def _judged(on: date) -> Council:
    return replace(ASHCOMBE, judgements=(Judgement(on, "Inadequate"),))


def _with_answers(one: Alert) -> Alert:
    """The alert of a council that has told us of a cause, of what it has begun, and of two goals of its own."""
    before = MONTH.plus(-4)
    known = Reply(
        folder="991",
        month=before,
        kind=AnswerKind.KNOWN,
        words="A team was split in June; its cases are shared out by December.",
        by="director",
        on=date(2026, 7, 20),
        measure="unallocated_rate",
        quiet_until=Month(2026, 12),
    )
    begun = Reply(
        folder="991",
        month=MONTH.plus(-1),
        kind=AnswerKind.ACTION,
        words="Six permanent offers are out.",
        by="director",
        on=date(2026, 10, 20),
    )
    aims = {"agency_rate_fte": (0.15, 0.26), "vacancy_rate_fte": (0.12, 0.16)}
    goals = tuple(
        Goal(
            folder="991",
            measure=measure,
            level=level,
            by_month=Month(2027, 6),
            set_by="director",
            on=date(2026, 7, 20),
            month=before,
            start=start,
        )
        for measure, (level, start) in aims.items()
    )
    vacancy = next(f for f in facts().measures.values() if f.measure == "vacancy_rate_fte")
    seen = [f for f in one.facts if f.measure != "vacancy_rate_fte"]
    drawn = series("vacancy_rate_fte", 0.16, -0.007125, 0.006, 0.1, None)
    heard = {"answers": (known, begun), "goals": goals}
    return one.model_copy(update=heard | {"facts": (*seen, vacancy), "charts": (*one.charts, drawn)})


def _joint() -> Alert:
    council = replace(ASHCOMBE, la_code="991 / 992", name="Ashcombe and Dunmere")
    return alert(score(0.6, la_code="991 / 992"), council=council, previous=_chain(0.3))


def _unseen(*before: float | None) -> Alert:
    """No workforce and no establishment file came, so what they give is not known; the caseload still is."""
    gone = tuple(SubmissionFact(extract=k, outcome="missing") for k in ("workforce", "establishment"))
    now = alert(score(None), previous=_chain(*before), submissions=(*gone, SUBMISSIONS[2]))
    labels = [BY_NAME[m].label for m in ("agency_rate_fte", "absence_rate_fte", "caseload_fte", "vacancy_rate_fte")]
    lost = NotKnown(reason=Missing.NOT_REPORTED, labels=(*labels, BY_NAME["turnover_rate_fte"].label))
    return now.model_copy(
        update={
            "facts": tuple(f for f in now.facts if f.measure != "agency_rate_fte"),
            "charts": tuple(s for s in now.charts if s.measure != "agency_rate_fte"),
            "not_known": (lost, *now.not_known),
        }
    )


def _first_months() -> Alert:
    """A council whose second month it is: no chart has limits yet, and the yearly figures wait."""
    own = facts()
    unknown = MeasureFact(measure="turnover_rate_fte", value=None, reason=str(Missing.WINDOW_INCOMPLETE))
    no_range = {"usual_low": None, "usual_high": None}
    measures = {
        m: f.model_copy(update={"toward": None, "rule": None, "year_ago": None, "national_percentile": 0.62} | no_range)
        for m, f in own.measures.items()
    }
    levels = {"visits_overdue_rate": 0.11, "vacancy_rate_fte": 0.17, "caseload_fte": 18.4}
    levels |= {"cp_reviews_in_time_rate": 0.93}
    near = {"visits_overdue_rate": 0.08, "vacancy_rate_fte": 0.15, "caseload_fte": 16.9}
    for name, value in levels.items():
        measures[name] = measures[name].model_copy(
            update={"value": value, "neighbours_median": near.get(name, value), "national_percentile": 0.71}
        )
    waits = ("turnover_rate_3m_annualised", "re_referral_rate")
    waiting = {m: MeasureFact(measure=m, value=None, reason=str(Missing.WINDOW_INCOMPLETE)) for m in waits}
    now = score(None, not_scored="Turnover in 12 months needs twelve months.")
    decision = decide(now, inadequate=False, signals=(), previous=None, delivered=False, rules=RULES, beginning=True)
    return build_alert(
        council=ASHCOMBE,
        score=now,
        decision=decision,
        facts=own.model_copy(
            update={"measures": measures | {"turnover_rate_fte": unknown} | waiting, "series": {}, "signals": ()}
        ),
        submissions=SUBMISSIONS,
        validation=VALIDATION,
        code_version="0.1.0+test",
        settings_digest="5e77195d19e5",
        rules_digest=RULES.digest(),
        known_by="2026-11-13",
        first_score=date(2027, 9, 15),
    )


ALERTS: dict[str, Callable[[], Alert]] = {
    "new_watch": lambda: alert(score(0.6), previous=_chain(0.3)),
    "new_losing_grip": lambda: alert(score(0.88), previous=_chain(0.3)),
    "worsening": lambda: _staged(0.88, 2, _chain(0.6)),
    "worsening_within_band": lambda: _staged(0.68, 3, _chain(0.56, 0.58)),
    "continuing": lambda: _staged(0.6, 0, _chain(0.6, 0.6, 0.6)),
    "easing": lambda: alert(score(0.5, better=True), previous=_chain(0.9, 0.5), better=True),
    "resolved": lambda: alert(score(0.2, better=True), previous=_chain(0.6, 0.3), better=True),
    "recovering": lambda: alert(
        score(0.6), council=_judged(date(2026, 8, 3)), previous=_chain(0.6), inadequate=True, signals=False
    ),
    "recovering_unsettled": lambda: _with_answers(
        alert(
            score(0.8),
            council=_judged(date(2025, 2, 3)),
            previous=_chain(0.4, 0.4, inadequate=True),
            inadequate=True,
        )
    ),
    "answered": lambda: _with_answers(_staged(0.6, 1, _chain(0.6, 0.6, 0.6))),
    "not_scored": lambda: _unseen(0.3),
    "not_scored_long": lambda: _unseen(0.6, None, None),
    "first_months": _first_months,
    "correction": _corrected,
    "joint_return": _joint,
    "complete_lock": lambda: _staged(0.9, 4, _chain(0.88, 0.88, 0.9)),
}


def _run_summary() -> Message:
    named = {
        "new_losing_grip": ("991", "Ashcombe"),
        "joint_return": ("994 / 995", "Brook and Dunmere"),
        "resolved": ("996", "Fernley"),
        "continuing": ("997", "Marsham"),
        "not_scored": ("993", "Elmbridge Vale"),
    }
    shown = [
        ALERTS[kind]().model_copy(update={"la_code": code, "council": name, "folder": code.replace(" / ", "-")})
        for kind, (code, name) in named.items()
    ]
    sent = Delivery("2026-10/991/r1/new_losing_grip", "director@ashcombe.example", Status.SENT, True)
    failed = replace(sent, address="deputy@ashcombe.example", status=Status.FAILED, reason="550 no such mailbox")
    storm = storm_valve([a.decision for a in shown], RULES)
    councils = tuple(council_month(a, FILES, told=a.la_code == "991") for a in shown)
    run = RunOutcome(
        MONTH,
        councils,
        tuple(CouncilFiles(a.la_code, a.council, MONTH, tuple(s.fate for s in a.submissions)) for a in shown),
        answers=(
            "Ashcombe (991), September 2026, objection: “The agency figure is wrong.” (director, 20 October 2026)",
            "Ashcombe (991), September 2026, action begun: “A duty team since May.” (director, 21 October 2026)",
        ),
        mail=MonthMail(deliveries={"991": [sent, failed]}, storm=storm),
        seconds={"read": 3.21, "validation": 4.5, "features": 1.02, "alerts": 2.6},
        model="drift 2026-01-01-abcdef12",
        caution="A score is no grade.",
    )
    return to_message(run, CONTACT, REGION_PAGE)


def _scorecard() -> Message:
    def judged(name: str, code: str, below: bool, *said: tuple[Band, float | None]) -> JudgedCouncil:
        months = (MONTH.plus(n - len(said)) for n in range(len(said)))
        every = tuple(MonthStatement(m, b, p, b is Band.WATCH) for m, (b, p) in zip(months, said, strict=True))
        grade = "Requires improvement to be good" if below else "Good"
        return JudgedCouncil(name, code, date(2026, 11, 20), grade, "ILACS", below, every)

    steady, watch = (Band.STEADY, 0.12), (Band.WATCH, 0.41)
    councils = (
        judged("Ashcombe", "991", True, steady, steady, watch, (Band.WATCH, 0.47), watch),
        judged("Elmbridge Vale", "993", False, steady, (Band.NOT_SCORED, None), steady),
    )
    return scorecard_message(Scorecard(councils, MONTH.plus(-5)), 2026, "2026-12/scorecard/2026", CONTACT)


MESSAGES: dict[str, Callable[[], Message]] = {
    **{name: cache(lambda make=make: render_message(make(), CONTACT)) for name, make in ALERTS.items()},
    "run_summary": _run_summary,
    "scorecard": _scorecard,
    "data_officer": lambda: data_officer_message(ASHCOMBE, FILES, VALIDATION.notes, CONTACT),
}
