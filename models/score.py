"""What a score is: a probability with its interval, its reasons and its track record, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from features.months import Month


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model spoke: `models/<name>/<version>/` in the object store."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in the measure's own units, with its exact share in the score."""

    feature: str
    """Registry measure, `measure__column`, or a context name such as `previous_judgement`."""
    measure: str | None
    """The registry measure it belongs to; None for context."""
    is_context: bool
    share: float
    """Contribution to the model's linear predictor (log-odds) against a council with typical figures."""
    sentence: str
    """For example “Agency rate 24%; neighbours 13%; up 6 points in 12 months”."""


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How often councils scored like this were judged below good, from the back-test, never from training."""

    flagged: int
    judged_below_good: int
    of_ten: int
    basis: str
    """Which back-test, which years, given an inspection."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A reading aid: which stage of difficulty the signals resemble (Cresswell 2013). Not a finding."""

    number: int
    """0 = none of the stages; 1 losing grip, 2 service breakdown, 3 systemic crisis, 4 complete lock."""
    title: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A council's score as of a month, or the sentence that says why it was not scored."""

    la_code: str
    month: Month
    model: ModelRef
    probability_below_good: float | None
    interval_low: float | None
    interval_high: float | None
    probability_inadequate: float | None
    reasons: tuple[Reason, ...]
    track_record: TrackRecord | None
    stage: Stage | None
    not_scored: str | None
    """None if scored; else what is missing and what would restore the score."""
