"""The published alert object: everything that a reader or a later run needs, and its provenance.

It is enough to render the message again, to decide the next month, and to prove what was said. It has rates, never
counts of people, and no other council's figures. Its JSON Schema is `docs/alert.schema.json`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Literal

import orjson

from features.comparing.context import whole_months
from features.councils import Council
from features.months import Month
from features.registry import ALL_MEASURES, Group
from flows.alerts.answers import Goal, Reply, known_causes
from flows.alerts.facts import IMPROVEMENT, CouncilFacts, MeasureFact, Series, SubmissionFact, ValidationFacts
from flows.alerts.look_first import look_first, seen_at_first
from flows.alerts.state import Band, Change, Decision, MessageKind, MonthField, Record
from models.score import Score

#: Version of the object's shape. The first number changes when programs that read it must change.
SCHEMA_VERSION: Literal["1.0"] = "1.0"

#: Said of an estimate by a model whose estimator has no exact reasons; approximate ones would be told as causes.
NO_REASONS = (
    "The model cannot say exactly how much each figure adds to its estimate, so no figure is named as a reason for it."
)

_AS_STORED = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE

#: How the text of a change starts if no message mentions the change.
RECORD_ONLY = "For the record only"


class TrackRecordShown(Record):
    flagged: int
    judged_below_good: int
    of_ten: int
    basis: str


class OfTenShown(Record):
    """Of ten councils with figures like this, and of any ten: how many were judged below good."""

    like_this: int
    any_ten: int


class LevelShown(Record):
    """Level from so many judgements, published up to a day, of one inspection framework."""

    judgements: int
    to: date
    framework: str


class StageShown(Record):
    number: int
    title: str
    why: tuple[str, ...]


class ReasonShown(Record):
    feature: str
    measure: str | None
    is_context: bool
    share: float
    sentence: str


class ScoreShown(Record):
    """The score as `models.score` gave it, rounded to six places."""

    model: str
    model_version: str
    probability_below_good: float | None
    interval_low: float | None
    interval_high: float | None
    probability_inadequate: float | None
    not_scored: str | None
    track_record: TrackRecordShown | None
    stage: StageShown | None
    reasons: tuple[ReasonShown, ...]
    of_ten: OfTenShown | None = None
    level: LevelShown | None = None
    rank: float | None = None

    @property
    def no_reasons(self) -> str:
        """Why an estimate comes without reasons, as a sentence; empty if it has reasons or there is none."""
        return NO_REASONS if self.probability_below_good is not None and not self.reasons else ""


class NotKnown(Record):
    """Measures that have no value this month, and why."""

    reason: str
    labels: tuple[str, ...]


class Provenance(Record):
    extracts: dict[str, str]
    """Extract kind -> SHA-256 of the file as received."""
    code_version: str
    settings_digest: str
    rules_digest: str
    known_by: str
    """The day on which the last of the council's own files came; nothing of its own that came later was read."""


class Correction(Record):
    """Why this revision replaces an earlier one."""

    replaces_revision: int
    what_changed: tuple[str, ...]
    for_director: bool
    """Whether a message with other content was sent, so that a correction is due. If not, it is for the record only."""
    message_revision: int
    """The revision whose message is valid: this one, or an earlier one if its message has not changed."""
    files: tuple[str, ...] | None = None
    """Extracts whose file differs from the one that the earlier message was made of; None in alerts of 0.1.0."""

    @property
    def for_people(self) -> tuple[str, ...]:
        """What changed in the message, without changes that are for the record only."""
        return tuple(w for w in self.what_changed if not w.startswith(RECORD_ONLY))


class Alert(Record):
    """`alerts/<YYYY-MM>/<folder>.json`, and `.r2.json` and so on for revisions."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    la_code: str
    council: str
    folder: str
    month: MonthField
    revision: int = 1
    decision: Decision
    score: ScoreShown
    facts: tuple[MeasureFact, ...]
    charts: tuple[Series, ...]
    not_known: tuple[NotKnown, ...]
    submissions: tuple[SubmissionFact, ...]
    validation: ValidationFacts
    provenance: Provenance
    correction: Correction | None = None
    judged: date | None = None
    """On the recovery track: when the judgement was published."""
    judged_months: int | None = None
    """Whole months since then, as of the day that the score's own facts are counted to; None in alerts of 0.1.0."""
    answers: tuple[Reply, ...] = ()
    """The council's answers to this alert and to those of earlier months."""
    goals: tuple[Goal, ...] = ()
    """The goals that the council set itself."""
    first_score: date | None = None
    """The day on which the first score is due, for a council in its first months."""

    @property
    def kind(self) -> MessageKind | None:
        """The kind of message that this alert calls for: a correction if an earlier revision said something else."""
        if self.correction is not None and self.correction.for_director:
            return MessageKind.CORRECTION
        return self.decision.kind

    @property
    def due(self) -> bool:
        """Whether a message should go to the director."""
        return self.decision.send or (self.correction is not None and self.correction.for_director)

    @property
    def message_revision(self) -> int:
        """The revision whose message is valid."""
        return self.revision if self.correction is None else self.correction.message_revision

    @property
    def message_key(self) -> str:
        """The stable name of the alert's message, `2026-10/370/r1/new_watch`: Message-ID and ledger use it."""
        kind = self.kind
        return f"{self.month}/{self.folder}/r{self.message_revision}/{kind.value if kind else 'none'}"

    @property
    def is_joint_return(self) -> bool:
        return "/" in self.la_code

    @property
    def usual_is_known(self) -> bool:
        """Whether any measure has enough months to show its usual pattern. Until then nothing is called “as usual”."""
        return any(f.usual_low is not None for f in self.facts)

    @property
    def months_since_judged(self) -> int:
        """Whole months since the judgement that started the recovery; 0 without one."""
        if self.judged is None or self.judged_months is not None:
            return self.judged_months or 0
        return whole_months(self.judged, date.fromisoformat(self.provenance.known_by))

    @property
    def quiet(self) -> dict[str, Reply]:
        """Measures whose cause is known and in hand this month, as the council told us, with its answer."""
        return known_causes(self.answers, self.month)

    @property
    def stage_signs(self) -> tuple[MeasureFact, ...]:
        """The measures that the stage is based on, if each can be named with its figure; else none."""
        stage = self.score.stage
        if stage is None or stage.number == 0 or not stage.why:
            return ()
        found = [
            next((f for f in self.facts if f.value is not None and f.toward != IMPROVEMENT and _names(w, f)), None)
            for w in stage.why
        ]
        known = tuple(f for f in found if f is not None)
        return known if len(known) == len(found) else ()

    def fact(self, measure: str) -> MeasureFact | None:
        return next((f for f in self.facts if f.measure == measure), None)

    def to_bytes(self) -> bytes:
        """The object as stored: sorted keys, an indent of two spaces, UTF-8, one line feed at the end."""
        return orjson.dumps(self.model_dump(mode="json"), option=_AS_STORED)

    @classmethod
    def from_bytes(cls, content: bytes) -> Alert:
        return cls.model_validate_json(content)


def build_alert(
    *,
    council: Council,
    score: Score,
    decision: Decision,
    facts: CouncilFacts,
    submissions: Sequence[SubmissionFact],
    validation: ValidationFacts,
    code_version: str,
    settings_digest: str,
    rules_digest: str,
    known_by: str,
    answers: Sequence[Reply] = (),
    goals: Sequence[Goal] = (),
    first_score: date | None = None,
    judged: date | None = None,
    judged_months: int | None = None,
) -> Alert:
    """Build the first revision of a council's alert object for a month; `publish_alert` makes later ones."""
    shown = _score(score)
    strongest = shown_measures(shown, facts.measures, decision.change, behind=known_causes(answers, score.month))
    if decision.band is Band.FIRST_MONTHS:
        strongest = seen_at_first(facts.measures)
    drawn = dict.fromkeys([*(f.measure for f in strongest), *(g.measure for g in goals)])
    kept = dict(drawn)
    kept |= dict.fromkeys(s.measure for s in facts.signals)
    kept |= dict.fromkeys(m for m, f in facts.measures.items() if f.settled_worse)
    kept |= dict.fromkeys(r.measure for r in shown.reasons if r.measure is not None)
    kept |= dict.fromkeys(m for m, f in facts.measures.items() if _is_sign_of(shown.stage, f))
    kept |= dict.fromkeys([*(g.measure for g in goals), *(a.measure for a in answers)])
    return Alert(
        la_code=council.la_code,
        council=council.name,
        folder=council.folder,
        month=score.month,
        decision=decision,
        score=shown,
        facts=tuple(facts.measures[m] for m in kept if m in facts.measures),
        charts=tuple(facts.series[m] for m in drawn if m in facts.series),
        not_known=_not_known(facts),
        submissions=tuple(submissions),
        validation=validation,
        provenance=Provenance(
            extracts={s.extract: s.sha256 for s in submissions if s.sha256},
            code_version=code_version,
            settings_digest=settings_digest,
            rules_digest=rules_digest,
            known_by=known_by,
        ),
        judged=judged if decision.band is Band.RECOVERING else None,
        judged_months=judged_months if decision.band is Band.RECOVERING else None,
        answers=tuple(answers),
        goals=tuple(goals),
        first_score=first_score,
    )


def shown_measures(
    score: ScoreShown, measures: Mapping[str, MeasureFact], change: Change, behind: Collection[str] = ()
) -> tuple[MeasureFact, ...]:
    """The measures a message shows, most urgent first (`flows.alerts.look_first`); those `behind` go last."""
    return look_first(measures, score.reasons, better=change in (Change.RESOLVED, Change.EASING), behind=behind)


def _is_sign_of(stage: StageShown | None, fact: MeasureFact) -> bool:
    return stage is not None and any(_names(w, fact) for w in stage.why)


def _names(sign: str, fact: MeasureFact) -> bool:
    """Whether a sign such as “Agency rate 24%; neighbours 13%” is about this measure."""
    rest = sign.removeprefix(f"{fact.declared.label} ")
    return rest != sign and rest[:1] in "−-0123456789"


def _score(score: Score) -> ScoreShown:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 6)

    record, stage = score.track_record, score.stage
    return ScoreShown(
        model=score.model.name,
        model_version=score.model.version,
        probability_below_good=rounded(score.probability_below_good),
        interval_low=rounded(score.interval_low),
        interval_high=rounded(score.interval_high),
        probability_inadequate=rounded(score.probability_inadequate),
        not_scored=score.not_scored,
        track_record=None if record is None else TrackRecordShown(**asdict(record)),
        stage=None if stage is None else StageShown(**asdict(stage)),
        reasons=tuple(ReasonShown(**asdict(replace(r, share=round(r.share, 6)))) for r in score.reasons),
        of_ten=None if score.of_ten is None else OfTenShown(**asdict(score.of_ten)),
        level=None if score.level is None else LevelShown(**asdict(score.level)),
        rank=rounded(score.rank),
    )


def _not_known(facts: CouncilFacts) -> tuple[NotKnown, ...]:
    """Measures without a value, by reason, in the registry's order. Leaves out sight measures: councils send none."""
    by_reason: dict[str, list[str]] = {}
    for measure in ALL_MEASURES:
        if measure.group is Group.SIGHT:
            continue
        fact = facts.measures.get(measure.name)
        if fact is None:
            by_reason.setdefault("not reported", []).append(measure.label)
        elif fact.value is None:
            by_reason.setdefault(fact.reason or "not reported", []).append(measure.label)
    return tuple(NotKnown(reason=reason, labels=tuple(labels)) for reason, labels in by_reason.items())


def alert_prefix(month: Month, folder: str) -> str:
    """The prefix of the names of all revisions of an alert."""
    return f"alerts/{month}/{folder}."


def alert_name(month: Month, folder: str, revision: int) -> str:
    """The object's name: `alerts/2026-10/370.json`, `alerts/2026-10/370.r2.json`."""
    return f"{alert_prefix(month, folder)}json" if revision == 1 else f"{alert_prefix(month, folder)}r{revision}.json"
